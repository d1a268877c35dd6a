"""The compiled search keeps the evaluator's rules: its clock tells the same, its plans break nothing, its sums stay true."""

import random
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from lastmile.routing import RELOAD, Break, ChangeBudget, Freedom, Pin, Problem, Routes, evaluate
from lastmile.routing.kernel import Kernel
from lastmile.routing.kernel import plan as plans
from lastmile.routing.kernel.clock import judge
from lastmile.routing.kernel.driving import RELOADS
from lastmile.routing.kernel.structs import CompiledPlan
from lastmile.routing.policies import to_search
from lastmile.routing.timing import RouteTimer
from tests.routing_problems import EIGHT, HOUR, MINUTE, drop, line, random_problem, van

CENT = 1e-2
ROUNDS = 150
SEEDS = range(120)


def kernel_of(problem: Problem, seed: int = 1, stay_price: float = 0.0) -> Kernel:
    return Kernel(problem, problem.plan_in_force(), seed, stay_price)


def improved(kernel: Kernel, rounds: int = ROUNDS) -> Kernel:
    kernel.improve(0, rounds, 0, 1)
    return kernel


def rich(seed: int, **fields: object) -> Problem:
    return to_search(replace(random_problem(seed, rich=True), **fields))


# The clock.


def any_rows(problem: Problem, draw: random.Random) -> list[list[int]]:
    """Stops and reloads thrown together, commitments first."""
    index = problem.stop_index
    rows: list[list[int]] = [[] for _ in problem.vehicles]
    for stop in problem.stops:
        if stop.stop_id not in problem.committed_to and draw.random() < 0.6:
            draw.choice(rows).append(index[stop.stop_id])
    for vehicle, row in zip(problem.vehicles, rows, strict=True):
        draw.shuffle(row)
        for _ in range(draw.randrange(0, 3) if problem.has_reloads else 0):
            row.insert(draw.randrange(len(row) + 1), RELOADS)
        row[:0] = [index[stop_id] for stop_id in vehicle.committed_stop_ids]
    return rows


def judged(kernel: Kernel, vehicle: int, row: list[int]) -> tuple[float, float, int, int, int]:
    return judge(kernel._sheet, kernel._scratch, vehicle, np.array([*row, RELOADS], dtype=np.int32), len(row))


@pytest.mark.parametrize("of_all_features", [False, True])
@pytest.mark.parametrize("seed", range(40))
def test_the_compiled_clock_tells_what_the_evaluator_tells(seed, of_all_features):
    problem = random_problem(seed, rich=of_all_features)
    kernel, timer, draw = kernel_of(problem), RouteTimer(problem), random.Random(seed)
    for _ in range(6):
        for vehicle, row in enumerate(any_rows(problem, draw)):
            excess, cost, *_ = judged(kernel, vehicle, row)
            route = timer.time(vehicle, row)
            assert excess == pytest.approx(sum(breach.excess for breach in route.breaches), abs=CENT)
            assert cost == pytest.approx(route.cost.total, abs=CENT)


@pytest.mark.parametrize("seed", range(40))
def test_short_routes_in_the_order_of_the_plan_in_force_are_told_the_same(seed):
    problem = random_problem(1000 + seed, stops=12, vehicles=6, rich=True)
    kernel, timer = kernel_of(problem), RouteTimer(problem)
    rows = kernel._allowed_rows(problem.plan_in_force())
    for vehicle, row in enumerate(rows):
        for end in range(kernel.sheet.vehicles["fixed"][vehicle], len(row) + 1):
            excess, cost, *_ = judged(kernel, vehicle, row[:end])
            route = timer.time(vehicle, row[:end])
            assert excess == pytest.approx(sum(breach.excess for breach in route.breaches), abs=CENT)
            assert cost == pytest.approx(route.cost.total, abs=CENT)


def crowded_breaks(draw: random.Random) -> tuple[Break, ...]:
    """Two or three breaks whose spans overlap, some with no second to spare."""
    pauses, earliest, soonest, latest = [], EIGHT + draw.uniform(0, 2) * HOUR, 0.0, 0.0
    for _ in range(draw.choice((2, 3))):
        soonest = max(soonest, earliest)
        latest = max(latest, soonest + draw.choice((0, 0, 0.3, 1, 2)) * HOUR)
        pauses.append(Break(draw.uniform(5, 50) * MINUTE, earliest, latest))
        soonest += pauses[-1].seconds
        earliest += draw.choice((0, 0.5, 1, 2)) * pauses[-1].seconds
    return tuple(pauses)


