"""Data quality: can the figures be believed, and which source or field is the weak one?"""

from __future__ import annotations

from lastmile.kpis.checks import Quality
from lastmile.kpis.definition import Direction, Kpi, Owner, Rule, Unit

FAMILY = "Data quality"
_COMMON = {"family": FAMILY, "owner": Owner.OPERATIONS}

QUESTIONS = {
    Quality.COMPLETENESS: "Is what should be there, there?",
    Quality.VALIDITY: "Can what is there be true at all?",
    Quality.UNIQUENESS: "Is each thing told once?",
    Quality.CONSISTENCY: "Does what is told agree with the rest?",
    Quality.TIMELINESS: "Is it told in time to act on it?",
}

DIMENSIONS = tuple(
    Kpi(
        key=str(quality),
        label=quality.capitalize(),
        question=question,
        formula=f"checks of {quality} passed ÷ checks of {quality} that apply",
        unit=Unit.SHARE,
        direction=Direction.HIGHER,
        anchor="service day",
        numerator="checks passed",
        denominator="checks that apply",
        fact="check",
        counts="passed",
        out_of="asked",
        among=f"dimension = '{quality}'",
        target=0.95,
        **_COMMON,
    )
    for quality, question in QUESTIONS.items()
)

NO_PLACE = "(lon is null or lat is null)"
WRONG_ADDRESS = "coalesce(reason in ('address_wrong_or_incomplete', 'cannot_locate'), false)"

RATES = (
    Kpi(
        key="invalid_address_rate",
        label="Invalid addresses",
        question="How many addresses don't lead to the site?",
        formula="no coordinates, handover more than 500 m away, or failed for the address ÷ tried deliveries",
        unit=Unit.SHARE,
        direction=Direction.LOWER,
        anchor="attempts",
        numerator="deliveries whose address has no coordinates or proved wrong",
        denominator="deliveries whose address was put to the test",
        fact="delivery",
        counts=f"({NO_PLACE} or coalesce(handover_distance_m > 500, false) or {WRONG_ADDRESS})::int",
        excluded=(("not tried", "attempts = 0"),),
        unknown=(
            (
                "failed without evidence, so nobody may have been there",
                "handed_over_at is null and tries_without_evidence = failed_tries "
                f"and not {NO_PLACE} and not {WRONG_ADDRESS}",
            ),
        ),
        needs=("statuses_mapped", "handover_place_given"),
        target=0.03,
        **_COMMON,
    ),
    Kpi(
        key="missing_scan_rate",
        label="Missing scans",
        question="Which stages of the work are not scanned?",
        formula="stages of tried deliveries without a scan ÷ stages that their depot and source scan at all",
        unit=Unit.SHARE,
        direction=Direction.LOWER,
        anchor="scans",
        numerator="missing scans",
        denominator="expected scans",
        fact="scan",
        counts="(not scanned)::int",
        excluded=(("the stage is never scanned there", "not stage_in_use"),),
        target=0.02,
        **_COMMON,
    ),
    Kpi(
        key="proof_complete_rate",
        label="Complete proofs",
        question="How often is the proof complete, against what the delivery needed?",
        formula="handovers with all the proof that was required ÷ handovers",
        unit=Unit.SHARE,
        direction=Direction.HIGHER,
        anchor="handover",
        numerator="handovers with all the proof that was required",
        denominator="handovers with a stated requirement",
        fact="delivery",
        counts="proof_complete::int",
        excluded=(("not handed over", "handed_over_at is null"),),
        unknown=(("what proof it needed is not recorded", "proof_complete is null"),),
        needs=("proof_rule_given",),
        target=0.98,
        **_COMMON,
    ),
    Kpi(
        key="positions_out_of_order_rate",
        label="Positions out of order",
        question="How many positions reach us after a later one of the same vehicle?",
        formula="positions overtaken by a later one of their vehicle ÷ positions",
        unit=Unit.SHARE,
        direction=Direction.LOWER,
        anchor="positions",
        numerator="positions that a later one overtook",
        denominator="positions from sources that tell when they were recorded",
        fact="position",
        counts="overtaken::int",
        unknown=(("its source does not tell when it was recorded", "not recorded_at_given"),),
        target=0.05,
        **_COMMON,
    ),
    Kpi(
        key="unmapped_status_rate",
        label="Unmapped statuses",
        question="How many statuses does no map know?",
        formula="unmapped events ÷ events that are not readings",
        unit=Unit.SHARE,
        direction=Direction.LOWER,
        anchor="events",
        numerator="unmapped events",
        denominator="events that are not positions or sensor readings",
        fact="event",
        counts="(type = 'unmapped')::int",
        excluded=(("a position or a reading", "reading"),),
        target=0.01,
        **_COMMON,
    ),
    Kpi(
        key="reason_missing_or_other_rate",
        label="Reason missing or other",
        question="How many failed tries don't tell why?",
        formula="failed tries without a reason, or with “other” ÷ failed tries",
        unit=Unit.SHARE,
        direction=Direction.LOWER,
        anchor="failed tries",
        numerator="failed tries without a reason, or with “other”",
        denominator="failed tries",
        fact="event",
        counts="(coalesce(reason, 'other') = 'other')::int",
        among="failed_try",
        target=0.05,
        **_COMMON,
    ),
    Kpi(
        key="quarantine_rate",
        label="Rows in quarantine",
        question="How much of the imported files was not taken?",
        formula="rows refused ÷ rows read, of imports that stand",
        unit=Unit.SHARE,
        direction=Direction.LOWER,
        anchor="end of the import",
        numerator="rows refused",
        denominator="rows read",
        fact="import",
        counts="rows_refused",
        out_of="rows_read",
        target=0.01,
        **_COMMON,
    ),
)

NO_LATENCY: Rule = ("its source does not tell when it was recorded", "latency_minutes is null")


def _latency(percentile: float, target: float) -> Kpi:
    return Kpi(
        key=f"scan_latency_p{percentile * 100:.0f}",
        label=f"Scan latency, P{percentile * 100:.0f}",
        question="How long from the scan until we know it?",
        formula=f"P{percentile * 100:.0f} of recorded − occurred",
        unit=Unit.MINUTES,
        direction=Direction.LOWER,
        anchor="scans",
        numerator="minutes from occurred to recorded",
        denominator="scans from sources that tell when they were recorded",
        fact="event",
        counts="latency_minutes",
        percentile=percentile,
        excluded=(("a position or a reading", "reading"),),
        unknown=(NO_LATENCY,),
        target=target,
        **_COMMON,
    )


QUALITY = (*DIMENSIONS, *RATES, _latency(0.5, 2), _latency(0.9, 15))
