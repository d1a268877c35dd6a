"""What pages of figures have read of the ledger: one instant a page, shown at once while a newer one is read beside it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta

import pandas as pd
import pytest

from lastmile import clock
from lastmile.errors import NotPossible, SnapshotClosed
from lastmile.model import stable_id
from lastmile.runtime import Tower
from lastmile.store import Answering, Store
from lastmile.ui import readings
from lastmile.ui.readings import Reading, Readings
from tests.conftest import FRIDAY
from tests.waiting import until

VIEW = "KPIs"


@pytest.fixture
def tower(tmp_path) -> Iterator[Tower]:
    store = Store.open(tmp_path / "tower.duckdb")
    yield Tower(store, clock.held(FRIDAY))
    store.close()


def scans(store: Answering) -> int:
    """The question of these tests: how many events are on record."""
    return store.value("select count(*) from event")


def scan(tower: Tower, *, streamed: bool = True) -> None:
    event = {
        "event_id": stable_id("scan", str(tower.store.version)),
        "type": "position",
        "classifier": "ACT",
        "source": "test",
        "status_source": "api",
        "occurred_at": FRIDAY,
        "recorded_at": FRIDAY,
    }
    tower.store.append({"event": pd.DataFrame([event])}, streamed=streamed)


@pytest.fixture
def soon_old(monkeypatch) -> None:
    monkeypatch.setattr(readings, "GOOD_FOR_SECONDS", 0.0)


def test_what_is_asked_later_is_answered_as_of_the_same_commit(tower):
    scan(tower)
    reading = Readings().of(VIEW, tower)
    assert reading.ask("scans", scans) == 1
    scan(tower)

    assert reading.ask("by type", lambda store: store.value("select count(*) from event where type = 'position'")) == 1
    assert scans(tower.store) == 2


def test_an_old_reading_is_shown_at_once_and_a_newer_one_when_it_is_ready(tower, soon_old):
    kept, may_answer = Readings(), threading.Event()

    def slow(store: Answering) -> int:
        may_answer.wait(20)
        return scans(store)

    may_answer.set()
    first = kept.of(VIEW, tower)
    assert first.ask("scans", slow) == 0
    scan(tower)
    may_answer.clear()

    shown = kept.of(VIEW, tower)
    assert shown is first
    assert shown.ask("scans", slow) == 0
    assert kept.is_renewing(VIEW)
    assert kept.watch(shown) is shown

    may_answer.set()
    until(lambda: kept.watch(shown) is not shown)
    newer = kept.of(VIEW, tower)
    assert "scans" in newer  # nobody waits for it any more
    assert newer.ask("scans", slow) == 1


def test_many_who_look_at_an_old_reading_have_one_newer_one_made(tower, soon_old):
    kept, made = Readings(), []

    def counted(store: Answering) -> int:
        made.append(store.version)
        return scans(store)

    kept.of(VIEW, tower).ask("scans", counted)
    scan(tower)
    old = kept.of(VIEW, tower)
    for _ in range(8):
        kept.watch(old)
    until(lambda: kept.watch(old) is not old)

    assert len(made) == 2


def test_what_nothing_has_changed_about_is_not_read_anew(tower, soon_old):
    kept = Readings()
    reading = kept.of(VIEW, tower)
    reading.ask("scans", scans)

    assert kept.of(VIEW, tower) is reading
    assert not kept.is_renewing(VIEW)


def test_who_has_done_something_is_never_shown_what_was_true_before(tower):
    kept = Readings()
    before = kept.of(VIEW, tower)
    before.ask("scans", scans)
    scan(tower, streamed=False)

    assert kept.of(VIEW, tower).ask("scans", scans) == 0  # somebody else, a minute long
    mine = kept.of(VIEW, tower, deeds=tower.store.deeds)
    assert mine is not before
    assert mine.ask("scans", scans) == 1


def test_who_looks_on_while_an_import_ends_is_shown_it_when_it_has_been_read(tower):
    kept = Readings()
    shown = kept.of(VIEW, tower)
    shown.ask("scans", scans)
    scan(tower, streamed=False)

    until(lambda: kept.watch(shown, deeds=tower.store.deeds) is not shown)
    assert kept.of(VIEW, tower, deeds=tower.store.deeds).ask("scans", scans) == 1


def test_a_failure_beside_the_page_is_told_on_it_and_the_old_answers_stay(tower, soon_old):
    kept, is_broken = Readings(), []

    def breaks(store: Answering) -> int:
        if is_broken:
            raise NotPossible("Amounts in EUR and USD can't be added.")
        return scans(store)

    shown = kept.of(VIEW, tower)
    shown.ask("scans", breaks)
    scan(tower)
    is_broken.append(True)
    kept.watch(shown)
    until(lambda: shown.failed is not None)

    assert shown.failed == "Amounts in EUR and USD can't be added."
    assert shown.ask("scans", breaks) == 0

    is_broken.clear()
    until(lambda: kept.watch(shown) is not shown)
    assert kept.of(VIEW, tower).failed is None


def test_what_a_page_no_longer_asks_is_not_worked_out_for_ever(tower, soon_old):
    kept = Readings()
    first = kept.of(VIEW, tower)
    first.ask("scans", scans)
    first.ask("once", scans)

    def next_reading(shown: Reading) -> Reading:
        scan(tower)
        until(lambda: kept.watch(shown) is not shown)
        newer = kept.of(VIEW, tower)
        newer.ask("scans", scans)
        return newer

    second = next_reading(first)
    third = next_reading(second)
    fourth = next_reading(third)

    assert ["once" in one for one in (second, third, fourth)] == [True, True, False]
    assert "scans" in fourth


def test_nobody_looking_costs_nothing_and_the_ledger_is_let_go(tower, soon_old, monkeypatch):
    monkeypatch.setattr(readings, "HELD_SECONDS", 0.1)
    monkeypatch.setattr(readings, "SWEEP_SECONDS", 0.02)
    kept = Readings()
    reading = kept.of(VIEW, tower)
    reading.ask("scans", scans)
    scan(tower)
    until(lambda: not reading.snapshot.is_open and kept._worker is None)

    assert reading.ask("scans", scans) == 0  # what was answered stays
    with pytest.raises(SnapshotClosed):
        reading.ask("never asked before", lambda store: store.value("select 1"))


def test_no_more_views_are_held_than_told(tower):
    kept = Readings(most=2)
    held = [kept.of(view, tower) for view in ("a", "b", "c")]

    assert kept.of("c", tower) is held[2]
    assert kept.of("a", tower) is not held[0]


def test_a_clock_that_is_set_back_shows_nothing_of_the_time_to_come(tower):
    kept = Readings()
    later = kept.of(VIEW, tower)
    tower.clock = clock.held(FRIDAY - timedelta(hours=1))

    assert kept.of(VIEW, tower) is not later


def test_a_snapshot_hinders_neither_writers_nor_the_tidying_of_the_file(tower):
    scan(tower)
    held = tower.store.snapshot(FRIDAY)
    scan(tower)
    with tower.store.cursor() as connection:
        connection.execute("checkpoint")
    scan(tower)

    assert (scans(held), scans(tower.store)) == (1, 3)
    tower.store.close()
    with pytest.raises(SnapshotClosed):
        scans(held)


def test_a_question_that_fails_ends_its_snapshot_and_says_so(tower):
    held = tower.store.snapshot(FRIDAY)
    with pytest.raises(Exception, match="no_such_table"):
        held.ask("from no_such_table")

    assert not held.is_open
