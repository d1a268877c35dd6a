"""Why a stop is left out or late, and what the cheapest change would cost: on the straight road by pencil and paper.

A km takes a minute and costs 0.50, a minute 0.50, an overtime minute 0.75, a van's day 40, a stop ten minutes.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest

from lastmile.routing import (
    RELOAD,
    Cause,
    ChangeBudget,
    Evaluation,
    Freedom,
    Pin,
    Problem,
    Reason,
    Remedy,
    evaluate,
    reasons_late,
    reasons_unserved,
)
from lastmile.routing.conceding import Limit
from lastmile.routing.explaining import PROBES
from lastmile.routing.timing import RouteTimer, TimedRoute
from lastmile.routing.wording import minutes, money, more_or_less
from lastmile.ui import format
from tests.routing_problems import EIGHT, HOUR, MINUTE, drop, line, random_problem, van

THIN = "\u202f"
NINE = EIGHT + HOUR
OUT = {"in_use": True}


def euros(amount: str) -> str:
    return f"€{THIN}{amount}"


def holds(problem: Problem, routes, remedy: Remedy, late: bool = False) -> Evaluation:
    """Apply a remedy and evaluate: the stop is served, nothing is newly broken, and it costs what was said."""
    before, after = evaluate(problem, routes), evaluate(remedy.applied(problem), remedy.plan(routes))
    extra = sum(r.cost.total for r in after.routes) - sum(r.cost.total for r in before.routes)
    assert extra == pytest.approx(remedy.extra_cost, abs=0.01)
    assert remedy.stop_id in after.stops
    if not late or remedy.routes:
        assert len(after.violations) <= len(before.violations)
        assert after.excess <= before.excess + 1
        assert not late or set(after.broken_promises) < set(before.broken_promises) | {remedy.stop_id}
    return after


def unserved(problem: Problem, *routes: str, others=()) -> Reason:
    """The reason of the only stop that is left out; its remedies hold."""
    plan = {"V1": routes, **dict(others)}
    (reason,) = reasons_unserved(problem, plan).values()
    for remedy in reason.remedies:
        holds(problem, plan, remedy)
    return reason


def late(problem: Problem, *routes: str, others=()) -> Reason:
    """The reason of the only late stop; its remedies hold and bring it on time."""
    plan = {"V1": routes, **dict(others)}
    (reason,) = reasons_late(problem, plan).values()
    for remedy in reason.remedies:
        assert holds(problem, plan, remedy, late=True).stops[reason.stop_id].late_minutes == 0
    return reason


# Money and time in words.


def test_money_reads_as_on_the_screens():
    for value in (14, -3.5, 12345.678, 0.004):
        assert money(value, "EUR") == format.money(value, "EUR")
    assert money(12, "CHF") == f"CHF{THIN}12.00"
    assert [more_or_less(value, "EUR") for value in (14, -3, 0.001)] == [
        f"{euros('14.00')} more", f"{euros('3.00')} less", "at no cost",
    ]  # fmt: skip


def test_spans_are_rounded_up_and_long_ones_have_hours():
    assert [minutes(seconds) for seconds in (1, 600, 3600, 3660, 9000)] == [
        "1 min",
        "10 min",
        "1 h",
        "1 h 1 min",
        "2 h 30 min",
    ]


# Each limit, and the cheapest change.


def test_no_room_is_told_with_the_largest_free():
    problem = line([drop("S1", demand={"kg": 70}), drop("S2", demand={"kg": 50})], [10, 20])
    reason = unserved(problem, "S1")
    assert (reason.stop_id, reason.cause, reason.vehicle_id, reason.excess) == ("S2", Cause.CAPACITY, "V1", 20)
    # behind S1 it adds 20 min of driving, 10 of service and 20 km
    assert reason.extra_cost == 25
    assert reason.words == (
        "no vehicle has room for 50 kg: the largest free is 30 kg on V1; "
        f"opens with room for 20 kg more on V1: {euros('25.00')}"
    )


def test_a_stop_beyond_every_shift_is_told_its_overtime_at_the_overtime_price():
    reason = unserved(line([drop()], [30], [van(shift_end=NINE, max_overtime_seconds=0)]))
    assert (reason.cause, reason.excess) == (Cause.SHIFT, 10 * MINUTE)
    # the day, an hour at 30, ten minutes at 0.75, sixty km
    assert reason.extra_cost == 40 + 30 + 7.5 + 30
    assert reason.words == (
        "no vehicle can fit it into its shift: V1 would end at 09:10, 10 min after its limit of 09:00; "
        f"opens with 10 min of overtime on V1: {euros('107.50')}"
    )
    more = unserved(line([drop()], [40], [van(shift_end=NINE, max_overtime_seconds=15 * MINUTE)]))
    assert more.words.endswith(f"opens with 15 min more overtime on V1: {euros('132.50')}")


def test_a_longest_time_on_the_road_gives_way_by_its_minutes():
    reason = unserved(line([drop()], [30], [van(max_route_seconds=90 * MINUTE, worked_seconds=30 * MINUTE, **OUT)]))
    assert (reason.cause, reason.excess, reason.extra_cost) == (Cause.ROUTE_TIME, 10 * MINUTE, 65)
    assert reason.words == (
        "no vehicle can fit it into its longest time on the road: V1 would be 10 min longer on the road than it may; "
        f"opens with 10 min more on the road for V1: {euros('65.00')}"
    )


def test_a_longest_distance_gives_way_by_its_kilometres():
    reason = unserved(line([drop()], [30], [van(max_route_km=70, driven_km=15, **OUT)]))
    assert (reason.cause, reason.excess, reason.extra_cost) == (Cause.ROUTE_DISTANCE, 5, 65)
    assert "V1 would drive 5.0 km more than it may" in reason.words


def test_a_window_that_is_missed_gives_way_by_its_minutes():
    problem = line([drop("S1", closes=EIGHT + 20 * MINUTE), drop("S2", closes=EIGHT + 20 * MINUTE)], [20, 10])
    reason = unserved(problem, "S1")
    assert (reason.stop_id, reason.cause, reason.excess) == ("S2", Cause.WINDOW, 10 * MINUTE)
    assert "V1 would reach S1 10 min after its window" in reason.words
    # on the way to S1: ten minutes of service
    assert reason.words.endswith(f"opens if the window of S1 ended 10 min later, at 08:30, on V1: {euros('5.00')}")


def test_an_own_window_that_no_vehicle_can_reach_gives_way():
    reason = unserved(line([drop(closes=EIGHT + 15 * MINUTE)], [20], [van(**OUT)]))
    assert reason.words == (
        "its window closes at 08:15, before any vehicle can serve it: the earliest is V1 at 08:20; "
        f"opens if its window ended 5 min later, at 08:20, on V1: {euros('45.00')}"
    )


def of_full_loads(*vehicles) -> Problem:
    return line([drop(f"S{i}", demand={"kg": 100}) for i in (1, 2, 3)], [10, 20, 30], vehicles)


def test_an_extra_reload_is_a_change_like_any_other():
    reason = unserved(of_full_loads(van(max_reloads=1, **OUT)), "S1", RELOAD, "S2")
    more = next(one for one in reason.remedies if one.concession.limit == Limit.RELOADS)
    assert more.words == "with one more reload of V1"
    # out to km 30 and back: sixty min and km, ten min of service
    assert more.extra_cost == 65


def test_a_reload_that_a_vehicle_may_make_is_found_without_any_change():
    reason = reasons_unserved(of_full_loads(van(max_reloads=1, **OUT)), {"V1": ("S1",)})["S2"]
    assert reason.cause == Cause.NOT_WORTH_IT
    assert reason.words == (
        f"the search ended before it was placed; it can be served on V1, after a reload: {euros('45.00')}"
    )


def test_a_skill_that_another_vehicle_lacks_is_named_with_its_price():
    stop = drop("S1", required_skills=frozenset({"crane"}))
    reason = unserved(line([stop], [10], [van("V1", **OUT), van("V2")]))
    assert reason.cause == Cause.SKILL
    assert reason.words == f"no vehicle has the skill crane; opens if V1 had the skill crane: {euros('25.00')}"


def test_a_ban_is_named_with_its_price():
    stop = drop("S1", forbidden_vehicles=frozenset({"V1"}), allowed_vehicles=frozenset({"V7"}))
    reason = unserved(line([stop], [10], [van("V1", **OUT)]))
    assert reason.words == (
        f"no vehicle on shift that could serve it is allowed to; opens if V1 were allowed to serve it: {euros('25.00')}"
    )


@pytest.mark.parametrize("lifted", [{"pin": Pin.VEHICLE}, {}])
def test_a_pin_is_lifted_whether_it_is_the_stops_or_the_plans(lifted):
    stops = [drop("S1", demand={"kg": 60}), drop("S2", demand={"kg": 60}, present_vehicle_id="V1", **lifted)]
    problem = line(stops, [10, 10], [van("V1", **OUT), van("V2", **OUT)])
    problem = problem if lifted else replace(problem, freedom=Freedom.SEQUENCE)
    reason = unserved(problem, "S1", others=(("V2", ()),))
    pin = next(one for one in reason.remedies if one.concession and one.concession.limit == Limit.PIN)
    assert (pin.words, pin.extra_cost, pin.cause) == ("if it may leave V1, on V2", 25, Cause.NOT_ALLOWED)


def test_a_pinned_order_gives_way():
    window = {"closes": EIGHT + 10 * MINUTE, "pin": Pin.ORDER}
    stops = [
        drop("S1", present_vehicle_id="V1", present_position=0, pin=Pin.ORDER),
        drop("S2", present_vehicle_id="V1", present_position=1, **window),
    ]
    reason = unserved(line(stops, [10, 10], [van(**OUT)]), "S1")
    order = next(one for one in reason.remedies if one.concession and one.concession.limit == Limit.PIN)
    assert order.words == "if it may leave its pinned place in the order, on V1"
    assert order.extra_cost == 5


def test_goods_on_a_vehicle_that_can_not_bring_them_would_be_handed_over():
    stop = drop("S1", transferable=False)
    gone = van("V1", max_route_km=5, loaded_stop_ids=frozenset({"S1"}), **OUT)
    reason = unserved(line([stop], [10], [gone, van("V2", **OUT)]), others=(("V2", ()),))
    goods = next(one for one in reason.remedies if one.concession.limit == Limit.GOODS)
    assert (goods.words, goods.extra_cost, goods.vehicle_id) == ("if V1 hands its goods over to V2", 25, "V2")


def test_goods_left_at_the_depot_are_told_what_bringing_them_is_worth():
    reason = unserved(line([drop()], [10], [van(departed=True, **OUT)]))
    assert reason.words == (
        "every vehicle that may serve it has left the depot without its goods; "
        f"opens if V1 had its goods: {euros('25.00')}"
    )


def test_a_spent_budget_is_told_with_the_one_change_that_it_would_take():
    stops = [drop("S1", demand={"kg": 100}), drop("S2", present_vehicle_id="V1")]
    problem = line(
        stops, [10, 10], [van("V1", **OUT), van("V2", **OUT)], budget=ChangeBudget(moved=0, price_per_moved=4)
    )
    reason = unserved(problem, "S1", others=(("V2", ()),))
    spent = next(one for one in reason.remedies if one.concession and one.concession.limit == Limit.BUDGET)
    assert spent.words == "if the budget allowed 1 instead of 0 (stops change vehicle)"
    assert spent.extra_cost == 25 + 4


def test_another_stop_moves_away_where_that_is_cheapest():
    stops = [
        drop("S1", demand={"kg": 60}),
        drop("S2", demand={"kg": 60}, required_skills=frozenset({"cold"})),
    ]
    cold = van("V1", skills=frozenset({"cold"}), **OUT)
    reason = unserved(line(stops, [20, 10], [cold, van("V2", **OUT)]), "S1", others=(("V2", ()),))
    moved = next(one for one in reason.remedies if one.concession is None)
    assert moved.words == "if S1 moves from V1 to V2"
    # V2 drives to km 20 for it, V1 to km 10 alone
    assert moved.extra_cost == 25
    assert moved.routes == {"V1": ("S2",), "V2": ("S1",)}
    assert reason.cause == Cause.CAPACITY


def test_a_stop_that_costs_more_than_it_is_worth_is_told_both_amounts():
    reason = unserved(line([drop(price_of_not_serving=20.0)], [30]))
    # the day, seventy minutes, sixty km
    assert reason.cause == Cause.NOT_WORTH_IT
    assert reason.words == (
        f"serving it costs {euros('105.00')} at best (on V1, called out for it), "
        f"more than the {euros('20.00')} of not serving it"
    )


def test_both_halves_of_a_pair_are_placed_and_priced_together():
    stops = [drop("C", pickup=True, price_of_not_serving=5), drop("B", collected_at="C", price_of_not_serving=5)]
    problem = line(stops, [10, 20], [van(**OUT)])
    reasons = reasons_unserved(problem, {})
    for half, other in (("C", "B"), ("B", "C")):
        assert reasons[half].words == (
            f"serving it costs {euros('50.00')} at best (on V1, together with {other}), "
            f"more than the {euros('10.00')} of not serving it"
        )
        assert reasons[half].remedies[0].routes == {"V1": ("C", "B")}
        holds(problem, {}, reasons[half].remedies[0])


def test_where_two_limits_stand_in_the_way_both_are_told():
    shift = van(shift_end=NINE, max_overtime_seconds=0, max_route_km=50)
    reason = unserved(line([drop()], [30], [shift]))
    assert (reason.cause, reason.remedies) == (Cause.NO_SINGLE_CHANGE, ())
    assert reason.words == (
        "no single change is enough; nearest is V1: V1 would drive 10.0 km more than it may and "
        "V1 would end at 09:10, 10 min after its limit of 09:00"
    )


def test_too_many_stops_are_told_as_what_they_are():
    stops = [drop(f"S{i}", demand={"kg": 100}) for i in range(200)]
    reasons = reasons_unserved(line(stops, [10] * 200, [van(**OUT)]), {"V1": ("S0",)})
    assert len(reasons) == 199
    assert reasons["S199"].words == (
        "199 stops are not served; only the 150 dearest to leave out were tried one by one"
    )


# Late.


def late_behind_another(**fields) -> Problem:
    """S1 and S2 both at km 10, S2 due at 08:10, a euro a minute."""
    due = {"closes": EIGHT + 10 * MINUTE, "price_per_late_minute": 1.0}
    return line([drop("S1"), drop("S2", **due, **fields)], [10, 10], [van("V1", **OUT), van("V2")])


def test_a_late_stop_that_would_be_on_time_first_says_so():
    reason = late(late_behind_another(), "S1", "S2")
    assert reason.cause == Cause.NOT_WORTH_IT
    assert reason.words == (f"V1 is 10 min late for its window until 08:10; on time on V1: {euros('10.00')} less")
    assert reason.remedies[0].routes == {"V1": ("S2", "S1")}


def test_a_late_stop_that_another_vehicle_would_serve_on_time_is_told_the_difference():
    problem = late_behind_another()
    first = replace(problem.stops[0], closes=EIGHT + 10 * MINUTE)
    reason = late(replace(problem, stops=(first, problem.stops[1])), "S1", "S2")
    # V2's day, twenty km and minutes and the service, less V1's ten minutes there and ten late
    assert reason.extra_cost == 65 - 5 - 10
    assert reason.words == (
        "V1 is 10 min late for its window until 08:10; on time on V2, called out for it, but that costs "
        f"{euros('50.00')} more than being late"
    )


def test_a_late_stop_that_no_vehicle_can_reach_is_told_another_promise():
    reason = late(line([drop(closes=EIGHT + 10 * MINUTE, price_per_late_minute=1.0)], [25], [van(**OUT)]), "S1")
    assert reason.cause == Cause.WINDOW
    assert reason.words == (
        "V1 is 15 min late for its window until 08:10; no single change brings it on time; "
        "agree another: a window until 08:25"
    )
    assert reason.remedies[0].extra_cost == -15


def test_what_is_committed_can_only_be_promised_anew():
    problem = late_behind_another()
    vehicles = (replace(problem.vehicles[0], committed_stop_ids=("S1", "S2")), problem.vehicles[1])
    reason = late(replace(problem, vehicles=vehicles), "S1", "S2")
    assert reason.words == (
        "V1 is 10 min late for its window until 08:10; V1 is committed to it, so only another promise helps: "
        "a window until 08:20"
    )


def test_a_crew_that_waits_is_explained_like_a_broken_promise():
    milestone = drop("S2", need_by=EIGHT + 10 * MINUTE, crew_price_per_minute=2)
    reason = late(line([drop("S1"), milestone], [10, 10], [van("V1", **OUT)]), "S1", "S2")
    assert reason.words == f"V1 comes 10 min after its crew needs it at 08:10; on time on V1: {euros('20.00')} less"


def test_a_promise_that_others_keep_is_not_broken_for_another():
    due = {"closes": EIGHT + 10 * MINUTE, "price_per_late_minute": 1.0}
    problem = line([drop("S1", **due), drop("S2", **due)], [10, 10], [van("V1", **OUT)])
    reason = late(problem, "S1", "S2")
    assert reason.words == (
        "V1 is 10 min late for its window until 08:10; on time if the window of S1 ended 10 min later, at 08:20, on V1: "
        f"{euros('10.00')} less"
    )


# How much is tried.


class CountingTimer(RouteTimer):
    """Counts the routes that it times."""

    def __init__(self, problem: Problem) -> None:
        self.count = 0
        super().__init__(problem)

    def time(self, vehicle: int, stops: Sequence[int]) -> TimedRoute:
        self.count += 1
        return super().time(vehicle, stops)


@pytest.mark.parametrize("tell", [reasons_unserved, reasons_late])
def test_the_routes_timed_are_bounded_however_many_stops_want_a_reason(tell):
    problem = random_problem(3, stops=300, vehicles=12, midday=True, rich=True)
    timer = CountingTimer(problem)
    assert len(tell(problem, problem.plan_in_force() if tell is reasons_late else {}, timer)) > 100
    vehicles, rows_a_trial = 3 * len(problem.vehicles), 2
    assert timer.count <= vehicles + rows_a_trial * PROBES * 3


def test_fewer_probes_time_fewer_routes_and_still_tell_each_stop_something():
    problem = random_problem(3, stops=100, vehicles=8, midday=True, rich=True)
    counts = []
    for probes in (1200, 80):
        timer = CountingTimer(problem)
        assert set(reasons_unserved(problem, {}, timer, probes)) == set(problem.stop_index)
        counts.append(timer.count)
    assert counts[1] < counts[0] / 2


# Over seeds.


@pytest.mark.parametrize("seed", range(24))
def test_every_stop_left_out_or_late_has_a_reason_and_every_remedy_holds(seed):
    problem = random_problem(seed, rich=True)
    routes = problem.plan_in_force() if seed % 2 else fewer(problem)
    plan = evaluate(problem, routes)
    reasons = reasons_unserved(problem, routes)
    assert set(reasons) == set(plan.unserved)
    for reason in reasons.values():
        for remedy in reason.remedies:
            holds(problem, routes, remedy)
    for reason in reasons_late(problem, routes).values():
        for remedy in reason.remedies:
            after = holds(problem, routes, remedy, late=True)
            if remedy.routes:
                assert after.stops[remedy.stop_id].late_minutes == 0
            else:  # another promise
                assert after.stops[remedy.stop_id].late_minutes <= plan.stops[remedy.stop_id].late_minutes


@pytest.mark.parametrize("seed", range(10))
def test_all_that_is_late_is_explained(seed):
    problem = random_problem(seed, rich=True)
    plan = evaluate(problem, problem.plan_in_force())
    need_by = {stop.stop_id: stop.need_by or float("inf") for stop in problem.stops}
    behind = {
        one.stop_id
        for one in plan.stops.values()
        if one.late_minutes > 0 or one.service_starts_at > need_by[one.stop_id]
    }
    assert set(reasons_late(problem, problem.plan_in_force())) == behind


def fewer(problem: Problem) -> dict[str, tuple[str, ...]]:
    """The plan in force without what it can't serve and without every other stop that nobody is committed to."""
    bad = Counter(one.vehicle_id for one in evaluate(problem, problem.plan_in_force()).violations)
    return {
        vehicle.vehicle_id: vehicle.committed_stop_ids
        if bad[vehicle.vehicle_id]
        else problem.plan_in_force()[vehicle.vehicle_id]
        for vehicle in problem.vehicles
    }
