"""Each feature of a problem on the straight road, where a km takes a minute: every figure by pencil and paper.

A van costs 40 a day, 30 an hour and 0.50 a km; a stop takes ten minutes.
"""

import random
from dataclasses import replace

import numpy as np
import pytest

from lastmile.model import WindowSemantics
from lastmile.routing import (
    RELOAD,
    Break,
    Cause,
    ChangeBudget,
    FairShare,
    Freedom,
    GivenTravel,
    Pin,
    TravelMatrix,
    evaluate,
)
from tests.routing_problems import EIGHT, HOUR, MINUTE, drop, line, on_a_line, van

NINE, TEN = EIGHT + HOUR, EIGHT + 2 * HOUR
STARTED = {"in_use": True}
ARRIVAL, START, END = WindowSemantics.ARRIVAL, WindowSemantics.SERVICE_START, WindowSemantics.SERVICE_END


def minutes_after_eight(at: float) -> float:
    return (at - EIGHT) / MINUTE


def one_route(problem, *stop_ids: str):
    return evaluate(problem, {"V1": stop_ids}).routes[0]


def broken(problem, routes) -> list[tuple[Cause, str | None, str]]:
    return [(one.cause, one.stop_id, one.words) for one in evaluate(problem, routes).violations]


# Several windows: half past eight to twenty to nine, and ten to half past ten.


def twice_open(semantics: WindowSemantics, km: float, **fields):
    stop = drop(
        opens=EIGHT + 30 * MINUTE,
        closes=EIGHT + 40 * MINUTE,
        more_windows=((TEN, TEN + 30 * MINUTE),),
        semantics=semantics,
        price_per_late_minute=1.0,
        **fields,
    )
    return line([stop], [km], [van(**STARTED)])


@pytest.mark.parametrize(
    ("semantics", "km", "starts"),
    [
        (ARRIVAL, 10, 30), (START, 10, 30), (END, 10, 20),  # before the first: wait for it
        (ARRIVAL, 35, 35), (START, 35, 35), (END, 35, 110),  # ten minutes from 08:35 end after 08:40
        (ARRIVAL, 50, 120), (START, 50, 120), (END, 50, 110),  # between the two: wait for the second
        (ARRIVAL, 125, 125), (START, 125, 125), (END, 125, 125),
    ],
)  # fmt: skip
def test_between_two_windows_a_vehicle_waits_for_the_next(semantics, km, starts):
    stop = one_route(twice_open(semantics, km), "S1").stops[0]
    assert minutes_after_eight(stop.service_starts_at) == starts
    assert stop.late_minutes == 0


@pytest.mark.parametrize(("semantics", "late"), [(ARRIVAL, 5), (START, 5), (END, 15)])
def test_a_stop_is_late_only_after_its_last_window(semantics, late):
    plan = evaluate(twice_open(semantics, 155), {"V1": ("S1",)})
    assert plan.late_minutes == plan.cost.lateness == late
    assert plan.broken_promises == ("S1",)


def test_windows_are_taken_in_order_and_those_that_overlap_are_one():
    noon, one = EIGHT + 4 * HOUR, EIGHT + 5 * HOUR
    stop = drop(opens=noon, closes=one, more_windows=((TEN, TEN + HOUR), (EIGHT, NINE)))
    assert stop.windows == ((EIGHT, NINE), (TEN, TEN + HOUR), (noon, one))
    assert stop.last_closes == one
    overlapping = drop(opens=EIGHT, closes=noon, more_windows=((NINE, TEN), (noon, one)))
    assert overlapping.windows == ((EIGHT, one),)
    assert drop(opens=EIGHT, more_windows=((NINE, TEN),)).last_closes is None
    assert drop(closes=NINE, more_windows=((NINE + HOUR, TEN + HOUR),)).windows[0] == (-float("inf"), NINE)


