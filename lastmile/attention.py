"""Which open deliveries need somebody now, why, and how much is at stake. Pure: frame in, frame out."""

from __future__ import annotations

import pandas as pd

from lastmile.model import Status

RUNS_BEHIND_MINUTES = 10
"""From this delay on, the route itself is named as the cause; under it, the plan left the stop too little room."""

UNSCANNED_MINUTES = 10
"""So long after its expected time, a stop without a scan is told as such: it may be done, and its scan be late."""

COLUMNS = [
    "delivery_id",
    "status",
    "vehicle_id",
    "route_id",
    "recipient",
    "service",
    "criticality",
    "cause",
    "minutes_over",
    "chance_late",
    "window_due",
    "eta_at",
    "penalty",
    "currency",
]


def needs_attention(stops: pd.DataFrame) -> pd.DataFrame:
    """The open stops that are late or at risk, the dearest and latest first; one row per delivery.

    `stops`: as of queries.stops, or with predictions. Adds `cause` in words; `minutes_over` is minutes past the promise as expected now.
    """
    if stops.empty:
        return stops.reindex(columns=COLUMNS)
    found = stops[~stops.done & stops.status.isin([Status.LATE, Status.AT_RISK])].copy()
    found["cause"] = [cause(row) for row in found.itertuples()]
    found["is_late"] = found.status == Status.LATE
    found["stake"] = found.penalty.fillna(0)
    ordered = found.sort_values(
        ["is_late", "stake", "minutes_over", "delivery_id"], ascending=[False, False, False, True], na_position="last"
    )
    return ordered.reindex(columns=COLUMNS).reset_index(drop=True)


def cause(stop: tuple) -> str:
    """Why an open stop is late or at risk, in a few words; `stop` is a row of queries.stops."""
    if pd.notna(stop.broke_down_at):
        return "vehicle broke down"
    if pd.isna(stop.departed_at):
        return "has not left the depot"
    if stop.unscanned_minutes >= UNSCANNED_MINUTES:
        return f"no scan, {stop.unscanned_minutes:.0f} min overdue"
    if pd.isna(stop.loaded_at):
        return "no loading scan"
    if pd.notna(stop.delay_minutes) and stop.delay_minutes >= RUNS_BEHIND_MINUTES:
        return f"van runs {stop.delay_minutes:.0f} min behind"
    if stop.service_at > stop.window_due:
        return "planned after its window"
    return "tight in the plan"


def by_depot(stops: pd.DataFrame, vehicles: pd.DataFrame) -> pd.DataFrame:
    """One row per depot: depot_id, vehicles_out, planned, done_share, late, at_risk, behind (median minutes of vans out)."""
    out = vehicles[vehicles.departed_at.notna() & vehicles.returned_at.isna()]
    rows = [
        {"depot_id": depot_id, **counts(mine), "done_share": mine.done.mean()}
        for depot_id, mine in stops.groupby("depot_id")
    ]
    found = pd.DataFrame(rows, columns=["depot_id", "planned", "done_share", "late", "at_risk"])
    found["vehicles_out"] = found.depot_id.map(out.groupby("depot_id").size()).fillna(0).astype(int)
    found["behind"] = found.depot_id.map(out.groupby("depot_id").delay_minutes.median())
    return found


def counts(stops: pd.DataFrame) -> dict[str, int]:
    """How the deliveries of a day stand: planned, done, open; late, at risk and passed without a scan among the open."""
    open_stops = stops[~stops.done] if len(stops) else stops
    return {
        "planned": len(stops),
        "handed_over": int(stops.state.isin(["delivered", "partially_delivered"]).sum()) if len(stops) else 0,
        "done": int(stops.done.sum()) if len(stops) else 0,
        "open": len(open_stops),
        "late": int((open_stops.status == Status.LATE).sum()) if len(stops) else 0,
        "at_risk": int((open_stops.status == Status.AT_RISK).sum()) if len(stops) else 0,
        "passed": int(stops.passed.sum()) if len(stops) else 0,
    }
