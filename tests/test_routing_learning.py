"""Travel times learned from legs: what was put in comes out, thin zones and hours stay near the mean, misses are honest."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from lastmile.routing.travel import GreatCircleTravel, Rings
from lastmile.routing.travel.great_circle import great_circle_km
from lastmile.routing.travel.learning import (
    LEAST_LEGS,
    Misses,
    by_hour_and_zone,
    columns,
    fitted,
    learned,
    misses_of,
    zone_words,
)

MONDAY = date(2026, 11, 2)
TRUTH = GreatCircleTravel(
    circuity=1.3,
    speed_kmh_by_hour=tuple(20.0 if hour in (8, 17) else 25.0 for hour in range(24)),
    setting_off_seconds=60,
    far_speed_gain=2.0,
    rings=Rings(13.4, 52.5, (4.0, 8.0), (1.2, 1.0, 0.9)),
)


def legs_driven(
    travel: GreatCircleTravel, count: int = 4000, days: int = 10, seed: int = 1, noise: float = 0.0
) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    ends = {name: draw.normal(13.4, 0.08, count) for name in ("lon", "next_lon")}
    ends |= {name: draw.normal(52.5, 0.05, count) for name in ("lat", "next_lat")}
    legs = pd.DataFrame(ends).assign(
        hour=draw.integers(7, 19, count), day=[MONDAY + timedelta(days=int(one)) for one in np.arange(count) % days]
    )
    legs["straight_km"] = [
        great_circle_km(np.array([one.lon, one.next_lon]), np.array([one.lat, one.next_lat]))[0, 1]
        for one in legs.itertuples()
    ]
    legs["minutes"] = travel.leg_seconds(columns(legs)) / 60 * np.exp(draw.normal(0, noise, count))
    return legs


@pytest.fixture(scope="module")
def legs() -> pd.DataFrame:
    return legs_driven(TRUTH, noise=0.1)


def test_what_the_legs_were_driven_by_is_found_again(legs):
    model = fitted(legs, circuity=1.3)
    assert model.setting_off_seconds == pytest.approx(60, abs=10)
    assert model.far_speed_gain == pytest.approx(2.0, rel=0.08)
    assert model.speed_kmh_by_hour[8] / model.speed_kmh_by_hour[12] == pytest.approx(0.8, rel=0.05)
    slow, middle, fast = model.rings.slowness
    assert slow > middle > fast
    assert misses_of(model, legs).mean_absolute_minutes < 1.2 * misses_of(TRUTH, legs).mean_absolute_minutes


def test_an_hour_without_legs_is_driven_at_the_overall_pace_and_a_thin_one_near_it(legs):
    thin = legs[(legs.hour != 17) | (legs.index % 20 == 0)]
    speeds = fitted(thin, 1.3).speed_kmh_by_hour
    full = fitted(legs, 1.3).speed_kmh_by_hour
    assert speeds[3] == speeds[22]
    assert full[17] < speeds[17] < speeds[3]


def test_misses_are_those_of_days_that_were_not_learned_from(legs):
    found = learned(legs, 1.3)
    older, last = legs[legs.day < MONDAY + timedelta(days=8)], legs[legs.day >= MONDAY + timedelta(days=8)]
    assert (found.days, found.held_out_days, found.legs) == (10, 2, 4000)
    assert found.misses == misses_of(fitted(older, 1.3), last)
    assert found.default_misses == misses_of(GreatCircleTravel(), last)
    assert found.misses.mean_absolute_minutes < found.default_misses.mean_absolute_minutes / 2
    assert "learned from 4,000 legs on 10 days" in found.words
    assert "last 2 days that were held out (800 legs)" in found.words


def test_misses_by_hand():
    legs = legs_driven(TRUTH, count=3)
    legs["minutes"] += [1.0, -2.0, 3.0]
    found = misses_of(TRUTH, legs)
    assert (found.legs, found.mean_absolute_minutes) == (3, pytest.approx(2.0))
    assert found.median_bias_minutes == pytest.approx(-1.0)
    assert found.words == "2.0 min a leg (in the median 1.0 min too short)"
    assert Misses(5, 1.26, 0.04).words == "1.3 min a leg (in the median 0.0 min)"


def test_legs_that_hold_a_break_pull_little(legs):
    broken = legs.assign(minutes=legs.minutes + np.where(legs.index % 20 == 0, 60, 0))
    model, clean = fitted(broken, 1.3), fitted(legs, 1.3)
    apart = np.abs(model.leg_seconds(columns(legs)) / clean.leg_seconds(columns(legs)) - 1)
    assert np.quantile(apart, 0.99) < 0.03


def test_few_legs_teach_nothing_and_that_is_said():
    few = learned(legs_driven(TRUTH, count=LEAST_LEGS - 1))
    assert few.travel == GreatCircleTravel()
    assert few.legs == 0
    assert few.words == "Travel times are the plain default: 199 legs on record, fewer than 200."
    none = learned(legs_driven(TRUTH, count=2).iloc[:0])
    assert none.words == "Travel times are the plain default: 0 legs on record, fewer than 200."


def test_one_day_teaches_but_is_not_judged():
    found = learned(legs_driven(TRUTH, count=400, days=1))
    assert found.legs == 400
    assert found.misses is None
    assert "too few days are on record to say how far off they are" in found.words


def test_what_is_no_better_on_held_out_days_is_not_used():
    legs = legs_driven(GreatCircleTravel(), days=4)
    last = legs.day == MONDAY + timedelta(days=3)
    other_world = legs.assign(minutes=np.where(last, legs.minutes, legs.minutes * 3))
    found = learned(other_world)
    assert found.travel == GreatCircleTravel()
    assert "no better on held-out days" in found.words


def test_the_rows_behind_it_add_to_all_legs(legs):
    found = learned(legs, 1.3)
    rows = by_hour_and_zone(found, legs)
    assert rows.legs.sum() == 4000
    assert set(rows.zone) == set(zone_words(found.travel.rings))
    assert set(rows.hour) == set(range(7, 19))
    weighed = (rows.default_off_minutes * rows.legs).sum() / rows.legs.sum()
    assert weighed == pytest.approx(misses_of(GreatCircleTravel(), legs).mean_absolute_minutes)
    assert rows.model_kmh.to_numpy() == pytest.approx(rows.speed_kmh.to_numpy(), rel=0.1)


def test_zones_in_words():
    assert zone_words(Rings(0, 0, (4.0, 8.0), (1.0, 1.0, 1.0))) == [
        "within 4.0 km of the middle",
        "4.0 to 8.0 km",
        "beyond 8.0 km",
    ]
