"""What happens to a notice, as events of the ledger."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pandas as pd

from lastmile.decisions import SOURCE
from lastmile.model import Event, EventType, StatusSource


def notice_event(
    row: Any,
    type: EventType,
    at: datetime,
    step: str,
    actor: str | None = None,
    *,
    round: int | None = None,
    recorded_at: datetime | None = None,
    **said: Any,
) -> Event:
    """A step of a notice (a row of notice_state); the same step of the same round is the same event."""
    number = int(row.round) if round is None else round
    return Event(
        type=type,
        occurred_at=at,
        recorded_at=recorded_at or at,
        source=SOURCE,
        delivery_id=known(row.delivery_id),
        depot_id=known(row.depot_id),
        status_source=StatusSource.SYSTEM if actor is None else StatusSource.USER,
        actor=actor,
        payload={"notice_id": row.notice_id, "round": number} | said,
        key=f"notice {row.notice_id} {step} round {number}",
    )


def known(value: Any) -> Any:
    """A value of a row, None where it is missing."""
    return None if value is None or pd.isna(value) else value
