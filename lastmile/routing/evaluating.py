"""What a plan comes to, independent of the engine that made it: times, loads, money, promises, broken limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from lastmile.routing.changes import Changes, beyond_budget, changes_of, over_budget
from lastmile.routing.cost import Cost
from lastmile.routing.obstacles import Cause, barred
from lastmile.routing.problem import RELOAD, Problem
from lastmile.routing.timing import RELOADS, Breach, RouteTimer, TimedRoute
from lastmile.routing.wording import amount, minutes


@dataclass(frozen=True)
class PlannedStop:
    """One stop of a route with its times (epoch seconds), the leg to it, and whether its promise is kept.

    `position` counts the stops of the whole route from 0, `trip` the reloads before it.
    """

    stop_id: str
    vehicle_id: str
    trip: int
    position: int
    arrives_at: float
    service_starts_at: float
    departs_at: float
    late_minutes: float
    distance_km: float
    drive_seconds: float

    @property
    def wait_seconds(self) -> float:
        return self.service_starts_at - self.arrives_at


@dataclass(frozen=True)
class PlannedRoute:
    """One vehicle's route with its times (epoch seconds), largest load by dimension and cost.

    `order` holds stop_ids and RELOAD as the vehicle drives them, `reloads_at` when each reload begins, `breaks_start_at`
    when each break that is taken does; distance and driving include the way to reloads and home.
    """

    vehicle_id: str
    order: tuple[str, ...]
    stops: tuple[PlannedStop, ...]
    reloads_at: tuple[float, ...]
    departs_at: float
    returns_at: float
    breaks_start_at: tuple[float, ...]
    overtime_seconds: float
    distance_km: float
    drive_seconds: float
    peak_load: Mapping[str, float]
    cost: Cost

    @property
    def late_minutes(self) -> float:
        return sum(stop.late_minutes for stop in self.stops)

    @property
    def stop_ids(self) -> tuple[str, ...]:
        return tuple(stop.stop_id for stop in self.stops)


@dataclass(frozen=True)
class Violation:
    """A hard limit that the plan breaks, where, in words, and by how much (seconds, km, a dimension's unit, a count)."""

    cause: Cause
    vehicle_id: str
    stop_id: str | None
    words: str
    excess: float = 1
    dimension: str | None = None

    @property
    def limit(self) -> tuple[Cause, str, str | None, str | None]:
        """Which limit it is, however much it is broken."""
        return (self.cause, self.vehicle_id, self.stop_id, self.dimension)


@dataclass(frozen=True)
class Evaluation:
    """A whole plan: its routes, who is not served, its cost and what it breaks."""

    routes: tuple[PlannedRoute, ...]
    unserved: tuple[str, ...]
    cost: Cost
    violations: tuple[Violation, ...]
    broken_promises: tuple[str, ...]
    currency: str
    changes: Changes
    excess: float = field(default=0, repr=False)

    @property
    def distance_km(self) -> float:
        return sum(route.distance_km for route in self.routes)

    @property
    def late_minutes(self) -> float:
        return sum(route.late_minutes for route in self.routes)

    @property
    def overtime_seconds(self) -> float:
        return sum(route.overtime_seconds for route in self.routes)

    @property
    def rank(self) -> tuple[int, float, float]:
        """What makes one plan better than another: fewer broken limits, by less, then less money."""
        return (len(self.violations), self.excess, self.cost.total)

    @cached_property
    def stops(self) -> dict[str, PlannedStop]:
        """Each served stop by its id."""
        return {stop.stop_id: stop for route in self.routes for stop in route.stops}


def evaluate(problem: Problem, routes: Mapping[str, Sequence[str]], timer: RouteTimer | None = None) -> Evaluation:
    """Time and price a plan (stop_ids by vehicle_id) and list all that it breaks.

    A promise is broken where the window's anchor is after `closes`, or the stop has a window and is not served. Raises
    ValueError for a vehicle or stop that the problem does not have.
    """
    _refuse_unknown(problem, routes)
    timer = timer or RouteTimer(problem)
    timed = {v.vehicle_id: _timed(timer, v.vehicle_id, routes) for v in problem.vehicles}
    planned = tuple(_planned(problem, vehicle_id, route) for vehicle_id, route in timed.items())
    served = {stop_id for route in planned for stop_id in route.stop_ids}
    unserved = tuple(stop.stop_id for stop in problem.stops if stop.stop_id not in served)
    prices = [problem.price_of_not_serving(problem.stops[problem.stop_index[stop_id]]) for stop_id in unserved]
    late = tuple(_broken(problem, planned, unserved))
    changes = changes_of(timer, timed, late)
    spent = over_budget(problem.budget, changes)
    return Evaluation(
        routes=planned,
        unserved=unserved,
        cost=sum((route.cost for route in planned), Cost(not_served=sum(prices))),
        violations=(*_violations(problem, timed), *_beyond_budget(problem, spent)),
        broken_promises=late,
        currency=problem.currency,
        changes=changes,
        excess=sum(breach.excess for route in timed.values() for breach in route.breaches) + sum(spent.values()),
    )


def _timed(timer: RouteTimer, vehicle_id: str, routes: Mapping[str, Sequence[str]]) -> TimedRoute:
    problem = timer.problem
    stops = [RELOADS if one == RELOAD else problem.stop_index[one] for one in routes.get(vehicle_id, ())]
    return timer.time(problem.vehicle_index[vehicle_id], stops)


def _planned(problem: Problem, vehicle_id: str, route: TimedRoute) -> PlannedRoute:
    shift = problem.vehicles[problem.vehicle_index[vehicle_id]]
    served = [place for place, stop in enumerate(route.stops) if stop != RELOADS]
    trips = [route.stops[:place].count(RELOADS) for place in served]
    return PlannedRoute(
        vehicle_id=vehicle_id,
        order=tuple(RELOAD if stop == RELOADS else problem.stops[stop].stop_id for stop in route.stops),
        stops=tuple(
            _planned_stop(problem, vehicle_id, route, place, trip, position)
            for position, (place, trip) in enumerate(zip(served, trips, strict=True))
        ),
        reloads_at=tuple(at for stop, at in zip(route.stops, route.starts, strict=True) if stop == RELOADS),
        departs_at=route.departs,
        returns_at=route.ends,
        breaks_start_at=tuple(begins for _, begins in sorted(route.pause_starts.items())),
        overtime_seconds=max(0.0, route.ends - max(shift.shift_end, route.departs)),
        distance_km=sum(route.km),
        drive_seconds=sum(route.drives),
        peak_load=route.peak_load,
        cost=route.cost,
    )


def _planned_stop(
    problem: Problem, vehicle_id: str, route: TimedRoute, place: int, trip: int, position: int
) -> PlannedStop:
    return PlannedStop(
        stop_id=problem.stops[route.stops[place]].stop_id,
        vehicle_id=vehicle_id,
        trip=trip,
        position=position,
        arrives_at=route.arrivals[place],
        service_starts_at=route.starts[place],
        departs_at=route.leaves[place],
        late_minutes=route.late[place] / 60,
        distance_km=route.km[place],
        drive_seconds=route.drives[place],
    )


def _broken(problem: Problem, routes: Sequence[PlannedRoute], unserved: Sequence[str]) -> list[str]:
    late = [stop.stop_id for route in routes for stop in route.stops if stop.late_minutes > 0]
    promised = [stop_id for stop_id in unserved if problem.stops[problem.stop_index[stop_id]].last_closes is not None]
    return late + promised


def _violations(problem: Problem, timed: Mapping[str, TimedRoute]) -> list[Violation]:
    found = []
    for vehicle_id, route in timed.items():
        found += [_violation(problem, vehicle_id, breach) for breach in route.breaches]
        found += _unfit(problem, vehicle_id, route)
        found += _out_of_order(problem, vehicle_id, route)
    return found + _served_twice(problem, timed)


def _violation(problem: Problem, vehicle_id: str, breach: Breach) -> Violation:
    stop_id = None if breach.stop is None else problem.stops[breach.stop].stop_id
    words = {
        Cause.WINDOW: f"{stop_id} is reached {minutes(breach.excess)} after its window",
        Cause.SHIFT: f"{vehicle_id} ends {minutes(breach.excess)} after its longest shift",
        Cause.ROUTE_TIME: f"{vehicle_id} is {minutes(breach.excess)} longer on the road than it may",
        Cause.ROUTE_DISTANCE: f"{vehicle_id} drives {breach.excess:,.1f} km more than it may",
        Cause.CAPACITY: f"{vehicle_id} carries {amount(breach.excess, breach.dimension or '')} too much",
        Cause.RELOADS: f"{vehicle_id} reloads {breach.excess:.0f} × more than it may",
        Cause.GOODS_ELSEWHERE: f"{stop_id}: {vehicle_id} has not loaded its goods by then",
        Cause.PAIR: f"{stop_id}: {vehicle_id} does not bring on the same trip what it collects",
        Cause.ORDER: f"{stop_id} leaves its pinned place in the order",
    }
    return Violation(breach.cause, vehicle_id, stop_id, words[breach.cause], breach.excess, breach.dimension)


def _beyond_budget(problem: Problem, spent: Mapping[str, int]) -> list[Violation]:
    return [
        Violation(Cause.CHANGES, "", None, beyond_budget(problem.budget, name, excess), excess, name)
        for name, excess in spent.items()
    ]


def _unfit(problem: Problem, vehicle_id: str, route: TimedRoute) -> list[Violation]:
    shift = problem.vehicles[problem.vehicle_index[vehicle_id]]
    served = [problem.stops[stop] for stop in route.stops if stop != RELOADS]
    causes = [(stop.stop_id, barred(problem, shift, stop)) for stop in served]
    words = {
        Cause.SKILL: "lacks a skill that it requires",
        Cause.NOT_ALLOWED: "is not allowed to serve it",
        Cause.GOODS_ELSEWHERE: "does not have its goods",
    }
    return [Violation(c, vehicle_id, stop_id, f"{stop_id}: {vehicle_id} {words[c]}") for stop_id, c in causes if c]


def _out_of_order(problem: Problem, vehicle_id: str, route: TimedRoute) -> list[Violation]:
    committed = problem.vehicles[problem.vehicle_index[vehicle_id]].committed_stop_ids
    first = tuple(RELOAD if stop == RELOADS else problem.stops[stop].stop_id for stop in route.stops[: len(committed)])
    if first == committed:
        return []
    return [Violation(Cause.NOT_ALLOWED, vehicle_id, None, f"{vehicle_id} leaves what it is committed to serve first")]


def _served_twice(problem: Problem, timed: Mapping[str, TimedRoute]) -> list[Violation]:
    visits = Counter(
        (stop, vehicle_id) for vehicle_id, route in timed.items() for stop in route.stops if stop != RELOADS
    )
    total = Counter(stop for stop, _ in visits.elements())
    return [
        Violation(Cause.NOT_ALLOWED, vehicle_id, problem.stops[stop].stop_id, "it is visited more than once")
        for stop, vehicle_id in visits
        if total[stop] > 1
    ]


def _refuse_unknown(problem: Problem, routes: Mapping[str, Sequence[str]]) -> None:
    vehicles = sorted(set(routes) - set(problem.vehicle_index))
    if vehicles:
        raise ValueError(f"the plan names vehicles that are not in the problem: {', '.join(vehicles)}")
    stops = sorted({stop_id for row in routes.values() for stop_id in row} - set(problem.stop_index) - {RELOAD})
    if stops:
        raise ValueError(f"the plan names stops that are not in the problem: {', '.join(stops)}")
