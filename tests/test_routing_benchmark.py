"""The benchmark's generators: instances by seed, and the middle of a day in which nothing is lost."""

import csv
from dataclasses import replace

import numpy as np
import pytest

from bench.routing.cases import PLANS, USUAL, Case, instance_named, midday_case, morning_plan
from bench.routing.homberger import KINDS, homberger_like
from bench.routing.measuring import Measured, best_known, gap, kept_share
from bench.routing.midday import midday
from bench.routing.references import TABLE, known_references
from bench.routing.table import tables
from bench.routing.urban import urban
from lastmile.routing import evaluate, problems_of, solve
from lastmile.routing.instances import known_solution
from lastmile.routing.peers import EngineRun
from lastmile.routing.peers.trimming import trimmed

SEEDS = range(1, 9)


def any_plan(problem):
    """Each stop where it costs least, in no time: a plan to start a day from."""
    return solve(problem, 0).routes


def small(seed):
    """Few stops, and yet some vehicles."""
    kind = (*KINDS, "urban")[seed % 7]
    return urban(45, 5, seed) if kind == "urban" else homberger_like(kind, 40 if kind.endswith("1") else 80, seed)


@pytest.fixture(scope="module", params=SEEDS)
def morning(request):
    problem = small(request.param).problem
    return problem, any_plan(problem), request.param


def quiet(problem, plan, seed):
    return midday(problem, plan, seed, urgent_share=0, slower=1, breakdown=False)


@pytest.mark.parametrize("seed", SEEDS)
def test_an_instance_is_the_same_by_its_seed_and_all_of_it_can_be_served(seed):
    first, again = small(seed), small(seed)
    assert first.problem.stops == again.problem.stops
    assert np.array_equal(first.problem.matrix.seconds, again.problem.matrix.seconds)
    assert problems_of(first.problem) == {}


def test_kinds_differ_as_their_names_say():
    spread = {kind: homberger_like(kind, 200, 1) for kind in KINDS}
    days = {kind: instance.problem.vehicles[0].shift_end for kind, instance in spread.items()}
    assert all(days[f"{layout}2"] > 2 * days[f"{layout}1"] for layout in ("C", "R", "RC"))
    nearest = {kind: np.median(np.sort(instance.sheet.straight, axis=1)[:, 1]) for kind, instance in spread.items()}
    assert nearest["C1"] < nearest["R1"]


def test_urban_driving_differs_by_direction_and_has_no_short_cuts():
    seconds = urban(60, 5, 3).problem.matrix.seconds[:61, :61].astype(int)
    assert (seconds != seconds.T).any()
    through = (seconds[:, :, None] + seconds[None, :, :]).min(axis=1)
    assert (seconds <= through + 1).all()


def test_no_stop_is_lost_and_none_is_made_up(morning):
    problem, plan, seed = morning
    day = midday(problem, plan, seed)
    left = {stop.stop_id for stop in day.problem.stops} - set(day.urgent)
    planned = {stop_id for row in plan.values() for stop_id in row}
    assert left | set(day.done) == planned
    assert left.isdisjoint(day.done)
    assert len(day.urgent) == max(1, round(0.05 * len(left)))


def test_with_nothing_new_the_plan_in_force_is_what_is_left_of_the_morning_s(morning):
    problem, plan, seed = morning
    before = evaluate(problem, plan)
    day = quiet(problem, plan, seed).problem
    after = evaluate(day, day.plan_in_force())
    assert (after.violations, after.unserved) == ((), ())
    assert all(stop.departs_at == before.stops[one].departs_at for one, stop in after.stops.items())
    for route in after.routes:
        was = next(one for one in before.routes if one.vehicle_id == route.vehicle_id)
        assert route.stop_ids == was.stop_ids[len(was.stops) - len(route.stops) :]
        assert route.returns_at == was.returns_at


def test_what_is_left_to_drive_is_the_morning_s_less_what_is_driven(morning):
    problem, plan, seed = morning
    before = evaluate(problem, plan)
    day = quiet(problem, plan, seed).problem
    after = evaluate(day, day.plan_in_force())
    for route in after.routes:
        was = next(one for one in before.routes if one.vehicle_id == route.vehicle_id)
        driven = was.stops[: len(was.stops) - len(route.stops)]
        to_next = was.stops[len(driven)].distance_km
        most = was.distance_km - sum(stop.distance_km for stop in driven)
        assert most - to_next - 1e-6 <= route.distance_km <= most + 1e-6


def test_loads_are_what_is_still_to_be_handed_over(morning):
    problem, plan, seed = morning
    demand = {stop.stop_id: stop.demand["load"] for stop in problem.stops}
    day = midday(problem, plan, seed).problem
    for vehicle_id, row in day.plan_in_force().items():
        left = sum(demand[one] for one in row)
        assert left <= sum(demand[one] for one in plan[vehicle_id]) <= problem.vehicles[0].capacity["load"]


