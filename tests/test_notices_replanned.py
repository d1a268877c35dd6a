"""Before and after of a re-plan: who is told, who is not, and that the notices come with the approval or not at all."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lastmile import decisions, notifications, routing
from lastmile.errors import NotPossible
from lastmile.notifications import Move, Settings, outbox, settings
from lastmile.replanning import Act, Asked, ByHand, approve, open_day, proposal_of, telling_of
from lastmile.store import Store
from tests.conftest import FRIDAY
from tests.tiny_day import NOW

DEPOT = "WHF"
VAN_OUT = Asked(by_hand=(ByHand(Act.VEHICLE_OUT, "WHF-11", by="operator", why="flat tyre"),))


def after(minutes: float):
    return NOW + timedelta(minutes=minutes)


def test_only_what_moves_by_more_than_the_threshold_is_told():
    before = {"later": NOW, "earlier": NOW, "exactly": NOW, "same": NOW, "gone": NOW}
    now = {"later": after(15.1), "earlier": after(-16), "exactly": after(15), "same": NOW, "fresh": NOW}

    found = notifications.moves(before, now, 15).set_index("delivery_id")

    assert found.move.to_dict() == {
        "later": Move.MOVED,
        "earlier": Move.MOVED,
        "exactly": Move.SAME,
        "same": Move.SAME,
        "gone": Move.LEFT_OUT,
        "fresh": Move.NEW,
    }
    assert found.moved_minutes.dropna().to_dict() == {"later": 15.1, "earlier": -16, "exactly": 15, "same": 0}


def test_two_empty_plans_move_nothing():
    assert notifications.moves({}, {}, 15).empty


@pytest.fixture
def store(demo_database):
    store = Store.open(demo_database)
    yield store
    store.close()


@pytest.fixture(scope="module")
def found(demo_to_read):
    """A van is out, and its stops go to others: searched for once, as the same day asks the same of each test."""
    store = Store.open(demo_to_read)
    start = open_day(store, DEPOT, FRIDAY.date(), FRIDAY, VAN_OUT)
    found = proposal_of(store, start, routing.solve(start.problem, 1, seed=1), "operator")
    store.close()
    return found


@pytest.fixture
def made(store, found):
    """The proposal on record, where it waits for a decision."""
    decisions.propose_plan(store, found.tables, "operator", FRIDAY)
    return found


def test_those_whose_time_moves_are_told_with_the_approval_and_nobody_else(store, made):
    telling = telling_of(store, made, FRIDAY)
    assert telling.with_address and telling.without_address

    approve(store, made, made, "operator", "flat tyre", FRIDAY, tell_customers=True)

    told = outbox.notices(store, FRIDAY, most=5000)
    assert set(told.delivery_id) == set(telling.with_address)
    assert set(told.template) == {"promise_changed"}
    assert told.address.str.contains(r"@example\.(?:com|org)$").all()
    moved = telling.moves.set_index("delivery_id").moved_minutes
    assert (moved[told.delivery_id].abs() > 15).all()
    decided = store.ask("select max(recorded_at) as at from event where type = 'plan_approved' and source = 'tower'")
    assert (told.asked_at == decided["at"][0]).all()


def test_without_the_box_nobody_is_told(store, made):
    approve(store, made, made, "operator", "flat tyre", FRIDAY)
    assert outbox.notices(store, FRIDAY).empty


def test_an_approval_that_is_refused_tells_nobody(store, made):
    decisions.reject_plan(store, made.plan_id, "somebody else", "no", FRIDAY)
    with pytest.raises(NotPossible, match="rejected by somebody else"):
        approve(store, made, made, "operator", "flat tyre", FRIDAY, tell_customers=True)
    assert outbox.notices(store, FRIDAY).empty


def test_who_was_told_a_time_already_is_compared_with_that(store, made):
    """The plan moves it by more than the threshold; the recipient was told the new time before, so it is no news."""
    telling = telling_of(store, made, FRIDAY)
    one = telling.with_address[0]
    expected = telling.moves.set_index("delivery_id").after_at[one].to_pydatetime()
    notifications.tell_customer(store, [one], "delay_expected", "a call", "ann", FRIDAY, expected=expected)

    again = telling_of(store, made, FRIDAY)
    assert again.moves.set_index("delivery_id").move[one] == Move.SAME
    assert set(again.with_address) == set(telling.with_address) - {one}


def test_the_threshold_is_a_setting(store, made):
    settings.save(store, Settings(threshold_minutes=24 * 60), "ann")
    assert telling_of(store, made, FRIDAY).with_address == ()
