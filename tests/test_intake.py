"""Rows that come over HTTP: what is checked, that they become what an import makes of them, and the queue that writes them."""

from __future__ import annotations

import csv
import errno
import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lastmile import doctor, ingest, queries
from lastmile.adapters import FORMATS, epcis_document
from lastmile.api.answers import plain
from lastmile.commands.command import opened_store
from lastmile.connections import Connection
from lastmile.door import Door
from lastmile.errors import DiskFull, LastmileError
from lastmile.ingest.fields import BOOKING, EVENT, PAYLOAD
from lastmile.intake import (
    KINDS,
    Busy,
    Intake,
    Judged,
    Outcome,
    Sent,
    journal,
    judge,
    quarantined,
    tables,
    waiting,
    writing,
)
from lastmile.intake import queue as queues
from lastmile.intake.receiving import judged_message, judged_rows
from lastmile.model import EventType
from lastmile.store import Store

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
TEMPLATES = Path(__file__).parents[1] / "data" / "templates"
ERP = Connection("erp", "The ERP", "Europe/Berlin")
SCAN = {"event": "delivered", "delivery_id": "D-1", "occurred_at": "2026-03-02T09:18:00+01:00"}
ORDER = {
    "delivery_id": "D-1", "ordered_at": "2026-03-01T14:05:00+01:00", "window_from": "2026-03-02T09:00:00+01:00",
    "window_due": "2026-03-02T11:00:00+01:00", "address": "Uferstrasse 4", "postcode": "13357",
}  # fmt: skip


@pytest.fixture
def store(tmp_path):
    store = Store.open(tmp_path / "tower.duckdb")
    yield store
    store.close()


@pytest.fixture
def door(store):
    door = Door(store, lambda: NOW)
    door.register.connect(ERP, "somebody")
    yield door
    door.stop()


def send(door: Door, kind: str, rows: object, connection: Connection = ERP) -> list[str]:
    """The outcome of each row, once they are in the ledger."""
    judged = judged_rows(KINDS[kind], rows, connection, NOW)
    outcomes = [str(outcome) for outcome in door.send(None, connection, judged, 100, NOW).result(30).outcomes]
    assert door.intake.settle(30)
    return outcomes


def wrong(kind: str, row: object) -> list[tuple[str | None, str]]:
    """Field and start of what is wrong of each problem that a row has."""
    return [(told["field"], told["problem"]) for told in judge(KINDS[kind], row, ERP, NOW).problems]


# One row


