"""One day that can be worked by hand: twelve deliveries, two routes, every case that a KPI distinguishes.

Monday 2 March 2026 in Berlin (UTC+1). All places lie on one meridian, 0.01° (1,112 m) apart: distances are steps.

    morning, van-1 (own): 08:15 out; driven early, on_time, failed, late, and retried, which was planned for the
        afternoon; planned early, on_time, late, failed; 11:30 back
    afternoon, van-2 (partner): 13:00 out; retried, unproven, partial, no_promise, revised as planned; 15:30 back
    never tried: cancelled (by the customer), open (due 19:00 to 20:00), silent (due 14:00 to 16:00, no outcome)

The clock stands at 18:00. A scan reaches the ledger one minute after it was made, unless said otherwise.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from lastmile import clock
from lastmile.model import stable_id
from lastmile.store import Batch, Store

DAY = date(2026, 3, 2)
LON, DEPOT_LAT, STEP = 13.40, 52.50, 0.01
MORNING, AFTERNOON = "morning", "afternoon"
NAMES = (
    "early",
    "on_time",
    "late",
    "failed",
    "retried",
    "unproven",
    "partial",
    "no_promise",
    "revised",
    "cancelled",
    "open",
    "silent",
)


def local(text: str) -> datetime:
    """A time of the tiny day in Berlin, such as "08:15", in UTC."""
    hours, minutes = map(int, text.split(":"))
    return datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC) + timedelta(hours=hours - 1, minutes=minutes)


NOW = local("18:00")
BEFORE = local("06:00")


def place(step: int | None) -> float | None:
    """The latitude so many steps north of the depot."""
    return None if step is None else round(DEPOT_LAT + step * STEP, 2)


def _booking(name: str, window: str | None, semantics: str, step: int | None, **more: Any) -> dict[str, Any]:
    window_from, window_due = (local(text) for text in window.split("–")) if window else (None, None)
    row = {
        "booking_id": stable_id("tiny", name, 1),
        "recorded_at": BEFORE,
        "delivery_id": name,
        "order_id": f"order {name}",
        "kind": "delivery",
        "source": "shop",
        "depot_id": "north",
        "carrier_id": "own" if name in ("early", "on_time", "late", "failed") else "partner",
        "service": "parcels",
        "criticality": "routine",
        "day": DAY,
        "zone": "Europe/Berlin",
        "window_from": window_from,
        "window_due": window_due,
        "window_semantics": semantics if window else None,
        "early_minutes": 0.0,
        "late_minutes": 0.0,
        "recipient": f"recipient of {name}",
        "address": f"Meridian {name}",
        "area": "centre",
        "lon": None if step is None else LON,
        "lat": place(step),
        "weight_kg": 10.0,
        "volume_m3": 0.1,
        "pieces": 1.0,
        "lines": 1,
        "service_minutes": 10.0,
        "proof": ["signature"],
        "currency": "EUR",
    }
    return row | more


def bookings() -> pd.DataFrame:
    """The twelve deliveries, and the second version of `revised`."""
    revised = _booking("revised", "13:00–14:00", "service_end", 8, lines=2, weight_kg=20.0, proof=["photo"])
    return pd.DataFrame(
        [
            _booking("early", "09:00–10:00", "service_end", 1, lines=2, order_id="order double"),
            _booking(
                "on_time",
                "09:00–10:00",
                "arrival",
                2,
                lines=3,
                weight_kg=20.0,
                volume_m3=0.2,
                proof=["signature", "documents"],
                criticality="regulated",
            ),
            _booking(
                "late",
                "09:00–10:00",
                "service_end",
                4,
                order_id="order double",
                volume_m3=0.3,
                proof=["photo"],
                service="spares",
            ),
            _booking("failed", "09:00–12:00", "arrival", 3, lines=2, weight_kg=20.0, volume_m3=0.3, area="harbour"),
            _booking("retried", "10:00–12:00", "service_end", 5, proof=None, service="spares"),
            _booking("unproven", "13:00–15:00", "arrival", 6, lines=2, volume_m3=None, area="harbour"),
            _booking("partial", "13:30–14:30", "service_start", 7, lines=4, weight_kg=40.0, order_id="order mixed"),
            _booking(
                "no_promise", None, "arrival", None, weight_kg=20.0, order_id="order mixed", proof=[], address=None
            ),
            revised,
            revised
            | {
                "booking_id": stable_id("tiny", "revised", 2),
                "recorded_at": local("12:00"),
                "window_from": local("14:30"),
                "window_due": local("15:30"),
            },
            _booking("cancelled", "13:00–15:00", "arrival", 9),
            _booking("open", "19:00–20:00", "arrival", 9),
            _booking("silent", "14:00–16:00", "arrival", 9),
        ]
    )


def _event(
    type: str,
    name: str | None,
    occurred: str,
    *,
    route: str | None = None,
    source: str = "app",
    latency: int = 1,
    **more: Any,
) -> dict[str, Any]:
    vehicle = {MORNING: "van-1", AFTERNOON: "van-2"}.get(route)
    row = {
        "event_id": stable_id(source, name or route, type, occurred),
        "type": type,
        "classifier": "ACT",
        "occurred_at": local(occurred),
        "recorded_at": local(occurred) + timedelta(minutes=latency),
        "delivery_id": name,
        "route_id": route,
        "vehicle_id": vehicle,
        "depot_id": None,
        "lon": None,
        "lat": None,
        "source": source,
        "status_source": "driver",
        "reason": None,
        "actor": vehicle and vehicle.replace("van", "driver"),
        "payload": None,
    }
    return row | more


def _at(step: int) -> dict[str, float]:
    return {"lon": LON, "lat": place(step)}


def _stop(
    name: str, route: str, arrived: str, done: str, left: str | None, outcome: str, **more: Any
) -> list[dict[str, Any]]:
    rows = [_event("arrived", name, arrived, route=route), _event(outcome, name, done, route=route, **more)]
    return rows + ([_event("departed_stop", name, left, route=route)] if left else [])


def _handed(to: str | None, started: str | None, lines: int, *proof: str, **more: Any) -> dict[str, Any]:
    payload = {"lines_delivered": lines, "proof": list(proof)} | more
    if to:
        payload["handed_to"] = to
    if started:
        payload["service_started_at"] = local(started).isoformat()
    return payload


RECEIVED = {
    "early": "07:40",
    "on_time": "07:15",
    "late": "07:20",
    "failed": "07:00",
    "retried": "07:30",
    "unproven": "07:00",
    "partial": "07:10",
    "revised": "06:50",
    "cancelled": "07:00",
    "open": "07:00",
    "silent": "07:00",
}
STAGED = ("early", "on_time", "late", "failed", "retried", "unproven", "no_promise", "revised", "silent")
LOADED = (
    ("early", MORNING),
    ("late", MORNING),
    ("failed", MORNING),
    ("retried", MORNING),
    ("retried", AFTERNOON),
    ("unproven", AFTERNOON),
    ("partial", AFTERNOON),
    ("no_promise", AFTERNOON),
    ("revised", AFTERNOON),
)


def _before_the_road() -> list[dict[str, Any]]:
    rows = [_event("order_received", name, at, source="shop", latency=0) for name, at in RECEIVED.items()]
    rows += [_event("staged", name, "07:50") for name in STAGED]
    rows += [_event("loaded", name, "08:05" if route == MORNING else "12:50", route=route) for name, route in LOADED]
    return [
        *rows,
        _event("cancelled", "cancelled", "10:00", source="shop", latency=0, reason="customer_requested_change"),
    ]


def _morning() -> list[dict[str, Any]]:
    return [
        _event("departed_depot", None, "08:15", route=MORNING),
        *_stop(
            "early",
            MORNING,
            "08:30",
            "08:40",
            "08:40",
            "delivered",
            **_at(1),
            payload=_handed("recipient", "08:30", 2, "signature"),
        ),
        *_stop(
            "on_time",
            MORNING,
            "09:00",
            "09:15",
            "09:15",
            "delivered",
            **_at(2),
            payload=_handed("recipient", "09:05", 3, "signature", "documents", documents_right=True),
        ),
        *_stop(
            "failed",
            MORNING,
            "09:30",
            "09:40",
            "09:40",
            "not_completed",
            **_at(3),
            reason="recipient_unavailable",
            payload={"service_started_at": local("09:30").isoformat()},
        ),
        *_stop(
            "late",
            MORNING,
            "10:00",
            "10:20",
            "10:20",
            "delivered",
            **_at(5),
            payload=_handed("neighbour", "10:00", 1),
            latency=30,
        ),
        *_stop(
            "retried",
            MORNING,
            "10:40",
            "10:50",
            "10:50",
            "not_completed",
            **_at(7),
            reason="other",
            payload={"service_started_at": local("10:40").isoformat()},
        ),
        _event("returned_to_depot", None, "11:30", route=MORNING, payload={"distance_km": 20}),
    ]


def _afternoon() -> list[dict[str, Any]]:
    return [
        _event("departed_depot", None, "13:00", route=AFTERNOON),
        *_stop(
            "retried",
            AFTERNOON,
            "13:20",
            "13:30",
            "13:30",
            "delivered",
            **_at(5),
            payload=_handed("neighbour", "13:20", 1),
        ),
        _event("not_completed", "unproven", "13:45", route=AFTERNOON),
        *_stop(
            "partial",
            AFTERNOON,
            "14:00",
            "14:10",
            "14:10",
            "partially_delivered",
            payload=_handed("recipient", "14:00", 2, "signature"),
        ),
        *_stop("no_promise", AFTERNOON, "14:20", "14:30", None, "delivered", **_at(7), payload=_handed(None, None, 1)),
        *_stop(
            "revised",
            AFTERNOON,
            "14:40",
            "14:50",
            "14:50",
            "delivered",
            **_at(8),
            payload=_handed("recipient", "14:40", 2, "photo", "signature"),
        ),
        _event("unmapped", "no_promise", "14:25", payload={"status": "parked"}),
        _event("returned_to_depot", None, "15:30", route=AFTERNOON),
    ]


def _positions() -> list[dict[str, Any]]:
    """Four of van-1; that of 09:10 reaches the ledger at 09:40, after that of 09:20."""
    latencies = {"08:20": 1, "09:10": 30, "09:20": 1, "10:10": 1}
    return [
        _event(
            "position",
            None,
            at,
            vehicle_id="van-1",
            source="gps",
            latency=latency,
            event_id=stable_id("gps", at),
            **_at(2),
        )
        for at, latency in latencies.items()
    ]


def _told_arrivals() -> list[dict[str, Any]]:
    """What the tower predicted of three arrivals: told at, the middle, and the interval; on_time's was told twice."""
    predictions = [
        ("early", "07:20", "08:20", "08:10", "08:40"),
        ("on_time", "07:50", "09:05", "08:50", "09:20"),
        ("on_time", "08:30", "08:58", "08:50", "09:05"),
        ("late", "08:40", "09:30", "09:15", "09:50"),
    ]
    return [
        _event(
            "eta_updated",
            name,
            told,
            source="tower",
            latency=0,
            classifier="EST",
            status_source="system",
            payload={"eta_at": str(local(eta)), "eta_from": str(local(first)), "eta_until": str(local(last))},
        )
        for name, told, eta, first, last in predictions
    ]


