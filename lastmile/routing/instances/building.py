"""An instance's numbers as a Problem: distance is money, windows are hard, and every customer counts first."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lastmile.routing.instances.distances import Distances
from lastmile.routing.instances.reading import BadInstance, Sheet
from lastmile.routing.problem import Problem, Rates, Stop, VehicleShift
from lastmile.routing.travel import GivenTravel, TravelMatrix

DIMENSION = "load"

DETOURS_PER_STOP = 10
"""Leaving a customer out costs ten times the longest way out and back: more than any detour."""

LONGEST_LEG = 600_000
"""Ticks; from 864,000 seconds on a pair of places counts as having no way, on roads a quarter slower too."""

SPREAD_DEGREES = 2.0
"""Coordinates of a file are laid on the map within so many degrees, true to shape; travel is by the matrix alone."""


@dataclass(frozen=True)
class Instance:
    """A named problem with the convention of its distances, and the sheet it was built from.

    Costs of `problem` are in `distances.units` per unit of the file, its seconds in `ticks`.
    """

    name: str
    problem: Problem
    distances: Distances
    ticks: float
    sheet: Sheet

    @property
    def words(self) -> str:
        """What the instance is, for people: size, fleet and convention."""
        fleet = f"{len(self.problem.vehicles)} vehicles"
        stated = "no limit in the file" if self.sheet.vehicles is None else "as the file says"
        return (
            f"{self.name}: {self.sheet.kind}, {self.sheet.customers} customers, {fleet} ({stated}), "
            f"distances {self.distances.words}"
        )


def built(sheet: Sheet, distances: Distances | None = None) -> Instance:
    """The sheet as a problem; without a convention the usual one for what the file is.

    DIMACS for time windows on coordinates, rounded for capacities alone, and as given where the file has the matrix.
    Raises BadInstance where the convention does not fit the file.
    """
    distances = distances or usual(sheet)
    if sheet.explicit != (distances == Distances.GIVEN):
        has = "gives its distances itself" if sheet.explicit else "has coordinates, and no matrix to take as given"
        raise BadInstance(f"{sheet.name} {has}; distances {distances.value!r} do not fit it.")
    building = _Building(sheet, distances, _ticks(sheet, distances))
    return Instance(sheet.name, building.problem(), distances, building.ticks, sheet)


def usual(sheet: Sheet) -> Distances:
    """The convention under which results on such a file are published."""
    if sheet.explicit:
        return Distances.GIVEN
    return Distances.ROUNDED if sheet.windows is None else Distances.DIMACS


def _ticks(sheet: Sheet, distances: Distances) -> float:
    """Ticks of the clock per unit of time: fewer than the convention asks for where a leg would count as no way at all.

    Without windows the length of a tick changes nothing; with them, a convention that says how exact times are is kept.
    """
    ticks, longest = float(distances.ticks), float(sheet.straight.max(initial=1))
    if sheet.windows is not None and distances.keeps_ticks and longest * ticks >= LONGEST_LEG:
        raise BadInstance(f"{sheet.name} has legs of {longest:,.0f}, longer than a plan of a day can hold.")
    while longest * ticks >= LONGEST_LEG:
        ticks /= 10
    return ticks


@dataclass(frozen=True)
class _Building:
    """A sheet under one convention on its way to a problem."""

    sheet: Sheet
    distances: Distances
    ticks: float

    def problem(self) -> Problem:
        vehicles = self.fleet()
        stops = tuple(self.stop(place) for place in range(1, self.sheet.customers + 1))
        return Problem(stops, vehicles, 0.0, self.travel(len(vehicles)), currency="")

    def travel(self, vehicles: int) -> GivenTravel:
        straight = self.sheet.straight
        places = np.concatenate([np.arange(1, self.sheet.customers + 1), np.zeros(2 * vehicles, dtype=int)])
        pairs = np.ix_(places, places)
        times, km = self.distances.times_of(straight, self.ticks), self.distances.of(straight)
        return GivenTravel(TravelMatrix(times[pairs], km[pairs]))

    def stop(self, place: int) -> Stop:
        lon, lat = self.position(place)
        windows = self.sheet.windows
        return Stop(
            str(place),
            lon,
            lat,
            service_seconds=self.in_ticks(self.sheet.service[place]),
            opens=None if windows is None else self.in_ticks(windows[place][0]),
            closes=None if windows is None else self.in_ticks(windows[place][1]),
            demand={DIMENSION: float(self.sheet.demand[place])},
            price_of_not_serving=self.price_of_not_serving,
        )

    @cached_property
    def price_of_not_serving(self) -> float:
        longest = float(self.sheet.straight.max(initial=1)) * self.distances.units
        return float(math.ceil(2 * longest * DETOURS_PER_STOP))

    def in_ticks(self, time: float) -> float:
        return float(round(time * self.ticks))

    def fleet(self) -> tuple[VehicleShift, ...]:
        lon, lat = self.position(0)
        windows = self.sheet.windows
        shift = {
            "shift_start": 0.0 if windows is None else self.in_ticks(windows[0][0]),
            "shift_end": self.no_limit() if windows is None else self.in_ticks(windows[0][1]),
            "capacity": {} if self.sheet.capacity is None else {DIMENSION: self.sheet.capacity},
        }
        return tuple(
            VehicleShift(f"V{number}", lon, lat, end_lon=lon, end_lat=lat, rates=Rates(per_km=1), **shift)
            for number in range(1, self.vehicles() + 1)
        )

    def no_limit(self) -> float:
        """A shift that even one route over all customers can't outlast."""
        longest = float(self.sheet.straight.max(initial=1)) * (self.sheet.customers + 1)
        return float(min(math.ceil((longest + self.sheet.service.sum()) * self.ticks) + self.sheet.customers, 2**30))

    def vehicles(self) -> int:
        """As many as the file says; without a limit, far more than loads need, or with windows one for each customer."""
        sheet = self.sheet
        if sheet.vehicles is not None:
            return min(sheet.vehicles, sheet.customers)
        if sheet.windows is not None or not sheet.capacity:
            return sheet.customers
        needed = math.ceil(float(sheet.demand.sum()) / sheet.capacity)
        return min(sheet.customers, math.ceil(1.3 * needed) + 3)

    def position(self, place: int) -> tuple[float, float]:
        if self.sheet.places is None:
            return 0.0, 0.0
        lon, lat = (self.sheet.places[place] - self.corner) / self.extent * SPREAD_DEGREES
        return float(lon), float(lat)

    @cached_property
    def corner(self) -> np.ndarray:
        return self.sheet.places.min(axis=0)

    @cached_property
    def extent(self) -> float:
        return max(float((self.sheet.places.max(axis=0) - self.corner).max()), 1e-9)