@pytest.mark.parametrize(("semantics", "late"), [(ARRIVAL, 0), (START, 20), (END, 30)])
def test_a_break_between_arrival_and_service_counts_as_each_semantics_says(semantics, late):
    pause = Break(30 * MINUTE, EIGHT + 10 * MINUTE, EIGHT + 15 * MINUTE)
    stop = drop(closes=EIGHT + 20 * MINUTE, semantics=semantics, price_per_late_minute=1.0)
    route = one_route(line([stop], [10], [van(pauses=(pause,), **STARTED)]), "S1")
    assert minutes_after_eight(route.stops[0].service_starts_at) == 40
    assert route.late_minutes == late


# Breaks.


def after_eight(*minutes: float) -> Break:
    """A break of so many minutes that begins from the second to the third after eight."""
    seconds, earliest, latest = minutes
    return Break(seconds * MINUTE, EIGHT + earliest * MINUTE, EIGHT + latest * MINUTE)


def rests(route) -> list[float]:
    return [minutes_after_eight(at) for at in route.breaks_start_at]


def with_breaks(stops, stop_km, *pauses: Break, **fields):
    return line(stops, stop_km, [van(pauses=pauses, **(fields or STARTED))])


def test_waiting_takes_up_the_first_break_and_the_second_falls_between_two_stops():
    stops = [drop("S1"), drop("S2", opens=TEN), drop("S3")]
    problem = with_breaks(stops, [10, 20, 50], after_eight(30, 35, 90), after_eight(20, 135, 165))
    route = one_route(problem, "S1", "S2", "S3")
    # 08:20 on from S1, 08:30 at S2, where it rests from 08:35 to 09:05 and waits until 10:00; 10:10 on, rest at 10:15
    assert rests(route) == [35, 135]
    assert [minutes_after_eight(stop.service_starts_at) for stop in route.stops] == [10, 120, 180]
    assert minutes_after_eight(route.returns_at) == 240
    assert (route.cost.hours, route.cost.distance) == (120, 50)


def test_two_breaks_interrupt_one_drive():
    route = one_route(with_breaks([drop()], [120], after_eight(15, 30, 40), after_eight(15, 60, 90)), "S1")
    assert rests(route) == [30, 60]
    assert minutes_after_eight(route.stops[0].arrives_at) == 150


def test_a_second_break_that_has_no_time_before_a_stop_breaks_its_window_by_name():
    stop = drop(closes=EIGHT + 45 * MINUTE)
    first = after_eight(15, 0, 5)
    # 08:15 on after the first; 08:45 on after the second, at S1 by 08:55
    tight = with_breaks([stop], [10], first, after_eight(30, 10, 20))
    assert broken(tight, {"V1": ("S1",)}) == [(Cause.WINDOW, "S1", "S1 is reached 10 min after its window")]
    assert broken(with_breaks([stop], [10], first), {"V1": ("S1",)}) == []
    # with time until 08:40 the second is taken when S1 is served at 08:35
    wide = with_breaks([stop], [10], first, after_eight(30, 10, 40))
    assert rests(one_route(wide, "S1")) == [0, 35]
    assert broken(wide, {"V1": ("S1",)}) == []


def test_a_second_break_that_the_shift_has_no_room_for_breaks_its_end_by_name():
    fields = {"shift_end": EIGHT + 100 * MINUTE, "max_overtime_seconds": 0, **STARTED}
    # 40 min there and back, 10 of service, 15 and 45 of rest: over at 08:50 without, at 09:50 with both
    both = with_breaks([drop()], [20], after_eight(15, 0, 20), after_eight(45, 25, 60), **fields)
    assert broken(both, {"V1": ("S1",)}) == [(Cause.SHIFT, None, "V1 ends 10 min after its longest shift")]


def test_a_route_that_is_over_before_the_latest_start_of_its_second_break_takes_the_first_alone():
    both = with_breaks([drop()], [20], after_eight(15, 0, 20), after_eight(45, 25, 65))
    assert rests(one_route(both, "S1"))[1:] == []
    assert minutes_after_eight(one_route(both, "S1").returns_at) == 65


