"""Who has waited too long goes one role up, and that role is told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pandas as pd

from lastmile import notifications
from lastmile.decisions import events_frame, one_at_a_time
from lastmile.exceptions.catalogue import CATALOGUE
from lastmile.exceptions.deciding import event_of
from lastmile.exceptions.queue import exceptions
from lastmile.exceptions.rule import ABOVE, Role, Severity
from lastmile.exceptions.settings import Settings
from lastmile.model import EventType, StatusSource
from lastmile.store import Store

TOWER = "tower"
MOST = 2
"""So often an exception is escalated by itself: beyond the executive nobody is left to ask."""


def above(role: str) -> str:
    """The role that something goes to from another one; from a role of the operator's own, the operations manager."""
    return str(ABOVE.get(role, Role.OPERATIONS))


def too_long(found: pd.DataFrame, at: datetime, settings: Settings) -> pd.DataFrame:
    """The roots that nobody has taken up so long after their due time, or after they were escalated last, that they go up.

    `found`: rows of exception_state. What is critical waits escalate_critical_minutes, what is low for ever.
    """
    wait = found.severity.map(
        {Severity.CRITICAL: settings["escalate_critical_minutes"]}.get
    ).fillna(settings["escalate_open_minutes"])  # fmt: skip
    since = pd.to_datetime(found.escalated_at, utc=True).fillna(pd.to_datetime(found.due_at, utc=True))
    waited = (pd.Timestamp(at) - since) / pd.Timedelta(minutes=1)
    mine = (found.state == "open") & (found.severity != Severity.LOW) & (found.escalations < MOST) & (waited >= wait)
    open_ids = set(found.exception_id[found.state.isin(("open", "acknowledged", "snoozed"))])
    return found[mine & ~found.root_id.isin(open_ids)]


def escalate(store: Store, rows: Sequence[Any], actor: str, at: datetime, why: str) -> None:
    """Give exceptions to the role above theirs, and tell that role by each way it has; `rows` of exception_state."""
    by = StatusSource.SYSTEM if actor == TOWER else StatusSource.USER
    events = [
        event_of(row, EventType.EXCEPTION_ESCALATED, actor, at, by=by, owner_role=above(row.owner_role), why=why)
        for row in rows
    ]
    if not events:
        return
    store.append({"event": events_frame(events)}, streamed=by == StatusSource.SYSTEM)
    for row in rows:
        _tell(store, row, actor, at, why)


def _tell(store: Store, row: Any, actor: str, at: datetime, why: str) -> None:
    rule = CATALOGUE.get(row.key)
    age = (pd.Timestamp(at) - row.detected_at) / pd.Timedelta(minutes=1)
    notifications.tell_staff(
        store,
        above(row.owner_role),
        "staff_escalation",
        f"exception {row.exception_id} escalated {int(row.escalations) + 1}",
        actor,
        at,
        what=f"{rule.label if rule else row.key}: {row.words}",
        age=f"{age:.0f} min",
        why=why,
        **{name: value for name in ("delivery_id", "depot_id") if isinstance(value := getattr(row, name), str)},
    )


def escalate_overdue(store: Store, found: pd.DataFrame, at: datetime, settings: Settings) -> int:
    """Escalate what has waited too long, by itself; how many there were."""
    waiting = too_long(found, at, settings)
    if waiting.empty:
        return 0
    with one_at_a_time:
        fresh = exceptions(store, at, day_from=min(waiting.day).date())
        rows = list(too_long(fresh, at, settings).itertuples(index=False))
        escalate(store, rows, TOWER, at, "Nobody has taken it up in time.")
    return len(rows)
