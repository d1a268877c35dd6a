"""The engines that ours is measured against: told the whole problem or nothing, and judged by our evaluator."""

import dataclasses
import itertools

import numpy as np
import pytest
from ortools.constraint_solver import pywrapcp

from bench.routing.homberger import homberger_like
from bench.routing.midday import midday
from lastmile.routing import (
    Break,
    ChangeBudget,
    FairShare,
    GivenTravel,
    Pin,
    Policy,
    Problem,
    Rates,
    TravelMatrix,
    evaluate,
)
from lastmile.routing.peers import ENGINES, EngineMissing, NotSaid, require, run, trimmed
from lastmile.routing.peers.naming import named_alike
from lastmile.routing.peers.numbers import numbers_of
from lastmile.routing.peers.ortools_model import RoutingModel
from lastmile.routing.peers.saying import refuse_unsaid
from tests.routing_problems import EIGHT, HOUR, drop, line, van

PEERS = [engine for engine in ENGINES if engine != "ours"]


@pytest.fixture(scope="module")
def morning():
    return homberger_like("RC2", 40, 1).problem


@pytest.fixture(scope="module")
def planned(morning):
    return run("pyvrp", morning, 0.5).routes


@pytest.fixture(scope="module")
def day(morning, planned):
    return midday(morning, planned, 1).problem


@pytest.mark.parametrize("engine", ENGINES)
def test_an_engine_serves_all_and_is_judged_by_our_evaluator(morning, engine):
    made = run(engine, morning, 0.5, cores=1)
    assert made.evaluation == evaluate(morning, made.routes)
    assert (made.unserved, made.evaluation.violations, made.notes) == (0, (), ())
    assert made.trace[-1].cost == made.cost == made.evaluation.distance_km
    assert made.first_plan_seconds <= made.elapsed_seconds < 5


@pytest.mark.parametrize("engine", PEERS)
def test_a_plan_in_force_is_where_an_engine_starts(day, engine):
    made = run(engine, day, 0.5, cores=1)
    assert made.evaluation.violations == ()
    assert made.unserved <= len(evaluate(day, trimmed(day, day.plan_in_force())).unserved)
    for vehicle in day.vehicles:
        committed = vehicle.committed_stop_ids
        assert made.routes.get(vehicle.vehicle_id, ())[: len(committed)] == committed


def test_two_cores_are_two_searches_of_which_the_better_counts(morning):
    assert run("pyvrp", morning, 0.3, cores=2).unserved == 0


def test_numbers_are_the_problem_s_own(morning, planned):
    numbers = numbers_of(morning)
    place = {job.stop_id: job.place for job in numbers.jobs}
    cost = 0
    for van_ in numbers.vans:
        row = planned.get(van_.vehicle_id, ())
        places = [van_.start, *(place[one] for one in row), van_.end] if row else []
        cost += sum(int(numbers.costs[a, b]) for a, b in itertools.pairwise(places))
    assert cost == evaluate(morning, planned).cost.total
    assert len(numbers.costs) == 41  # one depot, however many vehicles
    assert len({van_.kind for van_ in numbers.vans}) == 1


def test_money_with_decimals_is_counted_in_thousandths():
    problem = line(
        [dataclasses.replace(drop(), opens=None)], [1.5], [van(rates=Rates(per_km=0.5), max_overtime_seconds=0)]
    )
    assert numbers_of(problem).costs[1, 0] == 750


@pytest.mark.parametrize(
    ("stops", "vehicle", "unsaid"),
    [
        ([drop(closes=1e10, price_per_late_minute=1.0)], {}, "soft windows"),
        ([drop(pickup=True)], {}, "pickups"),
        ([drop(required_skills=frozenset({"cold"}))], {}, "some vehicles may not serve"),
        ([drop(more_windows=((1e9, 2e9),))], {}, "several windows"),
        ([drop(need_by=1e9)], {}, "milestones"),
        ([drop(released_at=1e9)], {}, "release times"),
        ([drop(pin=Pin.ORDER, present_vehicle_id="V1")], {}, "pins"),
        ([drop()], {"rates": Rates(per_hour=30)}, "prices other than per km"),
        ([drop()], {"pauses": (Break(1800, 0, 1e10),)}, "breaks"),
        ([drop()], {"max_route_km": 50}, "longest routes"),
        ([drop()], {"max_reloads": 1}, "reloads"),
        ([drop()], {"service_pace": 1.1}, "the pace of drivers"),
    ],
)
def test_what_an_engine_is_not_told_is_refused_by_name(stops, vehicle, unsaid):
    problem = Problem(tuple(stops), (van(**({"rates": Rates(per_km=1)} | vehicle)),), EIGHT)
    with pytest.raises(NotSaid, match=unsaid):
        refuse_unsaid(problem)


