"""Exceptions: how fast they are noticed, taken up, acted on and over, and what that prevents."""

from __future__ import annotations

from typing import Any

from lastmile.kpis.definition import Direction, Kpi, Owner, Rule, Step, Unit

FAMILY = "Exceptions"
TAKEN_FROM = "service day of the exception"
MEDIAN, NINE_OF_TEN = 0.5, 0.9

NOT_DATED: Rule = ("since when it could be noticed is not recorded", "detect_minutes is null")
OPEN: Rule = ("still open", "not resolved")

_OF_TIMES: dict[str, Any] = {
    "family": FAMILY,
    "fact": "exception",
    "unit": Unit.MINUTES,
    "direction": Direction.LOWER,
    "anchor": TAKEN_FROM,
    "denominator": "exceptions that stand for themselves",
    "owner": Owner.OPERATIONS,
}


def _time(key: str, label: str, question: str, until: str, target: dict[float, float], **more: Any) -> tuple[Kpi, ...]:
    """A time as its median and as what nine of ten stay within; `target` in minutes for each."""
    return tuple(
        Kpi(
            key=f"{key}_p{percentile * 100:.0f}",
            label=f"{label}, P{percentile * 100:.0f}",
            question=question,
            formula=f"P{percentile * 100:.0f} of {until}",
            percentile=percentile,
            target=minutes,
            **(_OF_TIMES | more),
        )
        for percentile, minutes in target.items()
    )


RESPONSE = (
    *_time(
        "time_to_detect",
        "Time to detect",
        "How soon is an exception noticed, once the facts on record could tell?",
        "detection − the instant at which the facts on record could first tell",
        {MEDIAN: 2, NINE_OF_TEN: 15},
        numerator="exceptions that were noticed",
        counts="detect_minutes",
        unknown=(NOT_DATED,),
        # what is on record was noticed, so none waits; estimated as the other times are, to be laid beside them
        waits_for=Step("true", ""),
    ),
    *_time(
        "time_to_acknowledge",
        "Time to acknowledge",
        "How soon does a person take up an exception?",
        "the first step of a person − detection",
        {MEDIAN: 15, NINE_OF_TEN: 60},
        numerator="exceptions that a person has taken up",
        counts="acknowledge_minutes",
        waits_for=Step("acknowledged", "waiting"),
    ),
    *_time(
        "time_to_first_action",
        "Time to first action",
        "How soon is something done about an exception?",
        "the first action that was done − detection",
        {MEDIAN: 45, NINE_OF_TEN: 120},
        numerator="exceptions on which an action was done",
        counts="act_minutes",
        waits_for=Step("acted", "without an action"),
    ),
    *_time(
        "time_to_resolve",
        "Time to resolve",
        "How soon is an exception over?",
        "its end, by a person or because its condition was gone − detection",
        {MEDIAN: 240, NINE_OF_TEN: 1440},
        numerator="exceptions that are over",
        counts="resolve_minutes",
        waits_for=Step("resolved", "open"),
    ),
    *_time(
        "open_age",
        "Age of open exceptions",
        "How old are the exceptions that are still open?",
        "now, or the instant asked about − detection, of those that are open",
        {MEDIAN: 240, NINE_OF_TEN: 1440},
        numerator="minutes since detection",
        denominator="open exceptions that stand for themselves",
        counts="resolve_minutes",
        excluded=(("over", "resolved"),),
    ),
    Kpi(
        key="prevented_share",
        family=FAMILY,
        label="Prevented",
        question="How many of the broken promises that we were warned of did not come to pass?",
        formula="warnings that were over before the breach ÷ warnings that were over before or by it",
        unit=Unit.SHARE,
        direction=Direction.HIGHER,
        anchor=TAKEN_FROM,
        numerator="warnings that were over before the breach",
        denominator="warnings that stand for themselves and were over before the breach or by it",
        fact="exception",
        counts="(outcome = 'prevented')::int",
        excluded=(
            OPEN,
            (
                "neither prevented nor breached: replaced, ended, accepted or a false alarm",
                "coalesce(outcome, '') not in ('prevented', 'breached')",
            ),
        ),
        among="warns",
        target=0.5,
        owner=Owner.OPERATIONS,
    ),
    Kpi(
        key="alert_precision",
        family=FAMILY,
        label="Alert precision",
        question="How many of our warnings are right?",
        formula="warnings whose promise was then broken ÷ warnings in which nobody intervened and whose promise has ended",
        unit=Unit.SHARE,
        direction=Direction.HIGHER,
        anchor="service day of the exception; end of the promise",
        numerator="warnings whose promise was broken",
        denominator="warnings in which nobody intervened and whose promise has ended",
        fact="warning",
        counts="broken::int",
        excluded=(("somebody intervened: what became of the promise says nothing about the warning", "intervened"),),
        target=0.6,
        owner=Owner.OPERATIONS,
    ),
)
