"""A solve that runs beside the page, and ends with a proposal on record."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait

from lastmile import decisions, routing
from lastmile.jobs import Job
from lastmile.replanning.problem import OpenDay
from lastmile.replanning.proposal import Proposal, proposal_of
from lastmile.routing import Problem, Progress
from lastmile.store import Store

Replanning = Job[Proposal | None]

CANCELLED_WITHIN_SECONDS = 0.1


def replanning(
    store: Store, depot_id: str, make: Callable[[], OpenDay], *, seconds: float, seed: int, actor: str
) -> Replanning:
    """A job that re-optimizes one depot's day; its result is the proposal, None where it was cancelled."""

    def work(report: Callable[[float, str], None], cancelled: Callable[[], bool]) -> Proposal | None:
        def told(progress: Progress) -> None:
            sentence = (
                f"{progress.phase}, best plan so far costs {progress.best_cost:,.0f}, {progress.iteration:,} plans seen"
            )
            report(progress.elapsed_seconds / seconds if seconds else 1.0, sentence)

        report(0.0, "Reading what remains of the day …")
        open_day = make()
        report(0.0, "Finding how long the ways are …")
        if not _measured(open_day.problem, cancelled):
            return None
        solution = routing.solve(open_day.problem, seconds, seed, progress=told, cancelled=cancelled)
        if cancelled():
            return None
        proposal = proposal_of(store, open_day, solution, actor)
        decisions.propose_plan(store, proposal.tables, actor, open_day.at)
        return proposal

    return Job(f"The re-optimization of {depot_id}", work)


def _measured(problem: Problem, cancelled: Callable[[], bool]) -> bool:
    """Make the problem's travel matrix, for which a road network may be asked; False where cancelled meanwhile."""
    pool = ThreadPoolExecutor(1)
    asked = pool.submit(lambda: problem.matrix)
    pool.shutdown(wait=False)
    while not cancelled():
        if wait([asked], CANCELLED_WITHIN_SECONDS).done:
            asked.result()
            return True
    return False
