"""What is counted of exceptions: each one that stands for itself, and each warning of a promise that has ended."""

from __future__ import annotations

from lastmile.kpis.fact import CALENDAR, PERIODS, Fact

OF_AN_EXCEPTION = (*CALENDAR, "depot", "carrier", "service", "rule", "severity", "owner_role", "owner")

# What belongs to no depot, carrier or service (a source that is silent, a van without orders) concerns all of them.
_SCOPE = " and ".join(
    f"(len(${given}) = 0 or {column} is null or list_contains(${given}::varchar[], {column}))"
    for given, column in (("depots", "depot"), ("carriers", "carrier"), ("services", "service"))
)
EXCEPTIONS = f"""
select *, {PERIODS} from exception_response($cutoff::timestamptz, $day_from::date, $day_to::date) where {_SCOPE}
"""
WARNINGS = f"""
select *, {PERIODS} from warning_result($as_of::timestamptz, $cutoff::timestamptz, $day_from::date, $day_to::date)
where {_SCOPE}
"""

RESPONSE_FACTS = (
    Fact(
        "exception",
        "one row per exception that stands for itself; what another explains is counted with it",
        ("exception_id",),
        OF_AN_EXCEPTION,
        (
            "subject_kind",
            "subject_id",
            "recipient",
            "words",
            "stake",
            "detected_at",
            "detect_minutes",
            "acknowledge_minutes",
            "acknowledged",
            "act_minutes",
            "acted",
            "resolve_minutes",
            "resolved",
            "outcome",
        ),
        EXCEPTIONS,
    ),
    Fact(
        "warning",
        "one row per warning of a broken promise on a delivery whose promise has ended",
        ("exception_id",),
        OF_AN_EXCEPTION,
        ("delivery_id", "recipient", "words", "detected_at", "breach_at", "broken", "intervened"),
        WARNINGS,
    ),
)