def test_a_first_break_is_taken_so_early_that_the_second_can_begin_in_time():
    stop = drop(service_seconds=45 * MINUTE)
    # the first after S1 would last from 08:55 to 09:25, too long for the second; so both are taken before it
    route = one_route(with_breaks([stop], [10], after_eight(30, 15, 60), after_eight(15, 60, 80)), "S1")
    assert rests(route) == [15, 60]
    assert minutes_after_eight(route.stops[0].service_starts_at) == 75
    assert minutes_after_eight(route.returns_at) == 130


def test_overdue_breaks_are_taken_at_once_one_after_another():
    route = one_route(with_breaks([drop()], [10], after_eight(15, -120, -90), after_eight(30, -60, -30)), "S1")
    assert rests(route) == pytest.approx([0, 15])
    assert minutes_after_eight(route.stops[0].arrives_at) == pytest.approx(55)


@pytest.mark.parametrize("seed", range(40))
def test_breaks_that_leave_no_second_between_them_are_all_taken_at_any_fraction_of_a_second(seed):
    draw = random.Random(seed)
    lengths = [draw.uniform(5, 40) * MINUTE for _ in range(3)]
    pauses = tuple(
        Break(length, EIGHT - (3 - nth) * HOUR, EIGHT - (3 - nth) * HOUR) for nth, length in enumerate(lengths)
    )
    problem = line([drop()], [10], [van(pauses=pauses, **STARTED)])
    route = one_route(replace(problem, instant=EIGHT + draw.uniform(0, 100)), "S1")
    assert len(route.breaks_start_at) == 3
    assert route.returns_at == pytest.approx(route.departs_at + 30 * MINUTE + sum(lengths))


def test_the_first_break_is_taken_at_home_unpaid_and_the_second_on_the_way():
    stop = drop(closes=EIGHT + 105 * MINUTE)
    problem = with_breaks([stop], [60], after_eight(30, 0, 30), after_eight(20, 90, 120), in_use=False)
    route = one_route(problem, "S1")
    # out at 08:30, served from 09:30 to 09:40, rest until 10:00, home at 11:00: two and a half hours are paid
    assert rests(route) == [0, 100]
    assert (minutes_after_eight(route.departs_at), minutes_after_eight(route.returns_at)) == (30, 180)
    assert (route.cost.day, route.cost.hours, route.cost.distance) == (40, 75, 60)


@pytest.mark.parametrize(
    ("pauses", "told"),
    [
        ((after_eight(15, 60, 90), after_eight(15, 30, 95)), "breaks of vehicle V1 are not in time order: break 2"),
        ((after_eight(15, 60, 90), after_eight(15, 70, 80)), "breaks of vehicle V1 are not in time order: break 2"),
        ((after_eight(30, 60, 60), after_eight(15, 75, 80)), "V1 can't take all its breaks: break 2 must begin before"),
        (
            (after_eight(30, 60, 60), after_eight(30, 60, 90), after_eight(15, 60, 100)),
            "V1 can't take all its breaks: break 3 must begin before",
        ),
    ],
)
def test_breaks_that_overlap_or_leave_no_time_for_each_other_are_refused(pauses, told):
    with pytest.raises(ValueError, match=told):
        van(pauses=pauses)
    assert len(van(pauses=(after_eight(30, 60, 60), after_eight(30, 60, 90), after_eight(15, 60, 120))).pauses) == 3


# Milestones.


def test_a_crew_that_waits_beyond_its_need_by_is_paid_and_no_promise_is_broken():
    plan = evaluate(line([drop(need_by=EIGHT + 20 * MINUTE, crew_price_per_minute=2)], [30]), {"V1": ("S1",)})
    assert plan.cost.crew_idle == 2 * 10
    assert (plan.broken_promises, plan.violations, plan.late_minutes) == ((), (), 0)