@pytest.mark.parametrize(
    ("kind", "row", "field", "told"),
    [
        ("events", SCAN | {"occurred_at": None}, "occurred_at", "nothing stands here"),
        ("events", SCAN | {"event": ""}, "event", "nothing stands here"),
        ("events", SCAN | {"occured_at": "x"}, "occured_at", "not known here"),
        ("events", SCAN | {"occurred_at": "2026-03-02T09:18:00"}, "occurred_at", "no offset"),
        ("events", SCAN | {"occurred_at": "2026-03-02"}, "occurred_at", "not an instant"),
        ("events", SCAN | {"occurred_at": "02.03.2026 09:18"}, "occurred_at", "not an instant"),
        ("events", SCAN | {"occurred_at": 1772439480}, "occurred_at", "not an instant"),
        ("events", SCAN | {"occurred_at": "1970-01-01T00:00:00Z"}, "occurred_at", "before the year 2000"),
        ("events", SCAN | {"occurred_at": "9999-12-31T23:59:59-12:00"}, "occurred_at", "not an instant"),
        ("events", SCAN | {"occurred_at": "2026-03-03T12:00:01Z"}, "occurred_at", "a day ahead"),
        ("events", SCAN | {"delivery_id": None}, None, "names no delivery"),
        ("events", SCAN | {"delivery_id": 1.5}, "delivery_id", "not a text"),
        ("events", SCAN | {"delivery_id": True}, "delivery_id", "not a text"),
        ("events", SCAN | {"delivery_id": "a\x00b"}, "delivery_id", "not a text"),
        ("events", SCAN | {"delivery_id": "\ud800"}, "delivery_id", "not a text"),
        ("events", SCAN | {"delivery_id": "x" * 201}, "delivery_id", "too long"),
        ("events", SCAN | {"delivery_id": 10**4000}, "delivery_id", "too long"),
        ("events", SCAN | {"delivery_id": "1.23E+15"}, "delivery_id", "scientific notation"),
        ("events", SCAN | {"lon": 13.4}, "lat", "nothing stands here"),
        ("events", SCAN | {"lon": 52.5, "lat": 113.4}, "lat", "look swapped"),
        ("events", SCAN | {"lon": 181, "lat": 0}, "lon", "not on the globe"),
        ("events", SCAN | {"lon": "13,4", "lat": 52.5}, "lon", "not a number"),
        ("events", SCAN | {"accuracy_m": -1}, "accuracy_m", "below zero"),
        ("events", SCAN | {"accuracy_m": float("nan")}, "accuracy_m", "not a number"),
        ("events", SCAN | {"accuracy_m": 1e13}, "accuracy_m", "larger than any"),
        ("events", SCAN | {"classifier": "MAYBE"}, "classifier", "word is not known"),
        ("events", SCAN | {"proof": "signature"}, "proof", "not a list"),
        ("events", SCAN | {"proof": ["a", 1]}, "proof", "not a list"),
        ("events", SCAN | {"documents_right": "yes"}, "documents_right", "neither true nor false"),
        ("events", SCAN | {"event": "plan_approved"}, "event", "decisions are made in the tower"),
        ("events", SCAN | {"event": "corrected"}, "corrects", "names what it corrects"),
        ("orders", ORDER | {"window_due": "2026-03-02T08:00:00+01:00"}, "window_due", "ends before it starts"),
        ("orders", ORDER | {"lines": 1.5}, "lines", "not a whole number"),
        ("orders", ORDER | {"lines": 2**31}, "lines", "larger than any"),
        ("orders", ORDER | {"day": "2026-02-30"}, "day", "not a day"),
        ("orders", {"delivery_id": "  "}, "delivery_id", "nothing stands here"),
        ("positions", {"vehicle_id": "V", "occurred_at": SCAN["occurred_at"], "lat": 1}, "lon", "nothing stands here"),
        ("condition-readings", {"vehicle_id": "V", "occurred_at": SCAN["occurred_at"], "celsius": -274}, "celsius", "below zero"),
        ("events", "delivered", None, "not an object"),
        ("events", None, None, "not an object"),
    ],
)  # fmt: skip
def test_a_row_that_is_wrong_says_where_and_what(kind, row, field, told):
    found = wrong(kind, row)

    assert [name for name, problem in found] == [field]
    assert told in found[0][1]


def test_all_that_is_wrong_with_a_row_is_told_at_once():
    assert {name for name, _ in wrong("events", {"x": 1, "lon": "a", "accuracy_m": -1})} == {
        "x", "lon", "accuracy_m", "event", "occurred_at",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("row", "notes", "kept"),
    [
        (SCAN | {"event": "wobbled"}, ("unmapped",), {"type": "unmapped", "payload": '{"status":"wobbled"}'}),
        (
            SCAN | {"reason": "cosmic rays"},
            ("unmapped_reason",),
            {"reason": "other", "payload": '{"reason":"cosmic rays"}'},
        ),
        (SCAN | {"reason": "AQ"}, (), {"reason": "recipient_unavailable"}),
        (SCAN | {"lon": 0, "lat": 0}, ("unknown_place",), {"lon": None, "lat": None}),
        (SCAN | {"delivery_id": 1001}, (), {"delivery_id": "erp:1001"}),
        (SCAN | {"actor": ""}, (), {"actor": None, "status_source": "api"}),
        (
            SCAN | {"event": "delayed", "classifier": "EST", "occurred_at": "2026-03-09T09:00:00Z"},
            (),
            {"classifier": "EST"},
        ),
    ],
)
def test_what_is_not_known_is_kept_and_noted_never_guessed(row, notes, kept):
    judged = judge(KINDS["events"], row, ERP, NOW)

    assert judged.notes == notes
    assert {name: judged.event[name] for name in kept} == kept


def test_numbers_of_deliveries_are_those_of_the_system_that_the_connection_names():
    carrier = Connection("carrier", "A carrier", delivery_source="erp")

    assert judge(KINDS["events"], SCAN, carrier, NOW).event["delivery_id"] == "erp:D-1"


