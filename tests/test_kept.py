"""What is worked out once for all sessions: who asks at the same time waits for one answer, and nothing stale is shown."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pandas as pd
import pydeck as pdk
import pytest

from lastmile import exceptions, queries, runtime
from lastmile.model import Scope, stable_id
from lastmile.ui import expected, live, pace, shell
from lastmile.ui.desk import Desk
from lastmile.ui.exceptions import listing
from lastmile.ui.kept import Kept
from lastmile.ui.maps.ground import deck
from tests.conftest import FRIDAY
from tests.raising import raised


def desk_of(tower, actor="Mira", **view) -> Desk:
    asked = {
        "scope": Scope(day_from=FRIDAY.date(), day_to=FRIDAY.date()),
        "as_of": None,
        "zone": "Europe/Berlin",
    } | view
    return Desk(tower, shell.View(**asked, dark=False, actor=actor), FRIDAY)


def test_eight_who_ask_at_once_are_answered_by_one_working_out():
    kept, asked = Kept(), []

    def work_out() -> list[int]:
        asked.append(threading.get_ident())
        time.sleep(0.05)
        return [1]

    with ThreadPoolExecutor(8) as people:
        answers = list(people.map(lambda _: kept.get("key", work_out), range(8)))

    assert len(asked) == 1
    assert answers == [[1]] * 8


def test_what_one_does_to_its_answer_is_not_seen_by_another():
    kept = Kept()
    mine, theirs = (kept.get("key", lambda: pd.DataFrame({"n": [1, 2]})) for _ in range(2))

    mine.loc[0, "n"] = 9
    mine["more"] = 1

    assert theirs.n.tolist() == kept.get("key", list).n.tolist() == [1, 2]
    assert list(theirs) == ["n"]


def test_a_failure_is_told_and_the_next_who_asks_tries_again():
    kept = Kept()
    with pytest.raises(ZeroDivisionError):
        kept.get("key", lambda: 1 // 0)

    assert kept.get("key", lambda: 7) == 7


def test_who_waits_for_a_session_that_is_ended_works_it_out_instead():
    kept, begun, waits = Kept(), threading.Event(), threading.Event()

    def ended() -> None:
        begun.set()
        waits.wait(5)
        raise SystemExit  # as Streamlit ends a run: not an Exception

    def first() -> None:
        with pytest.raises(SystemExit):
            kept.get("key", ended)

    with ThreadPoolExecutor(2) as people:
        one = people.submit(first)
        begun.wait(5)
        two = people.submit(kept.get, "key", lambda: 7)
        time.sleep(0.05)
        waits.set()
        one.result(5)

        assert two.result(5) == 7


def test_the_answer_asked_for_longest_ago_goes_first():
    kept = Kept(most=2)
    for key in ("a", "b", "a", "c"):
        kept.get(key, lambda: 1)

    assert ["a" in kept, "b" in kept, "c" in kept] == [True, False, True]


def test_two_pages_that_look_at_the_same_are_drawn_once(demo_tower, monkeypatch):
    made = []
    monkeypatch.setattr("lastmile.attention.counts", lambda stops: made.append(len(stops)) or {"planned": len(stops)})
    monkeypatch.setattr(expected, "number", lambda _: -1)
    here, there = desk_of(demo_tower, "Mira"), desk_of(demo_tower, "Jo")

    assert expected.share(here, live._counts) == expected.share(there, live._counts)
    assert len(made) == 1

    other = desk_of(demo_tower, scope=Scope(depots=("WHF",), day_from=FRIDAY.date(), day_to=FRIDAY.date()))
    assert expected.share(other, live._counts) != expected.share(here, live._counts)
    assert len(made) == 2


def test_new_predictions_are_not_answered_by_what_was_made_of_those_before(demo_tower, monkeypatch):
    made = []
    monkeypatch.setattr("lastmile.attention.counts", lambda stops: made.append(len(stops)) or {"planned": len(made)})
    desk = desk_of(demo_tower)

    monkeypatch.setattr(expected, "number", lambda _: -2)
    assert expected.share(desk, live._counts)["planned"] == 1
    monkeypatch.setattr(expected, "number", lambda _: -3)
    assert expected.share(desk, live._counts)["planned"] == 2


def test_the_present_holds_while_events_stream_in_and_then_they_are_seen(stand_on, demo_database, monkeypatch):
    tower = stand_on(demo_database)
    clock = [1000.0]
    monkeypatch.setattr(pace, "shared_seconds", lambda: 1.0)
    monkeypatch.setattr(runtime.time, "monotonic", lambda: clock[0])
    desk, before = desk_of(tower), tower.present()
    stop = desk.ask(queries.stops, FRIDAY, FRIDAY.date(), Scope())
    moving = stop[~stop.done & stop.route_id.notna()].iloc[0]

    tower.store.append({"event": _delivered(moving)}, streamed=True)
    clock[0] += 0.9
    assert tower.present() is before
    assert not _is_done(desk, moving.delivery_id)

    clock[0] += 0.2
    assert _is_done(desk, moving.delivery_id)


def test_what_somebody_decides_is_seen_at_once_by_everyone(stand_on, demo_database):
    tower = stand_on(demo_database)
    exception_id = raised(tower.store, "source_silent", "telematics", FRIDAY - timedelta(minutes=10))
    mine, theirs = desk_of(tower, "Mira"), desk_of(tower, "Jo")
    assert _owner(mine, exception_id) != "Mira"

    exceptions.assign(tower.store, {exception_id: 1}, "Mira", "Mira", FRIDAY - timedelta(minutes=1), "mine")

    assert _owner(mine, exception_id) == _owner(theirs, exception_id) == "Mira"


def test_a_past_instant_stays_as_it_was_while_the_present_goes_on(stand_on, demo_database):
    tower = stand_on(demo_database)
    noon = FRIDAY - timedelta(hours=1)
    past = Desk(tower, desk_of(tower, as_of=noon).view, noon)
    before = expected.stops(past)
    moving = before[~before.done & before.route_id.notna()].iloc[0]

    tower.store.append({"event": _delivered(moving)})

    pd.testing.assert_frame_equal(expected.stops(past), before)


def test_a_drawing_says_to_the_browser_what_its_deck_says():
    drawing = deck(
        [pdk.Layer("IconLayer", id="vans", data=[{"at": [13.4, 52.5]}])], pdk.ViewState(13.4, 52.5, 10), False
    )

    assert '"id": "vans"' in drawing.to_json()
    assert drawing._tooltip["html"].startswith("<b>")


def _delivered(stop) -> pd.DataFrame:
    """What a driver's scan tells: the stop's goods were handed over two minutes ago."""
    told = {"event_id": stable_id("scanned", stop.delivery_id), "type": "delivered", "classifier": "ACT"}
    when = {"occurred_at": FRIDAY - timedelta(minutes=2), "recorded_at": FRIDAY - timedelta(minutes=1)}
    what = {name: stop[name] for name in ("delivery_id", "route_id", "vehicle_id", "depot_id")}
    return pd.DataFrame([told | when | what | {"source": "test", "status_source": "driver"}])


def _is_done(desk: Desk, delivery_id: str) -> bool:
    stops = desk.ask(queries.stops, FRIDAY, FRIDAY.date(), Scope())
    return bool(stops.set_index("delivery_id").done[delivery_id])


def _owner(desk: Desk, exception_id: str) -> str:
    return listing.every(desk).set_index("exception_id").owner[exception_id]
