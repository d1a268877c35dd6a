"""The crews that wait on construction sites for what is delivered."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lastmile.twin import chance, city, clock, fleet
from lastmile.twin.day import Day

CREW_RATE = 46.0  # EUR an hour for each of the crew, loaded


def milestones(opened: Day) -> dict[str, pd.DataFrame]:
    """The crews that wait for construction deliveries: one milestone per site and day, and the deliveries it needs."""
    deliveries = opened.deliveries
    needed = deliveries[(deliveries["service"] == "construction") & ~deliveries["carried"]]
    ids = "M-" + needed["site_id"] + f"-{opened.day:%Y%m%d}"
    recorded = clock.times(clock.micros(opened.day, needed["ordered"].to_numpy() + 2.0))
    links = pd.DataFrame(
        {"milestone_id": ids.to_numpy(), "delivery_id": needed["delivery_id"].to_numpy(), "recorded_at": recorded}
    )
    names = city.streets()["street"].to_numpy()[needed["street"]]
    all_rows = pd.DataFrame(
        {
            "milestone_id": ids.to_numpy(),
            "recorded_at": recorded,
            "project": [f"Site {name}" for name in names],
            "name": [f"Crew on site, {name}" for name in names],
            "need_by": clock.times(clock.micros(opened.day, needed["window_due"].to_numpy() + 30.0)),
            "zone": clock.ZONE,
            "crew_size": crew_sizes(opened.seed, needed["site_id"]),
            "crew_rate": CREW_RATE,
            "currency": fleet.CURRENCY,
            "float_days": 1.0,
        }
    )
    earliest = all_rows.sort_values(["milestone_id", "need_by", "recorded_at"]).drop_duplicates("milestone_id")
    return {"milestone": earliest.reset_index(drop=True), "milestone_delivery": links}


def crew_sizes(seed: int, sites: pd.Series) -> np.ndarray:
    """How many people wait on a site: three to eight."""
    numbers = sites.str.replace("S", "").str.replace("-", "").astype(np.int64).to_numpy()
    return 3.0 + np.floor(6.0 * chance.uniform(seed, "crew", numbers))
