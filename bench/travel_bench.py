"""Travel times: matrices without a network by size, and what is learned from a fortnight of a large operation.

`python -m bench.travel_bench [database]` makes the database where there is none (minutes).
"""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

import numpy as np

from bench import million
from bench.timing import median_ms
from lastmile.replanning.travel import driven_legs, fortnight_before, learned_travel
from lastmile.routing.travel import GreatCircleTravel, Rings
from lastmile.store import Store

PLACES = (200, 1000, 2000, 5000)
SHIFT_STARTS, SHIFT_ENDS = (million.NOON + timedelta(hours=hours) for hours in (-6, 8))
MODEL = GreatCircleTravel(far_speed_gain=2.0, rings=Rings(13.4, 52.5, (5.0, 8.0), (1.1, 1.0, 0.9)))


def run(path: Path) -> list[tuple[str, str]]:
    """Medians by size of the problem, then of learning at a million deliveries."""
    return matrices() + learning(path)


def matrices() -> list[tuple[str, str]]:
    """The learned model's matrix of a shift of 14 hours, all its periods together."""
    found = []
    for count in PLACES:
        draw = np.random.default_rng(count)
        lon, lat = draw.uniform(13.1, 13.7, count), draw.uniform(52.35, 52.65, count)
        span = (SHIFT_STARTS.timestamp(), SHIFT_ENDS.timestamp(), "Europe/Berlin")
        periods = len(MODEL.periods(*span, count))
        taken = median_ms(lambda lon=lon, lat=lat, span=span: MODEL.matrix(lon, lat, *span))
        found.append((f"Travel matrix of {count:,} places, periods: {periods}", f"{taken:.0f} ms"))
    return found


def learning(path: Path) -> list[tuple[str, str]]:
    """From the ledger to the learned model with its misses, for one depot."""
    store = Store.open(path) if path.exists() else million.make(path)
    depot_id = store.value("select min(depot_id) from depot")
    dates = fortnight_before(million.LAST_DAY.date())
    legs = len(driven_legs(store, depot_id, **dates))
    taken = median_ms(lambda: learned_travel(store, depot_id, **dates))
    store.close()
    return [(f"Travel times learned from {legs:,} legs of a fortnight", f"{taken:.0f} ms")]


if __name__ == "__main__":
    database = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("million.duckdb")
    print("\n".join(f"{what}: {figure}" for what, figure in run(database)))