def test_goods_that_come_before_they_are_accepted_cost_storage_and_nobody_waits():
    stop = drop(accepts_from=NINE, price_per_early_minute=0.4)
    plan = evaluate(line([stop], [10], [van(**STARTED)]), {"V1": ("S1",)})
    assert minutes_after_eight(plan.stops["S1"].service_starts_at) == 10
    assert plan.cost.early == pytest.approx(0.4 * 50)


def test_who_has_not_set_out_leaves_so_late_that_no_goods_come_early():
    stop = drop(accepts_from=NINE, price_per_early_minute=0.4)
    plan = evaluate(line([stop], [10]), {"V1": ("S1",)})
    assert minutes_after_eight(plan.routes[0].departs_at) == 50
    assert plan.cost.early == 0
    # another one that closes at 08:30 lets it leave 20 min later at most
    first = drop("S0", closes=EIGHT + 30 * MINUTE)
    both = evaluate(line([first, stop], [10, 10]), {"V1": ("S0", "S1")})
    assert minutes_after_eight(both.routes[0].departs_at) == 20
    assert both.cost.early == pytest.approx(0.4 * 20)


@pytest.mark.parametrize(("price", "departs"), [(0.1, 0), (0.2, 50)])
def test_overtime_is_worked_for_goods_that_would_come_early_only_where_it_costs_less(price, departs):
    stop = drop(accepts_from=NINE, price_per_early_minute=price)
    # half an hour at 45 from 08:50 against half an hour at 30 and 50 minutes early: 22.50 against 15 + 5, or 15 + 10
    plan = evaluate(line([stop], [10], [van(shift_end=EIGHT + 30 * MINUTE)]), {"V1": ("S1",)})
    assert minutes_after_eight(plan.routes[0].departs_at) == departs


def test_where_roads_are_slower_by_then_a_departure_is_put_off_by_half():
    """Until 08:40 the way takes ten minutes, from then on an hour: 50 min later is too late, 25 min later is in time."""
    km = on_a_line([10]).given.km
    travel = GivenTravel(TravelMatrix(np.stack([km * 60, km * 360]), km, (EIGHT + 40 * MINUTE,)))
    stop = drop(opens=NINE, closes=NINE + 10 * MINUTE)
    route = one_route(replace(line([stop], [10]), travel=travel), "S1")
    assert minutes_after_eight(route.departs_at) == 25
    assert route.stops[0].wait_seconds == 25 * MINUTE
    # with roads as they are, it leaves in time for the window
    assert minutes_after_eight(one_route(line([stop], [10]), "S1").departs_at) == 50


def test_leaving_later_never_keeps_a_crew_waiting():
    stops = [drop("S1", need_by=EIGHT + 15 * MINUTE, crew_price_per_minute=0.1), drop("S2", opens=NINE + 2 * HOUR)]
    assert minutes_after_eight(one_route(line(stops, [10, 20]), "S1", "S2").departs_at) == 5


# Releases.


def test_no_goods_leave_the_depot_before_they_are_there():
    problem = line([drop("S1"), drop("S2", released_at=NINE)], [10, 20], [van(**STARTED)])
    route = one_route(problem, "S1", "S2")
    assert route.departs_at == NINE
    # on duty from 08:00: the hour of waiting is paid, as are 40 min of driving and 20 of service
    assert route.cost.hours == 60
    unused = line([drop("S1"), drop("S2", released_at=NINE)], [10, 20])
    assert one_route(unused, "S1", "S2").cost.hours == 30


@pytest.mark.parametrize("fields", [{"pickup": True}, {}])
def test_goods_that_are_picked_up_or_on_board_hold_nobody_back(fields):
    shift = van(**STARTED, loaded_stop_ids=frozenset() if fields else frozenset({"S1"}))
    problem = line([drop(released_at=NINE, **fields)], [10], [shift])
    assert one_route(problem, "S1").departs_at == EIGHT


