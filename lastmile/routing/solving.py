"""The door: a problem in, a plan out, with progress, cancel and a reason for each stop that is not served."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from lastmile.routing.evaluating import Evaluation
from lastmile.routing.explaining import Reason
from lastmile.routing.parted import LARGEST_WHOLE, PartedSearch
from lastmile.routing.problem import Problem, Routes
from lastmile.routing.searching import Search
from lastmile.routing.workers import Workers, shared


@dataclass(frozen=True)
class Progress:
    """Where a solve stands: seconds since its start, the best plan's cost, rounds of rebuilding, what is being done."""

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
    the routes. `notes` are sentences for people about anything unusual in the search. `frontier`, where it was asked for,
    has the number of moved stops rising and the cost falling; the plan itself is among them, cheaper ones may move more.
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
    *,
    frontier: bool = False,
    lanes: int | None = None,
    workers: Workers | None = None,
) -> Solution:
    """The best plan found within `seconds`: the plan in force repaired at once, then improved on all cores.

    Returns at the latest about a second after `seconds`, and within half a second once `cancelled` answers true, always
    with a plan that is no worse than the repaired plan in force. The seconds count from when the search is loaded. With
    `iterations` as the limit (rounds of rebuilding for each of `lanes`), the same seed and lanes give the same plan.
    `lanes` searches run beside each other (None: one for each of the workers). Beyond `LARGEST_WHOLE` stops the problem is
    cut into areas that are searched beside each other, and cut anew along other lines. Call it from any thread.
    """
    if seconds < 0 or (iterations is not None and iterations < 1):
        raise ValueError(f"a solve needs seconds of at least 0 and iterations of at least 1: {seconds}, {iterations}")
    team, stop = workers or shared(), cancelled or _never
    if len(problem.stops) > LARGEST_WHOLE:
        search = PartedSearch(problem, seconds, seed, iterations, lanes, team, stop)
    else:
        search = Search(problem, seconds, seed, iterations, lanes, team, stop)

    def told(phase: str) -> None:
        if progress is not None:
            progress(Progress(search.elapsed, search.best_cost, search.iterations, phase))

    search.run(told, frontier)
    return _solution(search)


def solve_many(
    problems: Mapping[str, Problem],
    seconds: float,
    seed: int = 0,
    progress: Callable[[str, Progress], None] | None = None,
    cancelled: Callable[[str], bool] | None = None,
    iterations: int | None = None,
    *,
    workers: Workers | None = None,
) -> dict[str, Solution]:
    """A plan for each of several depots by name, as many at once as there are workers, each within `seconds` of its own.

    `progress` and `cancelled` are called with the depot's name; with `iterations` as the limit, the same seed gives the same
    plans whatever becomes of the workers.
    """
    team = workers or shared()

    def one(name: str) -> Solution:
        tell = None if progress is None else lambda told: progress(name, told)
        stop = None if cancelled is None else lambda: cancelled(name)
        return solve(problems[name], seconds, seed, tell, stop, iterations, lanes=1, workers=team)

    with ThreadPoolExecutor(max(1, min(team.count, len(problems)))) as threads:
        return dict(zip(problems, threads.map(one, problems), strict=True))


def _solution(search: Search | PartedSearch) -> Solution:
    return Solution(
        routes=search.routes,
        evaluation=search.judged(),
        reasons=search.explained(),
        first_plan_cost=search.first_plan_cost,
        first_plan_seconds=search.first_plan_seconds,
        elapsed_seconds=search.elapsed,
        iterations=search.iterations,
        engine=search.engine,
        cancelled=search.stopped,
        notes=tuple(search.notes),
        frontier=tuple(FrontierPoint(*point) for point in search.frontier),
        travel_source=search.travel_source,
    )


def _never() -> bool:
    return False
