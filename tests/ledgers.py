"""Random ledgers: small, seeded, and as untidy as real ones."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pandas as pd

from lastmile.model import stable_id

START = datetime(2026, 3, 2, 6, tzinfo=UTC)
CHAIN = [
    "order_received",
    "released_to_warehouse",
    "picked",
    "staged",
    "loaded",
    "arrived",
    "delivered",
    "departed_stop",
]


def random_batches(seed: int, deliveries: int = 40, batches: int = 6) -> list[dict[str, pd.DataFrame]]:
    """Bookings with revisions, events late and out of order, failed tries, corrections, cancelled and unbooked deliveries."""
    draw = random.Random(seed)
    bookings, events = [], []
    for number in range(deliveries):
        delivery_id = f"random:{number}"
        due = START + timedelta(days=draw.randrange(3), minutes=draw.randrange(600))
        if draw.random() < 0.9:
            bookings += _bookings(draw, delivery_id, due)
        events += _events(draw, delivery_id, number, due)
    draw.shuffle(events)
    return [
        {"booking": pd.DataFrame(bookings[part::batches]), "event": pd.DataFrame(events[part::batches])}
        for part in range(batches)
    ]


def _bookings(draw: random.Random, delivery_id: str, due: datetime) -> list[dict]:
    versions = 1 + (draw.random() < 0.3)
    rows = []
    for version in range(versions):
        window_due = due + timedelta(minutes=60 * version * draw.randrange(3))
        rows.append(
            {
                "booking_id": stable_id(delivery_id, version),
                "recorded_at": START - timedelta(days=1) + timedelta(hours=version),
                "delivery_id": delivery_id,
                "kind": "delivery",
                "source": "random",
                "depot_id": draw.choice(["north", "south"]),
                "carrier_id": draw.choice(["own", "partner"]),
                "service": draw.choice(["parcels", "medical"]),
                "criticality": "routine",
                "day": window_due.date(),
                "zone": "Europe/Berlin",
                "window_from": window_due - timedelta(hours=1) if draw.random() < 0.95 else None,
                "window_due": window_due if draw.random() < 0.95 else None,
                "window_semantics": draw.choice(["arrival", "service_start", "service_end"]),
                "early_minutes": 0.0,
                "late_minutes": float(draw.choice([0, 5])),
                "lon": 13.4,
                "lat": 52.5,
                "volume_m3": draw.choice([None, 0.1, 0.5]),
                "proof": draw.choice([None, ["signature"], ["signature", "photo"]]),
            }
        )
    return rows


def _events(draw: random.Random, delivery_id: str, number: int, due: datetime) -> list[dict]:
    rows = []
    instant = due - timedelta(hours=5)
    for type in CHAIN:
        instant += timedelta(minutes=draw.randrange(1, 70))
        if draw.random() < 0.1:
            continue
        outcome = type == "delivered"
        if outcome and draw.random() < 0.2:
            type = draw.choice(["attempted", "refused", "not_completed", "partially_delivered"])
        rows.append(
            {
                "event_id": stable_id("random", delivery_id, type, instant),
                "type": type,
                "classifier": "ACT",
                "occurred_at": instant,
                "recorded_at": instant + timedelta(minutes=draw.randrange(0, 90)),
                "delivery_id": delivery_id,
                "route_id": f"route {number % 5}"
                if type in ("loaded", "arrived", "delivered", "departed_stop")
                else None,
                "vehicle_id": f"van {number % 5}",
                "source": "random",
                "status_source": "driver",
                "lon": 13.4 + draw.choice([0, 0.02]),
                "lat": 52.5,
                "reason": "recipient_unavailable" if type == "attempted" else None,
                "payload": {"service_started_at": instant.isoformat(), "proof": ["signature"]} if outcome else None,
                "corrects": None,
            }
        )
    if rows and draw.random() < 0.1:
        wrong = draw.choice(rows)
        rows.append(
            wrong
            | {
                "event_id": stable_id("correction", wrong["event_id"]),
                "type": "corrected",
                "recorded_at": wrong["recorded_at"] + timedelta(minutes=30),
                "corrects": wrong["event_id"],
                "payload": None,
            }
        )
    return rows
