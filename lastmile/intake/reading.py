"""Reads one value of a JSON row as its field asks: the value, or the key of the problem that it has."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from lastmile.intake.fields import MOST_IN_A_LIST, MOST_OF_A_TEXT, MOST_OF_AN_ID, RowField

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_SCIENTIFIC = re.compile(r"\d([.,]\d+)?[eE]\+\d+")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,12})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
FIRST, LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)

Read = tuple[Any, str | None]


def read(field: RowField, value: Any) -> Read:
    """The value as the ledger keeps it and None, or None and what is wrong with it; nothing given is no problem here."""
    if value is None or value == "":
        return None, None
    return _BY_TYPE[field.type](field, value)


def _id(_: RowField, value: Any) -> Read:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if abs(value) < 10**MOST_OF_AN_ID else "0" * (MOST_OF_AN_ID + 1)
    read, wrong = _string(value, MOST_OF_AN_ID)
    if wrong is None and _SCIENTIFIC.fullmatch(read or ""):
        return None, "scientific_id"
    return read, wrong


def _text(_: RowField, value: Any) -> Read:
    return _string(value, MOST_OF_A_TEXT)


def _string(value: Any, most: int) -> Read:
    if not isinstance(value, str) or _CONTROL.search(value):
        return None, "not_a_text"
    return (None, "too_long") if len(value) > most else (value.strip() or None, None)


def _time(_: RowField, value: Any) -> Read:
    """An instant as RFC 3339 writes it."""
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        without = isinstance(value, str) and _INSTANT.fullmatch(f"{value}Z")
        return None, "no_zone" if without else "not_a_time"
    try:
        read = datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None, "not_a_time"
    if read < FIRST:
        return None, "clock_unset"
    return (read, None) if read < LAST else (None, "not_a_time")


def _date(_: RowField, value: Any) -> Read:
    try:
        read = date.fromisoformat(value) if isinstance(value, str) and len(value) == 10 else None
    except ValueError:
        read = None
    return (read, None) if read and FIRST.year <= read.year < LAST.year else (None, "not_a_date")


def _number(field: RowField, value: Any) -> Read:
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or (isinstance(value, float) and not math.isfinite(value))
    ):
        return None, "not_a_number"
    if field.name in ("lon", "lat"):
        return (float(value), None) if abs(value) <= 180 else (None, "off_globe")
    if field.least is not None and value < field.least:
        return None, "negative"
    return (None, "too_large") if field.most is not None and value > field.most else (float(value), None)


def _whole(field: RowField, value: Any) -> Read:
    read, wrong = _number(field, value)
    if wrong is None and read != int(read):
        return None, "not_whole"
    return (read if read is None else int(read)), wrong


def _flag(_: RowField, value: Any) -> Read:
    return (value, None) if isinstance(value, bool) else (None, "not_a_flag")


def _list(_: RowField, value: Any) -> Read:
    if not isinstance(value, list):
        return None, "not_a_list"
    if len(value) > MOST_IN_A_LIST:
        return None, "too_long"
    parts = [_string(part, MOST_OF_AN_ID) for part in value]
    wrong = next((wrong for _, wrong in parts if wrong), None)
    return (
        (None, "not_a_list" if wrong == "not_a_text" else wrong)
        if wrong
        else ([part for part, _ in parts if part], None)
    )


def _words(field: RowField, value: Any) -> Read:
    return (value, None) if isinstance(value, str) and value in field.words else (None, "unknown_word")


_BY_TYPE: dict[str, Callable[[RowField, Any], Read]] = {
    "id": _id, "text": _text, "time": _time, "date": _date, "number": _number, "whole": _whole, "flag": _flag,
    "list": _list, "words": _words,
}  # fmt: skip
