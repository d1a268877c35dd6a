"""How good predictions were: by horizon, against the plan and the plan moved by the present delay."""

from __future__ import annotations

import numpy as np
import pandas as pd

HORIZONS = {
    "0 to 15 min": 15.0,
    "15 to 30 min": 30.0,
    "30 to 60 min": 60.0,
    "1 to 2 h": 120.0,
    "2 to 4 h": 240.0,
    "over 4 h": np.inf,
}
"""Label → minutes before the actual arrival that a prediction of it was made at, up to."""

METHODS = {"eta": "Prediction", "shifted": "Plan + present delay", "plan": "Plan"}
WITHIN = (10, 15, 30)


def accuracy(predicted: pd.DataFrame, history: pd.DataFrame) -> pd.DataFrame:
    """One row per prediction of an arrival that came: predict's COLUMNS, came_at, minutes out, and misses by method.

    A miss is actual − predicted minutes: positive where the van came later than told. `covered`: it came in the interval.
    """
    keys = ["instant", "delivery_id", "route_id"]
    rows = predicted.merge(history[[*keys, "came_at"]], on=keys)
    rows = rows[
        rows.came_at.notna() & (rows.came_at > rows.instant) & rows.visited_at.isna() & rows.eta_at.notna()
    ].copy()
    for method, column in (("eta", "eta_at"), ("shifted", "shifted_at"), ("plan", "plan_at")):
        rows[f"{method}_miss"] = (rows.came_at - rows[column]) / pd.Timedelta(minutes=1)
    rows["minutes_out"] = (rows.came_at - rows.instant) / pd.Timedelta(minutes=1)
    rows["predicted_minutes_out"] = (rows.eta_at - rows.instant) / pd.Timedelta(minutes=1)
    rows["covered"] = (rows.came_at >= rows.eta_from) & (rows.came_at <= rows.eta_until)
    rows["width_minutes"] = (rows.eta_until - rows.eta_from) / pd.Timedelta(minutes=1)
    rows["horizon"] = horizon_of(rows.minutes_out)
    return rows


def horizon_of(minutes: pd.Series) -> pd.Categorical:
    """The label of each horizon."""
    return pd.cut(minutes, [-np.inf, *HORIZONS.values()], labels=list(HORIZONS), ordered=True)


def by_horizon(rows: pd.DataFrame, by: str = "minutes_out") -> pd.DataFrame:
    """One row per horizon and method: n, bias (median), MAE, P90 of the absolute miss, shares within; coverage and width.

    `by`: minutes_out, to the actual arrival, or predicted_minutes_out. Minutes and shares; coverage for predictions only.
    """
    found = []
    horizons = horizon_of(rows[by])
    for horizon in HORIZONS:
        mine = rows[horizons == horizon]
        found += [_figures(mine, horizon, method) for method in METHODS if len(mine)]
    return pd.DataFrame(found)


def _figures(rows: pd.DataFrame, horizon: str, method: str) -> dict[str, object]:
    miss = rows[f"{method}_miss"]
    off = miss.abs()
    own = method == "eta"
    return {
        "horizon": horizon, "method": method, "n": len(rows), "bias": miss.median(), "mae": off.mean(), "p90": off.quantile(0.9),
        **{f"within_{minutes}": (off <= minutes).mean() for minutes in WITHIN},
        "coverage": rows.covered.mean() if own else np.nan, "width": rows.width_minutes.median() if own else np.nan,
    }  # fmt: skip


def volatility(predicted: pd.DataFrame) -> float:
    """Σ |change of the ETA| ÷ stops, in minutes, over the instants at which it was told; NaN where nothing was."""
    told = predicted[predicted.eta_at.notna()].sort_values(["route_id", "delivery_id", "instant"])
    changes = told.groupby(["route_id", "delivery_id"]).eta_at.diff().abs() / pd.Timedelta(minutes=1)
    stops = told.groupby(["route_id", "delivery_id"]).ngroups
    return float(changes.sum() / stops) if stops else float("nan")