def test_every_field_of_the_import_has_its_field_here():
    events, orders = KINDS["events"].fields, KINDS["orders"].fields

    renamed = {"key": "delivery_id", "time": "occurred_at", "status": "event"}
    assert {renamed.get(name, name) for name in EVENT if name != "place"} | set(PAYLOAD) == set(events) - {"corrects"}
    assert {renamed.get(name, name) for name in BOOKING if name != "place"} == set(orders) - {
        "version_key",
        "ordered_at",
    }


# The same as by a file


def rows_of(
    template: str, numbers: set[str] = frozenset(), flags: set[str] = frozenset(), lists: set[str] = frozenset()
) -> list[dict]:
    """The rows of a template as JSON would have them."""

    def value(name: str, cell: str):
        if name in lists:
            return cell.split("|")
        return float(cell) if name in numbers else cell == "yes" if name in flags else cell

    with (TEMPLATES / template).open() as file:
        return [{name: value(name, cell) for name, cell in row.items() if cell} for row in csv.DictReader(file)]


@pytest.fixture
def by_file(tmp_path):
    """A ledger into which the templates were imported."""
    store = Store.open(tmp_path / "by_file.duckdb")
    for name in ("orders", "events", "positions"):
        ingest.run_import(store, TEMPLATES / f"{name}.csv", ingest.named(f"own_{name}"), "somebody")
    yield store
    store.close()


OWN = Connection("own", "Own templates", "UTC")
NUMBERS = {"lon", "lat", "accuracy_m", "speed_kmh", "lines_delivered", "weight_kg", "volume_m3", "pieces", "lines",
           "service_minutes", "penalty", "value"}  # fmt: skip


def test_the_templates_sent_as_json_give_the_events_that_their_import_gives(door, store, by_file):
    events = rows_of("events.csv", NUMBERS, {"documents_right", "contact"}, {"proof"})
    positions = rows_of("positions.csv", NUMBERS)

    send(door, "events", events, OWN)
    send(door, "positions", positions, OWN)

    told = "select * exclude (import_id, status_source), payload::varchar as payload from event where type <> 'order_received' order by event_id"
    mine, theirs = store.ask(told), by_file.ask(told)
    assert len(mine) == len(events) + len(positions)
    mine["payload"], theirs["payload"] = (
        [p and json.loads(p) for p in frame["payload"].astype(object).where(frame["payload"].notna(), None)]
        for frame in (mine, theirs)
    )
    assert plain(mine) == plain(theirs)


def test_the_templates_orders_sent_as_json_give_the_deliveries_that_their_import_gives(door, store, by_file):
    send(door, "orders", rows_of("orders.csv", NUMBERS, lists={"skills", "proof"}), OWN)

    told = (
        "select * exclude (recorded_at, import_id, booking_id) from booking order by delivery_id",
        "select event_id, type, occurred_at, delivery_id, depot_id from event where type = 'order_received' order by event_id",
    )
    for question in told:
        assert plain(store.ask(question)) == plain(by_file.ask(question))


# Once and only once


def test_what_was_sent_once_may_be_sent_again(door, store):
    rows = [SCAN, SCAN | {"event": "arrived"}, SCAN | {"event_key": "k", "event": "loaded"}]

    assert send(door, "events", rows) == ["taken"] * 3
    assert send(door, "events", rows) == ["repeated"] * 3
    assert store.value("select count(*) from event") == 3


def test_the_sources_own_key_tells_an_event_from_another_and_the_first_stays(door, store):
    first, later = SCAN | {"event_key": "k"}, SCAN | {"event_key": "k", "event": "arrived"}

    assert send(door, "events", [first, later, SCAN | {"event_key": "k2"}]) == ["taken", "repeated", "taken"]
    assert sorted(store.ask("select type from event").type) == ["delivered", "delivered"]


def test_two_sources_never_share_an_event(door):
    other = Connection("wms", "The WMS", delivery_source="erp")
    door.register.connect(other, "somebody")

    assert send(door, "events", SCAN | {"event_key": "k"}) == ["taken"]
    assert send(door, "events", SCAN | {"event_key": "k"}, other) == ["taken"]


def test_a_later_version_of_an_order_leaves_the_first_promise(door, store):
    moved = ORDER | {"window_from": "2026-03-02T12:00:00+01:00", "window_due": "2026-03-02T13:00:00+01:00"}

    assert send(door, "orders", [ORDER, moved, ORDER]) == ["taken", "taken", "repeated"]
    delivery = queries.delivery(store, "erp:D-1")
    assert (delivery.window_due.hour, delivery.revised_due.hour) == (10, 12)  # UTC
    assert (str(delivery.day.date()), delivery.zone, delivery.address) == (
        "2026-03-02",
        "Europe/Berlin",
        "Uferstrasse 4, 13357",
    )


