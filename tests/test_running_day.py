"""One route of a morning, worked by hand: what is done, what is expected when, what is late or at risk, and why."""

import shutil
from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest

from lastmile import attention, decisions, queries
from lastmile.model import EventType, Scope, stable_id
from lastmile.store import Store
from tests.ledgers import START, random_batches, random_costs

DAY = date(2026, 3, 2)


def at(clock: str) -> datetime:
    hour, minute = clock.split(":")
    return datetime(2026, 3, 2, int(hour), int(minute), tzinfo=UTC)


# delivery, stop, planned arrival, planned service, planned departure, promised window
PLAN = [
    ("first", 1, "09:00", "09:00", "09:10", "08:30", "09:30"),
    ("second", 2, "09:20", "09:30", "09:40", "09:30", "10:30"),
    ("third", 3, "10:00", "10:00", "10:10", "09:00", "10:05"),
    ("fourth", 4, "10:30", "10:30", "10:40", "10:00", "11:30"),
]


def event(type: str, clock: str, delivery_id: str | None = None, **more) -> dict:
    return {
        "event_id": stable_id(type, clock, delivery_id),
        "type": type,
        "classifier": "ACT",
        "occurred_at": at(clock),
        "recorded_at": at(clock),
        "delivery_id": delivery_id,
        "route_id": "route",
        "vehicle_id": "van",
        "depot_id": "north",
        "source": "test",
        "status_source": "driver",
        "lon": 13.4,
        "lat": 52.5,
    } | more


@pytest.fixture(scope="module")
def planned(empty_file, tmp_path_factory):
    """The file of the morning's plan, made once."""
    store = Store.open(shutil.copy(empty_file, tmp_path_factory.mktemp("planned") / "tower.duckdb"))
    bookings = [
        {
            "booking_id": stable_id(name),
            "recorded_at": at("00:00"),
            "delivery_id": name,
            "kind": "delivery",
            "source": "test",
            "depot_id": "north",
            "service": "parcels",
            "criticality": "routine",
            "day": DAY,
            "zone": "UTC",
            "window_from": at(opens),
            "window_due": at(closes),
            "window_semantics": "service_start",
            "early_minutes": 0.0,
            "late_minutes": 0.0,
            "recipient": name,
            "lon": 13.4,
            "lat": 52.5,
            "penalty": 10.0 if name == "fourth" else 5.0,
        }
        for name, _, _, _, _, opens, closes in PLAN
    ]
    route = {
        "plan_id": "v1",
        "route_id": "route",
        "depot_id": "north",
        "day": DAY,
        "vehicle_id": "van",
        "departs_at": at("08:40"),
        "returns_at": at("11:00"),
    }
    stops = [
        {"plan_id": "v1", "route_id": "route", "stop": stop, "delivery_id": name, "arrive_at": at(arrive), "service_at": at(service), "depart_at": at(depart)}
        for name, stop, arrive, service, depart, _, _ in PLAN
    ]  # fmt: skip
    plan = {
        "plan_id": "v1",
        "recorded_at": at("00:00"),
        "depot_id": "north",
        "day": DAY,
        "version": 1,
        "made_by": "planner",
        "engine": "hand",
    }
    tables = {"plan": pd.DataFrame([plan]), "route": pd.DataFrame([route]), "planned_stop": pd.DataFrame(stops)}
    store.append({"booking": pd.DataFrame(bookings)})
    decisions.propose_plan(store, tables, "planner", at("00:01"))
    decisions.approve_plan(store, "v1", "planner", "the day", at("00:01"))
    store.close()
    return store.path


@pytest.fixture
def store(planned, tmp_path):
    store = Store.open(shutil.copy(planned, tmp_path / "tower.duckdb"))
    yield store
    store.close()


def drive(store: Store, *events: dict) -> None:
    store.append({"event": pd.DataFrame(events)})


def stops(store: Store, clock: str, as_of: str | None = None) -> pd.DataFrame:
    found = queries.stops(store, at(clock), DAY, Scope(), at(as_of) if as_of else None)
    return found.set_index("delivery_id").loc[[name for name, *_ in PLAN]]


def left_on_time(store: Store) -> None:
    drive(
        store, event("departed_depot", "08:40"), event("loaded", "08:30", "first"), event("loaded", "08:30", "second")
    )


def first_done_ten_minutes_late(store: Store) -> None:
    left_on_time(store)
    drive(
        store,
        event("arrived", "09:08", "first"),
        event("delivered", "09:18", "first", payload={"service_started_at": "2026-03-02T09:10:00Z"}),
        event("departed_stop", "09:20", "first"),
    )


