"""Re-optimization of the demo's Friday morning: what stays, what is proposed, and that the vans follow what is approved."""

import shutil
from datetime import timedelta

import pandas as pd
import pytest

from lastmile import decisions, demo, queries, routing
from lastmile.errors import NotPossible
from lastmile.model import Scope
from lastmile.replanning import Act, Asked, ByHand, open_day, proposal_of, replanning
from lastmile.replanning.travel import driven_legs, fortnight_before, learned_by_hour, learned_service, learned_travel
from lastmile.routing.travel.learning import fitted, misses_of
from lastmile.store import Store
from tests.conftest import FRIDAY
from tests.road_networks import road_network

DAY = FRIDAY.date()
DEPOT = "WHF"
FREELY = routing.ChangeBudget()
"""Any goods may change vans."""
WESTHAFEN = Scope(depots=(DEPOT,))


@pytest.fixture
def store(demo_database):
    store = Store.open(demo_database)
    yield store
    store.close()


def proposal(store: Store, seconds: float = 1, **options):
    start = open_day(store, DEPOT, DAY, FRIDAY, Asked(**options))
    return proposal_of(store, start, routing.solve(start.problem, seconds, seed=1), "somebody")


def test_the_problem_holds_every_open_delivery_once_and_no_finished_one(store):
    start = open_day(store, DEPOT, DAY, FRIDAY)
    held = [delivery_id for stop in start.problem.stops for delivery_id in stop.delivery_ids]
    stops = queries.stops(store, FRIDAY, DAY, WESTHAFEN)
    assert len(held) == len(set(held))
    assert set(held) == set(stops.delivery_id[~stops.done & ~stops.passed])


def test_the_break_of_each_shift_that_is_still_to_come_is_planned(store):
    fleet = open_day(store, DEPOT, DAY, FRIDAY).problem.vehicles
    shifts = store.ask("from shift where day = $day", day=DAY).set_index("vehicle_id")
    assert len(fleet) > 5
    to_come = [van for van in fleet if not van.in_use or shifts.break_due[van.vehicle_id] > FRIDAY]
    assert to_come
    for van in to_come:
        (pause,), shift = van.pauses, shifts.loc[van.vehicle_id]
        told = (60 * shift.break_minutes, shift.break_from.timestamp(), shift.break_due.timestamp())
        assert (pause.seconds, pause.earliest, pause.latest) == told


def with_an_evening_shift(store: Store, vehicle_id: str) -> pd.Series:
    """Give a vehicle a second shift from 16:00 to 20:00, recorded after its first; returns the first."""
    first = store.ask("from shift where day = $day and vehicle_id = $vehicle_id", day=DAY, vehicle_id=vehicle_id).iloc[
        0
    ]
    begins = pd.Timestamp(DAY, tz="Europe/Berlin") + timedelta(hours=16)
    second = first.to_frame().T.assign(
        shift_id=f"{first.shift_id} evening", recorded_at=first.recorded_at + timedelta(minutes=1), starts_at=begins,
        ends_at=begins + timedelta(hours=4), break_minutes=0.0, break_from=None, break_due=None,
    )  # fmt: skip
    store.append({"shift": second})
    return first


def test_of_two_shifts_the_one_being_worked_is_planned_and_the_other_is_told(store):
    vehicle_id = next(van.vehicle_id for van in open_day(store, DEPOT, DAY, FRIDAY).problem.vehicles if van.in_use)
    first = with_an_evening_shift(store, vehicle_id)
    start = open_day(store, DEPOT, DAY, FRIDAY)
    [van] = [one for one in start.problem.vehicles if one.vehicle_id == vehicle_id]
    assert van.shift_end == first.ends_at.timestamp()
    ends = first.ends_at.tz_convert("Europe/Berlin")
    told = f"{vehicle_id} has 2 shifts still to work today; only the one that ends at {ends:%H:%M} is planned."
    assert start.not_planned == (told,)
    solution = routing.solve(start.problem, 0.0)
    assert told in proposal_of(store, start, solution, "somebody").solution.notes


