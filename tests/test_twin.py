"""The twin: the same seed is the same operation, and what it tells could have happened."""

import hashlib
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from pandas.util import hash_pandas_object

from lastmile.model import REASONS, Event, EventType
from lastmile.store import Store
from lastmile.twin import Operation, history
from lastmile.twin.city import BOUNDS
from lastmile.twin.operation import untouched_day, untouched_rest
from lastmile.twin.scans import visits_of

MONDAY = date(2026, 11, 16)
HANDED = ("delivered", "partially_delivered")
TRIED = (*HANDED, "attempted", "not_completed", "refused")
SEEDS = (1, 2026)


@pytest.fixture(scope="module", params=SEEDS)
def two_days(request):
    operation = Operation(request.param)
    days = [operation.whole(MONDAY), operation.whole(MONDAY + timedelta(days=1))]
    return {table: pd.concat([day[table] for day in days], ignore_index=True) for table in days[0]}


def fingerprint(seed: int) -> str:
    for remembered in (untouched_day, untouched_rest):
        remembered.cache_clear()
    until = datetime(2026, 11, 16, 13, 0, tzinfo=UTC)
    said = hashlib.sha256()
    for batch in history(seed, days=0, until=until):
        for table, frame in batch.items():
            said.update(table.encode() + hash_pandas_object(frame.astype(str), index=False).to_numpy().tobytes())
    return said.hexdigest()


def test_the_same_seed_and_end_give_the_same_frames_and_another_seed_does_not():
    first = fingerprint(5)
    assert fingerprint(5) == first
    assert fingerprint(6) != first


def test_nothing_is_known_before_it_was_recorded():
    until = datetime(2026, 11, 17, 9, 0, tzinfo=UTC)
    for batch in history(5, days=1, until=until):
        for frame in batch.values():
            assert "recorded_at" not in frame or (frame["recorded_at"] <= until).all()


def test_todays_plan_and_tomorrows_first_bookings_are_known_at_noon():
    until = datetime(2026, 11, 17, 11, 0, tzinfo=UTC)
    *_, today, tomorrow = history(5, days=1, until=until)
    assert sorted(today["plan"]["depot_id"]) == ["GRB", "MRZ", "WHF"]
    assert len(today["planned_stop"]) > 1000
    assert 100 < len(tomorrow["booking"]) < 1000
    assert tomorrow["plan"].empty
    assert tomorrow["planned_stop"].empty