@pytest.mark.parametrize("seed", range(40))
def test_breaks_close_together_are_told_the_same(seed):
    problem, draw = random_problem(2000 + seed, stops=14, vehicles=4, rich=True), random.Random(seed)
    fleet = tuple(replace(vehicle, pauses=crowded_breaks(draw)) for vehicle in problem.vehicles)
    problem = replace(problem, vehicles=fleet, instant=problem.instant - draw.uniform(0, 2) * HOUR)
    kernel, timer = kernel_of(problem), RouteTimer(problem)
    for _ in range(4):
        for vehicle, row in enumerate(any_rows(problem, draw)):
            excess, cost, *_ = judged(kernel, vehicle, row)
            route = timer.time(vehicle, row)
            assert excess == pytest.approx(sum(breach.excess for breach in route.breaches), abs=CENT)
            assert cost == pytest.approx(route.cost.total, abs=CENT)


@pytest.mark.parametrize("seed", range(30))
def test_what_a_route_changes_is_counted_as_the_evaluator_counts_it(seed):
    problem = random_problem(seed, rich=True)
    kernel, rows = kernel_of(problem), any_rows(problem, random.Random(seed))
    told = [judged(kernel, vehicle, row) for vehicle, row in enumerate(rows)]
    plan = evaluate(problem, kernel.named(rows))
    served_late = set(plan.changes.promises_broken) - set(plan.unserved)
    assert sum(one[2] for one in told) == len(plan.changes.moved)
    assert sum(one[3] for one in told) == len(served_late)
    assert sum(one[4] for one in told) == len(plan.changes.goods_moved)


# Plans.


@pytest.mark.parametrize("seed", SEEDS)
def test_a_plan_with_every_feature_breaks_nothing_and_costs_what_the_evaluator_says(seed):
    problem = rich(seed)
    kernel = kernel_of(problem, seed)
    repaired = kernel.best_cost
    routes = improved(kernel).routes()
    plan = evaluate(problem, routes)
    assert plan.violations == ()
    assert kernel.best_cost == pytest.approx(plan.cost.total, abs=CENT)
    assert kernel.best_cost <= repaired
    served = Counter(one for row in routes.values() for one in row if one != RELOAD)
    assert set(served.values()) <= {1}
    assert set(served) | set(plan.unserved) == set(problem.stop_index)
    for vehicle in problem.vehicles:
        committed = vehicle.committed_stop_ids
        assert routes[vehicle.vehicle_id][: len(committed)] == committed


@pytest.mark.parametrize("seed", SEEDS)
def test_the_repaired_plan_breaks_nothing_and_is_no_worse_than_the_plan_in_force_where_that_can_be_driven(seed):
    problem = rich(500 + seed)
    kernel = kernel_of(problem)
    plan = evaluate(problem, kernel.routes())
    in_force = evaluate(problem, problem.plan_in_force())
    assert plan.violations == ()
    if not in_force.violations:
        assert plan.cost.total <= in_force.cost.total + CENT


@pytest.mark.parametrize("seed", range(20))
def test_what_moves_is_priced_by_the_wish_to_stay_put(seed):
    problem = rich(seed)
    kernel = improved(kernel_of(problem, stay_price=3.0))
    plan = evaluate(problem, kernel.routes())
    assert kernel.best_cost == pytest.approx(plan.cost.total + 3.0 * len(plan.changes.moved), abs=CENT)


@pytest.mark.parametrize("most", [0, 1, 3])
@pytest.mark.parametrize("what", ["moved", "promises_broken", "goods_moved"])
def test_a_budget_of_changes_is_held(what, most):
    for seed in range(12):
        problem = rich(seed, budget=ChangeBudget(**{what: most}), freedom=Freedom.EVERYTHING)
        plan = evaluate(problem, improved(kernel_of(problem)).routes())
        assert len(getattr(plan.changes, what)) <= most
        assert plan.violations == ()


def test_a_budget_for_a_while_is_held_and_then_forgotten():
    problem = rich(4, budget=ChangeBudget(), freedom=Freedom.EVERYTHING)
    kernel = kernel_of(problem)
    with kernel.most_moved(1):
        kernel.again(problem.plan_in_force(), 1)
        few = evaluate(problem, improved(kernel).routes())
    many = evaluate(problem, improved(kernel.again(problem.plan_in_force(), 1)).routes())
    assert len(few.changes.moved) <= 1 < len(many.changes.moved)
    assert many.cost.total < few.cost.total


def positions(routes: Routes) -> dict[str, tuple[str, int]]:
    return {one: (vehicle_id, at) for vehicle_id, row in routes.items() for at, one in enumerate(row) if one != RELOAD}


@pytest.mark.parametrize("seed", range(30))
def test_times_alone_are_free_where_vehicles_and_order_are_not(seed):
    problem = rich(seed, freedom=Freedom.TIMES)
    before, after = positions(problem.plan_in_force()), positions(improved(kernel_of(problem)).routes())
    both = [one for one in before if one in after]
    assert {one: before[one][0] for one in both} == {one: after[one][0] for one in both}
    in_order = sorted(both, key=before.__getitem__)
    assert in_order == sorted(both, key=after.__getitem__)


