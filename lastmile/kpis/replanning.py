"""Re-optimizations: what the approved ones were to save, and what came true of it."""

from __future__ import annotations

from lastmile.kpis.definition import Direction, Kpi, Owner, Unit

_APPROVED = {
    "family": "Re-optimization",
    "direction": Direction.HIGHER,
    "anchor": "service day of the plan",
    "fact": "replanning",
    "excluded": (("its vans are still out", "not whole"),),
    "unknown": (("what it came to is not known: a rate or a scan is missing", "saving is null"),),
    "owner": Owner.EXECUTIVE,
}

REPLANNING = (
    Kpi(
        key="replanning_predicted",
        label="Predicted saving of an approved plan",
        question="What were the re-optimizations that we approved to save?",
        formula="Σ plan gain ÷ approved re-optimizations; plan gain = cost of the rest of the day by the plan in force − as predicted",
        unit=Unit.MONEY,
        numerator="plan gain",
        denominator="approved re-optimizations whose day is over",
        counts="plan_gain",
        **_APPROVED,
    ),
    Kpi(
        key="replanning_saving",
        label="Saving of an approved plan",
        question="What did the re-optimizations that we approved save?",
        formula="Σ saving ÷ approved re-optimizations; saving = plan gain − (what the rest of the day came to − as predicted)",
        unit=Unit.MONEY,
        numerator="saving that came true",
        denominator="approved re-optimizations whose day is over",
        counts="saving",
        **_APPROVED,
    ),
    Kpi(
        key="replanning_kept",
        label="Predicted saving that came true",
        question="How much of what re-optimizations promised came true?",
        formula="Σ saving ÷ Σ plan gain; above 100 % where days went better than predicted",
        unit=Unit.SHARE,
        numerator="saving that came true",
        denominator="plan gain of the approved re-optimizations whose day is over",
        counts="saving",
        out_of="plan_gain",
        target=0.8,
        **_APPROVED,
    ),
)
