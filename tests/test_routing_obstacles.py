"""What makes a stop impossible before anything is solved, said for each stop and spoiling no other."""

from dataclasses import replace

import pytest

from lastmile.model import WindowSemantics
from lastmile.routing import Cause, GivenTravel, Obstacle, TravelMatrix, evaluate, problems_of
from lastmile.routing.travel import NO_WAY_SECONDS
from tests.routing_problems import EIGHT, HOUR, MINUTE, drop, line, van

NAN = float("nan")


def obstacles(*stops, vehicles=(), **fields) -> dict[str, Obstacle]:
    return problems_of(line(stops, [10 * number for number in range(1, len(stops) + 1)], vehicles, **fields))


def words(*stops, vehicles=()) -> dict[str, str]:
    return {stop_id: obstacle.words for stop_id, obstacle in obstacles(*stops, vehicles=vehicles).items()}


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"need_by": NAN}, "not a valid time: need-by"),
        ({"opens": NAN, "closes": NAN}, "not a valid time: opening and closing"),
        ({"more_windows": ((NAN, EIGHT + HOUR),)}, "not a valid time: window 2"),
        ({"released_at": NAN}, "not a valid time: release"),
        ({"crew_price_per_minute": -1}, "not a valid amount: price of an idle crew"),
        ({"price_per_early_minute": float("inf")}, "not a valid amount: price of being early"),
        ({"demand": {"kg": -5}}, "not a valid amount: kg"),
    ],
)
def test_a_time_or_amount_that_is_none_is_named(fields, told):
    (obstacle,) = obstacles(drop(**fields)).values()
    assert (obstacle.cause, obstacle.words) == (Cause.BAD_NUMBER, told)


def test_any_window_that_ends_before_it_starts_is_told_with_its_hours():
    stop = drop(closes=EIGHT + HOUR, more_windows=((EIGHT + 4 * HOUR, EIGHT + 3 * HOUR),))
    (obstacle,) = obstacles(stop).values()
    assert obstacle.cause == Cause.WINDOW_REVERSED
    assert obstacle.words == "its window ends before it starts (opens 12:00, closes 11:00)"


def test_goods_collected_nowhere_are_told():
    assert words(drop("B", collected_at="C")) == {"B": "its goods are collected at C, which is not in the problem"}


def test_goods_go_from_a_pickup_to_a_delivery_and_the_stop_named_by_mistake_is_served():
    told = "goods go from a pickup to a delivery; C → it is no such pair"
    assert words(drop("C"), drop("B", collected_at="C")) == {"B": told}
    assert words(drop("C", pickup=True), drop("B", pickup=True, collected_at="C")) == {"B": told}
    itself = drop("C", pickup=True, collected_at="C")
    assert words(itself) == {"C": told}
    problem = line([drop("C"), drop("B", collected_at="C")], [10, 20])
    assert evaluate(problem, {"V1": ("C",)}).violations == ()


@pytest.mark.parametrize("half", ["C", "B"])
@pytest.mark.parametrize(
    "fields",
    [{"service_seconds": NAN}, {"required_skills": frozenset({"crane"})}, {"demand": {"kg": 900}}, {"closes": EIGHT}],
)
def test_half_a_pair_is_of_no_use(half, fields):
    stops = {"C": drop("C", pickup=True), "B": drop("B", collected_at="C")}
    other = "B" if half == "C" else "C"
    found = obstacles(*(stops | {half: replace(stops[half], **fields)}).values())
    assert found[other].cause == Cause.PAIR
    assert found[other].words == f"it goes with {half}, which can't be served: {found[half].words}"


def test_a_pair_needs_one_vehicle_for_both():
    stops = drop("C", pickup=True, allowed_vehicles={"V1"}), drop("B", collected_at="C", allowed_vehicles={"V2"})
    told = words(*stops, vehicles=[van("V1"), van("V2")])
    assert told == {
        "C": "no vehicle may serve both it and B, which it goes with",
        "B": "no vehicle may serve both it and C, which it goes with",
    }


def test_a_place_without_a_way_is_told_with_the_source_of_the_times():
    plain = line([drop("S1"), drop("S2")], [10, 20])
    seconds, km = plain.travel.given.seconds.copy(), plain.travel.given.km
    seconds[:, 1] = NO_WAY_SECONDS
    problem = replace(plain, travel=GivenTravel(TravelMatrix(seconds, km, source="the road graph")))
    assert {one: (o.cause, o.words) for one, o in problems_of(problem).items()} == {
        "S2": (Cause.NO_WAY, "no way leads to it by the road graph")
    }


def test_a_quick_driver_is_not_taken_for_too_late():
    stop = drop(closes=EIGHT + 16 * MINUTE, semantics=WindowSemantics.SERVICE_END)
    assert words(stop, vehicles=[van(service_pace=0.5)]) == {}
    assert words(stop, vehicles=[van()]) == {
        "S1": "its window closes at 08:16, before any vehicle can serve it: the earliest is V1 at 08:10"
    }


def test_goods_that_come_too_late_for_their_window_are_told_the_first_moment():
    stop = drop(closes=EIGHT + HOUR, released_at=EIGHT + HOUR)
    assert words(stop) == {
        "S1": "its window closes at 09:00, before any vehicle can serve it: the earliest is V1 at 09:10"
    }
    on_board = van(loaded_stop_ids=frozenset({"S1"}))
    assert words(stop, vehicles=[on_board]) == {}


def test_a_vehicle_that_may_still_reload_can_bring_what_it_left_without():
    departed = van(departed=True, in_use=True)
    assert words(drop(), vehicles=[departed]) == {
        "S1": "every vehicle that may serve it has left the depot without its goods"
    }
    assert words(drop(), vehicles=[replace(departed, max_reloads=1)]) == {}
