"""How far and how long it is between places, without a network: great circle, circuity, pace by zone and hour."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lastmile.routing.travel.matrix import TravelMatrix
from lastmile.routing.travel.periods import MOST_PERIODS, Period, periods_of

EARTH_RADIUS_KM = 6371.0088
"""Mean radius of the IUGG (1980)."""

CIRCUITY = 1.35
"""Road distance over great-circle distance. Assumption, between the 1.20 of the United States and the 1.46 of Europe
(Ballou, Rahardja & Sakai 2002, Transportation Research A 36, 843-848)."""

SPEED_KMH_BY_HOUR = (45,) * 6 + (38, 29, 26, 29, 31, 31, 30, 31, 31, 29, 26, 25, 28, 33) + (38, 40, 42, 44)
"""Mean urban van speed between stops for each local hour of the day. Assumption, with the usual two peaks."""

SETTING_OFF_SECONDS = 45.0
"""Leaving a parking place and finding the next, added to every leg between two places. Assumption."""

NEAR_KM = 2.0
"""Up to here (great circle) a leg is driven through streets at the speed of its hour, beyond on faster roads. That long legs
are driven faster is old knowledge (Kolesar, Walker & Hausner 1975, Operations Research 23, 614-627); of 1 to 4 km this
bend missed least on held-out days of the demo."""

SAME_PLACE_KM = 0.02
"""Two points closer than this (great circle) are one place: nobody moves the vehicle."""

MOST_PLACES = 12_000
"""A larger matrix is refused: it would take more than 1.2 GB."""

MOST_CELLS = 20_000_000
"""Periods are merged further until all of a matrix together have no more cells: 80 MB."""

BLOCK_CELLS = 1_000_000


@dataclass(frozen=True)
class Rings:
    """Zones around the middle of an operation: what lies within each radius, and what lies beyond the last one.

    `slowness` has one factor more than there are radii: the time of a kilometre there over the mean. A leg is in the zone
    of its midpoint.
    """

    lon: float
    lat: float
    radii_km: tuple[float, ...]
    slowness: tuple[float, ...]

    def __post_init__(self) -> None:
        if list(self.radii_km) != sorted(self.radii_km) or len(self.slowness) != len(self.radii_km) + 1:
            raise ValueError("rings need ascending radii, and one slowness more than radii")
        if min(self.slowness) <= 0:
            raise ValueError("the slowness of a ring is above zero")

    def of(self, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
        """The number of the ring that each point lies in, from 0 at the middle."""
        x, y = self.plane_km(lon, lat)
        return np.searchsorted(np.array(self.radii_km), np.hypot(x, y))

    def between(self, lon: np.ndarray, lat: np.ndarray, rows: slice) -> np.ndarray:
        """The slowness of the legs from some of n places (rows) to all of them, by the ring of the midpoint."""
        x, y = (axis.astype(np.float32) / 2 for axis in self.plane_km(lon, lat))
        squared = np.add.outer(x[rows], x) ** 2
        squared += np.add.outer(y[rows], y) ** 2
        slowness = np.full(squared.shape, self.slowness[-1], dtype=np.float32)
        for radius, one in zip(self.radii_km[::-1], self.slowness[-2::-1], strict=True):
            slowness[squared <= radius**2] = one
        return slowness

    def plane_km(self, lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Kilometres east and north of the middle, on a plane: exact enough to tell zones apart."""
        km_per_degree = np.pi / 180 * EARTH_RADIUS_KM
        return (lon - self.lon) * km_per_degree * np.cos(np.radians(self.lat)), (lat - self.lat) * km_per_degree


