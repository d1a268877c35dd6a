"""What the simulated dispatchers did about the exceptions of past days."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd

from lastmile.demo.keys import KEY, SEED
from lastmile.exceptions import settings
from lastmile.exceptions.replaying import Replayed, put_on_record, replay
from lastmile.model import EventType, StatusSource, stable_id
from lastmile.store import Store
from lastmile.twin import dispatchers
from lastmile.twin.clock import ZONE

WATCHED_DAYS = 2
"""So many days, today among them, have their exceptions when the demo is built; the running tower goes through the others."""


def watch_past(store: Store, until: datetime, days: int) -> None:
    """Put the exceptions of the last days on record, up to an instant, with what the simulated dispatchers did about them."""
    today = until.astimezone(ZoneInfo(ZONE)).date()
    for replayed in replay(store, today - timedelta(days=min(days, WATCHED_DAYS - 1)), today, until=until):
        put_on_record(store, replayed)
        answer_past(store, replayed, until)


def answer_past(store: Store, replayed: Replayed, until: datetime | None = None) -> None:
    """What the simulated dispatchers did about a past day's exceptions, up to an instant, as decisions of people."""
    rows = [row for row in (_step_row(step) for step in replayed.steps) if row is not None]
    limits, seed = settings.load(store), int((store.setting(KEY) or {}).get("seed", SEED))
    waits = dict.fromkeys(("medium", "high"), limits["escalate_open_minutes"])
    waits["critical"] = limits["escalate_critical_minutes"]
    answers = dispatchers.answers(seed, pd.DataFrame(rows, columns=dispatchers.STEPS), waits)
    if until is not None:
        answers = answers[answers["at"] <= pd.Timestamp(until)]
    if len(answers):
        store.append(
            {"event": pd.DataFrame([_answer_row(row, replayed) for row in answers.itertuples()])}, streamed=True
        )


def _step_row(step: object) -> dict | None:
    if step.type not in (EventType.EXCEPTION_DETECTED, EventType.EXCEPTION_CLEARED):
        return None
    kept, said = step.exception, dict.fromkeys(("severity", "root_id", "owner_role", "due_at"))
    if step.type == EventType.EXCEPTION_DETECTED:
        said = {name: step.said[name] for name in said}
    return {"exception_id": kept.exception_id, "key": kept.key, "type": str(step.type), "at": step.at, **said}


def _answer_row(row: object, replayed: Replayed) -> dict:
    payload = {"exception_id": row.exception_id, "day": f"{replayed.day:%Y-%m-%d}", "step": row.step, **row.said}
    return {
        "event_id": str(stable_id("tower", f"{row.type} {row.exception_id} {row.step} {row.at.isoformat()}")),
        "type": row.type,
        "classifier": "ACT",
        "occurred_at": row.at,
        "recorded_at": row.at,
        "source": "tower",
        "status_source": str(StatusSource.SYSTEM if row.actor == "tower" else StatusSource.USER),
        "actor": row.actor,
        "payload": json.dumps(payload),
    }
