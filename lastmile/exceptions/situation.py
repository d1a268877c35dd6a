"""What the rules look at: the operation as known at one instant, or at many at once. Frames only; no database."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import pandas as pd

from lastmile.exceptions.settings import DEFAULTS, Settings

DELIVERY_COLUMNS = [
    "instant", "delivery_id", "day", "depot_id", "carrier_id", "service", "criticality", "recipient", "site_id", "lon", "lat",
    "penalty", "value", "currency", "booked_at", "window_from", "promise_until", "early_minutes", "release_due",
    "released_at", "staged_at", "loaded_at", "loaded_route_id", "arrived_at", "handed_over_at", "handed_over_known_at",
    "failed_at", "failed_known_at", "failed_reason", "unproven_at", "unproven_known_at", "cancelled_at", "returned_at",
    "proof_missing", "done", "passed", "route_id", "vehicle_id", "stop", "arrive_at", "departs_at", "departed_at",
    "departed_known_at", "broke_at", "broke_known_at", "seen_at", "unplanned", "eta_at", "eta_from", "eta_until", "chance_late", "shifted_at",
    "newest_at",
]  # fmt: skip
"""Times are UTC, each only where it was on record at the instant. `promise_until`: the promise given last, with its tolerance.
`done`: handed over, cancelled, returned, or tried in vain since it was booked last; `passed`: its van has finished a later stop;
`seen_at`: when its van came to it by positions alone; `unplanned`: its depot has a plan for the day, and it is not on it;
`unproven_*`: a failed try without evidence; `newest_at`: when the newest fact of its van or itself was recorded.
Columns from eta_at to shifted_at are predictions, null where there is none. Deliveries of which nothing is left to say are left out."""

VEHICLE_COLUMNS = [
    "instant", "route_id", "vehicle_id", "depot_id", "carrier_id", "day", "source", "departs_at", "returns_at", "departed_at",
    "departed_known_at", "broke_at", "broke_known_at", "back_at", "worked_at", "signal_at", "lon", "lat", "still_since", "open_deliveries",
    "next_delivery_id", "next_lon", "next_lat", "last_lon", "last_lat", "depot_lon", "depot_lat", "last_eta_at",
    "shift_ends_at", "overtime_minutes", "break_from", "break_minutes", "celsius", "celsius_at", "celsius_known_at", "newest_at",
]  # fmt: skip
"""One row per instant and route of a plan in force. `worked_at`: its last scan of a delivery; `last_*` is where it was last at work (its depot at first), `next_*` its next
stop; `still_since`: since when it stands within 150 m; `last_eta_at`: when its last open stop is expected; `celsius*`: its
last reading."""

MILESTONE_COLUMNS = ["milestone_id", "name", "project", "need_by", "crew_size", "crew_rate", "currency", "delivery_id"]
"""One row per milestone and delivery that it needs."""

SOURCE_COLUMNS = ["instant", "source", "heard_at", "usual_minutes", "vehicles_out"]
"""`usual_minutes`: as long as it is silent at this hour on eight days of ten; null where that is not known."""

SITE_COLUMNS = ["site_id", "handovers", "off_m", "address_failures"]
"""What earlier days teach about a site: handovers there, how far from its place they were (median), failed for its address."""

NOTICE_COLUMNS = ["delivery_id", "failed_at", "told"]
"""Notices to customers that failed and were not sent again."""

END_COLUMNS = ["delivery_id", "how", "anchor_at", "known_at"]
"""Deliveries that are over: handed_over, cancelled or returned; `anchor_at` is what its promise is judged by."""


INSTANTS = ("instant", "window_from", "promise_until", "eta_from", "eta_until", "still_since", "break_from", "need_by")
"""Columns of instants whose names don't end in _at or _due."""


def is_instant(column: str) -> bool:
    """Whether a column holds instants."""
    return column.endswith(("_at", "_due")) or column in INSTANTS


def empty(columns: list[str]) -> pd.DataFrame:
    """A frame without rows."""
    return pd.DataFrame(
        {name: pd.Series(dtype="datetime64[us, UTC]" if is_instant(name) else object) for name in columns}
    )


@dataclass(frozen=True)
class Situation:
    """The operation at some instants. `step` is the time between looks: what was recorded since the last one is news.

    `redelivery` is what a failed drop has cost by service, in money, from the operation's own figures.
    """

    deliveries: pd.DataFrame
    vehicles: pd.DataFrame
    milestones: pd.DataFrame = field(default_factory=lambda: empty(MILESTONE_COLUMNS))
    sources: pd.DataFrame = field(default_factory=lambda: empty(SOURCE_COLUMNS))
    sites: pd.DataFrame = field(default_factory=lambda: empty(SITE_COLUMNS))
    notices: pd.DataFrame = field(default_factory=lambda: empty(NOTICE_COLUMNS))
    ends: pd.DataFrame = field(default_factory=lambda: empty(END_COLUMNS))
    redelivery: dict[str, float] = field(default_factory=dict)
    settings: Settings = DEFAULTS
    step: timedelta = timedelta(minutes=1)