def test_before_anything_has_happened_all_is_expected_as_planned(store):
    found = stops(store, "08:00")
    assert found.eta_at.tolist() == [at("09:00"), at("09:20"), at("10:00"), at("10:30")]
    assert found.status.tolist() == ["on time", "on time", "on time", "on time"]
    assert not found.done.any()


def test_a_van_that_has_not_left_pushes_all_its_stops(store):
    found = stops(store, "09:00")  # it should have left at 08:40
    assert found.delay_minutes.unique().tolist() == [20]
    assert found.eta_at["first"] == at("09:20")
    assert found.status["third"] == "at risk"  # 10:00 + 20 min − 10 min of waiting at the second = 10:10, after 10:05


def test_a_wait_for_a_window_takes_up_delay(store):
    first_done_ten_minutes_late(store)
    found = stops(store, "09:21")
    assert found.delay_minutes.unique().tolist() == [10]  # left the first stop at 09:20 instead of 09:10
    assert found.eta_at["second"] == at("09:30")  # 09:20 + 10
    assert found.eta_at["third"] == at("10:00")  # the ten minutes of waiting at the second take it up


def test_a_finished_stop_is_judged_by_what_happened(store):
    first_done_ten_minutes_late(store)
    found = stops(store, "09:21")
    assert found.done.tolist() == [True, False, False, False]
    assert found.status["first"] == "on time"  # service began at 09:10, inside 08:30–09:30


def test_less_than_five_minutes_of_room_is_at_risk(store):
    left_on_time(store)
    drive(
        store,
        event("arrived", "09:00", "first"),
        event("delivered", "09:20", "first"),
        event("departed_stop", "09:22", "first"),
    )
    found = stops(store, "09:23")  # 12 minutes behind, 10 of them waited off: the third is expected at 10:02, due 10:05
    assert found.eta_at["third"] == at("10:02")
    assert found.status["third"] == "at risk"
    assert found.minutes_over["third"] == -3


def test_what_is_past_its_promise_is_late_and_expected_now_at_the_earliest(store):
    left_on_time(store)
    found = stops(store, "10:40")
    assert found.status.tolist() == ["late", "late", "late", "on time"]
    assert found.eta_at["first"] == at("10:40")
    assert found.unscanned_minutes["first"] == 100


def test_why_a_stop_is_late_is_told_in_a_few_words(store):
    left_on_time(store)
    found = stops(store, "10:40")
    causes = {row.Index: attention.cause(row) for row in found[found.status == "late"].itertuples()}
    assert causes == {
        "first": "no scan, 100 min overdue",
        "second": "no scan, 80 min overdue",
        "third": "no scan, 40 min overdue",
    }


def test_a_breakdown_leaves_the_rest_without_an_eta_and_at_risk(store):
    first_done_ten_minutes_late(store)
    drive(store, event("vehicle_broke_down", "09:25"))
    found = stops(store, "09:26")
    assert found.eta_at.isna().all()
    assert found.status.tolist() == ["on time", "at risk", "at risk", "at risk"]
    assert {attention.cause(row) for row in found[~found.done].itertuples()} == {"vehicle broke down"}


def test_a_silent_van_is_unknown_not_on_time(store):
    first_done_ten_minutes_late(store)
    assert queries.vehicles(store, at("09:30"), DAY, Scope()).status.tolist() == ["on time"]
    assert queries.vehicles(store, at("09:41"), DAY, Scope()).status.tolist() == ["unknown"]


def test_a_van_says_how_far_it_has_come(store):
    first_done_ten_minutes_late(store)
    van = queries.vehicles(store, at("09:25"), DAY, Scope()).iloc[0]
    assert (van.deliveries, van.deliveries_done, van.delay_minutes) == (4, 1, 10)
    assert (van.next_delivery_id, van.next_eta_at, van.signal_age_minutes) == ("second", at("09:30"), 5)


def test_the_day_as_it_was_known_then(store):
    first_done_ten_minutes_late(store)
    then = stops(store, "08:50", as_of="08:50")
    assert not then.done.any()
    assert then.eta_at["first"] == at("09:00")


@pytest.mark.parametrize("seed", range(4))
def test_a_day_as_known_then_is_that_of_a_ledger_that_ends_there(tmp_path, seed):
    """Also for deliveries whose promise moved to another day, and for those that are planned on a day not their own."""
    instant = START + timedelta(hours=30)
    batches = [random_costs(seed), *random_batches(seed)]
    booked = set(pd.concat(batch["booking"] for batch in batches[1:]).delivery_id)
    whole, cut = (Store.open(tmp_path / f"{name}.duckdb") for name in ("whole", "cut"))
    for batch in batches:
        told = {
            table: rows[rows.delivery_id.isin(booked)] if "delivery_id" in rows and table != "charge" else rows
            for table, rows in batch.items()
        }
        whole.append(told)
        cut.append(
            {
                table: rows[rows.recorded_at <= instant] if "recorded_at" in rows else rows
                for table, rows in told.items()
            }
        )
    for day in (START.date(), START.date() + timedelta(days=1)):
        then = queries.stops(whole, instant, day, Scope(), instant)
        pd.testing.assert_frame_equal(then, queries.stops(cut, instant, day, Scope()))
        assert len(then) > 5
    whole.close()
    cut.close()


