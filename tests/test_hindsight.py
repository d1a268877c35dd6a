"""Predicted against what came true, worked by hand: one van, four stops, a re-optimization at nine.

Rates: 50 a day, 20 an hour, 30 in overtime, 1 a km, 2 a stop, at least 160 a route. The shift ends at 12:00. Places lie on a
line, a step apart; the van leaves at 08:30 and is back at 12:30 after 20 km.

    a   2 steps out, arrived 09:30, delivered 09:35, promised until 10:00: kept
    b   4 steps out, arrived 11:00, served from 11:10, delivered 11:20, promised until 11:00: 10 min late at 2 a minute; its
        crew (3 a minute) needed it by 10:30: 40 min
    c   5 steps out, arrived 11:30, nobody there at 11:40: failed, in time
    d   never tried: 40
"""

from __future__ import annotations

import json
import shutil
from datetime import UTC, date, datetime

import pandas as pd
import pytest

from lastmile import decisions, kpis, queries
from lastmile.__main__ import main
from lastmile.model import Scope, stable_id
from lastmile.store import Store

DAY = date(2026, 3, 2)
STEP = 0.01


def at(clock: str) -> datetime:
    hour, minute = clock.split(":")
    return datetime(2026, 3, 2, int(hour), int(minute), tzinfo=UTC)


def event(type: str, clock: str, step: int, delivery_id: str | None = None, **more: object) -> dict:
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
        "lat": round(52.5 + STEP * step, 2),
    } | more


DRIVEN = [
    event("departed_depot", "08:30", 0),
    event("arrived", "09:30", 2, "a"),
    event("delivered", "09:35", 2, "a", payload={"service_started_at": "2026-03-02T09:30:00Z"}),
    event("departed_stop", "09:40", 2, "a"),
    event("arrived", "11:00", 4, "b"),
    event("delivered", "11:20", 4, "b", payload={"service_started_at": "2026-03-02T11:10:00Z"}),
    event("departed_stop", "11:20", 4, "b"),
    event("arrived", "11:30", 5, "c"),
    event("attempted", "11:40", 5, "c", reason="recipient_unavailable"),
    event("departed_stop", "11:40", 5, "c"),
    event("returned_to_depot", "12:30", 0, payload={"distance_km": 20.0}),
]


def covered(delivery_id: str, until: str | None, **more: object) -> dict:
    return {
        "stop_id": f"stop {delivery_id}",
        "deliveries": [delivery_id],
        "until": at(until).timestamp() if until else None,
        "late_price": 2.0,
        "failing": 40.0,
        "need_by": None,
        "crew_price": 0.0,
        "late_minutes": 0.0,
    } | more


STOPS = [
    covered("a", "10:00"),
    covered("b", "11:00", need_by=at("10:30").timestamp(), crew_price=3.0),
    covered("c", None),
    covered("d", "12:00"),
]


def plan(version: int, seen_at: str, **predicted: object) -> dict[str, pd.DataFrame]:
    """A version with its one route; `predicted` are the figures of a re-optimization, none for the morning plan."""
    row = {"plan_id": f"v{version}", "recorded_at": at(seen_at), "depot_id": "north", "day": DAY, "version": version,
           "parent_plan_id": f"v{version - 1}" if version > 1 else None, "made_by": "somebody", "engine": "hand",
           "currency": "EUR"} | predicted  # fmt: skip
    route = {"plan_id": f"v{version}", "route_id": "route", "depot_id": "north", "day": DAY, "vehicle_id": "van",
             "carrier_id": "own", "departs_at": at("08:30"), "returns_at": at("12:00")}  # fmt: skip
    stops = [
        {"plan_id": f"v{version}", "route_id": "route", "stop": stop, "delivery_id": name, "arrive_at": at("09:30"),
         "service_at": at("09:30"), "depart_at": at("09:40")}
        for stop, name in enumerate("abcd", start=1)
    ]  # fmt: skip
    return {"plan": pd.DataFrame([row]), "route": pd.DataFrame([route]), "planned_stop": pd.DataFrame(stops)}


