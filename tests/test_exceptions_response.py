"""Times of response with those that still wait, prevented share and precision: by hand, and against plain SQL on the ledger."""

from __future__ import annotations

import numpy as np
import pytest

from lastmile.decisions import events_frame
from lastmile.errors import NotPossible
from lastmile.exceptions.response import response, waited
from lastmile.model import Event, EventType, StatusSource
from lastmile.store import Store
from tests import tiny_day
from tests.tiny_day import DAY, local

END = local("20:30")


def test_those_that_still_wait_are_neither_forgotten_nor_counted_as_done():
    """Five: steps after 2, 4 and 9 minutes, two still waiting since 5 and 12. 1 − 4/5 = 0.2 at 2; 1 − 4/5 × 3/4 = 0.4 at 4;
    the one that waits since 5 is no longer at risk at 9: 1 − 0.6 × 1/2 = 0.7."""
    minutes, happened = np.array([2.0, 4.0, 9.0, 5.0, 12.0]), np.array([True, True, True, False, False])

    assert [waited(minutes, happened, share) for share in (0.2, 0.4, 0.5, 0.7)] == [2.0, 4.0, 9.0, 9.0]
    assert np.isnan(waited(minutes, happened, 0.9))
    assert waited(minutes, np.ones(5, dtype=bool), 0.5) == 5.0
    assert np.isnan(waited(np.array([]), np.array([], dtype=bool), 0.5))


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """The tiny day with four exceptions on it.

    late (promise 10:00, handed over 10:20): warned at 09:20, knowable since 09:18, acknowledged 09:26, breached 10:05.
    on_time (promise 10:00, kept): warned at 08:50, knowable since 08:50, acted on at 09:00, prevented 09:05.
    early (promise 10:00, kept): warned at 08:20, knowable since 08:10, nobody touched it, prevented 08:41.
    open (promise 20:00, never handed over): warned at 19:00, knowable since 19:00, still there at 20:30.
    """
    store = Store.open(tmp_path_factory.mktemp("response") / "tower.duckdb")
    store.append(tiny_day.batch())
    store.append({"event": events_frame([*_exceptions()])})
    yield store
    store.close()


def _exceptions():
    yield from _warned("late", "09:18", "09:20", "10:00")
    yield _step("late", EventType.EXCEPTION_ACKNOWLEDGED, "09:26", "ann")
    yield _step("late", EventType.EXCEPTION_CLEARED, "10:05", outcome="breached")
    yield from _warned("on_time", "08:50", "08:50", "10:00")
    yield _step("on_time", EventType.EXCEPTION_ACTED, "09:00", "ben", action="call_driver", words="hurries", ok=True)
    yield _step("on_time", EventType.EXCEPTION_CLEARED, "09:05", outcome="prevented")
    yield from _warned("early", "08:10", "08:20", "10:00")
    yield _step("early", EventType.EXCEPTION_CLEARED, "08:41", outcome="prevented")
    yield from _warned("open", "19:00", "19:00", "20:00")


def _warned(name: str, detectable: str, detected: str, breach: str):
    said = {"key": "will_be_late", "subject_kind": "delivery", "subject_id": name, "severity": "high", "owner_role": "dispatcher",
            "stake": 10.0, "probability": 0.7, "breach_at": local(breach).isoformat(), "due_at": local(breach).isoformat(),
            "occurred_at": local(detected).isoformat(), "detectable_at": local(detectable).isoformat(), "words": "late"}  # fmt: skip
    yield _step(name, EventType.EXCEPTION_DETECTED, detected, **said)


def _step(name: str, type: EventType, at: str, actor: str | None = None, **said) -> Event:
    by = StatusSource.USER if actor else StatusSource.SYSTEM
    payload = {"exception_id": f"x-{name}", "day": f"{DAY:%Y-%m-%d}", **said}
    return Event(type, local(at), local(at), "tower", delivery_id=name, depot_id="north", status_source=by, actor=actor,
                 payload=payload, key=f"{type} {name}")  # fmt: skip


def test_each_figure_is_what_it_is_by_hand(store):
    """Detect: 2, 0, 10 and 0 minutes. Acknowledge: 6 and 10 (acting is a step), 21 and 90 waited in vain. Act: 10; waited 45,
    21, 90. Resolve: 45, 15, 21; open since 90. Prevented: two of three. Nobody intervened in late, early and open: two broken."""
    found = response(store, DAY, DAY, END).iloc[0]

    assert (found.n, found.open) == (4, 1)
    assert (found.detect_p50, found.detect_p90) == (0.0, 10.0)
    assert (found.acknowledge_p50, found.acknowledge_n) == (10.0, 2)
    assert np.isnan(found.acknowledge_p90)
    assert np.isnan(found.act_p50)
    assert (found.resolve_p50, found.resolve_n) == (21.0, 3)
    assert np.isnan(found.resolve_p90)
    assert (found.prevented, found.prevented_n) == (pytest.approx(2 / 3), 3)
    assert (found.precision, found.precision_n) == (pytest.approx(2 / 3), 3)


def test_as_known_earlier_less_has_happened(store):
    found = response(store, DAY, DAY, local("09:30")).iloc[0]

    assert (found.n, found.open, found.acknowledge_n, found.prevented_n, found.precision_n) == (3, 1, 2, 2, 0)


def test_by_owner_each_has_its_own_and_together_they_are_all(store):
    found = response(store, DAY, DAY, END, by=["owner"])

    assert dict(zip(found.owner.fillna("nobody"), found.n, strict=True)) == {"ann": 1, "ben": 1, "nobody": 2}
    with pytest.raises(NotPossible, match="colour"):
        response(store, DAY, DAY, END, by=["colour"])


def test_the_figures_equal_those_of_plain_sql_on_the_ledger(store):
    """Written without the state macros: first events by exception, and Kaplan–Meier as a running product."""
    by_hand = store.ask(
        """
        with steps as (
            select payload ->> 'exception_id' as id, type, occurred_at, status_source, payload from event
            where type like 'exception_%' and recorded_at <= $at
        ),
        told as (
            select id, min(occurred_at) filter (type = 'exception_detected') as detected,
                any_value((payload ->> 'detectable_at')::timestamptz) filter (type = 'exception_detected') as detectable,
                min(occurred_at) filter (status_source = 'user') as taken_up,
                max(occurred_at) filter (type = 'exception_cleared') as over
            from steps group by id
        ),
        wait as (
            select id, epoch(coalesce(taken_up, over, $at) - detected) / 60 as minutes, taken_up is not null as happened from told
        ),
        product as (
            select minutes, count(*) filter (happened) as events,
                (select count(*) from wait as later where later.minutes >= wait.minutes) as at_risk
            from wait group by minutes
        ),
        survival as (
            select minutes, exp(sum(ln(1 - events / at_risk + 1e-300)) over (order by minutes)) as left_over from product
        )
        select (select min(minutes) from survival where 1 - left_over >= 0.5 - 1e-9) as acknowledge_p50,
            (select count(*) from wait where happened) as acknowledge_n,
            (select quantile_disc(epoch(detected - detectable) / 60, 0.5) from told) as detect_p50,
            (select count(*) from told where over is null) as open
        """,
        at=END,
    ).iloc[0]
    found = response(store, DAY, DAY, END).iloc[0]

    assert [by_hand[name] for name in by_hand.index] == [found[name] for name in by_hand.index]
