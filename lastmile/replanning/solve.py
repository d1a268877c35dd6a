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

TRACE_EVERY_SECONDS = 0.25
CANCELLED_WITHIN_SECONDS = 0.1


class Replanning(Job["Proposal | None"]):
    """The re-optimization of one depot: who started it, and `trace`, the best cost so far by seconds since its start.

    That cost is the search's own: each stop that is not served weighs a vehicle's whole day. Result None: cancelled.
    """

    def __init__(self, depot_id: str, actor: str, work: Callable[..., Proposal | None]) -> None:
        super().__init__(f"The re-optimization of {depot_id}", work)
        self.depot_id, self.actor = depot_id, actor
        self.trace: list[tuple[float, float]] = []

    def note(self, progress: Progress) -> None:
        """Keep where the search stands, a few times a second and at each better plan."""
        last = self.trace[-1] if self.trace else None
        if last is None or progress.best_cost < last[1] or progress.elapsed_seconds - last[0] >= TRACE_EVERY_SECONDS:
            self.trace.append((progress.elapsed_seconds, progress.best_cost))


def replanning(
    store: Store, depot_id: str, make: Callable[[], OpenDay], *, seconds: float, seed: int, actor: str
) -> Replanning:
    """A job that re-optimizes one depot's day; its result is the proposal, None where it was cancelled."""

    def work(report: Callable[[float, str], None], cancelled: Callable[[], bool]) -> Proposal | None:
        def told(progress: Progress) -> None:
            job.note(progress)
            sentence = f"{progress.phase.capitalize()}: {progress.iteration:,} rounds of search"
            report(progress.elapsed_seconds / seconds if seconds else 1.0, sentence)

        report(0.0, "Reading what remains of the day …")
        open_day = make()
        report(0.0, "Finding how long the ways are …")
        if not _measured(open_day.problem, cancelled):
            return None
        solution = routing.solve(open_day.problem, seconds, seed, progress=told, cancelled=cancelled, frontier=True)
        if cancelled():
            return None
        report(1.0, "Comparing with the plan in force …")
        proposal = proposal_of(store, open_day, solution, actor)
        decisions.propose_plan(store, proposal.tables, actor, open_day.at)
        _ = proposal.late_reasons  # begins to look for them
        return proposal

    job = Replanning(depot_id, actor, work)
    return job


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
