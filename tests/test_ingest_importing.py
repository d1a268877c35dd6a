"""A file into the ledger: counts that add up, the same twice, corrections, undo, quarantine mended, and real files."""

from __future__ import annotations

import io
import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from lastmile.errors import DiskFull, NotPossible
from lastmile.ingest import (
    BadMapping,
    ImportCancelled,
    guess,
    imports,
    named,
    parse,
    preview,
    quarantine_csv,
    quarantined,
    run_import,
    undo_import,
)  # fmt: skip
from lastmile.ingest.importing import refuse_without_room
from lastmile.model import Event, EventType
from lastmile.store import Store
from tests.ingesting import ORDERS, TOLD, columns, utc, written

SHARED = Path(os.environ.get("LASTMILE_REAL_FILES", "../shared/data"))
real_files = pytest.mark.skipif(not SHARED.is_dir(), reason="the real files are not on this machine")
TEMPLATES = Path(__file__).parents[1] / "data" / "templates"
PROMISED = ORDERS + columns(window_from="from", window_due="to", recipient="r")


@pytest.fixture
def store(empty_database):
    store = Store.open(empty_database)
    yield store
    store.close()


def counts(result):
    return result.rows_read, result.rows_taken, result.rows_repeated, result.rows_refused


def rows(store, table):
    return store.value(f"select count(*) from {table}")


def test_rows_read_are_those_taken_repeated_and_refused(store, tmp_path):
    text = "id,event,at\nD1,arrived,2026-01-15 08:00\nD1,arrived,2026-01-15 08:00\nD2,arrived,soon\nD3\nD4,arrived,2026-01-15 09:00\n"
    result = run_import(store, written(tmp_path, text), parse(TOLD), "Ina")
    assert counts(result) == (5, 2, 1, 2)
    assert result.tables == {"event": 2} and rows(store, "event") == 2 and rows(store, "quarantine") == 2
    run = imports(store).iloc[0]
    assert (run["rows_read"], run["rows_taken"], run["rows_repeated"], run["rows_refused"]) == (5, 2, 1, 2)
    assert run["actor"] == "Ina" and run["file"] == "file.csv" and len(run["file_sha256"]) == 64


def test_the_same_file_twice_changes_nothing(store, tmp_path):
    path = written(tmp_path, "id,from,to,r\n1,2026-03-02 08:00,2026-03-02 10:00,Ina\n2,,,Udo\n")
    first = run_import(store, path, parse(PROMISED), "Ina")
    second = run_import(store, path, parse(PROMISED), "Ina")
    assert (counts(first), counts(second)) == ((2, 2, 0, 0), (2, 0, 2, 0))
    assert second.tables == {"booking": 0, "event": 0} and rows(store, "booking") == 2


def test_a_longer_file_adds_only_what_is_new(store, tmp_path):
    text = "id,event,at\nD1,arrived,2026-01-15 08:00\n"
    run_import(store, written(tmp_path, text), parse(TOLD), "Ina")
    result = run_import(store, written(tmp_path, text + "D1,delivered,2026-01-15 08:05\n"), parse(TOLD), "Ina")
    assert counts(result) == (2, 1, 1, 0) and rows(store, "event") == 2


def test_event_ids_are_those_that_the_model_makes(store, tmp_path):
    text = "id,event,at\nD1,arrived,2026-01-15 08:00\nD1,delivered,2026-01-15 08:00:07\n"
    run_import(store, written(tmp_path, text), parse(TOLD), "Ina")
    for type_, at in ((EventType.ARRIVED, utc("2026-01-15T07:00")), (EventType.DELIVERED, utc("2026-01-15T07:00:07"))):
        event = Event(type_, at, at, "scans", delivery_id="scans:D1")
        assert store.value("select type from event where event_id = $id::uuid", id=str(event.event_id)) == type_


