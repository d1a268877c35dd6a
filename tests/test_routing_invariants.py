"""What holds for any plan of any problem, looked at a second time from the figures that the evaluation shows."""

import math
import random
from collections.abc import Iterator, Mapping

import pytest

from lastmile.model import WindowSemantics
from lastmile.routing import RELOAD, Cause, Evaluation, PlannedRoute, Problem, VehicleShift, evaluate, problems_of
from tests.routing_problems import random_problem

SEEDS = range(60)
SECOND = 1e-3


def any_plan(problem: Problem, seed: int) -> Mapping[str, tuple[str, ...]]:
    """The plan in force, or with every other seed one where stops and reloads are thrown together."""
    if seed % 2:
        return problem.plan_in_force()
    draw = random.Random(seed)
    rows = {vehicle.vehicle_id: [] for vehicle in problem.vehicles}
    for stop in problem.stops:
        if stop.stop_id not in problem.committed_to and draw.random() < 0.7:
            rows[draw.choice(list(rows))].append(stop.stop_id)
    for vehicle in problem.vehicles:
        row = rows[vehicle.vehicle_id]
        draw.shuffle(row)
        for _ in range(draw.randrange(0, 2)):
            row.insert(draw.randrange(len(row) + 1), RELOAD)
        row[:0] = vehicle.committed_stop_ids
    return {vehicle_id: tuple(row) for vehicle_id, row in rows.items()}


@pytest.fixture(params=SEEDS, name="planned")
def _planned(request) -> tuple[Problem, Evaluation]:
    problem = random_problem(request.param, rich=True)
    return problem, evaluate(problem, any_plan(problem, request.param))


def shift_of(problem: Problem, route: PlannedRoute) -> VehicleShift:
    return problem.vehicles[problem.vehicle_index[route.vehicle_id]]


def paid_seconds(problem: Problem, route: PlannedRoute) -> float:
    shift = shift_of(problem, route)
    return route.returns_at - (max(problem.instant, shift.ready_at) if shift.in_use else route.departs_at)


def test_the_parts_of_the_cost_add_to_the_whole(planned):
    problem, plan = planned
    assert plan.cost.total == pytest.approx(sum(vars(plan.cost).values()))
    not_served = sum(problem.price_of_not_serving(problem.stops[problem.stop_index[one]]) for one in plan.unserved)
    assert plan.cost.not_served == pytest.approx(not_served)
    assert plan.cost.total == pytest.approx(sum(route.cost.total for route in plan.routes) + not_served)


def test_each_part_of_a_routes_cost_follows_from_its_times(planned):
    problem, plan = planned
    for route in plan.routes:
        shift, paid = shift_of(problem, route), paid_seconds(problem, route)
        rates = shift.rates
        beyond = min(paid, max(0.0, route.returns_at - shift.shift_end))
        assert route.cost.hours == pytest.approx((paid - beyond) / 3600 * rates.per_hour)
        assert route.cost.overtime == pytest.approx(beyond / 3600 * rates.per_overtime_hour)
        assert route.cost.distance == pytest.approx(route.distance_km * rates.per_km, rel=1e-6)
        assert route.cost.stops == len(route.stops) * rates.per_stop
        worked = sum(vars(route.cost)[part] for part in ("day", "hours", "overtime", "distance", "stops"))
        driven = bool(route.order) or shift.in_use
        assert worked + route.cost.minimum_top_up == pytest.approx(max(worked, rates.minimum) if driven else 0)
        assert route.cost.crew_idle == pytest.approx(sum(_crew_price(problem, stop) for stop in route.stops))
        assert route.cost.early == pytest.approx(sum(_early_price(problem, stop) for stop in route.stops))


def _crew_price(problem: Problem, planned) -> float:
    stop = problem.stops[problem.stop_index[planned.stop_id]]
    late = 0 if stop.need_by is None else max(0, planned.service_starts_at - stop.need_by)
    return late / 60 * stop.crew_price_per_minute


