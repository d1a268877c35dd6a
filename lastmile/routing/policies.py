"""Serving all: the same problem with its windows and the ends of shifts for sale, at a price that is paid last."""

from __future__ import annotations

import math
from dataclasses import replace

from lastmile.routing.problem import Policy, Problem
from lastmile.routing.shifts import VehicleShift
from lastmile.routing.stops import Stop

TIMES_THE_DEAREST = 10.0
"""How many times the dearest minute of the problem a minute beyond a hard limit counts for: broken only where a stop could
not be served otherwise, and then by little."""

LONGEST_OVERTIME_SECONDS = 6 * 3600
"""A shift may end so much later than its last overtime at most, where all are to be served."""


def to_search(problem: Problem) -> Problem:
    """The problem as the search takes it: by its policy, windows and shifts give way or stops do."""
    return problem if problem.policy == Policy.DROP_LEAST_VALUABLE else _serving_all(problem)


def _serving_all(problem: Problem) -> Problem:
    price = TIMES_THE_DEAREST * _dearest_minute(problem)
    worth = 100 * max([problem.dearest_day, price * 24 * 60, *map(problem.price_of_not_serving, problem.stops)])
    return replace(
        problem,
        policy=Policy.DROP_LEAST_VALUABLE,
        stops=tuple(_must_be_served(stop, price, worth) for stop in problem.stops),
        vehicles=tuple(_may_work_on(vehicle, price) for vehicle in problem.vehicles),
    )


def _dearest_minute(problem: Problem) -> float:
    minutes = [stop.price_per_late_minute or 0 for stop in problem.stops if _is_price(stop.price_per_late_minute)]
    hours = [max(v.rates.per_hour, v.rates.per_overtime_hour) / 60 for v in problem.vehicles]
    return max([1.0, *minutes, *hours])


def _is_price(price: float | None) -> bool:
    return price is None or 0 <= price < math.inf


def _must_be_served(stop: Stop, price: float, worth: float) -> Stop:
    """The stop at the price of being served; nonsense in it stays, so that it is left out and told as what it is."""
    if not _is_price(stop.price_of_not_serving):
        return stop
    late = price if stop.price_per_late_minute is None else stop.price_per_late_minute
    return replace(stop, price_per_late_minute=late, price_of_not_serving=worth)


def _may_work_on(vehicle: VehicleShift, price: float) -> VehicleShift:
    """The overtime that a shift may have costs what it costs, each minute beyond it the steep price more."""
    return replace(vehicle, beyond_overtime_seconds=LONGEST_OVERTIME_SECONDS, per_hour_beyond=price * 60)