def test_an_events_own_key_makes_its_id(store, tmp_path):
    text = "id,event,at,n\nD1,arrived,2026-01-15 08:00,K1\nD1,arrived,2026-01-15 08:01,K1\n"
    result = run_import(store, written(tmp_path, text), parse(TOLD + columns(event_key="n")), "Ina")
    assert counts(result) == (2, 1, 1, 0)
    event = Event(EventType.ARRIVED, utc("2026-01-15T07:00"), utc("2026-01-15T07:00"), "scans", key="K1")
    assert store.value("select event_id::varchar from event") == str(event.event_id)


def test_a_later_row_for_the_same_delivery_is_a_new_version_and_the_first_promise_stays(store, tmp_path):
    text = "id,from,to,r\n1,2026-03-02 08:00,2026-03-02 10:00,Ina\n1,2026-03-02 12:00,2026-03-02 14:00,Udo\n"
    result = run_import(store, written(tmp_path, text), parse(PROMISED), "Ina")
    assert counts(result) == (2, 2, 0, 0) and any("new version" in note for note in result.notes)
    delivery = store.ask("select recipient, window_due, revised_due from delivery").iloc[0]
    assert delivery["recipient"] == "Udo"
    assert delivery["window_due"] == utc("2026-03-02T09:00") and delivery["revised_due"] == utc("2026-03-02T13:00")


def test_a_correction_in_a_later_file_wins_too(store, tmp_path):
    head = "id,from,to,r\n"
    run_import(store, written(tmp_path, head + "1,2026-03-02 08:00,2026-03-02 10:00,Ina\n"), parse(PROMISED), "Ina")
    run_import(store, written(tmp_path, head + "1,2026-03-02 08:00,2026-03-02 10:00,Udo\n"), parse(PROMISED), "Ina")
    assert store.value("select recipient from delivery") == "Udo" and rows(store, "booking") == 2


def test_lines_of_an_order_become_one_delivery(store, tmp_path):
    mapping = parse(
        'line_items = true\nfill_down = ["id", "r"]\n' + ORDERS + columns(recipient="r", weight_kg="kg", pieces="n")
    )
    path = written(tmp_path, "id,r,kg,n\n1,Ina,2,1\n,,3,4\n2,Udo,4,1\n")
    result = run_import(store, path, mapping, "Ina")
    assert counts(result) == (3, 3, 0, 0)
    assert store.ask("select lines, weight_kg, pieces from delivery order by delivery_id").values.tolist() == [
        [2, 5, 5],
        [1, 4, 1],
    ]
    assert counts(run_import(store, path, mapping, "Ina")) == (3, 0, 3, 0)


def test_without_a_completion_time_on_time_is_unknown_and_says_why(store, tmp_path):
    mapping = parse(PROMISED.replace('"orders"', '"deliveries"') + '[[event]]\ntype = "arrived"\ntime = "seen"\n')
    path = written(
        tmp_path,
        "id,from,to,r,seen,updated at\n1,2026-03-02 08:00,2026-03-02 10:00,Ina,2026-03-02 09:00,2026-03-02 09:30\n",
    )
    result = run_import(store, path, mapping, "Ina")
    assert store.value("select timeliness from delivery") == "open"
    assert any("no column says when a delivery was completed" in note for note in result.notes)


def test_skipped_is_no_failure(store, tmp_path):
    text = "id,event,at\nD1,skipped,2026-01-15 08:00\nD1,delivered,2026-01-15 09:00\n"
    run_import(store, written(tmp_path, text), parse(TOLD), "Ina")
    assert store.ask("select state, failed_tries, attempts from delivery").values.tolist() == [["delivered", 0, 1]]


def test_the_scan_latency_of_a_file_without_recorded_times_is_not_made_up(store, tmp_path):
    run_import(store, written(tmp_path, "id,event,at\nD1,arrived,2026-01-15 08:00\n"), parse(TOLD), "Ina")
    assert store.value("select recorded_at_given from source where source = 'scans'") is False
    assert store.value("select recorded_at = occurred_at from event") is True


