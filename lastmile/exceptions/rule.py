"""What an exception rule is: one entry that detection, queue, pages, commands, docs and tests all read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import pandas as pd

from lastmile.exceptions.situation import Situation


class Subject(StrEnum):
    """What an exception is about; its id is the subject's own."""

    DELIVERY = "delivery"
    VEHICLE = "vehicle"
    DEPOT = "depot"
    MILESTONE = "milestone"
    SOURCE = "source"


class Severity(StrEnum):
    """How bad it is, from low to critical."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def level(self) -> int:
        return list(Severity).index(self)


class Role(StrEnum):
    """Whose it is to act. The words of a staff register, which may hold any others."""

    DISPATCHER = "dispatcher"
    WAREHOUSE = "warehouse lead"
    CARE = "customer care"
    QUALITY = "quality manager"
    DATA = "data steward"
    CARRIERS = "carrier manager"
    PROJECT = "project lead"
    OPERATIONS = "operations manager"
    EXECUTIVE = "executive"


ABOVE = dict.fromkeys(Role, Role.OPERATIONS) | {
    Role.OPERATIONS: Role.EXECUTIVE,
    Role.EXECUTIVE: Role.EXECUTIVE,
}
"""Role → the one that an exception goes to when it has waited too long."""


class Outcome(StrEnum):
    """What came of an exception: the promise was kept, or broken; a larger exception took its place; its cause is over
    (no promise hung on it, or none can be kept any more); it was none; it was accepted as it is."""

    PREVENTED = "prevented"
    BREACHED = "breached"
    REPLACED = "replaced"
    ENDED = "ended"
    FALSE_ALARM = "false alarm"
    ACCEPTED = "accepted"


@dataclass(frozen=True)
class Due:
    """By when somebody must act: so many minutes after it was detected, or before the breach where that is earlier."""

    minutes: float
    before_breach_minutes: float = 20.0

    def at(self, detected_at: datetime, breach_at: datetime | None) -> datetime:
        """The instant; never before it was detected."""
        latest = detected_at + timedelta(minutes=self.minutes)
        if breach_at is None or pd.isna(breach_at):
            return latest
        return max(detected_at, min(latest, breach_at - timedelta(minutes=self.before_breach_minutes)))


Find = Callable[[Situation], pd.DataFrame]
"""A pure function: the frame of FOUND, one row per instant and subject that the rule holds for."""

FOUND = [
    "instant", "subject_id", "day", "delivery_id", "route_id", "vehicle_id", "depot_id", "carrier_id", "service", "recipient",
    "source", "fires", "probability", "stake", "currency", "stake_assumed", "breach_at", "occurred_at", "since", "words",
]  # fmt: skip
"""`fires`: enough to raise it; else only enough to keep one that is there. `probability` of what it warns of (1: it is so).
`stake` in `currency` is lost if that comes true; `since` is when it could first be known; `occurred_at` when it began."""


@dataclass(frozen=True)
class Rule:
    """One rule. `covered_by`: rules that say more about the same subject, beside which it is not shown. `roots`: rules that
    explain it, of the same delivery, vehicle or depot: it is then one of theirs. `predicts`: it warns of a broken promise;
    `by_fact`: a fact or a time makes it so, not a prediction, so `since` is exact.
    `playbook`: keys of actions, the first the one to try first; `why` justifies the rule in a sentence.
    """

    key: str
    label: str
    meaning: str
    subject: Subject
    severity: Severity
    owner: Role
    due: Due
    playbook: tuple[str, ...]
    why: str
    find: Find
    covered_by: tuple[str, ...] = ()
    roots: tuple[str, ...] = ()
    predicts: bool = False
    by_fact: bool = True
