"""A large problem in parts: nothing lost or twice, neighbours together, and figures of parts that add up to the whole's."""

import math
from collections import Counter
from dataclasses import replace

import pytest

from lastmile.routing import RELOAD, ChangeBudget, Pin, Policy, Problem, VehicleShift, evaluate
from lastmile.routing.areas import areas
from lastmile.routing.parts import Parting, evaluate_in_parts, with_whole_pairs
from tests.routing_problems import DEPOT, EIGHT, HOUR, drop, random_problem, van
from tests.test_routing_invariants import any_plan

SEEDS = range(40)


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("seed", SEEDS)
def test_each_stop_and_each_vehicle_is_in_one_area_together_with_its_route(seed, number):
    problem = random_problem(seed, stops=40, vehicles=9, rich=True)
    routes = problem.plan_in_force()
    cut = areas(problem, routes, 3, number)
    assert Counter(one for area in cut for one in area.stop_ids) == Counter(list(problem.stop_index))
    assert Counter(one for area in cut for one in area.vehicle_ids) == Counter(list(problem.vehicle_index))
    of_vehicle = {one: area for area in cut for one in area.vehicle_ids}
    for vehicle_id, row in routes.items():
        assert {one for one in row if one != RELOAD} <= set(of_vehicle[vehicle_id].stop_ids)


@pytest.mark.parametrize("seed", range(10))
def test_halves_of_a_pair_are_in_one_area(seed):
    problem = random_problem(seed, stops=60, vehicles=9, rich=True)
    cut = areas(problem, {}, 3, 1)
    for collected, brought in problem.collected_for.items():
        assert any({collected, brought} <= set(area.stop_ids) for area in cut)


def around_a_depot(stops: int, vehicles: int) -> Problem:
    turns = [2 * math.pi * index / stops for index in range(stops)]
    drops = [
        drop(f"S{i}", lon=DEPOT[0] + math.sin(t) / 10, lat=DEPOT[1] + math.cos(t) / 10) for i, t in enumerate(turns)
    ]
    return Problem(tuple(drops), tuple(van(f"V{i}") for i in range(vehicles)), EIGHT)


def test_around_one_depot_the_areas_are_slices_of_a_cake():
    cut = areas(around_a_depot(120, 12), {}, 4, 0)
    assert [len(area.stop_ids) for area in cut] == [30] * 4
    assert [len(area.vehicle_ids) for area in cut] == [3] * 4
    for area in cut:
        at = sorted(int(one[1:]) for one in area.stop_ids)
        gaps = [(after - before) % 120 for before, after in zip(at, [*at[1:], at[0]], strict=True)]
        assert sorted(gaps)[:-1] == [1] * 29


def test_borders_move_from_cut_to_cut():
    problem = around_a_depot(120, 12)
    cuts = [{frozenset(area.stop_ids) for area in areas(problem, {}, 4, number)} for number in range(4)]
    assert all(not one & other for index, one in enumerate(cuts) for other in cuts[:index])


def test_vehicles_without_stops_go_where_stops_wait():
    problem = around_a_depot(40, 6)
    first = [stop.stop_id for stop in problem.stops[:20]]
    routes = {"V0": tuple(first[:10]), "V1": tuple(first[10:])}
    cut = areas(problem, routes, 2, 0)
    waiting = [len(set(area.stop_ids) - set(first)) for area in cut]
    idle = [len(set(area.vehicle_ids) - set(routes)) for area in cut]
    assert idle == [round(4 * one / sum(waiting)) for one in waiting]


def test_a_stop_that_asks_for_certain_vehicles_goes_where_one_of_them_is():
    problem = around_a_depot(40, 4)
    routes = {f"V{i}": tuple(f"S{n}" for n in range(10 * i, 10 * i + 8)) for i in range(4)}
    stops = [
        replace(one, required_skills=frozenset({"crane"})) if one.stop_id == "S9" else one for one in problem.stops
    ]
    fleet = [replace(one, skills=frozenset({"crane"})) if one.vehicle_id == "V2" else one for one in problem.vehicles]
    for number in range(4):
        cut = areas(replace(problem, stops=tuple(stops), vehicles=tuple(fleet)), routes, 4, number)
        assert next(area for area in cut if "S9" in area.stop_ids).vehicle_ids == ("V2",)


