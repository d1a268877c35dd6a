"""The words of the field as values."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

SEPARATOR = "\x1f"


def stable_id(*parts: object) -> uuid.UUID:
    """The id that the same natural key always gets; SQL makes the same one with `stable_id(concat_ws(…))`.

    Parts are text; None counts as empty. The id is the MD5 of the parts joined by the unit separator, read as a UUID.
    """
    text = SEPARATOR.join("" if part is None else str(part) for part in parts)
    return uuid.UUID(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest())


class EventType(StrEnum):
    """What can happen; the words of X12 214 and EPCIS where they have one."""

    ORDER_RECEIVED = "order_received"
    RELEASED = "released_to_warehouse"
    PICKED = "picked"
    PACKED = "packed"
    STAGED = "staged"
    LOADED = "loaded"
    DEPARTED_DEPOT = "departed_depot"
    EN_ROUTE = "en_route_to_stop"
    ETA_UPDATED = "eta_updated"
    ARRIVED = "arrived"
    ATTEMPTED = "attempted"
    DELIVERED = "delivered"
    PARTIALLY_DELIVERED = "partially_delivered"
    NOT_COMPLETED = "not_completed"
    REFUSED = "refused"
    DAMAGED = "damaged"
    DEPARTED_STOP = "departed_stop"
    RETURNED = "returned_to_shipper"
    RETURNED_TO_DEPOT = "returned_to_depot"
    DELAYED = "delayed"
    CANCELLED = "cancelled"
    POSITION = "position"
    CONDITION_READING = "condition_reading"
    CUSTODY_TRANSFERRED = "custody_transferred"
    INSTALLED = "installed"
    SKIPPED = "skipped"
    NOTIFICATION_REQUESTED = "notification_requested"
    NOTIFICATION_DEFERRED = "notification_deferred"
    NOTIFICATION_DROPPED = "notification_dropped"
    NOTIFICATION_RETRIED = "notification_retried"
    NOTIFICATION_SENT = "notification_sent"
    NOTIFICATION_DELIVERED = "notification_delivered"
    NOTIFICATION_FAILED = "notification_failed"
    RECIPIENT_CONFIRMED = "recipient_confirmed"
    RECIPIENT_DECLINED = "recipient_declined"
    RECIPIENT_RESCHEDULED = "recipient_rescheduled"
    VEHICLE_BROKE_DOWN = "vehicle_broke_down"
    EXCEPTION_DETECTED = "exception_detected"
    EXCEPTION_CHANGED = "exception_changed"
    EXCEPTION_CLEARED = "exception_cleared"
    EXCEPTION_REOPENED = "exception_reopened"
    EXCEPTION_ACKNOWLEDGED = "exception_acknowledged"
    EXCEPTION_ASSIGNED = "exception_assigned"
    EXCEPTION_SNOOZED = "exception_snoozed"
    EXCEPTION_COMMENTED = "exception_commented"
    EXCEPTION_ACTED = "exception_acted"
    EXCEPTION_RESOLVED = "exception_resolved"
    EXCEPTION_ESCALATED = "exception_escalated"
    PLAN_PROPOSED = "plan_proposed"
    PLAN_APPROVED = "plan_approved"
    PLAN_REJECTED = "plan_rejected"
    IMPORT_UNDONE = "import_undone"
    SETTING_CHANGED = "setting_changed"
    CORRECTED = "corrected"
    UNMAPPED = "unmapped"


HANDOVERS = (EventType.DELIVERED, EventType.PARTIALLY_DELIVERED)
FAILED_TRIES = (EventType.ATTEMPTED, EventType.NOT_COMPLETED, EventType.REFUSED)


class Classifier(StrEnum):
    """Whether an event was planned, is estimated or did happen (DCSA)."""

    PLANNED = "PLN"
    ESTIMATED = "EST"
    ACTUAL = "ACT"


class StatusSource(StrEnum):
    """Who or what told of an event."""

    DRIVER = "driver"
    GEOFENCE = "geofence"
    API = "api"
    CARRIER = "carrier"
    IMPORT = "import"
    INFERRED = "inferred"
    SYSTEM = "system"
    USER = "user"


class WindowSemantics(StrEnum):
    """What must fall inside a promised window."""

    ARRIVAL = "arrival"
    SERVICE_START = "service_start"
    SERVICE_END = "service_end"


class Criticality(StrEnum):
    """How much hangs on a delivery."""

    ROUTINE = "routine"
    TIME_CRITICAL = "time_critical"
    REGULATED = "regulated"
    MILESTONE = "milestone"


@dataclass(frozen=True)
class Reason:
    """Why a delivery failed or was late: who is at fault, what would help, and its X12 1651 codes."""

    key: str
    fault: str
    lever: str
    codes: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        return self.key.replace("_", " ")


REASONS = {
    reason.key: reason
    for reason in (
        Reason("recipient_unavailable", "customer", "slot, notification", ("AQ", "A1")),
        Reason("site_closed", "customer", "opening hours, slot", ("B1", "AN")),
        Reason("address_wrong_or_incomplete", "data", "address validation", ("A2", "A6")),
        Reason("cannot_locate", "data", "geocode, gate notes", ("A5",)),
        Reason("no_access_or_equipment", "site", "site profile", ("B8", "B9")),
        Reason("appointment_missing_or_moved", "process", "slot management", ("HB", "BK")),
        Reason("refused", "customer", "order accuracy", ("BS",)),
        Reason("customer_requested_change", "customer", "reschedule", ("AD", "C3", "BJ")),
        Reason("goods_missing_or_short", "upstream", "pick and load check"),
        Reason("late_release", "upstream", "release cut-off", ("AW", "AX", "AY")),
        Reason("damaged", "carrier", "packaging, handling", ("AK", "BP")),
        Reason("lost", "carrier", "custody"),
        Reason("documents_missing", "process", "document check", ("BC", "AR")),
        Reason("payment", "customer", "prepayment", ("B4", "C2", "C8", "C9")),
        Reason("out_of_time", "plan", "route planning, capacity", ("BH",)),
        Reason("driver_or_dispatch_error", "carrier", "training, workflow", ("AH", "D1", "D2")),
        Reason("no_capacity", "capacity", "flexible fleet"),
        Reason("vehicle_breakdown", "carrier", "maintenance", ("AI",)),
        Reason("traffic", "external", "ETA, routing", ("BE",)),
        Reason("weather", "external", "buffer", ("AO", "AU")),
        Reason("proof_missing", "process", "proof rule"),
        Reason("no_genuine_attempt", "carrier", "carrier management"),
        Reason("other", "unknown", "keep below 5 %", ("BG",)),
    )
}


class Status(StrEnum):
    """What a delivery, stop or vehicle is, in the words and colours that every screen shares."""

    ON_TIME = "on time"
    AT_RISK = "at risk"
    LATE = "late"
    IDLE = "idle"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Event:
    """One thing that happened, was planned or is estimated; times carry a zone.

    Payload keys in use — handovers: handed_to (recipient, neighbour, locker, safe_place), lines_delivered, proof (list),
    documents_right, service_started_at; failed tries: contact (bool), service_started_at; position: speed_kmh;
    condition_reading: celsius; plan events: plan_id, why; unmapped: status; notification events: notice_id, round, words, and
    what lastmile.notifications says a notice holds; exception events: exception_id, day, step, and what lastmile.exceptions
    says an exception holds.
    """

    type: EventType
    occurred_at: datetime
    recorded_at: datetime
    source: str
    delivery_id: str | None = None
    route_id: str | None = None
    vehicle_id: str | None = None
    depot_id: str | None = None
    classifier: Classifier = Classifier.ACTUAL
    lon: float | None = None
    lat: float | None = None
    accuracy_m: float | None = None
    status_source: StatusSource = StatusSource.SYSTEM
    reason: str | None = None
    actor: str | None = None
    payload: dict[str, Any] = field(default_factory=dict)
    corrects: uuid.UUID | None = None
    key: str | None = None

    def __post_init__(self) -> None:
        if self.occurred_at.tzinfo is None or self.recorded_at.tzinfo is None:
            raise ValueError(f"an event needs times with a zone: {self.type} at {self.occurred_at}")
        if self.reason is not None and self.reason not in REASONS:
            raise ValueError(f"unknown reason {self.reason!r}; use one of {', '.join(REASONS)}")

    @property
    def event_id(self) -> uuid.UUID:
        """Made from the source's own key where it has one, else from what the event says happened, to whom, when."""
        if self.key is not None:
            return stable_id(self.source, self.key)
        subject = self.delivery_id or self.route_id or self.vehicle_id or self.depot_id
        return stable_id(
            self.source, subject, self.type, self.classifier, int(self.occurred_at.timestamp() * 1_000_000)
        )


@dataclass(frozen=True)
class Scope:
    """Which part of the operation a question is about; empty means all."""

    depots: tuple[str, ...] = ()
    carriers: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    day_from: date | None = None
    day_to: date | None = None