def test_a_breakdown_frees_its_stops_and_takes_its_vehicle_out(morning):
    problem, plan, seed = morning
    day = midday(problem, plan, seed)
    assert day.broken not in day.problem.vehicle_index
    free = {s.stop_id for s in day.problem.stops if s.present_vehicle_id is None} - set(day.urgent)
    assert free == set(plan[day.broken]) - set(day.done)
    assert free


def test_vehicles_on_the_road_are_committed_to_one_stop_and_the_others_wait_at_the_depot(morning):
    problem, plan, seed = morning
    day = midday(problem, plan, seed).problem
    for vehicle in day.vehicles:
        assert vehicle.in_use == bool(vehicle.committed_stop_ids)
        assert vehicle.committed_stop_ids == day.plan_in_force()[vehicle.vehicle_id][: len(vehicle.committed_stop_ids)]
        if not vehicle.in_use:
            assert vehicle == problem.vehicles[problem.vehicle_index[vehicle.vehicle_id]]


def test_slower_roads_make_every_leg_longer_and_no_leg_dearer(morning):
    problem, plan, seed = morning
    quick, slow = (
        quiet(problem, plan, seed).problem,
        midday(problem, plan, seed, urgent_share=0, breakdown=False).problem,
    )
    assert (slow.matrix.seconds >= 1.2 * quick.matrix.seconds - 1e-6).all()
    assert np.array_equal(slow.matrix.km, quick.matrix.km)


def test_an_urgent_order_can_still_be_served_from_the_depot(morning):
    problem, plan, seed = morning
    day = midday(problem, plan, seed)
    fresh = replace(problem.vehicles[0], vehicle_id="fresh")
    size = len(day.problem.stops)
    for one in day.urgent:
        stop = day.problem.stops[day.problem.stop_index[one]]
        assert stop.opens == day.problem.instant < stop.closes <= fresh.shift_end
        assert stop.present_vehicle_id is None
    assert size == len(set(day.problem.stop_index))


def test_the_warm_plan_without_what_it_can_t_keep_breaks_nothing(morning):
    problem, plan, seed = morning
    day = midday(problem, plan, seed).problem
    assert evaluate(day, trimmed(day, day.plan_in_force())).violations == ()


def test_the_same_seed_makes_the_same_day(morning):
    problem, plan, seed = morning
    first, again = midday(problem, plan, seed), midday(problem, plan, seed)
    assert (first.broken, first.urgent, first.problem.stops) == (again.broken, again.urgent, again.problem.stops)
    assert first.problem.vehicles == again.problem.vehicles


def test_stops_that_keep_their_vehicle_are_counted_among_those_that_have_one(morning):
    problem, plan, seed = morning
    day = midday(problem, plan, seed).problem
    assert kept_share(day, day.plan_in_force()) == 1
    assert kept_share(day, {}) == 0
    assert kept_share(problem, plan) is None


def test_kept_plans_belong_to_their_instances_and_break_nothing():
    for file in sorted(PLANS.glob("*.sol")):
        instance = instance_named(file.stem)
        plan = known_solution(file.with_suffix(".vrp"), instance).evaluation
        assert (plan.violations, plan.unserved) == ((), ()), file.name


def test_every_usual_case_has_a_plan_and_references():
    assert {file.stem for file in PLANS.glob("*.sol")} >= set(USUAL)
    with TABLE.open(encoding="utf-8") as kept:
        rows = {(row["case"], row["kind"]) for row in csv.DictReader(kept)}
    assert rows >= {(name, kind) for name in USUAL for kind in ("static", "mid-day")}


def test_a_kept_plan_is_no_better_than_its_reference():
    name = "urban-200-1"
    plan = evaluate(instance_named(name).problem, morning_plan(name, instance_named(name)))
    assert plan.cost.total >= known_references()[name, "static"].cost
    assert midday_case(name).day.urgent


def test_gaps_are_to_the_best_of_all_runs_and_only_where_as_many_are_served():
    problem = small(2).problem
    case, plan = Case("small", problem), any_plan(problem)
    runs = [measured(case, engine, evaluate(problem, rows), rows) for engine, rows in (("ours", plan), ("pyvrp", {}))]
    best = best_known(runs, {}, 2)["small", "static"]
    assert (best.engine, best.unserved) == ("ours", 0)
    assert gap(runs[0].made, best) == 0
    assert gap(runs[1].made, best) is None
    text = tables(runs, {("small", "static"): best})
    assert "| small (40 stops, 10 vehicles) |" in text
    assert "0.00 %" in text
    assert "**40 unserved**" in text
    assert "ours is no worse than pyvrp on 1 of 1" in text


def measured(case, engine, evaluation, routes):
    return Measured(case, 1, engine, 1, EngineRun(engine, routes, evaluation, 0.1, 1.0, ()))
