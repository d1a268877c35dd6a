"""How much a plan differs from the plan in force, and whether that is within the budget of changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from lastmile.routing.obstacles import eligible, problems_of
from lastmile.routing.problem import RELOAD, ChangeBudget
from lastmile.routing.timing import RELOADS, RouteTimer, TimedRoute

BUDGETED = {
    "moved": ("stop changes vehicle", "stops change vehicle"),
    "promises_broken": ("kept promise is broken", "kept promises are broken"),
    "goods_moved": ("stop's goods change hands", "stops' goods change hands"),
}
"""What a budget of changes counts, for one and for many."""


@dataclass(frozen=True)
class Changes:
    """Stop_ids that change vehicle, whose promise the plan in force keeps and this one breaks, whose goods change hands."""

    moved: tuple[str, ...]
    promises_broken: tuple[str, ...]
    goods_moved: tuple[str, ...]


def changes_of(timer: RouteTimer, timed: Mapping[str, TimedRoute], broken_promises: Iterable[str]) -> Changes:
    """What a timed plan changes; a stop that is no longer served, or was on no vehicle of the problem, has not moved."""
    problem, terms = timer.problem, timer.terms
    moved, goods_moved = [], []
    for vehicle_id, route in timed.items():
        vehicle = problem.vehicle_index[vehicle_id]
        for stop in route.stops:
            if stop == RELOADS:
                continue
            stop_id = problem.stops[stop].stop_id
            if terms.present_vehicle[stop] not in (-1, vehicle):
                moved.append(stop_id)
            if problem.holder.get(stop_id, vehicle_id) != vehicle_id:
                goods_moved.append(stop_id)
    kept = kept_by_plan_in_force(timer)
    return Changes(tuple(moved), tuple(one for one in broken_promises if one in kept), tuple(goods_moved))


def kept_by_plan_in_force(timer: RouteTimer) -> frozenset[str]:
    """The stops with a promise that the plan in force keeps; worked out once for each problem.

    A vehicle whose route breaks a hard limit, or has a stop that can't be served, can't drive it, so it keeps no promise:
    a plan that breaks nothing, and no promise kept until now, can always be had.
    """
    cached = timer.__dict__.get("_kept")
    if cached is None:
        cached = timer.__dict__["_kept"] = frozenset(_kept(timer))
    return cached


def _kept(timer: RouteTimer) -> Iterable[str]:
    problem = timer.problem
    if problem.whole.kept is not None:
        yield from problem.whole.kept
        return
    unkept = problem.whole.unkept
    possible = eligible(problem) & np.array([stop.stop_id not in problems_of(problem) for stop in problem.stops], bool)
    for vehicle_id, row in problem.plan_in_force().items():
        stops = [RELOADS if one == RELOAD else problem.stop_index[one] for one in row]
        vehicle = problem.vehicle_index[vehicle_id]
        route, may_serve = timer.time(vehicle, stops), possible[vehicle]
        if route.breaches or not may_serve[[stop for stop in stops if stop != RELOADS]].all():
            continue
        for stop, late in zip(stops, route.late, strict=True):
            if stop == RELOADS or late or problem.stops[stop].last_closes is None:
                continue
            if problem.stops[stop].stop_id not in unkept:
                yield problem.stops[stop].stop_id


def over_budget(budget: ChangeBudget, changes: Changes) -> dict[str, int]:
    """What is beyond the budget (a name of BUDGETED) → by how many."""
    counts = {name: (len(getattr(changes, name)), getattr(budget, name)) for name in BUDGETED}
    return {name: count - most for name, (count, most) in counts.items() if most is not None and count > most}


def beyond_budget(budget: ChangeBudget, name: str, excess: int) -> str:
    """One count that is beyond its budget, in words."""
    most, (one, many) = getattr(budget, name), BUDGETED[name]
    count = most + excess
    return f"{count} {one if count == 1 else many}, {excess} more than the budget of {most}"
