"""What of a problem the peers' models say; anything else is refused by name, so that nobody is compared on half a problem."""

from __future__ import annotations

from collections.abc import Iterator

from lastmile.errors import LastmileError
from lastmile.routing.obstacles import eligible
from lastmile.routing.problem import Policy, Problem
from lastmile.routing.shifts import VehicleShift
from lastmile.routing.stops import Pin, Stop


class NotSaid(LastmileError):
    """The problem has a feature that the peers' models here do not say; the text names it."""


def refuse_unsaid(problem: Problem) -> None:
    """Raise NotSaid where the problem has more than places, hard windows, loads, commitments and a price per km."""
    unsaid = {
        *_of_problem(problem),
        *(name for vehicle in problem.vehicles for name in _of_vehicle(vehicle)),
        *(name for stop in problem.stops for name in _of_stop(stop)),
    }
    if unsaid:
        raise NotSaid(f"The engines that ours is measured against are not told of: {', '.join(sorted(unsaid))}.")


def _of_problem(problem: Problem) -> Iterator[str]:
    if len({vehicle.rates.per_km for vehicle in problem.vehicles}) > 1:
        yield "a price per km that differs between vehicles"
    if problem.matrix.periods > 1:
        yield "driving times by time of day"
    if problem.policy == Policy.SERVE_ALL:
        yield "serving all, late or not"
    if problem.budget.limited or problem.budget.price_per_moved:
        yield "a change budget"
    if problem.fair_share is not None:
        yield "balancing"
    if any(problem.pin_of(stop) != Pin.NONE for stop in problem.stops if stop.stop_id not in problem.committed_to):
        yield "pins"
    barred = ~eligible(problem)
    barred[:, [problem.stop_index[one] for one in problem.committed_to]] = False
    if barred.any():
        yield "stops that some vehicles may not serve"


def _of_stop(stop: Stop) -> Iterator[str]:
    if stop.price_per_late_minute is not None and stop.closes is not None:
        yield "soft windows"
    if stop.more_windows:
        yield "several windows"
    if stop.need_by is not None or stop.accepts_from is not None:
        yield "milestones"
    if stop.pickup or stop.collected_at is not None:
        yield "pickups"
    if stop.released_at is not None:
        yield "release times"


def _of_vehicle(vehicle: VehicleShift) -> Iterator[str]:
    rates = vehicle.rates
    if vehicle.pauses:
        yield "breaks"
    if rates.per_hour or rates.per_overtime_hour or rates.per_day or rates.per_stop or rates.minimum:
        yield "prices other than per km"
    if vehicle.max_route_seconds is not None or vehicle.max_route_km is not None:
        yield "longest routes"
    if vehicle.max_reloads:
        yield "reloads"
    if vehicle.service_pace != 1:
        yield "the pace of drivers"
