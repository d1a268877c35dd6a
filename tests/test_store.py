"""The ledger keeps what it was told, once, and the tables of the present say what the ledger says."""

import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path

import pandas as pd
import pytest

from lastmile.errors import BadBatch, StoreInUse, StoreTooNew
from lastmile.model import stable_id
from lastmile.store import DERIVED, Store
from tests.ledgers import START, random_batches

ROOT = Path(__file__).parents[1]


@pytest.fixture
def store(empty_database):
    store = Store.open(empty_database)
    yield store
    store.close()


def differences(store: Store) -> dict[str, int]:
    """Derived table → how many rows differ between it and what the ledger says."""
    return {
        derived.table: store.value(
            f"with made as materialized ({derived.everything}) select count(*) from "
            f"((from {derived.table} except from made) union all (from made except from {derived.table}))"
        )
        for derived in DERIVED
    }


def event(number: int, **values) -> dict:
    return {
        "event_id": stable_id("test", number),
        "type": "arrived",
        "classifier": "ACT",
        "occurred_at": START,
        "recorded_at": START,
        "delivery_id": f"test:{number}",
        "source": "test",
        "status_source": "driver",
    } | values


def test_an_id_made_in_sql_is_the_id_made_in_python(store):
    made = store.value(
        "select stable_id(concat_ws(chr(31), $a, coalesce($b, ''), $c))::varchar", a="onfleet", b=None, c="ä·1"
    )
    assert made == str(stable_id("onfleet", None, "ä·1"))


def test_the_same_batch_twice_changes_nothing(store):
    batch = random_batches(1, batches=1)[0]
    first = store.append(batch)
    before = store.ask("from delivery order by delivery_id")
    second = store.append(batch)
    assert first == {"booking": len(batch["booking"]), "event": len(batch["event"])}
    assert second == {"booking": 0, "event": 0}
    pd.testing.assert_frame_equal(before, store.ask("from delivery order by delivery_id"))


def test_a_row_that_a_batch_holds_twice_is_taken_once(store):
    assert store.append({"event": pd.DataFrame([event(1), event(1)])}) == {"event": 1}


@pytest.mark.parametrize("seed", range(8))
def test_the_derived_tables_equal_the_state_of_the_ledger_after_each_append(store, seed):
    for batch in random_batches(seed):
        store.append(batch)
        assert not any(differences(store).values())


@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_arrival_does_not_matter(tmp_path, seed):
    batches = random_batches(seed)
    answers = []
    for name, order in (("forward", batches), ("backward", batches[::-1])):
        store = Store.open(tmp_path / f"{name}.duckdb")
        for batch in order:
            store.append(batch)
        answers.append(store.ask("from delivery order by delivery_id"))
        store.close()
    pd.testing.assert_frame_equal(*answers)


def test_state_as_known_at_an_instant_is_the_state_of_a_ledger_cut_there(store, tmp_path):
    instant = datetime(2026, 3, 3, 11, tzinfo=UTC)
    batches = random_batches(3)
    cut = Store.open(tmp_path / "cut.duckdb")
    for batch in batches:
        store.append(batch)
        cut.append({table: rows[rows.recorded_at <= instant] for table, rows in batch.items()})
    as_known = store.ask("from delivery_state($at, 'event', 'booking', null, null) order by delivery_id", at=instant)
    pd.testing.assert_frame_equal(as_known, cut.ask("from delivery order by delivery_id"))
    cut.close()


def test_a_first_promise_is_frozen_and_a_revision_stands_beside_it(store):
    promise = {
        "delivery_id": "test:1",
        "kind": "delivery",
        "source": "test",
        "criticality": "routine",
        "day": START.date(),
        "zone": "UTC",
        "window_semantics": "arrival",
        "early_minutes": 0.0,
        "late_minutes": 0.0,
        "window_from": START,
        "recorded_at": START,
    }
    later = pd.Timedelta(hours=1)
    store.append({"booking": pd.DataFrame([promise | {"booking_id": stable_id("a"), "window_due": START + later}])})
    store.append(
        {
            "booking": pd.DataFrame(
                [
                    promise
                    | {"booking_id": stable_id("b"), "window_due": START + 3 * later, "recorded_at": START + later}
                ]
            )
        }
    )
    row = store.ask("from delivery").iloc[0]
    assert (row.window_due, row.revised_due) == (START + later, START + 3 * later)


