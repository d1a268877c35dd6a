"""The twin running: it tells each thing once, over midnight too, follows approved plans, and starts again the same."""

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from lastmile.twin import LiveOperation, Operation, history
from lastmile.twin.live import route_id

TEN = datetime(2026, 11, 17, 10, 0, tzinfo=UTC)
EVENING = datetime(2026, 11, 17, 22, 30, tzinfo=UTC)
HANDED = ("delivered", "partially_delivered")
TRIED = (*HANDED, "attempted", "not_completed", "refused")


@pytest.fixture(scope="module")
def morning_plan():
    return Operation(7).day(TEN.date())


def tables_of(plan, depot: str) -> dict[str, pd.DataFrame]:
    routes = plan["route"][plan["route"]["depot_id"] == depot]
    return {
        "route": routes,
        "planned_stop": plan["planned_stop"][plan["planned_stop"]["route_id"].isin(routes["route_id"])],
    }


def moved(plan, depot: str, from_vehicle: str, to_vehicle: str) -> dict[str, pd.DataFrame]:
    """The plan with one vehicle's stops given to another, in the order of their planned times."""
    tables = tables_of(plan, depot)
    source, target = (route_id(vehicle, TEN.date()) for vehicle in (from_vehicle, to_vehicle))
    stops = tables["planned_stop"].copy()
    stops.loc[stops["route_id"] == source, "route_id"] = target
    stops["stop"] = stops.groupby("route_id")["service_at"].rank(method="first").astype(int)
    return tables | {"planned_stop": stops}


def tries(batch) -> pd.DataFrame:
    return batch["event"][batch["event"]["type"].isin(TRIED)]


def test_asked_often_or_once_it_tells_the_same():
    once = LiveOperation(7, TEN).events_until(TEN + timedelta(hours=2))["event"]
    often = LiveOperation(7, TEN)
    parts = [often.events_until(TEN + timedelta(minutes=minutes))["event"] for minutes in range(7, 120, 7)]
    told = [id for part in parts for id in part["event_id"]]
    assert len(told) == len(set(told))
    last = TEN + timedelta(minutes=119)
    assert sorted(told) == sorted(once.loc[once["recorded_at"] <= last, "event_id"])
    assert often.events_until(TEN)["event"].empty


def test_history_and_live_fit_together_without_gap_or_overlap():
    later = TEN + timedelta(hours=3)
    before = pd.concat(batch["event"] for batch in history(7, 1, TEN) if "event" in batch)
    after = LiveOperation(7, TEN).events_until(later)["event"]
    whole = pd.concat(batch["event"] for batch in history(7, 1, later) if "event" in batch)
    assert not set(before["event_id"]) & set(after["event_id"])
    missing = set(whole["event_id"]) - set(before["event_id"]) - set(after["event_id"])
    assert not missing
    finer = after[~after["event_id"].isin(whole["event_id"])]
    assert set(finer["type"]) == {"position"}


def test_over_midnight_the_next_day_is_booked_planned_and_driven():
    live = LiveOperation(7, EVENING)
    night = live.events_until(EVENING + timedelta(hours=10))
    assert set(night["plan"]["day"].astype(str)) == {"2026-11-18"}
    assert {"plan_proposed", "plan_approved", "staged", "loaded", "departed_depot"} <= set(night["event"]["type"])
    assert not night["booking"].empty


def test_vehicles_follow_an_approved_plan_from_its_decision_on(morning_plan):
    before = tries(LiveOperation(7, TEN).events_until(EVENING))
    left = set(before.loc[before["vehicle_id"] == "WHF-12", "delivery_id"])
    live = LiveOperation(7, TEN)
    live.follow(moved(morning_plan, "WHF", "WHF-12", "WHF-11"), TEN)
    told = live.events_until(EVENING)
    afterwards = tries(told)
    by = {vehicle: set(tried["delivery_id"]) for vehicle, tried in afterwards.groupby("vehicle_id")}
    assert len(left) > 5
    assert len(by.get("WHF-12", set())) <= 1  # the one it was already driving to
    assert len(by["WHF-11"] & left) >= 3
    untried = set(told["event"].query("type == 'delayed' and reason == 'out_of_time'")["delivery_id"])
    assert left <= by.get("WHF-12", set()) | by["WHF-11"] | untried
    elsewhere = ~before["vehicle_id"].isin(("WHF-11", "WHF-12"))
    assert set(before.loc[elsewhere, "event_id"]) <= set(afterwards["event_id"])