def test_an_order_that_goes_back_to_its_first_window_is_a_third_version_where_versions_have_keys(door, store):
    moved = ORDER | {"window_due": "2026-03-02T13:00:00+01:00"}

    sent = [ORDER | {"version_key": "1"}, moved | {"version_key": "2"}, ORDER | {"version_key": "3"}]
    assert send(door, "orders", sent) == ["taken"] * 3
    assert send(door, "orders", sent) == ["repeated"] * 3
    delivery = queries.delivery(store, "erp:D-1")
    assert delivery.window_due.hour == 10 and (
        delivery.revised_due is None or delivery.revised_due != delivery.revised_due
    )


def test_a_correction_makes_the_wrong_event_count_for_nothing(door, store):
    send(door, "events", SCAN | {"event_key": "k"})
    assert queries.delivery(store, "erp:D-1").state == "delivered"

    send(door, "events", SCAN | {"event": "corrected", "corrects": "k", "event_key": "k was wrong"})

    assert queries.delivery(store, "erp:D-1").state == "received"


def test_a_delivery_goes_out_as_epcis_and_comes_in_again_as_the_same_events(door, store):
    send(door, "orders", ORDER)
    scans = [
        SCAN | {"event": "loaded", "occurred_at": "2026-03-02T07:00:00+01:00", "vehicle_id": "V-3", "route_id": "R-7"},
        SCAN | {"event": "arrived", "occurred_at": "2026-03-02T09:12:00.123456+01:00", "lon": 13.37308, "lat": 52.55021},
        SCAN | {"event": "not_completed", "reason": "AQ", "occurred_at": "2026-03-02T09:15:00+01:00", "contact": False},
        SCAN | {"event": "not_completed", "reason": "moon phase", "occurred_at": "2026-03-02T09:16:00+01:00"},
        SCAN | {"proof": ["signature"], "handed_to": "recipient", "service_started_at": "2026-03-02T09:13:00+01:00"},
        SCAN | {"event": "departed_stop", "status_source": "driver", "actor": "DR-2"},
        SCAN | {"event": "wobbled"},
    ]  # fmt: skip
    send(door, "events", scans)
    send(
        door,
        "condition-readings",
        {"delivery_id": "D-1", "celsius": 4.6, "occurred_at": SCAN["occurred_at"], "lon": 1, "lat": 2},
    )
    out = epcis_document("erp:D-1", plain(queries.delivery_events(store, "erp:D-1")), NOW)

    other = Connection("partner", "A partner")
    rows, passed = judged_message(FORMATS["epcis"], json.dumps(out).encode(), other, NOW)
    door.register.connect(other, "somebody")
    receipt = door.send(None, other, rows, 0, NOW).result(30)
    door.intake.settle(30)

    assert (receipt.count(Outcome.TAKEN), passed) == (len(scans) + 2, 0)
    told = (
        "select type, occurred_at, recorded_at, lon, lat, reason, actor, route_id, vehicle_id, status_source, "
        "payload::varchar as payload from event where source = $source order by occurred_at, type, payload::varchar"
    )
    mine, theirs = (plain(store.ask(told, source=source)) for source in ("erp", "partner"))
    for row in [*mine, *theirs]:
        row["payload"] = row["payload"] and json.loads(row["payload"])
    assert theirs == mine


# Quarantine


def test_a_refused_row_waits_whole_and_once_and_goes_in_when_it_is_mended(door, store):
    bad = SCAN | {"occurred_at": "soon"}

    assert send(door, "events", [bad, SCAN]) == ["refused", "taken"]
    assert send(door, "events", bad) == ["refused"]
    assert waiting(store) == waiting(store, "erp") == 1
    kept = quarantined(store).iloc[0]
    assert json.loads(kept.raw) == bad
    assert kept.problem.startswith("occurred_at: this is not an instant")

    assert door.replay(kept.row_id, "erp", kept.format, kept.raw, "somebody") is Outcome.REFUSED
    assert waiting(store) == 1
    mended = json.dumps(bad | {"occurred_at": "2026-03-02T08:20:00Z"})
    assert door.replay(kept.row_id, "erp", kept.format, mended, "somebody") is Outcome.TAKEN
    assert waiting(store) == 0
    assert store.ask("select outcome, actor from quarantine_decision").values.tolist() == [["replayed", "somebody"]]


