"""What a manager's own alternative costs and breaks: on the straight road by pencil and paper, and over seeds.

A km takes a minute and costs 0.50, a minute 0.50, a van's day 40, a stop ten minutes.
"""

import random
from collections import Counter
from dataclasses import replace

import pytest

from lastmile.routing import (
    RELOAD,
    Cause,
    ChangeBudget,
    KeepOrder,
    MoveStop,
    Problem,
    PutFirst,
    SwapStops,
    TakeOut,
    compare,
    evaluate,
    try_alternative,
)
from tests.routing_problems import EIGHT, HOUR, MINUTE, drop, line, random_problem, van

THIN = "\u202f"
OUT = {"in_use": True}


def euros(amount: str) -> str:
    return f"€{THIN}{amount}"


def orders(change) -> dict[str, tuple[str, ...]]:
    return {route.vehicle_id: route.order for route in change.after.routes}


def two_vans(**fields) -> Problem:
    """S1, S2 and S3 at km 10, 20 and 30; both vans on the road already."""
    stops = [drop("S1"), drop("S2", **fields), drop("S3")]
    return line(stops, [10, 20, 30], [van("V1", **OUT), van("V2", **OUT)])


PLAN = {"V1": ("S1", "S3"), "V2": ("S2",)}


def test_a_stop_moves_to_another_vehicle_where_it_costs_least():
    change = try_alternative(two_vans(), PLAN, MoveStop("S2", "V1"))
    assert orders(change) == {"V1": ("S1", "S2", "S3"), "V2": ()}
    # V2 stays at home: forty minutes and km less
    assert change.cost.difference == -40
    assert change.words == f"{euros('40.00')} less; breaks nothing"
    assert [one.stop_id for one in change.moved] == ["S2"]


def test_a_stop_moves_to_a_place_that_is_named():
    change = try_alternative(two_vans(), PLAN, MoveStop("S2", "V1", position=2))
    assert orders(change)["V1"] == ("S1", "S3", "S2")
    assert orders(try_alternative(two_vans(), PLAN, MoveStop("S2", "V1", position=0)))["V1"] == ("S2", "S1", "S3")
    # one back from km 30 to km 20 and home is no detour; before S1 it is twenty minutes and km
    assert change.cost.difference == -40
    assert try_alternative(two_vans(), PLAN, MoveStop("S2", "V1", position=0)).cost.difference == -20


def test_positions_count_stops_and_not_reloads():
    problem = line([drop("S1"), drop("S2"), drop("S3")], [10, 20, 30], [van("V1", max_reloads=1, **OUT)])
    plan = {"V1": ("S1", RELOAD, "S3")}
    assert orders(try_alternative(problem, plan, MoveStop("S2", "V1", position=1)))["V1"] == ("S1", RELOAD, "S2", "S3")


def test_what_a_move_breaks_is_told():
    problem = two_vans(closes=EIGHT + 25 * MINUTE, required_skills=frozenset({"cold"}))
    problem = replace(problem, vehicles=(problem.vehicles[0], van("V2", skills=frozenset({"cold"}), **OUT)))
    change = try_alternative(problem, PLAN, MoveStop("S2", "V1", position=2))
    assert change.newly_broken == ("S2",)
    # at km 30 by 08:50 with both stops, at km 20 by 09:00
    assert change.breaks == ("S2 is reached 35 min after its window", "S2: V1 lacks a skill that it requires")
    soft = replace(problem.stops[1], price_per_late_minute=1.0, required_skills=frozenset())
    problem = replace(problem, stops=(problem.stops[0], soft, problem.stops[2]))
    late = try_alternative(problem, PLAN, MoveStop("S2", "V1", position=2))
    assert late.words == f"{euros('5.00')} less; breaks: S2 is 35 min late for its promise"


def test_a_stop_that_is_not_served_can_be_given_to_a_vehicle():
    change = try_alternative(two_vans(), {"V1": ("S1", "S3")}, MoveStop("S2", "V2"))
    assert change.newly_served == ("S2",)
    assert change.cost.difference == 45 - 500


