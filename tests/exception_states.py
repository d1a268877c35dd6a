"""Small states that exception rules can be worked on by hand: Monday 2 March 2026, looked at 12:00 UTC unless said otherwise.

`a_delivery` is on van-1, promised 11:00 to 13:00, expected 12:30, on time for all that is known; `a_van` left at 08:00 as
planned, was heard of a minute ago, and has one delivery left. A test says what is different.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pandas as pd

from lastmile.exceptions.situation import (
    DELIVERY_COLUMNS,
    END_COLUMNS,
    MILESTONE_COLUMNS,
    NOTICE_COLUMNS,
    SITE_COLUMNS,
    SOURCE_COLUMNS,
    VEHICLE_COLUMNS,
    Situation,
    is_instant,
)

DAY = pd.Timestamp(2026, 3, 2)


def clock(text: str) -> pd.Timestamp:
    """A time of the day in UTC, such as "08:15"."""
    hours, minutes = map(int, text.split(":"))
    return pd.Timestamp(datetime(2026, 3, 2, hours, minutes, tzinfo=UTC))


NOON = clock("12:00")


def a_delivery(**said: Any) -> dict[str, Any]:
    """A delivery that nothing is wrong with, and what is said of it; texts like "12:30" in columns of times are times."""
    row = dict.fromkeys(DELIVERY_COLUMNS) | {
        "instant": NOON, "delivery_id": "d1", "day": DAY, "depot_id": "north", "carrier_id": "own", "service": "parcels",
        "criticality": "routine", "recipient": "Ada", "site_id": "s1", "lon": 13.40, "lat": 52.52, "penalty": 20.0, "value": 100.0,
        "currency": "EUR", "booked_at": "06:00", "window_from": "11:00", "promise_until": "13:00", "early_minutes": 0.0,
        "release_due": "07:00", "released_at": "06:30", "staged_at": "07:10", "loaded_at": "07:45", "loaded_route_id": "r1",
        "proof_missing": False, "done": False, "passed": False, "route_id": "r1", "vehicle_id": "van-1", "stop": 1,
        "arrive_at": "12:30", "departs_at": "08:00", "departed_at": "08:00", "departed_known_at": "08:01", "unplanned": False,
        "eta_at": "12:30", "eta_from": "12:20", "eta_until": "12:45", "chance_late": 0.05, "shifted_at": "12:30", "newest_at": "11:59",
    }  # fmt: skip
    return _timed(row | said)


def a_van(**said: Any) -> dict[str, Any]:
    """A van that nothing is wrong with, and what is said of it."""
    row = dict.fromkeys(VEHICLE_COLUMNS) | {
        "instant": NOON, "route_id": "r1", "vehicle_id": "van-1", "depot_id": "north", "carrier_id": "own", "day": DAY,
        "source": "telematics", "departs_at": "08:00", "returns_at": "15:00", "departed_at": "08:00", "departed_known_at": "08:01",
        "worked_at": "11:50", "signal_at": "11:59", "lon": 13.40, "lat": 52.51, "still_since": "11:58", "open_deliveries": 1,
        "next_delivery_id": "d1", "next_lon": 13.40, "next_lat": 52.52, "last_lon": 13.40, "last_lat": 52.50, "depot_lon": 13.30,
        "depot_lat": 52.50, "last_eta_at": "12:30", "shift_ends_at": "16:00", "overtime_minutes": 30.0, "break_from": "10:00",
        "break_minutes": 30.0, "newest_at": "11:59",
    }  # fmt: skip
    return _timed(row | said)


def a_situation(
    *rows: dict[str, Any],
    vans: tuple[dict[str, Any], ...] | None = None,
    milestones: tuple[dict[str, Any], ...] = (),
    sources: tuple[dict[str, Any], ...] = (),
    sites: tuple[dict[str, Any], ...] = (),
    notices: tuple[dict[str, Any], ...] = (),
    ends: tuple[dict[str, Any], ...] = (),
    **more: Any,
) -> Situation:
    """Deliveries and vans (one, if none are given) as a situation."""
    return Situation(
        _frame(rows or (a_delivery(),), DELIVERY_COLUMNS),
        _frame((a_van(),) if vans is None else vans, VEHICLE_COLUMNS),
        milestones=_frame(milestones, MILESTONE_COLUMNS),
        sources=_frame(sources, SOURCE_COLUMNS),
        sites=_frame(sites, SITE_COLUMNS),
        notices=_frame(notices, NOTICE_COLUMNS),
        ends=_frame(ends, END_COLUMNS),
        **more,
    )


def _frame(rows: tuple[dict[str, Any], ...], columns: list[str]) -> pd.DataFrame:
    frame = pd.DataFrame([_timed(row) for row in rows], columns=columns)
    for name in columns:
        if is_instant(name):
            frame[name] = pd.to_datetime(frame[name], utc=True)
    return frame


def _timed(row: dict[str, Any]) -> dict[str, Any]:
    return {name: clock(value) if is_instant(name) and isinstance(value, str) else value for name, value in row.items()}
