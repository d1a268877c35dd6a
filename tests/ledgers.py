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


def random_costs(seed: int) -> dict[str, pd.DataFrame]:
    """Plans with shared stops, shifts, rate cards with odd prices and charges of all kinds for a random ledger."""
    draw = random.Random(seed)
    early = {"recorded_at": START - timedelta(days=3)}
    prices = ("per_day", "per_hour", "per_overtime_hour", "per_km", "per_stop", "minimum_per_route")
    cards = [
        early
        | {"carrier_id": carrier, "valid_from": START.date() - timedelta(days=9), "currency": "EUR"}
        | {price: round(draw.uniform(0, 90), 2) for price in prices}
        for carrier in ("own", "partner")
    ]
    planned = [number for number in range(5) if draw.random() < 0.8]
    routes = [
        {
            "plan_id": "plan",
            "route_id": f"route {n}",
            "depot_id": "north",
            "day": START.date(),
            "vehicle_id": f"van {n}",
            "carrier_id": draw.choice(["own", "partner", None]),
            "departs_at": START,
            "returns_at": START + timedelta(hours=9),
            "distance_km": draw.choice([None, 33.3]),
        }
        for n in planned
    ]
    stops = [
        {
            "plan_id": "plan",
            "route_id": f"route {n % 5}",
            "stop": n // 10,
            "delivery_id": f"random:{n}",
            "arrive_at": START,
            "service_at": START,
            "depart_at": START,
            "distance_km": 1.0,
        }
        for n in range(40)
        if n % 5 in planned and draw.random() < 0.9
    ]
    shifts = [
        early
        | {
            "shift_id": f"shift {n}",
            "day": START.date(),
            "vehicle_id": f"van {n}",
            "starts_at": START,
            "ends_at": START + timedelta(hours=draw.randrange(4, 12)),
            "break_minutes": 30.0,
            "overtime_minutes": 60.0,
        }
        for n in range(5)
        if draw.random() < 0.7
    ]
    kinds = ["toll", "contractor", "third_party", "rehandling", "contact", "claim", "penalty", "crew_idle"]
    booked = [
        {
            "charge_id": stable_id("charge", seed, n),
            "kind": draw.choice(kinds),
            "amount": round(draw.uniform(-5, 60), 2),
            "currency": "EUR",
            "occurred_at": START + timedelta(hours=n),
            "recorded_at": START + timedelta(hours=n),
            "assumed": draw.random() < 0.3,
            "source": "random",
            "delivery_id": draw.choice([None, f"random:{draw.randrange(44)}"]),
            "route_id": draw.choice([None, None, f"route {draw.randrange(6)}"]),
        }
        for n in range(25)
    ]
    approved = {
        "event_id": stable_id("approved", seed),
        "type": "plan_approved",
        "classifier": "ACT",
        "occurred_at": START,
        "source": "tower",
        "status_source": "user",
        "payload": {"plan_id": "plan"},
    }
    plan = {
        "plan_id": "plan",
        "depot_id": "north",
        "day": START.date(),
        "version": 1,
        "made_by": "test",
        "engine": "none",
    }
    batch = {
        "plan": [early | plan],
        "route": routes,
        "planned_stop": stops,
        "shift": shifts,
        "rate_card": cards,
        "charge": booked,
        "event": [early | approved],
    }
    return {table: pd.DataFrame(rows) for table, rows in batch.items() if rows}


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