def events() -> pd.DataFrame:
    """All that happened, what was told of arrivals, and the approval of the plan."""
    approved = _event(
        "plan_approved",
        None,
        "07:00",
        source="tower",
        latency=0,
        depot_id="north",
        payload={"plan_id": "plan", "why": "as made"},
    )
    return pd.DataFrame([*_before_the_road(), *_morning(), *_afternoon(), *_positions(), *_told_arrivals(), approved])


def _frame(columns: str, *rows: tuple, **same: Any) -> pd.DataFrame:
    """Rows under the columns that are named, each with what is the same in all."""
    return pd.DataFrame([dict(zip(columns.split(), row, strict=True)) | same for row in rows])


def _planned(route: str, starts: str, *stops: tuple[str, float]) -> list[tuple]:
    arrivals = [local(starts) + timedelta(minutes=25 * number) for number in range(1, len(stops) + 1)]
    return [
        (route, number, name, at, at, at + timedelta(minutes=10), arc)
        for number, ((name, arc), at) in enumerate(zip(stops, arrivals, strict=True), start=1)
    ]


def _plans() -> dict[str, pd.DataFrame]:
    """One plan; its morning is 18 km with a way back of 9, its afternoon 30 km with a way back of 13."""
    of_north = {"plan_id": "plan", "depot_id": "north", "day": DAY}
    morning = _planned(MORNING, "08:00", ("early", 2.0), ("on_time", 2.0), ("late", 3.0), ("failed", 2.0))
    afternoon = _planned(
        AFTERNOON, "12:50", ("retried", 5.0), ("unproven", 3.0), ("partial", 3.0), ("no_promise", 3.0), ("revised", 3.0)
    )
    return {
        "plan": _frame("recorded_at version made_by engine", (BEFORE, 1, "test", "hand"), **of_north),
        "route": _frame(
            "route_id vehicle_id driver_id carrier_id departs_at returns_at distance_km",
            (MORNING, "van-1", "driver-1", "own", local("08:00"), local("11:00"), 18.0),
            (AFTERNOON, "van-2", "driver-2", "partner", local("13:00"), local("15:30"), 30.0),
            **of_north,
        ),
        "planned_stop": _frame(
            "route_id stop delivery_id arrive_at service_at depart_at distance_km", *morning, *afternoon, plan_id="plan"
        ),
    }


