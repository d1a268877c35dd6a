"""A delivery's events as a GS1 EPCIS 2.0 document in JSON-LD; read by `epcis` it gives the same events again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from lastmile.adapters.epcis import OWN_FIELDS, PREFIX, URN

CONTEXT = ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld", {"lastmile": "urn:lastmile:vocabulary:"}]
STEPS = {
    "picked": "picking",
    "packed": "packing",
    "staged": "staging_outbound",
    "loaded": "loading",
    "departed_depot": "departing",
    "departed_stop": "departing",
    "en_route_to_stop": "transporting",
    "arrived": "arriving",
    "delivered": "accepting",
    "partially_delivered": "receiving",
    "cancelled": "void_shipping",
    "condition_reading": "sensor_reporting",
    "installed": "installing",
}
"""Event → business step (CBV); what has none goes out without, with the tower's own word beside it."""


def epcis_document(delivery_id: str, events: Iterable[Mapping[str, Any]], created_at: datetime) -> dict[str, Any]:
    """The document of one delivery. `events`: rows of queries.delivery_events as plain values, None for nothing.

    What was planned or estimated, and what was corrected since, is left out.
    """
    actual = [
        event
        for event in events
        if event["classifier"] == "ACT" and not event["is_corrected"] and not event["is_correction"]
    ]
    return {
        "@context": CONTEXT,
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": _instant(created_at),
        "epcisBody": {"eventList": [_event(delivery_id, event) for event in actual]},
    }


def _event(delivery_id: str, event: Mapping[str, Any]) -> dict[str, Any]:
    payload = json.loads(event["payload"]) if event["payload"] else {}
    word = payload.pop("status", event["type"]) if event["type"] == "unmapped" else event["type"]
    reason = payload.pop("reason", event["reason"])
    told = {
        "type": "ObjectEvent",
        "eventID": f"urn:uuid:{event['event_id']}",
        "eventTime": _instant(event["occurred_at"]),
        "recordTime": _instant(event["recorded_at"]),
        "eventTimeZoneOffset": "+00:00",
        "epcList": [URN + quote(delivery_id, safe="")],
        "action": "OBSERVE",
        "bizStep": STEPS.get(event["type"]),
        "readPoint": None if event["lon"] is None else {"id": f"geo:{event['lat']!r},{event['lon']!r}"},
        f"{PREFIX}event": word,
    }
    if event["type"] == "condition_reading" and "celsius" in payload:
        told["sensorElementList"] = [_sensor(event, payload.pop("celsius"))]
    own = {PREFIX + name: event.get(name) for name in OWN_FIELDS} | {f"{PREFIX}reason": reason}
    told |= own | {f"{PREFIX}payload": payload or None}
    return {name: value for name, value in told.items() if value is not None}


def _sensor(event: Mapping[str, Any], celsius: float) -> dict[str, Any]:
    return {
        "sensorMetadata": {"time": _instant(event["occurred_at"])},
        "sensorReport": [{"type": "Temperature", "value": celsius, "uom": "CEL"}],
    }


def _instant(at: datetime) -> str:
    """An instant in UTC with as many decimals as it has, at least milliseconds."""
    decimals = "microseconds" if at.microsecond % 1000 else "milliseconds"
    return at.replace(tzinfo=None).isoformat(timespec=decimals) + "Z"
