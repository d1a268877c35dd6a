"""What the people of the simulated operation do about exceptions: who takes one up, how soon, and what comes of it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lastmile.twin import chance

STEPS = ["exception_id", "key", "type", "at", "severity", "root_id", "owner_role"]
"""One row per exception detected or cleared."""

ANSWERS = ["exception_id", "type", "at", "actor", "step", "said"]

TAKEN_UP = {"critical": 0.98, "high": 0.9, "medium": 0.7, "low": 0.35}
"""Share that somebody takes up, by severity, if it stays long enough."""

MINUTES_TO_TAKE_UP = {"critical": 3.0, "high": 7.0, "medium": 16.0, "low": 50.0}
"""Median minutes until then; their logarithm spreads by SPREAD."""

SPREAD = 0.7
ACTED_ON = 0.55
MINUTES_TO_ACT = 6.0
RESOLVED = 0.6
MINUTES_TO_RESOLVE = 45.0
CALLS = {
    "dispatcher": ("call_driver", "Called the driver; the order of the stops is agreed"),
    "warehouse lead": ("call_depot", "Called the dock; the goods come first"),
    "customer care": ("call_list", "Called the recipient; a new time is agreed"),
}
ELSE = ("comment", "Looked into it")
LASTING = ("proof_incomplete", "false_attempt", "notification_failed", "custody_gap")
"""What does not go by itself: somebody closes it."""


def answers(seed: int, steps: pd.DataFrame) -> pd.DataFrame:
    """One row per step that a person took, ANSWERS. What was cleared before its turn came is left alone; so is what a
    larger exception explains."""
    detected = steps[(steps["type"] == "exception_detected") & steps["root_id"].isna()]
    gone = steps[steps["type"] == "exception_cleared"].groupby("exception_id")["at"].min()
    rows = []
    for row in detected.itertuples():
        rows += _of_one(seed, row, gone.get(row.exception_id))
    return pd.DataFrame(rows, columns=ANSWERS)


def _of_one(seed: int, row: object, gone_at: pd.Timestamp | None) -> list[tuple]:
    key = int(row.exception_id[:8], 16)
    takes, acts, resolves = (
        float(chance.uniform(seed, f"dispatcher {what}", key)) for what in ("takes", "acts", "resolves")
    )
    if takes >= TAKEN_UP[row.severity]:
        return []
    actor = f"{(row.owner_role or 'dispatcher').replace(' ', '-')}-{1 + key % 2}"
    at = row.at + _minutes(seed, "takes", key, MINUTES_TO_TAKE_UP[row.severity])
    steps = [("exception_acknowledged", at, {})]
    if acts < ACTED_ON:
        action, words = CALLS.get(row.owner_role, ELSE)
        at += _minutes(seed, "acts", key, MINUTES_TO_ACT)
        steps.append(("exception_acted", at, {"action": action, "words": words, "ok": True}))
    if row.key in LASTING and resolves < RESOLVED:
        at += _minutes(seed, "resolves", key, MINUTES_TO_RESOLVE)
        steps.append(("exception_resolved", at, {"outcome": "accepted", "why": words if acts < ACTED_ON else ELSE[1]}))
    last = gone_at if gone_at is not None else pd.Timestamp.max.tz_localize("UTC")
    return [(row.exception_id, type, at, actor, 2 + n, said) for n, (type, at, said) in enumerate(steps) if at < last]


def _minutes(seed: int, purpose: str, key: int, median: float) -> pd.Timedelta:
    drawn = float(chance.normal(seed, f"dispatcher {purpose} after", key))
    return pd.Timedelta(seconds=round(60.0 * median * float(np.exp(SPREAD * drawn))))