@dataclass(frozen=True)
class GreatCircleTravel:
    """Travel without a network: great circle × circuity, driven at the pace of the zone and the local hour.

    The speed of an hour holds for the first `NEAR_KM` of a leg; beyond, it is driven `far_speed_gain` times as fast.
    `source` says for people where these numbers come from.
    """

    circuity: float = CIRCUITY
    speed_kmh_by_hour: tuple[float, ...] = SPEED_KMH_BY_HOUR
    setting_off_seconds: float = SETTING_OFF_SECONDS
    far_speed_gain: float = 1.0
    rings: Rings | None = None
    source: str = "great circle, plain default"

    def __post_init__(self) -> None:
        if len(self.speed_kmh_by_hour) != 24 or min(self.speed_kmh_by_hour) <= 0:
            raise ValueError("speed_kmh_by_hour needs 24 speeds above zero, one for each local hour")
        if self.circuity < 1 or self.setting_off_seconds < 0 or self.far_speed_gain <= 0:
            raise ValueError("circuity is at least 1, setting_off_seconds at least 0, far_speed_gain above 0")

    def matrix(self, lon: np.ndarray, lat: np.ndarray, start: float, end: float, zone: str) -> TravelMatrix:
        """All pairs of n places, degrees in, whole seconds rounded up; `start` and `end` in epoch seconds.

        Raises ValueError for more than `MOST_PLACES` places.
        """
        count = len(lon)
        refuse_too_many(count)
        periods = self.periods(start, end, zone, count)
        km = np.empty((count, count), dtype=np.float32)
        seconds = np.empty((len(periods), count, count), dtype=np.int32)
        lon, lat = np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)
        step = max(1, BLOCK_CELLS // max(count, 1))
        for first in range(0, count, step):
            rows = slice(first, min(first + step, count))
            self._fill(lon, lat, rows, periods, km, seconds)
        return TravelMatrix(
            seconds, km, tuple(one.begins for one in periods[1:]), tuple(one.seconds for one in periods), self.source
        )

    def periods(self, start: float, end: float, zone: str, count: int = 1) -> list[Period]:
        """The periods of the span whose pace differs enough to be told apart in a matrix of `count` places."""
        fits = MOST_CELLS // max(1, count) ** 2
        return periods_of(self.speed_kmh_by_hour, start, end, zone, most=max(1, min(MOST_PERIODS, fits)))

    def leg_seconds(self, legs: dict[str, np.ndarray]) -> np.ndarray:
        """Seconds of single legs: columns lon, lat, next_lon, next_lat (degrees), straight_km, hour (local, of leaving)."""
        units = self._near_km(np.asarray(legs["straight_km"], dtype=float))
        if self.rings is not None:
            middle = ((legs[a] + legs[b]) / 2 for a, b in (("lon", "next_lon"), ("lat", "next_lat")))
            units = units * np.array(self.rings.slowness)[self.rings.of(*middle)]
        pace = 3600 / np.array(self.speed_kmh_by_hour, dtype=float)
        return self.setting_off_seconds + units * pace[np.asarray(legs["hour"], dtype=int)]

    def _fill(
        self, lon: np.ndarray, lat: np.ndarray, rows: slice, periods: list[Period], km: np.ndarray, seconds: np.ndarray
    ) -> None:
        """Some rows of a matrix, at each period's pace."""
        straight = great_circle_km(lon, lat, rows).astype(np.float32)
        same = straight < SAME_PLACE_KM
        near = self._near_km(straight)
        if self.rings is not None:
            near *= self.rings.between(lon, lat, rows)
        straight[same] = 0
        np.multiply(straight, np.float32(self.circuity), out=km[rows])
        for number, period in enumerate(periods):
            spent = near * np.float32(period.pace)
            spent += np.float32(self.setting_off_seconds)
            spent[same] = 0
            seconds[number, rows] = np.ceil(spent, out=spent)

    def _near_km(self, straight_km: np.ndarray) -> np.ndarray:
        """Driven kilometres, those beyond NEAR_KM counted as how many it would be near that take as long."""
        if self.far_speed_gain == 1:
            return straight_km * self.circuity
        near = np.minimum(straight_km, NEAR_KM)
        return (near + (straight_km - near) / self.far_speed_gain) * self.circuity


PLAIN = GreatCircleTravel()
"""The default: nothing is learned."""


def refuse_too_many(count: int) -> None:
    """ValueError for more than `MOST_PLACES` places, before memory is taken for them."""
    if count > MOST_PLACES:
        raise ValueError(f"{count:,} places are too many for one matrix ({MOST_PLACES:,}); plan by depot or by area")


def great_circle_km(lon: np.ndarray, lat: np.ndarray, rows: slice = slice(None)) -> np.ndarray:
    """Great-circle distance from some of n points in degrees (all by default) to all, in km, by the chord between them."""
    lam, phi = np.radians(lon), np.radians(lat)
    axes = (np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi))
    squared = np.zeros((len(axes[0][rows]), len(axes[0])))
    for axis in axes:
        difference = np.subtract.outer(axis[rows], axis)
        squared += np.multiply(difference, difference, out=difference)
    half_chord = np.sqrt(squared, out=squared)
    half_chord /= 2
    return 2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(half_chord, 1.0, out=half_chord), out=half_chord)
