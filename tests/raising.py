"""Exceptions as detection writes them, by hand: for tests that need a certain one at a certain time."""

from __future__ import annotations

from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from lastmile.decisions import events_frame
from lastmile.exceptions import CATALOGUE
from lastmile.exceptions.deciding import event_of
from lastmile.model import EventType, StatusSource, stable_id
from lastmile.store import Store


def raised(store: Store, key: str, subject_id: str, at: datetime, **more: Any) -> str:
    """Write that a rule found a subject at `at`; its id. Whatever `more` says of it stands in the place of the defaults.

    By default: of that day, its severity and owner those of the rule, € 100 at stake with a chance of a half, due 20 minutes
    later, broken an hour later, detectable half a minute before.
    """
    rule = CATALOGUE[key]
    exception_id = str(stable_id(key, subject_id, at.isoformat()))
    said = {
        "key": key,
        "subject_kind": str(rule.subject),
        "subject_id": subject_id,
        "severity": str(rule.severity),
        "owner_role": str(rule.owner),
        "stake": 100.0,
        "currency": "EUR",
        "stake_assumed": False,
        "probability": 0.5,
        "breach_at": at + timedelta(hours=1),
        "due_at": at + timedelta(minutes=20),
        "occurred_at": at - timedelta(minutes=2),
        "detectable_at": at - timedelta(seconds=30),
        "words": rule.meaning,
    } | more
    payload = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in said.items()}
    places = {name: more.get(name) for name in ("route_id", "vehicle_id", "depot_id")}
    row = SimpleNamespace(
        exception_id=exception_id,
        steps=0,
        day=at,
        delivery_id=subject_id if rule.subject == "delivery" else None,
        **places,
    )
    event = event_of(row, EventType.EXCEPTION_DETECTED, "tower", at, by=StatusSource.SYSTEM, **payload)
    store.append({"event": events_frame([event])})
    return exception_id