def test_a_plan_that_comes_into_force_starts_without_delay(store):
    first_done_ten_minutes_late(store)
    second = {
        "plan": pd.DataFrame([{"plan_id": "v2", "recorded_at": at("09:25"), "depot_id": "north", "day": DAY, "version": 2, "parent_plan_id": "v1", "made_by": "somebody", "engine": "hand"}]),
        "route": pd.DataFrame([{"plan_id": "v2", "route_id": "route", "depot_id": "north", "day": DAY, "vehicle_id": "van", "departs_at": at("08:40"), "returns_at": at("11:00")}]),
        "planned_stop": pd.DataFrame(
            [
                {"plan_id": "v2", "route_id": "route", "stop": stop, "delivery_id": name, "arrive_at": at(arrive), "service_at": at(arrive), "depart_at": at(depart)}
                for name, stop, arrive, depart in (("first", 1, "09:00", "09:10"), ("third", 2, "09:45", "09:55"), ("second", 3, "10:05", "10:15"))
            ]
        ),
    }  # fmt: skip
    decisions.propose_plan(store, second, "somebody", at("09:25"))
    decisions.approve_plan(store, "v2", "somebody", "third first", at("09:26"))
    found = stops(store, "09:27")
    assert found.eta_at["third"] == at("09:45")  # not ten minutes later: the new plan knew where the van was
    assert pd.isna(found.plan_id["fourth"])  # it was left out: still a delivery of the day, on no plan
    assert found.status["fourth"] == "unknown"


def test_a_delivery_on_no_plan_is_late_once_its_promise_has_passed(store):
    row = {"booking_id": stable_id("urgent"), "recorded_at": at("08:00"), "delivery_id": "urgent", "kind": "delivery", "source": "test",
           "depot_id": "north", "criticality": "routine", "day": DAY, "zone": "UTC", "window_from": at("09:00"), "window_due": at("10:00"),
           "window_semantics": "arrival", "early_minutes": 0.0, "late_minutes": 0.0}  # fmt: skip
    store.append({"booking": pd.DataFrame([row])})
    for clock, status in (("09:30", "unknown"), ("10:01", "late")):
        found = queries.stops(store, at(clock), DAY, Scope()).set_index("delivery_id")
        assert found.status["urgent"] == status


def test_counts_add_up(store):
    first_done_ten_minutes_late(store)
    counts = attention.counts(queries.stops(store, at("10:40"), DAY, Scope()))
    assert counts == {"planned": 4, "handed_over": 1, "done": 1, "open": 3, "late": 2, "at_risk": 0, "passed": 0}


def test_an_empty_day_needs_nobody(store):
    empty = queries.stops(store, at("10:00"), DAY + timedelta(days=9), Scope())
    assert set(attention.counts(empty).values()) == {0}


def test_a_decision_is_an_event_of_the_ledger(store):
    assert store.value("select count(*) from event where type = $type", type=EventType.PLAN_APPROVED) == 1


def test_a_stop_that_the_van_has_passed_without_a_scan_is_unknown_not_late(store):
    left_on_time(store)
    drive(
        store,
        event("arrived", "09:35", "second"),
        event("delivered", "09:45", "second", payload={"service_started_at": "2026-03-02T09:36:00Z"}),
        event("departed_stop", "09:46", "second"),
    )
    found = stops(store, "10:02")
    assert found.passed.tolist() == [True, False, False, False]
    assert found.status["first"] == "unknown"  # its window closed at 09:30, and nobody knows whether it was kept
    assert found.delay_minutes.unique().tolist() == [6]
    van = queries.vehicles(store, at("10:02"), DAY, Scope()).iloc[0]
    assert (van.next_delivery_id, van.deliveries_passed) == ("third", 1)


def test_a_cancelled_delivery_says_nothing_about_where_the_van_is(store):
    left_on_time(store)
    drive(store, event("cancelled", "08:45", "fourth", route_id=None, vehicle_id=None))
    found = stops(store, "08:50")
    assert found.delay_minutes.unique().tolist() == [0]
    assert not found.passed.any()
    assert found.done["fourth"]
