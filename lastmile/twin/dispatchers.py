"""What the people of the simulated operation do about exceptions: who takes one up, how soon, and what comes of it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lastmile.twin import chance

STEPS = ["exception_id", "key", "type", "at", "severity", "root_id", "owner_role", "due_at"]
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

CHIEF = "operations manager"


def answers(seed: int, steps: pd.DataFrame, waits: dict[str, float]) -> pd.DataFrame:
    """One row per step that a person took, or the tower for them, ANSWERS. What was cleared before its turn came is left
    alone; so is what a larger exception explains. What nobody has taken up so many minutes after it was due (`waits`, by
    severity) goes to the operations manager, who takes it up."""
    detected = steps[(steps["type"] == "exception_detected") & steps["root_id"].isna()]
    gone = steps[steps["type"] == "exception_cleared"].groupby("exception_id")["at"].min()
    rows = []
    for row in detected.itertuples():
        rows += _of_one(seed, row, gone.get(row.exception_id), waits)
    return pd.DataFrame(rows, columns=ANSWERS)


def _of_one(seed: int, row: object, gone_at: pd.Timestamp | None, waits: dict[str, float]) -> list[tuple]:
    key = int(row.exception_id[:8], 16)
    last = gone_at if gone_at is not None else pd.Timestamp.max.tz_localize("UTC")
    takes = float(chance.uniform(seed, "dispatcher takes", key)) < TAKEN_UP[row.severity]
    at = row.at + _minutes(seed, "takes", key, MINUTES_TO_TAKE_UP[row.severity]) if takes else pd.NaT
    actor = f"{(row.owner_role or 'dispatcher').replace(' ', '-')}-{1 + key % 2}"
    steps = []
    if row.severity in waits:
        too_late = pd.Timestamp(row.due_at) + pd.Timedelta(minutes=waits[row.severity])
        if pd.isna(at) or at > too_late:
            steps.append(
                (
                    "exception_escalated",
                    too_late,
                    "tower",
                    {"owner_role": CHIEF, "why": "Nobody has taken it up in time."},
                )
            )
            at, actor = too_late + _minutes(seed, "chief", key, 2.0), CHIEF.replace(" ", "-")
    if pd.notna(at):
        steps += _taken_up(seed, row, key, at, actor)
    told = [step for step in steps if step[1] < last]
    return [(row.exception_id, type, at, actor, 2 + n, said) for n, (type, at, actor, said) in enumerate(told)]


def _taken_up(seed: int, row: object, key: int, at: pd.Timestamp, actor: str) -> list[tuple]:
    steps = [("exception_acknowledged", at, actor, {})]
    acts = float(chance.uniform(seed, "dispatcher acts", key)) < ACTED_ON
    action, words = CALLS.get(row.owner_role, ELSE) if acts else ELSE
    if acts:
        at += _minutes(seed, "acts", key, MINUTES_TO_ACT)
        steps.append(("exception_acted", at, actor, {"action": action, "words": words, "ok": True}))
    if row.key in LASTING and float(chance.uniform(seed, "dispatcher resolves", key)) < RESOLVED:
        at += _minutes(seed, "resolves", key, MINUTES_TO_RESOLVE)
        steps.append(("exception_resolved", at, actor, {"outcome": "accepted", "why": words}))
    return steps


def _minutes(seed: int, purpose: str, key: int, median: float) -> pd.Timedelta:
    drawn = float(chance.normal(seed, f"dispatcher {purpose} after", key))
    return pd.Timedelta(seconds=round(60.0 * median * float(np.exp(SPREAD * drawn))))
