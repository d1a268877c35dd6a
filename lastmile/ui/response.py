"""The panels of the Response page: how fast exceptions are seen, taken up, acted on and closed, and what that was worth."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from lastmile import kpis
from lastmile.exceptions import CATALOGUE
from lastmile.exceptions.curves import still_open
from lastmile.kpis import Kpi
from lastmile.ui import charts, figures, format, shell, tables
from lastmile.ui.desk import Desk
from lastmile.ui.exceptions import listing
from lastmile.ui.tables import Column
from lastmile.ui.tiles import Tile, kpi_row

CENSORED = (
    "Those still waiting count as long as they have waited so far (Kaplan–Meier), so that a backlog makes the figure worse, "
    "not better."
)
TIMES = ("time_to_detect", "time_to_acknowledge", "time_to_first_action", "time_to_resolve")
"""KPIs that are a median and a ninth of ten: their keys go on with _p50 and _p90."""
OPEN_AGE = "open_age_p50"
SHARES = ("prevented_share", "alert_precision")
MEASURED = (*(f"{key}_{percentile}" for key in TIMES for percentile in ("p50", "p90")), OPEN_AGE, *SHARES)
GROUPS = {
    "rule": "Rule",
    "owner": "Owner",
    "owner_role": "Role",
    "severity": "Severity",
    "depot": "Depot",
    "service": "Service",
}
MOST_LINES = 4
FAR_MINUTES = 24 * 60.0
"""The curve is drawn for a day: what lies beyond would press it flat."""
MOST_ROWS = 1000
"""Exceptions in the table, those noticed last: each run of the page sends them; the file holds all."""
ROWS = {
    "severity": listing.SEVERITY,
    "label": Column("What", width=170),
    "subject": Column("Of", width=180),
    "whose": Column("Owner", width=120),
    "detected_at": Column("Seen", "instant", width=130),
    "detect_minutes": Column("To detect", "minutes", "From when it could be known", 84),
    "acknowledge_minutes": Column("To acknowledge", "minutes", "Empty: nobody has yet", 110),
    "act_minutes": Column("To act", "minutes", "Empty: no action yet", 76),
    "resolve_minutes": Column("To resolve", "minutes", "Empty: still open", 84),
    "outcome": Column("What came of it", width=112, help="Empty: still open"),
    "stake": Column("At stake", "whole_money", width=80),
}


def show(desk: Desk) -> None:
    """Tiles, curves, groups and rows of the exceptions of the period's days and the scope."""
    rows = desk.ask(kpis.rows_behind, "time_to_resolve_p50", **figures.period(desk))
    if rows.empty:
        st.info(
            "No exception was noticed in this period and scope, so there is nothing to measure. Widen the period, or clear "
            "a filter.",
            icon=":material/inbox:",
        )
        return
    kpi_row([*_tiles(desk), _notices(desk)], key="response figures")
    by = st.segmented_control(
        "Compared by", list(GROUPS), default="rule", required=True, format_func=GROUPS.get, key="by", bind=shell.URL,
        label_visibility="collapsed",
    )  # fmt: skip
    left, right = st.columns([34, 66], gap="small")
    with left, st.container(border=True, height="stretch", key="curve"):
        _curve(desk, rows, by)
    with right, st.container(border=True, height="stretch", key="groups"):
        _groups(desk, by)
    _rows(desk, rows)


def _tiles(desk: Desk) -> list[Tile]:
    found = figures.measured(desk, MEASURED).set_index("key")
    return [*(_time(found, key) for key in TIMES), *(_share(found.loc[key], kpis.find(key)) for key in SHARES)]


def _time(found: pd.DataFrame, key: str) -> Tile:
    """One time: the median, P90 beside it, and how many have not got there; of those that are open, their age."""
    kpi, median, p90 = kpis.find(f"{key}_p50"), found.loc[f"{key}_p50"], found.loc[f"{key}_p90"]
    known = format.known(median.value)
    return Tile(
        label=kpi.label.removesuffix(", P50"),
        value=figures.shown(kpi, median.value) if known or not median.n else "not reached",
        help=figures.definition(kpi),
        n=int(median.n),
        n_of=_still(kpi, median, found.loc[OPEN_AGE]),
        change=f"P90 {figures.shown(kpi, p90.value)}"
        if format.known(p90.value)
        else "P90 not reached"
        if known
        else None,
        why=None if known else "fewer than half have got there",
    )


def _still(kpi: Kpi, figure: pd.Series, open_age: pd.Series) -> str:
    if not kpi.still_waiting:
        return ""
    words = f"· {format.number(figure.n - figure.numerator)} {kpi.waits_for.waiting}"
    asks_age = kpi.counts == kpis.find(OPEN_AGE).counts and format.known(open_age.value)
    return f"{words} for {format.minutes(open_age.value)}" if asks_age else words


def _share(figure: pd.Series, kpi: Kpi) -> Tile:
    known = format.known(figure.value)
    return Tile(
        label=kpi.label,
        value=figures.shown(kpi, figure.value),
        help=figures.definition(kpi),
        n=int(figure.n),
        n_of="warnings",
        why=None if known else "none to judge yet",
    )


