"""How times, amounts and money are said to people."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

THIN = "\u202f"  # narrow no-break space, as between a number and its unit on the screens
MINUS = "\u2212"
CURRENCY_SIGNS = {"EUR": "€", "USD": "$", "GBP": "£"}
UNITS = {"kg": "kg", "m3": "m³", "pieces": "pieces"}


def clock(epoch_seconds: float, zone: str) -> str:
    """The local time of an instant as hh:mm."""
    return datetime.fromtimestamp(epoch_seconds, ZoneInfo(zone)).strftime("%H:%M")


def amount(value: float, dimension: str) -> str:
    """A demand with its unit, as `300 kg`, to two decimals at most."""
    return f"{value:,.2f}".rstrip("0").rstrip(".") + f" {UNITS.get(dimension, dimension)}"


def money(value: float, currency: str) -> str:
    """An amount of money to the cent as the screens show it: `€ 14.00`; a currency without a sign keeps its code."""
    text = f"{abs(value):,.2f}".replace(",", THIN)
    return f"{MINUS if value <= -0.005 else ''}{CURRENCY_SIGNS.get(currency, currency)}{THIN}{text}"


def more_or_less(value: float, currency: str) -> str:
    """A difference in money: `€ 14.00 more`, `€ 3.00 less`, `at no cost`."""
    if abs(value) < 0.005:
        return "at no cost"
    return f"{money(abs(value), currency)} {'more' if value > 0 else 'less'}"


def minutes(seconds: float) -> str:
    """A span as `25 min` or `1 h 5 min`, rounded up so that nothing that is too late reads as 0 min."""
    hours, left = divmod(int(-(-seconds // 60)), 60)
    return f"{left} min" if not hours else f"{hours} h {left} min" if left else f"{hours} h"


def names(words: Iterable[str]) -> str:
    """A list as people write it: `a`, `a and b`, `a, b and c`."""
    rows = list(words)
    return rows[0] if len(rows) == 1 else f"{', '.join(rows[:-1])} and {rows[-1]}" if rows else ""