def test_a_message_that_could_not_be_read_is_kept_so_that_it_can_be_read_again(door, store):
    cut = b"ST*214*0001~B10*P*D-1*C~AT7*D1*NS***20260302*0918*UT~SE*9*0001~"
    rows, _ = judged_message(FORMATS["x12-214"], cut, ERP, NOW)
    door.send(None, ERP, rows, 0, NOW).result(30)
    door.intake.settle(30)

    kept = quarantined(store).iloc[0]
    assert kept.format == "x12-214"
    mended = kept.raw.replace("SE*9", "SE*4")
    assert door.replay(kept.row_id, "erp", kept.format, mended, "somebody") is Outcome.TAKEN
    assert store.value("select type from event") == "delivered"


@pytest.mark.parametrize(
    "raw", ["\ud800", float("inf"), {"a": "\x00"}, {"\udfff": 1}, [[]], "ß – 漢", 10**300], ids=repr
)
def test_whatever_was_sent_can_be_kept(door, store, raw):
    assert send(door, "events", [raw if isinstance(raw, dict) else {"x": raw}]) == ["refused"]
    assert len(quarantined(store)) == 1


# The queue


def judged(number: int):
    return judge(KINDS["events"], SCAN | {"event_key": f"k{number}"}, ERP, NOW)


def sent(*rows, size: int = 10) -> Sent:
    return Sent("erp", None, rows, size, NOW)


def test_many_senders_at_once_share_commits_and_each_gets_its_own_receipt(store):
    intake = Intake(store)
    receipts = []

    def sender(which: int) -> None:
        receipts.extend(intake.submit(sent(*(judged(which * 100 + n) for n in range(10)))) for _ in range(2))

    senders = [threading.Thread(target=sender, args=(which,)) for which in range(8)]
    before, deeds = store.version, store.deeds
    for thread in senders:
        thread.start()
    for thread in senders:
        thread.join()
    outcomes = [receipt.result(30) for receipt in receipts]
    intake.stop()

    assert sum(receipt.count(Outcome.TAKEN) for receipt in outcomes) == 80
    assert sum(receipt.count(Outcome.REPEATED) for receipt in outcomes) == 80
    assert store.value("select count(*) from event") == 80
    assert store.version - before < 16
    assert store.deeds == deeds


def test_a_full_queue_tells_senders_to_come_again(store, monkeypatch):
    monkeypatch.setattr(queues, "MOST_ROWS_WAITING", 3)
    intake = Intake(store)
    with ledger_held(store):
        first = intake.submit(sent(judged(1), judged(2)))
        assert intake.is_open
        with pytest.raises(Busy) as refused:
            intake.submit(sent(judged(3), judged(4)))
        assert 1 <= refused.value.retry_after <= 30
        with pytest.raises(Busy):
            intake.submit(sent(judged(5), size=65 << 20))
        third = intake.submit(sent(judged(6)))
        assert not intake.is_open
    assert first.result(30).count(Outcome.TAKEN) == 2
    assert third.result(30).count(Outcome.TAKEN) == 1
    intake.stop()
    assert intake.rows_waiting == 0


def test_stopping_writes_what_is_queued_and_takes_nothing_more(store):
    intake = Intake(store)
    receipts = [intake.submit(sent(judged(number))) for number in range(50)]

    intake.stop()

    assert all(receipt.done() and receipt.result().count(Outcome.TAKEN) for receipt in receipts)
    assert store.value("select count(*) from event") == 50
    with pytest.raises(Busy):
        intake.submit(sent(judged(99)))


def test_a_request_that_can_not_be_written_takes_no_other_with_it(store, monkeypatch):
    monkeypatch.setattr(queues, "LINGER_SECONDS", 0.3)
    intake = Intake(store)
    broken = judge(KINDS["events"], SCAN, ERP, NOW)
    broken.event["lon"] = "not a number"

    receipts = [intake.submit(sent(row)) for row in (judged(1), broken, judged(2))]

    assert receipts[0].result(30).count(Outcome.TAKEN) == 1
    assert receipts[2].result(30).count(Outcome.TAKEN) == 1
    with pytest.raises(LastmileError, match="could not be written"):
        receipts[1].result(30)
    intake.stop()
    assert store.value("select count(*) from event") == 2


