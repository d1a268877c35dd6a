"""Targets by date: last March is judged by the target that held last March."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

import numpy as np
import pandas as pd

from lastmile.kpis.definition import Direction, Kpi
from lastmile.store import Store

_PERIOD_ENDS = {"day": pd.Timedelta(0), "week": pd.Timedelta(days=6), "month": pd.offsets.MonthEnd(0)}


def with_targets(
    store: Store, found: pd.DataFrame, kpis: Mapping[str, Kpi], day_to: date | None, as_of: datetime | None
) -> pd.DataFrame:
    """The figures with `target` and `met`: the target in force on the last day of each period, else the default."""
    changes = store.ask(
        "select key, valid_from, target from kpi_target where recorded_at <= coalesce($as_of::timestamptz, 'infinity') "
        "qualify row_number() over (partition by key, valid_from order by recorded_at desc) = 1 "
        "order by key, valid_from",
        as_of=as_of,
    )
    targets = np.array([kpis[key].target for key in found.key], dtype="float64")
    if not changes.empty:
        days = _last_days(found, day_to)
        targets = np.array(
            [_target(kpis[key], changes, day) for key, day in zip(found.key, days, strict=True)], dtype="float64"
        )
    higher = np.array([kpis[key].direction is Direction.HIGHER for key in found.key], dtype=bool)
    value = found.value.to_numpy("float64")
    met = pd.array(np.where(higher, value >= targets, value <= targets), dtype="boolean")
    met[np.isnan(value) | np.isnan(targets)] = pd.NA
    return found.assign(target=targets, met=met)


def _last_days(found: pd.DataFrame, day_to: date | None) -> pd.Series:
    last = pd.Timestamp(day_to) if day_to else pd.Timestamp.max.normalize()
    period = next((name for name in _PERIOD_ENDS if name in found), None)
    if period is None:
        return pd.Series([last] * len(found), index=found.index)
    ends = pd.to_datetime(found[period]) + _PERIOD_ENDS[period]
    return ends.clip(upper=last).fillna(last)


def _target(kpi: Kpi, changes: pd.DataFrame, day: pd.Timestamp) -> float | None:
    if changes.empty:
        return kpi.target
    in_force = changes[(changes.key == kpi.key) & (pd.to_datetime(changes.valid_from) <= day)]
    return kpi.target if in_force.empty else float(in_force.target.iloc[-1])
