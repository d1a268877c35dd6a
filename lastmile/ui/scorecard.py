"""All KPIs of a period; one of them over time, by group, and down to its rows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from lastmile import kpis, queries
from lastmile.kpis import Kpi, Unit
from lastmile.kpis.facts import FACTS
from lastmile.ui import charts, figures, format, shell
from lastmile.ui.desk import Desk, local_date
from lastmile.ui.tables import Column

DEFAULT = "on_time_rate"
MOST_GROUPS = 25
PARTS = {"numerator": "counted in", "denominator": "counted out", "excluded": "excluded", "unknown": "unknown"}

WORDS = ("service", "criticality", "reason", "state", "timeliness", "part", "type", "kind", "stage", "why", "severity")
"""Columns of the rows that hold keys of the field's words."""

OVERVIEW = {
    "family": Column("Family", width=130),
    "label": Column("KPI", width="medium"),
    "value": Column("Value"),
    "interval": Column("95 % interval", help="Wilson for shares, order statistics for percentiles"),
    "n": Column("n", "count", "What the figure rests on"),
    "change": Column(
        "vs. period before",
        "text",
        "The period of the same length before this one, where all its days are on record",
    ),
    "verdict": Column("", width=70),
    "target": Column("Target"),
    "met": Column("Target met"),
    "left_out": Column("Excluded", "count"),
    "unknown": Column("Unknown", "count", "Never counted as success"),
    "trust": Column("Trust", "percent", "Share of rows that pass the weakest check that the figure needs"),
    "owner": Column("Owner"),
}

WITHOUT_BASE = {name: column for name, column in OVERVIEW.items() if name not in ("change", "verdict")}


def overview(desk: Desk) -> str:
    """The table of all KPIs; the key of the one that is chosen."""
    chosen = st.query_params.get("kpi", DEFAULT)
    if chosen not in kpis.CATALOGUE:
        st.warning(
            f"No KPI is called “{format.as_typed(chosen[:60])}”: shown is {kpis.find(DEFAULT).label}.",
            icon=":material/link_off:",
        )
        chosen = DEFAULT
    before = _before(desk)
    desk.table(
        _overview(desk, before),
        key="scorecard",
        alt="All KPIs of the period",
        columns=_fitting(OVERVIEW if before is not None else WITHOUT_BASE),
        id_column="key",
        choose=choose,
        chosen=chosen,
        height=330,
        download="kpis.csv",
    )
    if before is None:
        st.caption(":material/compare_arrows: Nothing to compare with: the period before is not wholly on record.")
    return chosen


def _fitting(columns: dict[str, Column]) -> dict[str, Column]:
    """On a phone the name and the value come first, and the family, which the order tells, is left out."""
    if not shell.is_phone():
        return columns
    first = {"label": replace(columns["label"], width=150), "value": replace(columns["value"], width=96)}
    return first | {name: column for name, column in columns.items() if name not in (*first, "family")}


def choose(key: str | None) -> None:
    """Keep the choice in the address."""
    if key is not None:
        st.query_params["kpi"] = key


def detail(desk: Desk, key: str) -> None:
    """One KPI: its definition, its days, its groups and its rows."""
    kpi = kpis.find(key)
    figure = next(row for _, row in every(desk).iterrows() if row.key == key)  # the very figure that the table shows
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"#### {kpi.label}", width="content", help=figures.definition(kpi))
        st.markdown(f"**{figures.shown(kpi, figure.value, _currency(figure))}**", width="content")
        st.caption(_footing(desk, kpi, figure), width="content")
    st.caption(kpi.question)
    left, right = st.columns(2, gap="medium")
    with left:
        _trend(desk, kpi)
    with right:
        _groups(desk, kpi)
    _rows(desk, kpi)


def outcomes(desk: Desk) -> None:
    """Early, on time, late, failed and unknown by day."""
    split = desk.ask(kpis.timeliness_split, by=("day",), **figures.period(desk))
    if split.empty:
        return
    shown = split.melt("day", ["early", "on_time", "late", "failed", "unknown"], "outcome", "n")
    shown["outcome"] = shown.outcome.str.replace("_", " ")
    charts.stacked_outcome(shown, key="outcomes", dark=desk.view.dark, description="Deliveries by outcome and day")


