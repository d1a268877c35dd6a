"""What the door promises: a plan always, no limit broken, all served or told why, never worse, same seed same plan."""

import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lastmile.routing import (
    Cause,
    GivenTravel,
    Problem,
    Rates,
    Stop,
    TravelMatrix,
    VehicleShift,
    compare,
    evaluate,
    problems_of,
    reasons_unserved,
    solve,
)
from lastmile.routing.kernel import Kernel
from tests.routing_problems import EIGHT, HOUR, MINUTE, drop, line, random_problem, van

SOLOMON = next((p for p in (Path(__file__).resolve().parents[1] / "../shared/data/routing",) if p.is_dir()), None)


def rebuilt(problem: Problem, rounds: int = 300) -> dict[str, tuple[str, ...]]:
    kernel = Kernel(problem, problem.plan_in_force(), 1)
    kernel.improve(0, rounds, 0, 1)
    return kernel.routes()


def repaired(problem: Problem) -> dict[str, tuple[str, ...]]:
    return Kernel(problem, problem.plan_in_force(), 1).routes()


def in_force_as_it_can_be_driven(problem: Problem) -> float:
    """The cost of the plan in force if it breaks no limit, else infinity."""
    plan = evaluate(problem, problem.plan_in_force())
    return plan.cost.total if not plan.violations else float("inf")


@pytest.mark.parametrize("seed", range(50))
def test_no_plan_breaks_a_limit_and_everyone_is_served_once_or_told_why(seed):
    problem = random_problem(seed)
    routes = rebuilt(problem)
    plan = evaluate(problem, routes)
    assert plan.violations == ()
    served = Counter(stop_id for row in routes.values() for stop_id in row)
    assert set(served.values()) <= {1}
    assert set(served) | set(plan.unserved) == set(problem.stop_index)
    assert set(reasons_unserved(problem, routes)) == set(plan.unserved)
    assert plan.cost.total <= min(
        in_force_as_it_can_be_driven(problem),
        evaluate(problem, repaired(problem)).cost.total + 1e-6,
    )


@pytest.mark.parametrize("seed", range(25))
def test_what_is_pinned_committed_or_under_way_stays_as_it_is(seed):
    problem = random_problem(seed, midday=True)
    routes = rebuilt(problem)
    where = {stop_id: vehicle_id for vehicle_id, row in routes.items() for stop_id in row}
    for stop in problem.stops:
        if not stop.transferable and stop.stop_id in where and stop.stop_id not in problem.committed_to:
            assert where[stop.stop_id] == problem.holder.get(stop.stop_id, stop.present_vehicle_id)
    for vehicle, route in zip(problem.vehicles, evaluate(problem, routes).routes, strict=True):
        assert route.stop_ids[: len(vehicle.committed_stop_ids)] == vehicle.committed_stop_ids
        assert route.departs_at >= max(problem.instant, vehicle.ready_at)
        if vehicle.in_use:
            assert route.departs_at == max(problem.instant, vehicle.ready_at)


@pytest.mark.parametrize("seed", range(4))
def test_the_whole_solve_keeps_the_same_promises(seed):
    problem = random_problem(100 + seed, stops=30)
    solution = solve(problem, seconds=1.5, seed=seed)
    assert solution.evaluation.violations == ()
    assert not any("stopped early" in note for note in solution.notes)
    assert solution.cost == evaluate(problem, solution.routes).cost.total
    assert solution.cost <= solution.first_plan_cost
    assert set(solution.reasons) == set(solution.evaluation.unserved)


def test_the_same_seed_and_work_give_the_same_plan():
    problem = random_problem(5, stops=30)
    first, second = (solve(problem, seconds=60, seed=3, iterations=60) for _ in range(2))
    assert first.routes == second.routes
    assert first.cost == second.cost
    assert first.elapsed_seconds < 30


