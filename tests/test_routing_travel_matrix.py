"""A travel matrix with periods of the day: worked by hand, first in first out, and back again."""

import pickle

import numpy as np
import pytest

from lastmile.routing import TravelMatrix

KM = np.array([[0, 10], [10, 0]], dtype=np.float32)


def two_periods(first: int = 600, second: int = 1200, at: float = 1000.0) -> TravelMatrix:
    seconds = np.array([[[0, first], [first, 0]], [[0, second], [second, 0]]], dtype=np.int32)
    return TravelMatrix(seconds, KM, (at,), (0.25, 0.75))


def random_matrix(seed: int, places: int = 6) -> TravelMatrix:
    draw = np.random.default_rng(seed)
    periods = int(draw.integers(1, 6))
    seconds = draw.integers(0, 4000, (periods, places, places)).astype(np.int32)
    seconds[:, range(places), range(places)] = 0
    boundaries = np.sort(draw.choice(10_000, periods - 1, replace=False)).astype(float)
    return TravelMatrix(seconds, np.ones((places, places), dtype=np.float32), tuple(boundaries))


def test_a_leg_within_one_period_is_driven_at_its_pace():
    matrix = two_periods()
    assert matrix.arrival(0, 1, 400) == 1000
    assert matrix.arrival(0, 1, 1000) == 2200
    assert matrix.departure(0, 1, 1000) == 400
    assert matrix.departure(0, 1, 2200) == 1000


def test_a_leg_across_a_boundary_is_driven_at_each_pace_in_turn():
    # 300 of 600 s are driven by 1000, half the way; the other half takes 600 s at the second pace
    assert two_periods().arrival(0, 1, 700) == 1600
    assert two_periods().departure(0, 1, 1600) == 700


def test_a_leg_may_cross_more_than_one_boundary():
    seconds = np.array([[[0, 100], [100, 0]], [[0, 400], [400, 0]], [[0, 100], [100, 0]]], dtype=np.int32)
    matrix = TravelMatrix(seconds, KM, (50.0, 150.0))
    # a half by 50, a quarter more by 150, the last quarter in 25 s
    assert matrix.arrival(0, 1, 0) == 175
    assert matrix.departure(0, 1, 175) == 0


def test_one_period_adds_its_seconds():
    matrix = TravelMatrix(two_periods().at(0), KM)
    assert matrix.periods == 1
    assert matrix.arrival(0, 1, 5000) == 5600
    assert matrix.departure(0, 1, 5600) == 5000
    assert matrix.mean is matrix.seconds


@pytest.mark.parametrize("seed", range(40))
def test_nobody_who_sets_out_later_arrives_earlier_and_the_way_back_in_time_is_the_inverse(seed):
    matrix, draw = random_matrix(seed), np.random.default_rng(seed)
    origin, destination = draw.integers(0, 6, 2)
    departures = np.sort(draw.uniform(-1000, 12_000, 60))
    arrivals = [matrix.arrival(origin, destination, departs) for departs in departures]
    assert arrivals == sorted(arrivals)
    assert all(arrives >= departs for arrives, departs in zip(arrivals, departures, strict=True))
    for departs, arrives in zip(departures, arrivals, strict=True):
        assert matrix.arrival(origin, destination, matrix.departure(origin, destination, arrives)) == pytest.approx(
            arrives
        )
        if matrix.seconds[..., origin, destination].min() > 0:
            assert matrix.departure(origin, destination, arrives) == pytest.approx(departs, abs=1e-6)


def test_the_mean_weighs_each_period_by_its_share_of_the_span():
    matrix = two_periods()
    assert matrix.mean.tolist() == [[0, 1050], [1050, 0]]
    assert matrix.mean.dtype == np.int32
    assert TravelMatrix(matrix.seconds, KM, (1000.0,)).mean[0, 1] == 900


def test_an_instant_belongs_to_the_period_that_begins_with_it():
    assert [two_periods().period_at(instant) for instant in (-5, 999, 1000, 99_999)] == [0, 0, 1, 1]


def test_open_ends_take_nothing_to_reach_in_any_period():
    matrix = two_periods().without_way_to([1])
    assert matrix.seconds[:, 0, 1].tolist() == [0, 0]
    assert matrix.seconds[:, 1, 0].tolist() == [600, 1200]
    assert matrix.arrival(0, 1, 990) == 990
    assert matrix.boundaries == (1000.0,)


def test_periods_need_their_boundaries_in_order():
    seconds = np.zeros((3, 2, 2), dtype=np.int32)
    for boundaries in ((), (1.0,), (2.0, 1.0), (1.0, 1.0)):
        with pytest.raises(ValueError, match="3 periods have one boundary less"):
            TravelMatrix(seconds, KM, boundaries)
    with pytest.raises(ValueError, match="square"):
        TravelMatrix(seconds, np.zeros((3, 3)), (1.0, 2.0))
    with pytest.raises(IndexError, match="no period 2 of 2"):
        two_periods().at(2)


def test_another_process_gets_the_same_matrix():
    matrix = two_periods()
    matrix.arrival(0, 1, 0)
    sent = pickle.loads(pickle.dumps(matrix))  # noqa: S301 - our own
    assert sent.arrival(0, 1, 700) == 1600