def every(desk: Desk) -> pd.DataFrame:
    """All KPIs of the period, one row each, as of `kpis.measure`."""
    return figures.measured(desk, list(kpis.CATALOGUE))


def _overview(desk: Desk, before: pd.DataFrame | None) -> pd.DataFrame:
    now = every(desk)
    was = before.set_index("key").value if before is not None else pd.Series(dtype="float64")
    rows = [_line(kpis.find(figure.key), figure, was.get(figure.key)) for _, figure in now.iterrows()]
    return pd.DataFrame(rows)


def _before(desk: Desk) -> pd.DataFrame | None:
    """All KPIs of the period of the same length before; None where that is not wholly on record, and so no base."""
    scope = desk.view.scope
    if scope.day_from is None or scope.day_to is None:
        return None
    length = scope.day_to - scope.day_from + timedelta(days=1)
    first, last = scope.day_from - length, scope.day_from - timedelta(days=1)
    served = desk.ask(queries.days_served, first, scope.day_to)
    if not whole(served, first, last):
        return None
    return figures.measured(desk, list(kpis.CATALOGUE), day_from=first, day_to=last)


def whole(served: Collection[date], first: date, last: date) -> bool:
    """Whether all days of a period are on record, but for those of the week on which nobody delivers, as `served` shows."""
    weekdays = {day.weekday() for day in served}
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    wanted = [day for day in days if day.weekday() in weekdays]
    return bool(wanted) and all(day in served for day in wanted)


def _line(kpi: Kpi, figure: pd.Series, was: Any) -> dict[str, Any]:
    currency = _currency(figure)
    verdict = figures.verdict(kpi, figure.value, was)
    return {
        "key": kpi.key,
        "family": kpi.family,
        "label": kpi.label,
        "value": figures.shown(kpi, figure.value, currency),
        "interval": _interval(kpi, figure),
        "n": figure.n,
        "change": figures.change(kpi, figure.value, was, currency),
        "verdict": {"good": "better", "bad": "worse"}.get(verdict),
        "target": figures.shown(kpi, figure.target, currency) if format.known(figure.target) else None,
        "met": None if pd.isna(figure.met) else "yes" if figure.met else "no",
        "left_out": figure.excluded,
        "unknown": figure.unknown,
        "trust": figure.trust,
        "owner": str(kpi.owner),
    }


def _interval(kpi: Kpi, figure: pd.Series) -> str | None:
    if not (format.known(figure.low) and format.known(figure.high)):
        return None
    return f"{figures.shown(kpi, figure.low)} – {figures.shown(kpi, figure.high)}"


def _footing(desk: Desk, kpi: Kpi, figure: pd.Series) -> str:
    parts = [
        f"n {format.number(figure.n)}",
        f"{format.number(figure.excluded)} excluded",
        f"{format.number(figure.unknown)} unknown",
    ]
    if interval := _interval(kpi, figure):
        parts.append(f"95 %: {interval}")
    if format.known(figure.target):
        parts.append(f"target {figures.shown(kpi, figure.target)}")
    if format.known(figure.trust):
        low = f" ({figure.trust_why})" if figure.trust < kpis.TRUST_THRESHOLD else ""
        parts.append(f"trust {format.percent(figure.trust, 0)}{low}")
    if format.known(figure.reliable_until):
        parts.append(f"reliable until {format.instant(figure.reliable_until, desk.zone, desk.at)}")
    return " · ".join(parts)


def _trend(desk: Desk, kpi: Kpi) -> None:
    by_day = figures.measured(desk, [kpi.key], by=("day",))
    if kpi.fact in figures.COUNTED_WHEN_BACK and desk.view.as_of is None:
        by_day = by_day[pd.to_datetime(by_day.day).dt.date < local_date(desk.at, desk.zone)]
    st.markdown("**By day**")
    if by_day.value.notna().sum() == 0:
        st.info("No day of this period has a value.", icon=":material/show_chart:")
        return
    target = by_day.target.dropna()
    charts.trend(
        by_day,
        key="trend",
        dark=desk.view.dark,
        label=kpi.label,
        target=None if target.empty else float(target.iloc[-1]),
        unit=_axis(kpi, by_day),
        percent=kpi.unit is Unit.SHARE,
    )


