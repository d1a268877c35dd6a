"""Notices of the tiny day, one for each case that a KPI distinguishes; laid over it where a test asks for them.

early       sent, delivered by receipt, confirmed by the recipient
on_time     sent, no receipt, no answer
late        sent, came back; the recipient declined
open        sent, no receipt; the recipient may still answer
failed      refused by the mail server
unproven    dropped in quiet hours
revised     waiting
staff       delivered, about no delivery
"""

from __future__ import annotations

from datetime import timedelta

from lastmile.decisions import events_frame
from lastmile.model import Event, EventType
from lastmile.store import Store
from tests.tiny_day import local

STEPS = {
    "early": ("sent", "delivered"),
    "on_time": ("sent",),
    "late": ("sent", "failed"),
    "open": ("sent",),
    "failed": ("failed",),
    "unproven": ("dropped",),
    "revised": (),
    None: ("sent", "delivered"),
}
ANSWERS = {"early": EventType.RECIPIENT_CONFIRMED, "late": EventType.RECIPIENT_DECLINED}


def tell(store: Store) -> None:
    """Put the notices on record: asked for at 08:00, each step and answer a minute after the one before."""
    events = [event for name, steps in STEPS.items() for event in _events(name, steps)]
    events += [_event(type, name, 9, key=f"answer {name}") for name, type in ANSWERS.items()]
    store.append({"event": events_frame(events)})


def _events(name: str | None, steps: tuple[str, ...]) -> list[Event]:
    asked = {
        "template": "delay_expected", "audience": "customer" if name else "staff", "channel": "e-mail", "to": "a@example.org",
        "language": "en", "subject": "s", "body": "b", "change": "c", "zone": "Europe/Berlin",
    }  # fmt: skip
    types = [f"notification_{step}" for step in ("requested", *steps)]
    return [
        _event(
            EventType(type),
            name,
            minute,
            f"{name} {type}",
            notice_id=f"notice of {name}",
            **(asked if minute == 0 else {}),
        )
        for minute, type in enumerate(types)
    ]


def _event(type: EventType, name: str | None, minute: int, key: str, **payload: str) -> Event:
    at = local("08:00") + timedelta(minutes=minute)
    return Event(type, at, at, "tower", delivery_id=name, payload=payload, key=key)