def _early_price(problem: Problem, planned) -> float:
    stop = problem.stops[problem.stop_index[planned.stop_id]]
    early = 0 if stop.accepts_from is None else max(0, stop.accepts_from - planned.service_starts_at)
    return early / 60 * stop.price_per_early_minute


def test_time_only_goes_forward_and_service_takes_its_time(planned):
    problem, plan = planned
    for route in plan.routes:
        now, pace = route.departs_at, shift_of(problem, route).service_pace
        assert now >= max(problem.instant, shift_of(problem, route).ready_at)
        for stop in route.stops:
            assert now <= stop.arrives_at <= stop.service_starts_at
            service = problem.stops[problem.stop_index[stop.stop_id]].service_seconds * pace
            assert stop.departs_at == pytest.approx(stop.service_starts_at + service)
            now = stop.departs_at
        assert route.returns_at >= now


def test_breaks_are_taken_in_order_in_time_and_never_during_service(planned):
    problem, plan = planned
    for route in plan.routes:
        shift = shift_of(problem, route)
        free = ready = max(problem.instant, shift.ready_at)
        busy = [(stop.service_starts_at, stop.departs_at) for stop in route.stops]
        busy += [(at, at + shift.reload_seconds) for at in route.reloads_at]
        for pause, begins in zip(shift.pauses, route.breaks_start_at, strict=False):
            assert max(pause.earliest, free) - SECOND <= begins <= max(pause.latest, ready) + SECOND
            assert all(begins >= leaves - SECOND or begins + pause.seconds <= at + SECOND for at, leaves in busy)
            free = begins + pause.seconds
            ready = max(ready, pause.earliest) + pause.seconds
        left = shift.pauses[len(route.breaks_start_at) :]
        if left and route.stops and shift.in_use:
            assert route.returns_at <= max(left[0].latest, ready) + SECOND


def test_the_problems_have_shifts_of_no_break_to_three():
    shifts = [vehicle for seed in SEEDS for vehicle in random_problem(seed, rich=True).vehicles]
    assert {len(shift.pauses) for shift in shifts} == {0, 1, 2, 3}


def test_nobody_is_served_outside_a_window_but_after_the_last(planned):
    problem, plan = planned
    for planned_stop in plan.stops.values():
        stop = problem.stops[problem.stop_index[planned_stop.stop_id]]
        if not stop.windows:
            continue
        pace = shift_of(problem, next(r for r in plan.routes if r.vehicle_id == planned_stop.vehicle_id)).service_pace
        anchor = {
            WindowSemantics.ARRIVAL: planned_stop.service_starts_at,
            WindowSemantics.SERVICE_START: planned_stop.service_starts_at,
            WindowSemantics.SERVICE_END: planned_stop.service_starts_at + stop.service_seconds * pace,
        }[stop.semantics]
        arrival = stop.semantics == WindowSemantics.ARRIVAL
        judged = planned_stop.arrives_at if arrival else anchor
        assert planned_stop.late_minutes * 60 == pytest.approx(max(0.0, judged - stop.last_closes), abs=SECOND)
        assert anchor >= stop.windows[0][0] - SECOND
        if not planned_stop.late_minutes and not arrival:
            assert any(opens - SECOND <= anchor <= closes + SECOND for opens, closes in stop.windows)


def test_a_promise_is_broken_where_its_stop_is_late_or_left_out(planned):
    problem, plan = planned
    late = {one.stop_id for one in plan.stops.values() if one.late_minutes > 0}
    left_out = {one for one in plan.unserved if problem.stops[problem.stop_index[one]].last_closes is not None}
    assert set(plan.broken_promises) == late | left_out


def test_the_largest_load_is_that_of_a_second_count(planned):
    problem, plan = planned
    for route in plan.routes:
        for name, peak in route.peak_load.items():
            on_board = shift_of(problem, route).load_on_board.get(name, 0)
            loads = [load for trip in trips(route) for load in _loads(problem, trip, name)]
            assert peak == pytest.approx(on_board + max([0, *loads]))


