"""Of plans that cost about the same, the one in which more stops keep their vehicle."""

from dataclasses import replace

import pytest

from lastmile.routing import evaluate
from lastmile.routing.kernel import Kernel
from lastmile.routing.staying import Found, FoundPlans, driven, stay_price
from tests.routing_problems import drop, line, random_problem, van

BASE = evaluate(line([drop()], [10]), {"V1": ("S1",)})
"""20 km at 0.50, 30 min at 30, 40 a day: 65."""


def found(cost: float, moved: int, unserved_price: float = 0.0) -> Found:
    """A plan that is driven for so much, and moves so many stops."""
    money = replace(BASE.cost, distance=cost - BASE.cost.day - BASE.cost.hours, not_served=unserved_price)
    changes = replace(BASE.changes, moved=tuple(f"S{i}" for i in range(moved)))
    return Found({}, replace(BASE, cost=money, changes=changes), "")


def test_a_stop_that_stays_is_worth_eight_hundredths_of_a_mean_stop():
    assert driven(BASE) == 65
    assert stay_price(BASE) == pytest.approx(0.08 * 65)


def test_fewer_moves_are_chosen_as_long_as_they_cost_little():
    plans = FoundPlans(found(1000, 10))
    for cost, moved in ((1004, 8), (1009, 7), (1011, 0)):
        plans.offer(found(cost, moved))
    # at 3 a move: 1030, 1028, 1030; the last moves none, and costs more than a hundredth
    assert plans.chosen(3.0).moved == 8
    assert plans.chosen(6.0).moved == 7
    assert plans.chosen(0.0).moved == 10


def test_a_plan_that_leaves_a_stop_out_is_none_of_those_that_cost_about_the_same():
    plans = FoundPlans(found(1000, 10))
    plans.offer(found(900, 0, unserved_price=500))
    assert plans.chosen(6.0).moved == 10


def test_what_is_found_falls_in_cost_as_moves_rise():
    plans = FoundPlans(found(1000, 5))
    for cost, moved in ((1000, 6), (1010, 4), (990, 6), (1010, 5), (980, 9), (970, 9)):
        plans.offer(found(cost, moved))
    assert [(one.moved, driven(one.evaluation)) for one in plans.falling()] == [
        (4, 1010),
        (5, 1000),
        (6, 990),
        (9, 970),
    ]


def test_long_ends_of_two_routes_that_are_on_the_wrong_vans_are_exchanged():
    """Two roads from the depot, twelve stops each; from the fourth on, each van has the other road's."""
    left, right = [f"L{i}" for i in range(12)], [f"R{i}" for i in range(12)]
    rows = {"V1": (*left[:3], *right[3:]), "V2": (*right[:3], *left[3:])}
    place = {one: (vehicle_id, at) for vehicle_id, row in rows.items() for at, one in enumerate(row)}
    stops = [
        drop(one, demand={"kg": 8}, present_vehicle_id=place[one][0], present_position=place[one][1])
        for one in (*left, *right)
    ]
    km = [*(-5.0 - i for i in range(12)), *(5.0 + i for i in range(12))]
    problem = line(stops, km, [van("V1"), van("V2")])
    kernel = Kernel(problem, rows, 1)
    kernel.improve(0, 200, 0.8, 1)
    on = {one: vehicle_id for vehicle_id, row in kernel.routes().items() for one in row}
    assert len({on[one] for one in left}) == len({on[one] for one in right}) == 1
    assert kernel.best_cost == pytest.approx(evaluate(problem, kernel.routes()).cost.total)


@pytest.mark.parametrize("seed", range(6))
def test_the_price_of_a_move_makes_fewer_stops_move(seed):
    problem = random_problem(300 + seed, stops=40, vehicles=6, midday=True)
    free, steady = (Kernel(problem, problem.plan_in_force(), seed, price) for price in (0.0, 60.0))
    for kernel in (free, steady):
        kernel.improve(0, 3000, 0, 1)
    moved = [len(evaluate(problem, kernel.routes()).changes.moved) for kernel in (free, steady)]
    assert moved[1] < moved[0]
