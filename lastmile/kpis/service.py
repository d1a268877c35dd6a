"""Service: was the promise kept, at the first try, in full, and how long did it take?"""

from __future__ import annotations

from lastmile.kpis.definition import Direction, Kpi, Owner, Rule, Unit

FAMILY = "Service"

CANCELLED: Rule = ("cancelled before it was handed over", "state = 'cancelled'")
NOT_YET_DUE: Rule = ("still open and not yet due", "not resolved and not overdue")
UNRESOLVED: Rule = ("its time has passed and no outcome is recorded", "overdue")
NO_PROMISE: Rule = ("no window was promised", "window_due is null")
NO_ANCHOR: Rule = ("the scan that its window is about is missing", "timeliness = 'unknown'")

_DUE = {
    "family": FAMILY,
    "fact": "delivery",
    "excluded": (CANCELLED, NOT_YET_DUE),
    "unknown": (NO_PROMISE, UNRESOLVED, NO_ANCHOR),
    "needs": ("promise_given", "promise_in_order", "outcome_given", "anchor_given", "statuses_mapped"),
    "denominator": "deliveries due with a promised window and a resolved outcome",
}
ANCHOR = "arrival, start of service or end of service, as the delivery's source declares"


def _share_in_time(
    key: str, label: str, question: str, formula: str, numerator: str, counts: str, **more: object
) -> Kpi:
    return Kpi(
        key=key,
        label=label,
        question=question,
        formula=formula,
        unit=Unit.SHARE,
        anchor=ANCHOR,
        numerator=numerator,
        counts=counts,
        **{"direction": Direction.LOWER, "owner": Owner.OPERATIONS, **_DUE, **more},
    )


TIMELINESS = (
    _share_in_time(
        "on_time_rate",
        "On time",
        "How often do we keep the window that we first promised?",
        "anchor in [window start − early tolerance, window end + late tolerance] ÷ deliveries due, failed among them",
        "deliveries within their first promised window",
        "(timeliness = 'on_time')::int",
        direction=Direction.HIGHER,
        target=0.95,
        owner=Owner.EXECUTIVE,
    ),
    _share_in_time(
        "on_time_rate_revised",
        "On time, revised window",
        "How often do we keep the window as it stood last?",
        "as On time, against the revised window where there is one",
        "deliveries within their last promised window",
        "(revised_timeliness = 'on_time')::int",
        direction=Direction.HIGHER,
        excluded=(CANCELLED, ("still open and not yet due", "not resolved and not overdue_revised")),
        unknown=(NO_PROMISE, ("its time has passed and no outcome is recorded", "overdue_revised"), NO_ANCHOR),
        target=0.97,
    ),
    _share_in_time(
        "early_rate",
        "Early",
        "How often are we there before the window opens?",
        "anchor before window start − early tolerance ÷ deliveries due",
        "deliveries before their first promised window",
        "(timeliness = 'early')::int",
        target=0.02,
    ),
    _share_in_time(
        "late_rate",
        "Late",
        "How often are we there after the window has closed?",
        "anchor after window end + late tolerance ÷ deliveries due; failed ones are counted apart",
        "deliveries after their first promised window",
        "(timeliness = 'late')::int",
        target=0.03,
    ),
    _share_in_time(
        "failed_rate",
        "Failed",
        "How often is a delivery that was due not handed over at all?",
        "failed or returned ÷ deliveries due",
        "deliveries that failed or went back",
        "(timeliness = 'failed')::int",
        target=0.02,
    ),
)


def _minutes_late(percentile: float, target: float) -> Kpi:
    return Kpi(
        key=f"minutes_late_p{percentile * 100:.0f}",
        family=FAMILY,
        label=f"Minutes late, P{percentile * 100:.0f}",
        question="When we are late, by how much?",
        formula=f"P{percentile * 100:.0f} of anchor − window end, over the late deliveries",
        unit=Unit.MINUTES,
        direction=Direction.LOWER,
        anchor=ANCHOR,
        numerator="minutes from the end of the first promised window to the anchor",
        denominator="late deliveries",
        fact="delivery",
        counts="minutes_after_due",
        percentile=percentile,
        excluded=(CANCELLED, NOT_YET_DUE, ("not late", "timeliness in ('on_time', 'early', 'failed')")),
        unknown=(NO_PROMISE, UNRESOLVED, NO_ANCHOR),
        needs=_DUE["needs"],
        target=target,
        owner=Owner.OPERATIONS,
    )


