"""The watch on a real operation: looks write what is new and nothing twice; a breakdown is one item; past days are gone through."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest

from lastmile import exceptions, predictions
from lastmile.exceptions.evaluating import judged
from lastmile.exceptions.replaying import days_without, replay
from lastmile.exceptions.watch import Watch
from lastmile.store import Store
from tests import tiny_day
from tests.conftest import FRIDAY

TODAY = date(2026, 11, 20)
MODEL = predictions.Model(predictions.model.Paces(), {}, why_thin="nothing was learned in this test")


@pytest.fixture
def store(demo_database):
    store = Store.open(demo_database)
    yield store
    store.close()


def test_a_second_look_at_the_same_state_adds_nothing(store):
    watch = Watch(store)
    watch.look(TODAY, FRIDAY, None)
    before = store.value("select count(*) from exception_event")

    assert before > 0
    assert watch.look(TODAY, FRIDAY + timedelta(seconds=5), None) == 0
    assert store.value("select count(*) from exception_event") == before


def test_a_breakdown_is_one_item_with_its_stops_and_is_over_when_other_vans_have_them(store):
    watch, at = Watch(store), FRIDAY + timedelta(minutes=1)
    watch.look(TODAY, FRIDAY, None)
    van = store.ask(
        "select vehicle_id, route_id, depot_id, deliveries - deliveries_done - deliveries_passed as open "
        "from vehicle_state($at, null, $day::date) where departed_at is not null and returned_at is null order by open desc limit 1",
        at=FRIDAY, day=TODAY,
    ).iloc[0]  # fmt: skip
    event = {"event_id": "00000000-0000-0000-0000-00000000000b", "type": "vehicle_broke_down", "classifier": "ACT", "occurred_at": at,
             "recorded_at": at, "route_id": van.route_id, "vehicle_id": van.vehicle_id, "depot_id": van.depot_id,
             "source": "telematics", "status_source": "driver", "reason": "vehicle_breakdown"}  # fmt: skip
    store.append({"event": pd.DataFrame([event])})
    watch.look(TODAY, at + timedelta(seconds=5), None)

    found = exceptions.queue(store, at + timedelta(seconds=5))
    broken = found[found.key == "vehicle_broke_down"]
    assert broken.vehicle_id.tolist() == [van.vehicle_id]
    below = exceptions.children(store, broken.exception_id.iloc[0], at + timedelta(seconds=5))
    assert len(below) == broken.stops.iloc[0] >= van.open * 0.8
    assert below.vehicle_id.dropna().unique().tolist() == [van.vehicle_id]
    assert not set(below.exception_id) & set(found.exception_id)
    row = (
        exceptions.exceptions(store, at + timedelta(seconds=5))
        .set_index("exception_id")
        .loc[broken.exception_id.iloc[0]]
    )
    assert (row.detectable_at, row.detected_at - row.detectable_at) == (pd.Timestamp(at), pd.Timedelta(seconds=5))


def test_what_somebody_resolved_stays_so_while_nothing_changes(store):
    watch = Watch(store)
    watch.look(TODAY, FRIDAY, None)
    first = exceptions.queue(store, FRIDAY).iloc[0]
    exceptions.resolve(store, {first.exception_id: first.steps}, exceptions.Outcome.ACCEPTED, "known", "ann", FRIDAY)
    watch.look(TODAY, FRIDAY + timedelta(seconds=5), None)

    assert first.exception_id not in set(exceptions.queue(store, FRIDAY + timedelta(seconds=5)).exception_id)


def test_the_watch_looks_at_other_operations_and_at_none_too(tiny_database, empty_database):
    tiny = Store.open(tiny_database)
    Watch(tiny).look(tiny_day.DAY, tiny_day.NOW, None)
    found = exceptions.exceptions(tiny, tiny_day.NOW).set_index("subject_id").key.to_dict()
    tiny.close()
    nothing = Store.open(empty_database)

    assert found["silent"] == "is_late"  # due by 16:00, and nothing is known of it
    assert found["failed"] == "failed_attempt"
    assert Watch(nothing).look(tiny_day.DAY, tiny_day.NOW, None) == 0
    nothing.close()


def test_a_past_day_is_gone_through_as_it_was_known_and_writes_nothing(store):
    before = store.value("select count(*) from exception_event")
    (replayed,) = replay(store, date(2026, 11, 18), date(2026, 11, 18), learn=lambda *_: MODEL)

    assert replayed.steps
    assert store.value("select count(*) from exception_event") == before
    first = min(step.at for step in replayed.steps)
    assert first == datetime(2026, 11, 18, 0, 0, 5, tzinfo=UTC)  # what was so when the day began
    assert all(
        pd.Timestamp(step.said["detectable_at"]) <= step.at for step in replayed.steps if "detectable_at" in step.said
    )
    assert days_without(store, date(2026, 11, 17), date(2026, 11, 19)) == [date(2026, 11, 17), date(2026, 11, 18)]


def test_warnings_are_held_against_what_came():
    """Four promises to 12:00. a: broken, warned at 11:30, the warning gone at 11:35. b: broken, warned at 11:45, too late.
    c: kept, warned at 11:00. d: broken, warned by nobody. One of three broken was announced, none stood, two alarms of three true."""
    until = pd.Timestamp("2026-03-02 12:00", tz="UTC")
    day, nothing = pd.Timestamp(2026, 3, 2), pd.Series(pd.NaT, index=range(4), dtype="datetime64[us, UTC]")
    promised = pd.DataFrame([
        {"delivery_id": name, "day": day, "until": until, "broken": name != "c",
         "handed_over_at": until + pd.Timedelta(minutes=9)} for name in "abcd"
    ]).assign(failed_at=nothing, failed_known_at=nothing)  # fmt: skip
    warnings = pd.DataFrame(
        [(day, "a", "in_jeopardy", True, "11:30"), (day, "a", "in_jeopardy", False, "11:35"), (day, "b", "will_be_late", True, "11:45"),
         (day, "c", "in_jeopardy", True, "11:00")],
        columns=["day", "delivery_id", "key", "raised", "at"],
    )  # fmt: skip
    warnings["at"] = pd.to_datetime("2026-03-02 " + warnings["at"], utc=True)
    found = judged(promised, warnings, day.date(), day.date())

    assert (found.promises, found.broken, found.announced, found.standing) == (4, 3, 1, 0)
    assert (found.alarms, found.true_alarms, found.false_per_true) == (3, 2, 0.5)
    assert found.by_cause.to_dict("records") == [
        {"cause": "came late", "n": 3, "announced": 1, "share": pytest.approx(1 / 3)}
    ]
    assert found.by_rule.set_index("key").precision.to_dict() == {"in_jeopardy": 0.5, "will_be_late": 1.0}
    assert found.by_rule.set_index("key").lead_minutes.to_dict() == {"in_jeopardy": 45.0, "will_be_late": 15.0}


def test_past_days_are_put_on_record_and_what_they_left_open_is_over(store):
    """Three days after it, nothing of a day is open any more; of the days after that, what is left may still be watched."""
    at = FRIDAY + timedelta(days=4)
    done = list(Watch(store).past_days(date(2026, 11, 21), at))
    found = exceptions.exceptions(store, at, day_from=date(2026, 11, 17), day_to=date(2026, 11, 18))

    assert done == [date(2026, 11, 17), date(2026, 11, 18)]
    assert len(found) > 20
    assert set(found.state) <= {"resolved", "cleared"}
    assert found.resolved_at.notna().all()
