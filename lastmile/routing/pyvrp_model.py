"""A problem as PyVRP's data, with the way there and back for plans."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import pyvrp
from pyvrp import Activity, ActivityType, Client, ClientGroup, Location, ProblemData

from lastmile.routing.problem import RELOAD, Problem, Routes
from lastmile.routing.pyvrp_fleet import MONEY, NEVER, Fleet
from lastmile.routing.timing import RELOADS, TimedRoute

PRICE_LIMIT = 1_000_000.0
"""No price of not serving in the model is larger, so that ten thousand of them stay far from the integers' end."""

LATE_MINUTES = (5, 15, 30, 60, 120, 240)
"""Ends of the spans of lateness between which a stop with a soft window may be served late, each at one price."""


@dataclass(frozen=True)
class Visit:
    """One way to serve a stop: from when until when service starts (seconds since the instant), and what it costs."""

    stop: int
    opens: int
    closes: int
    price: float = 0.0


class PyvrpModel:
    """PyVRP's view of a problem, with soft windows for the stops that are `at_risk` (indexes) and hard ones otherwise."""

    def __init__(self, fleet: Fleet, at_risk: Collection[int] = ()) -> None:
        self.fleet, self.problem, self.at_risk = fleet, fleet.problem, frozenset(at_risk)
        self.visits: list[Visit] = []
        self.ways: dict[int, range] = {}
        for stop in fleet.stops:
            ways = list(self._ways(stop))
            self.ways[stop] = range(len(self.visits), len(self.visits) + len(ways))
            self.visits += ways
        self._depots, types = fleet.depots_and_types()
        self.data = ProblemData(
            [Location(0, 0) for _ in fleet.places], self._clients(), self._depots, types,
            [fleet.distances()] * fleet.profiles, fleet.durations(), self._groups(),
        )  # fmt: skip
        self._kind_of = {v: number for number, kind in enumerate(fleet.kinds) for v in fleet.members[kind]}

    def _ways(self, stop: int) -> Iterator[Visit]:
        """Each window of a stop, and beyond the last one spans of lateness where the stop is at risk."""
        terms, pace = self.fleet.timer.terms, max(self.fleet.timer.terms.pace, default=1.0)
        inside = terms.inside[stop] * pace
        for opens, closes in terms.windows[stop]:
            first, last = self._first_second(opens - inside), self._last_second(closes - inside)
            if last >= first:
                yield Visit(stop, first, last)
        if stop not in self.at_risk or not terms.late_price[stop] or math.isinf(closes):
            return
        for shorter, longer in zip((0, *LATE_MINUTES), LATE_MINUTES, strict=False):
            price = terms.late_price[stop] * (shorter + longer) / 2
            if price < terms.price_of_not_serving[stop] and last + 60 * longer >= 0:
                yield Visit(stop, max(0, last + 60 * shorter), last + 60 * longer, price)

    def _first_second(self, at: float) -> int:
        """A moment as seconds since the instant; those after the common break are brought forward by its length."""
        pause = self.fleet.pause
        if pause is not None and at >= pause.latest + pause.seconds:
            at -= pause.seconds
        return 0 if at <= self.problem.instant else math.ceil(self.fleet.seconds_since(at) - 1e-6)

    def _last_second(self, at: float) -> int:
        """The same for what must not be later: who starts by then has not begun the break, or is in time after it."""
        pause = self.fleet.pause
        if math.isinf(at):
            return NEVER
        if pause is not None and at > pause.earliest:
            at = max(at - pause.seconds, min(at, pause.earliest))
        return math.floor(self.fleet.seconds_since(at) + 1e-6)

    def _clients(self) -> list[Client]:
        fleet, terms = self.fleet, self.fleet.timer.terms
        per_stop = min((vehicle.rates.per_stop for vehicle in self.problem.vehicles), default=0.0)
        place = {stop: number for number, stop in enumerate(fleet.stops)}
        groups = {stop: number for number, stop in enumerate(self._grouped())}
        found = []
        for visit in self.visits:
            stop = visit.stop
            load = [fleet.load(name, terms.demand[name][stop]) for name in self.problem.dimensions]
            pickup = self.problem.stops[stop].pickup
            worth = min(PRICE_LIMIT, terms.price_of_not_serving[stop]) - per_stop - visit.price
            found.append(
                Client(
                    place[stop], [] if pickup else load, load if pickup else [],
                    math.ceil(terms.service[stop] * fleet.pace - 1e-6), visit.opens, visit.closes, fleet.release(stop),
                    max(0, round(worth * MONEY)), False, groups.get(stop),
                )
            )  # fmt: skip
        return found

    def _grouped(self) -> list[int]:
        return [stop for stop, ways in self.ways.items() if len(ways) > 1]

    def _groups(self) -> list[ClientGroup]:
        return [ClientGroup(list(self.ways[stop]), required=False) for stop in self._grouped()]

    def solution(self, timed: Sequence[TimedRoute]) -> pyvrp.Solution:
        """A plan (its timed routes by vehicle) as PyVRP's solution; what the model does not know is left out."""
        rows = [(v, self._activities(v, route)) for v, route in enumerate(timed) if v in self._kind_of]
        routes = [pyvrp.Route(self.data, row, self._kind_of[v]) for v, row in rows if any(a.is_client() for a in row)]
        return pyvrp.Solution(self.data, routes)

    def _activities(self, vehicle: int, route: TimedRoute) -> list[Activity]:
        kind, row = self.fleet.kinds[self._kind_of[vehicle]], []
        committed = len(self.fleet.committed[vehicle])
        for stop, begins in list(zip(route.stops, route.starts, strict=True))[committed:]:
            if stop != RELOADS:
                row += [Activity(ActivityType.CLIENT, one) for one in self._way_at(stop, begins, route)]
            elif row and not row[-1].is_depot():
                row.append(Activity(ActivityType.DEPOT, self._reload_depot(kind.reload, kind.reload_seconds)))
        return row[:-1] if row and row[-1].is_depot() else row

    def _reload_depot(self, place: int, seconds: int) -> int:
        return next(i for i, d in enumerate(self._depots) if (d.location, d.service_duration) == (place, seconds))

    def _way_at(self, stop: int, begins: float, route: TimedRoute) -> list[int]:
        """The visit (as a list of one, none where the model does not know the stop) whose span a start of service is in."""
        ways = self.ways.get(stop, range(0))
        if len(ways) < 2:
            return list(ways)
        if self.fleet.pause is not None and route.pause_starts is not None and begins > route.pause_starts:
            begins -= self.fleet.pause.seconds
        at = self.fleet.seconds_since(begins)
        return [next((one for one in ways if at <= self.visits[one].closes + 1), ways[-1])]

    def routes(self, solution: pyvrp.Solution) -> dict[str, tuple[str, ...]]:
        """PyVRP's solution as a plan; of equal vehicles, each has the route with most of its present stops."""
        rows: dict[int, list[list[int]]] = {}
        for route in solution.routes():
            rows.setdefault(route.vehicle_type(), []).append(self.row(route))
        given = dict(enumerate(self.fleet.committed))
        for number, of_kind in rows.items():
            free = list(self.fleet.members[self.fleet.kinds[number]])
            for row in sorted(of_kind, key=len, reverse=True) if len(free) > 1 else of_kind:
                vehicle = max(free, key=lambda one: self._kept(row, one)) if len(free) > 1 else free[0]
                free.remove(vehicle)
                given[vehicle] = [*given[vehicle], *row]
        return {self.problem.vehicles[v].vehicle_id: self.named(row) for v, row in given.items()}

    def _kept(self, row: Sequence[int], vehicle: int) -> int:
        present = self.fleet.timer.terms.present_vehicle
        return sum(present[stop] == vehicle for stop in row if stop != RELOADS)

    def row(self, route: pyvrp.Route) -> list[int]:
        """The stops and reloads of a route, as indexes."""
        inner = list(route)[1:-1]
        return [self.visits[one.idx].stop if one.is_client() else RELOADS for one in inner]

    def named_route(self, route: pyvrp.Route) -> tuple[str, tuple[str, ...]]:
        """A route alone, on the first vehicle of its kind."""
        vehicle = self.fleet.members[self.fleet.kinds[route.vehicle_type()]][0]
        row = [*self.fleet.committed[vehicle], *self.row(route)]
        return self.problem.vehicles[vehicle].vehicle_id, self.named(row)

    def named(self, row: Sequence[int]) -> tuple[str, ...]:
        stops = self.problem.stops
        return tuple(RELOAD if one == RELOADS else stops[one].stop_id for one in row)


def risky_stops(problem: Problem, timed: Sequence[TimedRoute]) -> frozenset[int]:
    """Stops that a plan serves late or not at all, as indexes."""
    served = {stop for route in timed for stop in route.stops}
    late = {stop for route in timed for stop, by in zip(route.stops, route.late, strict=True) if by > 0}
    return frozenset((late | (set(range(len(problem.stops))) - served)) - {RELOADS})


def timed_routes(fleet: Fleet, plan: Routes) -> list[TimedRoute]:
    """The routes of a plan by vehicle, timed by our own clock."""
    index = {**fleet.problem.stop_index, RELOAD: RELOADS}
    rows = [[index[one] for one in plan.get(v.vehicle_id, ())] for v in fleet.problem.vehicles]
    return [fleet.timer.time(vehicle, row) for vehicle, row in enumerate(rows)]
