"""A problem's vehicles and roads as PyVRP wants them: places without repeats, profiles, kinds of equal vehicles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from pyvrp import Depot, VehicleType

from lastmile.routing.obstacles import eligible, problems_of
from lastmile.routing.problem import Problem
from lastmile.routing.shifts import Break
from lastmile.routing.timing import RouteTimer
from lastmile.routing.travel.matrix import NO_WAY_SECONDS

MONEY = 36_000_000
"""Units in one unit of currency: a price per hour or km to four decimals is a whole number per second or metre."""

NEVER = 2**40
"""Later than any end of a shift, and longer than any route."""

FINEST_LOAD = 1_000_000
"""Units in one kg, m3 or piece where no smaller number makes all demands whole; they are rounded up then."""

PACES = 4
"""Paces of service told apart; each is a profile of its own, and a driver has the next slower one."""


@dataclass(frozen=True)
class Kind:
    """Vehicles that are the same to PyVRP: places by number, seconds since the instant, money and loads in units."""

    start: int
    end: int
    profile: int
    early: int
    start_late: int
    late: int
    shift: int
    overtime: int
    room: tuple[int, ...]
    aboard: tuple[int, ...]
    max_distance: int
    fixed: int
    per_second: int
    per_overtime_second: int
    per_metre: int
    reload: int
    reload_seconds: int
    max_reloads: int


class Fleet:
    """Everything of a problem's model that does not hang on a plan.

    `stops` are the indexes of the stops to plan (possible and not committed), which are the first locations too;
    `kinds` are in the order of PyVRP's vehicle types, `members` holds the vehicles of each. A vehicle starts where it
    will have served what it is committed to; one that has no time left then is in no kind.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem, self.timer = problem, RouteTimer(problem)
        impossible = problems_of(problem)
        self.stops = [
            i
            for i, stop in enumerate(problem.stops)
            if stop.stop_id not in impossible and stop.stop_id not in problem.committed_to
        ]
        self.pause = _common_pause(self.timer)
        self._number_places()
        self._set_profiles()
        self.members: dict[Kind, list[int]] = {}
        for vehicle in range(len(problem.vehicles)):
            kind = self._kind(vehicle)
            if kind.late > kind.early:
                self.members.setdefault(kind, []).append(vehicle)
        self.kinds = list(self.members)

    def seconds_since(self, at: float) -> float:
        return at - self.problem.instant

    @cached_property
    def committed(self) -> list[list[int]]:
        """The stops that each vehicle serves first, as indexes."""
        index = self.problem.stop_index
        return [[index[one] for one in vehicle.committed_stop_ids] for vehicle in self.problem.vehicles]

    @cached_property
    def _after_committed(self) -> list[tuple[float, float, float]]:
        """(free from, seconds behind it, km behind it) of each vehicle once its commitments are served."""
        found = []
        for vehicle, stops in enumerate(self.committed):
            ready = self.timer.terms.ready[vehicle]
            route = self.timer.time(vehicle, stops) if stops else None
            free = route.leaves[-1] if route else ready
            behind = free - (route.departs if route and not self.problem.vehicles[vehicle].in_use else ready)
            found.append((free, behind, sum(route.km[:-1]) if route else 0.0))
        return found

    def may_serve(self) -> np.ndarray:
        """True where a vehicle (row) may serve a stop of `stops` (column) on the trips that the model knows."""
        able = eligible(self.problem)[:, self.stops]
        from_depot = np.array([self.timer.terms.from_depot[stop] for stop in self.stops], dtype=bool)
        for vehicle, shift in enumerate(self.problem.vehicles):
            if shift.departed and shift.max_reloads:
                able[vehicle] &= ~from_depot | self.timer.terms.on_board[vehicle, self.stops]
        return able

    def _number_places(self) -> None:
        """Locations: the stops, then each distinct place of a vehicle."""
        problem, places = self.problem, list(self.stops)
        known = {stop: number for number, stop in enumerate(places)}
        matrix = problem.matrix

        def number(place: int) -> int:
            legs = [unit[place, self.stops].tobytes() for unit in (matrix.mean, matrix.km)]
            legs += [unit[self.stops, place].tobytes() for unit in (matrix.mean, matrix.km)]
            key = place if place < len(problem.stops) else b"".join(legs)
            if key not in known:
                known[key] = len(places)
                places.append(place)
            return known[key]

        fleet = range(len(problem.vehicles))
        self._starts = [number(self.committed[v][-1] if self.committed[v] else problem.start_of(v)) for v in fleet]
        self._ends = [number(problem.end_of(v)) for v in fleet]
        self._reloads = [number(problem.reload_of(v)) if self.timer.terms.reloads[v] else -1 for v in fleet]
        self.places = np.array(places, dtype=int)

    def _set_profiles(self) -> None:
        paces = _paces(self.timer.terms.pace)
        self.pace = min(paces, default=1.0)
        known: dict[tuple[bytes, float], int] = {}
        able = self.may_serve()
        keys = [(row.tobytes(), pace) for row, pace in zip(able, paces, strict=True)]
        self._profiles = [known.setdefault(key, len(known)) for key in keys]
        self._profile_rows = [(able[keys.index(key)], key[1]) for key in known]

    @property
    def profiles(self) -> int:
        return len(self._profile_rows)

    def distances(self) -> np.ndarray:
        """Metres between locations."""
        metres = np.rint(self.problem.matrix.km[np.ix_(self.places, self.places)] * 1_000.0).astype(np.int64)
        np.fill_diagonal(metres, 0)
        return metres

    def durations(self) -> list[np.ndarray]:
        """Seconds between locations by profile, with what a slower driver's service takes more, and no way to others' stops."""
        base = np.ceil(self.problem.matrix.mean[np.ix_(self.places, self.places)] - 1e-6).astype(np.int64)
        service = np.zeros(len(self.places))
        service[: len(self.stops)] = [self.timer.terms.service[stop] for stop in self.stops]
        found = []
        for able, pace in self._profile_rows:
            more = np.ceil(service * pace - 1e-6) - np.ceil(service * self.pace - 1e-6)
            seconds = base + more.astype(np.int64)[:, None]
            seconds[:, np.flatnonzero(~able)] = NO_WAY_SECONDS
            np.fill_diagonal(seconds, 0)
            found.append(seconds)
        return found

    @cached_property
    def load_units(self) -> dict[str, int]:
        """Units in one kg, m3 or piece, by dimension."""
        demand = self.timer.terms.demand
        return {name: _whole_units(np.array([demand[name][stop] for stop in self.stops])) for name in demand}

    def load(self, name: str, amount: float) -> int:
        """An amount in units, rounded up."""
        return math.ceil(amount * self.load_units[name] - 1e-3)

    def _kind(self, vehicle: int) -> Kind:
        shift, terms, since = self.problem.vehicles[vehicle], self.timer.terms, self.seconds_since
        rates = shift.rates
        free, seconds_behind, km_behind = self._after_committed[vehicle]
        early = math.ceil(since(free))
        late = math.floor(since(self._without_pause(vehicle, terms.must_end[vehicle])))
        regular = max(0, math.floor(since(self._without_pause(vehicle, shift.shift_end))) - early)
        longest = min(max(0, late - early), _whole(terms.most_seconds[vehicle] - seconds_behind))
        started = shift.in_use or bool(self.committed[vehicle])
        return Kind(
            start=self._starts[vehicle],
            end=self._ends[vehicle],
            profile=self._profiles[vehicle],
            early=early,
            start_late=max(early, min(late, self._last_release)) if started else late,
            late=late,
            shift=min(regular, longest),
            overtime=longest - min(regular, longest),
            room=tuple(self._room(vehicle, name) for name in self.problem.dimensions),
            aboard=tuple(self._aboard(vehicle, name) for name in self.problem.dimensions),
            max_distance=_whole((terms.most_km[vehicle] - km_behind) * 1_000),
            fixed=0 if started else _money(rates.per_day),
            per_second=_money(rates.per_hour / 3600),
            per_overtime_second=max(0, _money((rates.per_overtime_hour - rates.per_hour) / 3600)),
            per_metre=_money(rates.per_km / 1_000),
            reload=self._reloads[vehicle],
            reload_seconds=math.ceil(shift.reload_seconds),
            max_reloads=shift.max_reloads,
        )

    def release(self, stop: int) -> int:
        """When the goods of a stop can leave the depot, seconds since the instant; 0 where a vehicle has them."""
        terms = self.timer.terms
        if not terms.from_depot[stop] or terms.on_board[:, stop].any() or math.isinf(terms.released[stop]):
            return 0
        return max(0, math.ceil(self.seconds_since(terms.released[stop])))

    @cached_property
    def _last_release(self) -> int:
        return max((self.release(stop) for stop in self.stops), default=0)

    def _without_pause(self, vehicle: int, at: float) -> float:
        """The time less the break, for a vehicle that has to take one before it."""
        pause = self.timer.terms.pauses[vehicle]
        taken = pause is not None and self._after_committed[vehicle][0] <= pause.latest < at
        return at - pause.seconds if taken else at

    def _room(self, vehicle: int, name: str) -> int:
        room = self.timer.terms.room[vehicle][name]
        return NEVER if math.isinf(room) else max(0, math.floor(room * self.load_units[name] + 1e-3))

    def _aboard(self, vehicle: int, name: str) -> int:
        """What the committed stops take of the first trip's room: what is brought to them, or picked up there."""
        demand, stops = self.timer.terms.demand[name], self.committed[vehicle]
        picked_up = sum(demand[stop] for stop in stops if self.problem.stops[stop].pickup)
        return self.load(name, max(picked_up, sum(demand[stop] for stop in stops) - picked_up))

    def depots_and_types(self) -> tuple[list[Depot], list[VehicleType]]:
        """PyVRP's depots and vehicle types; a place with a time for reloading is a depot of its own."""
        numbers: dict[tuple[int, int], int] = {}

        def depot(place: int, seconds: int = 0) -> int:
            return numbers.setdefault((place, seconds), len(numbers))

        types = [
            VehicleType(
                len(vehicles), list(kind.room), depot(kind.start), depot(kind.end), kind.fixed, kind.early, kind.late,
                kind.shift, kind.max_distance, kind.per_metre, kind.per_second, kind.profile, kind.start_late,
                list(kind.aboard), [depot(kind.reload, kind.reload_seconds)] if kind.max_reloads else [],
                kind.max_reloads, kind.overtime, kind.per_overtime_second,
            )
            for kind, vehicles in self.members.items()
        ]  # fmt: skip
        return [Depot(place, service_duration=seconds) for place, seconds in numbers], types


def _money(value: float) -> int:
    return round(value * MONEY)


def _whole(value: float) -> int:
    return NEVER if value > NEVER else max(0, math.floor(value + 1e-6))


def _paces(paces: Sequence[float]) -> list[float]:
    """Each pace, or the next slower of a few where there are many."""
    distinct = sorted(set(paces))
    if len(distinct) <= PACES:
        return list(paces)
    kept = [distinct[round((number + 1) * len(distinct) / PACES) - 1] for number in range(PACES)]
    return [next(one for one in kept if one >= pace) for pace in paces]


def _whole_units(amounts: np.ndarray) -> int:
    for units in (1, 10, 100, 1_000):
        if np.allclose(amounts * units, np.rint(amounts * units), rtol=0, atol=1e-9 * units):
            return units
    return FINEST_LOAD


def _common_pause(timer: RouteTimer) -> Break | None:
    """The break that most of the vehicles still take, where most take one."""
    pauses = [pause for pause in timer.terms.pauses if pause is not None]
    if 2 * len(pauses) <= len(timer.terms.pauses):
        return None
    return max(pauses, key=pauses.count)