def _notices(desk: Desk) -> Tile:
    """How many of the notices sent in the period have a receipt, from the KPI catalogue."""
    kpi = kpis.find("notification_success")
    measured = figures.measured(desk, [kpi.key])
    found = next(measured.itertuples(), None)
    known = found is not None and format.known(found.value)
    return Tile(
        label=kpi.label,
        value=figures.shown(kpi, found.value) if known else format.UNKNOWN,
        help=figures.definition(kpi),
        n=int(found.n) if found is not None else 0,
        n_of="sent",
        why=None if known else "no notice was sent",
    )


def _curve(desk: Desk, rows: pd.DataFrame, by: str) -> None:
    """Still open by the minutes since detection: all, and the most frequent groups."""
    st.markdown(
        "**Still open** :gray[by the hours since it was noticed]",
        help=f"The share not yet closed after so long. {CENSORED} Beyond a day the lines are cut.",
    )
    most = rows[by].value_counts().head(MOST_LINES).index
    parts = [still_open(rows).assign(group="all")]
    parts += [still_open(rows[rows[by] == one]).assign(group=_name(desk, by, one)) for one in most]
    drawn = pd.concat(parts, ignore_index=True)
    charts.still_open(drawn[drawn.minutes <= FAR_MINUTES], key="still open", dark=desk.view.dark)


def _groups(desk: Desk, by: str) -> None:
    measured = figures.measured(desk, MEASURED, by=(by,))
    found = _by_group(measured, by).sort_values("n", ascending=False, kind="stable")
    desk.table(
        found.assign(name=[_name(desk, by, group) for group in found[by]]),
        key="response groups", alt="Response by group", columns=_columns(GROUPS[by]), height="content",
        download="response.csv",
    )  # fmt: skip


def _by_group(measured: pd.DataFrame, by: str) -> pd.DataFrame:
    """One row per group: n exceptions, open of them, and a column for each KPI, by its key."""
    named = measured.assign(**{by: measured[by].astype(object).where(measured[by].notna(), "")})
    wide = named.pivot(index=by, columns="key", values="value").reindex(columns=list(MEASURED))
    of_times = named[named.key == "time_to_resolve_p50"].set_index(by)
    n = of_times.n.reindex(wide.index).fillna(0).astype(int)
    resolved = of_times.numerator.reindex(wide.index).fillna(0).astype(int)
    found = wide.assign(n=n, open=n - resolved).reset_index()
    return found.assign(**{by: found[by].replace("", None)})


def _columns(heading: str) -> dict[str, Column]:
    shown = {
        "time_to_detect_p50": ("Detect", 74),
        "time_to_acknowledge_p50": ("Acknowledge", 90),
        "time_to_first_action_p50": ("Act", 78),
        "time_to_resolve_p50": ("Resolve", 80),
        "time_to_resolve_p90": ("P90", 80),
        "prevented_share": ("Prevented", 74),
        "alert_precision": ("Precision", 70),
    }
    return {
        "name": Column(heading, width=168),
        "n": Column("n", "count", "Exceptions that stand for themselves", 44),
        "open": Column("Open", "count", "Still open", 48),
    } | {key: _column(kpis.find(key), label, width) for key, (label, width) in shown.items()}


def _column(kpi: Kpi, label: str, width: int) -> Column:
    empty = f" {kpi.still_waiting.capitalize()}." if kpi.still_waiting else ""
    return Column(label, "minutes" if kpi.percentile else "percent", f"{kpi.label}: {kpi.formula}.{empty}", width)


def _name(desk: Desk, by: str, group: Any) -> str:
    """A group as people call it."""
    if not format.known(group):
        return "nobody yet" if by == "owner" else format.UNKNOWN
    if by == "rule":
        return CATALOGUE[group].label if group in CATALOGUE else str(group)
    return desk.view.choices.depots.get(group, str(group)).replace("_", " ")


def _rows(desk: Desk, rows: pd.DataFrame) -> None:
    """The exceptions behind the figures; a pick opens one."""
    shown = f", the {format.number(MOST_ROWS)} noticed last" if len(rows) > MOST_ROWS else ""
    st.markdown(f"**Exceptions** :gray[{format.number(len(rows))} behind these figures{shown}; pick one to open it]")
    told = rows.assign(
        label=[_name(desk, "rule", rule) for rule in rows.rule],
        subject=rows.recipient.fillna(rows.subject_id),
        whose=rows.owner.fillna(rows.owner_role),
        acknowledge_minutes=rows.acknowledge_minutes.where(rows.acknowledged),
        act_minutes=rows.act_minutes.where(rows.acted),
        resolve_minutes=rows.resolve_minutes.where(rows.resolved),
    ).sort_values(["detected_at", "exception_id"], ascending=[False, True])
    desk.table(
        told.head(MOST_ROWS), key="response rows", alt="Exceptions behind these figures", columns=ROWS,
        id_column="exception_id", choose=_open, height=360,
    )  # fmt: skip
    tables.download_button(
        told[list(ROWS)], "exceptions.csv", key="response rows download", label="Download all of them"
    )


def _open(exception_id: str | None) -> None:
    """Note the pick; the page goes there, which a callback can't."""
    if exception_id:
        st.session_state["open exception"] = exception_id
