"""Figures as other programs and people read them: records for JSON, a table in plain text, the split of timeliness."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import pandas as pd

from lastmile.kpis.catalogue import CATALOGUE
from lastmile.kpis.definition import Kpi, Unit
from lastmile.kpis.figures import FIGURE_COLUMNS, TRUST_THRESHOLD
from lastmile.kpis.measuring import EVERYTHING, measure
from lastmile.model import Scope
from lastmile.store import Store

_SPLIT = {"early": "early_rate", "on_time": "on_time_rate", "late": "late_rate", "failed": "failed_rate"}


def timeliness_split(
    store: Store,
    *,
    day_from: date | None = None,
    day_to: date | None = None,
    by: Sequence[str] = (),
    as_of: datetime | None = None,
    scope: Scope = EVERYTHING,
) -> pd.DataFrame:
    """One row per combination of `by`: how many deliveries were early, on_time, late and failed.

    These add up to `due`, with `unknown` and `excluded` to `total`; `…_share` are the shares of due, and
    minutes_late_p50 and _p90 those of the late ones.
    """
    keys = [*_SPLIT.values(), "minutes_late_p50", "minutes_late_p90"]
    figures = measure(store, keys, day_from=day_from, day_to=day_to, by=by, as_of=as_of, scope=scope)
    parts = {key: rows.reset_index(drop=True) for key, rows in figures.groupby("key", sort=False)}
    if not parts:
        return pd.DataFrame(columns=[*by, *_SPLIT, "due", "unknown", "excluded", "total"])
    base = parts["on_time_rate"]
    split = base[list(by)].copy()
    for name, key in _SPLIT.items():
        split[name] = parts[key].numerator.astype("int64")
    split = split.assign(due=base.included, unknown=base.unknown, excluded=base.excluded, total=base.total)
    for name, key in _SPLIT.items():
        split[f"{name}_share"] = parts[key].value
    return split.assign(
        minutes_late_p50=parts["minutes_late_p50"].value,
        minutes_late_p90=parts["minutes_late_p90"].value,
        reliable_until=base.reliable_until,
    )


def to_records(figures: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of `measure` or `timeliness_split` as dicts that JSON can hold: times in ISO 8601, nothing as None."""
    return [{name: _plain(value) for name, value in row.items()} for row in figures.to_dict("records")]


def table(figures: pd.DataFrame) -> str:
    """Rows of `measure` as plain text: split, label, value with its unit, 95 % interval, n, target, trust."""
    by = [name for name in figures.columns if name not in FIGURE_COLUMNS]
    lines = [[*by, "KPI", "value", "95 %", "n", "excluded", "unknown", "target", "trust"]]
    for row in figures.to_dict("records"):
        unit = row["unit"]
        interval = "" if pd.isna(row["low"]) else f"{in_words(row['low'], unit)} – {in_words(row['high'], unit)}"
        counts = [str(row[name]) for name in ("n", "excluded", "unknown")]
        lines.append(
            [
                *(str(_plain(row[name]) or "–") for name in by),
                CATALOGUE[row["key"]].label,
                in_words(row["value"], unit),
                interval,
                *counts,
                in_words(row["target"], unit),
                _trust_in_words(row),
            ]
        )
    widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def in_words(value: float | None, unit: str) -> str:
    """A value with its unit, such as 74.96 %, 124 min or 40.71 EUR; an en dash where there is none."""
    if value is None or pd.isna(value):
        return "–"
    if unit == Unit.SHARE:
        return f"{value * 100:.2f} %"
    if unit == Unit.MINUTES:
        return f"{value:,.0f} min"
    if unit == Unit.PER_HOUR:
        return f"{value:.2f} per hour"
    if unit == Unit.COUNT:
        return f"{value:.2f}"
    return f"{value:,.2f} {'' if unit == Unit.MONEY else unit}".rstrip()


def _trust_in_words(row: dict[str, Any]) -> str:
    if pd.isna(row["trust"]):
        return row["trust_why"] or ""
    share = f"{row['trust'] * 100:.0f} %"
    return f"{share}: {row['trust_why']}" if row["trust"] < TRUST_THRESHOLD else share


def _plain(value: Any) -> Any:
    if isinstance(value, pd.Timestamp) and value.tzinfo is None and value == value.normalize():
        return value.date().isoformat()
    if isinstance(value, (datetime, date)) and not pd.isna(value):
        return value.isoformat()
    if pd.isna(value):
        return None
    return value.item() if hasattr(value, "item") else value


def definitions() -> str:
    """The whole catalogue as Markdown: what each KPI means, by family; docs/kpis.md is this text."""
    parts = ["# KPIs", "", "Made from the catalogue by `python -m lastmile kpi --define`; a test holds it current."]
    for family in dict.fromkeys(kpi.family for kpi in CATALOGUE.values()):
        parts += ["", f"## {family}"]
        parts += [_definition(kpi) for kpi in CATALOGUE.values() if kpi.family == family]
    return "\n".join(parts)


def _definition(kpi: Kpi) -> str:
    target = "none" if kpi.target is None else in_words(kpi.target, str(kpi.unit))
    rows = {
        "Formula": kpi.formula,
        "Anchor": kpi.anchor,
        "Numerator": kpi.numerator,
        "Denominator": kpi.denominator,
        "Still waiting": kpi.still_waiting,
        "Left out": kpi.exclusions,
        "Unknown": kpi.unknowns,
        "Unit, direction": f"{kpi.unit}, {kpi.direction}",
        "Default target": target,
        "Owner": str(kpi.owner),
        "Rests on the checks": ", ".join(f"`{check}`" for check in kpi.needs) or "none",
    }
    told = "\n".join(f"- {name}: {text}" for name, text in rows.items() if text)
    return f"\n### {kpi.label} (`{kpi.key}`)\n\n{kpi.question}\n\n{told}"
