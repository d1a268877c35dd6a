"""What makes a row fit to be counted: checks by field and dimension of quality. KPIs name those that they need."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Quality(StrEnum):
    """The dimensions of data quality that a check belongs to."""

    COMPLETENESS = "completeness"
    VALIDITY = "validity"
    UNIQUENESS = "uniqueness"
    CONSISTENCY = "consistency"
    TIMELINESS = "timeliness"


@dataclass(frozen=True)
class Check:
    """One question to a row of a fact: where `applies` is true, does it pass? `says` completes "x % of …".

    Both are SQL conditions on the fact's columns; a condition that is null has not passed. Rows weigh the same unless
    `weight` says otherwise (money, for one).
    """

    key: str
    fact: str
    field: str
    dimension: Quality
    says: str
    applies: str
    passes: str
    weight: str = "1"
    passed_weight: str | None = None  # where a row may pass in part; else all of its weight


def _delivery(key: str, field: str, dimension: Quality, says: str, applies: str, passes: str) -> Check:
    return Check(key, "delivery", field, dimension, says, applies, passes)


HANDED_OVER = "handed_over_at is not null"
WANTED = "state <> 'cancelled'"
COMPLETE, VALID, CONSISTENT = Quality.COMPLETENESS, Quality.VALIDITY, Quality.CONSISTENCY

DELIVERY_CHECKS = (
    _delivery(
        "promise_given", "promise", COMPLETE, "deliveries have a promised window", WANTED, "window_due is not null"
    ),
    _delivery(
        "promise_in_order",
        "promise",
        VALID,
        "promised windows open before they close",
        "window_from is not null and window_due is not null",
        "window_from <= window_due",
    ),
    _delivery(
        "outcome_given",
        "outcome",
        COMPLETE,
        "deliveries whose time has passed have an outcome",
        "resolved or overdue",
        "resolved",
    ),
    _delivery(
        "anchor_given",
        "anchor",
        COMPLETE,
        "handovers have the scan that their window is about",
        f"{HANDED_OVER} and window_due is not null",
        "anchor_at is not null",
    ),
    _delivery("statuses_mapped", "outcome", VALID, "deliveries have no unmapped status", "true", "unmapped_events = 0"),
    _delivery(
        "order_time_given",
        "order time",
        COMPLETE,
        "deliveries say when the order came",
        WANTED,
        "received_at is not null",
    ),
    _delivery(
        "scans_in_order",
        "scans",
        CONSISTENT,
        "deliveries have their scans in the order of the work",
        "handed_over_at is not null",
        # the stages that were scanned, one after the other
        "handed_over_at >= greatest(received_at, released_at, picked_at, staged_at, first_loaded_at, first_arrived_at)"
        " and coalesce(received_at <= released_at, true) and coalesce(released_at <= picked_at, true)"
        " and coalesce(picked_at <= staged_at, true) and coalesce(staged_at <= first_loaded_at, true)",
    ),
    _delivery("lines_given", "lines", COMPLETE, "deliveries say how many lines they have", WANTED, "lines is not null"),
    _delivery(
        "lines_add_up",
        "lines",
        CONSISTENT,
        "handovers hold no more lines than were asked for",
        "lines_delivered is not null and lines is not null",
        "lines_delivered <= lines",
    ),
    _delivery("handed_to_given", "handed to", COMPLETE, "handovers say to whom", HANDED_OVER, "handed_to is not null"),
    _delivery(
        "coordinates_given",
        "coordinates",
        COMPLETE,
        "addresses have coordinates",
        "true",
        "lon is not null and lat is not null",
    ),
    _delivery(
        "coordinates_valid",
        "coordinates",
        VALID,
        "coordinates lie on the globe and not at 0, 0",
        "lon is not null and lat is not null",
        "lon between -180 and 180 and lat between -90 and 90 and not (lon = 0 and lat = 0)",
    ),
    _delivery(
        "handover_at_address",
        "coordinates",
        CONSISTENT,
        "handovers lie within 500 m of the address",
        "handover_distance_m is not null",
        "handover_distance_m <= 500",
    ),
    _delivery(
        "handover_place_given",
        "handover place",
        COMPLETE,
        "handovers have a position",
        f"{HANDED_OVER} and lon is not null and lat is not null",
        "handover_distance_m is not null",
    ),
    _delivery("address_given", "address", COMPLETE, "deliveries have an address", "true", "address is not null"),
    _delivery("volume_given", "volume", COMPLETE, "deliveries have a volume", WANTED, "volume_m3 is not null"),
    _delivery("volume_valid", "volume", VALID, "volumes are not negative", "volume_m3 is not null", "volume_m3 >= 0"),
    _delivery(
        "driver_given",
        "driver",
        COMPLETE,
        "tried deliveries name their driver",
        "attempts > 0",
        "driver_id is not null",
    ),
    _delivery(
        "route_given", "route", COMPLETE, "tried deliveries name their route", "attempts > 0", "route_id is not null"
    ),
    _delivery("carrier_given", "carrier", COMPLETE, "deliveries name their carrier", WANTED, "carrier_id is not null"),
    _delivery(
        "reason_given",
        "reason",
        COMPLETE,
        "failed deliveries have a reason",
        "state in ('failed', 'returned')",
        "reason is not null",
    ),
    _delivery(
        "proof_rule_given",
        "proof",
        COMPLETE,
        "deliveries say what proof they need",
        WANTED,
        "proof_required is not null",
    ),
    _delivery(
        "booked", "booking", CONSISTENT, "deliveries with events were booked", "events > 0", "booked_at is not null"
    ),
)

ORDER_CHECKS = (
    Check(
        "order_promised",
        "order",
        "promise",
        COMPLETE,
        "orders have a promised window",
        "deliveries_wanted > 0",
        "not no_promise",
    ),
    Check(
        "order_resolved",
        "order",
        "outcome",
        COMPLETE,
        "orders whose time has passed have an outcome",
        "not waiting",
        "not overdue",
    ),
    Check(
        "order_documents",
        "order",
        "documents",
        COMPLETE,
        "orders tell whether the documents they needed were right",
        "deliveries_wanted > 0 and not waiting and not overdue",
        "not documents_open",
    ),
)

DROP_CHECKS = (
    Check("drop_priced", "drop", "rates", COMPLETE, "drops have a cost", "true", "cents is not null"),
    Check(
        "drop_measured",
        "drop",
        "cost",
        CONSISTENT,
        "the cost is measured, the rest assumed",
        "cents > 0",
        "true",
        weight="cents",
        passed_weight="cents - assumed_cents",
    ),
)

ROUTE_CHECKS = (
    Check("shift_given", "route", "shift", COMPLETE, "routes have a shift", "true", "shift_starts_at is not null"),
    Check("plan_given", "route", "plan", COMPLETE, "routes have a plan in force", "true", "plan_id is not null"),
    Check(
        "return_seen",
        "route",
        "return",
        COMPLETE,
        "routes have a scan of their return",
        "not on_the_road",
        "returned_at is not null",
    ),
    Check(
        "waits_known",
        "route",
        "waiting",
        COMPLETE,
        "routes have arrival and start of service at all stops",
        "true",
        "wait_minutes is not null",
    ),
    Check(
        "load_known",
        "route",
        "load",
        COMPLETE,
        "routes have a known load for each capacity",
        "true",
        "not load_unknown",
    ),
    Check(
        "weight_known",
        "route",
        "weight",
        COMPLETE,
        "routes have a known weight and capacity",
        "true",
        "load_kg is not null",
    ),
    Check(
        "volume_known",
        "route",
        "volume",
        COMPLETE,
        "routes have a known volume and capacity",
        "true",
        "load_m3 is not null",
    ),
    Check(
        "pieces_known",
        "route",
        "pieces",
        COMPLETE,
        "routes have known pieces and capacity",
        "true",
        "load_pieces is not null",
    ),
    Check(
        "distance_driven",
        "route",
        "distance",
        COMPLETE,
        "routes tell the distance driven",
        "true",
        "driven_km is not null",
    ),
    Check(
        "arcs_known", "route", "distance", CONSISTENT, "routes were driven as planned", "true", "loaded_km is not null"
    ),
)

EVENT_CHECKS = (
    Check(
        "told_in_time",
        "event",
        "recorded time",
        Quality.TIMELINESS,
        "scans were recorded within 15 minutes",
        "latency_minutes is not null and not reading",
        "latency_minutes <= 15",
    ),
    Check(
        "recorded_after",
        "event",
        "occurred time",
        VALID,
        "events were recorded after they occurred, give or take 5 minutes",
        "recorded_at_given",
        "latency_minutes >= -5",
    ),
    Check("told_once", "event", "event", Quality.UNIQUENESS, "events were told once", "true", "tellings = 1"),
    Check("mapped", "event", "status", VALID, "statuses are mapped", "not reading", "type <> 'unmapped'"),
    Check(
        "position_placed",
        "event",
        "position",
        COMPLETE,
        "positions have a place",
        "type = 'position'",
        "lon is not null and lat is not null",
    ),
)

CHECKS = {check.key: check for check in (*DELIVERY_CHECKS, *ORDER_CHECKS, *DROP_CHECKS, *ROUTE_CHECKS, *EVENT_CHECKS)}
"""Those that the data quality figures are made of: of what the sources send, each row once."""
