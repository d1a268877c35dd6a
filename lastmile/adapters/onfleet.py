"""Onfleet tasks, as its webhooks send them: what was asked, and what happened. Delivery numbers are task ids."""

from __future__ import annotations

from functools import cache
from typing import Any

from lastmile import ingest
from lastmile.adapters.adapted import (
    Adapted,
    BadBody,
    Format,
    Unread,
    from_milliseconds,
    json_body,
    objects,
    part,
    text,
)

TRIGGERS = {"taskDeleted": "cancelled", "taskDelayed": "delayed"}
"""Triggers that say what the task itself does not; all others are read from the task."""

STEPS = {"start": "en_route_to_stop", "arrival": "arrived", "departure": "departed_stop"}
"""Names in completionDetails.events → event."""


def read(body: bytes, _: str) -> Adapted:
    """The orders and events of a webhook (data.task), of a task, or of tasks in a list or under `tasks`.

    A webhook about something else, such as a worker's duty, is passed over. Raises BadBody.
    """
    said = json_body(body, "message of Onfleet")
    found = objects(said)
    if len(found) == 1:
        found = objects(part(said, "tasks")) or found
    if not found:
        raise BadBody("An Onfleet webhook or task is expected: a JSON object, or a list of tasks.")
    adapted = Adapted()
    for one in found:
        _read_one(adapted, one)
    return adapted


def _read_one(adapted: Adapted, said: dict[str, Any]) -> None:
    is_webhook = "triggerName" in said or "triggerId" in said
    task = part(said, "data", "task") if is_webhook else said
    if is_webhook and not isinstance(task, dict):
        adapted.passed_over += 1
        return
    if text(task.get("id")) is None:
        adapted.unread.append(Unread(said, "id", None))
        return
    _add_order(adapted, task)
    _add_events(adapted, task)
    trigger = TRIGGERS.get(text(said.get("triggerName")) or "")
    if trigger is not None:
        _add(adapted, task, trigger, _trigger_time(said))


def _add_order(adapted: Adapted, task: dict[str, Any]) -> None:
    lon, lat = _place(part(task, "destination", "location"))
    where = part(task, "destination", "address")
    words = [text(part(where, name)) for name in ("number", "street", "city")]
    changed = task.get("timeLastModified")
    adapted.add(
        "orders",
        delivery_id=text(task["id"]),
        version_key=text(changed),
        order_id=text(task.get("shortId")),
        ordered_at=from_milliseconds(task.get("timeCreated")),
        recorded_at=from_milliseconds(changed),
        kind={True: "pickup", False: "delivery"}.get(task.get("pickupTask")) if "pickupTask" in task else None,
        window_from=from_milliseconds(task.get("completeAfter")),
        window_due=from_milliseconds(task.get("completeBefore")),
        lon=lon,
        lat=lat,
        address=" ".join(word for word in words if word) or None,
        postcode=text(part(where, "postalCode")),
        pieces=_number(task.get("quantity")),
        service_minutes=_number(task.get("serviceTime")),
        notes=text(task.get("notes")),
    )


def _add_events(adapted: Adapted, task: dict[str, Any]) -> None:
    done = task.get("completionDetails")
    for step in objects(part(done, "events")):
        name = text(step.get("name"))
        _add(adapted, task, STEPS.get(name or "", name), from_milliseconds(step.get("time")))
    at, success = from_milliseconds(part(done, "time")), part(done, "success")
    if at is None or not isinstance(success, bool):
        return  # not completed yet, or nobody knows when: no event is better than a guessed one
    reason = text(part(done, "failureReason"))
    _add(
        adapted,
        task,
        "delivered" if success else "not_completed",
        at,
        place=_place(part(done, "lastLocation")),
        reason=None if success or reason is None else _reasons().get(reason.lower(), reason),
        why=text(part(done, "failureNotes") or part(done, "notes")),
    )


def _add(
    adapted: Adapted,
    task: dict[str, Any],
    event: str | None,
    at: str | None,
    place: tuple[float | None, float | None] = (None, None),
    **more: str | None,
) -> None:
    lon, lat = place
    adapted.add(
        "events",
        delivery_id=text(task["id"]),
        event=event,
        occurred_at=at,
        lon=lon,
        lat=lat,
        actor=text(task.get("worker")),
        status_source="driver",
        **{name: value for name, value in more.items() if value != "nothing"},
    )


def _place(said: Any) -> tuple[float | None, float | None]:
    """[lon, lat]; nothing where it is no such pair."""
    if isinstance(said, list) and len(said) == 2 and all(_number(part) is not None for part in said):
        return said[0], said[1]
    return None, None


def _number(said: Any) -> float | None:
    return said if isinstance(said, int | float) and not isinstance(said, bool) else None


def _trigger_time(said: dict[str, Any]) -> str | None:
    """When a webhook was triggered; Onfleet writes it in seconds."""
    at = _number(said.get("time"))
    return from_milliseconds(at * 1000 if at is not None and at < 1e11 else at)


@cache
def _reasons() -> dict[str, str]:
    """Failure reasons as the mapping of Onfleet's files has them: one list for both ways in."""
    return {word.lower(): meaning for word, meaning in ingest.named("onfleet").reason.items()}


ONFLEET = Format(
    "onfleet",
    "Onfleet",
    "Webhooks of Onfleet about tasks, or tasks as its API gives them. Delivery numbers are task ids.",
    ("orders", "events"),
    read,
    example='{"triggerName": "taskCompleted", "time": 1772439480, "data": {"task": {"id": "11z1BbsQUZFHD1XAd~emDDeK", '
    '"completionDetails": {"success": true, "time": 1772439480000}}}}',
)
