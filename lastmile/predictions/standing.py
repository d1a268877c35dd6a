"""How the day stands by what is predicted: statuses of stops and vehicles, arrivals with their spread."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lastmile.model import Status
from lastmile.predictions.chances import AT_RISK_CHANCE

SURE = 0.98
"""From this chance on, a promise counts as broken."""

SILENT_MINUTES = 20.0
"""A van on the road that has told nothing for so long is unknown, not on time (as in macro vehicle_state)."""

ADDED = ("eta_from", "eta_until", "chance_late", "signal_minutes")
MINUTE = pd.Timedelta(minutes=1)


def stops_by_prediction(
    stops: pd.DataFrame, predicted: pd.DataFrame | None, at_risk: float = AT_RISK_CHANCE
) -> pd.DataFrame:
    """Rows of queries.stops with the predicted arrival in place of the plan's; adds eta_from, eta_until, chance_late.

    Late: past its promise, or sure to be. At risk: a chance of `at_risk` or more. Unknown: its van is silent.
    What has no prediction stays as it is, with the added columns empty.
    """
    if predicted is None or predicted.empty or stops.empty:
        return stops.assign(eta_from=pd.NaT, eta_until=pd.NaT, chance_late=np.nan, signal_minutes=np.nan)
    told = predicted.drop_duplicates("delivery_id").set_index("delivery_id")
    told = told[["eta_at", *ADDED, "kind"]].reindex(stops.delivery_id).set_index(stops.index)
    mine = told.eta_at.notna() & ~stops.done & stops.broke_down_at.isna()
    found = stops.assign(**{name: told[name].where(~stops.done) for name in ADDED})
    found["minutes_over"] = stops.minutes_over.where(~mine, _minutes_over(stops, told.eta_at))
    found["eta_at"] = stops.eta_at.where(~mine, told.eta_at)
    found["status"] = stops.status.where(~mine, _status(stops, told, at_risk))
    return found


def _status(stops: pd.DataFrame, told: pd.DataFrame, at_risk: float) -> pd.Series:
    late = (stops.status == Status.LATE) | (told.chance_late >= SURE)
    silent = told.kind.eq("silent") & (told.signal_minutes > SILENT_MINUTES)
    by_chance = np.select(
        [late, silent | told.chance_late.isna(), told.chance_late >= at_risk],
        [str(Status.LATE), str(Status.UNKNOWN), str(Status.AT_RISK)],
        str(Status.ON_TIME),
    )
    return pd.Series(by_chance, index=stops.index)


def _minutes_over(stops: pd.DataFrame, eta_at: pd.Series) -> pd.Series:
    """Minutes past the promise as predicted: what lies between arriving and what is promised stays as expected."""
    then, now = (at.where(at > stops.window_from, stops.window_from).fillna(at) for at in (stops.eta_at, eta_at))
    moved = ((now - then) / MINUTE).fillna(0.0)
    return stops.minutes_over + moved


def vehicles_by_prediction(vehicles: pd.DataFrame, stops: pd.DataFrame) -> pd.DataFrame:
    """Rows of queries.vehicles with counts, next arrival and status by `stops_by_prediction`."""
    if vehicles.empty or stops.empty or stops.chance_late.isna().all():
        return vehicles
    open_stops = stops[~stops.done & ~stops.passed & stops.plan_id.notna()]
    counts = open_stops.groupby(["route_id", "status"]).size().unstack(fill_value=0)
    late, risk = (
        vehicles.route_id.map(counts[status] if status in counts else pd.Series(dtype=float)).fillna(0).astype(int)
        for status in (str(Status.LATE), str(Status.AT_RISK))
    )
    following = open_stops.sort_values("stop").drop_duplicates("route_id").set_index("route_id")
    moving = vehicles.status.isin([Status.LATE, Status.AT_RISK, Status.ON_TIME]) & vehicles.broke_down_at.isna()
    by_stops = np.select([late > 0, risk > 0], [str(Status.LATE), str(Status.AT_RISK)], str(Status.ON_TIME))
    return vehicles.assign(
        open_late=late,
        open_at_risk=risk,
        next_eta_at=vehicles.route_id.map(following.eta_at).fillna(vehicles.next_eta_at),
        status=vehicles.status.where(~moving, pd.Series(by_stops, index=vehicles.index)),
    )