def test_a_reload_waits_for_the_goods_of_its_trip():
    shift = van(**STARTED, max_reloads=1, reload_seconds=15 * MINUTE)
    route = one_route(line([drop("S1"), drop("S2", released_at=TEN)], [10, 20], [shift]), "S1", RELOAD, "S2")
    # 08:10 served, 08:30 back, loaded by 08:45, the goods come at 10:00
    assert route.departs_at == EIGHT
    assert [minutes_after_eight(at) for at in route.reloads_at] == [30]
    assert minutes_after_eight(route.stops[1].arrives_at) == 140


def test_a_driver_who_waits_for_goods_rests_meanwhile():
    pause = Break(30 * MINUTE, EIGHT + 10 * MINUTE, EIGHT + 20 * MINUTE)
    route = one_route(line([drop(released_at=NINE)], [10], [van(pauses=(pause,), **STARTED)]), "S1")
    assert minutes_after_eight(route.breaks_start_at[0]) == 10
    assert (route.departs_at, minutes_after_eight(route.returns_at)) == (NINE, 90)


# Reloads.


def twice_full(**fields):
    stops = [drop("S1", demand={"kg": 60}), drop("S2", demand={"kg": 70})]
    return line(stops, [10, 20], [van(max_reloads=1, reload_seconds=15 * MINUTE, **fields)])


def test_a_reload_takes_its_time_and_makes_room_for_the_next_trip():
    assert broken(twice_full(), {"V1": ("S1", "S2")}) == [(Cause.CAPACITY, None, "V1 carries 30 kg too much")]
    plan = evaluate(twice_full(), {"V1": ("S1", RELOAD, "S2")})
    (route,) = plan.routes
    assert plan.violations == ()
    assert route.peak_load == {"kg": 70}
    # 10 + 10 km, 15 min of loading, 20 + 20 km, two stops
    assert minutes_after_eight(route.returns_at) == 20 + 10 + 15 + 40 + 10
    assert route.distance_km == 60
    assert [(one.stop_id, one.trip, one.position) for one in route.stops] == [("S1", 0, 0), ("S2", 1, 1)]
    assert route.order == ("S1", RELOAD, "S2")
    assert route.cost.stops == 0


def test_what_stays_on_board_stays_through_a_reload_and_what_was_picked_up_does_not():
    problem = twice_full(load_on_board={"kg": 20})
    assert one_route(problem, "S1", RELOAD, "S2").peak_load == {"kg": 90}
    picked = line([drop("S1", demand={"kg": 60}, pickup=True), drop("S2", demand={"kg": 70})], [10, 20], [
        van(max_reloads=1)
    ])  # fmt: skip
    assert one_route(picked, "S1", RELOAD, "S2").peak_load == {"kg": 70}


def test_more_reloads_than_a_vehicle_may_make_are_counted():
    assert broken(twice_full(), {"V1": (RELOAD, "S1", RELOAD, "S2", RELOAD)}) == [
        (Cause.RELOADS, None, "V1 reloads 2 × more than it may")
    ]


def test_a_departed_vehicle_has_only_what_was_loaded_until_it_reloads():
    shift = van(departed=True, max_reloads=1, loaded_stop_ids=frozenset({"S1"}), **STARTED)
    problem = line([drop("S1"), drop("S2")], [10, 20], [shift])
    assert broken(problem, {"V1": ("S1", "S2")}) == [
        (Cause.GOODS_ELSEWHERE, "S2", "S2: V1 has not loaded its goods by then")
    ]
    assert broken(problem, {"V1": ("S1", RELOAD, "S2")}) == []


# Goods that are collected at one stop and brought to another.


def from_c_to_b(**fields):
    stops = [
        drop("C", demand={"kg": 60}, pickup=True),
        drop("B", demand={"kg": 60}, collected_at="C"),
        drop("S1", demand={"kg": 70}),
    ]
    return line(stops, [10, 20, 15], [van("V1", max_reloads=1, **fields), van("V2")])


