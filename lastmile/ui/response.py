"""The panels of the Response page: how fast exceptions are seen, taken up, acted on and closed, and what that was worth."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from lastmile import exceptions
from lastmile.ui import charts, format, shell
from lastmile.ui.desk import Desk
from lastmile.ui.exceptions import listing
from lastmile.ui.tables import Column
from lastmile.ui.tiles import Tile, kpi_row

CENSORED = (
    "Those still waiting count as long as they have waited so far (Kaplan–Meier), so that a backlog makes the figure worse, "
    "not better. Unknown where fewer than half have got there."
)
STEPS = {
    "detect": (
        "Time to detect",
        "From the first moment that it could be known (the event that shows it was on record) until the tower noticed it.",
        "seen",
    ),
    "acknowledge": (
        "Time to acknowledge",
        f"From noticing until a person took the first step: acknowledged, assigned, put off, acted or resolved. {CENSORED}",
        "waiting",
    ),
    "act": (
        "Time to act",
        f"From noticing until the first action of the playbook was done. {CENSORED}",
        "without an action",
    ),
    "resolve": (
        "Time to resolve",
        f"From noticing until it was resolved by a person or over by itself. {CENSORED}",
        "open",
    ),
}
GROUPS = {"key": "Rule", "owner": "Owner", "service": "Service", "depot_id": "Depot"}
MOST_LINES = 4
ROWS = {
    "severity": listing.SEVERITY,
    "label": Column("What", width=170),
    "subject": Column("Of", width=190),
    "owner": Column("Owner", width=120),
    "detected_at": Column("Seen", "instant", width=130),
    "minutes_to_detect": Column("To detect", "minutes", "From when it could be known", 84),
    "minutes_to_acknowledge": Column("To acknowledge", "minutes", "Empty: nobody has yet", 110),
    "minutes_to_act": Column("To act", "minutes", "Empty: no action yet", 76),
    "minutes_to_resolve": Column("To resolve", "minutes", "Empty: still open", 84),
    "outcome": Column("What came of it", width=120, help="Empty: still open"),
    "stake": Column("At stake", "whole_money", width=80),
}


def show(desk: Desk) -> None:
    """Tiles, curves, groups and rows of the exceptions detected in the period and scope."""
    scope = desk.view.scope
    found = desk.ask(exceptions.response, desk.at, scope.day_from, scope.day_to, scope)
    if found.empty:
        st.info(
            "No exception was noticed in this period and scope, so there is nothing to measure. Widen the period, or clear "
            "a filter.",
            icon=":material/inbox:",
        )
        return
    kpi_row(_tiles(exceptions.figures(found).iloc[0]), key="response figures")
    by = st.segmented_control(
        "Compared by", list(GROUPS), default="key", required=True, format_func=GROUPS.get, key="by", bind=shell.URL,
        label_visibility="collapsed",
    )  # fmt: skip
    left, right = st.columns([42, 58], gap="small")
    with left, st.container(border=True, height="stretch", key="curve"):
        _curve(desk, found, by)
    with right, st.container(border=True, height="stretch", key="groups"):
        _groups(desk, found, by)
    _rows(desk, found)


def _tiles(of_all: Any) -> list[Tile]:
    return [
        *(_time(of_all, step) for step in STEPS),
        _share(
            of_all, "prevented", "Prevented share", "at risk and closed",
            "Of the exceptions that warned of a broken promise and are closed: how many were closed with the promise kept.",
        ),
        _share(
            of_all, "precise", "Alert precision", "warnings judged",
            "Of the warnings that nobody acted on, and whose delivery is over: how many came true. Others are left out: "
            "where somebody acted, nobody knows what would have been.",
        ),
    ]  # fmt: skip


def _time(of_all: Any, step: str) -> Tile:
    label, told, waiting = STEPS[step]
    median, p90 = of_all[f"{step}_median"], of_all[f"{step}_p90"]
    still = int(of_all[f"{step}_open"])
    return Tile(
        label=label,
        value=format.minutes(median) if format.known(median) else format.UNKNOWN,
        help=told,
        n=int(of_all.n),
        n_of="exceptions",
        change=f"P90 {format.minutes(p90)}" if format.known(p90) else "P90 unknown",
        base=f"{format.number(still)} {waiting}" if step != "detect" else None,
        why=None if format.known(median) else "fewer than half have got there",
    )


def _share(of_all: Any, name: str, label: str, of: str, told: str) -> Tile:
    part, whole = int(of_all[name]), int(of_all[f"{name}_of"])
    return Tile(
        label=label,
        value=format.percent(part / whole) if whole else format.UNKNOWN,
        help=told,
        n=whole,
        n_of=of,
        change=f"{format.number(part)} of {format.number(whole)}" if whole else None,
        why=None if whole else "none to judge yet",
    )


def _curve(desk: Desk, found: pd.DataFrame, by: str) -> None:
    """Still open by the minutes since detection: all, and the most frequent groups."""
    st.markdown("**Still open** :gray[after so many minutes, open ones counted as long as they were watched]")
    most = found[by].value_counts().head(MOST_LINES).index
    parts = [exceptions.still_open(found).assign(group="all")]
    parts += [exceptions.still_open(found[found[by] == one]).assign(group=_name(by, one)) for one in most]
    charts.still_open(pd.concat(parts, ignore_index=True), key="still open", dark=desk.view.dark)


def _groups(desk: Desk, found: pd.DataFrame, by: str) -> None:
    figures = exceptions.figures(found, by)
    shown = figures.assign(
        name=[_name(by, group) for group in figures.group],
        prevented_share=figures.prevented / figures.prevented_of.where(figures.prevented_of > 0),
        precision=figures.precise / figures.precise_of.where(figures.precise_of > 0),
    )
    desk.table(
        shown, key="response groups", alt="Response by group", columns=_columns(GROUPS[by]), height="content",
        download="response.csv",
    )  # fmt: skip


def _columns(heading: str) -> dict[str, Column]:
    return {
        "name": Column(heading, width=170),
        "n": Column("n", "count", "Exceptions noticed", 54),
        "resolve_open": Column("Open", "count", "Still open", 58),
        "detect_median": Column("Detect", "minutes", "Median time to detect", 76),
        "acknowledge_median": Column("Acknowledge", "minutes", "Median, those still waiting counted", 100),
        "act_median": Column("Act", "minutes", "Median, those without an action counted", 70),
        "resolve_median": Column("Resolve", "minutes", "Median, open ones counted", 78),
        "resolve_p90": Column("Resolve P90", "minutes", "Nine of ten are closed by then; empty: not yet", 94),
        "prevented_share": Column("Prevented", "percent", "Of those at risk and closed", 86),
        "precision": Column("Precision", "percent", "Of the warnings judged", 80),
    }


def _name(by: str, group: Any) -> str:
    if not format.known(group):
        return format.UNKNOWN
    return exceptions.CATALOGUE[group].label if by == "key" and group in exceptions.CATALOGUE else str(group)


def _rows(desk: Desk, found: pd.DataFrame) -> None:
    """The exceptions behind the figures; a pick opens one."""
    st.markdown(f"**Exceptions** :gray[{format.number(len(found))} behind these figures, pick one to open it]")
    named = found.recipient.where(found.recipient.notna(), found.subject_id)
    desk.table(
        found.assign(subject=named), key="response rows", alt="Exceptions behind these figures", columns=ROWS,
        id_column="exception_id", choose=_open, height=360, download="exceptions.csv",
    )  # fmt: skip


def _open(exception_id: str | None) -> None:
    """Note the pick; the page goes there, which a callback can't."""
    if exception_id:
        st.session_state["open exception"] = exception_id