def test_a_booking_is_known_from_its_order_time_else_its_first_event_else_its_days_midnight(store, tmp_path):
    mapping = parse(PROMISED + '[[event]]\ntype = "order_received"\ntime = "ordered"\n')
    text = "id,from,to,r,ordered\n1,2026-03-02 08:00,2026-03-02 10:00,Ina,2026-03-01 17:00\n2,2026-03-02 08:00,2026-03-02 10:00,Udo,\n"
    run_import(store, written(tmp_path, text), mapping, "Ina")
    known = store.ask("select recorded_at from booking order by delivery_id")["recorded_at"].tolist()
    assert known == [utc("2026-03-01T16:00"), utc("2026-03-01T23:00")]


def test_an_undone_import_counts_for_nothing_and_its_file_is_taken_again(store, tmp_path):
    path = written(tmp_path, "id,from,to,r\n1,2026-03-02 08:00,2026-03-02 10:00,Ina\n")
    first = run_import(store, path, parse(PROMISED), "Ina")
    undo_import(store, first.import_id, "Udo", "wrong file")
    assert rows(store, "delivery") == 0 and rows(store, "booking") == 1
    assert rows(store, "delivery_state('infinity'::timestamptz, 'event', 'booking', null, null)") == 0
    event = store.ask("select type, actor, payload::varchar as payload from event where type = 'import_undone'").iloc[0]
    assert event["actor"] == "Udo" and json.loads(event["payload"])["why"] == "wrong file"
    with pytest.raises(NotPossible, match="was taken back already"):
        undo_import(store, first.import_id, "Udo", "again")
    with pytest.raises(NotPossible, match="There is no import"):
        undo_import(store, "nonsense", "Udo", "")
    again = run_import(store, path, parse(PROMISED), "Ina")
    assert counts(again) == (1, 1, 0, 0) and rows(store, "delivery") == 1
    assert imports(store)["undone_by"].tolist()[1] == "Udo"


def test_refused_rows_can_be_downloaded_mended_and_sent_again(store, tmp_path):
    path = written(tmp_path, "id,event,at\nD1,arrived,2026-01-15 08:00\nD2,arrived,soon\n=D3,delivered,\n")
    first = run_import(store, path, parse(TOLD), "Ina")
    frame = quarantined(store, first.import_id)
    assert frame["row_number"].tolist() == [3, 4] and frame["id"].tolist() == ["D2", "=D3"]
    assert frame["problem"][0].startswith("at: soon – this is not a time")
    download = quarantine_csv(store, first.import_id)
    assert b"'=D3" in download
    mended = pd.read_csv(io.BytesIO(download), dtype=str)
    mended["at"] = ["2026-01-15 09:00", "2026-01-15 10:00"]
    mended.to_csv(tmp_path / "mended.csv", index=False)
    second = run_import(store, tmp_path / "mended.csv", parse(TOLD), "Ina")
    assert counts(second) == (2, 2, 0, 0) and rows(store, "event") == 3


def test_nothing_is_written_where_an_import_is_stopped(store, tmp_path):
    path = written(tmp_path, "id,event,at\nD1,arrived,2026-01-15 08:00\n")
    asked = iter([False, False, False, True])
    with pytest.raises(ImportCancelled, match=r"file\.csv was stopped; nothing of it was written"):
        run_import(store, path, parse(TOLD), "Ina", cancelled=lambda: next(asked))
    assert [rows(store, table) for table in ("event", "import_run", "quarantine", "source")] == [0, 0, 0, 0]


def test_progress_rises_to_one(store, tmp_path):
    told = []
    path = written(tmp_path, "id,event,at\nD1,arrived,2026-01-15 08:00\n")
    run_import(store, path, parse(TOLD), "Ina", progress=lambda share, _: told.append(share))
    assert told == sorted(told) and told[0] == 0.0 and told[-1] == 1.0


