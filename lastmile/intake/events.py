"""From a checked row to an event of the ledger; ids and payload as an import of the same row would make them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from lastmile.connections import Connection
from lastmile.ingest.fields import PAYLOAD
from lastmile.intake.fields import SUBJECTS, Kind
from lastmile.model import REASONS, Classifier, EventType, StatusSource, stable_id

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_TYPES = frozenset(EventType)
_REASONS = {key: key for key in REASONS} | {
    code.lower(): key for key, reason in REASONS.items() for code in reason.codes
}


def event_of(
    kind: Kind, values: Mapping[str, Any], connection: Connection, received: datetime
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The event that a row tells of, and notes on what the ledger keeps otherwise than it was said."""
    notes: list[str] = []
    said = values.get("event")
    type = kind.type or EventType(said if said in _TYPES else EventType.UNMAPPED)
    payload = {name: _payload(values[name]) for name in PAYLOAD if values.get(name) is not None}
    if type is EventType.UNMAPPED and said != EventType.UNMAPPED:
        payload["status"] = said
        notes.append("unmapped")
    reason = _reason(values.get("reason"), payload, notes)
    lon, lat = _place(values, notes)
    subjects = {name: values.get(name) for name in SUBJECTS}
    subjects["delivery_id"] = delivery_id(values, connection)
    classifier = values.get("classifier") or Classifier.ACTUAL
    corrects = values.get("corrects")
    event = subjects | {
        "event_id": event_id(
            connection.source, values.get("event_key"), subjects, type, classifier, values["occurred_at"]
        ),
        "type": type.value,
        "classifier": str(classifier),
        "occurred_at": values["occurred_at"],
        "recorded_at": values.get("recorded_at") or received,
        "lon": lon,
        "lat": lat,
        "accuracy_m": values.get("accuracy_m"),
        "source": connection.source,
        "status_source": values.get("status_source") or StatusSource.API.value,
        "reason": reason,
        "actor": values.get("actor"),
        "payload": json.dumps(payload, ensure_ascii=False, separators=(",", ":")) if payload else None,
        "corrects": str(stable_id(connection.source, corrects)) if corrects else None,
    }
    return event, tuple(notes)


def delivery_id(values: Mapping[str, Any], connection: Connection) -> str | None:
    """The tower's id of a delivery: whose number it is, and the number."""
    number = values.get("delivery_id")
    return None if number is None else f"{connection.numbers}:{number}"


def event_id(
    source: str, key: str | None, subjects: Mapping[str, str | None], type: str, classifier: str, occurred_at: datetime
) -> str:
    """From the source's own key, else from what happened to whom and when; as model.Event and imports make it."""
    if key is not None:
        return str(stable_id(source, key))
    whom = next((subjects[name] for name in SUBJECTS if subjects[name] is not None), None)
    return str(stable_id(source, whom, type, classifier, (occurred_at - _EPOCH) // _MICROSECOND))


def _reason(said: str | None, payload: dict[str, Any], notes: list[str]) -> str | None:
    """The reason's key; one that is not known is `other`, its text in the payload."""
    if said is None:
        return None
    known = _REASONS.get(said.lower())
    if known is None:
        payload["reason"] = said
        notes.append("unmapped_reason")
    return known or "other"


def _place(values: Mapping[str, Any], notes: list[str]) -> tuple[float | None, float | None]:
    """Longitude and latitude; (0, 0), off the coast of Africa, is what devices say that do not know."""
    lon, lat = values.get("lon"), values.get("lat")
    if lon == 0 and lat == 0:
        notes.append("unknown_place")
        return None, None
    return lon, lat


def _payload(value: Any) -> Any:
    return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if isinstance(value, datetime) else value