def _lead_time(percentile: float) -> Kpi:
    return Kpi(
        key=f"lead_time_p{percentile * 100:.0f}",
        family=FAMILY,
        label=f"Lead time, P{percentile * 100:.0f}",
        question="How long from the order to the handover?",
        formula=f"P{percentile * 100:.0f} of handover − order received",
        unit=Unit.MINUTES,
        direction=Direction.LOWER,
        anchor="handover",
        numerator="minutes from order received to handover",
        denominator="deliveries handed over",
        fact="delivery",
        counts="minutes_between(received_at, handed_over_at)",
        percentile=percentile,
        excluded=(CANCELLED, NOT_YET_DUE, ("not handed over", "resolved and handed_over_at is null")),
        unknown=(UNRESOLVED, ("when the order came is not recorded", "received_at is null")),
        needs=("order_time_given", "outcome_given", "scans_in_order"),
        owner=Owner.PROJECT,
    )


NO_LINES: Rule = ("how many lines were asked for or handed over is not recorded",
                  "lines is null or state = 'partially_delivered' and lines_delivered is null")  # fmt: skip
OTIF_OPEN: Rule = ("whether one of its deliveries was on time or complete is not known", "otif_open")
_OPEN_ORDER = (
    ("cancelled before it was handed over", "deliveries_wanted = 0"),
    ("a delivery of it is still open and not yet due", "waiting"),
)

COMPLETENESS = (
    Kpi(
        key="otif",
        family=FAMILY,
        label="On time in full (lines)",
        question="Which share of the lines asked for came on time and in full?",
        formula="lines handed over of deliveries within their first promised window ÷ lines asked for",
        unit=Unit.SHARE,
        direction=Direction.HIGHER,
        anchor=ANCHOR,
        numerator="lines handed over on time",
        denominator="lines of the deliveries due",
        fact="delivery",
        counts="case when timeliness = 'on_time' then least(coalesce(lines_delivered, lines), lines) else 0 end",
        out_of="lines",
        excluded=(CANCELLED, NOT_YET_DUE),
        unknown=(NO_PROMISE, UNRESOLVED, NO_ANCHOR, NO_LINES),
        needs=(*_DUE["needs"], "lines_given"),
        target=0.93,
        owner=Owner.PROJECT,
    ),
    Kpi(
        key="otif_orders",
        family=FAMILY,
        label="On time in full (orders)",
        question="Which share of the orders came wholly on time and in full?",
        formula="orders of which every delivery is on time and complete ÷ orders due",
        unit=Unit.SHARE,
        direction=Direction.HIGHER,
        anchor=ANCHOR,
        numerator="orders on time and in full",
        denominator="orders due",
        fact="order",
        counts="otif::int",
        excluded=_OPEN_ORDER,
        unknown=(OTIF_OPEN,),
        needs=("order_promised", "order_resolved"),
        target=0.92,
        owner=Owner.PROJECT,
    ),
    Kpi(
        key="perfect_order_rate",
        family=FAMILY,
        label="Perfect orders",
        question="Which share of the orders had nothing wrong at all?",
        formula="orders complete, on time, with the right documents and undamaged, all at once ÷ orders due",
        unit=Unit.SHARE,
        direction=Direction.HIGHER,
        anchor=ANCHOR,
        numerator="orders with nothing wrong",
        denominator="orders due",
        fact="order",
        counts="perfect::int",
        excluded=_OPEN_ORDER,
        unknown=(OTIF_OPEN, ("whether its documents were right is not recorded", "documents_open")),
        needs=("order_promised", "order_resolved", "order_documents"),
        target=0.90,
        owner=Owner.EXECUTIVE,
    ),
)

_FIRST_TRY = {
    "family": FAMILY,
    "unit": Unit.SHARE,
    "anchor": "outcome of attempt 1",
    "denominator": "deliveries whose attempt 1 was genuine and is resolved",
    "fact": "delivery",
    "excluded": (
        ("attempt 1 was failed-coded without evidence", "first_try = 'unproven'"),
        ("cancelled or returned before an attempt", "resolved and first_try is null"),
        ("no attempt yet, and not yet due", "first_try is null and not overdue"),
    ),
    "needs": ("outcome_given", "statuses_mapped"),
    "owner": Owner.OPERATIONS,
}
NOT_TRIED: Rule = ("its time has passed and no attempt is recorded", "first_try is null")

