"""What people decide about exceptions: each decision an event, many at once, and the second of two people is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from lastmile.clock import zone_of_most
from lastmile.decisions import SOURCE, events_frame, one_at_a_time, refuse_silence
from lastmile.errors import NotPossible
from lastmile.exceptions.queue import exceptions
from lastmile.exceptions.rule import Outcome
from lastmile.model import Event, EventType, StatusSource
from lastmile.store import Store

STEPS = {
    EventType.EXCEPTION_DETECTED: "detected",
    EventType.EXCEPTION_REOPENED: "opened again",
    EventType.EXCEPTION_CLEARED: "cleared",
    EventType.EXCEPTION_ACKNOWLEDGED: "acknowledged",
    EventType.EXCEPTION_ASSIGNED: "assigned",
    EventType.EXCEPTION_SNOOZED: "snoozed",
    EventType.EXCEPTION_COMMENTED: "commented on",
    EventType.EXCEPTION_ACTED: "acted on",
    EventType.EXCEPTION_RESOLVED: "resolved",
    EventType.EXCEPTION_ESCALATED: "escalated",
}
"""What an event did to an exception, for people."""

CLOSED = ("resolved", "cleared")
Refuse = Callable[[Any], str | None]


def acknowledge(store: Store, seen: Mapping[str, int], actor: str, at: datetime, why: str = "") -> pd.DataFrame:
    """Say that somebody looks after them. For this and all below:

    `seen` is exception_id → the `steps` that the caller saw in the queue; a root takes what it explains along.
    Returns one row per id: exception_id, ok, words. Where somebody acted since, the row is refused, and words say who, what
    and when; the others go through. Raises NotPossible only for what can't be asked at all.
    """
    return _decide(store, EventType.EXCEPTION_ACKNOWLEDGED, seen, actor, at, "Acknowledged", _refuse_closed, why=why)


def assign(store: Store, seen: Mapping[str, int], owner: str, actor: str, at: datetime, why: str = "") -> pd.DataFrame:
    """Give them to somebody by name."""
    if not owner.strip():
        raise NotPossible("Say whose it is.")
    return _decide(
        store, EventType.EXCEPTION_ASSIGNED, seen, actor, at, f"Assigned to {owner.strip()}", _refuse_closed,
        owner=owner.strip(), why=why,
    )  # fmt: skip


def snooze(store: Store, seen: Mapping[str, int], until: datetime, actor: str, at: datetime, why: str) -> pd.DataFrame:
    """Put them off until an instant; they are out of the queue until then, or until they get worse."""
    refuse_silence(why)
    if until <= at:
        raise NotPossible("Choose a time that is still to come.")
    return _decide(
        store, EventType.EXCEPTION_SNOOZED, seen, actor, at, f"Snoozed until {_wall_clock(store, until)}", _refuse_closed,
        until=until.isoformat(), why=why,
    )  # fmt: skip


def comment(store: Store, exception_ids: list[str], text: str, actor: str, at: datetime) -> pd.DataFrame:
    """Keep a word with them; that never comes too late, so nothing need have been seen."""
    refuse_silence(text)
    return _decide(
        store, EventType.EXCEPTION_COMMENTED, dict.fromkeys(exception_ids), actor, at, "Commented", None, why=text
    )


def record_action(
    store: Store, seen: Mapping[str, int], action: str, words: str, ok: bool, actor: str, at: datetime
) -> pd.DataFrame:
    """Keep what a playbook's action did, or that it could not be done and why."""
    return _decide(
        store, EventType.EXCEPTION_ACTED, seen, actor, at, words, _refuse_closed, action=action, words=words, ok=ok
    )


def resolve(
    store: Store, seen: Mapping[str, int], outcome: Outcome, why: str, actor: str, at: datetime
) -> pd.DataFrame:
    """Close them with what came of them; one whose condition goes and comes back is opened again."""
    refuse_silence(why)
    outcome = Outcome(outcome)
    return _decide(
        store, EventType.EXCEPTION_RESOLVED, seen, actor, at, f"Resolved: {outcome}", _refuse_closed,
        outcome=str(outcome), why=why,
    )  # fmt: skip


def reopen(store: Store, seen: Mapping[str, int], why: str, actor: str, at: datetime) -> pd.DataFrame:
    """Take them up again."""
    refuse_silence(why)
    return _decide(store, EventType.EXCEPTION_REOPENED, seen, actor, at, "Opened again", _refuse_open, why=why)


def _decide(
    store: Store,
    type: EventType,
    seen: Mapping[str, int | None],
    actor: str,
    at: datetime,
    done: str,
    refuse: Refuse | None,
    **said: Any,
) -> pd.DataFrame:
    with one_at_a_time:
        known = {row.exception_id: row for row in exceptions(store, at).itertuples(index=False)}
        told, events = [], {}
        for exception_id, steps in seen.items():
            row = known.get(exception_id)
            why_not = (
                "There is no such exception."
                if row is None
                else _overtaken(store, row, steps) or (refuse and refuse(row))
            )
            told.append((exception_id, not why_not, why_not or done))
            if not why_not:
                events |= {one.exception_id: one for one in (row, *_explained(known, exception_id, type, refuse))}
        if events:
            store.append({"event": events_frame([event_of(row, type, actor, at, **said) for row in events.values()])})
    return pd.DataFrame(told, columns=["exception_id", "ok", "words"])


def event_of(
    row: Any, type: EventType, actor: str, at: datetime, *, by: StatusSource = StatusSource.USER, **said: Any
) -> Event:
    """A step of an exception as an event; `row` is a row of macro exception_state."""

    def known(value: Any) -> Any:
        return None if pd.isna(value) else value

    step = int(row.steps) + 1
    kept = {name: value for name, value in said.items() if value not in (None, "")}
    return Event(
        type=type,
        occurred_at=at,
        recorded_at=at,
        source=SOURCE,
        delivery_id=known(row.delivery_id),
        route_id=known(row.route_id),
        vehicle_id=known(row.vehicle_id),
        depot_id=known(row.depot_id),
        status_source=by,
        actor=actor,
        payload={"exception_id": row.exception_id, "day": f"{row.day:%Y-%m-%d}", "step": step, **kept},
        key=f"{type} {row.exception_id} {step} {at.isoformat()}",
    )


def _explained(known: Mapping[str, Any], root_id: str, type: EventType, refuse: Refuse | None) -> list[Any]:
    """What a root takes along: all that it explains and that the decision can be taken for."""
    if type == EventType.EXCEPTION_COMMENTED:
        return []
    return [row for row in known.values() if row.root_id == root_id and not (refuse and refuse(row))]


def _wall_clock(store: Store, at: datetime) -> str:
    """An instant on the clocks of most depots, as pages show it."""
    return f"{at.astimezone(ZoneInfo(zone_of_most(store))):%H:%M}"


def _overtaken(store: Store, row: Any, steps: int | None) -> str | None:
    if steps is None or row.steps == steps:
        return None
    who = row.last_actor if isinstance(row.last_actor, str) else "the tower"
    did = STEPS.get(row.last_step, row.last_step)
    when = _wall_clock(store, row.last_step_at)
    return f"{who} has {did} it at {when}, since you looked. Look again before you decide."


def _refuse_closed(row: Any) -> str | None:
    return f"It is {row.state} already: {row.outcome}." if row.state in CLOSED else None


def _refuse_open(row: Any) -> str | None:
    return None if row.state in CLOSED else "It is open."
