"""Traccar: positions as its server forwards them in JSON, and as its phone app sends them (OsmAnd). Vehicles are device ids."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from lastmile.adapters.adapted import (
    Adapted,
    BadBody,
    Format,
    Unread,
    from_milliseconds,
    json_body,
    objects,
    part,
    text,
)

KMH_PER_KNOT = 1.852
KMH_PER_METRE_A_SECOND = 3.6


def read(body: bytes, _: str) -> Adapted:
    """The positions that a Traccar server forwards (forward.type = json), or that the phone app sends from version 9 on.

    The vehicle is the device's own identifier (device.uniqueId, device_id). A position that the device calls invalid is
    passed over; what carries no position, such as an event of Traccar's own, too. Raises BadBody.
    """
    found = objects(json_body(body, "message of Traccar"))
    if not found:
        raise BadBody("A position as Traccar forwards it is expected: a JSON object, or a list of them.")
    adapted = Adapted()
    for one in found:
        if isinstance(one.get("location"), dict):
            _add_of_app(adapted, one)
        elif isinstance(one.get("position"), dict):
            _add_forwarded(adapted, one)
        elif "event" in one:
            adapted.passed_over += 1
        else:
            adapted.unread.append(Unread(one, "position", None))
    return adapted


def osmand(parameters: Mapping[str, str]) -> Adapted:
    """The position in the query of an OsmAnd request (traccar.org/osmand): id, lat, lon, timestamp, speed in knots, accuracy."""
    adapted = Adapted()
    if parameters.get("valid", "").lower() in ("false", "0"):
        adapted.passed_over += 1
        return adapted
    lat, lon = parameters.get("lat"), parameters.get("lon")
    if "location" in parameters:
        lat, _, lon = parameters["location"].partition(",")
    speed = _number(parameters.get("speed"))
    adapted.add(
        "positions",
        vehicle_id=parameters.get("id") or parameters.get("deviceid"),
        occurred_at=_instant(parameters.get("timestamp")),
        lon=_number(lon),
        lat=_number(lat),
        accuracy_m=_number(parameters.get("accuracy")),
        speed_kmh=_kmh(speed, KMH_PER_KNOT),
        actor=parameters.get("driverUniqueId"),
    )
    return adapted


def _add_forwarded(adapted: Adapted, said: dict[str, Any]) -> None:
    position = said["position"]
    if position.get("valid") is False:
        adapted.passed_over += 1
        return
    accuracy = position.get("accuracy")
    adapted.add(
        "positions",
        vehicle_id=text(part(said, "device", "uniqueId")) or text(part(said, "device", "name")),
        occurred_at=_instant(position.get("fixTime")),
        lon=position.get("longitude"),
        lat=position.get("latitude"),
        accuracy_m=accuracy or None,  # Traccar writes 0 where the device told none
        speed_kmh=_kmh(position.get("speed"), KMH_PER_KNOT),
        actor=text(part(position, "attributes", "driverUniqueId")),
    )


def _add_of_app(adapted: Adapted, said: dict[str, Any]) -> None:
    where = part(said, "location", "coords")
    speed = part(where, "speed")
    adapted.add(
        "positions",
        vehicle_id=text(said.get("device_id")),
        occurred_at=_instant(part(said, "location", "timestamp")),
        lon=part(where, "longitude"),
        lat=part(where, "latitude"),
        accuracy_m=part(where, "accuracy"),
        speed_kmh=_kmh(speed, KMH_PER_METRE_A_SECOND),
    )


def _kmh(speed: Any, factor: float) -> Any:
    """Speed in km/h; a negative one is how phones say that they do not know."""
    if isinstance(speed, bool) or not isinstance(speed, int | float):
        return None
    return round(speed * factor, 2) if speed >= 0 else None


def _number(value: str | None) -> float | str | None:
    try:
        return None if value in (None, "") else float(value)
    except ValueError:
        return value


def _instant(value: Any) -> str | None:
    """Epoch seconds or milliseconds, ISO 8601 (also with +0000), or a time in UTC; as it stands where it is none of them."""
    if isinstance(value, int | float) or (isinstance(value, str) and value.strip().isdigit() and len(value) <= 17):
        number = float(value)
        return from_milliseconds(number if number >= 1e11 else number * 1000) or str(value)
    if not isinstance(value, str):
        return None
    try:
        read = datetime.fromisoformat(value.strip())
    except ValueError:
        return value
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).isoformat()


TRACCAR = Format(
    "traccar",
    "Traccar",
    "Positions as a Traccar server forwards them (forward.type = json), or as its phone app sends them.",
    ("positions",),
    read,
    example='{"device": {"uniqueId": "V-3"}, "position": {"fixTime": "2026-03-02T08:18:00.000+00:00", "valid": true, '
    '"latitude": 52.55021, "longitude": 13.37308, "speed": 18.4, "accuracy": 6.0}}',
)