def test_an_import_that_would_not_fit_is_refused_beforehand_with_figures():
    with pytest.raises(DiskFull, match=r"needs about 400 MB .*; 150 MB are free\. Free 250 MB"):
        refuse_without_room(Path("/data/tower.duckdb"), file_bytes=100_000_000, free_bytes=150_000_000)
    refuse_without_room(Path("/data/tower.duckdb"), file_bytes=100_000_000, free_bytes=500_000_000)


def test_a_preview_writes_nothing_and_groups_what_is_wrong(store, tmp_path):
    text = "id,event,at\n" + "D1,arrived,2026-01-15 08:00\n" * 3 + "D2,arrived,soon\nD3,arrived,later\n"
    seen = preview(store, written(tmp_path, text), parse(TOLD))
    assert (seen.rows_read, seen.rows_taken, seen.rows_repeated, seen.rows_refused) == (5, 1, 2, 2)
    [group] = seen.problems
    assert group.rows == 2 and group.column == "at" and group.examples == ((5, "soon"), (6, "later"))
    assert seen.whole_file and len(seen.refused) == 2 and len(seen.examples) == 3
    assert rows(store, "event") == 0 and rows(store, "import_run") == 0


def test_a_jump_is_what_no_vehicle_can_drive_in_any_direction(store, tmp_path):
    # from the middle out and back in two minutes each: 250 km/h is 8.333 km; a degree is 111.195 km along a meridian,
    # and cos 60° = a half of that along the parallel
    ways = {
        "far north": (0.0, 0.0760),
        "near north": (0.0, 0.0740),
        "far east": (0.1520, 0.0),
        "near east": (0.1480, 0.0),
    }
    rows = [
        f"{vehicle},2026-03-01T10:0{minute}:00Z,{10 + lon * out:.5f},{60 + lat * out:.5f}"
        for vehicle, (lon, lat) in ways.items()
        for minute, out in ((0, 0), (2, 1), (4, 0))
    ]
    path = written(tmp_path, "vehicle_id,occurred_at,lon,lat\n" + "\n".join(rows) + "\n")
    result = run_import(store, path, named("own_positions"), "me")
    assert result.rows_taken == 12
    assert any(note.startswith("4 rows: a position lies farther") for note in result.notes), result.notes


def test_impossible_jumps_are_counted_and_kept(store, tmp_path):
    mapping = named("own_positions")
    text = "vehicle_id,occurred_at,lon,lat\nV1,2026-01-15T08:00:00Z,13.4,52.5\nV1,2026-01-15T08:02:00Z,13.41,52.5\n" \
           "V1,2026-01-15T08:01:00Z,9.9,53.5\n"  # fmt: skip
    result = run_import(store, written(tmp_path, text), mapping, "Ina")
    assert counts(result) == (3, 3, 0, 0) and any(
        note.startswith("2 rows: a position lies farther") for note in result.notes
    )


def test_routes_become_a_plan_in_force_and_a_changed_file_its_next_version(store, tmp_path):
    mapping = named("own_routes")
    result = run_import(store, TEMPLATES / "routes.csv", mapping, "Ina")
    assert result.tables == {"plan": 1, "route": 1, "planned_stop": 2, "event": 1}
    assert counts(run_import(store, TEMPLATES / "routes.csv", mapping, "Ina")) == (2, 0, 2, 0)
    changed = (TEMPLATES / "routes.csv").read_text().replace("10:05:00", "10:25:00")
    result = run_import(store, written(tmp_path, changed, "changed.csv"), mapping, "Ina")
    assert counts(result) == (2, 1, 1, 0)
    plans = store.ask("select version, in_force from plan_state('infinity'::timestamptz) order by version")
    assert plans.values.tolist() == [[1, False], [2, True]]
    assert store.value("select count(*) from planned_stop") == 4


