"""Berlin: depots, areas, streets, and how fast one drives there, as planned and in truth."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from lastmile.twin import chance

CENTRE = (13.405, 52.520)
KM_PER_LON = 67.75  # at 52.52 degrees north
KM_PER_LAT = 111.25
DETOUR = 1.32  # driven over straight distance in a European city
PARKING_MINUTES = 0.7
SLOT_MINUTES = 10
SLOTS = 156  # 26 hours
PLANNED_PACE = 0.98
BOUNDS = (13.08, 52.33, 13.72, 52.66)  # west, south, east, north of all that the twin does


@dataclass(frozen=True)
class Depot:
    """A place where routes start, at its true coordinates."""

    depot_id: str
    name: str
    lon: float
    lat: float


@dataclass(frozen=True)
class Area:
    """A district: who serves it, its postcode, its residents (thousands, about) and the weight of its businesses."""

    name: str
    depot_id: str
    postcode: str
    residents: float
    business: float


DEPOTS = (
    Depot("GRB", "Großbeeren freight village", 13.305, 52.357),
    Depot("WHF", "Westhafen", 13.338, 52.537),
    Depot("MRZ", "Marzahn", 13.575, 52.548),
)

AREAS = (
    Area("Mitte", "WHF", "10117", 105, 240),
    Area("Moabit", "WHF", "10551", 80, 90),
    Area("Wedding", "WHF", "13347", 180, 100),
    Area("Charlottenburg", "WHF", "10625", 130, 170),
    Area("Wilmersdorf", "WHF", "10715", 100, 90),
    Area("Spandau", "WHF", "13597", 200, 120),
    Area("Reinickendorf", "WHF", "13403", 180, 120),
    Area("Schöneberg", "GRB", "10827", 120, 130),
    Area("Tempelhof", "GRB", "12099", 120, 190),
    Area("Neukölln", "GRB", "12043", 220, 170),
    Area("Steglitz", "GRB", "12163", 150, 130),
    Area("Zehlendorf", "GRB", "14163", 95, 110),
    Area("Treptow", "GRB", "12435", 130, 190),
    Area("Prenzlauer Berg", "MRZ", "10405", 165, 100),
    Area("Pankow", "MRZ", "13187", 170, 100),
    Area("Friedrichshain", "MRZ", "10245", 137, 120),
    Area("Kreuzberg", "MRZ", "10999", 153, 130),
    Area("Lichtenberg", "MRZ", "10365", 220, 130),
    Area("Marzahn-Hellersdorf", "MRZ", "12681", 230, 120),
    Area("Köpenick", "MRZ", "12555", 110, 90),
)
AREA_NAMES = tuple(area.name for area in AREAS)


@cache
def streets() -> pd.DataFrame:
    """One row per street: area, street, land (town or works) and the coordinates of its two ends, about true."""
    return pd.read_csv(Path(__file__).with_name("berlin_streets.csv"))


def x_km(lon: np.ndarray) -> np.ndarray:
    """Kilometres east of the centre."""
    return (np.asarray(lon, dtype=float) - CENTRE[0]) * KM_PER_LON


def y_km(lat: np.ndarray) -> np.ndarray:
    """Kilometres north of the centre."""
    return (np.asarray(lat, dtype=float) - CENTRE[1]) * KM_PER_LAT


def lon_lat(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Degrees of places in kilometres from the centre, to about ten centimetres."""
    return (np.round(np.asarray(x) / KM_PER_LON + CENTRE[0], 6), np.round(np.asarray(y) / KM_PER_LAT + CENTRE[1], 6))


def distance_matrix_km(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Driven kilometres between all places."""
    return DETOUR * np.hypot(x[:, None] - x[None, :], y[:, None] - y[None, :])


def planned_minutes(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Minutes of driving between all places as the planner believes: the same at every hour."""
    km = distance_matrix_km(x, y)
    from_centre = np.hypot(x[:, None] + x[None, :], y[:, None] + y[None, :]) / 2.0
    speed = (17.0 + 27.0 * (1.0 - np.exp(-km / 7.0))) * (1.08 - 0.28 * np.exp(-from_centre / 6.0))
    minutes = km / (speed * PLANNED_PACE) * 60.0 + PARKING_MINUTES
    return np.where(km < 0.01, 0.0, minutes)


def leg(x: float, y: float, to_x: float, to_y: float, pace: float) -> tuple[float, float]:
    """Driven kilometres and true minutes of one leg at a pace (1 is free flow)."""
    km = DETOUR * math.hypot(x - to_x, y - to_y)
    if km < 0.01:
        return 0.0, 0.0
    from_centre = math.hypot(x + to_x, y + to_y) / 2.0
    speed = (17.0 + 27.0 * (1.0 - math.exp(-km / 7.0))) * (1.08 - 0.28 * math.exp(-from_centre / 6.0))
    return km, km / (speed * pace) * 60.0 + PARKING_MINUTES


def true_pace(seed: int, day: date) -> list[list[float]]:
    """The pace of traffic of a day by area and ten-minute slot: rush hours, good and bad days, local trouble."""
    ordinal = day.toordinal()
    hours = np.arange(SLOTS) * SLOT_MINUTES / 60.0
    rush = 0.15 * np.exp(-(((hours - 8.2) / 0.9) ** 2)) + 0.19 * np.exp(-(((hours - 16.9) / 1.3) ** 2))
    weekend = 0.35 if day.weekday() >= 5 else 1.0
    of_the_day = 1.0 + 0.045 * chance.normal(seed, "pace of the day", ordinal)
    area = np.arange(len(AREAS))[:, None]
    local = 0.07 * chance.normal(seed, "pace of area and hour", ordinal, area, hours.astype(int)[None, :])
    pace = (1.13 - weekend * rush[None, :]) * of_the_day + local
    return np.clip(pace, 0.5, 1.3).tolist()
