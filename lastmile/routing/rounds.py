"""One round of a search as a pure function: what it needs goes in, what it found comes out, wherever it is run."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from lastmile.routing.changes import kept_by_plan_in_force
from lastmile.routing.evaluating import Evaluation, evaluate
from lastmile.routing.explaining import Reason, reasons_unserved
from lastmile.routing.problem import Problem, Routes

if TYPE_CHECKING:
    from lastmile.routing.kernel import Kernel

KERNELS_KEPT = 3
PLACES_KEPT = 6_000_000
"""Problems that a worker keeps ready for their next round: so many always, and more as long as all the pairs of their places
are no more than this (a pair takes about 25 bytes)."""

PoolRoute = tuple[int, tuple[int, ...]]
"""A vehicle and the items of a route, both as indexes."""


class Work(StrEnum):
    """What a round does."""

    REPAIR = "repair"
    IMPROVE = "improve"
    COMBINE = "combine"
    FRONTIER = "frontier"
    EXPLAIN = "explain"


@dataclass(frozen=True)
class Round:
    """Work on one problem from one plan, for so many seconds from when it begins, or so many rounds of rebuilding.

    `key` names the problem, so that a worker prepares it once; without the `problem` it is for one that has it ready. `first` and `last` are how far the whole search is (0 to 1)
    when the round begins and ends. `stay_price` is what each stop that keeps its vehicle is worth beside its cost.
    `pool` holds the routes to combine; `budgets` the numbers of moved stops to find the cheapest plan for. With `judge` the
    best plan is evaluated where it was found: for parts of a problem that is too large to be evaluated in one place.
    `ticket` tells the round from all others, so that it can be left off.
    """

    key: str
    problem: Problem | None
    work: Work
    start: Routes
    seed: int
    seconds: float
    rounds: int | None = None
    first: float = 0.0
    last: float = 1.0
    stay_price: float = 0.0
    pool: Mapping[PoolRoute, RouteFigures] = field(default_factory=dict)
    budgets: tuple[int, ...] = ()
    judge: bool = False
    ticket: int = 0


@dataclass(frozen=True)
class RouteFigures:
    """What a route of the pool costs and changes: stops moved, kept promises broken, stops whose goods change hands."""

    cost: float
    moved: int
    broken: int
    goods: int


@dataclass(frozen=True)
class Outcome:
    """The best plan of a round, the one that the search stands at, the work done, and the good routes it saw."""

    routes: Routes
    present: Routes
    rounds: int
    pool: Mapping[PoolRoute, RouteFigures] = field(default_factory=dict)
    frontier: tuple[tuple[int, Routes], ...] = ()
    judged: Judged | None = None


@dataclass(frozen=True)
class Judged:
    """What the evaluator says of the best plan of a round, the promises that the plan in force keeps, where travel times
    come from, and where that was the work, why stops are not served."""

    evaluation: Evaluation
    kept: frozenset[str]
    travel_source: str
    reasons: Mapping[str, Reason] = field(default_factory=dict)


_kernels: OrderedDict[str, Kernel] = OrderedDict()
"""The problems that this process has ready, by key, the latest used last."""

_one_at_a_time = threading.Lock()

_left_off = np.zeros(1, dtype=np.int64)
"""The tickets of rounds that nobody waits for any more, written by the process that handed them out."""


def hear(left_off: Sequence[int]) -> None:
    """From now on heed what the process that hands out rounds writes into this shared array."""
    global _left_off
    _left_off = np.frombuffer(left_off, dtype=np.int64)


def run_round(task: Round) -> Outcome | None:
    """Do one round in this process; the same round gives the same outcome where `rounds` is its limit.

    None where the problem is not given and not known here. One round at a time: the compiled search holds the interpreter.
    """
    began = time.monotonic()
    with _one_at_a_time:
        kernel = _kernel(task)
        return None if kernel is None else _done(kernel, task, began)


def _done(kernel: Kernel, task: Round, began: float) -> Outcome:
    if task.work == Work.COMBINE:
        return _combine(kernel, task)
    if task.work == Work.FRONTIER:
        return _frontier(kernel, task, began)
    if task.work == Work.EXPLAIN:
        return Outcome(task.start, task.start, 0, judged=_judged(kernel, task.start, explain=True))
    if task.work == Work.IMPROVE:
        kernel.improve(began + task.seconds, task.rounds, task.first, task.last, _unwanted(task))
    if task.judge:
        return Outcome(
            kernel.routes(), kernel.present_routes(), kernel.rounds, judged=_judged(kernel, kernel.routes(), False)
        )
    return Outcome(kernel.routes(), kernel.present_routes(), kernel.rounds, dict(kernel.pool))


def _unwanted(task: Round) -> Callable[[], bool]:
    """Whether nobody waits for a round any more."""
    return lambda: task.ticket != 0 and bool((_left_off == task.ticket).any())


def _judged(kernel: Kernel, routes: Routes, explain: bool) -> Judged:
    problem, timer = kernel.problem, kernel.timer
    return Judged(
        evaluate(problem, routes, timer),
        kept_by_plan_in_force(timer),
        problem.matrix.source,
        reasons_unserved(problem, routes, timer) if explain else {},
    )


def _kernel(task: Round) -> Kernel | None:
    from lastmile.routing.kernel import Kernel  # loads compiled code: only where rounds are run

    kernel = _kernels.pop(task.key, None)
    if kernel is None and task.problem is None:
        return None
    if kernel is None:
        kernel = Kernel(task.problem, task.start, task.seed, task.stay_price)
    else:
        kernel.again(task.start, task.seed, task.stay_price)
    _kernels[task.key] = kernel
    while len(_kernels) > KERNELS_KEPT and sum(one.sheet.km.size for one in _kernels.values()) > PLACES_KEPT:
        _kernels.popitem(last=False)
    return kernel


def _combine(kernel: Kernel, task: Round) -> Outcome:
    from lastmile.routing.combining import combined

    rows = combined(kernel, task.pool, task.seconds, task.seed, task.rounds is not None)
    routes = task.start if rows is None else kernel.named(rows)
    return Outcome(routes, routes, 0)


def _frontier(kernel: Kernel, task: Round, began: float) -> Outcome:
    """The cheapest plan found for each budget of moved stops, each from the one before, the plan in force first."""
    found, start = [], kernel.problem.plan_in_force()
    for number, budget in enumerate(task.budgets, 1):
        with kernel.most_moved(budget):
            kernel.again(start, task.seed + number)
            until = began + task.seconds * number / len(task.budgets)
            kernel.improve(until, task.rounds, 0.5, 1.0, _unwanted(task))
        start = kernel.routes()
        found.append((budget, start))
    return Outcome(task.start, task.start, 0, {}, tuple(found))
