"""An instance's numbers as a Problem: distance is money, windows are hard, and every customer counts first."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lastmile.routing.instances.distances import Distances
from lastmile.routing.instances.reading import BadInstance, Sheet
from lastmile.routing.problem import Problem, Rates, Stop, VehicleShift
from lastmile.routing.travel import GivenTravel, TravelMatrix

DIMENSION = "load"

DETOURS_PER_STOP = 10
"""Leaving a customer out costs ten times the longest way out and back: more than any detour."""

SPREAD_DEGREES = 2.0
"""Coordinates of a file are laid on the map within so many degrees, true to shape; travel is by the matrix alone."""


@dataclass(frozen=True)
class Instance:
    """A named problem with the convention of its distances, and the sheet it was built from.

    Costs of `problem` are in `distances.units` per unit of the file, its seconds in `distances.ticks`.
    """

    name: str
    problem: Problem
    distances: Distances
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
    vehicles = _fleet(sheet, distances)
    stops = tuple(_stop(sheet, distances, place) for place in range(1, sheet.customers + 1))
    problem = Problem(stops, vehicles, 0.0, _travel(sheet, distances, len(vehicles)), currency="")
    return Instance(sheet.name, problem, distances, sheet)


def usual(sheet: Sheet) -> Distances:
    """The convention under which results on such a file are published."""
    if sheet.explicit:
        return Distances.GIVEN
    return Distances.ROUNDED if sheet.windows is None else Distances.DIMACS


def _travel(sheet: Sheet, distances: Distances, vehicles: int) -> GivenTravel:
    places = np.concatenate([np.arange(1, sheet.customers + 1), np.zeros(2 * vehicles, dtype=int)])
    pairs = np.ix_(places, places)
    return GivenTravel(TravelMatrix(distances.times_of(sheet.straight)[pairs], distances.of(sheet.straight)[pairs]))


def _stop(sheet: Sheet, distances: Distances, place: int) -> Stop:
    lon, lat = _position(sheet, place)
    opens, closes = (None, None) if sheet.windows is None else _ticks(sheet.windows[place], distances)
    return Stop(
        str(place),
        lon,
        lat,
        service_seconds=_ticks(sheet.service[place : place + 1], distances)[0],
        opens=opens,
        closes=closes,
        demand={DIMENSION: float(sheet.demand[place])},
        price_of_not_serving=_price_of_not_serving(sheet, distances),
    )


def _price_of_not_serving(sheet: Sheet, distances: Distances) -> float:
    longest = float(sheet.straight.max(initial=1)) * distances.units
    return float(math.ceil(2 * longest * DETOURS_PER_STOP))


def _ticks(times: np.ndarray, distances: Distances) -> list[float]:
    return [float(round(time * distances.ticks)) for time in times]


def _fleet(sheet: Sheet, distances: Distances) -> tuple[VehicleShift, ...]:
    lon, lat = _position(sheet, 0)
    opens, closes = (0.0, _no_limit(sheet, distances)) if sheet.windows is None else _ticks(sheet.windows[0], distances)
    shift = {"shift_start": opens, "shift_end": closes, "end_lon": lon, "end_lat": lat, "rates": Rates(per_km=1)}
    capacity = {} if sheet.capacity is None else {DIMENSION: sheet.capacity}
    return tuple(
        VehicleShift(f"V{number}", lon, lat, capacity=capacity, **shift) for number in range(1, _vehicles(sheet) + 1)
    )


def _no_limit(sheet: Sheet, distances: Distances) -> float:
    """A shift that even one route over all customers can't outlast."""
    longest = float(sheet.straight.max(initial=1) * (sheet.customers + 1) + sheet.service.sum()) * distances.ticks
    return float(min(math.ceil(longest), 2**30))


def _vehicles(sheet: Sheet) -> int:
    """As many as the file says; without a limit, far more than loads need, or with windows one for each customer."""
    if sheet.vehicles is not None:
        return min(sheet.vehicles, sheet.customers)
    if sheet.windows is not None or not sheet.capacity:
        return sheet.customers
    needed = math.ceil(float(sheet.demand.sum()) / sheet.capacity)
    return min(sheet.customers, math.ceil(1.3 * needed) + 3)


def _position(sheet: Sheet, place: int) -> tuple[float, float]:
    if sheet.places is None:
        return 0.0, 0.0
    low = sheet.places.min(axis=0)
    extent = max(float((sheet.places.max(axis=0) - low).max()), 1e-9)
    lon, lat = (sheet.places[place] - low) / extent * SPREAD_DEGREES
    return float(lon), float(lat)
