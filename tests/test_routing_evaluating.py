"""One straight road where a km takes a minute; every figure can be checked with pencil and paper."""

import pytest

from lastmile.model import WindowSemantics
from lastmile.routing import Break, Cause, Problem, Rates, evaluate
from tests.routing_problems import EIGHT, HOUR, MINUTE, drop, line, van


def one_route(problem: Problem, *stop_ids: str):
    return evaluate(problem, {"V1": stop_ids}).routes[0]


def test_each_part_of_the_cost_is_worked_by_hand():
    plan = evaluate(line([drop("S1"), drop("S2")], [10, 30], [van()]), {"V1": ("S1", "S2")})
    # 60 km and 60 min of driving, 20 min of service: 40 a day + 80 min at 30 an hour + 60 km at 0.50
    assert (plan.cost.day, plan.cost.hours, plan.cost.distance) == (40, 40, 30)
    assert plan.cost.total == 110
    assert plan.distance_km == 60


def test_stops_are_timed_in_driving_order():
    first, second = one_route(line([drop("S1"), drop("S2")], [10, 30]), "S1", "S2").stops
    assert (first.arrives_at, first.departs_at) == (EIGHT + 10 * MINUTE, EIGHT + 20 * MINUTE)
    assert (second.arrives_at, second.departs_at) == (EIGHT + 40 * MINUTE, EIGHT + 50 * MINUTE)


def test_a_vehicle_in_use_waits_for_a_window_and_an_unused_one_leaves_later():
    stop = drop(opens=EIGHT + HOUR)
    early = one_route(line([stop], [10], [van(in_use=True)]), "S1")
    assert (early.departs_at, early.stops[0].wait_seconds) == (EIGHT, 50 * MINUTE)
    late = one_route(line([stop], [10], [van()]), "S1")
    assert (late.departs_at, late.stops[0].wait_seconds) == (EIGHT + 50 * MINUTE, 0)
    assert early.returns_at == late.returns_at == EIGHT + 80 * MINUTE


def test_leaving_later_never_makes_an_earlier_stop_late():
    stops = [drop("S1", closes=EIGHT + 15 * MINUTE, price_per_late_minute=1.0), drop("S2", opens=EIGHT + 3 * HOUR)]
    route = one_route(line(stops, [10, 20]), "S1", "S2")
    assert route.departs_at == EIGHT + 5 * MINUTE
    assert route.late_minutes == 0


@pytest.mark.parametrize(
    ("semantics", "late"),
    [(WindowSemantics.ARRIVAL, 5), (WindowSemantics.SERVICE_START, 5), (WindowSemantics.SERVICE_END, 15)],
)
def test_the_window_semantics_say_what_must_fall_inside(semantics, late):
    stop = drop(semantics=semantics, closes=EIGHT + 25 * MINUTE, price_per_late_minute=2.0)
    plan = evaluate(line([stop], [30]), {"V1": ("S1",)})
    assert plan.late_minutes == late
    assert plan.cost.lateness == 2 * late
    assert plan.broken_promises == ("S1",)
    assert plan.violations == ()


def test_a_hard_window_missed_is_a_violation_with_its_minutes():
    (violation,) = evaluate(line([drop(closes=EIGHT + 25 * MINUTE)], [30]), {"V1": ("S1",)}).violations
    assert violation.cause == Cause.WINDOW
    assert violation.words == "S1 is reached 5 min after its window"


def test_an_unserved_stop_with_a_window_is_a_broken_promise_and_costs_its_price():
    plan = evaluate(line([drop(closes=EIGHT + HOUR), drop("S2")], [10, 20]), {})
    assert plan.unserved == ("S1", "S2")
    assert plan.broken_promises == ("S1",)
    assert plan.cost.not_served == plan.cost.total == 1000


def test_overtime_is_paid_at_its_own_price_and_limited():
    shift = van(shift_end=EIGHT + HOUR, max_overtime_seconds=15 * MINUTE)
    route = evaluate(line([drop()], [30], [shift]), {"V1": ("S1",)})
    # back at 09:10: an hour at 30, ten minutes at 45
    assert (route.cost.hours, route.cost.overtime, route.overtime_seconds) == (30, 7.5, 10 * MINUTE)
    (violation,) = evaluate(line([drop()], [40], [shift]), {"V1": ("S1",)}).violations
    assert violation.words == "V1 ends 15 min after its longest shift"