def test_a_van_on_the_road_owes_no_break_whose_time_has_passed(store):
    due = (
        store.ask("select vehicle_id, break_due from shift where day = $day", day=DAY).set_index("vehicle_id").break_due
    )
    for at in (FRIDAY, FRIDAY + timedelta(hours=5)):
        vans = [van for van in open_day(store, DEPOT, DAY, at).problem.vehicles if van.in_use]
        assert {van.vehicle_id: bool(van.pauses) for van in vans} == {
            van.vehicle_id: bool(due[van.vehicle_id] > at) for van in vans
        }
    assert not any(van.pauses for van in vans)  # five hours on, at 16:15, all of them have rested


def test_each_van_on_the_road_is_committed_to_the_stop_it_drives_to(store):
    start = open_day(store, DEPOT, DAY, FRIDAY)
    on_road = [van for van in start.problem.vehicles if van.in_use]
    assert len(on_road) > 10
    open_of = {stop.present_vehicle_id for stop in start.problem.stops}
    assert all(van.committed_stop_ids for van in on_road if van.vehicle_id in open_of)


def test_a_proposal_keeps_what_is_executed_and_says_who_serves_the_rest(store):
    made = proposal(store)
    stops = queries.stops(store, FRIDAY, DAY, WESTHAFEN)
    planned = made.tables["planned_stop"]
    before = queries.planned_stop_rows(store, made.open_day.parent_plan_id)
    done = set(stops.delivery_id[stops.done]) & set(before.delivery_id)
    kept = planned[planned.delivery_id.isin(done)].set_index("delivery_id").sort_index()
    was = before[before.delivery_id.isin(done)].set_index("delivery_id").sort_index()
    assert kept.arrive_at.tolist() == was.arrive_at.tolist()
    assert planned.delivery_id.is_unique
    unserved = {
        id for stop in made.open_day.problem.stops if stop.stop_id in made.solution.reasons for id in stop.delivery_ids
    }
    assert set(planned.delivery_id) | unserved >= set(stops.delivery_id[~stops.done])


def test_the_way_of_a_route_is_what_lies_behind_it_and_what_remains(store):
    tables = proposal(store).tables
    legs = tables["planned_stop"].groupby("route_id")[["distance_km", "drive_minutes"]].sum()
    routes = tables["route"].set_index("route_id").loc[legs.index]
    home = routes[["distance_km", "drive_minutes"]] - legs  # beyond its legs to stops, a route has the way home alone
    assert home.distance_km.between(0, 60).all()
    assert home.drive_minutes.between(0, 120).all()


def test_goods_stay_on_their_van_unless_transfers_are_allowed(store):
    assert proposal(store).comparison.moved == ()
    assert len(proposal(store, seconds=2, budget=FREELY).comparison.moved) > 0


def test_a_proposal_breaks_no_hard_limit_and_is_no_dearer_than_the_plan_that_could_be_driven(store):
    made = proposal(store)
    assert made.comparison.after.violations == ()
    assert made.solution.cost <= made.solution.first_plan_cost


def test_a_van_out_of_service_gives_its_stops_away_and_a_standby_van_may_take_them(store):
    start = open_day(store, DEPOT, DAY, FRIDAY, Asked(budget=FREELY, by_hand=(ByHand(Act.VEHICLE_OUT, "WHF-01"),)))
    ids = {van.vehicle_id for van in start.problem.vehicles}
    assert "WHF-01" not in ids
    assert ids & set(start.fleet.vehicle_id[start.fleet.departed_at.isna()])
    made = proposal_of(store, start, routing.solve(start.problem, 2, seed=1), "somebody")
    open_stops = made.tables["planned_stop"][~made.tables["planned_stop"].delivery_id.isin(start.done.delivery_id)]
    assert not (open_stops.route_id == "WHF-01-20261120").any()


