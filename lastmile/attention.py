"""How the deliveries of a day stand, by depot too, and why one is late or at risk. Pure: frame in, frame out."""

from __future__ import annotations

import pandas as pd

from lastmile.model import Status

RUNS_BEHIND_MINUTES = 10
"""From this delay on, the route itself is named as the cause; under it, the plan left the stop too little room."""

UNSCANNED_MINUTES = 10
"""So long after its expected time, a stop without a scan is told as such: it may be done, and its scan be late."""


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