def test_what_is_first_comes_first_behind_what_is_committed():
    stops = [drop("S1"), drop("S2"), drop("S3")]
    problem = line(stops, [10, 20, 30], [van("V1", committed_stop_ids=("S1",), **OUT)])
    change = try_alternative(problem, {"V1": ("S1", "S2", "S3")}, PutFirst("S3"))
    assert orders(change) == {"V1": ("S1", "S3", "S2")}
    assert change.words == "at no cost; breaks nothing"
    assert orders(try_alternative(two_vans(), PLAN, PutFirst("S3"))) == {"V1": ("S3", "S1"), "V2": ("S2",)}


def test_a_crew_that_would_wait_is_told_in_money():
    problem = line(
        [drop("S1", need_by=EIGHT + 10 * MINUTE, crew_price_per_minute=2), drop("S2")], [10, 10], [van(**OUT)]
    )
    change = try_alternative(problem, {"V1": ("S1", "S2")}, PutFirst("S2"))
    assert change.words == f"{euros('20.00')} more; breaks: crews wait for {euros('20.00')} more"


def test_two_stops_change_places():
    change = try_alternative(two_vans(), PLAN, SwapStops("S2", "S3"))
    assert orders(change) == {"V1": ("S1", "S2"), "V2": ("S3",)}
    assert change.words == "at no cost; breaks nothing"
    assert orders(try_alternative(two_vans(), PLAN, SwapStops("S1", "S3")))["V1"] == ("S3", "S1")


def test_yesterdays_order_is_kept_and_what_is_new_today_costs_least_where_it_is():
    yesterday = {"V1": ("S3", "S1", "S9"), "V7": ("S2",)}
    change = try_alternative(two_vans(), PLAN, KeepOrder(yesterday))
    assert orders(change) == {"V1": ("S3", "S1"), "V2": ("S2",)}
    assert try_alternative(two_vans(), PLAN, KeepOrder({"V2": ("S3",)})).after.stops["S3"].vehicle_id == "V2"


def test_yesterdays_trips_are_kept_without_reloads_that_part_nothing():
    problem = line([drop("S1"), drop("S2")], [10, 20], [van("V1", max_reloads=1, **OUT)])
    yesterday = KeepOrder({"V1": (RELOAD, "S2", RELOAD, "S8", RELOAD, "S1", RELOAD)})
    assert orders(try_alternative(problem, {"V1": ("S1", "S2")}, yesterday)) == {"V1": ("S2", RELOAD, "S1")}


def test_a_vehicle_is_taken_out_and_its_stops_go_where_they_fit():
    change = try_alternative(two_vans(), PLAN, TakeOut("V2"))
    assert orders(change)["V2"] == ()
    assert change.cost.difference == -40
    full = replace(two_vans(), vehicles=(van("V1", capacity={"kg": 20}, **OUT), van("V2", **OUT)))
    lost = try_alternative(full, PLAN, TakeOut("V2"))
    # S2 is worth 500; V2 saves forty minutes and km and ten of service
    assert lost.words == f"{euros('455.00')} more; breaks: S2 is no longer served"


def test_a_vehicle_that_is_out_can_not_keep_its_commitments_nor_the_budget():
    stops = [drop("S1", present_vehicle_id="V1"), drop("S2", present_vehicle_id="V2"), drop("S3")]
    vans = [van("V1", **OUT), van("V2", committed_stop_ids=("S2",), **OUT)]
    problem = line(stops, [10, 20, 30], vans, budget=ChangeBudget(moved=0))
    assert try_alternative(problem, PLAN, TakeOut("V2")).breaks == (
        "V2 leaves what it is committed to serve first", "S2 is no longer served",
    )  # fmt: skip
    free = replace(problem, vehicles=(van("V1", **OUT), van("V2", **OUT)))
    assert try_alternative(free, PLAN, TakeOut("V2")).breaks == (
        "1 stop changes vehicle, 1 more than the budget of 0",
    )  # fmt: skip