def test_the_vans_of_the_demo_follow_an_approved_plan(store):
    made = proposal(store, seconds=2)
    decisions.propose_plan(store, made.tables, "somebody", FRIDAY)
    decisions.approve_plan(store, made.plan_id, "somebody", "better", FRIDAY)
    later = FRIDAY + timedelta(hours=3)
    feed = demo.LiveFeed.of(store, lambda: later)
    feed.step()
    found = queries.stops(store, later, DAY, WESTHAFEN)
    driven = found[found.done & (found.outcome_at > FRIDAY + timedelta(minutes=30)) & (found.plan_id == made.plan_id)]
    assert len(driven) > 50
    for _, route in driven.groupby("route_id"):
        in_order = route.sort_values("outcome_at").stop
        swapped = (in_order.diff().dropna() < 0).sum()
        assert swapped <= 1  # the stop that was being driven to when the drivers heard of it


def test_the_feed_goes_on_after_a_restart_as_if_nothing_had_happened(store, demo_file, tmp_path):
    for minutes in (20, 40):
        feed = demo.LiveFeed.of(store, lambda at=FRIDAY + timedelta(minutes=minutes): at)
        feed.step()
    other = Store.open(shutil.copy(demo_file, tmp_path / "other.duckdb"))
    demo.LiveFeed.of(other, lambda: FRIDAY + timedelta(minutes=40)).step()
    question = "select event_id, recorded_at from event order by all"
    assert store.ask(question).equals(other.ask(question))
    other.close()


def test_a_breakdown_on_demand_stops_the_van(store):
    van = queries.vehicles(store, FRIDAY, DAY, WESTHAFEN)
    van = van[van.departed_at.notna() & van.next_delivery_id.notna()].vehicle_id.iloc[0]
    now = [FRIDAY]
    feed = demo.LiveFeed.of(store, lambda: now[0])
    feed.step()
    feed.break_down(van)
    now[0] = FRIDAY + timedelta(minutes=30)
    feed.step()
    row = queries.vehicles(store, now[0], DAY, WESTHAFEN).set_index("vehicle_id").loc[van]
    assert row.status == "late"
    assert row.broke_down_at >= FRIDAY


def test_travel_times_are_learned_from_the_legs_of_the_days_before_and_judged_on_the_last(store):
    found = learned_travel(store, DEPOT, **fortnight_before(DAY))
    assert found.legs > 500
    assert (found.days, found.held_out_days) == (4, 1)
    assert 1.2 < found.travel.circuity < 1.6
    assert all(15 < speed < 60 for speed in found.travel.speed_kmh_by_hour)
    assert found.misses.mean_absolute_minutes < 0.8 * found.default_misses.mean_absolute_minutes
    legs = driven_legs(store, DEPOT, **fortnight_before(DAY))
    last = legs.day.max()
    assert found.misses == misses_of(fitted(legs[legs.day < last], found.travel.circuity), legs[legs.day == last])
    assert learned_by_hour(store, DEPOT, **fortnight_before(DAY)).legs.sum() == found.legs == len(legs)


def test_legs_far_from_the_depot_teach_it_nothing(store):
    dates = fortnight_before(DAY)
    hamburg = {
        "depot_id": "HAM",
        "name": "Hamburg",
        "lon": 10.0,
        "lat": 53.55,
        "zone": "Europe/Berlin",
        "currency": "EUR",
    }
    store.append({"depot": pd.DataFrame([hamburg | {"recorded_at": FRIDAY}])})
    assert driven_legs(store, "HAM", **dates).empty
    assert "0 legs on record" in learned_travel(store, "HAM", **dates).words
    assert len(driven_legs(store, "nowhere", **dates)) == len(driven_legs(store, DEPOT, **dates))


def test_without_legs_the_default_is_used_and_said(empty_database):
    empty = Store.open(empty_database)
    found = learned_travel(empty, DEPOT, **fortnight_before(DAY))
    assert found.travel == routing.GreatCircleTravel()
    assert found.words == "Travel times are the plain default: 0 legs on record, fewer than 200."
    assert learned_by_hour(empty, DEPOT, **fortnight_before(DAY)).empty
    empty.close()


