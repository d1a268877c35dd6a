"""One engine on one problem for so many seconds on so many cores, judged by our evaluator."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pickle
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from lastmile.errors import LastmileError
from lastmile.routing.evaluating import Evaluation, evaluate
from lastmile.routing.peers.naming import named_alike
from lastmile.routing.peers.numbers import numbers_of
from lastmile.routing.peers.task import PeerAnswer, PeerTask
from lastmile.routing.peers.trimming import trimmed
from lastmile.routing.problem import Problem, Routes
from lastmile.routing.solving import Progress, solve
from lastmile.routing.timing import RouteTimer
from lastmile.routing.workers import shared

PACKAGE_HOME = Path(__file__).resolve().parents[3]

ENGINES = ("ours", "ortools", "pyvrp", "vroom")

LIBRARIES = {"ortools": "ortools==9.15.6755", "pyvrp": "pyvrp==0.14.1", "vroom": "pyvroom==1.15.2"}
"""What each peer is installed with."""

TRACE_POINTS_JUDGED = 40
"""Of the plans that a peer found on its way, so many at most are evaluated, evenly spread."""


class EngineMissing(LastmileError):
    """The engine's library is not installed; the text says how to install it."""


@dataclass(frozen=True)
class TracePoint:
    """What the best plan came to at a moment of the search: seconds since its start, cost with what is unserved."""

    seconds: float
    cost: float


@dataclass(frozen=True)
class EngineRun:
    """What an engine made of a problem: its plan, judged by our evaluator, and how it came about.

    `evaluation` is of `routes`, which break no limit; where the engine's own plan did, `notes` say what, and the stops
    in question are taken out and count as unserved. `first_plan_seconds` is None where no plan was found.
    """

    engine: str
    routes: Routes
    evaluation: Evaluation
    first_plan_seconds: float | None
    elapsed_seconds: float
    trace: tuple[TracePoint, ...]
    notes: tuple[str, ...] = ()

    @property
    def cost(self) -> float:
        """Of what is driven, without the price of unserved stops."""
        return self.evaluation.cost.total - self.evaluation.cost.not_served

    @property
    def unserved(self) -> int:
        return len(self.evaluation.unserved)

    @property
    def vehicles(self) -> int:
        return sum(1 for route in self.evaluation.routes if route.stops)

    @property
    def rank(self) -> tuple[int, float]:
        """Served stops first, then cost."""
        return (self.unserved, self.cost)


def run(engine: str, problem: Problem, seconds: float, seed: int = 1, cores: int = 1) -> EngineRun:
    """The engine's plan within `seconds` of wall clock on `cores` cores; the plan in force, where there is one, given.

    Single-threaded engines run on each core with a seed of its own, and the best plan counts. The clock starts when
    the engine's library is loaded and its processes run. Raises EngineMissing, and NotSaid where the engine can't be told the whole problem.
    """
    if engine not in ENGINES:
        raise ValueError(f"there is no engine {engine!r}; there are {', '.join(ENGINES)}")
    require(engine)
    with _on_cores(cores):
        return _ours(problem, seconds, seed) if engine == "ours" else _peer(engine, problem, seconds, seed, cores)


def require(engine: str) -> None:
    """Raise EngineMissing where the engine's library is not installed."""
    if engine in LIBRARIES and importlib.util.find_spec(engine) is None:
        raise EngineMissing(
            f"{engine} is not installed here. Install it with: .venv/bin/python -m pip install {LIBRARIES[engine]}"
        )


@contextlib.contextmanager
def _on_cores(count: int) -> Iterator[None]:
    """Hold this process and what it starts to so many cores, where the system can."""
    if count < 1:
        raise ValueError(f"a run needs at least one core: {count}")
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:count])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _ours(problem: Problem, seconds: float, seed: int) -> EngineRun:
    trace: list[TracePoint] = []

    def keep(progress: Progress) -> None:
        if not trace or progress.best_cost < trace[-1].cost:
            trace.append(TracePoint(progress.elapsed_seconds, progress.best_cost))

    shared().warm().result()
    began = time.perf_counter()
    solution = solve(problem, seconds, seed, keep)
    elapsed = time.perf_counter() - began
    made = EngineRun(
        "ours", solution.routes, solution.evaluation, solution.first_plan_seconds, elapsed, tuple(trace), solution.notes
    )
    return _without_breaches(problem, made)


