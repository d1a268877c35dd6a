"""Plans with fewer changes than a given one: what a search's frontier holds, made by taking changes back one at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from lastmile.routing import FrontierPoint, Problem, Solution, evaluate

Routes = Mapping[str, Sequence[str]]


def with_frontier(problem: Problem, solution: Solution, points: int = 4) -> Solution:
    """The solution with a frontier, where the search gave none: its own routes, and `points` with fewer stops moved."""
    if len(solution.frontier) > 1:
        return solution
    found = [_point(problem, solution.routes)]
    moved = list(solution.evaluation.changes.moved)
    step = max(1, len(moved) // points)
    routes = dict(solution.routes)
    for start in range(0, len(moved), step):
        for stop_id in moved[start : start + step]:
            routes = taken_back(problem, routes, stop_id)
        found.append(_point(problem, routes))
    return replace(solution, frontier=tuple(sorted(found, key=lambda point: point.moved)))


def taken_back(problem: Problem, routes: Routes, stop_id: str) -> dict[str, tuple[str, ...]]:
    """The routes with one stop back on its present vehicle, at the end of it."""
    stop = problem.stops[problem.stop_index[stop_id]]
    rest = {vehicle_id: tuple(one for one in row if one != stop_id) for vehicle_id, row in routes.items()}
    rest[stop.present_vehicle_id] = (*rest.get(stop.present_vehicle_id, ()), stop_id)
    return rest


def _point(problem: Problem, routes: Routes) -> FrontierPoint:
    plan = evaluate(problem, routes)
    return FrontierPoint(
        len(plan.changes.moved), plan.cost.total, {vehicle_id: tuple(row) for vehicle_id, row in routes.items()}
    )
