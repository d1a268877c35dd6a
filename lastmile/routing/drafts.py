"""A plan as rows of stops, timed, with the places where a further stop could go, cheapest by estimate first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from lastmile.routing.loads import LOAD_TOLERANCE
from lastmile.routing.obstacles import eligible
from lastmile.routing.problem import RELOAD
from lastmile.routing.timing import RELOADS, RouteTimer

HOPELESS = 1e12
"""Money that puts places which break a hard limit for sure behind all others."""

GAP_INTEGERS = ("vehicle", "position", "before", "after")
GAP_NUMBERS = ("free_at", "next_at", "next_by", "opening", "per_second", "per_km")

Place = tuple[int, int]
"""Where a stop can go: vehicle and position, both as indexes."""


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

    def as_routes(self) -> dict[str, tuple[str, ...]]:
        ids = [*(stop.stop_id for stop in self.problem.stops), RELOAD]  # RELOADS is -1
        fleet = self.problem.vehicles
        return {v.vehicle_id: tuple(ids[s] for s in row) for v, row in zip(fleet, self.routes, strict=True)}

    def all_places(self, stop: int) -> Iterator[Place]:
        """Every place that skills, permissions and commitments leave, those that break no limit for sure first."""
        yield from self.places_on(stop, np.flatnonzero(self.fits[:, stop]))

    def places_on(self, stop: int, vehicles: Sequence[int]) -> Iterator[Place]:
        """Every place that commitments leave on these vehicles, in the same order."""
        yield from self._ordered(stop, vehicles)

    def _ordered(self, stop: int, vehicles: Sequence[int]) -> Iterator[Place]:
        if not len(vehicles):
            return
        gaps = np.concatenate([self._gaps[vehicle] for vehicle in vehicles], dtype=self._gap_type)
        estimate, possible = self._estimate(stop, gaps)
        rows = np.argsort(np.where(possible, estimate, estimate + HOPELESS), kind="stable")
        for row in rows:
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