def test_vehicles_and_milestones_are_kept_by_their_last_word(store, tmp_path):
    run_import(store, TEMPLATES / "vehicles.csv", named("own_vehicles"), "Ina")
    changed = written(tmp_path, (TEMPLATES / "vehicles.csv").read_text().replace("900", "950"), "v.csv")
    assert counts(run_import(store, changed, named("own_vehicles"), "Ina")) == (2, 1, 1, 0)
    run_import(store, TEMPLATES / "milestones.csv", named("own_milestones"), "Ina")
    assert store.ask("select delivery_id from milestone_delivery order by 1")["delivery_id"].tolist() == [
        "own:D-1001",
        "own:D-1002",
    ]


@pytest.mark.parametrize("kind", ["orders", "routes", "events", "positions", "vehicles", "milestones"])
def test_every_template_is_recognised_and_imports_without_a_refused_row(store, kind):
    with store.cursor() as connection:
        known = guess(connection, TEMPLATES / f"{kind}.csv").known
    result = run_import(store, TEMPLATES / f"{kind}.csv", named(known), "Ina")
    assert known == f"own_{kind}" and result.rows_refused == 0 and result.rows_taken == result.rows_read > 0


def test_every_column_of_the_templates_is_mapped_and_explained():
    guide = (TEMPLATES / "README.md").read_text()
    for path in TEMPLATES.glob("*.csv"):
        header = path.read_text().splitlines()[0].split(",")
        assert set(header) == set(named(f"own_{path.stem}").file_columns)
        section = guide.split(f"## {path.name}")[1].split("\n## ")[0]
        assert [name for name in header if name not in section] == []


def test_a_recipients_address_comes_with_the_template_and_is_hashed_where_no_mapping_names_it(store, tmp_path):
    run_import(store, TEMPLATES / "orders.csv", named("own_orders"), "Ina")
    told = store.ask("select email, language from booking where email is not null")
    assert told.values.tolist() == [["workshop@example.com", "de"]]

    path = written(tmp_path, "order id,date,email\nA1,2026-03-02,ina@example.com\n")
    with store.cursor() as connection:
        guessed = guess(connection, path).mapping
    assert guessed.hash == ("email",) and "email" not in guessed.columns
    mapped = ORDERS.replace("[columns]", '[columns]\nemail = "email"')
    run_import(store, written(tmp_path, "id,email\nA2,ina@example.com\n", "mapped.csv"), parse(mapped), "Ina")
    assert store.value("select email from booking where delivery_id like '%A2'") == "ina@example.com"


# Exports of other systems, as their documentation describes them


def test_an_optimoroute_export(store, tmp_path):
    text = (
        "Order ID,Order type,Date,Time window from,Time window to,Duration,Address,Latitude,Longitude,Skills,Driver,Status,"
        "Start time,End time\n"
        "A1,D,20/12/2025,08:00,15:00,10,Main St 1,52.5,13.4,SK1;SK2,Ina,Completed,20/12/2025 14:40,20/12/2025 14:58\n"
        "A2,P,20/12/2025,22:00,02:00,10,Main St 2,52.5,13.4,,Ina,Failed,21/12/2025 01:00,21/12/2025 01:05\n"
        "A3,T,20/12/2025,,,10,Main St 3,52.5,13.4,,Ina,Scheduled,,\n"
    )
    result = run_import(store, written(tmp_path, text), replace(named("optimoroute"), zone="Europe/Berlin"), "Ina")
    assert counts(result) == (3, 3, 0, 0)
    frame = store.ask("select kind, state, timeliness, window_due, skills from delivery order by delivery_id")
    assert frame["state"].tolist() == ["delivered", "failed", "received"]
    assert frame["timeliness"].tolist() == ["on_time", "failed", "no_promise"]
    assert frame["kind"].tolist() == ["delivery", "pickup", "delivery"]
    assert frame["window_due"].tolist()[:2] == [utc("2025-12-20T14:00"), utc("2025-12-21T01:00")]
    assert list(frame["skills"][0]) == ["SK1", "SK2"]