def replan(version: int, seen_at: str, before: float, cost: float, **more: object) -> dict[str, pd.DataFrame]:
    summary = {
        "cost_before": before,
        "distance_km_before": 25.0,
        "late_minutes_before": 30.0,
        "promises_broken_before": 2,
        "stops_moved": 1,
        "vehicles": ["van"],
        "covered": STOPS,
    } | more
    return plan(version, seen_at, cost=cost, distance_km=17.0, late_minutes=4.0, promises_broken=1, summary=summary)


def approve(store: Store, tables: dict[str, pd.DataFrame]) -> None:
    row = tables["plan"].iloc[0]
    decisions.propose_plan(store, tables, "somebody", row.recorded_at)
    decisions.approve_plan(store, row.plan_id, "the dispatcher", "better", row.recorded_at)


@pytest.fixture(scope="module")
def planned(empty_file, tmp_path_factory):
    """The file of the morning plan, made once."""
    store = Store.open(shutil.copy(empty_file, tmp_path_factory.mktemp("planned") / "tower.duckdb"))
    known = {"recorded_at": at("00:00")}
    bookings = [
        known | {"booking_id": stable_id(name), "delivery_id": name, "kind": "delivery", "source": "test", "depot_id": "north",
                 "criticality": "routine", "day": DAY, "zone": "UTC", "window_from": at("08:00"), "window_due": at("12:00"),
                 "window_semantics": "service_start", "early_minutes": 0.0, "late_minutes": 0.0, "recipient": name}
        for name in "abcd"
    ]  # fmt: skip
    card = known | {"carrier_id": "own", "valid_from": DAY, "currency": "EUR", "per_day": 50.0, "per_hour": 20.0,
                    "per_overtime_hour": 30.0, "per_km": 1.0, "per_stop": 2.0, "minimum_per_route": 160.0}  # fmt: skip
    shift = known | {"shift_id": "s", "day": DAY, "vehicle_id": "van", "starts_at": at("08:00"), "ends_at": at("12:00"),
                     "break_minutes": 0.0, "overtime_minutes": 60.0}  # fmt: skip
    store.append(
        {name: pd.DataFrame(rows) for name, rows in (("booking", bookings), ("rate_card", [card]), ("shift", [shift]))}
    )
    approve(store, plan(1, "00:01"))
    store.close()
    return store.path


@pytest.fixture(scope="module")
def finished(planned, tmp_path_factory):
    """The file of the day with its re-optimization, driven to the end, made once."""
    store = Store.open(shutil.copy(planned, tmp_path_factory.mktemp("driven") / "tower.duckdb"))
    approve(store, replan(2, "09:00", before=400.0, cost=250.0))
    store.append({"event": pd.DataFrame(DRIVEN)})
    store.close()
    return store.path


@pytest.fixture
def store(planned, tmp_path):
    store = Store.open(shutil.copy(planned, tmp_path / "tower.duckdb"))
    yield store
    store.close()


def results(store: Store, as_of: datetime | None = None, today: date = DAY) -> pd.DataFrame:
    return queries.replannings(store, Scope(), today, as_of, day_from=DAY, day_to=DAY).set_index("plan_id")


@pytest.fixture
def driven(finished, tmp_path):
    store = Store.open(shutil.copy(finished, tmp_path / "driven.duckdb"))
    yield store
    store.close()


def test_a_morning_plan_is_no_re_optimization(store):
    assert results(store).empty


def test_what_each_stop_came_to(driven):
    rows = queries.replanned_stops(driven, "v2", DAY).set_index("stop_id")
    assert rows.outcome.to_dict() == {"stop a": "kept", "stop b": "late", "stop c": "failed", "stop d": "untried"}
    assert rows.late_minutes["stop b"] == 10
    assert rows.lateness_cost.tolist() == [0, 20, 0, 0]
    assert rows.crew_cost.tolist() == [0, 120, 0, 0]
    assert rows.failing_cost.tolist() == [0, 0, 0, 40]


def test_what_the_route_cost_from_then_on(driven):
    row = driven.ask("from replan_route(null, $day::date, $day::date)", day=DAY).iloc[0]
    assert (row.paid_minutes, row.overtime_minutes, row.stops) == (210, 30, 3)
    # half of the first leg of two steps was before nine: 9 of the 10 steps, of 20 km
    assert row.km == pytest.approx(18.0)
    # 3 h × 20 + half an hour × 30 + 18 km + 3 × 2 = 99; the whole route, 50 + 4 h × 20 + 20 km + 6 = 156, lacks 4 of 160
    assert row.cost == pytest.approx(103.0)