def test_ids_are_unique_and_follow_the_rule_of_the_model(two_days):
    events = two_days["event"]
    assert events["event_id"].is_unique
    for row in events.iloc[:: len(events) // 50].itertuples():
        said = {
            name: getattr(row, name)
            for name in ("delivery_id", "route_id", "vehicle_id", "depot_id")
            if isinstance(getattr(row, name), str)
        }
        event = Event(EventType(row.type), row.occurred_at, row.recorded_at, row.source, **said)
        assert str(event.event_id) == row.event_id
    for table, key in (("booking", "booking_id"), ("charge", "charge_id"), ("shift", "shift_id"), ("plan", "plan_id")):
        assert two_days[table][key].is_unique


def test_nothing_is_recorded_before_it_happened_and_reasons_are_of_the_model(two_days):
    events = two_days["event"]
    assert (events["recorded_at"] >= events["occurred_at"]).all()
    assert set(events["reason"].dropna()) <= set(REASONS)


def test_each_delivery_is_handed_over_once_at_most_and_never_tried_again(two_days):
    tries = two_days["event"][two_days["event"]["type"].isin(TRIED)]
    handed = tries[tries["type"].isin(HANDED)]
    assert handed["delivery_id"].is_unique
    last = tries.groupby("delivery_id")["occurred_at"].max()
    assert (handed.set_index("delivery_id")["occurred_at"] == last.loc[handed["delivery_id"]]).all()


def test_every_event_of_a_delivery_has_a_booking_known_before_its_promise(two_days):
    told = set(two_days["event"]["delivery_id"].dropna())
    bookings = two_days["booking"]
    assert told == set(bookings["delivery_id"])
    first = bookings.sort_values("recorded_at").drop_duplicates("delivery_id")
    assert (first["recorded_at"] < first["window_from"]).all()
    assert (first["window_from"] < first["window_due"]).all()


def test_times_along_a_vehicle_never_overlap():
    operation = Operation(3)
    for run in operation.opened(MONDAY).runs.values():
        edges = [
            edge
            for visit in run.visits
            for edge in (visit.set_off, visit.arrives, visit.starts, visit.ends, visit.leaves)
        ]
        assert edges == sorted(edges)
        assert [at for at, *_ in run.trace] == sorted(at for at, *_ in run.trace)


def test_no_vehicle_is_loaded_beyond_its_capacity(two_days):
    stops = two_days["planned_stop"].merge(two_days["route"][["plan_id", "route_id", "vehicle_id"]])
    loads = two_days["booking"].drop_duplicates("delivery_id")[["delivery_id", "weight_kg", "volume_m3", "pieces"]]
    carried = stops.merge(loads).groupby(["plan_id", "vehicle_id"])[["weight_kg", "volume_m3", "pieces"]].sum()
    room = Operation(1).master()["vehicle"].set_index("vehicle_id").loc[carried.index.get_level_values("vehicle_id")]
    assert (carried.to_numpy() <= room[["capacity_kg", "capacity_m3", "capacity_pieces"]].to_numpy()).all()


def test_vehicles_have_the_skills_that_their_deliveries_need(two_days):
    stops = two_days["planned_stop"].merge(two_days["route"][["plan_id", "route_id", "vehicle_id"]])
    needs = two_days["booking"].drop_duplicates("delivery_id").set_index("delivery_id")["skills"]
    has = Operation(1).master()["vehicle"].set_index("vehicle_id")["skills"]
    for stop in stops.itertuples():
        assert set(needs[stop.delivery_id]) <= set(has[stop.vehicle_id])


def test_everything_happens_within_the_area(two_days):
    places = two_days["event"].dropna(subset=["lon"])
    west, south, east, north = BOUNDS
    assert places["lon"].between(west, east).all()
    assert places["lat"].between(south, north).all()


def test_a_failed_delivery_is_promised_again_and_stands_in_the_next_days_plan():
    operation = Operation(7)
    again, _ = operation.left(MONDAY)
    tuesday = operation.day(MONDAY + timedelta(days=1))
    assert len(again) > 20
    assert set(again["delivery_id"]) <= set(tuesday["planned_stop"]["delivery_id"])
    second = tuesday["booking"][tuesday["booking"]["delivery_id"].isin(again["delivery_id"])]
    assert (second.groupby("delivery_id")["recorded_at"].min() < pd.Timestamp("2026-11-17", tz="Europe/Berlin")).all()


def test_deliveries_of_one_stop_share_its_number_and_stops_count_from_one(two_days):
    for _, stops in two_days["planned_stop"].groupby(["plan_id", "route_id"]):
        assert stops["stop"].iloc[0] == 1
        assert set(np.diff(stops["stop"])) <= {0, 1}


def test_the_3pl_bills_a_surcharge_for_each_route_and_each_failed_try_is_handled_again(two_days):
    charges, routes, events = two_days["charge"], two_days["route"], two_days["event"]
    invoiced = charges[charges["kind"] == "third_party"]
    assert sorted(invoiced["route_id"]) == sorted(routes.loc[routes["carrier_id"] == "panke", "route_id"])
    again = charges[charges["kind"] == "rehandling"]
    assert set(again["amount"]) == {3.1}
    assert set(events.loc[events["type"].isin(("attempted", "not_completed", "refused")), "delivery_id"]) <= set(
        again["delivery_id"]
    )


def test_departures_spread_over_the_morning_and_returns_over_the_afternoon(two_days):
    routes = two_days["route"]
    leaves = routes["departs_at"].dt.tz_convert("Europe/Berlin")
    hours = leaves.dt.hour + leaves.dt.minute / 60
    assert hours.min() >= 5.9
    assert hours.max() <= 9.75
    assert (hours < 7.5).sum() > 10
    assert (hours > 8.5).sum() > 10
    returns = routes["returns_at"].dt.tz_convert("Europe/Berlin").dt.hour
    assert returns.max() >= 18


def test_a_week_is_lifelike_on_time_and_at_the_first_attempt():
    operation, parts = Operation(7), []
    for number in range(7):
        opened = operation.opened(MONDAY + timedelta(days=number))
        visits = visits_of(opened)
        parts.append(visits.join(opened.deliveries.drop(columns=["x", "y"]), on="row"))
    first = pd.concat(parts).query("attempt == 0")
    handed = first["reason"].isna() | (first["reason"] == "goods_missing_or_short")
    in_time = (first["starts"] >= first["window_from"] - first["early_minutes"]) & (
        first["starts"] <= first["window_due"] + first["late_minutes"]
    )
    assert len(first) > 7000
    assert 0.92 <= handed.mean() <= 0.955
    assert 0.905 <= (handed & in_time).mean() <= 0.945


def test_the_ledger_takes_all_that_the_twin_tells(tmp_path):
    store = Store.open(tmp_path / "twin.duckdb")
    batch = Operation(7).master() | Operation(7).whole(MONDAY)
    taken = store.append(batch)
    assert taken == {table: len(frame) for table, frame in batch.items()}
    assert set(store.append(batch).values()) == {0}
    open_share = store.value("select avg((timeliness = 'unknown')::int) from delivery where handed_over_at is not null")
    assert 0 <= open_share < 0.03
    store.close()
