"""Asking for notices: who is told what about which change, once for each change."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd

from lastmile.clock import zone_of_most
from lastmile.decisions import SOURCE, events_frame
from lastmile.errors import NotPossible
from lastmile.model import Event, EventType, StatusSource, stable_id
from lastmile.notifications import settings, templates
from lastmile.notifications.addresses import Contact, contacts_of, is_email, recipients
from lastmile.notifications.filling import filled, one_line
from lastmile.notifications.templates import Kind, Template
from lastmile.notifications.timing import end_of_day
from lastmile.store import Store

EMAIL, WEBHOOK = "e-mail", "webhook"
REQUESTED, TOLD_ALREADY, NO_ADDRESS, UNKNOWN_DELIVERY, OVER = (
    "requested", "told already", "no address", "unknown delivery", "over",
)  # fmt: skip
GOOD_FOR = timedelta(hours=24)
"""News that is of use after its delivery is over, or that is meant for staff, goes out within a day or not at all."""
TOLD_SPAN = timedelta(minutes=30)
TOLD_STEP_MINUTES = 5
"""An expected instant is told as an hour around it, on round five minutes: nobody can promise a customer the minute."""

_asking = threading.Lock()
"""One at a time: whether a change was told is looked up and written as one step."""


@dataclass(frozen=True)
class Asked:
    """What came of asking for one delivery or contact; `event` is the request where one is to be made."""

    about: str
    outcome: str
    words: str
    event: Event | None = None


def told_window(at: datetime, now: datetime | None = None) -> tuple[datetime, datetime]:
    """The hour around an expected instant, on round five minutes; what of it is over `now` is left out."""
    step = timedelta(minutes=TOLD_STEP_MINUTES)
    middle = _round_minutes(at + step / 2)
    begin, end = middle - TOLD_SPAN, middle + TOLD_SPAN
    return (max(begin, _round_minutes(min(now, at))) if now else begin), end


def _round_minutes(at: datetime) -> datetime:
    """The round five minutes at or before an instant."""
    return at - timedelta(minutes=at.minute % TOLD_STEP_MINUTES, seconds=at.second, microseconds=at.microsecond)


def tell_customer(
    store: Store, delivery_ids: Sequence[str], template: str, change: str, actor: str, at: datetime, **facts: Any
) -> pd.DataFrame:
    """Ask for a notice to the recipient of each delivery about a change; what was told once is not told again.

    `change` names what changed: for a delivery the same change is one notice, however often and by whomever it is asked.
    `facts` fill the template (`templates.KINDS` says which it needs): text, a day, an instant, or a pair of instants; a
    mapping by delivery_id where each has its own; `because` is kept beside the notice and not sent.
    Returns one row per delivery: delivery_id, outcome (requested, told already, no address, over, unknown delivery), words.
    Raises NotPossible for an unknown template or a missing fact; then nothing is asked for.
    """
    with _asking:
        asked = customer_requests(store, delivery_ids, template, change, actor, at, **facts)
        asked = _not_asked_before(store, asked)
        _put_on_record(store, asked)
    return _frame("delivery_id", asked)


def tell_staff(
    store: Store, role_or_person: str, template: str, change: str, actor: str, at: datetime, **facts: Any
) -> pd.DataFrame:
    """Ask for a notice to somebody of the staff, or to all who have a role, by each way that the register holds.

    One row per contact and way: contact, outcome (requested, told already, no address), words. Facts as of `tell_customer`;
    `delivery_id` and `depot_id` among them are kept with the notice. Raises NotPossible as it does.
    """
    kind = _kind(template, "staff", facts)
    with _asking:
        texts, _ = templates.in_use()
        zone = zone_of_most(store)
        asked = [
            _staff_request(kind, texts, contact, channel, to, change, actor, at, zone, facts)
            for contact in contacts_of(store, role_or_person)
            for channel, to in ((EMAIL, contact.email), (WEBHOOK, contact.webhook))
            if to
        ]
        if not asked:
            words = f"Nobody in the staff register is called {role_or_person!r} or has that role"
            return _frame("contact", [Asked(role_or_person, NO_ADDRESS, words)])
        asked = _not_asked_before(store, asked)
        _put_on_record(store, asked)
    return _frame("contact", asked)


def ask_for_test(store: Store, contact: Contact, channel: str, actor: str, at: datetime) -> str:
    """Put a test notice on record, each time a new one; returns its notice_id. The sender leaves tests to who asked for them."""
    texts, _ = templates.in_use()
    change = f"test of {datetime.now(UTC).isoformat()}"
    to = contact.email if channel == EMAIL else contact.webhook
    asked = _staff_request(templates.kind_of("test"), texts, contact, channel, to or "", change, actor, at, "UTC", {})
    _put_on_record(store, [asked])
    return asked.event.payload["notice_id"]


def customer_requests(
    store: Store, delivery_ids: Sequence[str], template: str, change: str, actor: str, at: datetime, **facts: Any
) -> list[Asked]:
    """What `tell_customer` would ask for, nothing written: for a decision that puts the requests on record itself."""
    kind = _kind(template, "customer", facts)
    texts, _ = templates.in_use()
    known = recipients(store, delivery_ids).astype(object)
    rows = {row.delivery_id: row for row in known.where(known.notna(), None).itertuples(index=False)}
    language = settings.load(store).language
    return [
        _customer_request(kind, texts, rows.get(delivery_id), delivery_id, change, actor, at, language, facts)
        for delivery_id in dict.fromkeys(delivery_ids)
    ]


def _kind(template: str, audience: str, facts: Mapping[str, Any]) -> Kind:
    kind = templates.kind_of(template)
    if kind.audience != audience:
        raise NotPossible(f"{template} is a notice to {kind.audience}, not to {audience}.")
    missing = [name for name in kind.facts if name not in facts]
    if missing:
        raise NotPossible(f"{template} needs {', '.join(missing)}.")
    return kind


def _customer_request(
    kind: Kind,
    texts: dict[tuple[str, str, str], Template],
    row: Any,
    delivery_id: str,
    change: str,
    actor: str,
    at: datetime,
    language: str,
    facts: Mapping[str, Any],
) -> Asked:
    if row is None:
        return Asked(delivery_id, UNKNOWN_DELIVERY, "There is no delivery of this id")
    over = over_words(row.resolved, row.state) if kind.while_open else None
    if over:
        return Asked(delivery_id, OVER, over)
    if not row.email:
        return Asked(delivery_id, NO_ADDRESS, "Its booking has no e-mail address")
    if not is_email(row.email):
        return Asked(delivery_id, NO_ADDRESS, f"{one_line(row.email)!r} is no e-mail address")
    given = {name: _of(value, delivery_id) for name, value in facts.items()}
    if isinstance(given.get("expected"), datetime):
        given["expected_at"], given["expected"] = given["expected"], told_window(given["expected"], at)
    spoken = (row.language or "").lower()[:2]
    template = templates.text_for(texts, kind.key, row.service, spoken if spoken in settings.LANGUAGES else language)
    said = given | {
        "recipient": row.recipient or _number(delivery_id),
        "number": _number(delivery_id),
        "day": row.day.date() if isinstance(row.day, datetime) else row.day,
        "window": (row.window_from, row.window_due),
    }
    event = _request(
        stable_id("notice", delivery_id, change, EMAIL), kind, template, said, row.zone, at, actor, change,
        delivery_id=delivery_id, depot_id=row.depot_id, channel=EMAIL, to=row.email, name=one_line(row.recipient or ""),
        useful_until=_useful_until(kind, row, given, at), expected_at=given.get("expected_at"),
    )  # fmt: skip
    return Asked(delivery_id, REQUESTED, f"By e-mail to {row.email}", event)


def over_words(resolved: bool, state: str) -> str | None:
    """Why news of a running delivery is of no use any more; None while it is open."""
    return f"The delivery is over: it is {state.replace('_', ' ')}" if resolved else None


def _useful_until(kind: Kind, row: Any, facts: Mapping[str, Any], at: datetime) -> datetime:
    """Until when it is worth sending: while its delivery may come, or a day where it is news of what is over."""
    if not kind.while_open:
        return at + GOOD_FOR
    instants = [value for fact in facts.values() for value in (fact if isinstance(fact, tuple) else (fact,))]
    ends = [one for one in (*instants, row.window_due) if isinstance(one, datetime) and one > at]
    return max(ends) if ends else end_of_day(at, row.zone)


def _staff_request(
    kind: Kind,
    texts: dict[tuple[str, str, str], Template],
    contact: Contact,
    channel: str,
    to: str,
    change: str,
    actor: str,
    at: datetime,
    zone: str,
    facts: Mapping[str, Any],
) -> Asked:
    template = templates.text_for(texts, kind.key, None, contact.language)
    event = _request(
        stable_id("notice", "staff", contact.name, change, channel), kind, template, {**facts, "name": contact.name}, zone, at,
        actor, change, delivery_id=facts.get("delivery_id"), depot_id=facts.get("depot_id"), channel=channel, to=to,
        name=one_line(contact.name), useful_until=at + GOOD_FOR,
    )  # fmt: skip
    return Asked(contact.name, REQUESTED, f"By {channel} to {to}", event)


def _request(
    notice_id: object,
    kind: Kind,
    template: Template,
    facts: Mapping[str, Any],
    zone: str,
    at: datetime,
    actor: str,
    change: str,
    *,
    delivery_id: str | None,
    depot_id: str | None,
    channel: str,
    to: str,
    name: str,
    useful_until: datetime,
    expected_at: datetime | None = None,
) -> Event:
    subject, body = filled(template, facts, zone)
    said = {
        "notice_id": str(notice_id),
        "template": kind.key,
        "audience": "test" if kind.key == "test" else kind.audience,
        "channel": channel,
        "to": to,
        "name": name,
        "language": template.language,
        "subject": subject,
        "body": body,
        "change": change,
        "because": facts.get("because"),
        "urgent": kind.urgent,
        "while_open": kind.while_open,
        "zone": zone,
        "useful_until": useful_until.isoformat(),
        "expected_at": expected_at.isoformat() if expected_at else None,
    }
    return Event(
        type=EventType.NOTIFICATION_REQUESTED,
        occurred_at=at,
        recorded_at=at,
        source=SOURCE,
        delivery_id=delivery_id,
        depot_id=depot_id,
        status_source=StatusSource.USER,
        actor=actor,
        payload={name: value for name, value in said.items() if value is not None},
        key=f"notice {notice_id} requested",
    )


def _not_asked_before(store: Store, asked: Iterable[Asked]) -> list[Asked]:
    """The same, where a request that the ledger has already is told as such."""
    asked = list(asked)
    ids = [str(one.event.event_id) for one in asked if one.event is not None]
    known = store.known("event", ids) if ids else set()
    return [
        Asked(one.about, TOLD_ALREADY, "Was asked for before")
        if one.event and str(one.event.event_id) in known
        else one
        for one in asked
    ]


def _put_on_record(store: Store, asked: Iterable[Asked]) -> None:
    events = [one.event for one in asked if one.event is not None]
    if events:
        store.append({"event": events_frame(events)})


def _frame(about: str, asked: Iterable[Asked]) -> pd.DataFrame:
    return pd.DataFrame([(one.about, one.outcome, one.words) for one in asked], columns=[about, "outcome", "words"])


def _of(value: Any, delivery_id: str) -> Any:
    """A fact of its own for each delivery, or the same for all."""
    if not isinstance(value, Mapping):
        return _plain(value)
    if delivery_id not in value:
        raise NotPossible(f"A fact is missing for {delivery_id}.")
    return _plain(value[delivery_id])


def _plain(value: Any) -> Any:
    """Times of frames as plain ones."""
    if isinstance(value, pd.Timestamp):
        return value.to_pydatetime()
    if isinstance(value, tuple):
        return tuple(_plain(one) for one in value)
    return value


def _number(delivery_id: str) -> str:
    """The delivery's own number, without the source before it."""
    return delivery_id.split(":", 1)[-1]
