"""GS1 EPCIS 2.0 in JSON (JSON-LD): events of other systems in. What goes out is in epcis_document.

Whose event it is: a delivery of a tower's own URN, else the despatch advice (bizTransaction of type desadv), else the parent
of an aggregation, else each EPC of the list. An SSCC, as URN or Digital Link, becomes its 18 digits.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

from lastmile.adapters.adapted import Adapted, BadBody, Format, Unread, json_body, objects, part, text

EVENTS = ("ObjectEvent", "AggregationEvent", "TransactionEvent", "TransformationEvent", "AssociationEvent")
STEPS = {
    "picking": "picked",
    "packing": "packed",
    "staging_outbound": "staged",
    "loading": "loaded",
    "departing": "departed_depot",
    "transporting": "en_route_to_stop",
    "arriving": "arrived",
    "unloading": "delivered",
    "receiving": "delivered",
    "accepting": "delivered",
    "void_shipping": "cancelled",
    "sensor_reporting": "condition_reading",
    "installing": "installed",
}
"""Business step (CBV) → event, as in the vocabulary; any other step is kept as unmapped."""

URN = "urn:lastmile:delivery:"
PREFIX = "lastmile:"
"""Fields of the tower's own in its documents: the exact event, reason, and what EPCIS has no field for."""

OWN_FIELDS = ("reason", "status_source", "actor", "route_id", "vehicle_id", "depot_id", "accuracy_m")
CELSIUS = {"CEL": lambda value: value, "FAH": lambda value: (value - 32) / 1.8, "KEL": lambda value: value - 273.15}
"""Unit code (UN/CEFACT Rec. 20) of a temperature → degrees Celsius."""


def read(body: bytes, _: str) -> Adapted:
    """The events of an EPCISDocument, of a list of events or of one; temperatures in sensor reports become readings.

    An event with an errorDeclaration says that it did not happen so: it becomes a correction. Raises BadBody.
    """
    said = json_body(body, "EPCIS document")
    inside = part(said, "epcisBody", "eventList")
    found = objects(inside) if inside is not None else objects(part(said, "epcisBody", "event")) or objects(said)
    found = [one for one in found if _type(one) != "EPCISDocument"]
    if not found and _type(said) != "EPCISDocument":
        raise BadBody("An EPCISDocument with epcisBody.eventList, or a list of EPCIS events, is expected.")
    adapted = Adapted()
    for one in found:
        _read_one(adapted, one)
    return adapted


def _type(said: Any) -> str | None:
    return text(part(said, "type") or part(said, "isA"))


def _read_one(adapted: Adapted, event: dict[str, Any]) -> None:
    if _type(event) not in EVENTS:
        adapted.unread.append(Unread(event, "type", _type(event)))
        return
    deliveries = _deliveries(event)
    if not deliveries:
        adapted.unread.append(Unread(event, "epcList", None))
        return
    for number in deliveries:
        key = _key(event, number if len(deliveries) > 1 else None)
        if isinstance(event.get("errorDeclaration"), dict):
            _add_correction(adapted, event, number, key)
            continue
        readings = _add_readings(adapted, event, number, key)
        name = _event(event)
        if name != "condition_reading" or not readings:
            _add_event(adapted, event, number, key, name)


def _add_event(adapted: Adapted, event: dict[str, Any], number: str, key: str | None, name: str) -> None:
    lon, lat = _place(event)
    own = {field: event.get(PREFIX + field) for field in OWN_FIELDS}
    payload = event.get(f"{PREFIX}payload")
    adapted.add(
        "events",
        event_key=key,
        delivery_id=number,
        event=name,
        occurred_at=text(event.get("eventTime")),
        recorded_at=text(event.get("recordTime")),
        lon=lon,
        lat=lat,
        **own,
        **(payload if isinstance(payload, dict) else {}),
    )


def _add_correction(adapted: Adapted, event: dict[str, Any], number: str, key: str | None) -> None:
    if key is None:
        adapted.unread.append(Unread(event, "eventID", text(event.get("eventID"))))
        return
    adapted.add(
        "events",
        event_key=f"{key} was wrong",
        delivery_id=number,
        event="corrected",
        corrects=key,
        occurred_at=text(part(event, "errorDeclaration", "declarationTime")),
        why=text(part(event, "errorDeclaration", "reason")),
    )