def _charges() -> pd.DataFrame:
    return _frame(
        "charge_id kind amount occurred_at recorded_at delivery_id route_id assumed",
        (stable_id("tiny", 1), "toll", 3.0, local("12:00"), local("12:00"), None, MORNING, False),
        (stable_id("tiny", 2), "rehandling", 5.0, local("12:00"), local("12:00"), "failed", None, False),
        (stable_id("tiny", 3), "contact", 2.0, local("12:00"), local("12:00"), "failed", None, True),
        (stable_id("tiny", 4), "penalty", 15.0, local("16:00"), local("16:00"), "unproven", None, False),
        currency="EUR",
        source="ledger",
    )


def _master_data() -> dict[str, pd.DataFrame]:
    known = {"recorded_at": BEFORE}
    return {
        "depot": _frame(
            "depot_id name lon lat zone currency", ("north", "North", LON, DEPOT_LAT, "Europe/Berlin", "EUR"), **known
        ),
        "carrier": _frame(
            "carrier_id name kind", ("own", "Own fleet", "own"), ("partner", "Partner", "contractor"), **known
        ),
        "rate_card": _frame(
            "carrier_id valid_from per_day per_hour per_overtime_hour per_km per_stop minimum_per_route",
            ("own", date(2025, 1, 1), 1.0, 0.0, 0.0, 0.0, 0.0, 0.0),  # no longer in force
            ("own", date(2026, 1, 1), 60.0, 24.0, 36.0, 0.50, 0.0, 0.0),
            ("partner", date(2026, 1, 1), 0.0, 0.0, 0.0, 0.10, 12.0, 100.0),
            currency="EUR",
            **known,
        ),
        "vehicle": _frame(
            "vehicle_id name carrier_id capacity_kg capacity_m3 capacity_pieces",
            ("van-1", "Van 1", "own", 100.0, 1.0, 20.0),
            ("van-2", "Van 2", "partner", 200.0, 2.0, 10.0),
            depot_id="north",
            **known,
        ),
        "shift": _frame(
            "shift_id driver_id vehicle_id starts_at ends_at break_minutes overtime_minutes",
            ("shift-1", "driver-1", "van-1", local("08:00"), local("11:00"), 15.0, 60.0),
            ("shift-2", "driver-2", "van-2", local("13:00"), local("18:00"), 0.0, 0.0),
            day=DAY,
            **known,
        ),
        "source": _frame(
            "source name recorded_at_given",
            ("shop", "Shop", False),
            ("app", "Drivers' app", True),
            ("gps", "Positions", True),
            kind="api",
            zone="Europe/Berlin",
            **known,
        ),
    }


def batch() -> Batch:
    """The whole day as one batch."""
    return {"booking": bookings(), "event": events(), **_plans(), **_master_data(), "charge": _charges()}


def store_with_tiny_day(path: Path) -> Store:
    """A new database with the tiny day, its clock held at 18:00, and one import on record (2 of 20 rows refused)."""
    store = Store.open(path)
    store.append(batch())
    clock.save(store, clock.held(NOW), "test")
    with store.write() as connection:
        connection.execute(
            "insert into import_run values "
            "('import', $at, $at, 'test', 'orders.csv', '', 'orders', '', 'shop', 'orders', 20, 16, 2, 2, null)",
            {"at": local("06:00")},
        )
    return store