def test_a_cancel_is_answered_within_half_a_second_with_a_plan():
    problem = random_problem(1, stops=120, vehicles=12, midday=True)
    stop = threading.Event()
    at: list[float] = []

    def cancel_after_a_second() -> None:
        time.sleep(1)
        at.append(time.monotonic())
        stop.set()

    threading.Thread(target=cancel_after_a_second).start()
    solution = solve(problem, seconds=30, cancelled=stop.is_set)
    assert time.monotonic() - at[0] < 0.5
    assert solution.cancelled
    assert solution.evaluation.violations == ()


def test_progress_begins_with_the_first_plan_and_its_cost_never_rises():
    told = []
    solution = solve(random_problem(2, stops=40, vehicles=6), seconds=1, progress=told.append)
    assert told[0].phase == "first plan"
    assert told[0].best_cost == solution.first_plan_cost
    costs = [one.best_cost for one in told]
    assert costs == sorted(costs, reverse=True)
    assert len(told) > 3


def test_a_wrong_order_is_put_right():
    stops = [drop(f"S{i}", present_vehicle_id="V1", present_position=p) for i, p in enumerate((2, 0, 3, 1))]
    solution = solve(line(stops, [10, 20, 30, 40]), seconds=1)
    # out to km 40 and back, in either direction: 120 min at 30 an hour, 80 km at 0.50, 40 a day
    assert solution.cost == 60 + 40 + 40
    assert solution.first_plan_cost > solution.cost


def test_an_empty_problem_has_an_empty_plan():
    assert solve(Problem((), (), EIGHT), seconds=1).routes == {}
    assert solve(Problem((), (van(),), EIGHT), seconds=1).routes == {"V1": ()}


def test_without_vehicles_each_stop_says_so():
    solution = solve(Problem((drop(),), (), EIGHT), seconds=1)
    assert solution.evaluation.unserved == ("S1",)
    assert solution.reasons["S1"].words == "no vehicle is on shift"


def test_one_stop_is_served():
    assert solve(line([drop()], [10]), seconds=0.5).routes == {"V1": ("S1",)}


IMPOSSIBLE = {
    Cause.CAPACITY: (
        {"demand": {"kg": 300}},
        "no vehicle that may serve it is large enough for 300 kg: the largest, V1, holds 100 kg",
    ),
    Cause.WINDOW_REVERSED: (
        {"opens": EIGHT + HOUR, "closes": EIGHT},
        "its window ends before it starts (opens 09:00, closes 08:00)",
    ),
    Cause.SKILL: ({"required_skills": frozenset({"crane"})}, "no vehicle has the skill crane"),
    Cause.NO_POSITION: ({"lon": None}, "it has no valid position; correct its address"),
    Cause.BAD_NUMBER: ({"service_seconds": float("nan")}, "not a valid amount: service time"),
    Cause.NOT_ALLOWED: (
        {"forbidden_vehicles": frozenset({"V1"})},
        "no vehicle on shift that could serve it is allowed to",
    ),
    Cause.GOODS_ELSEWHERE: (
        {"transferable": False, "present_vehicle_id": "V7"},
        "its goods are on V7, which is not on shift; hand them over first",
    ),
    Cause.WINDOW: (
        {"closes": EIGHT + 15 * MINUTE},
        "its window closes at 08:15, before any vehicle can serve it: the earliest is V1 at 08:20",
    ),
}


@pytest.mark.parametrize("cause", IMPOSSIBLE)
def test_one_impossible_stop_is_named_and_never_spoils_the_plan(cause):
    fields, words = IMPOSSIBLE[cause]
    problem = line([drop("S1"), drop("S2", **fields), drop("S3")], [10, 20, 30])
    assert problems_of(problem)["S2"].cause == cause
    assert problems_of(problem)["S2"].words == words
    solution = solve(problem, seconds=0.6)
    assert set(solution.routes["V1"]) == {"S1", "S3"}
    assert solution.reasons["S2"].words.startswith(words)
    assert not any("stopped early" in note for note in solution.notes)


def test_goods_left_at_the_depot_can_not_be_served_by_a_vehicle_that_has_left():
    stops = [drop("S1", present_vehicle_id="V1", present_position=0), drop("S2")]
    shift = van(in_use=True, departed=True, loaded_stop_ids=frozenset({"S1"}))
    solution = solve(line(stops, [10, 20], [shift]), seconds=0.5)
    assert solution.routes == {"V1": ("S1",)}
    assert solution.reasons["S2"].words.startswith(
        "every vehicle that may serve it has left the depot without its goods"
    )