@pytest.mark.parametrize("seed", range(30))
def test_a_free_sequence_keeps_vehicles_and_pins_keep_what_they_hold(seed):
    problem = rich(seed, freedom=Freedom.SEQUENCE)
    before, after = positions(problem.plan_in_force()), positions(improved(kernel_of(problem)).routes())
    both = [one for one in before if one in after]
    assert {one: before[one][0] for one in both} == {one: after[one][0] for one in both}
    free = rich(seed, freedom=Freedom.EVERYTHING)
    routes = positions(improved(kernel_of(free)).routes())
    for stop in free.stops:
        if stop.pin in (Pin.VEHICLE, Pin.BOTH) and stop.stop_id in routes and stop.stop_id in before:
            assert routes[stop.stop_id][0] == stop.present_vehicle_id


@pytest.mark.parametrize("seed", range(8))
def test_the_same_seed_and_rounds_give_the_same_plan_and_another_seed_another(seed):
    problem = rich(seed, freedom=Freedom.EVERYTHING, budget=ChangeBudget())
    first, second = improved(kernel_of(problem, 5)), improved(kernel_of(problem, 5))
    assert first.routes() == second.routes()
    assert first.present_routes() == second.present_routes()
    assert first.pool == second.pool
    again = improved(first.again(problem.plan_in_force(), 5))
    assert again.routes() == second.routes()


def test_many_rounds_in_small_steps_are_the_same_as_the_plan_allows():
    problem = rich(3, freedom=Freedom.EVERYTHING)
    assert kernel_of(problem, 1).rounds == 0
    assert improved(kernel_of(problem, 1), 37).rounds == 37


# Sums.


@pytest.mark.parametrize("seed", range(60))
def test_after_many_rounds_all_sums_are_those_of_a_recount(seed):
    problem = rich(seed)
    kernel = improved(kernel_of(problem, seed, stay_price=2.0), 300)
    told, total = kernel.plan, kernel.plan.total
    rows = [row[:count].tolist() for row, count in zip(told.rows, told.routes["count"], strict=True)]
    fresh = plans.plan_for(kernel.sheet, rows, 1)
    fresh.total["stay_price"] = 2.0
    plans.begin_all(kernel._sheet, CompiledPlan(*fresh), kernel._scratch)
    assert sorted(told.absent[: total["absent"][0]]) == sorted(fresh.absent[: fresh.total["absent"][0]])
    assert told.where.tolist() == fresh.where.tolist()
    for name in ("moved", "broken", "goods"):
        assert total[name][0] == fresh.total[name][0]
    assert total["cost"][0] == pytest.approx(fresh.total["cost"][0], abs=CENT)
    for name in ("cost", "excess", "stops", "reloads"):
        assert told.routes[name] == pytest.approx(fresh.routes[name], abs=1e-9)
    assert told.loads == pytest.approx(fresh.loads, abs=1e-6)
    for vehicle, row in enumerate(rows):
        for name in ("begins", "latest", "price_of_delay"):
            assert told.gaps[name][vehicle, : len(row) + 1] == pytest.approx(fresh.gaps[name][vehicle, : len(row) + 1])


@pytest.mark.parametrize("seed", range(10))
def test_the_pool_holds_routes_that_can_be_driven_at_their_price(seed):
    problem = rich(seed)
    kernel, timer = improved(kernel_of(problem, seed)), RouteTimer(problem)
    for (vehicle, items), figures in list(kernel.pool.items())[:40]:
        route = timer.time(vehicle, items)
        assert route.breaches == []
        assert figures.cost == pytest.approx(route.cost.total, abs=CENT)
        assert figures == kernel.figures(vehicle, items)


# Small things by hand.


def test_nothing_to_do_is_done_at_once():
    problem = line([drop(opens=EIGHT + 10 * MINUTE, closes=EIGHT)], [10])
    kernel = improved(kernel_of(problem))
    assert kernel.routes() == {"V1": ()}
    assert kernel.best_cost == 500


def test_all_absent_stops_are_placed_at_once_the_dearest_first():
    stops = [drop(f"S{i}", demand={"kg": 1}, price_of_not_serving=1000.0 + i) for i in range(150)]
    fleet = [van(f"V{i}", capacity={"kg": 100}) for i in range(3)]
    kernel = kernel_of(line(stops, [10 + i / 10 for i in range(150)], fleet))
    served = {one for row in kernel.routes().values() for one in row}
    # 8 h and an hour of overtime less 20 min of driving at least: 50 stops of ten minutes a van at most
    assert len(served) > 140
    short = line(stops, [10.0] * 150, [van(capacity={"kg": 20})])
    assert set(kernel_of(short).routes()["V1"]) == {f"S{i}" for i in range(130, 150)}
