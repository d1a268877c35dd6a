"""Travel without a network: distances of known places, pace by local hour, speed of the matrix."""

import time

import numpy as np
import pytest

from lastmile.routing import GivenTravel, GreatCircleTravel, TravelMatrix

MUNICH, AUGSBURG = (11.5755, 48.1374), (10.8978, 48.3705)
MIDNIGHT_UTC = 1_750_000_000 // 86_400 * 86_400
"""In June: 02:00 in Berlin."""
FLAT = (60.0,) * 24


def between(travel: GreatCircleTravel, start: float = MIDNIGHT_UTC, zone: str = "UTC") -> tuple[float, float]:
    lon, lat = np.array([MUNICH, AUGSBURG]).T
    matrix = travel.matrix(lon, lat, start, start + 3600, zone)
    return float(matrix.km[0, 1]), int(matrix.seconds[0, 1])


def test_munich_to_augsburg_is_57_km_as_the_crow_flies():
    km, seconds = between(GreatCircleTravel(circuity=1, speed_kmh_by_hour=FLAT, setting_off_seconds=0))
    # Δlat 0.2331° = 25.92 km; Δlon 0.6777° × cos 48.25° = 50.18 km
    assert km == pytest.approx(56.48, abs=0.05)
    assert seconds == pytest.approx(km * 60, abs=1)


def test_the_speed_is_that_of_the_local_hour():
    slow_at_two = tuple(30.0 if hour == 2 else 60.0 for hour in range(24))
    travel = GreatCircleTravel(speed_kmh_by_hour=slow_at_two)
    assert travel.seconds_per_km(MIDNIGHT_UTC, MIDNIGHT_UTC + 3600, "Europe/Berlin") == 120
    assert travel.seconds_per_km(MIDNIGHT_UTC, MIDNIGHT_UTC + 3600, "UTC") == 60
    assert travel.seconds_per_km(MIDNIGHT_UTC, MIDNIGHT_UTC + 7200, "Europe/Berlin") == 90


def test_one_place_is_no_way_from_itself():
    matrix = GreatCircleTravel().matrix(np.array([11.5, 11.5]), np.array([48.1, 48.1]), 0, 1, "UTC")
    assert matrix.seconds.sum() == 0
    assert matrix.km.sum() == 0


def test_a_matrix_of_a_thousand_places_takes_less_than_a_quarter_of_a_second():
    draw = np.random.default_rng(7)
    lon, lat = draw.uniform(11.3, 11.8, 1000), draw.uniform(48, 48.3, 1000)
    began = time.perf_counter()
    GreatCircleTravel().matrix(lon, lat, MIDNIGHT_UTC, MIDNIGHT_UTC + 36_000, "Europe/Berlin")
    assert time.perf_counter() - began < 0.25


def test_a_given_matrix_with_a_hole_is_refused_with_its_place():
    hole = np.array([[0.0, np.nan], [1.0, 0.0]])
    with pytest.raises(ValueError, match="no valid value from place 0 to place 1"):
        GivenTravel(TravelMatrix(hole, hole)).matrix(np.zeros(2), np.zeros(2), 0, 1, "UTC")
    with pytest.raises(ValueError, match="has 2 places, the problem has 3"):
        GivenTravel(TravelMatrix(hole, hole)).matrix(np.zeros(3), np.zeros(3), 0, 1, "UTC")


def test_a_speed_profile_needs_24_hours():
    with pytest.raises(ValueError, match="24 speeds"):
        GreatCircleTravel(speed_kmh_by_hour=(30.0,) * 23)