def trips(route: PlannedRoute) -> list[list[str]]:
    found: list[list[str]] = [[]]
    for one in route.order:
        found.append([]) if one == RELOAD else found[-1].append(one)
    return found


def _loads(problem: Problem, trip: list[str], name: str) -> Iterator[float]:
    stops = [problem.stops[problem.stop_index[one]] for one in trip]
    collected = {stop.stop_id for stop in stops if stop.collected_at in problem.stop_index}
    load = sum(stop.demand.get(name, 0) for stop in stops if not stop.pickup and stop.stop_id not in collected)
    yield load
    for stop in stops:
        load += stop.demand.get(name, 0) * (1 if stop.pickup else -1)
        yield load


def test_a_second_look_finds_the_same_kinds_of_broken_limits(planned):
    problem, plan = planned
    told = {(one.vehicle_id, one.cause) for one in plan.violations if one.cause != Cause.CAPACITY}
    seen = {(route.vehicle_id, cause) for route in plan.routes for cause in _limits_broken(problem, route)}
    free = {vehicle.vehicle_id for vehicle in problem.vehicles if not vehicle.committed_stop_ids}
    assert {one for one in told if one[0] in free and one[1] in LOOKED_AT} == {one for one in seen if one[0] in free}


LOOKED_AT = {Cause.SHIFT, Cause.ROUTE_TIME, Cause.ROUTE_DISTANCE, Cause.RELOADS, Cause.PAIR, Cause.WINDOW, Cause.SKILL}


def _limits_broken(problem: Problem, route: PlannedRoute) -> Iterator[Cause]:
    shift = shift_of(problem, route)
    most_seconds = math.inf if shift.max_route_seconds is None else shift.max_route_seconds
    most_km = math.inf if shift.max_route_km is None else shift.max_route_km
    if route.returns_at > shift.must_end_by:
        yield Cause.SHIFT
    if paid_seconds(problem, route) > max(0, most_seconds - shift.worked_seconds):
        yield Cause.ROUTE_TIME
    if route.distance_km > max(0, most_km - shift.driven_km):
        yield Cause.ROUTE_DISTANCE
    if route.order.count(RELOAD) > shift.max_reloads:
        yield Cause.RELOADS
    for planned in route.stops:
        stop = problem.stops[problem.stop_index[planned.stop_id]]
        if planned.late_minutes and stop.price_per_late_minute is None:
            yield Cause.WINDOW
        if not stop.required_skills <= shift.skills:
            yield Cause.SKILL
    if any(not _whole(problem, pair, trips(route)) for pair in problem.collected_for.items()):
        yield Cause.PAIR


def _whole(problem: Problem, pair: tuple[str, str], rows: list[list[str]]) -> bool:
    collected, brought = pair
    with_both = [row for row in rows if collected in row and brought in row]
    return not any(collected in row or brought in row for row in rows) or any(
        row.index(collected) < row.index(brought) for row in with_both
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_a_plan_that_breaks_nothing_can_always_be_had(seed):
    problem = random_problem(seed, rich=True)
    drivable = evaluate(problem, {v.vehicle_id: v.committed_stop_ids for v in problem.vehicles}).violations
    assert {one.cause for one in drivable} <= {Cause.CHANGES}
    in_force = problem.plan_in_force()
    broken = {one.vehicle_id for one in evaluate(problem, in_force).violations}
    spoilt = {
        vehicle_id
        for vehicle_id, row in in_force.items()
        if vehicle_id in broken or set(row) & set(problems_of(problem))
    }
    kept = {
        v.vehicle_id: v.committed_stop_ids if v.vehicle_id in spoilt else in_force[v.vehicle_id]
        for v in problem.vehicles
    }
    assert evaluate(problem, kept).violations == ()
