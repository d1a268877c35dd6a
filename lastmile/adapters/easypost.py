"""EasyPost trackers, as its webhooks send them: one event for each tracking detail. Delivery numbers are tracking codes."""

from __future__ import annotations

from typing import Any

from lastmile.adapters.adapted import Adapted, BadBody, Format, Unread, json_body, objects, part, text

STATUSES = {
    "pre_transit": "order_received",
    "in_transit": "en_route_to_stop",
    "out_for_delivery": "loaded",
    "delivered": "delivered",
    "return_to_sender": "returned_to_shipper",
    "failure": "not_completed",
    "cancelled": "cancelled",
}
"""Status → event. pre_transit is what X12 calls XB (acknowledged), in_transit X6 (en route), out_for_delivery AM (loaded on
the delivery vehicle); available_for_pickup, error and unknown have no event of ours and are kept as unmapped."""

DETAILS = {"refused": "refused", "damaged": "damaged", "delayed": "delayed", "weather_delay": "delayed"}
"""Status detail → event, where it says more than the status."""

REASONS = {"weather_delay": "weather", "address_correction": "address_wrong_or_incomplete", "lost": "lost"}


def read(body: bytes, _: str) -> Adapted:
    """The events of a webhook (an Event whose result is a Tracker), of a Tracker, or of a list of either.

    An event that is not about a tracker, such as batch.updated, is passed over. Raises BadBody.
    """
    said = json_body(body, "message of EasyPost")
    found = objects(said)
    if len(found) == 1:
        found = objects(part(said, "trackers")) + objects(part(said, "events")) or found
    if not found:
        raise BadBody("An EasyPost event or tracker is expected: a JSON object, or a list of them.")
    adapted = Adapted()
    for one in found:
        _read_one(adapted, one)
    return adapted


def _read_one(adapted: Adapted, said: dict[str, Any]) -> None:
    tracker = said.get("result") if said.get("object") == "Event" else said
    if not isinstance(tracker, dict) or tracker.get("object") != "Tracker":
        if said.get("object") == "Event":
            adapted.passed_over += 1
        else:
            adapted.unread.append(Unread(said, "object", text(said.get("object"))))
        return
    details = objects(tracker.get("tracking_details"))
    for detail in details:
        _add(adapted, tracker, detail)
    if not details:
        adapted.passed_over += 1


def _add(adapted: Adapted, tracker: dict[str, Any], detail: dict[str, Any]) -> None:
    status, more = text(detail.get("status")), text(detail.get("status_detail"))
    place = [text(part(detail, "tracking_location", name)) for name in ("city", "state", "zip")]
    told = [text(detail.get("message")), " ".join(word for word in place if word)]
    adapted.add(
        "events",
        delivery_id=text(tracker.get("tracking_code")),
        event=DETAILS.get(more or "") or STATUSES.get(status or "", status),
        occurred_at=text(detail.get("datetime")),
        reason=REASONS.get(more or ""),
        status_source="carrier",
        actor=text(detail.get("source")),
        why=", ".join(word for word in told if word)[:2000] or None,
    )


EASYPOST = Format(
    "easypost",
    "EasyPost",
    "Webhooks of EasyPost: tracker.created and tracker.updated. Delivery numbers are tracking codes.",
    ("events",),
    read,
    example='{"object": "Event", "description": "tracker.updated", "result": {"object": "Tracker", '
    '"tracking_code": "9400100208303109500782", "tracking_details": [{"status": "delivered", '
    '"datetime": "2026-03-02T08:18:00Z"}]}}',
)