def test_onfleet_tasks(store, tmp_path):
    tasks = [
        {
            "id": "qNMz", "shortId": "5f8b", "timeCreated": 1455072004000, "timeLastModified": 1455152824153, "state": 3,
            "worker": "h*wS", "completeAfter": None, "completeBefore": 1455156000000, "pickupTask": False, "notes": "",
            "completionDetails": {"time": 1455152532732, "success": True, "failureReason": "NONE", "lastLocation": [-122.4, 37.78]},
            "destination": {"location": [-122.39, 37.77], "address": {"number": "1", "street": "Main St", "postalCode": "94107"}},
            "recipients": [{"name": "Someone", "phone": "+1"}],
        },
        {
            "id": "fail", "shortId": "6f8b", "timeCreated": 1455072004000, "completeBefore": 1455156000000, "pickupTask": True,
            "completionDetails": {"time": 1455152532732, "success": False, "failureReason": "UNABLE_TO_LOCATE"},
            "destination": {"location": [-122.39, 37.77], "address": {}}, "recipients": [],
        },
    ]  # fmt: skip
    path = written(tmp_path, json.dumps(tasks), "tasks.json")
    with store.cursor() as connection:
        assert guess(connection, path).known == "onfleet"
    assert counts(run_import(store, path, named("onfleet"), "Ina")) == (2, 2, 0, 0)
    frame = store.ask(
        "select kind, state, timeliness, reason, handed_over_at, lon, lat, address from delivery order by delivery_id"
    )
    assert frame["state"].tolist() == ["failed", "delivered"] and frame["kind"].tolist() == ["pickup", "delivery"]
    assert frame["reason"][0] == "cannot_locate" and frame["timeliness"].tolist() == ["failed", "on_time"]
    assert frame["handed_over_at"][1] == datetime(2016, 2, 11, 1, 2, 12, 732000, tzinfo=UTC)
    assert (frame["lon"][1], frame["lat"][1], frame["address"][1]) == (-122.39, 37.77, "1 Main St, 94107")


@real_files
def test_an_onfleet_task_that_was_recorded_from_its_api(store, tmp_path):
    task = json.loads((SHARED / "onfleet" / "responses.json").read_text())["get"]
    result = run_import(store, written(tmp_path, json.dumps([task]), "tasks.json"), named("onfleet"), "Ina")
    assert counts(result) == (1, 1, 0, 0) and rows(store, "delivery") == 1


def test_samsara_stops_where_skipped_is_no_failure_and_completed_no_handover(store, tmp_path):
    text = (
        "Route Name,Assigned Driver Username,Assigned Vehicle Name,Stop Name,Stop Arrival Time,Actual Arrival Time,"
        "Actual Departure Time,Stop Status\n"
        "R1,ina,V1,Clinic,1/25/2026 8:40,1/25/2026 8:38,1/25/2026 8:55,Completed\n"
        "R1,ina,V1,Shop,1/25/2026 9:40,,,Skipped\n"
    )
    result = run_import(store, written(tmp_path, text), named("samsara"), "Ina")
    assert counts(result) == (2, 2, 0, 0) and any("when a delivery was completed" in note for note in result.notes)
    types = store.ask("select type from event order by delivery_id, occurred_at")["type"].tolist()
    assert types == ["arrived", "departed_stop", "skipped"]
    assert store.value("select sum(failed_tries) from delivery") == 0


# Real files


