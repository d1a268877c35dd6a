"""The clock of one route: when a vehicle is where, what it carries and what that costs. No engine has a part in it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from lastmile.model import WindowSemantics
from lastmile.routing.obstacles import Cause, whole_capacity
from lastmile.routing.problem import Break, Problem, Stop

LOAD_TOLERANCE = 1e-6
"""Sums of decimal loads differ from the limit by rounding alone up to this."""


@dataclass(frozen=True)
class Cost:
    """Money by part, in the problem's currency; the parts add to `total`."""

    day: float = 0
    hours: float = 0
    overtime: float = 0
    distance: float = 0
    stops: float = 0
    minimum_top_up: float = 0
    lateness: float = 0
    not_served: float = 0

    @property
    def total(self) -> float:
        return (
            self.day + self.hours + self.overtime + self.distance
            + self.stops + self.minimum_top_up + self.lateness + self.not_served
        )  # fmt: skip

    def __add__(self, other: Cost) -> Cost:
        return Cost(*(mine + theirs for mine, theirs in zip(vars(self).values(), vars(other).values(), strict=True)))


@dataclass(frozen=True)
class Breach:
    """A hard limit that a route breaks: by how much, in seconds or the unit of `dimension`, and at which stop."""

    cause: Cause
    excess: float
    stop: int | None = None
    dimension: str | None = None


@dataclass
class TimedRoute:
    """One route with its times: per stop in driving order, epoch seconds; `stops` are indexes into the problem."""

    stops: tuple[int, ...]
    departs: float
    arrivals: list[float] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
    ends: float = 0
    pause_starts: float | None = None
    drives: list[float] = field(default_factory=list)
    km: list[float] = field(default_factory=list)
    peak_load: dict[str, float] = field(default_factory=dict)
    breaches: list[Breach] = field(default_factory=list)
    cost: Cost = Cost()


class Order(NamedTuple):
    """Stops in driving order on one vehicle, with the seconds and km of each leg (one more than stops)."""

    vehicle: int
    stops: tuple[int, ...]
    drives: list[float]
    km: list[float]