def test_who_hangs_up_can_not_take_rows_out_of_a_batch(store):
    intake = Intake(store)
    with ledger_held(store):
        receipt = intake.submit(sent(judged(1)))
        assert not receipt.cancel()
    assert receipt.result(30).count(Outcome.TAKEN) == 1
    intake.stop()


# Accepted, and not in the ledger yet


@contextmanager
def ledger_held(store: Store) -> Iterator[None]:
    """Nothing gets into the ledger while the block runs."""
    with store._writer:
        yield


def test_what_was_answered_for_is_safe_before_the_ledger_has_it_and_the_next_process_takes_it_in(store, tmp_path):
    intake, after = Intake(store), tmp_path / "after"
    after.mkdir()
    with ledger_held(store):
        receipts = [intake.submit(sent(judged(number), judge(KINDS["events"], 7, ERP, NOW))) for number in range(3)]
        outcomes = [outcome for receipt in receipts for outcome in receipt.result(30).outcomes]
        assert outcomes == [Outcome.TAKEN, Outcome.REFUSED] * 3
        assert store.value("select count(*) from event") == 0
        for path in tmp_path.glob("tower.duckdb*"):  # as a killed process leaves it
            shutil.copy(path, after)
    intake.stop()

    left = Store.open(after / "tower.duckdb")
    Intake(left).stop()

    assert left.value("select count(*) from event") == 3
    assert waiting(left, "erp") == 1  # the same row, kept once
    assert journal.files(left.path) == journal.files(store.path) == []
    left.close()


def test_a_row_sent_again_before_the_ledger_has_it_is_a_repetition(store):
    intake = Intake(store)
    with ledger_held(store):
        first = intake.submit(sent(judged(1))).result(30)
        again = intake.submit(sent(judged(1), judged(2))).result(30)
    intake.stop()

    assert first.outcomes == (Outcome.TAKEN,)
    assert again.outcomes == (Outcome.REPEATED, Outcome.TAKEN)
    assert store.value("select count(*) from event") == 2


def test_settling_waits_for_the_ledger_and_no_longer_than_told(store):
    intake = Intake(store)
    with ledger_held(store):
        intake.submit(sent(judged(1))).result(30)
        assert not intake.settle(0.05)
    assert intake.settle(30)
    assert store.value("select count(*) from event") == 1
    intake.stop()


def test_of_a_file_that_was_being_written_only_what_is_whole_counts(tmp_path):
    written, path = journal.Journal(tmp_path / "tower.duckdb"), None
    for number in range(2):
        written.keep(brought(judged(number)))
    path = written.cut()
    whole = path.read_bytes()
    first = len(whole) // 2

    for cut in (0, 1, first - 1, first, first + 1, len(whole) - 1):
        path.write_bytes(whole[:cut])
        assert len(list(journal.read(path))) == (1 if cut >= first else 0)
    path.write_bytes(whole[: first + 30] + bytes([whole[first + 30] ^ 1]) + whole[first + 31 :])
    assert [one.events.num_rows for one in journal.read(path)] == [1]


def brought(*rows: Judged) -> journal.Brought:
    return journal.Brought(tables.events([row.event for row in rows]), tables.bookings([]), tables.quarantined([]))


def test_where_the_disk_is_full_nothing_is_accepted_and_what_was_stays(store, monkeypatch):
    intake = Intake(store)
    with ledger_held(store):
        intake.submit(sent(judged(1))).result(30)
        with monkeypatch.context() as full:
            full.setattr(journal.os, "fdatasync", no_room)
            with pytest.raises(DiskFull, match="send it again"):
                intake.submit(sent(judged(2))).result(30)
        intake.submit(sent(judged(3))).result(30)
        kept = [one.events.num_rows for path in journal.files(store.path) for one in journal.read(path)]
        assert kept == [1, 1]
    intake.stop()
    assert store.value("select count(*) from event") == 2
    assert intake.rows_waiting == 0