@pytest.mark.parametrize("stop_id", ["C", "B"])
def test_both_halves_of_a_pair_move_together(stop_id):
    stops = [drop("S1"), drop("C", pickup=True), drop("B", collected_at="C")]
    problem = line(stops, [10, 20, 30], [van("V1", **OUT), van("V2", **OUT)])
    change = try_alternative(problem, {"V1": ("C", "B"), "V2": ("S1",)}, MoveStop(stop_id, "V2"))
    assert change.breaks == ()
    assert set(orders(change)["V2"]) == {"S1", "C", "B"}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (MoveStop("S9", "V1"), "there is no stop S9 in the problem"),
        (MoveStop("S1", "V9"), "there is no vehicle V9 in the problem"),
        (TakeOut("V9"), "there is no vehicle V9 in the problem"),
        (PutFirst("S2"), "no vehicle serves S2 in this plan; move it to one"),
        (SwapStops("S1", "S2"), "no vehicle serves S2 in this plan; move it to one"),
    ],
)
def test_what_can_not_be_tried_is_refused_in_words(change, told):
    with pytest.raises(ValueError, match=told):
        try_alternative(two_vans(), {"V1": ("S1", "S3")}, change)


def any_change(problem: Problem, routes, draw: random.Random):
    served = [stop_id for row in routes.values() for stop_id in row if stop_id != RELOAD]
    vehicles = [vehicle.vehicle_id for vehicle in problem.vehicles]
    one, other = draw.sample(served, 2)
    other_order = {vehicle_id: tuple(draw.sample(row, len(row))) for vehicle_id, row in routes.items()}
    return draw.choice([
        MoveStop(one, draw.choice(vehicles)),
        MoveStop(one, draw.choice(vehicles), draw.randrange(6)),
        PutFirst(one),
        SwapStops(one, other),
        KeepOrder(other_order),
        TakeOut(draw.choice(vehicles)),
    ])  # fmt: skip


@pytest.mark.parametrize("seed", range(60))
def test_an_alternative_loses_no_stop_and_its_price_is_the_evaluators(seed):
    problem = random_problem(seed, rich=True)
    routes, draw = problem.plan_in_force(), random.Random(seed)
    for _ in range(4):
        asked = any_change(problem, routes, draw)
        change = try_alternative(problem, routes, asked)
        served = Counter(stop_id for row in orders(change).values() for stop_id in row if stop_id != RELOAD)
        assert set(served.values()) <= {1}
        if not isinstance(asked, TakeOut):
            assert set(served) == set(evaluate(problem, routes).stops)
        assert change.cost.difference == pytest.approx(
            evaluate(problem, orders(change)).cost.total - evaluate(problem, routes).cost.total
        )
        assert change == compare(problem, routes, orders(change))
        told = {one.cause for one in change.newly_violated}
        assert (change.breaks == ()) == (
            not told
            and not change.newly_broken
            and change.after.cost.crew_idle < change.before.cost.crew_idle + 0.005
            and not change.no_longer_served
        )


def test_a_hard_limit_broken_by_more_is_told_anew_and_one_broken_by_less_is_not():
    short = van(shift_end=EIGHT + HOUR, max_overtime_seconds=0, **OUT)
    problem = line([drop("S1"), drop("S2")], [30, 35], [short, van("V2", **OUT)])
    more = try_alternative(problem, {"V1": ("S1",)}, MoveStop("S2", "V1"))
    assert [(one.cause, one.words) for one in more.newly_violated] == [
        (Cause.SHIFT, "V1 ends 30 min after its longest shift")
    ]
    less = try_alternative(problem, {"V1": ("S1", "S2")}, MoveStop("S2", "V2"))
    assert [one.words for one in less.after.violations] == ["V1 ends 10 min after its longest shift"]
    assert less.breaks == ()
