"""The search with OR-Tools, in a process of its own: `python -m lastmile.routing.engine`.

OR-Tools 9.15 holds Python's interpreter lock while it searches (measured: a thread beside a 3 s search ran twice), so a
search in a thread would stop the page, and could not be cancelled. The process reads one Search from its input, writes
Found for each better plan and Finished at the end; whoever started it may end it at any time and loses nothing.
"""

from __future__ import annotations

import os
import pickle
import sys
import time
from collections.abc import Callable
from typing import BinaryIO

from ortools.constraint_solver import pywrapcp, routing_enums_pb2

from lastmile.routing.engine_process import Finished, Found, Search
from lastmile.routing.inserting import Draft
from lastmile.routing.ortools_model import MONEY, RoutingModel
from lastmile.routing.rebuilding import Rebuilding
from lastmile.routing.timing import RouteTimer

SETTLING_SECONDS = 0.1
"""Kept back from the time given, for the last plan's way home and its check."""

REBUILDING_SHARE = 0.75
"""Of the time, for rebuilding; the rest is OR-Tools'. Measured on mid-day problems of 60 and 220 stops in
3 s: all to OR-Tools ends 15 to 60 % dearer, all to rebuilding about as well, and OR-Tools often polishes the end."""


MOST_STOPS_POLISHED = 400
"""Beyond, OR-Tools has no part: at 833 stops on 91 vehicles it took over 2 s to take a plan up, and bettered none."""


def search(task: Search, report: Callable[[Found], None]) -> Finished:
    """Improve a plan, first by rebuilding parts of it, then by OR-Tools, until the time is used up.

    A number of iterations binds the rebuilding alone, and OR-Tools takes no part: its own counts bound no time.
    """
    rebuilt, rounds = _rebuild(task, report)
    if task.iterations is not None or not _worth_polishing(task):
        return Finished(rounds)
    polished = _polish(task, rebuilt, rounds, report)
    return Finished(rounds + polished.iterations, polished.note)


def _worth_polishing(task: Search) -> bool:
    return len(task.problem.stops) <= MOST_STOPS_POLISHED


def _rebuild(task: Search, report: Callable[[Found], None]) -> tuple[dict[str, tuple[str, ...]], int]:
    now = time.time()
    share = REBUILDING_SHARE if _worth_polishing(task) and task.iterations is None else 1
    until = now + share * max(0.0, task.until - SETTLING_SECONDS - now)
    draft = Draft(RouteTimer(task.problem), task.start)
    rebuilding = Rebuilding(draft, task.seed)

    def tell(plan: Rebuilding) -> None:
        report(Found(plan.draft.as_routes(), plan.cost, plan.rounds, "rebuilding"))

    rebuilding.run(until, task.iterations, tell)
    return draft.as_routes(), rebuilding.rounds


def _polish(task: Search, start: dict[str, tuple[str, ...]], rounds: int, report: Callable[[Found], None]) -> Finished:
    """OR-Tools' guided local search from a plan."""
    built = RoutingModel(task.problem)
    built.solver.ReSeed(task.seed)
    listener = _Listener(built, rounds, report)
    built.model.AddAtSolutionCallback(listener.on_solution)
    parameters = _parameters(task)
    built.model.CloseModelWithParameters(parameters)
    first = built.model.ReadAssignmentFromRoutes(built.rows(start), True)
    if first is None:  # from nothing, in the little time that is left, it would not come near
        return Finished(0, "OR-Tools took no part in the search: it could not take the plan up in the time left.")
    built.model.SolveFromAssignmentWithParameters(first, parameters)
    return Finished(listener.iterations)


class _Listener:
    """Counts solutions and reports those that are better than all before."""

    def __init__(self, built: RoutingModel, rounds: int, report: Callable[[Found], None]) -> None:
        self.built, self.rounds, self.report = built, rounds, report
        self.iterations, self.best = 0, None

    def on_solution(self) -> None:
        self.iterations += 1
        cost = self.built.model.CostVar().Value()
        if self.best is None or cost < self.best:
            self.best = cost
            self.report(Found(self.built.current_routes(), cost / MONEY, self.rounds + self.iterations, "ortools"))


def _parameters(task: Search) -> pywrapcp.DefaultRoutingSearchParameters:
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    strategies, heuristics = routing_enums_pb2.FirstSolutionStrategy, routing_enums_pb2.LocalSearchMetaheuristic
    parameters.first_solution_strategy = strategies.PARALLEL_CHEAPEST_INSERTION
    parameters.local_search_metaheuristic = heuristics.GUIDED_LOCAL_SEARCH
    left = max(0.05, task.until - time.time() - SETTLING_SECONDS)
    parameters.time_limit.FromMilliseconds(int(left * 1000))
    return parameters


def main(source: BinaryIO, sink: BinaryIO) -> None:
    """Serve one search over two binary streams."""

    def send(message: Found | Finished) -> None:
        pickle.dump(message, sink)
        sink.flush()

    send(search(pickle.load(source), send))  # noqa: S301 - the parent process is the only writer


if __name__ == "__main__":
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints must not fall among the answers
    main(sys.stdin.buffer, answers)
