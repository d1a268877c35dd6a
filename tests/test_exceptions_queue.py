"""The queue ranks by money × chance × urgency and groups by root; decisions are events, and the second of two is told."""

from __future__ import annotations

import shutil
from datetime import timedelta

import pandas as pd
import pytest

from lastmile import exceptions
from lastmile.errors import NotPossible
from lastmile.exceptions import Outcome, Settings, escalating
from lastmile.exceptions.following import Book, exception_id, find_all
from lastmile.exceptions.recording import events_of
from lastmile.notifications import Contact, keep_contact
from lastmile.store import Store
from tests.exception_states import DAY, NOON, a_delivery, a_situation, a_van, clock

AT = NOON.to_pydatetime()
LATER = AT + timedelta(minutes=10)
JEOPARDY = exception_id("in_jeopardy", "d1", DAY)
LATE = exception_id("will_be_late", "d2", DAY)
BROKEN = exception_id("vehicle_broke_down", "van-2", DAY)


@pytest.fixture(scope="module")
def raised(empty_file, tmp_path_factory):
    """The file of three things raised at noon: d1 in jeopardy (30 %), d2 that will be late (80 %), van-2 broken down with d3 and d4 on it."""
    on_van_2 = {"route_id": "r2", "vehicle_id": "van-2", "broke_at": clock("11:40"), "broke_known_at": clock("11:41")}
    rows = [
        a_delivery(chance_late=0.3, promise_until="13:00"),
        a_delivery(delivery_id="d2", chance_late=0.8, promise_until="14:00", penalty=80.0),
        a_delivery(delivery_id="d3", stop=1, promise_until="13:00") | on_van_2,
        a_delivery(delivery_id="d4", stop=2, promise_until="14:00") | on_van_2,
    ]
    vans = (
        a_van(open_deliveries=2),
        a_van(route_id="r2", vehicle_id="van-2", broke_at="11:40", broke_known_at="11:41", open_deliveries=2),
    )
    steps = Book(Settings({})).look(find_all(a_situation(*rows, vans=vans)), [NOON], {})
    store = Store.open(shutil.copy(empty_file, tmp_path_factory.mktemp("raised") / "tower.duckdb"))
    store.append({"event": events_of(steps)})
    store.close()
    return store.path


@pytest.fixture
def store(raised, tmp_path):
    store = Store.open(shutil.copy(raised, tmp_path / "tower.duckdb"))
    yield store
    store.close()


def state(store: Store, id: str, at=LATER) -> pd.Series:
    found = exceptions.exceptions(store, at)
    return found[found.exception_id == id].iloc[0]


def test_the_rank_is_stake_times_chance_times_urgency_and_the_urgency_halves_with_each_hour_left(store):
    """d2: 80 € × 0.8, two hours left: 64 × ¼ = 16. The van: (20 € × 0.95 × ½) + (20 € × 0.95 × ¼) = 14.25, and its own
    breach counts nothing. d1: 20 € × 0.3, an hour left: 6 × ½ = 3."""
    found = exceptions.queue(store, AT)

    assert found.exception_id.tolist() == [LATE, BROKEN, JEOPARDY]
    assert found["rank"].tolist() == pytest.approx([16.0, 14.25, 3.0])
    assert found.stake.tolist() == [80.0, 40.0, 20.0]
    assert found.expected_loss.tolist() == pytest.approx([64.0, 38.0, 6.0])
    assert found.currency.tolist() == ["EUR"] * 3


def test_what_is_broken_is_less_urgent_with_each_hour_after_it(store):
    """Three hours after its end d1 is half as urgent: 6 × ½. d2 and the second stop of the van are two hours past."""
    found = exceptions.queue(store, clock("16:00").to_pydatetime()).set_index("exception_id")["rank"]

    assert found[JEOPARDY] == pytest.approx(3.0)
    assert found[LATE] == pytest.approx(64 * 0.5 ** (2 / 3))
    assert found[BROKEN] == pytest.approx(19 * 0.5 + 19 * 0.5 ** (2 / 3))