def test_a_road_network_of_the_settings_is_asked_and_what_was_learned_stands_behind_it(store, monkeypatch):
    with road_network(most_pairs=1_000_000) as roads:
        monkeypatch.setenv("LASTMILE_TRAVEL", f"osrm:{roads.address}")
        monkeypatch.setenv("LASTMILE_TRAVEL_TABLE", "1000")
        start = open_day(store, DEPOT, DAY, FRIDAY)
        source = start.problem.matrix.source
        made = proposal_of(store, start, routing.solve(start.problem, 1, seed=1), "somebody")
    assert len(roads.tables) == 1
    assert source.startswith("OSRM at 127.0.0.1:")
    assert "learned from" in source
    assert made.tables["plan"].summary[0]["travel"] == source


def test_a_setting_that_cannot_be_read_is_told_in_words(store, monkeypatch):
    monkeypatch.setenv("LASTMILE_TRAVEL", "localhost:5000")
    with pytest.raises(NotPossible, match="setting LASTMILE_TRAVEL can't be used: 'localhost:5000' names no travel"):
        open_day(store, DEPOT, DAY, FRIDAY)


def test_a_depot_without_a_plan_is_refused_in_words(store):
    with pytest.raises(NotPossible, match="No plan is in force for nowhere on 20 Nov 2026"):
        open_day(store, "nowhere", DAY, FRIDAY)


def test_a_job_proposes_beside_the_page_and_can_be_cancelled(store):
    def make():
        return open_day(store, DEPOT, DAY, FRIDAY)

    job = replanning(store, DEPOT, make, seconds=1, seed=1, actor="somebody").start()
    job.wait(60)
    assert job.error is None
    assert queries.plans(store, DAY, WESTHAFEN).decision.tolist() == ["proposed", "approved"]
    cancelled = replanning(store, DEPOT, make, seconds=60, seed=1, actor="somebody").start()
    cancelled.cancel()
    cancelled.wait(10)
    assert not cancelled.running
    assert cancelled.result is None
    assert len(queries.plans(store, DAY, WESTHAFEN)) == 2


def test_a_job_that_fails_says_so_in_words_and_changes_nothing(store):
    def make():
        return open_day(store, "nowhere", DAY, FRIDAY)

    job = replanning(store, "nowhere", make, seconds=1, seed=1, actor="somebody").start()
    job.wait(30)
    assert job.result is None
    assert "No plan is in force for nowhere" in job.error


def test_stops_take_what_stops_of_their_service_took_before(store):
    factors = learned_service(store, DAY)
    assert set(factors) == {"parcels", "field_spares", "medical", "construction"}
    assert all(0.8 < factor < 2 for factor in factors.values())
    planned = store.value("select service_minutes from delivery where delivery_id = 'wms:L261120-0002'")
    service = store.value("select service from delivery where delivery_id = 'wms:L261120-0002'")
    for depot in ("WHF", "GRB", "MRZ"):
        start = open_day(store, depot, DAY, FRIDAY)
        mine = [stop for stop in start.problem.stops if stop.delivery_ids == ("wms:L261120-0002",)]
        assert all(stop.service_seconds == pytest.approx(60 * planned * factors[service]) for stop in mine)


def test_what_was_passed_without_a_scan_stays_as_it_was_planned(store):
    start = open_day(store, DEPOT, DAY, FRIDAY)
    passed = set(start.done.delivery_id[start.done.passed])
    open_ids = {delivery_id for stop in start.problem.stops for delivery_id in stop.delivery_ids}
    assert passed
    assert not passed & open_ids
    made = proposal_of(store, start, routing.solve(start.problem, 1, seed=1), "somebody")
    assert passed <= set(made.tables["planned_stop"].delivery_id)
