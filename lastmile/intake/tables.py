"""Checked rows as tables for the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

_TEXTS = pa.list_(pa.string())
_INSTANT = pa.timestamp("us", "UTC")


def _schema(**types: pa.DataType) -> pa.Schema:
    return pa.schema(list(types.items()))


EVENT = _schema(
    event_id=pa.string(), type=pa.string(), classifier=pa.string(), occurred_at=_INSTANT, recorded_at=_INSTANT,
    delivery_id=pa.string(), route_id=pa.string(), vehicle_id=pa.string(), depot_id=pa.string(), lon=pa.float64(),
    lat=pa.float64(), accuracy_m=pa.float64(), source=pa.string(), status_source=pa.string(), reason=pa.string(),
    actor=pa.string(), payload=pa.string(), corrects=pa.string(),
)  # fmt: skip
BOOKING = _schema(
    booking_id=pa.string(), recorded_at=_INSTANT, delivery_id=pa.string(), order_id=pa.string(), kind=pa.string(),
    source=pa.string(), depot_id=pa.string(), carrier_id=pa.string(), service=pa.string(), criticality=pa.string(),
    day=pa.date32(), zone=pa.string(), window_from=_INSTANT, window_due=_INSTANT, window_semantics=pa.string(),
    early_minutes=pa.float64(), late_minutes=pa.float64(), release_due=_INSTANT, site_id=pa.string(),
    recipient=pa.string(), address=pa.string(), area=pa.string(), lon=pa.float64(), lat=pa.float64(),
    weight_kg=pa.float64(), volume_m3=pa.float64(), pieces=pa.float64(), lines=pa.int32(), service_minutes=pa.float64(),
    skills=_TEXTS, proof=_TEXTS, penalty=pa.float64(), value=pa.float64(), currency=pa.string(), notes=pa.string(),
    email=pa.string(), language=pa.string(),
)  # fmt: skip

QUARANTINED = _schema(
    row_id=pa.string(), received_at=_INSTANT, source=pa.string(), credential_id=pa.string(), format=pa.string(),
    raw=pa.string(), problems=pa.string(),
)  # fmt: skip


def events(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Events as a table of the ledger's columns."""
    return pa.Table.from_pylist(list(rows), schema=EVENT)


def bookings(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Versions of what was asked, as a table of the ledger's columns."""
    return pa.Table.from_pylist(list(rows), schema=BOOKING)


def quarantined(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Rows that were refused, as a table of the quarantine's columns."""
    return pa.Table.from_pylist(list(rows), schema=QUARANTINED)
