"""The door: a problem in, a plan out, with progress, cancel and a reason for each stop that is not served."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lastmile.routing.engine_process import EngineProcess, Failed, Finished, Found, Search
from lastmile.routing.evaluating import Evaluation, evaluate
from lastmile.routing.explaining import Reason, reasons_unserved
from lastmile.routing.inserting import Draft, insert_open, repaired
from lastmile.routing.problem import Problem, Routes
from lastmile.routing.timing import RouteTimer

LISTENING_SECONDS = 0.1
"""How often a running solve looks whether it is cancelled, and reports that it lives."""

GRACE_SECONDS = 1.0
"""How long after its time the engine is waited for before it is ended."""


@dataclass(frozen=True)
class Progress:
    """Where a solve stands: seconds since its start, the best plan's cost, solutions seen by the engine."""

    elapsed_seconds: float
    best_cost: float
    iteration: int
    phase: str


@dataclass(frozen=True)
class FrontierPoint:
    """The cheapest plan found that moves so many stops to another vehicle."""

    moved: int
    cost: float
    routes: Routes


@dataclass(frozen=True)
class Solution:
    """A plan (stop_ids by vehicle_id), its independent evaluation, a reason for each unserved stop, and the search.

    `first_plan_cost` is what the repaired plan in force came to; the solution is never worse. `engine` names who made
    the routes. `notes` are sentences for people about anything unusual in the search. `frontier` is what each further
    change of vehicle would buy: moved ascending, cost descending. `travel_source` says where the travel times come from.
    """

    routes: Mapping[str, tuple[str, ...]]
    evaluation: Evaluation
    reasons: Mapping[str, Reason]
    first_plan_cost: float
    first_plan_seconds: float
    elapsed_seconds: float
    iterations: int
    engine: str
    cancelled: bool
    notes: tuple[str, ...] = ()
    frontier: tuple[FrontierPoint, ...] = ()
    travel_source: str = ""

    @property
    def cost(self) -> float:
        return self.evaluation.cost.total


def solve(
    problem: Problem,
    seconds: float,
    seed: int = 0,
    progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    iterations: int | None = None,
) -> Solution:
    """The best plan found within `seconds`: the plan in force repaired at once, then improved by the engine.

    Returns at the latest about a second after `seconds`, and within half a second once `cancelled` answers true, always
    with a plan that is no worse than the repaired plan in force. With `iterations` as the limit that binds (rounds of
    rebuilding; OR-Tools then takes no part), the same seed gives the same plan. Call it from any thread: the search
    runs in its own process.
    """
    run = _Run(problem, seconds, seed, progress or _ignore, cancelled or _never, iterations)
    if run.nothing_to_decide():
        run.make_first_plan()
        return run.solution()
    with EngineProcess() as engine:
        run.make_first_plan()
        run.improve(engine)
    return run.solution()


class _Run:
    """One solve on its way: the best plan so far and how it came about."""

    def __init__(
        self,
        problem: Problem,
        seconds: float,
        seed: int,
        progress: Callable[[Progress], None],
        cancelled: Callable[[], bool],
        iterations: int | None,
    ) -> None:
        if seconds < 0 or (iterations is not None and iterations < 1):
            raise ValueError(
                f"a solve needs seconds of at least 0 and iterations of at least 1: {seconds}, {iterations}"
            )
        self.problem, self.seed, self.limit = problem, seed, iterations
        self.progress, self.cancelled = progress, cancelled
        self.began = time.monotonic()
        self.until = time.time() + seconds
        self.seconds = seconds
        self.timer = RouteTimer(problem)
        self.iterations, self.engine, self.notes = 0, "repair", []
        self.stopped = self.finished = False

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.began

    def nothing_to_decide(self) -> bool:
        return not self.problem.stops or not self.problem.vehicles or self.seconds == 0

    def make_first_plan(self) -> None:
        self.routes = repaired(self.timer, self.problem.plan_in_force(), self.cancelled)
        self.best = evaluate(self.problem, self.routes, self.timer)
        self.first_plan_cost, self.first_plan_seconds = self.best.cost.total, self.elapsed
        self._tell("first plan")

    def improve(self, engine: EngineProcess) -> None:
        engine.begin(Search(self.problem, self.routes, self.until, self.seed, self.limit))
        while not self.finished:
            self.stopped = self.stopped or self.cancelled()
            if self.stopped or time.time() > self.until + GRACE_SECONDS:
                return
            self._take_in(engine.heard(LISTENING_SECONDS))
            self._tell("improving")

    def _take_in(self, messages: list[Found | Finished | Failed]) -> None:
        """Keep the last plan found, if the evaluator agrees that it is better, and how the search ended."""
        plans = [message for message in messages if isinstance(message, Found)]
        if plans:
            self.iterations = plans[-1].iteration
            self._offer(plans[-1].routes, plans[-1].engine)
        for message in messages:
            if isinstance(message, Finished):
                self.iterations = message.iterations
            if isinstance(message, Failed):
                self.notes.append(f"The search engine stopped early ({message.why}); the best plan until then is kept.")
            elif isinstance(message, Finished) and message.note:
                self.notes.append(message.note)
            self.finished = self.finished or not isinstance(message, Found)

    def _offer(self, routes: Mapping[str, tuple[str, ...]], engine: str) -> None:
        offered = evaluate(self.problem, routes, self.timer)
        if offered.rank < self.best.rank:
            self.routes, self.best, self.engine = dict(routes), offered, engine

    def _tell(self, phase: str) -> None:
        self.progress(Progress(self.elapsed, self.best.cost.total, self.iterations, phase))

    def _fill_in(self) -> None:
        """Stops that the engine left out go in where they pay by the evaluator's own prices."""
        if self.best.unserved and not self.stopped:
            draft = Draft(self.timer, self.routes)
            insert_open(draft, self.cancelled)
            self._offer(draft.as_routes(), self.engine)

    def solution(self) -> Solution:
        self._fill_in()
        return Solution(
            routes=self.routes,
            evaluation=self.best,
            reasons=reasons_unserved(self.problem, self.routes, self.timer),
            first_plan_cost=self.first_plan_cost,
            first_plan_seconds=self.first_plan_seconds,
            elapsed_seconds=self.elapsed,
            iterations=self.iterations,
            engine=self.engine,
            cancelled=self.stopped,
            notes=tuple(self.notes),
        )


def _ignore(_: Progress) -> None:
    """Progress that nobody follows."""


def _never() -> bool:
    return False
