"""Travel without a network: distances of known places, pace by zone and local hour, speed and size of the matrix."""

import time
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from lastmile.routing import GivenTravel, GreatCircleTravel, TravelMatrix
from lastmile.routing.travel import Rings
from lastmile.routing.travel.great_circle import SPEED_KMH_BY_HOUR, great_circle_km
from lastmile.routing.travel.periods import periods_of
from lastmile.routing.travel.service import ServiceTravel

MUNICH, AUGSBURG = (11.5755, 48.1374), (10.8978, 48.3705)
MIDNIGHT_UTC = 1_750_000_000 // 86_400 * 86_400
"""In June: 02:00 in Berlin."""
FLAT = (60.0,) * 24


def between(travel: GreatCircleTravel, start: float = MIDNIGHT_UTC, zone: str = "UTC") -> tuple[float, float]:
    lon, lat = np.array([MUNICH, AUGSBURG]).T
    matrix = travel.matrix(lon, lat, start, start + 3600, zone)
    return float(matrix.km[0, 1]), int(matrix.seconds[0, 1])


def places(count: int) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(7)
    return draw.uniform(11.3, 11.8, count), draw.uniform(48, 48.3, count)


def test_munich_to_augsburg_is_57_km_as_the_crow_flies():
    km, seconds = between(GreatCircleTravel(circuity=1, speed_kmh_by_hour=FLAT, setting_off_seconds=0))
    # Δlat 0.2331° = 25.92 km; Δlon 0.6777° × cos 48.25° = 50.18 km
    assert km == pytest.approx(56.48, abs=0.05)
    assert seconds == pytest.approx(km * 60, abs=1)


def test_the_speed_is_that_of_the_local_hour():
    slow_at_two = tuple(30.0 if hour == 2 else 60.0 for hour in range(24))
    travel = GreatCircleTravel(circuity=1, speed_kmh_by_hour=slow_at_two, setting_off_seconds=0)
    km, seconds = between(travel, zone="Europe/Berlin")
    assert seconds == pytest.approx(km * 120, abs=1)
    assert between(travel, zone="UTC")[1] == pytest.approx(km * 60, abs=1)


def test_hours_of_one_pace_are_one_period_and_others_begin_at_the_full_hour():
    slow_from_eight_to_ten = tuple(20.0 if hour in (8, 9) else 40.0 for hour in range(24))
    travel = GreatCircleTravel(speed_kmh_by_hour=slow_from_eight_to_ten)
    periods = travel.periods(MIDNIGHT_UTC + 6.5 * 3600, MIDNIGHT_UTC + 12 * 3600, "UTC")
    assert [(one.begins - MIDNIGHT_UTC) / 3600 for one in periods] == [6.5, 8, 10]
    assert [one.seconds / 3600 for one in periods] == [1.5, 2, 2]
    assert [one.pace for one in periods] == [90, 180, 90]


def test_paces_that_are_too_many_are_merged_with_the_nearest_and_keep_the_mean():
    speeds = (20.0, 21.0, 40.0, 60.0) + (60.0,) * 20
    periods = periods_of(speeds, MIDNIGHT_UTC, MIDNIGHT_UTC + 4 * 3600, "UTC", most=2)
    assert [one.seconds / 3600 for one in periods] == [2, 2]
    assert periods[0].pace == pytest.approx((180 + 3600 / 21) / 2)
    assert periods[1].pace == pytest.approx((90 + 60) / 2)
    assert len(periods_of(SPEED_KMH_BY_HOUR, MIDNIGHT_UTC, MIDNIGHT_UTC + 86_400, "UTC")) == 5


def test_a_day_that_puts_the_clock_forward_has_23_hours():
    spring = datetime(2026, 3, 29, tzinfo=ZoneInfo("Europe/Berlin")).timestamp()
    by_hour = tuple(float(hour + 20) for hour in range(24))
    periods = periods_of(by_hour, spring, spring + 23 * 3600, "Europe/Berlin", most=24)
    assert sum(one.seconds for one in periods) == 23 * 3600
    assert 3600 / 22 not in [one.pace for one in periods]


def test_beyond_the_first_two_kilometres_a_leg_is_driven_faster():
    travel = GreatCircleTravel(circuity=1, speed_kmh_by_hour=FLAT, setting_off_seconds=0, far_speed_gain=2)
    km, seconds = between(travel)
    # 2 km at a minute each, the rest at half a minute each
    assert seconds == pytest.approx(120 + (km - 2) * 30, abs=1)


