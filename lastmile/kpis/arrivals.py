"""Arrivals: how well they were told an hour before, and what time goes by at the site."""

from __future__ import annotations

from typing import Any

from lastmile.kpis.definition import Direction, Kpi, Owner, Rule, Unit

FAMILY = "Communication"

NEVER_TRIED: Rule = ("not tried", "attempts = 0")
NO_ARRIVAL: Rule = ("when the van came is not recorded", "arrived_at is null")
NOT_TOLD: Rule = ("no arrival was predicted an hour before", "miss_minutes is null")

_TOLD: dict[str, Any] = {
    "family": FAMILY,
    "fact": "arrival",
    "anchor": "arrival",
    "excluded": (NEVER_TRIED,),
    "unknown": (NO_ARRIVAL, NOT_TOLD),
    "owner": Owner.OPERATIONS,
}


def _within(minutes: int, target: float) -> Kpi:
    return Kpi(
        key=f"eta_within_{minutes}",
        label=f"Arrivals within {minutes} min of what was told",
        question=f"How often does the van come within {minutes} minutes of what was told an hour before?",
        formula=f"|arrival − ETA as it stood an hour before| ≤ {minutes} min ÷ arrivals with such an ETA",
        unit=Unit.SHARE,
        direction=Direction.HIGHER,
        numerator=f"arrivals within {minutes} minutes of the ETA",
        denominator="arrivals with an ETA an hour before",
        counts=f"(abs(miss_minutes) <= {minutes})::int",
        target=target,
        **_TOLD,
    )


TOLD = (
    Kpi(
        key="eta_error_mean",
        label="ETA error, mean",
        question="By how much is an arrival off from what was told an hour before?",
        formula="Σ |arrival − ETA as it stood an hour before| ÷ arrivals with such an ETA",
        unit=Unit.MINUTES,
        direction=Direction.LOWER,
        numerator="minutes between arrival and ETA, either way",
        denominator="arrivals with an ETA an hour before",
        counts="abs(miss_minutes)",
        target=15,
        **_TOLD,
    ),
    Kpi(
        key="eta_error_p90",
        label="ETA error, P90",
        question="By how much is all but every tenth arrival off at most?",
        formula="P90 of |arrival − ETA as it stood an hour before|",
        unit=Unit.MINUTES,
        direction=Direction.LOWER,
        numerator="minutes between arrival and ETA, either way",
        denominator="arrivals with an ETA an hour before",
        counts="abs(miss_minutes)",
        percentile=0.9,
        target=30,
        **_TOLD,
    ),
    _within(10, 0.6),
    _within(15, 0.75),
    _within(30, 0.9),
    Kpi(
        key="eta_coverage",
        label="Arrivals in the interval told",
        question="Does the interval that was told an hour before hold the 80 % that it promises?",
        formula="arrivals between P10 and P90 as told an hour before ÷ arrivals with such an interval",
        unit=Unit.SHARE,
        direction=Direction.HIGHER,
        numerator="arrivals in the interval",
        denominator="arrivals with an ETA an hour before",
        counts="came_in_interval::int",
        target=0.8,
        **_TOLD,
    ),
    Kpi(
        key="eta_volatility",
        label="ETA moved about",
        question="By how many minutes is a told arrival moved about until the van comes?",
        formula="Σ |change of the ETA| ÷ stops with one",
        unit=Unit.MINUTES,
        direction=Direction.LOWER,
        numerator="minutes that the ETA was moved by, either way",
        denominator="arrivals with an ETA before",
        counts="moved_minutes",
        **(_TOLD | {"unknown": (NO_ARRIVAL, ("no arrival was predicted", "times_told is null"))}),
    ),
)


def _dwell(percentile: float) -> Kpi:
    return Kpi(
        key=f"dwell_p{percentile * 100:.0f}",
        family=FAMILY,
        label=f"Time at the site, P{percentile * 100:.0f}",
        question="How long does a van stand at a site?",
        formula=f"P{percentile * 100:.0f} of departure − arrival",
        unit=Unit.MINUTES,
        direction=Direction.LOWER,
        anchor="departure from the stop",
        numerator="minutes from arrival to departure",
        denominator="tried deliveries with both scans",
        fact="delivery",
        counts="minutes_between(arrived_at, departed_stop_at)",
        percentile=percentile,
        excluded=(NEVER_TRIED,),
        unknown=(NO_ARRIVAL, ("when the van left is not recorded", "departed_stop_at is null")),
        owner=Owner.OPERATIONS,
    )


def _wait(percentile: float) -> Kpi:
    return Kpi(
        key=f"wait_p{percentile * 100:.0f}",
        family=FAMILY,
        label=f"Wait at the site, P{percentile * 100:.0f}",
        question="How long does a driver wait before the handover can begin?",
        formula=f"P{percentile * 100:.0f} of start of service − arrival",
        unit=Unit.MINUTES,
        direction=Direction.LOWER,
        anchor="start of service",
        numerator="minutes from arrival to the start of service",
        denominator="handovers with both times",
        fact="delivery",
        counts="minutes_between(arrived_at, service_started_at)",
        percentile=percentile,
        excluded=(("not handed over", "handed_over_at is null"),),
        unknown=(NO_ARRIVAL, ("when service began is not recorded", "service_started_at is null")),
        owner=Owner.OPERATIONS,
    )


ARRIVALS = (*TOLD, _dwell(0.5), _dwell(0.9), _wait(0.5), _wait(0.9))