def test_goods_are_collected_before_they_are_brought():
    assert broken(from_c_to_b(), {"V1": ("C", "B")}) == []
    words = "B: V1 does not bring on the same trip what it collects"
    assert broken(from_c_to_b(), {"V1": ("B", "C")}) == [(Cause.PAIR, "B", words)]


def test_goods_are_brought_on_the_trip_and_by_the_vehicle_that_collected_them():
    pairs = [(Cause.PAIR, "C"), (Cause.PAIR, "B")]
    assert [one[:2] for one in broken(from_c_to_b(), {"V1": ("C", RELOAD, "B")})] == pairs
    assert [one[:2] for one in broken(from_c_to_b(), {"V1": ("C",), "V2": ("B",)})] == pairs
    assert [one[:2] for one in broken(from_c_to_b(), {"V1": ("C",)})] == [(Cause.PAIR, "C")]


def test_collected_goods_are_on_board_from_where_they_are_collected_to_where_they_are_brought():
    problem = from_c_to_b()
    assert one_route(problem, "C", "B").peak_load == {"kg": 60}
    assert one_route(problem, "S1", "C", "B").peak_load == {"kg": 70}
    assert broken(problem, {"V1": ("C", "S1", "B")}) == [(Cause.CAPACITY, None, "V1 carries 30 kg too much")]


def test_a_commitment_to_half_a_pair_is_a_fact_and_the_goods_are_taken_home():
    problem = from_c_to_b(committed_stop_ids=("C",))
    assert broken(problem, {"V1": ("C",)}) == []
    assert broken(problem, {"V1": ("C", "B")}) == []
    assert [one[:2] for one in broken(problem, {"V1": ("C",), "V2": ("B",)})] == [(Cause.PAIR, "B")]


# The driver's pace, the length of a route, a fair share of hours.


def test_service_takes_the_drivers_pace_and_its_end_is_judged_by_it():
    stop = drop(closes=EIGHT + 24 * MINUTE, semantics=END, price_per_late_minute=1.0)
    usual = one_route(line([stop], [10], [van(**STARTED)]), "S1")
    slow = one_route(line([stop], [10], [van(service_pace=1.5, **STARTED)]), "S1")
    assert [minutes_after_eight(route.stops[0].departs_at) for route in (usual, slow)] == [20, 25]
    assert [route.late_minutes for route in (usual, slow)] == [0, 1]


def test_a_quick_driver_can_keep_a_window_that_ends_too_soon_for_others():
    stop = drop(opens=EIGHT, closes=EIGHT + 15 * MINUTE, semantics=END)
    quick = line([stop], [10], [van(service_pace=0.5)])
    assert broken(quick, {"V1": ("S1",)}) == []


def test_the_longest_route_counts_what_was_worked_before():
    shift = van(max_route_seconds=70 * MINUTE, worked_seconds=10 * MINUTE)
    # an hour on the road and ten minutes of service
    assert broken(line([drop()], [30], [shift]), {"V1": ("S1",)}) == [
        (Cause.ROUTE_TIME, None, "V1 is 10 min longer on the road than it may")
    ]
    assert broken(line([drop()], [25], [shift]), {"V1": ("S1",)}) == []


def test_the_farthest_route_counts_what_was_driven_before():
    shift = van(max_route_km=50, driven_km=5)
    assert broken(line([drop()], [30], [shift]), {"V1": ("S1",)}) == [
        (Cause.ROUTE_DISTANCE, None, "V1 drives 15.0 km more than it may")
    ]
    assert broken(line([drop()], [22.5], [shift]), {"V1": ("S1",)}) == []


@pytest.mark.parametrize(("before", "price"), [(0, 2), (30, 8), (120, 14)])
def test_hours_beyond_the_fair_share_cost_and_those_worked_before_do_not(before, price):
    shift = van(worked_seconds=before * MINUTE)
    problem = line([drop()], [30], [shift], fair_share=FairShare(hours=1, price_per_hour=12))
    # seventy minutes at 0.20 beyond the first sixty of the day
    assert evaluate(problem, {"V1": ("S1",)}).cost.uneven == pytest.approx(price)


