"""The playbook's actions do what they say, keep it with the exception, and change nothing where they can't be done."""

from __future__ import annotations

import shutil
from datetime import date, timedelta

import pytest

from lastmile import exceptions, queries
from lastmile.decisions import events_frame
from lastmile.errors import NotPossible
from lastmile.exceptions.actions import ACTIONS, call_list, link, perform
from lastmile.model import Event, EventType, StatusSource
from lastmile.store import Store
from tests.tiny_day import DAY, NOW, local

OPEN, VAN = "x-open", "x-van"


@pytest.fixture(scope="module")
def explained(tiny_file, tmp_path_factory):
    """The file of the tiny day at 18:00: `open` is due 19:00 to 20:00 and warned of, and so is `silent`, both explained by van-2."""
    store = Store.open(shutil.copy(tiny_file, tmp_path_factory.mktemp("explained") / "tower.duckdb"))
    store.append({"event": events_frame([warning("open", "will_be_late", OPEN, VAN), warning("silent", "is_late", "x-silent", VAN),
                                         warning(None, "vehicle_broke_down", VAN, None)])})  # fmt: skip
    store.close()
    return store.path


@pytest.fixture
def store(explained, tmp_path):
    store = Store.open(shutil.copy(explained, tmp_path / "tower.duckdb"))
    yield store
    store.close()


def warning(name: str | None, key: str, id: str, root_id: str | None) -> Event:
    at = NOW - timedelta(minutes=5)
    said = {"exception_id": id, "day": f"{DAY:%Y-%m-%d}", "key": key, "subject_kind": "delivery" if name else "vehicle", "words": "late",
            "subject_id": name or "van-2", "severity": "high", "owner_role": "dispatcher", "stake": 10.0, "probability": 0.7,
            "due_at": NOW.isoformat(), "breach_at": local("20:00").isoformat(), "detectable_at": at.isoformat(),
            "occurred_at": at.isoformat(), "step": 1}  # fmt: skip
    if root_id:
        said["root_id"] = root_id
    return Event(EventType.EXCEPTION_DETECTED, at, at, "tower", delivery_id=name, vehicle_id=None if name else "van-2", depot_id="north",
                 status_source=StatusSource.SYSTEM, payload=said, key=f"detected {id}")  # fmt: skip


def state(store: Store, id: str):
    found = exceptions.exceptions(store, NOW)
    return found[found.exception_id == id].iloc[0]


def do(store: Store, key: str, id: str = OPEN, **given) -> tuple[bool, str]:
    answer = perform(store, key, {id: 1}, "ann", NOW, **given)
    assert answer.exception_id.tolist() == [id]
    return bool(answer.ok[0]), answer.words[0]


def test_another_window_is_a_new_version_of_the_promise_and_the_first_one_stays(store):
    ok, words = do(store, "change_promise", window=(local("20:30"), local("21:30")))

    assert (ok, words) == (True, "1 delivery promised anew, 0 told; 1 not: its booking has no e-mail address")
    known = queries.delivery(store, "open")
    assert (known.window_due, known.revised_due) == (local("20:00"), local("21:30"))
    row = state(store, OPEN)
    assert (row.first_action_at, row.actions, row.acknowledged_by, row.state) == (NOW, 1, "ann", "acknowledged")


def test_a_customer_with_an_address_is_told_in_the_same_write(store):
    booked = store.ask("from booking where delivery_id = 'open'").assign(booking_id="00000000-0000-0000-0000-000000000001",
        recorded_at=NOW - timedelta(hours=1), email="ada@example.org", language="de")  # fmt: skip
    store.append({"booking": booked.drop(columns="import_id")})

    assert do(store, "change_promise", window=(local("20:30"), local("21:30"))) == (
        True,
        "1 delivery promised anew, customers are told",
    )
    told = store.ask(
        "select payload ->> 'to' as told, payload ->> 'template' as template from event where type = 'notification_requested'"
    )
    assert told.to_dict("records") == [{"told": "ada@example.org", "template": "promise_changed"}]


