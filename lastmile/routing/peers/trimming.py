"""A plan without what breaks hard limits: what an engine that starts from feasible plans only can be given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lastmile.routing.obstacles import barred, problems_of
from lastmile.routing.problem import Problem
from lastmile.routing.timing import RouteTimer


def trimmed(
    problem: Problem, routes: Mapping[str, Sequence[str]], timer: RouteTimer | None = None
) -> dict[str, tuple[str, ...]]:
    """The routes without each stop that, coming after the ones before it, would break a limit of its vehicle."""
    timer = timer or RouteTimer(problem)
    impossible, seen = set(problems_of(problem)), set()
    kept = {}
    for vehicle in problem.vehicles:
        row = [one for one in routes.get(vehicle.vehicle_id, ()) if one not in impossible and one not in seen]
        kept[vehicle.vehicle_id] = _trimmed_row(problem, timer, vehicle.vehicle_id, row)
        seen |= set(kept[vehicle.vehicle_id])
    return kept


def _trimmed_row(problem: Problem, timer: RouteTimer, vehicle_id: str, row: Sequence[str]) -> tuple[str, ...]:
    number = problem.vehicle_index[vehicle_id]
    shift, index = problem.vehicles[number], problem.stop_index
    fit = [index[one] for one in row if barred(problem, shift, problem.stops[index[one]]) is None]
    if not timer.time(number, fit).breaches:
        return tuple(problem.stops[stop].stop_id for stop in fit)
    good: list[int] = []
    for stop in fit:
        if not timer.time(number, [*good, stop]).breaches:
            good.append(stop)
    return tuple(problem.stops[stop].stop_id for stop in good)
