"""What is counted of re-optimizations: each one that was approved."""

from __future__ import annotations

from lastmile.kpis.fact import CALENDAR, PERIODS, Fact

# A re-optimization is of a whole depot: no carrier or service narrows it.
REPLANNINGS = f"""
select * exclude (why), why as because, depot_id as depot, {PERIODS}
from replan_result($as_of::timestamptz, $day_from::date, $day_to::date, $today::date)
where len($depots) = 0 or list_contains($depots::varchar[], depot_id)
"""

REPLANNING_FACTS = (
    Fact(
        "replanning",
        "one row per re-optimization that was approved",
        ("plan_id",),
        (*CALENDAR, "depot", "decided_by"),
        ("from_at", "stops_covered", "plan_gain", "execution_loss", "saving", "currency", "because"),
        REPLANNINGS,
        in_money=True,
    ),
)
