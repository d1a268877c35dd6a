"""Drafts what a row asks for a delivery, and writes the versions that the ledger does not have."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta

from lastmile.ingest.amounts import number
from lastmile.ingest.drafting import Draft
from lastmile.ingest.events import EventTime
from lastmile.ingest.fields import BOOKING
from lastmile.ingest.mapping import Column
from lastmile.ingest.placing import place
from lastmile.ingest.timing import TimeValue, time_value
from lastmile.ingest.wording import (
    constant_sql,
    id_sql,
    instant_sql,
    list_sql,
    local_date,
    stable_id_sql,
    words_sql,
)
from lastmile.model import FAILED_TRIES, HANDOVERS, EventType

BOOKING_COLUMNS = (
    "booking_id", "recorded_at", "delivery_id", "order_id", "kind", "depot_id", "carrier_id", "service", "criticality", "day",
    "window_from", "window_due", "release_due", "site_id", "recipient", "address", "area", "lon", "lat", "weight_kg",
    "volume_m3", "pieces", "lines", "service_minutes", "skills", "proof", "penalty", "value", "currency", "notes",
    "email", "language",
)  # fmt: skip
SUMMED = ("weight_kg", "volume_m3", "pieces", "value")
_SIMPLE: dict[str, Callable[[Draft, Column | None], str | None]] = {
    "id": id_sql, "text": Draft.text, "list": list_sql,
}  # fmt: skip
_EMPTY = {
    "id": "varchar",
    "text": "varchar",
    "words": "varchar",
    "number": "double",
    "whole": "integer",
    "list": "varchar[]",
}


def draft_booking(draft: Draft, events: list[EventTime]) -> None:
    """Put b_… for each column of a booking."""
    columns = draft.mapping.columns
    said = {
        name: _simple(draft, name)
        for name in BOOKING_COLUMNS
        if name in BOOKING and BOOKING[name].type not in ("time", "date") and name not in ("lon", "lat")
    }
    said["delivery_id"] = "s_delivery_id"
    said["address"] = _address(draft, said["address"])
    said["kind"] = f"coalesce({said['kind']}, 'delivery')"
    said["criticality"] = f"coalesce({said['criticality']}, 'routine')"
    said["lon"], said["lat"] = place(draft, "site", columns)
    window_from, window_due = (
        time_value(draft, columns.get("window_from")),
        time_value(draft, columns.get("window_due")),
    )
    said["window_from"] = instant_sql(window_from.utc) if window_from else "null::timestamptz"
    said["window_due"] = _window_due(draft, window_from, window_due)
    release = time_value(draft, columns.get("release_due"))
    said["release_due"] = instant_sql(release.utc) if release else "null::timestamptz"
    said["day"] = _day(draft, window_from, window_due, events)
    for name in BOOKING_COLUMNS[2:]:
        draft.put(f"b_{name}", said[name])
    draft.put("b_recorded_at", _recorded(draft, events))
    draft.put("b_booking_id", _version_id(draft))


def _version_id(draft: Draft) -> str:
    """The id of a version: what the row says in the columns of the booking, under this reading of them."""
    specs = draft.mapping.columns
    cells = dict.fromkeys(cell for spec in specs.values() for name in spec.names if (cell := draft.cell(name)))
    reading = hashlib.sha256(repr((specs, _settings(draft))).encode()).hexdigest()
    return stable_id_sql(draft.parameter(draft.mapping.source), draft.parameter(reading), *cells)


def _settings(draft: Draft) -> dict[str, object]:
    """What in a mapping changes the meaning of a booking's columns; a change of it makes new versions."""
    names = ("zone", "date_order", "year", "decimal", "constants", "words", "swapped_coordinates", "window_semantics",
             "early_minutes", "late_minutes")  # fmt: skip
    return {name: getattr(draft.mapping, name) for name in names}


def _empty(name: str) -> str:
    return f"null::{_EMPTY[BOOKING[name].type]}" if name in BOOKING and BOOKING[name].type in _EMPTY else ""


def _simple(draft: Draft, name: str) -> str:
    """A field as its column or constant says it."""
    target, spec = BOOKING[name], draft.mapping.columns.get(name)
    constant = constant_sql(draft, name)
    if spec is None:
        return _empty(name) if constant is None else constant
    if target.type in ("number", "whole"):
        amount = number(draft, name, spec, target.unit)
        return f"round({amount})::integer" if target.type == "whole" else amount
    sql = words_sql(draft, name, spec) if target.type == "words" else _SIMPLE[target.type](draft, spec)
    if sql is None:
        return _empty(name) if constant is None else constant
    return sql if constant is None else f"coalesce({sql}, {constant})"


def _address(draft: Draft, address: str) -> str:
    postcode = id_sql(draft, draft.mapping.columns.get("postcode"))
    return address if postcode is None else f"nullif(concat_ws(', ', {address}, {postcode}), '')"


def _window_due(draft: Draft, start: TimeValue | None, end: TimeValue | None) -> str:
    """The window's end; one that lies before the start on the same date is the next morning's."""
    if end is None:
        return "null::timestamptz"
    if start is None:
        return instant_sql(end.utc)
    spec = draft.mapping.columns["window_due"]
    backwards = f"({end.utc} < {start.utc})"
    overnight = draft.put(
        "overnight", f"case when {backwards} then {local_date(draft, start)} = {local_date(draft, end)} else false end"
    )
    draft.note("past_midnight", spec, overnight)
    draft.problem("window_backwards", spec, f"({backwards} and not {overnight})", f"{end.utc}::varchar || ' UTC'")
    day = draft.parameter(timedelta(days=1))
    return instant_sql(f"case when {overnight} then {end.utc} + {day} else {end.utc} end")


def _day(draft: Draft, start: TimeValue | None, end: TimeValue | None, events: list[EventTime]) -> str:
    """The service day on the zone's clocks: as said, else that of the window, of the outcome, of the first event."""
    outcomes = [event for event in events if event.type in (*HANDOVERS, *FAILED_TRIES)]
    said = time_value(draft, draft.mapping.columns.get("day"))
    times = [time for time in (said, start, end) if time] + [event.value for event in outcomes + events]
    days = list(dict.fromkeys(local_date(draft, time) for time in times))
    return f"coalesce({', '.join(days)})" if days else "null::date"


def _recorded(draft: Draft, events: list[EventTime]) -> str:
    """When the booking became known: as said, else when it was ordered, else the earliest event, else the day's midnight."""
    said = time_value(draft, draft.mapping.columns.get("recorded_at"))
    ordered = [event.happened for event in events if event.type == EventType.ORDER_RECEIVED]
    first = [f"least({', '.join(event.happened for event in events)})"] if events else []
    zone = draft.parameter(draft.mapping.zone or "UTC")
    midnight = f"timezone({zone}, b_day::timestamp)::timestamp"
    choices = (
        ([said.utc] if said else []) + ordered + first + [midnight, draft.parameter(draft.now.replace(tzinfo=None))]
    )
    return instant_sql(f"coalesce({', '.join(choices)})")