def test_what_is_done_stays_and_nothing_is_handed_over_twice(morning_plan):
    done = tries(LiveOperation(7, TEN - timedelta(hours=6)).events_until(TEN))
    live = LiveOperation(7, TEN)
    live.follow(moved(morning_plan, "WHF", "WHF-11", "WHF-12"), TEN)
    afterwards = tries(live.events_until(EVENING))
    handed = pd.concat([done, afterwards])
    handed = handed[handed["type"].isin(HANDED)]
    assert handed["delivery_id"].is_unique
    assert handed["event_id"].is_unique


def test_the_same_order_again_changes_nothing(morning_plan):
    plain = LiveOperation(7, TEN).events_until(EVENING)["event"]
    live = LiveOperation(7, TEN)
    live.follow(tables_of(morning_plan, "GRB"), TEN)
    assert list(live.events_until(EVENING)["event"]["event_id"]) == list(plain["event_id"])


def test_after_a_restart_the_future_is_the_same(morning_plan):
    plan, noon = moved(morning_plan, "WHF", "WHF-12", "WHF-11"), TEN + timedelta(hours=2)
    first = LiveOperation(7, TEN)
    first.follow(plan, TEN)
    first.break_down("MRZ-03", TEN + timedelta(minutes=50))
    first.events_until(noon)
    again = LiveOperation(7, noon)
    again.follow(plan, TEN)
    again.break_down("MRZ-03", TEN + timedelta(minutes=50))
    until = EVENING + timedelta(hours=14)
    expected, found = first.events_until(until), again.events_until(until)
    assert {table: len(frame) for table, frame in found.items()} == {
        table: len(frame) for table, frame in expected.items()
    }
    assert list(found["event"]["event_id"]) == list(expected["event"]["event_id"])


def test_a_broken_vehicle_tries_no_more_and_its_rest_waits_for_the_next_day():
    live = LiveOperation(7, TEN)
    live.break_down("MRZ-03", TEN + timedelta(minutes=30))
    batch = live.events_until(EVENING + timedelta(hours=8))
    broken = batch["event"][batch["event"]["vehicle_id"] == "MRZ-03"]
    today = broken[broken["occurred_at"] < EVENING]
    assert list(today.loc[today["type"] == "vehicle_broke_down", "occurred_at"]) == [TEN + timedelta(minutes=30)]
    assert tries({"event": today})["occurred_at"].max() <= TEN + timedelta(minutes=50)
    delayed = batch["event"].query("type == 'delayed' and reason == 'vehicle_breakdown'")["delivery_id"]
    assert len(delayed) > 10
    assert set(delayed) <= set(batch["planned_stop"]["delivery_id"])


def test_a_plan_can_move_what_a_broken_vehicle_had_left(morning_plan):
    live = LiveOperation(7, TEN)
    live.break_down("WHF-12", TEN)
    live.follow(moved(morning_plan, "WHF", "WHF-12", "WHF-11"), TEN + timedelta(minutes=10))
    told = tries(live.events_until(EVENING))
    rest = set(tries(LiveOperation(7, TEN).events_until(EVENING)).query("vehicle_id == 'WHF-12'")["delivery_id"])
    served = told[told["delivery_id"].isin(rest) & (told["occurred_at"] > TEN + timedelta(minutes=13))]
    assert len(served) >= 4
    assert (served["vehicle_id"] != "WHF-11").sum() <= 1  # the one it was serving when it broke down
    assert served.iloc[-1]["vehicle_id"] == "WHF-11"


def test_a_standby_van_takes_over_work_on_its_own_route(morning_plan):
    tables = tables_of(morning_plan, "WHF")
    standby = next(
        v for v in Operation(7).master()["vehicle"].itertuples() if v.depot_id == "WHF" and "standby" in v.name
    )
    source, target = route_id("WHF-02", TEN.date()), route_id(standby.vehicle_id, TEN.date())
    new = tables["route"][tables["route"]["route_id"] == source].assign(
        route_id=target, vehicle_id=standby.vehicle_id, departs_at=pd.Timestamp(TEN)
    )
    stops = tables["planned_stop"].copy()
    stops.loc[(stops["route_id"] == source) & (stops["stop"] > 40), "route_id"] = target
    live = LiveOperation(7, TEN)
    live.follow({"route": pd.concat([tables["route"], new]), "planned_stop": stops}, TEN)
    told = live.events_until(EVENING)["event"].query("vehicle_id == @standby.vehicle_id")
    assert {"departed_depot", "arrived", "delivered", "returned_to_depot", "position"} <= set(told["type"])


def test_an_unknown_vehicle_and_a_time_without_zone_are_refused():
    live = LiveOperation(7, TEN)
    with pytest.raises(ValueError, match="no vehicle X-1"):
        live.break_down("X-1", TEN)
    with pytest.raises(ValueError, match="zone"):
        live.events_until(TEN.replace(tzinfo=None))
