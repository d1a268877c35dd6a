"""What an adapter makes of a message, and how a format is described."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from lastmile.errors import LastmileError


class BadBody(LastmileError):
    """A message that can't be read at all; its text says what was expected."""


@dataclass(frozen=True)
class Unread:
    """A part of a message that no row could be made of: `raw` can be read again by the same adapter."""

    raw: Any
    field: str
    value: str | None


@dataclass
class Adapted:
    """Rows as (kind, row) of the tower's own fields, parts that could not be read, and how many meant nothing to it."""

    rows: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    passed_over: int = 0

    def add(self, kind: str, /, **row: Any) -> None:
        """Add a row; fields without a value are left out."""
        self.rows.append((kind, {name: value for name, value in row.items() if value is not None}))


@dataclass(frozen=True)
class Format:
    """One format: its adapter takes a body and the IANA zone of times that carry none; raises BadBody.

    `kinds` are those of the rows that it may make; `media_types` the first of which is its usual one.
    """

    key: str
    title: str
    told: str
    kinds: tuple[str, ...]
    read: Callable[[bytes, str], Adapted]
    media_types: tuple[str, ...] = ("application/json",)
    example: str = ""


def json_body(body: bytes, what: str) -> Any:
    """The JSON value of a body; raises BadBody where it is none."""
    try:
        return json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise BadBody(f"This is not JSON, so it is no {what}: {str(error)[:200]}") from error


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list, or the one object itself; all else is left out."""
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict)]


def part(value: Any, *names: str) -> Any:
    """What stands in nested objects under some names; None where any is missing or no object."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def text(value: Any) -> str | None:
    """A text as it stands, a number as text, None for all else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value).strip() or None


def from_milliseconds(value: Any) -> str | None:
    """Epoch milliseconds as an instant in ISO 8601; None where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return datetime.fromtimestamp(value / 1000, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return None


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")
