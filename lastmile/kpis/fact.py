"""What a counted row is, and the parts that the queries of several kinds share: scope, periods, deliveries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

CALENDAR = ("day", "week", "month")
OF_A_DELIVERY = (
    *CALENDAR, "hour", "depot", "carrier", "service", "criticality", "area", "driver", "vehicle", "reason", "source",
)  # fmt: skip
OF_A_ROUTE = (*CALENDAR, "depot", "carrier", "driver", "vehicle")


@dataclass(frozen=True)
class Fact:
    """One kind of counted row: `grain` in words, `identity` the columns that name a row, `dimensions` what splits it.

    `sql` reads $as_of, $day_from, $day_to, $cutoff (the instant that "due" is judged by), $today (its day) and the scope's
    $depots, $carriers and $services, and the relations of `facts.RELATIONS` by their names; `shown` are the columns that a
    drill-down shows beside the dimensions.

    Where rows are many and all that counts of them can be added up, `summed` gives SQL that has done so by some of the
    dimensions: its column `times` says how many rows one of its rows stands for.
    """

    key: str
    grain: str
    identity: tuple[str, ...]
    dimensions: tuple[str, ...]
    shown: tuple[str, ...]
    sql: str
    in_money: bool = False  # its rows carry a currency
    summed: Callable[[Sequence[str]], str] | None = None


SCOPE = """(len($depots) = 0 or list_contains($depots::varchar[], depot))
    and (len($carriers) = 0 or list_contains($carriers::varchar[], carrier))"""
SCOPE_OF_SERVICE = "(len($services) = 0 or list_contains($services::varchar[], service))"
PERIODS = "date_trunc('week', day)::date as week, date_trunc('month', day)::date as month"

_END_OF_TIME = """case when resolved then null
        when window_due is not null then {due} + to_microseconds((late_minutes * 60000000)::bigint)
        else (day + interval 1 day) at time zone zone end"""
# Overdue: neither resolved nor within its time any more; without a promise the time ends with its day.
DELIVERIES = f"""
select *, {PERIODS}, hour(coalesce(handed_over_at, last_failed_at) at time zone zone) as hour,
    not resolved and $cutoff::timestamptz > {_END_OF_TIME.format(due="window_due")} as overdue,
    not resolved and $cutoff::timestamptz > {_END_OF_TIME.format(due="coalesce(revised_due, window_due)")}
        as overdue_revised
from (
    select *, depot_id as depot, carrier_id as carrier, driver_id as driver, vehicle_id as vehicle
    from deliveries_at($as_of::timestamptz, $day_from::date, $day_to::date)
)
where {SCOPE} and {SCOPE_OF_SERVICE}
"""
