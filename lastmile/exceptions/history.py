"""Every step of one exception, for people: who did what, when and why."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from lastmile.exceptions.deciding import STEPS
from lastmile.store import Store

HISTORY = ["occurred_at", "step", "actor", "by_person", "words"]


def history(store: Store, exception_id: str, at: datetime, zone: str = "UTC") -> pd.DataFrame:
    """One row per step as known at `at`, oldest first: occurred_at, step and words for people, actor, by_person.

    Times in words are on the clocks of `zone`. Changes of figures alone are left out: they are no step.
    """
    found = store.ask(
        """
        select occurred_at, type, actor, coalesce(status_source = 'user', false) as by_person, payload
        from exception_event
        where payload ->> 'exception_id' = $exception_id and recorded_at <= $at and type <> 'exception_changed'
        order by recorded_at, coalesce((payload ->> 'step')::integer, 0), event_id
        """,
        exception_id=exception_id,
        at=at,
    )
    return found.assign(
        step=[STEPS.get(type, type) for type in found.type],
        words=[_words(json.loads(payload), zone) for payload in found.payload],
    )[HISTORY]


def _words(said: dict[str, Any], zone: str) -> str:
    """What was said at a step, as one line: to whom, until when, what came of it, and why."""
    until = (
        said.get("until") and f"until {datetime.fromisoformat(said['until']).astimezone(ZoneInfo(zone)):%d %b %H:%M}"
    )
    owner = said.get("owner") or (said.get("owner_role") if "key" not in said else None)
    parts = [f"to {owner}" if owner else None, until, said.get("outcome"), said.get("words"), said.get("why")]
    return ": ".join(str(part) for part in dict.fromkeys(part for part in parts if part))
