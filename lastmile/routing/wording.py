"""How times, amounts and money are said to people."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

UNITS = {"kg": "kg", "m3": "m³", "pieces": "pieces"}


def clock(epoch_seconds: float, zone: str) -> str:
    """The local time of an instant as hh:mm."""
    return datetime.fromtimestamp(epoch_seconds, ZoneInfo(zone)).strftime("%H:%M")


def amount(value: float, dimension: str) -> str:
    """A demand with its unit, as `300 kg`, to two decimals at most."""
    return f"{value:,.2f}".rstrip("0").rstrip(".") + f" {UNITS.get(dimension, dimension)}"


def money(value: float, currency: str) -> str:
    """An amount of money to the cent, as `14.00 EUR`."""
    return f"{value:,.2f} {currency}"


def minutes(seconds: float) -> str:
    """A span in minutes, rounded up so that nothing that is too late reads as 0 min."""
    return f"{-(-seconds // 60):,.0f} min"


def names(words: Iterable[str]) -> str:
    """A list as people write it: `a`, `a and b`, `a, b and c`."""
    rows = list(words)
    return rows[0] if len(rows) == 1 else f"{', '.join(rows[:-1])} and {rows[-1]}" if rows else ""