# Figures.


@pytest.mark.parametrize("seed", SEEDS)
def test_a_plan_judged_in_parts_is_judged_the_same(seed):
    problem = random_problem(seed, stops=40, vehicles=8, rich=True)
    fleet = {vehicle.vehicle_id: vehicle for vehicle in problem.vehicles}
    routes = {
        vehicle_id: tuple(one for one in row if one != RELOAD or fleet[vehicle_id].max_reloads)
        for vehicle_id, row in with_whole_pairs(problem, any_plan(problem, seed)).items()
    }
    whole, parted = evaluate(problem, routes), evaluate_in_parts(problem, routes, 3, seed)
    assert parted.routes == whole.routes
    assert parted.unserved == whole.unserved
    assert vars(parted.cost) == pytest.approx(vars(whole.cost))
    assert sorted(map(str, parted.violations)) == sorted(map(str, whole.violations))
    assert set(parted.broken_promises) == set(whole.broken_promises)
    for name in ("moved", "promises_broken", "goods_moved"):
        assert set(getattr(parted.changes, name)) == set(getattr(whole.changes, name))
    assert parted.excess == pytest.approx(whole.excess)


@pytest.mark.parametrize("most", [0, 4, 7, 50])
def test_a_budget_is_shared_out_and_never_exceeded(most):
    problem = replace(random_problem(3, stops=60, vehicles=9), budget=ChangeBudget(moved=most, promises_broken=2))
    routes = problem.plan_in_force()
    parts = Parting(problem).parts(routes, 4, 0)
    assert sum(part.problem.budget.moved for part in parts) == most
    assert sum(part.problem.budget.promises_broken for part in parts) == 2
    assert all(part.problem.budget.goods_moved is None for part in parts)


def test_what_is_changed_already_stays_allowed_where_it_was_changed():
    problem = replace(random_problem(3, stops=60, vehicles=9, midday=False), budget=ChangeBudget(moved=6))
    routes = {vehicle_id: list(row) for vehicle_id, row in problem.plan_in_force().items()}
    moved = [routes["V0"].pop() for _ in range(3)]
    routes["V1"] += moved
    spent = evaluate(problem, routes).changes
    assert set(spent.moved) == set(moved)
    parts = Parting(problem).parts({one: tuple(row) for one, row in routes.items()}, 4, 1, spent)
    assert sum(part.problem.budget.moved for part in parts) == 6
    with_it = next(part for part in parts if "V1" in part.problem.vehicle_index)
    assert with_it.problem.budget.moved >= 3


def test_a_part_knows_what_its_stops_were_on_in_another():
    def shift(vehicle_id: str, lon: float, **fields: object) -> VehicleShift:
        return replace(van(vehicle_id), lon=DEPOT[0] + lon, **fields)

    def stop(stop_id: str, lon: float, **fields: object):
        return replace(drop(stop_id), lon=DEPOT[0] + lon, closes=EIGHT + 8 * HOUR, **fields)

    stops = (
        stop("S1", -1, present_vehicle_id="V1", present_position=1, pin=Pin.ORDER),
        stop("S2", 1, present_vehicle_id="V1", present_position=0, pin=Pin.ORDER),
        stop("S3", 1.1, present_vehicle_id="V1", present_position=2, pin=Pin.ORDER),
    )
    problem = Problem(stops, (shift("V1", -1, loaded_stop_ids=frozenset({"S2"})), shift("V2", 1)), EIGHT)
    parting = Parting(problem)
    east = next(p for p in parting.parts({"V1": ("S1",), "V2": ("S3", "S2")}, 2, 1) if "V2" in p.problem.vehicle_index)
    plan = evaluate(east.problem, east.routes)
    assert plan.changes.moved == ("S3", "S2")
    assert plan.changes.goods_moved == ("S2",)
    assert [one.stop_id for one in plan.violations] == ["S2"]  # S2 went before S3, and should
    assert east.problem.policy == Policy.DROP_LEAST_VALUABLE
