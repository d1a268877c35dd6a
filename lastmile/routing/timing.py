"""The clock of one route: when a vehicle is where, what it carries and what that costs. No engine has a part in it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from lastmile.routing.cost import Cost
from lastmile.routing.loads import check_loads
from lastmile.routing.obstacles import Cause
from lastmile.routing.orders import check_order
from lastmile.routing.pausing import AT_HOME, Pausing
from lastmile.routing.problem import Problem
from lastmile.routing.terms import EXACT_SECONDS, Terms

RELOADS = -1
"""Stands among the indexes of stops where the vehicle reloads."""


@dataclass(frozen=True)
class Breach:
    """A hard limit that a route breaks: by how much, in seconds, km, pieces …, and at which stop."""

    cause: Cause
    excess: float
    stop: int | None = None
    dimension: str | None = None


@dataclass
class TimedRoute:
    """One route with its times: per stop or reload in driving order, epoch seconds; `stops` are indexes or RELOADS.

    `late` is seconds beyond the last window; `waits` seconds between being free to serve and serving (at a reload:
    waiting for goods); `drives` and `km` have one leg more than there are stops; `pause_starts` is by number of the break.
    """

    stops: tuple[int, ...]
    departs: float
    arrivals: list[float] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    leaves: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
    ends: float = 0
    pause_starts: dict[int, float] = field(default_factory=dict)
    drives: list[float] = field(default_factory=list)
    km: list[float] = field(default_factory=list)
    peak_load: dict[str, float] = field(default_factory=dict)
    breaches: list[Breach] = field(default_factory=list)
    cost: Cost = field(default_factory=Cost)

    @property
    def rank(self) -> tuple[float, float]:
        """What makes one timing of a route better than another: less broken first, then less money."""
        broken = round(sum(breach.excess for breach in self.breaches), 3) if self.breaches else 0.0  # EXACT_SECONDS
        return (broken, self.cost.total)


class Order(NamedTuple):
    """Stops and reloads in driving order on one vehicle, with the place of each, start and end included.

    `goods_at` is when the goods of each trip are at its start, the first trip's first.
    """

    vehicle: int
    stops: tuple[int, ...]
    places: tuple[int, ...]
    goods_at: list[float]


class RouteTimer:
    """Times any order of stops on any vehicle of one problem.

    What a vehicle is committed to is a fact, so it breaks no limit: room, the end of the shift and the length of the
    route are widened to what the committed stops alone need.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem, self.terms, self.matrix = problem, Terms(problem), problem.matrix
        self.arrival = self.matrix.arrival
        for vehicle, shift in enumerate(problem.vehicles):
            if shift.committed_stop_ids:
                self._admit_committed(vehicle)

    def time(self, vehicle: int, stops: Sequence[int]) -> TimedRoute:
        """The route at its best departure and breaks: fewest limits broken, then least money."""
        if not stops and not self.problem.vehicles[vehicle].in_use:
            return TimedRoute((), self.terms.ready[vehicle], ends=self.terms.ready[vehicle])
        order = self._order(vehicle, stops)
        plain = self.run(order, (), self._earliest_departure(order))
        route = min(Pausing(self, order, plain).ways((), plain), key=lambda one: one.rank)
        route.peak_load, too_much = check_loads(self.terms, vehicle, order.stops)
        route.breaches += [Breach(Cause.CAPACITY, excess, None, name) for name, excess in too_much.items()]
        route.breaches += [
            Breach(cause, excess, stop) for cause, excess, stop in check_order(self.terms, vehicle, stops)
        ]
        return route

    def _order(self, vehicle: int, stops: Sequence[int]) -> Order:
        problem = self.problem
        places = [problem.reload_of(vehicle) if stop == RELOADS else stop for stop in stops]
        goods_at = [-math.inf]
        for stop in stops:
            if stop == RELOADS:
                goods_at.append(-math.inf)
            elif self.terms.from_depot[stop] and not self.terms.on_board[vehicle, stop]:
                goods_at[-1] = max(goods_at[-1], self.terms.released[stop])
        return Order(vehicle, tuple(stops), (problem.start_of(vehicle), *places, problem.end_of(vehicle)), goods_at)

    def _earliest_departure(self, order: Order) -> float:
        return max(self.terms.ready[order.vehicle], order.goods_at[0])

    def run(self, order: Order, taken: tuple[int, ...], departs: float) -> TimedRoute:
        """The route driven from `departs`, each break `taken` before the stop at a position, if on the route at all."""
        route = TimedRoute(order.stops, departs, pause_starts=self._starts_at_home(order.vehicle, taken))
        now, trips, goods_at = departs, 0, order.goods_at
        for position, stop in enumerate(order.stops):
            arrives = free = self._drive(route, order, position, now)
            if position in taken:
                arrives, free = self._around_pauses(route, order.vehicle, taken, now, arrives)
            if stop == RELOADS:
                trips += 1
                now = self._reload(route, order.vehicle, free, goods_at[trips])
            else:
                now = self._serve(route, order.vehicle, stop, arrives, free)
            route.arrivals.append(arrives)
            route.leaves.append(now)
        route.ends = self._drive(route, order, len(order.stops), now)
        if len(order.stops) in taken:
            _, route.ends = self._around_pauses(route, order.vehicle, taken, now, route.ends)
        self._judge(order.vehicle, route)
        return route

    def _starts_at_home(self, vehicle: int, taken: tuple[int, ...]) -> dict[int, float]:
        pauses = self.terms.pauses[vehicle]
        return {number: pauses[number].earliest for number, place in enumerate(taken) if place == AT_HOME}

    def _around_pauses(
        self, route: TimedRoute, vehicle: int, taken: tuple[int, ...], now: float, arrives: float
    ) -> tuple[float, float]:
        """(arrival, first moment free for service) where breaks are taken between `now` and the next service."""
        position = len(route.arrivals)
        for number, pause in enumerate(self.terms.pauses[vehicle][: len(taken)]):
            if taken[number] == position:
                begins = route.pause_starts[number] = max(now, pause.earliest)
                now = begins + pause.seconds
                arrives += pause.seconds * (begins < arrives)
        return arrives, max(arrives, now)

    def _drive(self, route: TimedRoute, order: Order, position: int, now: float) -> float:
        origin, destination = order.places[position], order.places[position + 1]
        arrives = self.arrival(origin, destination, now)
        route.drives.append(arrives - now)
        route.km.append(float(self.matrix.km[origin, destination]))
        return arrives

    def _reload(self, route: TimedRoute, vehicle: int, free: float, goods_at: float) -> float:
        """When a vehicle that is free to reload at `free` sets out again."""
        loaded = free + self.problem.vehicles[vehicle].reload_seconds
        route.starts.append(free)
        route.late.append(0.0)
        route.waits.append(max(0.0, goods_at - loaded))
        return max(loaded, goods_at)

    def _serve(self, route: TimedRoute, vehicle: int, stop: int, arrives: float, free: float) -> float:
        """When a vehicle that arrives, and is free to serve at `free`, leaves the stop."""
        terms = self.terms
        inside = terms.inside[stop] * terms.pace[vehicle]
        opens, _ = self._window(vehicle, stop, arrives if terms.by_arrival[stop] else free)
        begins = max(free, opens)
        closes = terms.windows[stop][-1][1] - inside
        route.starts.append(begins)
        route.waits.append(begins - free)
        late = (arrives if terms.by_arrival[stop] else begins) - closes
        route.late.append(late if late > EXACT_SECONDS else 0.0)
        return begins + terms.service[stop] * terms.pace[vehicle]

    def _window(self, vehicle: int, stop: int, anchor: float) -> tuple[float, float]:
        """Earliest and latest start of service in the first window that does not end before `anchor`, else in the last."""
        inside, windows = self.terms.inside[stop] * self.terms.pace[vehicle], self.terms.windows[stop]
        opens, closes = next((one for one in windows if anchor <= one[1] - inside), windows[-1])
        return opens - inside, closes - inside

    def _judge(self, vehicle: int, route: TimedRoute) -> None:
        """Broken time limits and cost of a route whose times are set."""
        terms = self.terms
        for stop, late in zip(route.stops, route.late, strict=True):
            if late > 0 and terms.late_price[stop] is None:
                route.breaches.append(Breach(Cause.WINDOW, late, stop))
        worked, km = route.ends - self._paid_from(vehicle, route), sum(route.km)
        for cause, excess in (
            (Cause.SHIFT, route.ends - terms.must_end[vehicle]),
            (Cause.ROUTE_TIME, worked - terms.most_seconds[vehicle]),
            (Cause.ROUTE_DISTANCE, km - terms.most_km[vehicle]),
        ):
            if excess > EXACT_SECONDS:
                route.breaches.append(Breach(cause, excess))
        route.cost = self._cost(vehicle, route, worked, km)

    def _paid_from(self, vehicle: int, route: TimedRoute) -> float:
        return self.terms.ready[vehicle] if self.problem.vehicles[vehicle].in_use else route.departs

    def _cost(self, vehicle: int, route: TimedRoute, worked: float, km: float) -> Cost:
        shift = self.problem.vehicles[vehicle]
        rates = shift.rates
        paid_from = route.ends - worked
        overtime = max(0.0, route.ends - max(shift.shift_end, paid_from))
        beyond = max(0.0, route.ends - max(shift.overtime_ends, paid_from))
        parts = (
            0 if shift.in_use else rates.per_day,
            (worked - overtime) / 3600 * rates.per_hour,
            overtime / 3600 * rates.per_overtime_hour + beyond / 3600 * shift.per_hour_beyond,
            km * rates.per_km,
            sum(stop != RELOADS for stop in route.stops) * rates.per_stop,
        )
        lateness, crew_idle, early, changes = self._prices_of_stops(vehicle, route)
        return Cost(
            *parts,
            minimum_top_up=max(0.0, rates.minimum - sum(parts)),
            lateness=lateness,
            crew_idle=crew_idle,
            early=early,
            uneven=self._uneven(vehicle, worked),
            changes=changes,
        )

    def _prices_of_stops(self, vehicle: int, route: TimedRoute) -> tuple[float, float, float, float]:
        """Money for lateness, idle crews, early goods and changes of vehicle."""
        terms, lateness, crew_idle, early, moved = self.terms, 0.0, 0.0, 0.0, 0
        for stop, begins, late in zip(route.stops, route.starts, route.late, strict=True):
            if stop == RELOADS:
                continue
            lateness += late / 60 * (terms.late_price[stop] or 0)
            crew_idle += max(0.0, begins - terms.need_by[stop]) / 60 * terms.crew_price[stop]
            early += max(0.0, terms.accepts_from[stop] - begins) / 60 * terms.early_price[stop]
            moved += terms.present_vehicle[stop] not in (-1, vehicle)
        return lateness, crew_idle, early, moved * self.problem.budget.price_per_moved

    def _uneven(self, vehicle: int, worked: float) -> float:
        """What the hours beyond the fair share cost; those that were worked before can't be changed and cost nothing."""
        share = self.problem.fair_share
        if share is None:
            return 0.0
        before = self.problem.vehicles[vehicle].worked_seconds
        beyond = max(0.0, before + worked - share.hours * 3600) - max(0.0, before - share.hours * 3600)
        return beyond / 3600 * share.price_per_hour

    def leave_later(self, order: Order, taken: tuple[int, ...], route: TimedRoute) -> TimedRoute:
        """The same route with its departure put off as long as no stop gets later than it may, where that is better.

        As long as it would wait on the way; half as long where it is not better because roads are slower by then; or until
        no goods are early any more.
        """
        if self.problem.vehicles[order.vehicle].in_use:
            return route
        idle, early = self._may_be_put_off(order.vehicle, route)
        best = route
        if idle > 0:
            best = self._put_off(order, taken, route.departs + idle, route)
            if best is route and self.matrix.periods > 1:
                best = self._put_off(order, taken, route.departs + idle / 2, route)
        return self._put_off(order, taken, route.departs + early, best) if early > idle else best

    def _put_off(self, order: Order, taken: tuple[int, ...], departs: float, best: TimedRoute) -> TimedRoute:
        later, pauses = self.run(order, taken, departs), self.terms.pauses[order.vehicle]
        if any(begins > pauses[number].latest for number, begins in later.pause_starts.items()):
            return best
        return min(best, later, key=lambda one: one.rank)

    def _may_be_put_off(self, vehicle: int, route: TimedRoute) -> tuple[float, float]:
        """By how much the departure can be put off without making the end, or any lateness, greater; and by how much
        without any lateness, as long as goods are early by it."""
        waited, spare, early, terms = 0.0, math.inf, 0.0, self.terms
        for stop, begins, arrives, wait in zip(route.stops, route.starts, route.arrivals, route.waits, strict=True):
            waited += wait
            if stop != RELOADS:
                _, closes = self._window(vehicle, stop, arrives if terms.by_arrival[stop] else begins)
                need_by = terms.need_by[stop]
                latest = min(closes, need_by) if begins <= need_by else closes
                spare = min(spare, waited + max(0.0, latest - begins))
                if terms.early_price[stop] > 0 and begins < terms.accepts_from[stop]:
                    early = max(early, waited + terms.accepts_from[stop] - begins)
        return min(spare, waited), min(spare, early)

    def _admit_committed(self, vehicle: int) -> None:
        terms = self.terms
        committed = [self.problem.stop_index[one] for one in self.problem.vehicles[vehicle].committed_stop_ids]
        for breach in self.time(vehicle, committed).breaches:
            if breach.cause == Cause.CAPACITY:
                terms.room[vehicle][breach.dimension] += breach.excess
        route = self.time(vehicle, committed)
        terms.must_end[vehicle] = max(terms.must_end[vehicle], route.ends)
        terms.most_seconds[vehicle] = max(terms.most_seconds[vehicle], route.ends - self._paid_from(vehicle, route))
        terms.most_km[vehicle] = max(terms.most_km[vehicle], sum(route.km))
