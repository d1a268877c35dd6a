"""What PyVRP's model can't say of a problem, and when that is too much."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lastmile.routing.obstacles import eligible
from lastmile.routing.problem import Problem
from lastmile.routing.terms import Terms

MOST_BYTES = 500_000_000
"""Room for the matrices of all profiles: each profile has two of 8 bytes for each pair of places."""


def suits(problem: Problem) -> bool:
    """True where PyVRP can say what matters most of a problem, and has something to decide.

    It can't where goods are collected on the way, the order of stops is pinned or changes are limited; nor where nearly
    each vehicle may serve other stops and there are so many of both that the matrices would not fit.
    """
    if not problem.stops or not problem.vehicles or problem.collected_for or problem.budget.limited:
        return False
    return not _orders_pinned(problem) and _bytes(problem) <= MOST_BYTES


def unsaid(problem: Problem) -> tuple[str, ...]:
    """What is approximated in PyVRP's model of this problem, in words."""
    return tuple(dict.fromkeys(_unsaid(problem)))


def _unsaid(problem: Problem) -> Iterator[str]:
    terms, fleet = Terms(problem), problem.vehicles
    rates = [vehicle.rates for vehicle in fleet]
    if problem.matrix.periods > 1:
        yield "times of the day: every leg takes its mean time"
    if any(terms.pauses):
        yield "breaks: the shift is shorter by the break, and most vehicles' break is taken to be everyone's"
    if problem.collected_for:
        yield "goods collected at one stop and brought to another"
    if _orders_pinned(problem):
        yield "pinned orders"
    if problem.budget.limited or problem.budget.price_per_moved:
        yield "changes of vehicle, and their price"
    if problem.fair_share is not None:
        yield "fair shares of hours"
    if any(price for price in (*terms.crew_price, *terms.early_price)):
        yield "crews that wait, and goods that come early"
    if any(price is not None and np.isfinite(closes) for price, closes in _soft(terms)):
        yield "lateness: priced in spans, and only for stops that the plan to start from serves late or not at all"
    if any(one.minimum for one in rates):
        yield "minimum charges"
    if len({one.per_stop for one in rates}) > 1:
        yield "prices per stop that differ between vehicles: the lowest is everyone's"
    if any(one.per_overtime_hour < one.per_hour for one in rates):
        yield "overtime that is cheaper than an hour of the shift"
    yield from _unsaid_of_time(problem, terms)


def _unsaid_of_time(problem: Problem, terms: Terms) -> Iterator[str]:
    fleet = problem.vehicles
    if any(v.max_overtime_seconds and not v.in_use for v in fleet):
        yield "overtime of a vehicle that sets out later: it counts from the earliest start"
    if any(vehicle.in_use for vehicle in fleet):
        yield "the way home of a vehicle in use that is left without stops"
    if any(vehicle.departed and vehicle.max_reloads for vehicle in fleet):
        yield "new goods for a vehicle on the road: it brings what it has, and reloads for nobody"
    if any(at > problem.instant and np.isfinite(at) for at in terms.released) and any(v.max_reloads for v in fleet):
        yield "loading while the vehicle waits for goods: it loads once they are there"
    if len(set(terms.pace)) > 1 and any(terms.inside):
        yield "windows for the end of service: kept at the slowest driver's pace"


def _soft(terms: Terms) -> Iterator[tuple[float | None, float]]:
    yield from zip(terms.late_price, terms.closes, strict=True)


def _orders_pinned(problem: Problem) -> bool:
    committed = problem.committed_to
    pinned = [s for s in problem.stops if s.stop_id not in committed and problem.pin_of(s).holds_order]
    return len(pinned) > 1


def _bytes(problem: Problem) -> int:
    profiles = len({row.tobytes() for row in eligible(problem)}) * min(
        4, len({v.service_pace for v in problem.vehicles})
    )
    places = len(problem.stops) + 2 * len(problem.vehicles)
    return 16 * profiles * places**2