@pytest.mark.parametrize("second", [(15, 60, 90), (30, 30, 60)])
def test_breaks_delay_a_drive_in_or_tools_model_as_in_the_evaluator(second):
    spans = [(15, 30, 40), second]
    pauses = tuple(Break(60 * length, EIGHT + 60 * opens, EIGHT + 60 * closes) for length, opens, closes in spans)
    problem = line([drop()], [120], [van(in_use=True, pauses=pauses)])
    built = RoutingModel(problem)
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    built.model.CloseModelWithParameters(parameters)
    found = built.model.SolveWithParameters(parameters)
    arrives = found.Value(built.clock.CumulVar(built.manager.NodeToIndex(0)))
    assert EIGHT + arrives == evaluate(problem, {"V1": ("S1",)}).routes[0].stops[0].arrives_at
    assert arrives == 2 * HOUR + sum(pause.seconds for pause in pauses)


@pytest.mark.parametrize(
    ("more", "unsaid"),
    [
        ({"policy": Policy.SERVE_ALL}, "serving all"),
        ({"budget": ChangeBudget(moved=3)}, "a change budget"),
        ({"fair_share": FairShare(6, 10)}, "balancing"),
    ],
)
def test_no_engine_is_run_on_half_a_problem(more, unsaid):
    problem = dataclasses.replace(line([drop()], [1], [van(rates=Rates(per_km=1))]), **more)
    with pytest.raises(NotSaid, match=unsaid):
        run("ortools", problem, 0.1)


def test_a_committed_stop_is_reached_by_its_own_vehicle_alone():
    vehicles = [van("V1", committed_stop_ids=("S1", "S2"), rates=Rates(per_km=1)), van("V2", rates=Rates(per_km=1))]
    numbers = numbers_of(line([drop("S1"), drop("S2"), drop("S3")], [1, 2, 3], vehicles))
    start = numbers.vans[0].start
    assert numbers.vans[1].start != start
    assert np.flatnonzero(~numbers.forbidden[:, 0]).tolist() == [0, start]
    assert np.flatnonzero(~numbers.forbidden[:, 1]).tolist() == [0, 1]
    assert not numbers.forbidden[:, 2].any()


def test_trimming_takes_out_what_breaks_a_limit_and_nothing_else():
    stops = [drop("S1", demand={"kg": 60}), drop("S2", demand={"kg": 60}), drop("S3", demand={"kg": 40})]
    problem = line(stops, [1, 2, 3])
    assert trimmed(problem, {"V1": ("S1", "S2", "S3")}) == {"V1": ("S1", "S3")}
    assert trimmed(problem, {"V1": ("S2", "S3")}) == {"V1": ("S2", "S3")}


def test_an_engine_s_plan_that_breaks_a_limit_is_said_so(morning, monkeypatch):
    from lastmile.routing.peers import running
    from lastmile.routing.peers.task import PeerAnswer

    everything = {"V1": tuple(stop.stop_id for stop in morning.stops)}
    monkeypatch.setattr(running, "_answers", lambda *_: [PeerAnswer(((0.1, everything),), 0.1)])
    made = run("pyvrp", morning, 0.1)
    assert made.notes[0].startswith("Its plan breaks")
    assert made.evaluation.violations == ()
    assert 0 < made.unserved < 40
    assert (made.first_plan_seconds, made.trace) == (None, ())


def test_equal_vehicles_take_the_routes_that_are_theirs_already():
    stops = [drop(f"S{n}", present_vehicle_id=f"V{1 + n % 2}") for n in range(4)]
    problem = line(stops, [1, 2, 3, 4], [van(f"V{n}", rates=Rates(per_km=1)) for n in (1, 2, 3)])
    named = named_alike(problem, numbers_of(problem).vans, {"V1": ("S1", "S3"), "V3": ("S0", "S2")})
    assert named == {"V1": ("S0", "S2"), "V2": ("S1", "S3")}


def test_a_missing_engine_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(EngineMissing, match=r"pip install pyvroom==1\.15\.2"):
        require("vroom")
    require("ours")


def test_a_plan_is_driven_in_time_by_engines_that_round():
    """Legs of 59.5 s, windows that a single second would break: whole seconds upward keep the plan true."""
    seconds = np.full((4, 4), 59.5)
    np.fill_diagonal(seconds, 0)
    problem = line([drop(closes=None), drop("S2")], [0, 0], [van(rates=Rates(per_km=1))])
    ready = problem.instant
    stops = (
        dataclasses.replace(problem.stops[0], service_seconds=0, closes=ready + 60),
        dataclasses.replace(problem.stops[1], service_seconds=0, closes=ready + 120),
    )
    problem = dataclasses.replace(problem, stops=stops, travel=GivenTravel(TravelMatrix(seconds, seconds)))
    for engine in PEERS:
        made = run(engine, problem, 0.2)
        assert (made.unserved, made.evaluation.violations) == (0, ()), engine
    assert ready + 8 * HOUR == problem.vehicles[0].shift_end
