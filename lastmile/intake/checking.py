"""Checks one row by its kind's fields, and turns it into the ledger's rows: an event, a booking, or both."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from lastmile.connections import Connection
from lastmile.intake.events import event_of
from lastmile.intake.fields import SUBJECTS, Kind
from lastmile.intake.orders import booking_of, received_of
from lastmile.intake.problems import problem
from lastmile.intake.reading import read
from lastmile.model import Classifier, EventType, stable_id

AHEAD = timedelta(days=1)
DECIDED_HERE = frozenset(
    {
        EventType.PLAN_PROPOSED,
        EventType.PLAN_APPROVED,
        EventType.PLAN_REJECTED,
        EventType.IMPORT_UNDONE,
        EventType.SETTING_CHANGED,
    }
)
"""What only a person in the tower can make happen; a token must not be able to."""


@dataclass(frozen=True)
class Judged:
    """What became of one row: the ledger's rows, or its problems and itself, whole, for quarantine."""

    event: Mapping[str, Any] | None = None
    booking: Mapping[str, Any] | None = None
    notes: tuple[str, ...] = ()
    problems: tuple[Mapping[str, Any], ...] = ()
    format: str = ""
    raw: str = ""

    @property
    def refused(self) -> bool:
        return bool(self.problems)

    def row_id(self, source: str) -> uuid.UUID:
        """The id in quarantine: the same row of the same source is kept once."""
        return stable_id(source, "quarantined", self.format, self.raw)


def judge(
    kind: Kind, row: Any, connection: Connection, now: datetime, place: int = 0, present: datetime | None = None
) -> Judged:
    """One row of a kind under a connection, received at `now` (UTC) as the `place`-th of its batch.

    `present` is what is not yet future: `now`, but for a tower whose simulated clock lies behind the one on the wall.
    """
    if not isinstance(row, dict):
        return refused(kind.key, row, [problem("not_an_object", None, row)])
    values, problems = _values(kind, row)
    if not problems:
        problems = _together(kind, values, present or now)
    if problems:
        return refused(kind.key, row, problems)
    received = now + timedelta(microseconds=place)  # so that of two versions in one batch the second is the later
    if kind.key == "orders":
        booking, notes = booking_of(values, connection, received)
        return Judged(received_of(values, connection, received), booking, notes)
    event, notes = event_of(kind, values, connection, received)
    return Judged(event, notes=notes)


def refused(format: str, raw: Any, problems: list[Mapping[str, Any]]) -> Judged:
    """A row that is not taken: kept whole, as JSON, with what is wrong."""
    return Judged(problems=tuple(problems), format=format, raw=_as_json(raw))


def _as_json(raw: Any) -> str:
    """JSON that any reader takes; what can't be such (half a character, infinity, endless nesting) is kept as a text of it."""
    try:
        json.dumps(raw, ensure_ascii=False).encode()
        return json.dumps(raw, sort_keys=True, allow_nan=False)
    except (ValueError, RecursionError):
        return json.dumps(_described(raw))


def _described(raw: Any) -> str:
    try:
        return repr(raw).encode("ascii", "backslashreplace").decode()
    except RecursionError:
        return "nested too deeply to be kept"


def _values(kind: Kind, row: Mapping[str, Any]) -> tuple[dict[str, Any], list[Mapping[str, Any]]]:
    """The row's values as the ledger keeps them, and what is wrong with single fields."""
    problems = [problem("unknown_field", name, value) for name, value in row.items() if name not in kind.fields]
    values: dict[str, Any] = {}
    for name, field in kind.fields.items():
        value, wrong = read(field, row.get(name))
        if wrong is not None:
            problems.append(problem(wrong, name, row[name]))
        elif value is None and field.required:
            problems.append(problem("missing", name))
        else:
            values[name] = value
    return values, problems


def _together(kind: Kind, values: Mapping[str, Any], present: datetime) -> list[Mapping[str, Any]]:
    """What is wrong with fields that are right one by one."""
    problems = []
    lon, lat = values.get("lon"), values.get("lat")
    if lat is not None and abs(lat) > 90:
        swapped = lon is not None and abs(lon) <= 90
        problems.append(problem("swapped" if swapped else "off_globe", "lat", lat))
    if (lon is None) != (lat is None):
        problems.append(problem("missing", "lon" if lon is None else "lat"))
    if kind.a_subject and not any(values.get(name) for name in SUBJECTS):
        problems.append(problem("no_subject", None))
    if values.get("event") in DECIDED_HERE:
        problems.append(problem("reserved", "event", values["event"]))
    if values.get("event") == EventType.CORRECTED and not values.get("corrects"):
        problems.append(problem("corrects_nothing", "corrects"))
    if values.get("window_from") and values.get("window_due") and values["window_due"] < values["window_from"]:
        problems.append(problem("window_backwards", "window_due", values["window_due"].isoformat()))
    return problems + _ahead(values, present)


def _ahead(values: Mapping[str, Any], present: datetime) -> list[Mapping[str, Any]]:
    """Times of what has happened that lie in the future; what is planned or estimated may."""
    planned = values.get("classifier") in (Classifier.PLANNED, Classifier.ESTIMATED)
    names = ("recorded_at", "ordered_at") if planned else ("occurred_at", "recorded_at", "ordered_at")
    return [
        problem("future", name, values[name].isoformat())
        for name in names
        if values.get(name) is not None and values[name] > present + AHEAD
    ]