def test_a_breakdown_is_one_row_with_its_stops_and_the_first_of_their_breaches(store):
    row = exceptions.queue(store, AT).set_index("exception_id").loc[BROKEN]

    assert (row.stops, row.label, row.owner_role, row.state) == (2, "Vehicle broke down", "dispatcher", "open")
    assert row.breach_at == clock("13:00")
    below = exceptions.children(store, BROKEN, AT)
    assert below.delivery_id.tolist() == ["d3", "d4"]
    assert below["rank"].tolist() == pytest.approx([9.5, 4.75])


def test_what_is_due_and_taken_up_by_nobody_is_overdue(store):
    row = exceptions.queue(store, LATER).set_index("exception_id")

    assert row.overdue.to_dict() == {LATE: False, BROKEN: True, JEOPARDY: False}
    assert row.due_at[BROKEN] == clock("12:10")
    assert row.due_at[JEOPARDY] == clock("12:40")  # 20 minutes before the breach, before its 45 are over


def test_acknowledging_a_root_takes_what_it_explains_along(store):
    answer = exceptions.acknowledge(store, {BROKEN: 1}, "ann", LATER, "I look after it")

    assert answer.to_dict("records") == [{"exception_id": BROKEN, "ok": True, "words": "Acknowledged"}]
    row = state(store, BROKEN)
    assert (row.state, row.acknowledged_by, row.acknowledged_at, row.steps) == (
        "acknowledged",
        "ann",
        clock("12:10"),
        2,
    )
    assert exceptions.children(store, BROKEN, LATER).state.tolist() == ["acknowledged"] * 2


def test_the_second_of_two_people_is_told_who_did_what_and_when_and_the_others_go_through(store):
    exceptions.acknowledge(store, {LATE: 1}, "ann", LATER)
    answer = exceptions.assign(store, {LATE: 1, JEOPARDY: 1, "nothing": 1}, "carl", "ben", LATER)

    assert answer.ok.tolist() == [False, True, False]
    assert answer.words.tolist() == [
        "ann has acknowledged it at 12:10, since you looked. Look again before you decide.",
        "Assigned to carl",
        "There is no such exception.",
    ]
    assert (state(store, LATE).owner, state(store, JEOPARDY).owner) != ("carl", "carl")
    assert state(store, JEOPARDY).owner == "carl"


def test_a_change_of_its_figures_does_not_come_between_two_people(store):
    row = state(store, LATE)
    worse = {"exception_id": LATE, "key": "will_be_late", "day": "2026-03-02", "stake": 80.0, "probability": 1.0, "step": 1,
             "severity": "high", "subject_kind": "delivery", "words": "worse"}  # fmt: skip
    store.append({"event": changed(worse)})

    assert state(store, LATE).probability == 1.0
    assert exceptions.acknowledge(store, {LATE: row.steps}, "ann", LATER).ok.tolist() == [True]


def changed(said: dict) -> pd.DataFrame:
    from lastmile.decisions import events_frame
    from lastmile.model import Event, EventType

    at = AT + timedelta(minutes=5)
    return events_frame(
        [Event(EventType.EXCEPTION_CHANGED, at, at, "tower", delivery_id="d2", payload=said, key="changed")]
    )


def test_what_is_put_off_leaves_the_queue_and_comes_back_by_itself(store):
    exceptions.snooze(store, {LATE: 1}, AT + timedelta(hours=1), "ann", LATER, "the customer calls back")

    assert LATE not in set(exceptions.queue(store, LATER).exception_id)
    assert LATE in set(exceptions.queue(store, LATER, snoozed=True).exception_id)
    assert state(store, LATE, AT + timedelta(hours=2)).state == "acknowledged"
    with pytest.raises(NotPossible, match="still to come"):
        exceptions.snooze(store, {LATE: 2}, AT, "ann", LATER, "too late")


