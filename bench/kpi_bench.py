"""KPIs at a million deliveries and six million events, each against a bare count by day over the same rows.

`python -m bench.kpi_bench [database]` makes the database where there is none (minutes) and prints medians of five.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from bench import million
from bench.timing import median_ms
from lastmile.kpis import CATALOGUE, measure
from lastmile.kpis.service import SERVICE, TIMELINESS
from lastmile.store import Store

LAST = million.LAST_DAY.date()
MONTH = {"day_from": LAST - timedelta(days=27), "day_to": LAST}
SERVICE_KEYS = [kpi.key for kpi in SERVICE]


def questions(store: Store) -> dict[str, Callable[[], object]]:
    """What is asked, by name."""
    by_day = ("day", "depot")
    return {
        "bare count by day, 28 days": lambda: store.ask(
            "select day, depot_id, count(*) from delivery where day >= $first group by all", first=MONTH["day_from"]
        ),
        "timeliness by day and depot, 28 days": lambda: measure(
            store, [kpi.key for kpi in TIMELINESS], by=by_day, **MONTH
        ),
        "all of Service by day and depot, 28 days": lambda: measure(store, SERVICE_KEYS, by=by_day, **MONTH),
        "all of Service, one day": lambda: measure(store, SERVICE_KEYS, day_from=LAST, day_to=LAST),
        "on time by month, all year": lambda: measure(store, ["on_time_rate"], by=("month",)),
        "on time by depot, 28 days, as known then": lambda: measure(
            store, ["on_time_rate"], by=("depot",), as_of=million.NOON, **MONTH
        ),
        "cost per drop by service, one day": lambda: measure(
            store, ["cost_per_drop"], by=("service",), day_from=LAST, day_to=LAST
        ),
        "cost per drop by service, 28 days": lambda: measure(store, ["cost_per_drop"], by=("service",), **MONTH),
        "route utilisation and sequence by depot, 28 days": lambda: measure(
            store, ["route_utilisation", "load_binding", "plan_sequence_kept"], by=("depot",), **MONTH
        ),
        "completeness by field, one day": lambda: measure(
            store, ["completeness"], by=("field",), day_from=LAST, day_to=LAST
        ),
        "completeness by field, 28 days": lambda: measure(store, ["completeness"], by=("field",), **MONTH),
        "scan latency by source, 28 days": lambda: measure(store, ["scan_latency_p50"], by=("source",), **MONTH),
        "the whole catalogue, one day": lambda: measure(store, list(CATALOGUE), day_from=LAST, day_to=LAST),
    }


def run(path: Path) -> list[tuple[str, str]]:
    """The median of each question."""
    store = Store.open(path) if path.exists() else million.make(path)
    found = [(f"KPI, {name}", f"{median_ms(question):.0f} ms") for name, question in questions(store).items()]
    store.close()
    return found


if __name__ == "__main__":
    for what, figure in run(Path(sys.argv[1])):
        print(f"{figure:>12}  {what}")
