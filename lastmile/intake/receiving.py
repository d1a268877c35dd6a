"""From what was sent to judged rows: the JSON of a kind, a message of a format, or what stands in quarantine.

All take the connection and the instants of `checking.judge`: when it was received, and what is not yet future.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from lastmile.adapters import FORMATS, Adapted, Format
from lastmile.connections import Connection, TokenScope
from lastmile.intake.checking import Judged, judge, refused
from lastmile.intake.fields import KINDS, Kind
from lastmile.intake.problems import problem


def scopes_of(format: str) -> list[TokenScope]:
    """What it takes to send a kind of rows, or messages of a format."""
    kinds = FORMATS[format].kinds if format in FORMATS else (format,)
    return [KINDS[kind].scope for kind in kinds]


def judged_rows(
    kind: Kind, sent: Any, connection: Connection, now: datetime, present: datetime | None = None
) -> tuple[Judged, ...]:
    """The rows of a JSON value: one object, or a list of them."""
    rows = sent if isinstance(sent, list) else [sent]
    return tuple(judge(kind, row, connection, now, place, present) for place, row in enumerate(rows))


def judged_message(
    format: Format, body: bytes, connection: Connection, now: datetime, present: datetime | None = None
) -> tuple[tuple[Judged, ...], int]:
    """The rows of a message, and how many of its parts meant nothing to the tower. Raises BadBody."""
    return judged_adapted(format.key, format.read(body, connection.zone), connection, now, present)


def judged_adapted(
    format: str, adapted: Adapted, connection: Connection, now: datetime, present: datetime | None = None
) -> tuple[tuple[Judged, ...], int]:
    """The rows that an adapter made, then the parts that it could not read."""
    rows = [judge(KINDS[kind], row, connection, now, place, present) for place, (kind, row) in enumerate(adapted.rows)]
    rows += [
        refused(format, part.raw, [problem("status_unreadable", part.field, part.value)]) for part in adapted.unread
    ]
    return tuple(rows), adapted.passed_over


def judged_again(
    format: str, raw: str, connection: Connection, now: datetime, present: datetime | None = None
) -> tuple[Judged, ...]:
    """The rows of what stands in quarantine as JSON text, as it was sent or as somebody has mended it. Raises BadBody."""
    sent = json.loads(raw)
    if format in KINDS:
        return judged_rows(KINDS[format], sent, connection, now, present)
    body = sent.encode() if isinstance(sent, str) else json.dumps(sent).encode()
    return judged_message(FORMATS[format], body, connection, now, present)[0]