def test_open_ones_alone_are_the_same_rows_whatever_was_closed_opened_again_or_put_off(store):
    exceptions.resolve(store, {LATE: 1, JEOPARDY: 1}, Outcome.FALSE_ALARM, "the clock was wrong", "ann", LATER)
    exceptions.reopen(store, {LATE: 2}, "it was not", "ann", LATER)
    exceptions.snooze(store, {BROKEN: 1}, AT + timedelta(hours=1), "ann", LATER, "the customer calls back")

    every = exceptions.exceptions(store, LATER).set_index("exception_id")
    open_ones = exceptions.exceptions(store, LATER, open_only=True).set_index("exception_id")

    assert every.state[[LATE, JEOPARDY, BROKEN]].tolist() == ["open", "resolved", "snoozed"]
    assert set(open_ones.index) == set(every.index) - {JEOPARDY}
    known, wanted = (found.dropna(axis="columns", how="all") for found in (open_ones, every.loc[open_ones.index]))
    pd.testing.assert_frame_equal(known, wanted, check_dtype=False)


def test_what_is_resolved_is_out_of_the_queue_and_can_be_taken_up_again(store):
    exceptions.resolve(store, {LATE: 1}, Outcome.FALSE_ALARM, "the clock was wrong", "ann", LATER)

    row = state(store, LATE)
    assert (row.state, row.outcome, row.resolved_at) == ("resolved", "false alarm", clock("12:10"))
    assert LATE not in set(exceptions.queue(store, LATER).exception_id)
    refused = exceptions.comment(store, [LATE], "for the record", "ben", LATER)
    assert refused.ok.tolist() == [True]
    assert exceptions.acknowledge(store, {LATE: 3}, "ben", LATER).words.tolist() == [
        "It is resolved already: false alarm."
    ]
    assert exceptions.reopen(store, {LATE: 3}, "it was right after all", "ben", LATER).ok.tolist() == [True]
    assert state(store, LATE).state == "open"


def test_as_known_then_it_stands_as_it_stood(store):
    exceptions.resolve(store, {LATE: 1}, Outcome.ACCEPTED, "so be it", "ann", LATER)

    assert state(store, LATE, AT).state == "open"
    assert state(store, LATE, LATER).state == "resolved"


def test_who_decides_without_a_word_is_refused(store):
    with pytest.raises(NotPossible, match="why"):
        exceptions.resolve(store, {LATE: 1}, Outcome.ACCEPTED, " ", "ann", LATER)
    with pytest.raises(NotPossible, match="whose"):
        exceptions.assign(store, {LATE: 1}, " ", "ann", LATER)


def test_what_nobody_takes_up_goes_one_role_up_and_that_role_is_told(store):
    """The van is critical and due at 12:10: five minutes later it goes up. The stops below it don't go by themselves."""
    keep_contact(store, Contact("Olga", ("operations manager",), email="olga@example.org"), "test")
    before, after = AT + timedelta(minutes=14), AT + timedelta(minutes=15)

    assert escalating.escalate_overdue(store, exceptions.exceptions(store, before), before, Settings({})) == 0
    assert escalating.escalate_overdue(store, exceptions.exceptions(store, after), after, Settings({})) == 1
    row = state(store, BROKEN, after)
    assert (row.owner_role, row.escalations, row.state) == ("operations manager", 1, "open")
    notice = store.ask(
        "select payload ->> 'template' as template, payload ->> 'to' as told from event where type = 'notification_requested'"
    )
    assert notice.to_dict("records") == [{"template": "staff_escalation", "told": "olga@example.org"}]
    assert escalating.escalate_overdue(store, exceptions.exceptions(store, after), after, Settings({})) == 0
    later = after + timedelta(minutes=5)
    assert escalating.escalate_overdue(store, exceptions.exceptions(store, later), later, Settings({})) == 1
    assert state(store, BROKEN, later).owner_role == "executive"


def test_what_somebody_looks_after_is_not_escalated(store):
    exceptions.acknowledge(store, {BROKEN: 1}, "ann", LATER)

    assert (
        escalating.escalate_overdue(
            store, exceptions.exceptions(store, LATER), AT + timedelta(minutes=30), Settings({})
        )
        == 0
    )


def test_an_event_of_an_exception_moves_no_delivery(store):
    """What was noticed about a delivery is no scan of it: it makes no delivery, and has no part in its state."""
    assert store.value("select count(*) from delivery") == 0
    assert store.value("select count(*) from route_run") == 0