@real_files
def test_lade_pickups_give_the_figures_that_are_known_of_them(store):
    result = run_import(store, SHARED / "lade" / "pickup_five_cities_6190.csv", named("lade_pickups"), "Ina")
    assert counts(result) == (6190, 6190, 0, 0) and result.tables == {"booking": 6190, "event": 12380}
    # by hand, from the booking and event tables alone
    timing = store.ask(
        "with picked_up as (select delivery_id, occurred_at, lon, lat from event where type = 'delivered'), "
        "accepted as (select delivery_id, occurred_at from event where type = 'order_received') "
        "select picked_up.occurred_at < window_from as early, picked_up.occurred_at > window_due as late, "
        "date_diff('minute', window_due, picked_up.occurred_at) as minutes_late, "
        "date_diff('minute', accepted.occurred_at, picked_up.occurred_at) as minutes_from_accept, "
        "6371008.8 * 2 * asin(sqrt(pow(sin(radians(picked_up.lat - booking.lat) / 2), 2) + cos(radians(booking.lat)) "
        "* cos(radians(picked_up.lat)) * pow(sin(radians(picked_up.lon - booking.lon) / 2), 2))) as metres "
        "from booking join picked_up using (delivery_id) join accepted using (delivery_id)"
    )
    early, late = timing["early"].sum(), timing["late"].sum()
    assert (early, late, 6190 - early - late) == (1441, 109, 4640)
    assert [round(100 * n / 6190, 2) for n in (early, 4640, late)] == [23.28, 74.96, 1.76]
    assert timing.loc[timing["late"], "minutes_late"].median() == 40
    assert timing["minutes_from_accept"].median() == 124
    assert (timing["metres"] > 500).sum() == 537
    assert round(100 * timing["metres"].isna().mean(), 2) == 28.01
    assert store.value("select count(distinct actor) from event") == 1217
    assert store.value("select count(*) from event where type = 'order_received' and lon is null") == round(
        0.4331 * 6190
    )
    assert counts(run_import(store, SHARED / "lade" / "pickup_five_cities_6190.csv", named("lade_pickups"), "Ina")) == (
        6190,
        0,
        6190,
        0,
    )


@real_files
def test_lade_deliveries_have_no_promise(store):
    path = SHARED / "lade" / "delivery_jl_first106.csv"
    with store.cursor() as connection:
        assert guess(connection, path).known == "lade_deliveries"
    assert counts(run_import(store, path, named("lade_deliveries"), "Ina")) == (106, 106, 0, 0)
    assert store.ask("select timeliness, count(*) as n from delivery group by 1").values.tolist() == [
        ["no_promise", 106]
    ]


@real_files
def test_lade_without_a_declared_year_asks_for_it(store):
    mapping = parse(named("lade_pickups").text.replace("year = 2022\n", ""))
    with pytest.raises(BadMapping, match=r"pickup_five_cities_6190\.csv, column accept_time: .* carry no year"):
        preview(store, SHARED / "lade" / "pickup_five_cities_6190.csv", mapping)


@pytest.mark.parametrize("seed", range(5))
def test_counts_add_up_on_random_files(store, tmp_path, seed):
    import random

    chance = random.Random(seed)
    cells = {"id": ["D1", "D2", "", "1.2E+10"], "event": ["arrived", "delivered", "odd", ""],
             "at": ["2026-01-15 08:00", "2026-01-15 08:01", "soon", "", "2099-01-01 00:00"]}  # fmt: skip
    lines = [",".join(chance.choice(values) for values in cells.values()) for _ in range(60)]
    lines += [chance.choice(["D1", "a,b,c,d", "id,event,at", ",,"]) for _ in range(10)]
    chance.shuffle(lines)
    path = written(tmp_path, "id,event,at\nD0,arrived,2026-01-15 07:00\n" + "\n".join(lines) + "\n")
    first = run_import(store, path, parse(TOLD), "Ina")
    second = run_import(store, path, parse(TOLD), "Ina")
    assert first.rows_read == first.rows_taken + first.rows_repeated + first.rows_refused == 71 - lines.count(",,")
    assert first.rows_taken == rows(store, "event") == first.tables["event"]
    assert second.rows_taken == 0 and second.rows_refused == first.rows_refused == len(
        quarantined(store, first.import_id)
    )


def test_times_in_one_import_are_those_of_the_ledger(store, tmp_path):
    before = datetime.now(UTC)
    run_import(store, written(tmp_path, "id,event,at\nD1,arrived,2026-01-15 08:00\n"), parse(TOLD), "Ina")
    run = imports(store).iloc[0]
    assert before - timedelta(seconds=1) <= run["started_at"] <= run["finished_at"]
