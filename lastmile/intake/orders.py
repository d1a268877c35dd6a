"""From a checked row to a version of what was asked for a delivery, and to the event that it was ordered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from lastmile.connections import Connection
from lastmile.intake.events import delivery_id, event_id
from lastmile.intake.fields import SUBJECTS
from lastmile.model import Classifier, Criticality, EventType, StatusSource, stable_id

SAID = (
    "order_id", "depot_id", "carrier_id", "service", "window_from", "window_due", "release_due", "site_id", "recipient",
    "area", "lon", "lat", "weight_kg", "volume_m3", "pieces", "lines", "service_minutes", "skills", "proof", "penalty",
    "value", "currency", "notes", "email", "language",
)  # fmt: skip
"""The columns of a booking that stand in the ledger as they were said."""


def booking_of(
    values: Mapping[str, Any], connection: Connection, received: datetime
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The version that a row tells of, and notes on what the ledger keeps otherwise than it was said."""
    place_unknown = values.get("lon") == 0 and values.get("lat") == 0
    booking = {name: values.get(name) for name in SAID} | {
        "booking_id": _version_id(values, connection),
        "recorded_at": values.get("recorded_at") or received,
        "delivery_id": delivery_id(values, connection),
        "kind": values.get("kind") or "delivery",
        "source": connection.source,
        "criticality": values.get("criticality") or Criticality.ROUTINE.value,
        "day": _day(values, connection),
        "zone": connection.zone,
        "window_semantics": connection.window_semantics if values.get("window_due") else None,
        "early_minutes": 0.0,
        "late_minutes": 0.0,
        "address": ", ".join(part for part in (values.get("address"), values.get("postcode")) if part) or None,
    }
    if place_unknown:
        booking |= {"lon": None, "lat": None}
    return booking, (("unknown_place",) if place_unknown else ())


def received_of(values: Mapping[str, Any], connection: Connection, received: datetime) -> dict[str, Any] | None:
    """The event order_received; None where the row does not say when it was ordered."""
    ordered = values.get("ordered_at")
    if ordered is None:
        return None
    subjects = dict.fromkeys(SUBJECTS) | {
        "delivery_id": delivery_id(values, connection),
        "depot_id": values.get("depot_id"),
    }
    type, classifier = EventType.ORDER_RECEIVED, Classifier.ACTUAL
    return subjects | {
        "event_id": event_id(connection.source, None, subjects, type, classifier, ordered),
        "type": type.value,
        "classifier": classifier.value,
        "occurred_at": ordered,
        "recorded_at": values.get("recorded_at") or received,
        "lon": None,
        "lat": None,
        "accuracy_m": None,
        "source": connection.source,
        "status_source": StatusSource.API.value,
        "reason": None,
        "actor": None,
        "payload": None,
        "corrects": None,
    }


def _day(values: Mapping[str, Any], connection: Connection) -> date | None:
    """The service day on the connection's clocks: as said, else that of the window, else that of the order."""
    if values.get("day"):
        return values["day"]
    first = values.get("window_from") or values.get("window_due") or values.get("ordered_at")
    return None if first is None else first.astimezone(ZoneInfo(connection.zone)).date()


def _version_id(values: Mapping[str, Any], connection: Connection) -> str:
    """From the version's own key, else from all that it says and how the connection reads it."""
    key = values.get("version_key")
    if key is not None:
        return str(stable_id(connection.source, "version", values["delivery_id"], key))
    said = {name: value for name, value in values.items() if value is not None and name != "recorded_at"}
    reading = (connection.numbers, connection.zone, connection.window_semantics)
    return str(stable_id(connection.source, "version", *reading, json.dumps(said, sort_keys=True, default=str)))