def test_a_window_that_has_passed_is_refused_and_nothing_changes(store):
    versions = store.value("select count(*) from booking")
    ok, words = do(store, "change_promise", window=(local("16:00"), local("17:00")))

    assert (ok, words) == (False, "The new window of open has passed already.")
    assert store.value("select count(*) from booking") == versions
    row = state(store, OPEN)
    assert (row.actions, row.steps, row.first_action_at is not None and row.first_action_at == row.first_action_at) == (
        0,
        2,
        False,
    )


def test_without_a_prediction_the_new_window_must_be_said(store):
    assert do(store, "change_promise") == (False, "No arrival is predicted; say the new window.")


def test_trying_again_books_the_same_times_of_the_next_working_day(store):
    ok, words = do(store, "reattempt")

    assert ok and words.startswith("1 delivery booked for 03 Mar")
    booked = store.ask(
        "select day, window_from, window_due from booking where delivery_id = 'open' order by recorded_at desc limit 1"
    ).iloc[0]
    assert (booked.day.date(), booked.window_due) == (date(2026, 3, 3), local("20:00") + timedelta(days=1))


def test_a_root_does_it_for_all_that_it_explains(store):
    ok, words = do(store, "reattempt", VAN)

    assert ok and words.startswith("2 deliveries booked for 03 Mar")
    assert state(store, "x-silent").actions == 1


def test_another_carrier_takes_it_if_there_is_one(store):
    assert do(store, "hand_to_carrier") == (False, "Say which carrier takes it.")
    assert (
        perform(store, "hand_to_carrier", {OPEN: 2}, "ann", NOW, carrier_id="moon").words[0]
        == "There is no carrier 'moon'."
    )
    assert (
        perform(store, "hand_to_carrier", {OPEN: 3}, "ann", NOW, carrier_id="own").words[0]
        == "1 delivery handed to own"
    )
    assert queries.delivery(store, "open").carrier_id == "own"


def test_the_call_list_names_whom_to_call_and_why(store):
    assert do(store, "call_list", VAN) == (True, "Call list of 2 made")
    assert call_list(store, [VAN], NOW)[["delivery_id", "recipient", "words"]].to_dict("records") == [
        {"delivery_id": "silent", "recipient": "recipient of silent", "words": "late"},
        {"delivery_id": "open", "recipient": "recipient of open", "words": "late"},
    ]


def test_escalating_by_hand_gives_it_to_the_role_above(store):
    assert do(store, "escalate", why="I can't solve this") == (True, "Escalated to the operations manager")
    assert state(store, OPEN).owner_role == "operations manager"


def test_what_a_person_does_outside_the_tower_needs_a_word(store):
    assert do(store, "call_driver") == (False, "Say in a word what came of it.")
    assert perform(store, "call_driver", {OPEN: 2}, "ann", NOW, why="he turns round").to_dict("records") == [
        {"exception_id": OPEN, "ok": True, "words": "he turns round"}
    ]


def test_a_re_optimization_is_begun_with_what_the_exception_asks_for(store):
    begun = []

    def begin(job):
        begun.append(job)
        return job

    ok, words = do(store, "reoptimize_without", VAN, begin=begin)

    assert (ok, words) == (True, "Re-optimization of north begun without van-2; its proposal waits on Routes")
    assert [job.depot_id for job in begun] == ["north"]
    assert link(state(store, VAN), "reoptimize_without") == ("routes", {"depots": "north"})


def test_the_second_who_re_optimizes_a_depot_is_told(store):
    from lastmile.replanning import Replanning

    there = Replanning("north", "ben", lambda *_: None)

    assert do(store, "reoptimize_depot", begin=lambda _: there) == (
        False, "ben has begun a re-optimization of north already. Decide it first.",
    )  # fmt: skip


def test_who_comes_second_is_told_before_anything_is_done(store):
    exceptions.acknowledge(store, {OPEN: 1}, "ben", NOW)
    versions = store.value("select count(*) from booking")

    ok, words = do(store, "reattempt")
    assert not ok and words.startswith("ben has acknowledged it at 18:00,")
    assert store.value("select count(*) from booking") == versions


def test_an_action_that_is_not_in_the_playbook_is_refused(store):
    with pytest.raises(NotPossible, match="dance"):
        perform(store, "dance", {OPEN: 1}, "ann", NOW)
    assert all(action.meaning.endswith(".") for action in ACTIONS.values())