def _groups(desk: Desk, kpi: Kpi) -> None:
    choices = [name for name in FACTS[kpi.fact].dimensions if name not in ("day", "week", "month", "hour")]
    choices += [name for name in ("hour",) if name in FACTS[kpi.fact].dimensions]
    by = st.segmented_control(
        "By",
        choices,
        default=choices[0],
        format_func=lambda name: name.replace("_", " "),
        key=f"by {kpi.fact}",
        label_visibility="collapsed",
    )
    found = figures.measured(desk, [kpi.key], by=(by or choices[0],))
    found = found[found.n > 0].sort_values("hour" if by == "hour" else "n", ascending=by == "hour")
    if len(found) > MOST_GROUPS:
        st.caption(f"The {MOST_GROUPS} of {len(found)} groups with most behind them; the download below holds all.")
    shown = found.head(MOST_GROUPS).rename(columns={by or choices[0]: "group"})
    names = {**desk.view.choices.depots, **desk.view.choices.carriers}
    shown = shown.assign(group=shown.group.replace(names).astype("string").fillna("unknown").str.replace("_", " "))
    if shown.empty:
        st.info("Nothing to split in this scope.", icon=":material/bar_chart:")
        return
    charts.breakdown(
        shown,
        key="breakdown",
        dark=desk.view.dark,
        label=kpi.label,
        percent=kpi.unit is Unit.SHARE,
        unit=_axis(kpi, shown),
    )


def _rows(desk: Desk, kpi: Kpi) -> None:
    rows = desk.ask(kpis.rows_behind, kpi.key, **figures.period(desk))
    parts = rows.part.value_counts()
    st.markdown(
        "**The rows behind it**", help="Counted in: in numerator and denominator. Counted out: in the denominator only."
    )
    part = None
    if len(parts):
        part = st.segmented_control(
            "Part",
            list(parts.index),
            format_func=lambda part: f"{_part(kpi, part)} {format.number(parts[part])}",
            key="part",
            label_visibility="collapsed",
        )
    shown = rows if part is None else rows[rows.part == part]
    desk.table(
        shown,
        key="rows behind",
        alt=f"Rows behind {kpi.label}",
        columns={name: _column(name, shown[name]) for name in shown.columns if name not in ("week", "month")},
        height=300,
        empty="No row is counted here.",
        download=f"{kpi.key}-rows.csv",
    )


def _part(kpi: Kpi, part: str) -> str:
    """What became of the rows of a part: those that have not taken the step that a time runs to are counted all the same."""
    return kpi.waits_for.waiting if kpi.waits_for and part == "denominator" else PARTS[part]


def _column(name: str, values: pd.Series) -> Column:
    if name == "delivery_id":
        return Column("Delivery", "story", "Opens its story in another tab")
    label = name.replace("_", " ").capitalize()
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        return Column(label, "instant")
    if pd.api.types.is_datetime64_any_dtype(values) or name == "day":
        return Column(label, "day")
    if name.endswith("cents"):
        return Column(f"{label.removesuffix('cents').strip() or 'Cost'}, in cents", "count")
    if name.endswith("_minutes") or name == "minutes_after_due":
        return Column(label.removesuffix(" minutes").replace("Minutes after", "After"), "minutes")
    if pd.api.types.is_float_dtype(values):
        return Column(label, "number")
    return Column(label, "words" if name in WORDS else "text")


def _axis(kpi: Kpi, found: pd.DataFrame) -> str:
    match kpi.unit:
        case Unit.SHARE:
            return ""
        case Unit.MONEY:
            return next(iter(found.get("currency", pd.Series(dtype=str)).dropna()), "EUR")
        case _:
            return str(kpi.unit)


def _currency(figure: pd.Series) -> str | None:
    currency = figure.get("currency")
    return currency if format.known(currency) else None
