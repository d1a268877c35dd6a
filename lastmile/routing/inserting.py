"""The plan at once: the plan in force, rid of what can't be kept, with every open stop put where it costs least."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from lastmile.routing.loads import LOAD_TOLERANCE
from lastmile.routing.obstacles import eligible, problems_of
from lastmile.routing.problem import RELOAD, Problem
from lastmile.routing.timing import RELOADS, RouteTimer, TimedRoute

CANDIDATES_TIMED = 12
"""Places timed in full for each stop, the cheapest by detour first, once one of them fits."""

PLACES_TRIED = 400
"""Places after which a stop that fits nowhere is given up for now."""

HOPELESS = 1e12
"""Money that puts places which break a hard limit for sure behind all others."""

GAP_INTEGERS = ("vehicle", "position", "before", "after")
GAP_NUMBERS = ("free_at", "next_at", "next_by", "opening", "per_second", "per_km")

Place = tuple[int, int]
"""Where a stop can go: vehicle and position, both as indexes."""

Kept = tuple[list[list[int]], list[TimedRoute], list[np.ndarray]]
"""A draft's routes, their times and their gaps."""


class Draft:
    """Routes that are being worked on, as indexes; each change keeps the routes timed."""

    def __init__(self, timer: RouteTimer, routes: Mapping[str, Sequence[str]]) -> None:
        self.timer, self.terms = timer, timer.terms
        self.problem = timer.problem
        fleet = self.problem.vehicles
        index = {**self.problem.stop_index, RELOAD: RELOADS}
        self.routes = [[index[stop_id] for stop_id in routes.get(v.vehicle_id, ())] for v in fleet]
        self.timed = [timer.time(vehicle, stops) for vehicle, stops in enumerate(self.routes)]
        self.committed = [len(v.committed_stop_ids) for v in fleet]
        self.fits = eligible(self.problem)
        self.impossible = frozenset(index[stop_id] for stop_id in problems_of(self.problem))
        self._seconds, self._km = self.problem.matrix.fastest, self.problem.matrix.km
        self.price = [self.problem.price_of_not_serving(stop) for stop in self.problem.stops]
        self._load_varies = self.problem.has_reloads or any(stop.pickup for stop in self.problem.stops)
        numbers = (*GAP_NUMBERS, *(f"free {name}" for name in self.problem.dimensions))
        self._gap_type = np.dtype([(name, "i8") for name in GAP_INTEGERS] + [(name, "f8") for name in numbers])
        self._gaps = [self._gaps_of(vehicle) for vehicle in range(len(fleet))]

    def set(self, vehicle: int, stops: Sequence[int]) -> None:
        self.routes[vehicle] = list(stops)
        self.timed[vehicle] = self.timer.time(vehicle, stops)
        self._gaps[vehicle] = self._gaps_of(vehicle)

    def kept(self) -> Kept:
        """The plan as it stands, to return to; rows are replaced and never changed, so copies of the lists do."""
        return list(self.routes), list(self.timed), list(self._gaps)

    def restore(self, kept: Kept) -> None:
        self.routes, self.timed, self._gaps = (list(part) for part in kept)

    def as_routes(self) -> dict[str, tuple[str, ...]]:
        ids = [*(stop.stop_id for stop in self.problem.stops), RELOAD]  # RELOADS is -1
        fleet = self.problem.vehicles
        return {v.vehicle_id: tuple(ids[s] for s in row) for v, row in zip(fleet, self.routes, strict=True)}

    def open_stops(self) -> list[int]:
        """The stops in no route, without those that can't be served at all; hardest to place first."""
        routed = {stop for row in self.routes for stop in row}
        free = set(range(len(self.problem.stops))) - routed - self.impossible
        return sorted(free, key=self._difficulty)

    def put(self, stop: int, place: Place) -> None:
        vehicle, position = place
        row = self.routes[vehicle]
        self.set(vehicle, [*row[:position], stop, *row[position:]])

    def _difficulty(self, stop: int) -> tuple[float, float, int]:
        return (-self.price[stop], self.terms.closes[stop], stop)

    def places(self, stop: int) -> Iterator[Place]:
        """The places that hard limits may leave for a stop, the cheapest by estimate first."""
        yield from self._ordered(stop, np.flatnonzero(self.fits[:, stop]), only_possible=True)

    def all_places(self, stop: int) -> Iterator[Place]:
        """Every place that skills, permissions and commitments leave, those that break no limit for sure first."""
        yield from self.places_on(stop, np.flatnonzero(self.fits[:, stop]))

    def places_on(self, stop: int, vehicles: Sequence[int]) -> Iterator[Place]:
        """Every place that commitments leave on these vehicles, in the same order."""
        yield from self._ordered(stop, vehicles, only_possible=False)

    def _ordered(self, stop: int, vehicles: Sequence[int], only_possible: bool) -> Iterator[Place]:
        if not len(vehicles):
            return
        gaps = np.concatenate([self._gaps[vehicle] for vehicle in vehicles], dtype=self._gap_type)
        estimate, possible = self._estimate(stop, gaps)
        rows = np.argsort(np.where(possible, estimate, estimate + HOPELESS), kind="stable")
        for row in rows[: np.count_nonzero(possible)] if only_possible else rows:
            yield int(gaps["vehicle"][row]), int(gaps["position"][row])

    def _estimate(self, stop: int, gaps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The money that each gap would cost by detour, delay and own lateness; whether hard limits may allow it."""
        terms, before, after = self.terms, gaps["before"], gaps["after"]
        starts = np.maximum(gaps["free_at"] + self._seconds[before, stop], terms.opens[stop])
        reaches = starts + terms.service[stop] + self._seconds[stop, after]
        km = self._km[before, stop] + self._km[stop, after] - self._km[before, after]
        late = np.maximum(0, starts - terms.closes[stop])
        price = terms.late_price[stop]
        delay = np.maximum(0, reaches - gaps["next_at"])
        estimate = gaps["opening"] + delay * gaps["per_second"] + km * gaps["per_km"] + late * (price or 0) / 60
        possible = (reaches <= gaps["next_by"]) & ((late == 0) | (price is not None))
        for name in self.problem.dimensions:
            possible &= gaps[f"free {name}"] + LOAD_TOLERANCE >= terms.demand[name][stop]
        return estimate, possible

    def _gaps_of(self, vehicle: int) -> np.ndarray:
        """The gaps of one route in which a stop can be put, with what `_estimate` needs of each."""
        shift, timed, row = self.problem.vehicles[vehicle], self.timed[vehicle], self.routes[vehicle]
        reload = self.problem.reload_of(vehicle)
        between = [reload if stop == RELOADS else stop for stop in row]
        places = [self.problem.start_of(vehicle), *between, self.problem.end_of(vehicle)]
        free = [self.terms.ready[vehicle], *timed.leaves]
        next_at = [*timed.starts, timed.ends]
        next_by = self._latest_starts(vehicle, row, places)
        opening = 0 if row or shift.in_use else shift.rates.per_day
        same = (opening, shift.rates.per_hour / 3600 + 1e-9, shift.rates.per_km, *self._free_room(vehicle))
        gaps = [
            (vehicle, i, places[i], places[i + 1], free[i], next_at[i], next_by[i], *same)
            for i in range(self.committed[vehicle], len(row) + 1)
        ]
        return np.array(gaps, dtype=self._gap_type)

    def _latest_starts(self, vehicle: int, row: Sequence[int], places: Sequence[int]) -> list[float]:
        """The latest start of each stop, and the latest end, that hard windows and the shift may leave (breaks aside)."""
        terms, latest = self.terms, [self.terms.must_end[vehicle]]
        for position in range(len(row) - 1, -1, -1):
            stop, way = row[position], self._seconds[places[position + 1], places[position + 2]]
            by_next = latest[-1] - way - (0 if stop == RELOADS else terms.service[stop] * terms.pace[vehicle])
            hard = stop != RELOADS and terms.late_price[stop] is None
            latest.append(min(by_next, terms.closes[stop]) if hard else by_next)
        return latest[::-1]

    def _free_room(self, vehicle: int) -> list[float]:
        """Room left by dimension: never less than there is; with pickups or reloads the timer decides."""
        if self._load_varies:
            return [self.terms.room[vehicle][name] for name in self.problem.dimensions]
        wanted = [sum(self.terms.demand[name][s] for s in self.routes[vehicle]) for name in self.problem.dimensions]
        return [self.terms.room[vehicle][name] - w for name, w in zip(self.problem.dimensions, wanted, strict=True)]

    def with_stop(self, stop: int, place: Place) -> TimedRoute:
        """The route timed as if the stop were put there."""
        vehicle, position = place
        row = self.routes[vehicle]
        return self.timer.time(vehicle, [*row[:position], stop, *row[position:]])

    def extra_cost(self, place: Place, route: TimedRoute) -> float:
        return route.cost.total - self.timed[place[0]].cost.total


def repaired(
    timer: RouteTimer, routes: Mapping[str, Sequence[str]], cancelled: Callable[[], bool] = lambda: False
) -> dict[str, tuple[str, ...]]:
    """The plan without what breaks a hard limit, and with every open stop that is worth serving put in; feasible."""
    draft = Draft(timer, _kept(timer.problem, routes))
    for vehicle in range(len(timer.problem.vehicles)):
        _lighten(draft, vehicle)
    insert_open(draft, cancelled)
    return draft.as_routes()


def insert_open(draft: Draft, cancelled: Callable[[], bool] = lambda: False) -> None:
    """Put each stop that is in no route where it costs least, if that costs less than not serving it."""
    for stop in draft.open_stops():
        if cancelled():
            return
        insert_if_worth_it(draft, stop, CANDIDATES_TIMED, PLACES_TRIED)


def insert_if_worth_it(draft: Draft, stop: int, candidates: int, tries: int) -> bool:
    """Put a stop at its cheapest place, if there is one and it costs less than not serving it."""
    found = cheapest_place(draft, stop, candidates, tries)
    if found is None or found[1] >= draft.price[stop]:
        return False
    draft.put(stop, found[0])
    return True


def cheapest_place(draft: Draft, stop: int, candidates: int, tries: int) -> tuple[Place, float] | None:
    """The place where the stop costs least and breaks nothing, of the first `candidates` that fit in `tries` tried."""
    best, timed = None, 0
    for place in itertools.islice(draft.places(stop), tries):
        route = draft.with_stop(stop, place)
        if len(route.breaches) > len(draft.timed[place[0]].breaches):
            continue
        extra = draft.extra_cost(place, route)
        if best is None or extra < best[1]:
            best = (place, extra)
        timed += 1
        if timed >= candidates:
            break
    return best


def _kept(problem: Problem, routes: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """The part of a plan that its vehicles may serve at all, commitments first and each stop once."""
    impossible = problems_of(problem)
    fits, kept, seen = eligible(problem), {}, set(problem.committed_to)
    for index, vehicle in enumerate(problem.vehicles):
        row = list(vehicle.committed_stop_ids)
        for stop_id in routes.get(vehicle.vehicle_id, ()):
            if stop_id not in seen and stop_id not in impossible and fits[index, problem.stop_index[stop_id]]:
                seen.add(stop_id)
                row.append(stop_id)
        kept[vehicle.vehicle_id] = row
    return kept


def _lighten(draft: Draft, vehicle: int) -> None:
    """Take stops out of a route, the one whose leaving mends most first, until it breaks no hard limit."""
    while draft.timed[vehicle].breaches and len(draft.routes[vehicle]) > draft.committed[vehicle]:
        row = draft.routes[vehicle]
        choices = [row[:i] + row[i + 1 :] for i in range(draft.committed[vehicle], len(row))]
        draft.set(vehicle, min(choices, key=lambda stops: _burden(draft, vehicle, stops)))


def _burden(draft: Draft, vehicle: int, stops: Sequence[int]) -> tuple[float, float]:
    route = draft.timer.time(vehicle, stops)
    dropped = set(draft.routes[vehicle]) - set(stops)
    price = sum(draft.price[stop] for stop in dropped)
    return (sum(breach.excess for breach in route.breaches), route.cost.total + price)