def test_a_leg_is_as_slow_as_the_ring_of_its_middle():
    lon, lat = np.array([11.0, 11.1, 11.9]), np.array([48.0, 48.0, 48.0])
    rings = Rings(lon=11.0, lat=48.0, radii_km=(10.0,), slowness=(1.5, 1.0))
    plain = GreatCircleTravel(setting_off_seconds=0, speed_kmh_by_hour=FLAT).matrix(lon, lat, 0, 1, "UTC").seconds
    slow = GreatCircleTravel(setting_off_seconds=0, speed_kmh_by_hour=FLAT, rings=rings).matrix(lon, lat, 0, 1, "UTC")
    # the middles lie 3.7, 33.5 and 37.2 km from the centre
    assert slow.seconds[0, 1] == pytest.approx(plain[0, 1] * 1.5, abs=1)
    assert slow.seconds[0, 2] == plain[0, 2]
    assert slow.seconds[1, 2] == plain[1, 2]
    assert rings.of(lon, lat).tolist() == [0, 0, 1]


def test_single_legs_take_what_the_matrix_says():
    rings = Rings(11.5, 48.15, (5.0, 10.0), (1.2, 1.0, 0.9))
    travel = GreatCircleTravel(rings=rings, far_speed_gain=1.8)
    lon, lat = places(40)
    at_nine = MIDNIGHT_UTC + 9 * 3600
    matrix = travel.matrix(lon, lat, at_nine, at_nine + 3600, "UTC")
    pairs = np.indices((40, 40)).reshape(2, -1)[:, ::7]
    pairs = pairs[:, pairs[0] != pairs[1]]
    legs = {"lon": lon[pairs[0]], "lat": lat[pairs[0]], "next_lon": lon[pairs[1]], "next_lat": lat[pairs[1]]}
    legs |= {"straight_km": great_circle_km(lon, lat)[*pairs], "hour": np.full(pairs.shape[1], 9)}
    assert matrix.seconds[*pairs] == pytest.approx(travel.leg_seconds(legs), abs=1.1)


def test_one_place_is_no_way_from_itself():
    matrix = GreatCircleTravel().matrix(np.array([11.5, 11.5]), np.array([48.1, 48.1]), 0, 1, "UTC")
    assert matrix.seconds.sum() == 0
    assert matrix.km.sum() == 0


def test_a_matrix_of_a_thousand_places_takes_less_than_a_quarter_of_a_second_with_all_its_periods():
    lon, lat = places(1000)
    travel = GreatCircleTravel(rings=Rings(11.5, 48.15, (5.0, 10.0), (1.1, 1.0, 0.9)), far_speed_gain=2)
    taken = []
    for _ in range(5):
        began = time.perf_counter()
        matrix = travel.matrix(lon, lat, MIDNIGHT_UTC + 4 * 3600, MIDNIGHT_UTC + 18 * 3600, "Europe/Berlin")
        taken.append(time.perf_counter() - began)
    assert matrix.periods == 5
    assert min(taken) < 0.25


def test_a_large_matrix_has_fewer_periods_and_a_huge_one_is_refused_with_what_to_do():
    lon, lat = places(2500)
    matrix = GreatCircleTravel().matrix(lon, lat, MIDNIGHT_UTC + 4 * 3600, MIDNIGHT_UTC + 18 * 3600, "UTC")
    assert matrix.seconds.shape == (3, 2500, 2500)
    assert (matrix.seconds.dtype, matrix.km.dtype) == (np.int32, np.float32)
    assert len(GreatCircleTravel().periods(MIDNIGHT_UTC, MIDNIGHT_UTC + 86_400, "UTC", 5000)) == 1
    with pytest.raises(ValueError, match=r"12,001 places are too many for one matrix.*plan by depot"):
        GreatCircleTravel().matrix(np.zeros(12_001), np.zeros(12_001), 0, 1, "UTC")
    with pytest.raises(ValueError, match="plan by depot or by area"):
        ServiceTravel("osrm", "http://localhost").matrix(np.zeros(12_001), np.zeros(12_001), 0, 1, "UTC")


def test_a_given_matrix_with_a_hole_is_refused_with_its_place():
    hole = np.array([[0.0, np.nan], [1.0, 0.0]])
    with pytest.raises(ValueError, match="no valid value from place 0 to place 1"):
        GivenTravel(TravelMatrix(hole, hole)).matrix(np.zeros(2), np.zeros(2), 0, 1, "UTC")
    with pytest.raises(ValueError, match="has 2 places, the problem has 3"):
        GivenTravel(TravelMatrix(hole, hole)).matrix(np.zeros(3), np.zeros(3), 0, 1, "UTC")


def test_a_speed_profile_needs_24_hours():
    with pytest.raises(ValueError, match="24 speeds"):
        GreatCircleTravel(speed_kmh_by_hour=(30.0,) * 23)


def test_rings_and_gains_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="ascending radii"):
        Rings(0, 0, (2.0, 1.0), (1.0, 1.0, 1.0))
    with pytest.raises(ValueError, match="above zero"):
        Rings(0, 0, (1.0,), (1.0, 0.0))
    with pytest.raises(ValueError, match="far_speed_gain"):
        GreatCircleTravel(far_speed_gain=0)
