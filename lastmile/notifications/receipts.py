"""Receipts: what other systems say became of a notice. Only they make one delivered."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from lastmile.decisions import events_frame
from lastmile.model import Event, EventType
from lastmile.notifications import outbox
from lastmile.notifications.filling import one_line
from lastmile.notifications.happening import known, notice_event
from lastmile.store import Store

TAKEN, REPEATED, REFUSED = "taken", "repeated", "refused"
OUTCOMES = {"delivered": EventType.NOTIFICATION_DELIVERED, "failed": EventType.NOTIFICATION_FAILED}
FIELDS = {
    "notice_id": "The notice's own id; or, instead of it, message_id.",
    "message_id": "The Message-ID of the e-mail, with or without its angle brackets.",
    "outcome": "delivered, or failed where it came back.",
    "occurred_at": "When it arrived or came back, with its offset; now where none is given.",
    "words": "What the receiving system said.",
}
CLOCKS_DIFFER = timedelta(minutes=5)
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True)
class Judged:
    """One receipt: what came of it, and what is wrong with which field where it was refused."""

    outcome: str
    field: str | None = None
    value: str | None = None
    problem: str | None = None
    remedy: str | None = None


def take(
    store: Store, rows: Sequence[Any], source: str, now: datetime, present: datetime | None = None
) -> list[Judged]:
    """Put receipts on record, from a source, received at an instant; one outcome a row, in their order.

    A receipt of a notice that is not known, or was never sent, is refused. `present`: what lies after it is future.
    """
    ids = [_notice_id(row) for row in rows]
    notices = {row.notice_id: row for row in outbox.named(store, [one for one in ids if one]).itertuples(index=False)}
    judged, events = [], []
    for row, notice_id in zip(rows, ids, strict=True):
        problem = _problem(row, notice_id, notices, present or now)
        event = None if problem else _event(row, notices[notice_id], source, now)
        events.append(event)
        judged.append(problem or Judged(TAKEN))
    wanted = [event for event in events if event is not None]
    there = store.known("event", [str(event.event_id) for event in wanted]) if wanted else set()
    if wanted:
        store.append({"event": events_frame(wanted)}, streamed=True)
    return [_repeated(one, event, there) for one, event in zip(judged, events, strict=True)]


def _repeated(judged: Judged, event: Event | None, there: set[str]) -> Judged:
    """As it was judged, or repeated where the ledger, or a row before it, says the same."""
    if event is None:
        return judged
    if str(event.event_id) in there:
        return Judged(REPEATED)
    there.add(str(event.event_id))
    return judged


def _notice_id(row: Any) -> str | None:
    if not isinstance(row, Mapping):
        return None
    said = row.get("notice_id") or row.get("message_id")
    found = _ID.search(said) if isinstance(said, str) else None
    return found.group().lower() if found else None


def _problem(row: Any, notice_id: str | None, notices: Mapping[str, Any], now: datetime) -> Judged | None:
    if not isinstance(row, Mapping):
        return _refused(None, row, "is no object", "send an object with notice_id and outcome")
    unknown = sorted(str(name) for name in row if name not in FIELDS)
    if unknown:
        return _refused(unknown[0], row.get(unknown[0]), "is no field of a receipt", f"send {', '.join(FIELDS)}")
    name = "message_id" if row.get("message_id") and not row.get("notice_id") else "notice_id"
    if notice_id is None:
        return _refused(
            name,
            row.get(name),
            "is no notice's id",
            "send back the notice_id of the webhook, or the Message-ID of the mail",
        )
    if notice_id not in notices:
        return _refused(name, row.get(name), "is the id of no notice of this tower", "send back the id as it was given")
    if known(notices[notice_id].sent_at) is None:
        return _refused(name, row.get(name), "is the id of a notice that was not sent", "check which notice is meant")
    if row.get("outcome") not in OUTCOMES:
        return _refused("outcome", row.get("outcome"), "is not known", f"send {' or '.join(OUTCOMES)}")
    if not isinstance(row.get("words", ""), str | None):
        return _refused("words", row.get("words"), "is no text", "send text or leave it out")
    return _wrong_time(row.get("occurred_at"), now)


def _wrong_time(said: Any, now: datetime) -> Judged | None:
    if said is None:
        return None
    at = _instant(said)
    if at is None:
        return _refused("occurred_at", said, "is no instant with an offset", "send it as 2026-03-02T09:18:00+01:00")
    if at > now + CLOCKS_DIFFER:
        return _refused("occurred_at", said, "lies in the future", "send when it happened")
    return None


def _instant(said: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(said)
        return at.astimezone(UTC) if at.tzinfo is not None and 2000 <= at.year < 2100 else None
    except (TypeError, ValueError, OverflowError):
        return None


def _event(row: Mapping[str, Any], notice: Any, source: str, now: datetime) -> Event:
    type = OUTCOMES[row["outcome"]]
    at = (_instant(row["occurred_at"]) if row.get("occurred_at") else None) or now
    words = one_line(row.get("words") or f"{source}: {row['outcome']}")
    step = "delivered" if type is EventType.NOTIFICATION_DELIVERED else "came back"
    return notice_event(notice, type, min(at, now), step, recorded_at=now, words=words, receipt=source)


def _refused(field: str | None, value: Any, problem: str, remedy: str) -> Judged:
    said = None if value is None else one_line(str(value))
    return Judged(REFUSED, field, said, f"{said} {problem}" if said else problem, remedy)
