"""The fields that a row may have, by kind of row: the names of the file templates, the meanings of the import's catalogue."""

from __future__ import annotations

from dataclasses import dataclass

from lastmile.connections import TokenScope
from lastmile.ingest import fields as ingest
from lastmile.ingest.fields import WORDS, Field
from lastmile.model import REASONS, EventType

MOST_OF_AN_ID = 200
MOST_OF_A_TEXT = 2_000
MOST_IN_A_LIST = 100
MOST_OF_A_NUMBER = 1e12
SUBJECTS = ("delivery_id", "route_id", "vehicle_id", "depot_id")


@dataclass(frozen=True)
class RowField:
    """One field: `type` as of ingest.fields.Field, `least` and `most` for numbers, `words` where only some are known."""

    name: str
    type: str
    meaning: str
    unit: str = ""
    required: bool = False
    least: float | None = None
    most: float | None = None
    words: tuple[str, ...] = ()
    example: object = None


@dataclass(frozen=True)
class Kind:
    """One kind of row: its fields, the scope that it takes to send it, and the event type where all its rows have one."""

    key: str
    told: str
    scope: TokenScope
    fields: dict[str, RowField]
    type: EventType | None = None
    a_subject: bool = False  # one of SUBJECTS must be named


BOUNDS = {"lon": (-180, 180), "lat": (-90, 90), "celsius": (-273.15, 10_000)}
EXAMPLES = {
    "delivery_id": "D-1001",
    "order_id": "O-501",
    "event_key": "scan-88121",
    "route_id": "R-7",
    "vehicle_id": "V-3",
    "depot_id": "north",
    "event": "delivered",
    "occurred_at": "2026-03-02T09:18:00+01:00",
    "lon": 13.37308,
    "lat": 52.55021,
    "speed_kmh": 34,
    "celsius": 4.6,
    "handed_to": "recipient",
    "proof": ["signature"],
    "ordered_at": "2026-03-01T14:05:00+01:00",
    "day": "2026-03-02",
    "window_from": "2026-03-02T09:00:00+01:00",
    "window_due": "2026-03-02T11:00:00+01:00",
    "recipient": "Workshop Lindner",
    "address": "Uferstrasse 4",
    "email": "workshop@example.com",
    "language": "de",
    "currency": "EUR",
}


def _field(name: str, known: Field, *, required: bool = False) -> RowField:
    least, most = BOUNDS.get(name, (0, MOST_OF_A_NUMBER) if known.type in ("number", "whole") else (None, None))
    most = 2**31 - 1 if known.type == "whole" else most
    meaning, words = known.meaning, WORDS.get(name, ())
    return RowField(name, known.type, meaning, known.unit, required, least, most, words, EXAMPLES.get(name))


def _named(*fields: RowField) -> dict[str, RowField]:
    return {field.name: field for field in fields}


_DELIVERY = RowField(
    "delivery_id", "id", "The delivery's own number in the system whose numbers the connection uses.",
    example="D-1001",
)  # fmt: skip
_KEY = _field("event_key", ingest.EVENT["event_key"])
_TIME = _field("occurred_at", ingest.EVENT["time"], required=True)
_RECORDED = RowField(
    "recorded_at",
    "time",
    "When your system learnt of it; the instant at which the tower receives it where none is given.",
)
_WHERE = tuple(_field(name, ingest.EVENT[name]) for name in ("lon", "lat", "accuracy_m"))
_WHO = tuple(_field(name, ingest.EVENT[name]) for name in ("route_id", "vehicle_id", "depot_id"))
_SAID = tuple(_field(name, ingest.EVENT[name]) for name in ("actor", "status_source", "classifier"))
_CORRECTS = RowField(
    "corrects", "id", "The event_key of an earlier event of this source that did not happen so; it counts no more."
)

EVENTS = Kind(
    "events",
    "What happened to a delivery, a route, a vehicle or a depot.",
    TokenScope.EVENTS,
    _named(
        _KEY,
        RowField(
            "event", "text", f"What happened: {', '.join(EventType)}. Any other word is kept as unmapped, and counted.",
            required=True, example="delivered",
        ),
        _TIME, _RECORDED, _DELIVERY, *_WHO, *_WHERE,
        RowField(
            "reason", "text", f"Why it failed or was late: {', '.join(REASONS)}. Any other word is kept as other, with its text.",
        ),
        *_SAID, _CORRECTS,
        *(_field(name, known) for name, known in ingest.PAYLOAD.items()),
    ),
    a_subject=True,
)  # fmt: skip
POSITIONS = Kind(
    "positions",
    "Where a vehicle was.",
    TokenScope.POSITIONS,
    _named(
        _KEY,
        _field("vehicle_id", ingest.EVENT["vehicle_id"], required=True),
        _TIME, _RECORDED,
        _field("lon", ingest.EVENT["lon"], required=True),
        _field("lat", ingest.EVENT["lat"], required=True),
        _WHERE[2], _WHO[0], _WHO[2],
        _field("speed_kmh", ingest.PAYLOAD["speed_kmh"]),
        _SAID[0],
    ),
    type=EventType.POSITION,
)  # fmt: skip
READINGS = Kind(
    "condition-readings",
    "What a sensor in a vehicle or with a delivery read.",
    TokenScope.READINGS,
    _named(
        _KEY,
        _field("celsius", ingest.PAYLOAD["celsius"], required=True),
        _TIME, _RECORDED, _DELIVERY, *_WHO, *_WHERE, _SAID[0],
    ),
    type=EventType.CONDITION_READING,
    a_subject=True,
)  # fmt: skip
ORDERS = Kind(
    "orders",
    "What a customer asked for: one delivery, or a later version of it. The first promise stays the one that counts.",
    TokenScope.ORDERS,
    _named(
        RowField("delivery_id", "id", _DELIVERY.meaning, required=True, example="D-1001"),
        RowField(
            "version_key", "id",
            "The version's own number or time in your system: the same is the same version. Without it, a version that says what "
            "an earlier one said is taken for its repetition.",
        ),
        RowField("ordered_at", "time", "When the order came in; becomes the event order_received.",
                 example=EXAMPLES["ordered_at"]),
        _RECORDED,
        *(_field(name, known) for name, known in ingest.BOOKING.items() if name not in ("key", "place", "recorded_at")),
    ),
)  # fmt: skip

KINDS: dict[str, Kind] = {kind.key: kind for kind in (EVENTS, ORDERS, POSITIONS, READINGS)}
