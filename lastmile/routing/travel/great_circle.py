"""How far and how long it is between places, without a network: great circle, circuity, speed by hour."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from lastmile.routing.travel.matrix import TravelMatrix

EARTH_RADIUS_KM = 6371.0088
"""Mean radius of the IUGG (1980)."""

CIRCUITY = 1.35
"""Road distance over great-circle distance. Assumption, between the 1.20 of the United States and the 1.46 of Europe
(Ballou, Rahardja & Sakai 2002, Transportation Research A 36, 843-848)."""

SPEED_KMH_BY_HOUR = (45,) * 6 + (38, 29, 26, 29, 31, 31, 30, 31, 31, 29, 26, 25, 28, 33) + (38, 40, 42, 44)
"""Mean urban van speed between stops for each local hour of the day. Assumption, with the usual two peaks."""

SETTING_OFF_SECONDS = 45.0
"""Leaving a parking place and finding the next, added to every leg between two places. Assumption."""

SAME_PLACE_KM = 0.02
"""Two points closer than this (great circle) are one place: nobody moves the vehicle."""


@dataclass(frozen=True)
class GreatCircleTravel:
    """Travel without a network: great circle × circuity, at the mean pace of the hours that the plan spans."""

    circuity: float = CIRCUITY
    speed_kmh_by_hour: tuple[float, ...] = SPEED_KMH_BY_HOUR
    setting_off_seconds: float = SETTING_OFF_SECONDS

    def __post_init__(self) -> None:
        if len(self.speed_kmh_by_hour) != 24 or min(self.speed_kmh_by_hour) <= 0:
            raise ValueError("speed_kmh_by_hour needs 24 speeds above zero, one for each local hour")
        if self.circuity < 1 or self.setting_off_seconds < 0:
            raise ValueError("circuity is at least 1 and setting_off_seconds at least 0")

    def matrix(self, lon: np.ndarray, lat: np.ndarray, start: float, end: float, zone: str) -> TravelMatrix:
        """All pairs of n places, degrees in, n × n out, whole seconds rounded up; `start`, `end` in epoch seconds."""
        straight_km = great_circle_km(lon, lat)
        km = straight_km * self.circuity
        seconds = km * self.seconds_per_km(start, end, zone) + self.setting_off_seconds
        same = straight_km < SAME_PLACE_KM
        km[same], seconds[same] = 0, 0
        return TravelMatrix(np.ceil(seconds, out=seconds).astype(np.int32), km.astype(np.float32))

    def seconds_per_km(self, start: float, end: float, zone: str) -> float:
        """The mean pace over the span, each local hour weighted by its share of it."""
        hours = _hours_spanned(start, max(end, start + 1), zone)
        pace = sum(share * 3600 / self.speed_kmh_by_hour[hour] for hour, share in hours)
        return pace / sum(share for _, share in hours)


def great_circle_km(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Great-circle distance of all pairs of n points in degrees, n × n km, by the chord between unit vectors."""
    lam, phi = np.radians(lon), np.radians(lat)
    units = np.column_stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)])
    squared = sum(np.subtract.outer(axis, axis) ** 2 for axis in units.T)
    half_chord = np.minimum(np.sqrt(squared, out=squared) / 2, 1.0)
    return 2 * EARTH_RADIUS_KM * np.arcsin(half_chord)


def _hours_spanned(start: float, end: float, zone: str) -> list[tuple[int, float]]:
    """(local hour, seconds) of each hour between two instants, at most of two days."""
    clock = ZoneInfo(zone)
    end = min(end, start + 2 * 86_400)
    spans, now = [], start
    while now < end:
        local = datetime.fromtimestamp(now, clock)
        into_hour = local.minute * 60 + local.second + local.microsecond / 1e6
        step = min(max(3600 - into_hour, 1e-3), end - now)
        spans.append((local.hour, step))
        now += step
    return spans
