"""Proposals, their frontier, own alternatives, and approval after the day has gone on."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lastmile import decisions, demo, queries, routing
from lastmile.errors import NotPossible
from lastmile.model import Scope
from lastmile.replanning import Act, Asked, ByHand, approve, choose, drift_of, open_day, proposal_of, refreshed
from lastmile.replanning.alternative import adopted, free_places, tried
from lastmile.store import Store
from tests.conftest import FRIDAY

DAY, DEPOT = FRIDAY.date(), "WHF"
WESTHAFEN = Scope(depots=(DEPOT,))
VAN_OUT = Asked(
    budget=routing.ChangeBudget(), by_hand=(ByHand(Act.VEHICLE_OUT, "WHF-11", by="operator", why="flat tyre"),)
)


@pytest.fixture
def store(demo_database):
    store = Store.open(demo_database)
    yield store
    store.close()


@pytest.fixture(scope="module")
def found(demo_to_read):
    """A proposal with a frontier: searched for once, as the same day asks the same of each test."""
    store = Store.open(demo_to_read)
    start = open_day(store, DEPOT, DAY, FRIDAY, VAN_OUT)
    found = proposal_of(store, start, routing.solve(start.problem, 3, seed=1, frontier=True), "operator")
    store.close()
    return found


@pytest.fixture
def made(store, found):
    """The proposal on record, where it waits for a decision."""
    decisions.propose_plan(store, found.tables, "operator", FRIDAY)
    return found


def go_on(store: Store, minutes: float):
    """Let the day go on; the instant that it is then."""
    later = FRIDAY + timedelta(minutes=minutes)
    demo.LiveFeed.of(store, lambda: later).step()
    return later


def in_force(store: Store) -> str:
    found = queries.plans(store, DAY, WESTHAFEN)
    return found.plan_id[found.in_force].iloc[0]


def test_a_plan_keeps_what_was_asked_with_who_and_why_and_what_it_predicts(made):
    row = made.tables["plan"].iloc[0]
    summary = row.summary
    assert summary["asked"]["by_hand"] == [
        {"act": "vehicle_out", "vehicle_id": "WHF-11", "by": "operator", "why": "flat tyre"}
    ]
    assert summary["cost_before"] - row.cost == pytest.approx(made.money.before - made.money.after, abs=0.02)
    assert sum(summary["cost_parts"].values()) == pytest.approx(row.cost, abs=0.1)
    covered = [id for stop in summary["covered"] for id in stop["deliveries"]]
    assert sorted(covered) == sorted(made.open_day.stops.delivery_id)
    assert "WHF-11" not in summary["vehicles"]


def test_what_only_steers_the_search_is_no_money(made):
    start, before = made.open_day, made.comparison.before
    assert len(before.unserved) > 0  # the stops of the van that is out
    failing = sum(start.price_of_failing[stop_id] for stop_id in before.unserved)
    assert start.money(before) == pytest.approx(before.cost.total - before.cost.not_served + failing)
    assert made.money.before < before.cost.total


def test_each_point_of_the_frontier_can_be_the_proposal(store, made):
    assert len(made.points) > 2
    assert [point.moved for point in made.points] == sorted({point.moved for point in made.points})
    fewest = made.points[0]
    other = choose(store, made, fewest.routes, "fewest changes", "operator")
    assert (other.moved, other.money.after) == (fewest.moved, pytest.approx(fewest.money))
    assert other.open_day.version == made.open_day.version + 1
    assert other.plan_id != made.plan_id
    assert other.tables["plan"].summary[0]["chosen"] == "fewest changes"


def test_another_plan_than_the_proposed_one_comes_into_force_and_the_record_says_so(store, made):
    other = choose(store, made, made.points[0].routes, "fewest changes", "operator")
    final = approve(store, other, made, "operator", "calmer", FRIDAY)
    plans = queries.plans(store, DAY, WESTHAFEN).set_index("plan_id")
    assert in_force(store) == final.plan_id == other.plan_id
    assert plans.decision[made.plan_id] == "rejected"
    assert plans.why[made.plan_id] == f"{other.plan_id}: approved instead"
    assert plans.why[other.plan_id] == "calmer"


def test_nothing_is_recorded_without_a_word_of_why(store, made):
    other = choose(store, made, made.points[0].routes, "fewest changes", "operator")
    with pytest.raises(NotPossible, match="why"):
        approve(store, other, made, "operator", " ", FRIDAY)
    assert len(queries.plans(store, DAY, WESTHAFEN)) == 2


def test_the_second_of_two_people_is_told_who_decided(store, made):
    approve(store, made, made, "first", "better", FRIDAY)
    with pytest.raises(NotPossible, match="approved by first already"):
        approve(store, made, made, "second", "better still", FRIDAY)


def test_an_own_alternative_costs_what_the_evaluator_says(store, made):
    stop_id, planned = next((id, stop) for id, stop in made.comparison.after.stops.items()
                            if id not in made.open_day.problem.committed_to)  # fmt: skip
    other = next(
        v.vehicle_id for v in made.open_day.problem.vehicles if v.vehicle_id != planned.vehicle_id and v.in_use
    )
    one = tried(made, stop_id, other)
    plan = routing.evaluate(made.open_day.problem, one.routes)
    assert plan.stops[stop_id].vehicle_id == other
    assert one.money.after == pytest.approx(made.open_day.money(plan))
    each = [tried(made, stop_id, other, place) for place in range(1, free_places(made, stop_id, other) + 1)]
    ranks = [(len(t.comparison.after.violations), t.comparison.after.excess, t.money.after) for t in each]
    assert len({tuple(t.routes[other]) for t in each}) == len(each)
    assert (len(one.comparison.after.violations), one.comparison.after.excess) == pytest.approx(min(ranks)[:2])
    taken = adopted(store, made, one, "operator")
    assert taken.routes == one.routes
    assert f"on {other}" in taken.chosen


def test_leaving_a_stop_out_costs_what_failing_it_does(made):
    stop_id = next(id for id in made.comparison.after.stops if id not in made.open_day.problem.committed_to)
    one = tried(made, stop_id, None)
    assert stop_id in one.comparison.after.unserved
    saved = routing.evaluate(made.open_day.problem, one.routes).cost.total - made.comparison.after.cost.total
    floor = made.open_day.problem.dearest_day
    assert one.money.difference == pytest.approx(saved - floor)


def test_a_day_that_stands_still_drifts_nowhere(store, made):
    assert not drift_of(made, queries.stops(store, FRIDAY, DAY, WESTHAFEN)).any


def test_approving_a_stale_proposal_undoes_nothing_that_happened(store, made):
    later = go_on(store, 40)
    stops = queries.stops(store, later, DAY, WESTHAFEN)
    drift = drift_of(made, stops)
    assert len(drift.done) > 20
    before = queries.planned_stop_rows(store, made.open_day.parent_plan_id).set_index("delivery_id")
    done = stops[stops.done & (stops.state != "cancelled") & stops.plan_id.notna()]

    final = approve(store, refreshed(store, made, later, "operator"), made, "operator", "still better", later)

    planned = queries.planned_stop_rows(store, final.plan_id).set_index("delivery_id")
    assert in_force(store) == final.plan_id
    assert set(done.delivery_id) <= set(planned.index)
    for row in done.itertuples():
        assert planned.route_id[row.delivery_id] == row.route_id
        assert planned.service_at[row.delivery_id] == before.service_at[row.delivery_id]
    settled = stops.delivery_id[stops.done | stops.passed]
    still_open = planned[~planned.index.isin(settled)]
    assert (still_open.service_at >= later - timedelta(minutes=1)).all()


def test_a_refreshed_proposal_keeps_the_order_of_what_is_still_open(store, made):
    later = go_on(store, 20)
    again = refreshed(store, made, later, "operator")
    committed = again.open_day.problem.committed_to
    for vehicle_id, row in again.routes.items():
        was = [one for one in made.routes.get(vehicle_id, ()) if one in row and one not in committed]
        assert [one for one in row if one in was] == was
    assert again.open_day.at == later
    assert again.comparison.after.broken_promises is not None


def test_a_refreshed_proposal_still_says_what_each_further_change_buys_from_now(store, made):
    later = go_on(store, 20)
    again = refreshed(store, made, later, "operator")
    assert len(again.points) > 1
    moved = [point.moved for point in again.points]
    assert moved == sorted(set(moved))
    assert again.moved in moved
    for point in again.points:
        plan = routing.evaluate(again.open_day.problem, point.routes)
        assert (len(plan.changes.moved), len(plan.unserved)) == (point.moved, point.unserved)
        assert point.money == pytest.approx(again.open_day.money(plan))
    calmer = choose(store, again, again.points[0].routes, "fewer changes", "operator")
    assert (calmer.open_day.at, calmer.points) == (later, again.points)
    assert calmer.moved == moved[0]


def test_a_proposal_made_from_another_plan_cannot_be_refreshed(store, made):
    other = open_day(store, DEPOT, DAY, FRIDAY)
    plan = proposal_of(store, other, routing.solve(other.problem, 0), "somebody", chosen="as it is")
    tables = {name: frame.assign(plan_id="another") for name, frame in plan.tables.items()}
    decisions.propose_plan(store, tables, "somebody", FRIDAY)
    decisions.approve_plan(store, "another", "somebody", "first", FRIDAY)
    assert drift_of(made, queries.stops(store, FRIDAY, DAY, WESTHAFEN)).other_plan
    with pytest.raises(NotPossible, match="Another plan has come into force"):
        refreshed(store, made, FRIDAY, "operator")


def test_a_stop_taken_out_is_recorded_with_the_reason(store):
    start = open_day(store, DEPOT, DAY, FRIDAY)
    row = start.stops[start.stops.stop.notna()].sort_values(["vehicle_id", "stop"]).iloc[-1]
    asked = Asked(by_hand=(ByHand(Act.NOT_TODAY, None, row.delivery_id, "Clinic", "operator", "closed"),))
    start = open_day(store, DEPOT, DAY, FRIDAY, asked, start.experience)
    found = proposal_of(store, start, routing.solve(start.problem, 0), "operator")
    told = found.tables["plan"].unserved[0]
    assert {"delivery_id": row.delivery_id, "why": "Clinic is not served today (closed)"} in told
    assert row.delivery_id not in set(found.tables["planned_stop"].delivery_id)