class RouteTimer:
    """Times any order of stops on any vehicle of one problem; holds the problem as plain lists for speed.

    What a vehicle is committed to is a fact, so it breaks no limit: room, the end of the shift and the latest break are
    widened to what the committed stops alone need.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.seconds: list[list[int]] = problem.matrix.mean.tolist()
        self.km: list[list[float]] = problem.matrix.km.tolist()
        self.service = [stop.service_seconds for stop in problem.stops]
        self.opens = [stop.serves_from for stop in problem.stops]
        self.closes = [stop.serves_until for stop in problem.stops]
        self.by_arrival = [stop.semantics == WindowSemantics.ARRIVAL for stop in problem.stops]
        self.late_price = [_late_price(problem, stop) for stop in problem.stops]
        self.demand = {name: [stop.demand.get(name, 0) for stop in problem.stops] for name in problem.dimensions}
        self.ready = [problem.ready_at(index) for index in range(len(problem.vehicles))]
        self.room = [{d: whole_capacity(problem, v, d) for d in problem.dimensions} for v in problem.vehicles]
        self.must_end = [vehicle.must_end_by for vehicle in problem.vehicles]
        self.pauses = [_pause_due(v.pause, ready) for v, ready in zip(problem.vehicles, self.ready, strict=True)]
        for vehicle in range(len(problem.vehicles)):
            self._admit_committed(vehicle)

    def time(self, vehicle: int, stops: Sequence[int]) -> TimedRoute:
        """The route at its best departure and break: fewest limits broken, then least money."""
        if not stops and not self.problem.vehicles[vehicle].in_use:
            return TimedRoute((), self.ready[vehicle], ends=self.ready[vehicle])
        order = self._order(vehicle, stops)
        route = self._with_pause(order, self._run(order, None, self.ready[vehicle]))
        self._load(order, route)
        return route

    def latest_starts(self, vehicle: int, stops: Sequence[int]) -> list[float]:
        """The latest start of each stop, and the latest end, that hard windows and the shift leave (breaks aside)."""
        place = self.problem.end_of(vehicle)
        latest = [self.must_end[vehicle]]
        for stop in reversed(stops):
            by_next = latest[-1] - self.seconds[stop][place] - self.service[stop]
            latest.append(by_next if self.late_price[stop] is not None else min(by_next, self.closes[stop]))
            place = stop
        return latest[::-1]

    def _order(self, vehicle: int, stops: Sequence[int]) -> Order:
        places = [self.problem.start_of(vehicle), *stops, self.problem.end_of(vehicle)]
        pairs = list(itertools.pairwise(places))
        drives = [self.seconds[a][b] for a, b in pairs]
        return Order(vehicle, tuple(stops), drives, [self.km[a][b] for a, b in pairs])

    def _run(self, order: Order, gap: int | None, departs: float, unpaused: TimedRoute | None = None) -> TimedRoute:
        """The route driven from `departs`, the break before the stop at position `gap` (None: not on the route).

        `unpaused` is the same departure without the break: up to the gap, its times are taken over.
        """
        pause = self.pauses[order.vehicle]
        route = TimedRoute(order.stops, departs, drives=order.drives, km=order.km)
        now, opens, service, drives = departs, self.opens, self.service, order.drives
        done = gap if unpaused is not None and gap else 0
        if done:
            route.arrivals, route.starts = unpaused.arrivals[:done], unpaused.starts[:done]
            now = route.starts[-1] + service[order.stops[done - 1]]
        for position in range(done, len(order.stops)):
            stop = order.stops[position]
            arrives = begins = now + drives[position]
            if position == gap:
                arrives, begins = _around_pause(route, pause, now, arrives)
            if begins < opens[stop]:
                begins = opens[stop]
            route.arrivals.append(arrives)
            route.starts.append(begins)
            now = begins + service[stop]
        route.ends = now + order.drives[-1]
        if gap == len(order.stops):
            _, route.ends = _around_pause(route, pause, now, route.ends)
        self._judge(order.vehicle, route)
        return route

    def _judge(self, vehicle: int, route: TimedRoute) -> None:
        """Lateness, broken time limits and cost of a route whose times are set."""
        lateness, closes, by_arrival = 0.0, self.closes, self.by_arrival
        for stop, arrives, begins in zip(route.stops, route.arrivals, route.starts, strict=True):
            late = (arrives if by_arrival[stop] else begins) - closes[stop]
            if late <= 0:
                route.late.append(0.0)
                continue
            route.late.append(late)
            if self.late_price[stop] is None:
                route.breaches.append(Breach(Cause.WINDOW, late, stop))
            else:
                lateness += late / 60 * self.late_price[stop]
        if route.ends > self.must_end[vehicle]:
            route.breaches.append(Breach(Cause.SHIFT, route.ends - self.must_end[vehicle]))
        route.cost = self._cost(vehicle, route, lateness)

    def _cost(self, vehicle: int, route: TimedRoute, lateness: float) -> Cost:
        shift = self.problem.vehicles[vehicle]
        rates = shift.rates
        overtime = max(0.0, route.ends - max(shift.shift_end, route.departs))
        parts = (
            0 if shift.in_use else rates.per_day,
            (route.ends - route.departs - overtime) / 3600 * rates.per_hour,
            overtime / 3600 * rates.per_overtime_hour,
            sum(route.km) * rates.per_km,
            len(route.stops) * rates.per_stop,
        )
        return Cost(*parts, minimum_top_up=max(0.0, rates.minimum - sum(parts)), lateness=lateness)

    def _leave_later(self, order: Order, gap: int | None, route: TimedRoute) -> TimedRoute:
        """The same route with the departure put off as long as no stop gets later than it may, where that is better."""
        put_off = 0.0 if self.problem.vehicles[order.vehicle].in_use else self._idle_before_need(order, gap, route)
        if put_off <= 0:
            return route
        later = self._run(order, gap, route.departs + put_off)
        if gap is not None and later.pause_starts > self.pauses[order.vehicle].latest:
            return route
        return min(route, later, key=_rank)

    def _idle_before_need(self, order: Order, gap: int | None, route: TimedRoute) -> float:
        """By how much the departure can be put off without making the end, or any lateness, greater."""
        waited, spare, now = 0.0, math.inf, route.departs
        for position, stop in enumerate(order.stops):
            rest = self.pauses[order.vehicle].seconds if position == gap else 0
            waited += max(0.0, route.starts[position] - now - order.drives[position] - rest)
            spare = min(spare, waited + max(0.0, self.closes[stop] - route.starts[position]))
            now = route.starts[position] + self.service[stop]
        return min(spare, waited)

    def _with_pause(self, order: Order, plain: TimedRoute) -> TimedRoute:
        """The best way to take the break that is still due; a breach where it fits nowhere."""
        pause = self.pauses[order.vehicle]
        unpaused = self._leave_later(order, None, plain)
        if pause is None or not order.stops or plain.ends <= pause.latest:
            return unpaused
        ways = [
            self._leave_later(order, gap, self._run(order, gap, plain.departs, plain))
            for gap in self._gaps(plain, pause)
        ]
        if not self.problem.vehicles[order.vehicle].in_use:
            ways.append(self._rested_first(order, pause))
        if not ways:
            unpaused.breaches.append(Breach(Cause.BREAK, pause.seconds))
        return min(ways, key=_rank, default=unpaused)

    def _rested_first(self, order: Order, pause: Break) -> TimedRoute:
        route = self._leave_later(order, None, self._run(order, None, pause.earliest + pause.seconds))
        route.pause_starts = pause.earliest
        return route

    def _gaps(self, plain: TimedRoute, pause: Break) -> list[int]:
        """Positions before which the break can start in time; none where it could as well wait for a later one."""
        finished = [plain.departs, *(at + self.service[s] for at, s in zip(plain.starts, plain.stops, strict=True))]
        begins = [*plain.starts, math.inf]
        return [
            gap
            for gap, free in enumerate(finished)
            if free <= pause.latest and (begins[gap] >= pause.earliest or finished[gap + 1] > pause.latest)
        ]

    def _load(self, order: Order, route: TimedRoute) -> None:
        """The largest load by dimension over the route, and where it exceeds the room that the vehicle has."""
        on_board = self.problem.vehicles[order.vehicle].load_on_board
        for name in self.problem.dimensions:
            peak = self._peak(name, order.stops)
            room = self.room[order.vehicle][name]
            route.peak_load[name] = peak + on_board.get(name, 0)
            if peak > room + LOAD_TOLERANCE:
                route.breaches.append(Breach(Cause.CAPACITY, peak - room, None, name))

    def _peak(self, name: str, stops: Sequence[int]) -> float:
        demand, facts = self.demand[name], self.problem.stops
        load = peak = sum(demand[stop] for stop in stops if not facts[stop].pickup)
        if load == sum(demand[stop] for stop in stops):
            return peak
        for stop in stops:
            load += demand[stop] if facts[stop].pickup else -demand[stop]
            peak = max(peak, load)
        return peak

    def _admit_committed(self, vehicle: int) -> None:
        committed = [self.problem.stop_index[one] for one in self.problem.vehicles[vehicle].committed_stop_ids]
        for breach in self.time(vehicle, committed).breaches:
            if breach.cause == Cause.CAPACITY:
                self.room[vehicle][breach.dimension] += breach.excess
            if breach.cause == Cause.BREAK:
                self.pauses[vehicle] = replace(self.pauses[vehicle], latest=math.inf)
        self.must_end[vehicle] = max(self.must_end[vehicle], self.time(vehicle, committed).ends)


def _around_pause(route: TimedRoute, pause: Break, now: float, arrives: float) -> tuple[float, float]:
    """(arrival, first moment free for service) when a break is taken between `now` and the next service."""
    begins = max(now, pause.earliest)
    route.pause_starts = begins
    if begins >= arrives:
        return arrives, begins + pause.seconds
    return arrives + pause.seconds, arrives + pause.seconds


def _rank(route: TimedRoute) -> tuple[float, float]:
    """What makes one timing of a route better than another: less broken first, then less money."""
    return (sum(breach.excess for breach in route.breaches) if route.breaches else 0.0, route.cost.total)


def _pause_due(pause: Break | None, ready: float) -> Break | None:
    """The break as it can still be taken: an overdue one at once."""
    if pause is None:
        return None
    earliest = max(pause.earliest, ready)
    return Break(pause.seconds, earliest, max(earliest, pause.latest))


def _late_price(problem: Problem, stop: Stop) -> float | None:
    """The price per late minute; None for a hard window, which what a vehicle is committed to no longer has."""
    price = stop.price_per_late_minute
    return 0.0 if price is None and stop.stop_id in problem.committed_to else price