def test_plan_gain_execution_loss_and_saving(driven):
    row = results(driven).loc["v2"]
    assert row.whole
    assert row.cost_came_to == pytest.approx(103 + 20 + 120 + 40)
    assert (row.plan_gain, row.execution_loss, row.saving) == pytest.approx((150, 33, 117))
    assert row.km_came_to == pytest.approx(18)
    assert (row.late_minutes_came_to, row.broken_came_to) == (10, 2)
    assert (row.stops_covered, row.kept, row.late, row.failed, row.untried) == (4, 1, 1, 1, 1)
    assert not row.rest_is_estimated


def test_a_later_one_ends_the_first_and_says_what_its_rest_would_have_cost(driven):
    approve(driven, replan(3, "11:05", before=120.0, cost=100.0, covered=STOPS[1:]))
    row = results(driven).loc["v2"]
    # 125 min × 20 an hour, 3 of 10 steps of 20 km, one stop: 49.67; the rest was expected to cost 120
    assert row.cost_came_to == pytest.approx(125 / 60 * 20 + 6 + 2 + 120)
    assert row.rest_is_estimated
    assert queries.replanned_stops(driven, "v2", DAY).outcome.tolist() == [
        "kept",
        "replanned",
        "replanned",
        "replanned",
    ]


def test_a_stop_served_before_the_plan_looked_and_told_after_is_judged_like_any_other(store):
    """The second one looks at 09:37 and counts on `a`, which was delivered at 09:35: the driver's word came at 09:50."""
    approve(store, replan(2, "09:00", before=400.0, cost=250.0))
    of_a = {"recorded_at": at("09:50")}
    store.append({"event": pd.DataFrame([row | of_a if row["delivery_id"] == "a" else row for row in DRIVEN])})
    approve(store, replan(3, "09:37", before=300.0, cost=250.0))
    assert queries.replanned_stops(store, "v3", DAY).outcome.tolist() == ["kept", "late", "failed", "untried"]
    # what the next one covers is the next one's: `a` is not counted twice
    assert set(queries.replanned_stops(store, "v2", DAY).outcome) == {"replanned"}


def test_of_a_stop_without_an_outcome_nothing_is_known_and_it_costs_nothing(store):
    approve(store, replan(2, "09:00", before=400.0, cost=250.0))
    seen = [row for row in DRIVEN if not (row["delivery_id"] == "c" and row["type"] == "attempted")]
    store.append({"event": pd.DataFrame(seen)})
    rows = queries.replanned_stops(store, "v2", DAY).set_index("stop_id")
    assert rows.outcome.to_dict() == {"stop a": "kept", "stop b": "late", "stop c": "unknown", "stop d": "untried"}
    assert rows.failing_cost.to_dict() == {"stop a": 0, "stop b": 0, "stop c": 0, "stop d": 40}
    row = results(store).loc["v2"]
    assert (row.stops_covered, row.unknown, row.untried) == (4, 1, 1)


def test_the_difference_is_told_by_what_is_paid_for(store):
    """Predicted 250: 190 for driving, 50 for lateness, 10 for a crew. It came to 103 + 20 + 120 + 40."""
    parts = {"hours": 150, "distance": 40, "lateness": 50, "crew_idle": 10}
    approve(store, replan(2, "09:00", before=400.0, cost=250.0, cost_parts=parts))
    store.append({"event": pd.DataFrame(DRIVEN)})
    row = results(store).loc["v2"]
    predicted = [row[f"{part}_predicted"] for part in ("driving", "lateness", "crew", "not_served")]
    came_to = [row[f"{part}_came_to"] for part in ("driving", "lateness", "crew", "not_served")]
    assert predicted == pytest.approx([190, 50, 10, 0])
    assert came_to == pytest.approx([103, 20, 120, 40])
    assert sum(came_to) - sum(predicted) == pytest.approx(row.execution_loss)