# Pins and freedom.


def in_force(**fields):
    stops = [drop(f"S{i}", present_vehicle_id="V1", present_position=i, **fields) for i in (1, 2)]
    return line([*stops, drop("S3")], [10, 20, 30], [van("V1"), van("V2")])


def pins_broken(problem, *first: str, second: tuple[str, ...] = ()) -> list[tuple[Cause, str | None]]:
    return [one[:2] for one in broken(problem, {"V1": first, "V2": second})]


def test_a_stop_pinned_to_its_vehicle_may_change_its_order_alone():
    problem = in_force(pin=Pin.VEHICLE)
    assert pins_broken(problem, "S2", "S1") == []
    assert pins_broken(problem, "S1", second=("S2",)) == [(Cause.NOT_ALLOWED, "S2")]


def test_stops_pinned_in_order_may_change_vehicle_alone():
    problem = in_force(pin=Pin.ORDER)
    assert pins_broken(problem, "S1", "S3", "S2") == []
    assert pins_broken(problem, "S2", "S1") == [(Cause.ORDER, "S1")]
    assert pins_broken(problem, second=("S1", "S2")) == []
    assert pins_broken(problem, second=("S2", "S1")) == [(Cause.ORDER, "S1")]


def test_a_stop_pinned_in_both_changes_neither():
    problem = in_force(pin=Pin.BOTH)
    assert pins_broken(problem, "S3", "S1", "S2") == []
    assert pins_broken(problem, "S2", "S1") == [(Cause.ORDER, "S1")]
    assert pins_broken(problem, "S1", second=("S2",)) == [(Cause.NOT_ALLOWED, "S2")]


@pytest.mark.parametrize(
    ("freedom", "order", "vehicle"),
    [(Freedom.TIMES, True, True), (Freedom.SEQUENCE, False, True), (Freedom.EVERYTHING, False, False)],
)
def test_the_freedom_of_the_plan_pins_what_a_vehicle_has(freedom, order, vehicle):
    problem = replace(in_force(), freedom=freedom)
    assert bool(pins_broken(problem, "S2", "S1")) == order
    assert bool(pins_broken(problem, "S1", second=("S2",))) == vehicle
    assert pins_broken(problem, "S3", "S1", "S2") == pins_broken(problem, "S1", "S2", second=("S3",)) == []


# The budget of changes.


def test_stops_that_change_vehicle_are_counted_priced_and_limited():
    problem = replace(in_force(), budget=ChangeBudget(moved=1, price_per_moved=3))
    plan = evaluate(problem, {"V1": ("S1", "S3"), "V2": ("S2",)})
    assert plan.changes.moved == ("S2",)  # S3 had no vehicle
    assert (plan.cost.changes, plan.violations) == (3, ())
    assert broken(problem, {"V2": ("S1", "S2")}) == [
        (Cause.CHANGES, None, "2 stops change vehicle, 1 more than the budget of 1")
    ]


def test_a_promise_kept_until_now_may_be_broken_within_the_budget_alone():
    stops = [
        drop("S1", closes=EIGHT + 20 * MINUTE, price_per_late_minute=1.0, present_vehicle_id="V1", present_position=0),
        drop("S2", closes=EIGHT + 30 * MINUTE, price_per_late_minute=1.0, present_vehicle_id="V1", present_position=1),
    ]
    problem = line(stops, [10, 30], budget=ChangeBudget(promises_broken=0))
    # S2 is reached at 08:40 now: no promise that could be broken anew
    assert evaluate(problem, {"V1": ("S1", "S2")}).changes.promises_broken == ()
    words = "1 kept promise is broken, 1 more than the budget of 0"
    assert broken(problem, {"V1": ("S2", "S1")}) == [(Cause.CHANGES, None, words)]
    assert evaluate(problem, {"V1": ("S2",)}).changes.promises_broken == ("S1",)