def _add_readings(adapted: Adapted, event: dict[str, Any], number: str, key: str | None) -> int:
    """Add a reading for each temperature of an event's sensor reports; returns how many there were."""
    lon, lat = _place(event)
    count = 0
    for element in objects(event.get("sensorElementList") or []):
        meta = element.get("sensorMetadata") or element.get("sensorMetaData")
        for report in objects(element.get("sensorReport") or []):
            celsius = _celsius(report)
            if celsius is None:
                continue
            count += 1
            adapted.add(
                "condition-readings",
                event_key=f"{key} {count}" if key else None,
                delivery_id=number,
                celsius=celsius,
                occurred_at=text(report.get("time")) or text(part(meta, "time")) or text(event.get("eventTime")),
                recorded_at=text(event.get("recordTime")),
                lon=lon,
                lat=lat,
                vehicle_id=event.get(f"{PREFIX}vehicle_id"),
                route_id=event.get(f"{PREFIX}route_id"),
                actor=text(part(meta, "deviceID")) or text(report.get("deviceID")),
            )
    return count


def _event(event: dict[str, Any]) -> str:
    """What happened: the tower's own word where it stands there, else by the business step."""
    own = text(event.get(f"{PREFIX}event"))
    if own is not None:
        return own
    step = _word(text(event.get("bizStep")) or "")
    return STEPS.get(step, step or _type(event) or "")


def _word(uri: str) -> str:
    """The bare word of the CBV: departing, urn:epcglobal:cbv:bizstep:departing, https://ref.gs1.org/cbv/BizStep-departing."""
    found = re.fullmatch(r"(?:urn:epcglobal:cbv:\w+:|https?://\S*/(?:\w+-)?|cbv:(?:\w+-)?)([\w-]+)", uri)
    return found[1] if found else uri


def _deliveries(event: dict[str, Any]) -> list[str]:
    epcs = (
        [epc for epc in map(text, event.get("epcList") or []) if epc] if isinstance(event.get("epcList"), list) else []
    )
    own = [unquote(epc.removeprefix(URN)).partition(":")[2] for epc in epcs if epc.startswith(URN)]
    if own:
        return own
    advice = [
        text(transaction.get("bizTransaction"))
        for transaction in objects(event.get("bizTransactionList") or [])
        if _word(text(transaction.get("type")) or "") == "desadv"
    ]
    if any(advice):
        return [number.rpartition(":")[2] for number in advice if number]
    parent = text(event.get("parentID"))
    return [_number(epc) for epc in ([parent] if parent else epcs)]


def _number(epc: str) -> str:
    """An SSCC as its 18 digits (GS1 General Specifications, check digit of section 7.9); any other EPC as it stands."""
    link = re.search(r"/00/(\d{18})$", epc)
    if link:
        return link[1]
    urn = re.fullmatch(r"urn:epc:id:sscc:(\d{6,12})\.(\d{5,11})", epc)
    if urn is None or len(urn[1]) + len(urn[2]) != 17:
        return epc
    digits = urn[2][0] + urn[1] + urn[2][1:]
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(digits))
    return f"{digits}{-total % 10}"


def _key(event: dict[str, Any], number: str | None) -> str | None:
    """The event's own id, with the delivery where it is about several; ids that hold in one document only are none."""
    key = text(event.get("eventID"))
    if key is None or key.startswith("_:"):
        return None
    return key if number is None else f"{key} {number}"


def _place(event: dict[str, Any]) -> tuple[float | None, float | None]:
    """Where it was read: a geo URI (RFC 5870) as read point or business location; other places have no coordinates here."""
    for name in ("readPoint", "bizLocation"):
        said = event.get(name)
        uri = text(said.get("id") if isinstance(said, dict) else said) or ""
        found = re.match(r"geo:(-?\d+(?:\.\d+)?),(-?\d+(?:\.\d+)?)", uri)
        if found:
            return float(found[2]), float(found[1])
    return None, None


def _celsius(report: dict[str, Any]) -> float | None:
    if _word((text(report.get("type")) or "").removeprefix("gs1:").removeprefix("MT-")) != "Temperature":
        return None
    value, unit = report.get("value"), text(report.get("uom")) or "CEL"
    if isinstance(value, bool) or not isinstance(value, int | float) or unit not in CELSIUS:
        return None
    return round(CELSIUS[unit](value), 4)


EPCIS = Format(
    "epcis",
    "GS1 EPCIS 2.0",
    "An EPCISDocument in JSON. Business steps of the CBV become events, temperatures in sensor reports become readings.",
    ("events", "condition-readings"),
    read,
    ("application/ld+json", "application/json"),
    '{"type": "EPCISDocument", "schemaVersion": "2.0", "epcisBody": {"eventList": [{"type": "ObjectEvent", '
    '"action": "OBSERVE", "eventTime": "2026-03-02T09:18:00+01:00", "eventTimeZoneOffset": "+01:00", '
    '"bizStep": "accepting", "epcList": ["https://id.gs1.org/00/106141412345678908"]}]}}',
)