def test_rows_that_come_by_themselves_go_into_the_ledger_at_once_and_those_upon_them_gather(store, monkeypatch):
    monkeypatch.setattr(writing, "GATHER_SECONDS", 1.5)
    append, batches = store.append, []

    def counted(batch, **named):
        batches.append(batch["event"].num_rows)
        return append(batch, **named)

    monkeypatch.setattr(store, "append", counted)
    intake = Intake(store)
    intake.submit(sent(judged(1))).result(30)
    assert intake.settle(1.2)
    for number in range(2, 7):
        intake.submit(sent(judged(number))).result(30)
    assert intake.settle(30)
    intake.stop()
    assert batches == [1, 5]


def no_room(_: int) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_while_the_ledger_has_no_room_nothing_more_is_taken_and_nothing_is_lost(store, monkeypatch):
    monkeypatch.setattr(writing, "AGAIN_SECONDS", 0.05)
    append, there_is_room = store.append, threading.Event()

    def full(*arguments, **named):
        if there_is_room.is_set():
            return append(*arguments, **named)
        raise DiskFull("The disk is full.")

    monkeypatch.setattr(store, "append", full)
    intake = Intake(store)
    assert intake.submit(sent(judged(1))).result(30).count(Outcome.TAKEN) == 1
    assert not intake.settle(0.5)
    assert not intake.is_open
    with pytest.raises(Busy, match="The disk is full"):
        intake.submit(sent(judged(2)))

    there_is_room.set()

    assert intake.settle(30)
    assert intake.is_open
    assert store.value("select count(*) from event") == 1
    intake.stop()


def test_accepted_rows_that_the_ledger_does_not_take_are_set_aside_and_the_others_go_in(store, monkeypatch):
    append = store.append
    bad = judged(2).event["event_id"]

    def picky(batch, **named):
        if bad in batch["event"]["event_id"].to_pylist():
            raise ValueError("not this one")
        return append(batch, **named)

    monkeypatch.setattr(store, "append", picky)
    monkeypatch.setattr(queues, "LINGER_SECONDS", 0.0)
    intake = Intake(store)
    with ledger_held(store):
        for number in range(4):
            intake.submit(sent(judged(number))).result(30)
    intake.stop()

    assert store.value("select count(*) from event") == 3
    (path,) = journal.aside(store.path)
    assert [one.events["event_id"].to_pylist() for one in journal.read(path)] == [[bad]]


def test_a_command_takes_in_what_a_killed_tower_has_left_and_doctor_tells_of_it(store, tmp_path):
    path, left = tmp_path / "left.duckdb", journal.Journal(tmp_path / "left.duckdb")
    left.keep(brought(judged(1), judged(2)))

    def told() -> list[tuple[bool, str]]:
        return [(one.ok, one.found) for one in doctor.examine(path) if one.what == "accepted rows"]

    Store.open(path).close()
    assert told() == [(True, "1 waiting, taken in at the next start")]
    with opened_store(path) as opened:
        assert opened.value("select count(*) from event") == 2
    assert told() == [(True, "all in the ledger")]
    journal.set_aside(path, brought(judged(3)))
    assert told() == [(False, "1 set aside")]


# The tower around it


def test_rows_count_as_received_by_the_simulated_clock_where_that_is_what_the_tower_shows(empty_tower):
    at = empty_tower.now()

    assert empty_tower.door.now() == at


def test_a_clock_that_stood_at_the_end_of_a_file_goes_on_when_a_source_tells_of_the_present(empty_tower):
    from lastmile import clock

    empty_tower.set_clock(clock.held(datetime(2025, 1, 1, tzinfo=UTC)), "somebody")
    empty_tower.door.register.connect(ERP, "somebody")
    now = empty_tower.door.now()
    row = {"event": EventType.LOADED, "delivery_id": "D-1", "occurred_at": now.isoformat()}

    empty_tower.door.send(None, ERP, judged_rows(KINDS["events"], row, ERP, now), 0, now).result(30)
    empty_tower.door.stop()  # the batch is told of by then

    assert empty_tower.clock.mode is clock.Mode.REAL
    assert abs(empty_tower.now() - now) < timedelta(minutes=1)


def test_streamed_writes_do_not_make_pages_of_figures_start_anew(empty_tower):
    empty_tower.door.register.connect(ERP, "somebody")
    before = empty_tower.settled()

    empty_tower.door.send(None, ERP, judged_rows(KINDS["events"], SCAN, ERP, NOW), 0, NOW).result(30)

    assert empty_tower.settled() is before
