"""Each decision is an event with who and why; what was decided, and what is no longer so, is refused."""

from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest

from lastmile import decisions, queries
from lastmile.errors import NotPossible
from lastmile.model import EventType, Scope
from lastmile.store import Store

DAY = date(2026, 3, 2)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def store(empty_database):
    store = Store.open(empty_database)
    decisions.propose_plan(store, plan(1, None), "planner", NOON)
    decisions.approve_plan(store, "north v1", "planner", "the day's plan", NOON)
    yield store
    store.close()


def plan(version: int, parent: str | None) -> dict[str, pd.DataFrame]:
    row = {
        "plan_id": f"north v{version}",
        "recorded_at": NOON,
        "depot_id": "north",
        "day": DAY,
        "version": version,
        "parent_plan_id": parent,
        "made_by": "somebody",
        "engine": "test",
    }
    return {"plan": pd.DataFrame([row])}


def in_force(store: Store, as_of: datetime | None = None) -> list[str]:
    found = queries.plans(store, DAY, Scope(), as_of)
    return found.plan_id[found.in_force].tolist()


def test_an_approved_plan_is_in_force_and_the_earlier_one_stays_on_record(store):
    decisions.propose_plan(store, plan(2, "north v1"), "somebody", NOON + timedelta(hours=1))
    assert in_force(store) == ["north v1"]
    decisions.approve_plan(store, "north v2", "somebody", "van 12 is out", NOON + timedelta(hours=1, minutes=2))
    assert in_force(store) == ["north v2"]
    assert queries.plans(store, DAY, Scope()).version.tolist() == [2, 1]


def test_what_was_in_force_at_a_past_instant_does_not_change(store):
    decisions.propose_plan(store, plan(2, "north v1"), "somebody", NOON + timedelta(hours=1))
    decisions.approve_plan(store, "north v2", "somebody", "better", NOON + timedelta(hours=2))
    assert in_force(store, NOON + timedelta(hours=1, minutes=59)) == ["north v1"]
    assert in_force(store, NOON + timedelta(hours=2)) == ["north v2"]


def test_a_rejected_plan_stays_on_record_with_who_and_why(store):
    decisions.propose_plan(store, plan(2, "north v1"), "somebody", NOON)
    decisions.reject_plan(store, "north v2", "the dispatcher", "drivers refuse", NOON + timedelta(minutes=5))
    row = queries.plans(store, DAY, Scope()).iloc[0]
    assert (row.decision, row.decided_by, row.why) == ("rejected", "the dispatcher", "drivers refuse")
    assert in_force(store) == ["north v1"]


def test_each_decision_is_an_event_with_its_actor(store):
    found = store.ask("select type, actor, status_source from event order by recorded_at, type desc")
    assert found.type.tolist() == [EventType.PLAN_PROPOSED, EventType.PLAN_APPROVED]
    assert set(found.actor) == {"planner"}
    assert set(found.status_source) == {"user"}


def test_the_second_of_two_people_is_told(store):
    decisions.propose_plan(store, plan(2, "north v1"), "first", NOON)
    decisions.approve_plan(store, "north v2", "first", "better", NOON)
    with pytest.raises(NotPossible, match="approved by first already"):
        decisions.reject_plan(store, "north v2", "second", "worse", NOON)


def test_a_plan_made_from_one_that_is_no_longer_in_force_is_refused(store):
    for version in (2, 3):
        decisions.propose_plan(store, plan(version, "north v1"), "somebody", NOON)
    decisions.approve_plan(store, "north v2", "somebody", "first come", NOON)
    with pytest.raises(NotPossible, match="Re-optimize again"):
        decisions.approve_plan(store, "north v3", "somebody", "too late", NOON)
    assert in_force(store) == ["north v2"]


@pytest.mark.parametrize("why", ["", "   "])
def test_a_decision_without_a_word_of_why_is_refused(store, why):
    decisions.propose_plan(store, plan(2, "north v1"), "somebody", NOON)
    with pytest.raises(NotPossible, match="why"):
        decisions.approve_plan(store, "north v2", "somebody", why, NOON)


def test_a_plan_that_nobody_proposed_cannot_be_decided(store):
    with pytest.raises(NotPossible, match="no plan nowhere v9"):
        decisions.approve_plan(store, "nowhere v9", "somebody", "why not", NOON)