def test_an_event_that_was_corrected_counts_from_then_on_no_more(store):
    store.append({"event": pd.DataFrame([event(1, type="delivered")])})
    store.append(
        {
            "event": pd.DataFrame(
                [
                    event(
                        2,
                        type="corrected",
                        delivery_id="test:1",
                        corrects=stable_id("test", 1),
                        recorded_at=START + pd.Timedelta(hours=2),
                    )
                ]
            )
        }
    )
    assert store.value("select state from delivery") == "received"
    then = START + pd.Timedelta(hours=1)
    assert store.value("select state from delivery_state($at, 'event', 'booking', null, null)", at=then) == "delivered"


def test_a_batch_with_a_column_that_the_table_has_not_is_refused_by_name(store):
    with pytest.raises(BadBatch, match="no column colour"):
        store.append({"event": pd.DataFrame([event(1, colour="red")])})
    with pytest.raises(BadBatch, match="no table parcel"):
        store.append({"parcel": pd.DataFrame([{"a": 1}])})
    assert store.value("select count(*) from event") == 0


def test_a_batch_without_a_needed_value_leaves_everything_as_it_was(store):
    with pytest.raises(BadBatch, match="NOT NULL"):
        store.append({"event": pd.DataFrame([event(1), event(2, source=None)])})
    assert store.value("select count(*) from event") == 0


def test_the_version_counts_writes_that_were_committed(store):
    before = store.version
    store.append({"event": pd.DataFrame([event(1)])})
    with pytest.raises(BadBatch):
        store.append({"event": pd.DataFrame([event(2, source=None)])})
    assert store.version == before + 1