def test_the_minimum_charge_tops_a_cheap_route_up():
    shift = van(rates=Rates(per_km=1, minimum=50))
    assert evaluate(line([drop()], [10], [shift]), {"V1": ("S1",)}).cost.minimum_top_up == 30
    assert evaluate(line([drop()], [30], [shift]), {"V1": ("S1",)}).cost.minimum_top_up == 0


def test_a_vehicle_in_use_still_comes_home_when_nothing_is_left_and_an_unused_one_costs_nothing():
    away = evaluate(line([drop()], [10], [van(in_use=True)], start_km=20), {}).routes[0]
    # 20 km and 20 min home at 0.50 a km and 30 an hour; its day is paid already
    assert (away.cost.day, away.cost.total, away.returns_at) == (0, 20, EIGHT + 20 * MINUTE)
    assert evaluate(line([drop()], [10], [van()], start_km=20), {}).routes[0].cost.total == 0


def test_the_break_is_taken_where_it_costs_nothing():
    stops = [drop("S1"), drop("S2", opens=EIGHT + 2 * HOUR)]
    pause = Break(30 * MINUTE, EIGHT + 20 * MINUTE, EIGHT + 90 * MINUTE)
    route = one_route(line(stops, [10, 20], [van(in_use=True, pauses=(pause,))]), "S1", "S2")
    assert route.breaks_start_at == (EIGHT + 20 * MINUTE,)
    assert route.returns_at == EIGHT + 2 * HOUR + 30 * MINUTE


def test_a_break_that_must_interrupt_the_drive_delays_all_after_it():
    pause = Break(30 * MINUTE, EIGHT + 25 * MINUTE, EIGHT + 35 * MINUTE)
    route = one_route(line([drop()], [60], [van(in_use=True, pauses=(pause,))]), "S1")
    assert route.stops[0].arrives_at == EIGHT + 90 * MINUTE


def test_a_route_that_is_over_before_the_latest_break_needs_none():
    pause = Break(30 * MINUTE, EIGHT, EIGHT + HOUR)
    route = one_route(line([drop()], [20], [van(in_use=True, pauses=(pause,))]), "S1")
    assert (route.breaks_start_at, route.returns_at) == ((), EIGHT + 50 * MINUTE)


def test_loads_peak_at_departure_for_deliveries_and_on_the_way_for_pickups():
    stops = [drop("S1", demand={"kg": 60}), drop("S2", demand={"kg": 70}, pickup=True)]
    problem = line(stops, [10, 20])
    assert one_route(problem, "S1", "S2").peak_load == {"kg": 70}
    assert one_route(problem, "S2", "S1").peak_load == {"kg": 130}
    (violation,) = evaluate(problem, {"V1": ("S2", "S1")}).violations
    assert violation.words == "V1 carries 30 kg too much"


def test_the_evaluator_sees_a_missing_skill_a_pin_and_a_second_visit():
    stops = [drop("S1", required_skills=frozenset({"cold"})), drop("S2", transferable=False, present_vehicle_id="V2")]
    plan = evaluate(line(stops, [10, 20], [van("V1"), van("V2")]), {"V1": ("S1", "S2"), "V2": ("S2",)})
    assert [violation.cause for violation in plan.violations] == [
        Cause.SKILL,
        Cause.GOODS_ELSEWHERE,
        Cause.NOT_ALLOWED,
        Cause.NOT_ALLOWED,
    ]


def test_what_a_vehicle_is_committed_to_breaks_no_limit_but_must_come_first():
    stops = [drop("S1", closes=EIGHT + 5 * MINUTE, demand={"kg": 500}), drop("S2", demand={})]
    problem = line(stops, [10, 20], [van(committed_stop_ids=("S1",))])
    assert evaluate(problem, {"V1": ("S1", "S2")}).violations == ()
    assert [v.words for v in evaluate(problem, {"V1": ("S2", "S1")}).violations] == [
        "V1 leaves what it is committed to serve first"
    ]


def test_a_plan_with_unknown_names_is_refused_by_name():
    with pytest.raises(ValueError, match="stops that are not in the problem: S9"):
        evaluate(line([drop()], [10]), {"V1": ("S9",)})
    with pytest.raises(ValueError, match="vehicles that are not in the problem: V9"):
        evaluate(line([drop()], [10]), {"V9": ()})