def test_where_another_one_followed_the_parts_hold_what_the_rest_was_to_cost(store):
    """Until 11:05 driving came to 49.67; the next one expected 70 for driving, 50 for lateness of the plan in force."""
    approve(store, replan(2, "09:00", before=400.0, cost=250.0, cost_parts={"hours": 250}))
    store.append({"event": pd.DataFrame(DRIVEN)})
    rest = {"cost_parts_before": {"hours": 70, "lateness": 50}, "covered": STOPS[1:]}
    approve(store, replan(3, "11:05", before=120.0, cost=100.0, **rest))
    row = results(store).loc["v2"]
    assert row.lateness_came_to == pytest.approx(50)
    assert row.driving_came_to == pytest.approx(125 / 60 * 20 + 6 + 2 + 70)


def test_the_kpis_are_the_sums_of_the_same_rows(driven):
    keys = ("replanning_predicted", "replanning_saving", "replanning_kept")
    asked = {"day_from": DAY, "day_to": DAY}
    found = kpis.measure(driven, keys, **asked).set_index("key")
    assert found.value.tolist() == pytest.approx([150, 117, 117 / 150])
    assert found.numerator.tolist() == pytest.approx([150, 117, 117])
    assert found.denominator.tolist() == pytest.approx([1, 1, 150])
    assert found.n.tolist() == [1, 1, 1]
    assert found.low.isna().all()  # money is not counted one by one
    by_depot = kpis.measure(driven, keys[1:2], by=("day", "depot"), **asked)
    assert by_depot[["depot", "value"]].values.tolist() == [["north", pytest.approx(117)]]
    assert kpis.rows_behind(driven, keys[1], **asked).plan_id.tolist() == ["v2"]


def test_while_the_van_is_out_the_kpis_leave_it_out(driven):
    found = kpis.measure(driven, ("replanning_kept",), day_from=DAY, day_to=DAY, as_of=at("11:25")).iloc[0]
    assert (found.n, found.excluded, found.total) == (0, 1, 1)


def test_savings_of_a_day_add_up_to_what_it_would_have_cost_less_what_it_cost(driven):
    approve(driven, replan(3, "11:05", before=120.0, cost=100.0, covered=STOPS[1:]))
    found = results(driven)
    spent = driven.value("select sum(cost) from replan_route(null, $day::date, $day::date)", day=DAY)
    failed = driven.value(
        "select sum(lateness_cost + crew_cost + failing_cost) from replan_stop(null, $day::date, $day::date)", day=DAY
    )
    assert found.saving.sum() == pytest.approx(400 - spent - failed)
    assert (found.saving - (found.plan_gain - found.execution_loss)).abs().max() == pytest.approx(0)


def test_while_the_van_is_out_money_has_no_verdict(driven):
    row = results(driven, as_of=at("11:25")).loc["v2"]
    assert not row.whole
    assert pd.isna(row.cost_came_to) and pd.isna(row.saving)
    assert (row.plan_gain, row.kept, row.late, row.late_minutes_so_far) == (150, 1, 1, 10)


def test_a_past_day_is_whole_even_where_the_return_was_not_scanned(store):
    approve(store, replan(2, "09:00", before=400.0, cost=250.0))
    store.append({"event": pd.DataFrame(DRIVEN[:-1])})
    row = results(store, today=date(2026, 3, 3)).loc["v2"]
    assert row.whole
    assert row.km_estimated == 1
    # until the last scan at 11:40; 4 of 5 steps of 1,112 m × 1.35; the whole route lacks 160 − 50 − 63.33 − 7.51 − 6
    steps_km = 1.35 * 1.11195
    spent = 160 / 60 * 20 + 4 * steps_km + 6
    top_up = 160 - (50 + 190 / 60 * 20 + 5 * steps_km + 6)
    assert row.cost_came_to == pytest.approx(spent + top_up + 20 + 120 + 40, abs=0.01)


def test_the_command_line_says_the_same(driven, monkeypatch, capsys):
    monkeypatch.setenv("LASTMILE_DATABASE", str(driven.path))
    driven.close()
    days = ["--from", str(DAY), "--to", str(DAY), "--as-of", "2026-03-02T18:00+00:00"]
    assert main(["hindsight", *days]) == 0
    told = capsys.readouterr().out
    assert "v2" in told
    assert tuple(told.splitlines()[-2].split()[-3:]) == ("150", "33", "117")
    # this plan was recorded without its parts: all that was predicted counts as driving
    assert told.splitlines()[-1].endswith("driving 250 → 103, lateness 0 → 20, crews 0 → 120, not served 0 → 40")
    assert main(["hindsight", *days, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["saving"] == pytest.approx(117)
