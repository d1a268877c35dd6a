"""Exceptions of the tiny day, one for each case that a KPI distinguishes; laid over it where a test asks for them.

late (promise 10:00, handed over 10:20): warned at 09:20, knowable since 09:18, acknowledged 09:26, breached 10:05.
on_time (promise 10:00, kept): warned at 08:50, knowable since 08:50, acted on at 09:00, prevented 09:05.
early (promise 10:00, kept): warned at 08:20, knowable since 08:10, nobody touched it, prevented 08:41.
silent (promise 16:00, never handed over): warned at 15:30, knowable since 15:30, still there at 18:00.
retried (promise 12:00, handed over 13:30): warned at 09:30 as a part of what makes `late` late, breached 12:00.
van-2: broke down at 13:30, since when that could be known is not told; acted on at 13:45, over at 14:10.
"""

from __future__ import annotations

from collections.abc import Iterator

from lastmile.decisions import events_frame
from lastmile.model import Event, EventType, StatusSource
from lastmile.store import Store
from tests.tiny_day import DAY, local


def raise_exceptions(store: Store) -> None:
    """Put the exceptions on record, each step at its own time."""
    store.append({"event": events_frame([*_exceptions()])})


def warned(name: str, detectable: str, detected: str, breach: str, **more: str) -> Event:
    """A warning that the promise of a delivery will be broken, as put on record."""
    said = _said(name, "delivery", detected) | {"key": "will_be_late", "detectable_at": local(detectable).isoformat()}
    ends = {"breach_at": local(breach).isoformat(), "due_at": local(breach).isoformat(), "probability": 0.7}
    return step(name, EventType.EXCEPTION_DETECTED, detected, **(said | ends | more))


def step(name: str, type: EventType, at: str, actor: str | None = None, **said: object) -> Event:
    """One step of an exception, by a person where it has an actor."""
    by = StatusSource.USER if actor else StatusSource.SYSTEM
    payload = {"exception_id": f"x-{name}", "day": f"{DAY:%Y-%m-%d}", **said}
    return Event(type, local(at), local(at), "tower", delivery_id=None if name == "van-2" else name, depot_id="north",
                 status_source=by, actor=actor, payload=payload, key=f"{type} {name}")  # fmt: skip


def _exceptions() -> Iterator[Event]:
    cleared, acted = EventType.EXCEPTION_CLEARED, EventType.EXCEPTION_ACTED
    yield warned("late", "09:18", "09:20", "10:00", carrier_id="own", service="spares")
    yield step("late", EventType.EXCEPTION_ACKNOWLEDGED, "09:26", "ann")
    yield step("late", cleared, "10:05", outcome="breached")
    yield warned("on_time", "08:50", "08:50", "10:00", carrier_id="own", service="parcels")
    yield step("on_time", acted, "09:00", "ben", action="call_driver", words="hurries", ok=True)
    yield step("on_time", cleared, "09:05", outcome="prevented")
    yield warned("early", "08:10", "08:20", "10:00", carrier_id="own", service="parcels", severity="medium")
    yield step("early", cleared, "08:41", outcome="prevented")
    yield warned("silent", "15:30", "15:30", "16:00", carrier_id="partner", service="parcels")
    yield warned("retried", "09:30", "09:30", "12:00", carrier_id="partner", service="spares", root_id="x-late")
    yield step("retried", cleared, "12:00", outcome="breached")
    broke_down = _said("van-2", "vehicle", "13:30") | {"key": "vehicle_broke_down", "probability": 1.0}
    yield step("van-2", EventType.EXCEPTION_DETECTED, "13:30", **broke_down)
    yield step("van-2", acted, "13:45", "ben", action="call_driver", words="towed", ok=True)
    yield step("van-2", cleared, "14:10", outcome="ended")


def _said(name: str, kind: str, detected: str) -> dict[str, object]:
    return {"subject_kind": kind, "subject_id": name, "severity": "high", "owner_role": "dispatcher", "stake": 10.0,
            "occurred_at": local(detected).isoformat(), "words": "late"}  # fmt: skip