def test_a_second_process_gets_one_plain_sentence_with_the_holders_pid(store):
    attempt = subprocess.run(
        [sys.executable, "-c", f"from lastmile.store import Store; Store.open({str(store.path)!r})"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    sentence = attempt.stderr.strip().splitlines()[-1]
    assert f"is in use by process {os.getpid()}" in sentence
    assert "LASTMILE_DATABASE" in sentence
    assert StoreInUse.__name__ in sentence


def test_a_database_of_a_newer_program_is_left_alone(store):
    with store.write() as connection:
        connection.execute("insert into schema_migration values (9999, 'from_the_future', now())")
    path = store.path
    store.close()
    with pytest.raises(StoreTooNew, match="schema 9999"):
        Store.open(path)


def test_derived_tables_are_made_anew_where_their_definition_has_changed(store):
    store.append(random_batches(2, batches=1)[0])
    store.set_setting("derived_fingerprint", "an older definition", "test")
    with store.write() as connection:
        connection.execute("delete from delivery")
    path = store.path
    store.close()
    again = Store.open(path)
    assert again.value("select count(*) from delivery") > 0
    again.close()


def test_a_backup_is_a_whole_database(store, tmp_path):
    store.append(random_batches(5, batches=1)[0])
    copy = Store.open(store.backup(tmp_path / "copy.duckdb"))
    assert copy.value("select count(*) from event") == store.value("select count(*) from event")
    copy.close()


def test_eight_threads_asking_while_one_writes_never_see_half_a_batch(store):
    """Each batch brings 50 events of one source: any other count is a wrong row."""
    wrong, stop = [], threading.Event()

    def ask() -> None:
        while not stop.is_set():
            counts = store.ask("select source, count(*) as n from event group by source")
            states = store.ask(
                "select source, count(*) as n from delivery_state($at, 'event', 'booking', null, null) group by 1",
                at=START,
            )
            wrong.extend(counts[counts.n != 50].itertuples())
            wrong.extend(states[states.n % 50 != 0].itertuples())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for batch in range(12):
        rows = [event(batch * 50 + i, source=f"source {batch}") for i in range(50)]
        store.append({"event": pd.DataFrame(rows)})
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert store.value("select count(*) from event") == 600


def write_until_killed(path: Path, first: int, acknowledged: Connection) -> None:
    """Append one event after the other from a number on, and tell each number once its append has returned."""
    store = Store.open(path)
    for number in range(first, first + 10_000):
        store.append({"event": pd.DataFrame([event(number)])})
        acknowledged.send(number)


def told(acknowledged: Connection) -> Iterator[int]:
    """What a writer still told until it was killed."""
    try:
        while True:
            yield acknowledged.recv()
    except EOFError:
        return


@pytest.mark.xdist_group("kills")
def test_fifty_kills_during_writing_lose_nothing_that_was_acknowledged(tmp_path):
    path = tmp_path / "killed.duckdb"
    acknowledged: list[int] = []
    Store.open(path).close()
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["tests.test_store"])  # fifty starts of Python would take a minute
    for kill in range(50):
        hears, tells = processes.Pipe(duplex=False)
        writer = processes.Process(target=write_until_killed, args=(path, kill * 10_000, tells), daemon=True)
        writer.start()
        tells.close()
        acknowledged.append(hears.recv())
        time.sleep(0.001 * (kill % 17) * 3)
        writer.kill()
        acknowledged.extend(told(hears))
        writer.join()
        assert writer.exitcode == -signal.SIGKILL
    store = Store.open(path)
    kept = set(store.ask("select delivery_id from event").delivery_id)
    assert {f"test:{number}" for number in acknowledged} <= kept
    assert not any(differences(store).values())
    store.close()


def test_the_version_of_a_day_grows_only_with_writes_about_it(store):
    first, second = START.date(), (START + pd.Timedelta(days=3)).date()
    store.append({"event": pd.DataFrame([event(1)])})
    before = store.version_of(first, first), store.version_of(second, second)
    later = START + pd.Timedelta(days=3)
    store.append({"event": pd.DataFrame([event(2, occurred_at=later, recorded_at=later)])})
    assert store.version_of(first, first) == before[0]
    assert store.version_of(second, second) > before[1]
    store.append(
        {
            "depot": pd.DataFrame(
                [{"depot_id": "d", "recorded_at": START, "name": "D", "zone": "UTC", "currency": "EUR"}]
            )
        }
    )
    assert store.version_of(first, first) == store.version_of(None, None) == store.version


FULL_DISK = """
import resource, signal, sys
import pandas as pd
from lastmile.errors import DiskFull
from lastmile.store import Store
from tests.test_store import event
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = Store.open(sys.argv[1])
store.append({"event": pd.DataFrame([event(1)])})
unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, unlimited[1]))
try:
    store.append({"event": pd.DataFrame([event(number) for number in range(2, 60_000)])})
    print("nothing happened")
except DiskFull as error:
    print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
print(store.value("select count(*) from event"))
store.append({"event": pd.DataFrame([event(2), event(3)])})
print(store.value("select count(*) from delivery"))
"""


def test_a_disk_that_fills_up_while_writing_is_survived(tmp_path):
    """A limit on the size of files stands for the full disk: the write fails in the same place, with the same error class."""
    path = tmp_path / "tower.duckdb"
    run = subprocess.run([sys.executable, "-c", FULL_DISK, str(path)], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    sentence, kept, went_on = run.stdout.strip().splitlines()
    assert sentence == f"The disk of {path} is full. Nothing of this was written; free some space and try again."
    assert (kept, went_on) == ("1", "3")


def test_an_older_database_is_migrated_after_a_backup(tmp_path, monkeypatch):
    path = tmp_path / "tower.duckdb"
    store = Store.open(path)
    store.append({"event": pd.DataFrame([event(1)])})
    schema = store.schema_version()
    store.close()
    newer = tmp_path / "sql"
    shutil.copytree(ROOT / "lastmile" / "sql", newer)
    (newer / "migrations" / "0099_weather.sql").write_text("create table weather (day date, words varchar);")
    monkeypatch.setattr("lastmile.store.ledger.SQL", newer)
    store = Store.open(path)
    assert store.schema_version() == 99
    assert store.value("select count(*) from weather") == 0
    assert store.value("select count(*) from delivery") == 1
    store.close()
    monkeypatch.undo()
    before = Store.open(tmp_path / "tower.before-schema-99.duckdb")
    assert (before.schema_version(), before.value("select count(*) from event")) == (schema, 1)
    before.close()


def test_a_write_that_touches_most_makes_the_derived_tables_anew_with_the_same_answer(store, monkeypatch):
    monkeypatch.setattr("lastmile.store.derived.MANY_TOUCHED", 5)
    for batch in random_batches(11):
        store.append(batch)
        assert not any(differences(store).values())
