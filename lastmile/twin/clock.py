"""The operation's clock: minutes of a service day against instants in UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

ZONE = "Europe/Berlin"
MINUTE_US = 60_000_000
DAY_MINUTES = 1440


def zero_us(day: date) -> int:
    """Microseconds of the instant from which the minutes of a service day count.

    It is twelve hours before local noon, so that wall times after the small hours are right on the days that
    daylight saving makes longer or shorter.
    """
    noon = datetime.combine(day, time(12), ZoneInfo(ZONE))
    return (int(noon.timestamp()) - 12 * 3600) * 1_000_000


def micros(day: date, minutes: np.ndarray) -> np.ndarray:
    """Instants in microseconds since 1970 of minutes of the day, to the whole second; NaN becomes the missing time."""
    minutes = np.asarray(minutes, dtype=float)
    seconds = np.round(np.where(np.isnan(minutes), 0.0, minutes) * 60.0).astype(np.int64)
    return np.where(np.isnan(minutes), np.iinfo(np.int64).min, zero_us(day) + seconds * 1_000_000)


def times(instants_us: np.ndarray) -> pd.DatetimeIndex:
    """Aware UTC times of instants in microseconds."""
    return pd.DatetimeIndex(np.asarray(instants_us, dtype=np.int64).view("M8[us]")).tz_localize("UTC")


def minutes_at(day: date, instant: datetime) -> float:
    """Minutes of the service day at an instant; may be negative or beyond 1,440."""
    return (instant_us(instant) - zero_us(day)) / MINUTE_US


def instant_us(instant: datetime) -> int:
    """Microseconds since 1970; raises ValueError for a time without a zone."""
    if instant.tzinfo is None:
        raise ValueError(f"The twin needs a time with a zone, and {instant} has none.")
    return round(instant.timestamp() * 1_000_000)


def service_day(instant: datetime) -> date:
    """The local date of an instant."""
    instant_us(instant)
    return instant.astimezone(ZoneInfo(ZONE)).date()


def week_start(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def week_began(instant: datetime) -> datetime:
    """When the week began whose days may still tell something at an instant: on Monday morning it is the one before."""
    monday = week_start(service_day(instant) - timedelta(days=1))
    return datetime.fromtimestamp(zero_us(monday) / 1e6, UTC)