def _peer(engine: str, problem: Problem, seconds: float, seed: int, cores: int) -> EngineRun:
    start = _warm_plan(problem)
    numbers = numbers_of(problem)
    workers = 1 if engine == "vroom" else cores
    threads = cores if engine == "vroom" else 1
    tasks = [PeerTask(problem, numbers, start, seconds, seed, threads, variant) for variant in range(workers)]
    best = min((_judged(engine, problem, answer) for answer in _answers(engine, tasks)), key=lambda one: one.rank)
    if start is None:
        return best
    named = named_alike(problem, numbers.vans, best.routes)
    return replace(best, routes=named, evaluation=evaluate(problem, named))


def _warm_plan(problem: Problem) -> Routes | None:
    """The plan in force without what breaks a limit, or None where nothing is in force."""
    plan = problem.plan_in_force()
    return trimmed(problem, plan) if any(plan.values()) else None


def _answers(engine: str, tasks: Sequence[PeerTask]) -> list[PeerAnswer]:
    with contextlib.ExitStack() as stack:
        workers = [stack.enter_context(_Worker(engine)) for _ in tasks]
        for worker in workers:
            worker.hear()
        for worker, task in zip(workers, tasks, strict=True):
            worker.send(task)
        return [worker.hear() for worker in workers]


class _Worker:
    """A context in which one peer's process lives."""

    def __init__(self, engine: str) -> None:
        self._engine = engine

    def __enter__(self) -> _Worker:
        path = [str(PACKAGE_HOME), *filter(None, [os.environ.get("PYTHONPATH")])]
        self._errors = tempfile.TemporaryFile()
        self._process = subprocess.Popen(  # noqa: S603 - our own module, and an engine of our own list
            [sys.executable, "-m", "lastmile.routing.peers.worker", self._engine],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path)},
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            with contextlib.suppress(BrokenPipeError):
                stream.close()

    def send(self, task: PeerTask) -> None:
        pickle.dump(task, self._process.stdin)
        self._process.stdin.flush()

    def hear(self) -> PeerAnswer:
        try:
            return pickle.load(self._process.stdout)  # noqa: S301 - written by our own process
        except EOFError:
            self._errors.seek(0)
            lines = self._errors.read().decode(errors="replace").strip().splitlines()
            raise LastmileError(f"{self._engine} ended early: {lines[-1] if lines else 'without a word'}") from None


def _judged(engine: str, problem: Problem, answer: PeerAnswer) -> EngineRun:
    timer = RouteTimer(problem)
    judge = partial(evaluate, problem, timer=timer)
    plans = [(seconds, routes, judge(routes)) for seconds, routes in _spread(answer.plans)]
    first = next((seconds for seconds, _, evaluation in plans if not evaluation.violations), None)
    routes, evaluation = (plans[-1][1:]) if plans else ({}, judge({}))
    made = EngineRun(engine, routes, evaluation, first, answer.seconds, _falling(plans), answer.notes)
    return _without_breaches(problem, made, timer)


def _spread(plans: Sequence[tuple[float, Routes]]) -> list[tuple[float, Routes]]:
    """The first and last plans and some between."""
    step = max(1, len(plans) // TRACE_POINTS_JUDGED)
    return [plan for number, plan in enumerate(plans) if number % step == 0 or number == len(plans) - 1]


def _falling(plans: Sequence[tuple[float, Routes, Evaluation]]) -> tuple[TracePoint, ...]:
    """The moments at which the best cost of a plan that breaks nothing fell."""
    points: list[TracePoint] = []
    for seconds, _, evaluation in plans:
        if not evaluation.violations and (not points or evaluation.cost.total < points[-1].cost):
            points.append(TracePoint(seconds, evaluation.cost.total))
    return tuple(points)


def _without_breaches(problem: Problem, made: EngineRun, timer: RouteTimer | None = None) -> EngineRun:
    if not made.evaluation.violations:
        return made
    routes = trimmed(problem, made.routes, timer)
    count, words = len(made.evaluation.violations), made.evaluation.violations[0].words
    note = f"Its plan breaks {count} limits, the first: {words}. The stops in question are taken out."
    return replace(made, routes=routes, evaluation=evaluate(problem, routes), notes=(*made.notes, note))