ATTEMPTS = (
    Kpi(
        key="first_attempt_success",
        label="First attempt",
        question="How often do we hand over at the first genuine try, to the recipient, a neighbour or a safe place?",
        formula="handed over at attempt 1 ÷ deliveries with a genuine, resolved attempt 1",
        numerator="deliveries handed over at attempt 1, to anyone",
        counts="(first_try = 'handed_over')::int",
        unknown=(NOT_TRIED,),
        target=0.93,
        direction=Direction.HIGHER,
        **_FIRST_TRY,
    ),
    Kpi(
        key="first_attempt_success_strict",
        label="First attempt, to the recipient",
        question="How often do we hand over to the recipient at the first genuine try?",
        formula="handed to the recipient at attempt 1 ÷ deliveries with a genuine, resolved attempt 1",
        numerator="deliveries handed to the recipient at attempt 1",
        counts="(first_try = 'handed_over' and handed_to = 'recipient')::int",
        unknown=(
            NOT_TRIED,
            ("to whom it was handed is not recorded", "first_try = 'handed_over' and handed_to is null"),
        ),
        target=0.85,
        direction=Direction.HIGHER,
        **(_FIRST_TRY | {"needs": ("outcome_given", "statuses_mapped", "handed_to_given")}),
    ),
    Kpi(
        key="attempts_per_delivery",
        family=FAMILY,
        label="Attempts per delivery",
        question="How many tries does a delivery take?",
        formula="Σ attempts ÷ deliveries with at least one",
        unit=Unit.COUNT,
        direction=Direction.LOWER,
        anchor="attempts",
        numerator="attempts, handovers among them",
        denominator="deliveries that were tried",
        fact="delivery",
        counts="attempts",
        excluded=(("not tried", "attempts = 0 and (resolved or not overdue)"),),
        unknown=(("its time has passed and no attempt is recorded", "attempts = 0"),),
        needs=("outcome_given", "statuses_mapped"),
        target=1.10,
        owner=Owner.OPERATIONS,
    ),
    Kpi(
        key="no_attempt_rate",
        family=FAMILY,
        label="Failed without evidence",
        question="How many failed tries were none: no place near the site, no contact with the recipient?",
        formula="failed-coded attempts without evidence ÷ failed-coded attempts",
        unit=Unit.SHARE,
        direction=Direction.LOWER,
        anchor="failed attempts",
        numerator="failed-coded attempts without evidence",
        denominator="failed-coded attempts",
        fact="delivery",
        counts="tries_without_evidence",
        out_of="failed_tries",
        excluded=(("no failed attempt", "failed_tries = 0"),),
        needs=("coordinates_given", "statuses_mapped"),
        target=0.05,
        owner=Owner.OPERATIONS,
    ),
)

HANDOVER_DISTANCE = Kpi(
    key="handover_far_rate",
    family=FAMILY,
    label="Handed over more than 500 m away",
    question="How often is a delivery handed over far from its address?",
    formula="handovers more than 500 m from the address ÷ handovers with a position",
    unit=Unit.SHARE,
    direction=Direction.LOWER,
    anchor="place of the handover",
    numerator="handovers more than 500 m from the address",
    denominator="handovers with a position, of deliveries with coordinates",
    fact="delivery",
    counts="(handover_distance_m > 500)::int",
    excluded=(("not handed over", "handed_over_at is null"),),
    unknown=(
        ("the address has no coordinates", "lon is null or lat is null"),
        ("the handover has no position", "handover_distance_m is null"),
    ),
    needs=("coordinates_given", "handover_place_given"),
    target=0.03,
    owner=Owner.OPERATIONS,
)

SERVICE = (
    *TIMELINESS,
    _minutes_late(0.5, 15),
    _minutes_late(0.9, 45),
    *COMPLETENESS,
    *ATTEMPTS,
    _lead_time(0.5),
    _lead_time(0.9),
    HANDOVER_DISTANCE,
)