def test_ids_may_be_named_once():
    with pytest.raises(ValueError, match="each stop may be named once; repeated: S1"):
        line([drop(), drop()], [1, 2])


def test_a_comparison_names_what_moves_and_which_promises_are_kept_and_broken():
    stops = [
        drop("S1", closes=EIGHT + 15 * MINUTE, price_per_late_minute=1.0),
        drop("S2", closes=EIGHT + 25 * MINUTE, price_per_late_minute=1.0),
        drop("S3"),
    ]
    problem = line(stops, [10, 20, 30], [van("V1"), van("V2")])
    change = compare(problem, {"V1": ("S1", "S2")}, {"V1": ("S2", "S1"), "V2": ("S3",)})
    # before: S2 reached at 08:30, 5 min late; after: S2 at 08:20, S1 at 08:40, 25 min late
    assert (change.newly_kept, change.newly_broken) == (("S2",), ("S1",))
    assert (change.late_minutes.before, change.late_minutes.after) == (5, 25)
    assert (change.promises_kept.before, change.promises_kept.after) == (1, 1)
    assert (change.newly_served, change.unserved, change.moved) == (("S3",), (), ())
    assert change.reordered == ("S1", "S2")
    assert change.vehicles[1].gained == ("S3",)
    assert change.cost.difference == pytest.approx(sum(part.difference for part in change.cost_parts.values()))
    swapped = compare(problem, {"V1": ("S1", "S2")}, {"V1": ("S1",), "V2": ("S2",)})
    assert [(m.stop_id, m.before_vehicle_id, m.after_vehicle_id) for m in swapped.moved] == [("S2", "V1", "V2")]


def solomon(name: str, customers: int, vehicles: int) -> Problem:
    """The first customers of a Solomon instance; one unit is ten seconds and a tenth of a km, late is not allowed."""
    rows = [list(map(float, text.split())) for text in (SOLOMON / name).read_text().splitlines()[9:] if text.strip()]
    depot, rows = rows[0], rows[1 : customers + 1]
    at = np.array([row[1:3] for row in rows] + [depot[1:3]] * (2 * vehicles))
    reach = np.hypot(*(at[:, None, :] - at[None, :, :]).transpose(2, 0, 1))
    stops = [
        Stop(
            f"C{row[0]:.0f}", 0, 0, service_seconds=10 * row[6], opens=10 * row[4], closes=10 * row[5],
            demand={"pieces": row[3]},
        )
        for row in rows
    ]  # fmt: skip
    fleet = [
        VehicleShift(
            f"K{i}", 0, 0, 0, 10 * depot[5], end_lon=0, end_lat=0, capacity={"pieces": 200}, rates=Rates(per_km=10)
        )
        for i in range(vehicles)
    ]
    travel = GivenTravel(TravelMatrix(np.ceil(reach * 10), reach / 10))
    return replace(Problem(tuple(stops), tuple(fleet), 0), travel=travel)


@pytest.mark.skipif(SOLOMON is None, reason="the shared benchmark files are not here")
def test_solomons_r101_with_25_customers_comes_within_two_percent_of_the_optimum():
    solution = solve(solomon("R101.txt", 25, 10), seconds=3)
    assert solution.evaluation.violations == ()
    assert solution.evaluation.unserved == ()
    # optimum 617.1 with 8 vehicles (Kohl et al. 1999), distances cut to a tenth
    assert solution.evaluation.distance_km * 10 == pytest.approx(617.1, rel=0.02)


@pytest.mark.skipif(SOLOMON is None, reason="the shared benchmark files are not here")
def test_solomons_whole_rc101_is_served_within_its_windows():
    solution = solve(solomon("RC101.txt", 100, 25), seconds=3)
    assert solution.evaluation.violations == ()
    assert solution.evaluation.unserved == ()