def test_a_route_that_can_not_be_driven_keeps_no_promise():
    stop = drop("S1", closes=NINE, present_vehicle_id="V1", present_position=0)
    far = drop("S2", present_vehicle_id="V1", present_position=1)
    assert evaluate(line([stop, far], [10, 20]), {}).changes.promises_broken == ("S1",)
    assert evaluate(line([stop, far], [10, 400]), {}).changes.promises_broken == ()
    barred = replace(far, forbidden_vehicles=frozenset({"V1"}))
    assert evaluate(line([stop, barred], [10, 20]), {}).changes.promises_broken == ()


def test_goods_that_would_change_hands_are_counted():
    shifts = [van("V1", loaded_stop_ids=frozenset({"S1", "S2"})), van("V2")]
    problem = line([drop("S1"), drop("S2"), drop("S3")], [10, 20, 30], shifts, budget=ChangeBudget(goods_moved=1))
    plan = evaluate(problem, {"V1": ("S1", "S3"), "V2": ("S2",)})
    assert (plan.changes.goods_moved, plan.changes.moved, plan.violations) == (("S2",), (), ())
    assert broken(problem, {"V2": ("S1", "S2")}) == [
        (Cause.CHANGES, None, "2 stops' goods change hands, 1 more than the budget of 1")
    ]


# What a vehicle is committed to is a fact.

LIMITS = {
    Cause.CAPACITY: ({"capacity": {"kg": 100}}, {"demand": {"kg": 150}}),
    Cause.SHIFT: ({"shift_end": NINE, "max_overtime_seconds": 0}, {}),
    Cause.ROUTE_TIME: ({"max_route_seconds": HOUR}, {}),
    Cause.ROUTE_DISTANCE: ({"max_route_km": 50}, {}),
}


@pytest.mark.parametrize("cause", LIMITS)
def test_a_commitment_widens_each_limit_to_what_it_needs_and_no_farther(cause):
    limit, wants = LIMITS[cause]
    stops = [drop("S1", **wants), drop("S2")]
    free = line(stops, [30, 40], [van(**limit)])
    committed = line(stops, [30, 40], [van(**limit, committed_stop_ids=("S1",))])
    assert [one[0] for one in broken(free, {"V1": ("S1",)})] == [cause]
    assert broken(committed, {"V1": ("S1",)}) == []
    assert [one[0] for one in broken(committed, {"V1": ("S1", "S2")})] == [cause]


# Travel that depends on the time of day.


def slower_from_half_past_eight(stops, stop_km, shift):
    plain = line(stops, stop_km, [shift])
    matrix = plain.travel.given
    both = TravelMatrix(np.stack([matrix.seconds, 2 * matrix.seconds]), matrix.km, (EIGHT + 30 * MINUTE,))
    return replace(plain, travel=GivenTravel(both))


def test_a_leg_across_a_boundary_is_driven_at_each_pace_in_turn():
    problem = slower_from_half_past_eight([drop()], [60], van(**STARTED))
    route = one_route(problem, "S1")
    # thirty km by 08:30, the other thirty in an hour; all sixty back in two hours
    assert minutes_after_eight(route.stops[0].arrives_at) == 90
    assert route.stops[0].drive_seconds == 90 * MINUTE
    assert minutes_after_eight(route.returns_at) == 100 + 120
    assert route.distance_km == 120


def test_a_route_before_the_boundary_is_not_slowed():
    assert minutes_after_eight(
        one_route(slower_from_half_past_eight([drop()], [10], van(**STARTED)), "S1").returns_at
    ) == 30  # fmt: skip


# Ends.


def test_a_vehicle_without_an_end_stops_where_it_served_last():
    route = one_route(line([drop("S1"), drop("S2")], [10, 30], [van(end_lon=None, end_lat=None)]), "S1", "S2")
    assert minutes_after_eight(route.returns_at) == 50
    assert route.distance_km == 30
    assert one_route(line([drop()], [10], [van(end_lon=None, end_lat=None, **STARTED)])).distance_km == 0
