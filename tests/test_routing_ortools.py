"""OR-Tools' model says the same as the evaluator: same money for the same plan, and only plans that break no limit."""

import time
from dataclasses import replace

import pytest

from lastmile.routing import GreatCircleTravel, Problem, evaluate, problems_of
from lastmile.routing.engine import search
from lastmile.routing.engine_process import Found, Search
from lastmile.routing.inserting import repaired
from lastmile.routing.timing import RouteTimer
from tests.routing_problems import random_problem

ALL_DAY_ALIKE = GreatCircleTravel(speed_kmh_by_hour=(28.0,) * 24)


def without_what_the_model_leaves_out(problem: Problem) -> Problem:
    """The minimum of a rate card and the pace of the hour, which the model can't say; and lateness cheaper than a driver's
    minute, for which the evaluator puts off no departure."""
    fleet = [replace(vehicle, rates=replace(vehicle.rates, minimum=0)) for vehicle in problem.vehicles]
    stops = [
        stop
        if stop.price_per_late_minute is None
        else replace(stop, price_per_late_minute=max(1.0, stop.price_per_late_minute))
        for stop in problem.stops
    ]
    return replace(problem, stops=tuple(stops), vehicles=tuple(fleet), travel=ALL_DAY_ALIKE)


def price_of_the_impossible(problem: Problem) -> float:
    return sum(problem.price_of_not_serving(problem.stops[problem.stop_index[one]]) for one in problems_of(problem))


@pytest.mark.parametrize("seed", range(6))
def test_a_plan_of_ortools_costs_what_the_evaluator_says(seed, monkeypatch):
    monkeypatch.setattr("lastmile.routing.engine.REBUILDING_SHARE", 0)
    problem = without_what_the_model_leaves_out(random_problem(seed, stops=20))
    start = repaired(RouteTimer(problem), problem.plan_in_force())
    found: list[Found] = []
    search(Search(problem, start, time.time() + 1, seed, None), found.append)
    plan = evaluate(problem, found[-1].routes)
    assert found[-1].engine == "ortools"
    assert plan.violations == ()
    assert plan.cost.total - price_of_the_impossible(problem) == pytest.approx(found[-1].engine_cost, abs=0.05)
