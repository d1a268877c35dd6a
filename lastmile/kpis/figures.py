"""From counted rows to figures with their interval and their trust."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lastmile.kpis.checks import CHECKS
from lastmile.kpis.counting import Counting, Places
from lastmile.kpis.definition import Kpi, Unit
from lastmile.kpis.intervals import percentile, percentile_interval, wilson
from lastmile.kpis.waiting import waiting

Column = pd.Series | np.ndarray | list

FIGURE_COLUMNS = (
    "key",
    "value",  # None where nothing was included
    "unit",
    "n",  # what the value rests on: the denominator of a share, else the rows that were included
    "numerator",  # of a percentile None, but where a step is waited for: how many took it
    "denominator",
    "low",  # 95 % interval: Wilson for shares, order statistics or the product limit for percentiles, else none
    "high",
    "included",
    "excluded",
    "unknown",
    "total",
    "trust",  # 0 to 1: the share of rows that pass the weakest check that the KPI needs; None where none applies
    "trust_why",
    "reliable_until",
    "target",
    "met",
)
TRUST_THRESHOLD = 0.8
"""Below this share a figure is shown greyed."""


def figures(kpis: Sequence[Kpi], by: tuple[str, ...], plan: Counting, counted: pd.DataFrame) -> pd.DataFrame:
    """One row per row of `counted` and KPI."""
    parts = [_figures_of(kpi, by, plan, counted) for kpi in kpis]
    return pd.DataFrame({name: _end_to_end([part[name] for part in parts]) for name in parts[0]})


def _end_to_end(columns: list[Column]) -> Column:
    return columns[0] if len(columns) == 1 else pd.concat([pd.Series(column) for column in columns], ignore_index=True)


def _figures_of(kpi: Kpi, by: tuple[str, ...], plan: Counting, counted: pd.DataFrame) -> dict[str, Column]:
    places = plan.places[kpi.key]
    parts = {part: counted[getattr(places, part)].to_numpy("int64") for part in ("included", "excluded", "unknown")}
    worth = _percentiles(kpi, places, counted) if kpi.percentile else _ratios(kpi, places, counted)
    unit = [str(kpi.unit)] * len(counted)
    columns = {name: counted[name] for name in by} | {"key": [kpi.key] * len(counted), "unit": unit}
    columns |= parts | {"total": sum(parts.values())} | worth | _trust(kpi, plan, counted)
    return _in_currency(columns, counted.currencies) if kpi.unit is Unit.MONEY else columns


def _ratios(kpi: Kpi, places: Places, counted: pd.DataFrame) -> dict[str, Column]:
    numerator = counted[places.counts].fillna(0.0).to_numpy("float64")
    denominator = counted[places.out_of].fillna(0.0).to_numpy("float64")
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(denominator > 0, numerator / denominator, np.nan)
    nothing = np.full(len(value), np.nan)
    low, high = wilson(numerator, denominator) if kpi.counts_one_by_one else (nothing, nothing)
    n = denominator if kpi.counts_one_by_one else counted[places.included]
    return _worth(value, n, numerator, denominator, low, high)


def _percentiles(kpi: Kpi, places: Places, counted: pd.DataFrame) -> dict[str, Column]:
    ordered = _lists(counted[places.counts])
    n = np.array([len(values) for values in ordered])
    if places.taken is None:
        reached = np.full(len(n), np.nan)
        value = [percentile(values, kpi.percentile) for values in ordered]
        intervals = [percentile_interval(values, kpi.percentile) for values in ordered]
    else:
        taken = _lists(counted[places.taken])
        reached = np.array([len(values) for values in taken])
        curves = [waiting(got_there, values) for got_there, values in zip(taken, ordered, strict=True)]
        value = [curve.percentile(kpi.percentile) for curve in curves]
        intervals = [curve.interval(kpi.percentile) for curve in curves]
    low, high = zip(*(ends or (np.nan, np.nan) for ends in intervals), strict=True) if intervals else ((), ())
    return _worth(value, n, reached, n, low, high)


def _lists(values: pd.Series) -> list[np.ndarray]:
    return [found if isinstance(found, np.ndarray) else np.array([]) for found in values]


def _worth(value, n, numerator, denominator, low, high) -> dict[str, Column]:
    worth = {"value": value, "n": n, "numerator": numerator, "denominator": denominator, "low": low, "high": high}
    arrays = {name: np.array(column, dtype="float64") for name, column in worth.items()}
    return arrays | {"n": arrays["n"].astype("int64")}


def _in_currency(columns: dict[str, Column], currencies: pd.Series) -> dict[str, Column]:
    """Money with its currency as the unit; amounts in several currencies have no sum, and say so."""
    named = [list(found) if isinstance(found, np.ndarray) else [] for found in currencies]
    several = np.array([len(found) > 1 for found in named], dtype=bool)
    why = [f"amounts in {' and '.join(found)} can't be added" for found in named]
    return columns | {
        "unit": [found[0] if len(found) == 1 else str(Unit.MONEY) for found in named],
        "value": np.where(several, np.nan, columns["value"]),
        "numerator": np.where(several, np.nan, columns["numerator"]),
        "trust": np.where(several, 0.0, columns["trust"]),
        "trust_why": [
            new if mixed else old for new, old, mixed in zip(why, columns["trust_why"], several, strict=True)
        ],
    }


def _trust(kpi: Kpi, plan: Counting, counted: pd.DataFrame) -> dict[str, Column]:
    """The weakest of the checks that the KPI needs, and what it says."""
    if not kpi.needs:
        return {"trust": np.full(len(counted), np.nan), "trust_why": [None] * len(counted)}
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.array([_share(counted, *plan.checks[key]) for key in kpi.needs])
    filled = np.where(np.isnan(shares), 2.0, shares)
    weakest, lowest = filled.argmin(axis=0), filled.min(axis=0)
    trust = np.where(lowest > 1, np.nan, lowest)
    return {
        "trust": trust,
        "trust_why": [_in_words(share, kpi.needs[i]) for share, i in zip(trust, weakest, strict=True)],
    }


def _share(counted: pd.DataFrame, asked: str, passed: str) -> np.ndarray:
    return counted[passed].to_numpy("float64") / counted[asked].to_numpy("float64", na_value=np.nan)


def _in_words(share: float, key: str) -> str | None:
    if np.isnan(share):
        return "nothing to judge it by"
    if share == 1:
        return None
    return (
        f"only {share * 100:.0f} % of {CHECKS[key].says}"
        if share < 0.995
        else f"{share * 100:.1f} % of {CHECKS[key].says}"
    )
