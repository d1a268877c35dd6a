"""Numbers, money, durations and instants as people read them; what is not known says so."""

from __future__ import annotations

import math
import re
from datetime import date, datetime
from zoneinfo import ZoneInfo

UNKNOWN = "unknown"
THIN = "\u202f"  # narrow no-break space: groups digits and ties a unit to its number
MINUS = "\u2212"
ALMOST = 1e-12
"""Closer to none or all than any share of things that are counted: what is left of adding and dividing."""
CURRENCY_SIGNS = {"EUR": "€", "USD": "$", "GBP": "£"}


_TURNS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_MARKS = re.compile(r"[\\`*_\[\]<>~$#|]|:(?=[a-zA-Z])|^[-+]")
"""What Markdown means something by within a line, and Streamlit's own words for colours and icons (`:red[`)."""


def as_typed(text: object) -> str:
    """What people and other systems wrote, for a place that reads Markdown: `**x**` is shown with its stars.

    Marks that nobody sees and that turn the direction of writing are left out: they would turn the sentence round, too.
    """
    return _MARKS.sub(r"\\\g<0>", _TURNS.sub("", str(text)))


def known(value: object) -> bool:
    """False for None, NaN and NaT."""
    return value is not None and value == value


def number(value: float | None, decimals: int = 0) -> str:
    """1184.4 → "1 184"; grouped by thin spaces, with a true minus sign."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    text = f"{abs(value):,.{decimals}f}".replace(",", THIN)
    return f"{MINUS}{text}" if value < 0 and any(digit in "123456789" for digit in text) else text


def signed(value: float | None, decimals: int = 0) -> str:
    """A difference: always with its sign, but for zero."""
    text = number(value, decimals)
    return f"+{text}" if value is not None and value > 0 and any(digit in "123456789" for digit in text) else text


def percent(share: float | None, decimals: int = 1) -> str:
    """A share between 0 and 1 as "93.4 %". What is not all or nothing never looks so: 0.9997 is "> 99.9 %", 0.0001 "< 0.1 %"."""
    if share is None or not math.isfinite(share):
        return UNKNOWN
    text, least = number(share * 100, decimals), 10.0**-decimals
    is_part = ALMOST < share < 1 - ALMOST
    if is_part and text == number(0, decimals):
        text = f"<{THIN}{number(least, decimals)}"
    elif is_part and text == number(100, decimals):
        text = f">{THIN}{number(100 - least, decimals)}"
    return f"{text}{THIN}%"


def points(difference: float | None, decimals: int = 1) -> str:
    """The gap between two shares, in percentage points: −0.012 → "−1.2 points"."""
    return UNKNOWN if difference is None else f"{signed(difference * 100, decimals)} points"


def money(amount: float | None, currency: str = "EUR", decimals: int = 2) -> str:
    """3.42 → "€ 3.42"; a currency without a sign of its own keeps its code."""
    if amount is None or not math.isfinite(amount):
        return UNKNOWN
    sign = MINUS if amount < 0 else ""
    return f"{sign}{CURRENCY_SIGNS.get(currency, currency)}{THIN}{number(abs(amount), decimals)}"


def minutes(value: float | None) -> str:
    """A duration given in minutes: "45 s", "24 min", "1 h 24 min", "3 d 2 h"."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    sign, size = (MINUS if value < 0 else ""), abs(value)
    if 0 < size < 1:
        return f"{sign}{round(size * 60)}{THIN}s"
    whole = round(size)
    if whole < 60:
        return f"{sign if whole else ''}{whole}{THIN}min"
    if whole < 48 * 60:
        return sign + _pair(*divmod(whole, 60), "h", "min")
    return sign + _pair(*divmod(round(size / 60), 24), "d", "h")


def _pair(large: int, small: int, large_unit: str, small_unit: str) -> str:
    return f"{large}{THIN}{large_unit}" + (f" {small}{THIN}{small_unit}" if small else "")


def km(value: float | None) -> str:
    """A distance in kilometres: one decimal under a hundred."""
    return UNKNOWN if value is None else f"{number(value, 1 if abs(value) < 100 else 0)}{THIN}km"


def count(amount: int, one: str, many: str | None = None) -> str:
    """ "1 vehicle", "42 vehicles"."""
    return f"{number(amount)} {one if amount == 1 else many or one + 's'}"


def clock(at: datetime | None, zone: str, seconds: bool = False) -> str:
    """An instant as the wall clock of `zone`: "12:48"."""
    return UNKNOWN if not known(at) else _local(at, zone).strftime("%H:%M:%S" if seconds else "%H:%M")


def instant(at: datetime | None, zone: str, now: datetime | None = None) -> str:
    """ "12:48 CET" on the day of `now`, else "Sat 21 Nov, 12:48 CET"; the year where it differs from that of `now`."""
    if not known(at):
        return UNKNOWN
    local = _local(at, zone)
    text = f"{local:%H:%M} {local.tzname()}"
    if now is not None and _local(now, zone).date() == local.date():
        return text
    return f"{day(local.date(), now and _local(now, zone).date())}, {text}"


def day(of: date | None, today: date | None = None) -> str:
    """ "Sat 21 Nov", with the year where it is not that of `today`."""
    if not known(of):
        return UNKNOWN
    year = "" if today is not None and today.year == of.year else f" {of.year}"
    return f"{of:%a} {of.day} {of:%b}{year}"


def span(start: datetime | None, end: datetime | None, zone: str) -> str:
    """A window: "10:30–11:00"; an open end is left open."""
    return f"{clock(start, zone) if known(start) else ''}–{clock(end, zone) if known(end) else ''}"


def _local(at: datetime, zone: str) -> datetime:
    return at.astimezone(ZoneInfo(zone))
