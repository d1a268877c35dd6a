"""KPIs at a million deliveries and six million events, each against a bare count by day over the same rows.

`python -m bench.kpi_bench [database]` makes the database where there is none (minutes) and prints medians of five.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from bench import million
from lastmile.kpis import CATALOGUE, measure
from lastmile.kpis.service import SERVICE, TIMELINESS
from lastmile.store import Store

LAST = million.LAST_DAY.date()
MONTH = {"day_from": LAST - timedelta(days=27), "day_to": LAST}
SERVICE_KEYS = [kpi.key for kpi in SERVICE]


def median_ms(question: Callable[[], object], times: int = 5) -> float:
    """The median of so many runs after a first one that is not counted, in milliseconds."""
    question()
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        question()
        taken.append((time.perf_counter() - start) * 1000)
    return statistics.median(taken)


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


def main(path: Path | None = None) -> None:
    """Print one line a question."""
    if path and path.exists():
        store = Store.open(path)
    else:
        store = million.make(path or Path(tempfile.mkdtemp()) / "kpi_bench.duckdb")
    for name, question in questions(store).items():
        print(f"{median_ms(question):8.1f} ms  {name}", flush=True)
    store.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
