"""OR-Tools as a user would set it up: insertion first, guided local search after, the warm plan where there is one."""

from __future__ import annotations

from ortools.constraint_solver import pywrapcp, routing_enums_pb2

from lastmile.routing.peers.ortools_model import RoutingModel
from lastmile.routing.peers.task import PeerTask, Watch

STRATEGIES = (
    routing_enums_pb2.FirstSolutionStrategy.PARALLEL_CHEAPEST_INSERTION,
    routing_enums_pb2.FirstSolutionStrategy.PATH_CHEAPEST_ARC,
)
"""One core each: OR-Tools' routing is single-threaded and its seed alone changes little. Of the strategies these two end
best at 300 and 800 stops (3 and 10 s); SAVINGS and LOCAL_CHEAPEST_COST_INSERTION have no plan in 10 s at 800."""


def search(task: PeerTask, watch: Watch) -> None:
    """Search until the time is used up, and report each better plan."""
    built = RoutingModel(task.problem)
    built.solver.ReSeed(task.seed + task.variant)
    built.model.AddAtSolutionCallback(_Listener(built, watch).on_solution)
    parameters = _parameters(task, watch)
    built.model.CloseModelWithParameters(parameters)
    first = None
    if task.start is not None:
        first = built.model.ReadAssignmentFromRoutes(built.rows(task.start), True)
        if first is None:
            watch.notes.append("OR-Tools did not take the plan in force; it started from nothing.")
    parameters.time_limit.FromMilliseconds(max(1, int(watch.left * 1000)))
    if first is None:
        built.model.SolveWithParameters(parameters)
    else:
        built.model.SolveFromAssignmentWithParameters(first, parameters)


class _Listener:
    """Hears of each solution and reports those that are better than all before."""

    def __init__(self, built: RoutingModel, watch: Watch) -> None:
        self._built, self._watch, self._best = built, watch, None

    def on_solution(self) -> None:
        cost = self._built.model.CostVar().Value()
        if self._best is None or cost < self._best:
            self._best = cost
            self._watch.found(self._built.current_routes())


def _parameters(task: PeerTask, watch: Watch) -> pywrapcp.DefaultRoutingSearchParameters:
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    parameters.first_solution_strategy = STRATEGIES[task.variant % len(STRATEGIES)]
    parameters.local_search_metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
    parameters.time_limit.FromMilliseconds(max(1, int(watch.left * 1000)))
    return parameters
