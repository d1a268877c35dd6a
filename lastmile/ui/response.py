"""The panels of the Response page: how fast exceptions are seen, taken up, acted on and closed, and what that was worth."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from lastmile import kpis
from lastmile.exceptions import CATALOGUE, exceptions
from lastmile.exceptions.curves import still_open
from lastmile.exceptions.response import MEASURES, TIMES, response, rows_of
from lastmile.model import Scope
from lastmile.ui import charts, figures, format, shell
from lastmile.ui.desk import Desk
from lastmile.ui.exceptions import listing
from lastmile.ui.tables import Column
from lastmile.ui.tiles import Tile, kpi_row

CENSORED = (
    "Those still waiting count as long as they have waited so far (Kaplan–Meier), so that a backlog makes the figure worse, "
    "not better."
)
WAITING = {"acknowledge": "waiting", "act": "without an action", "resolve": "open"}
"""Measure of a time → the word for those that have not got there."""
GROUPS = {
    "key": "Rule",
    "owner": "Owner",
    "owner_role": "Role",
    "severity": "Severity",
    "depot_id": "Depot",
    "service": "Service",
}
MOST_LINES = 4
FAR_MINUTES = 24 * 60.0
"""The curve is drawn for a day: what lies beyond would press it flat."""
ROWS = {
    "severity": listing.SEVERITY,
    "label": Column("What", width=170),
    "subject": Column("Of", width=190),
    "whose": Column("Owner", width=130),
    "detected_at": Column("Seen", "instant", width=130),
    "detect_minutes": Column("To detect", "minutes", "From when it could be known", 84),
    "acknowledge_minutes": Column("To acknowledge", "minutes", "Empty: nobody has yet", 110),
    "act_minutes": Column("To act", "minutes", "Empty: no action yet", 76),
    "resolve_minutes": Column("To resolve", "minutes", "Empty: still open", 84),
    "outcome": Column("What came of it", width=120, help="Empty: still open"),
    "stake": Column("At stake", "whole_money", width=80),
}


def show(desk: Desk) -> None:
    """Tiles, curves, groups and rows of the exceptions of the period's days and the scope."""
    rows = _ask(desk, rows_of)
    if rows.empty:
        st.info(
            "No exception was noticed in this period and scope, so there is nothing to measure. Widen the period, or clear "
            "a filter.",
            icon=":material/inbox:",
        )
        return
    kpi_row([*_tiles(next(_ask(desk, response).itertuples())), _notices(desk)], key="response figures")
    by = st.segmented_control(
        "Compared by", list(GROUPS), default="key", required=True, format_func=GROUPS.get, key="by", bind=shell.URL,
        label_visibility="collapsed",
    )  # fmt: skip
    left, right = st.columns([38, 62], gap="small")
    with left, st.container(border=True, height="stretch", key="curve"):
        _curve(desk, rows, by)
    with right, st.container(border=True, height="stretch", key="groups"):
        _groups(desk, by)
    _rows(desk, rows)


def _ask(desk: Desk, question: Any, **more: Any) -> Any:
    """A question of the response about the period's days and the scope, as known at the desk's instant."""
    scope = desk.view.scope
    of_scope = Scope(scope.depots, scope.carriers, scope.services)
    return desk.ask(question, scope.day_from, scope.day_to, desk.at, scope=of_scope, **more)


def _tiles(of_all: Any) -> list[Tile]:
    return [*(_time(of_all, key) for key in TIMES), _share(of_all, "prevented"), _share(of_all, "precision")]


def _time(of_all: Any, key: str) -> Tile:
    """One time: the median, P90 beside it, and how many have not got there."""
    measure, median, p90 = MEASURES[key], getattr(of_all, f"{key}_p50"), getattr(of_all, f"{key}_p90")
    still = int(of_all.n - getattr(of_all, f"{key}_n"))
    return Tile(
        label=measure.label,
        value=format.minutes(median) if format.known(median) else format.UNKNOWN,
        help=f"{measure.meaning} The median, and the ninth of ten beside it. {CENSORED if key in WAITING else ''}",
        n=int(of_all.n),
        n_of=f"· {format.number(still)} {WAITING[key]}" if key in WAITING else "",
        change=f"P90 {format.minutes(p90)}" if format.known(p90) else "P90 not reached",
        why=None if format.known(median) else "fewer than half have got there",
    )


def _share(of_all: Any, key: str) -> Tile:
    measure, share, n = MEASURES[key], getattr(of_all, key), int(getattr(of_all, f"{key}_n"))
    return Tile(
        label=measure.label,
        value=format.percent(share) if n else format.UNKNOWN,
        help=measure.meaning,
        n=n,
        n_of="warnings",
        why=None if n else "none to judge yet",
    )


def _notices(desk: Desk) -> Tile:
    """How many of the notices sent in the period have a receipt, from the KPI catalogue."""
    kpi, scope = kpis.find("notification_success"), desk.view.scope
    measured = desk.ask(
        kpis.measure, (kpi.key,), day_from=scope.day_from, day_to=scope.day_to, as_of=desk.view.as_of, scope=scope
    )
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
    found = _ask(desk, response, by=(by,)).sort_values("n", ascending=False, kind="stable")
    desk.table(
        found.assign(name=[_name(desk, by, group) for group in found[by]]),
        key="response groups", alt="Response by group", columns=_columns(GROUPS[by]), height="content",
        download="response.csv",
    )  # fmt: skip


def _columns(heading: str) -> dict[str, Column]:
    return {
        "name": Column(heading, width=180),
        "n": Column("n", "count", "Exceptions noticed", 50),
        "open": Column("Open", "count", "Still open", 54),
        "detect_p50": Column("Detect", "minutes", MEASURES["detect"].meaning, 70),
        "acknowledge_p50": Column("Acknowledge", "minutes", f"Median. {CENSORED}", 92),
        "act_p50": Column("Act", "minutes", f"Median. {CENSORED} Empty: fewer than half have got there", 70),
        "resolve_p50": Column("Resolve", "minutes", f"Median. {CENSORED} Empty: fewer than half have got there", 74),
        "resolve_p90": Column("P90", "minutes", "Nine of ten are closed by then; empty: not yet", 74),
        "prevented": Column("Prevented", "percent", MEASURES["prevented"].meaning, 80),
        "precision": Column("Precision", "percent", MEASURES["precision"].meaning, 78),
    }


def _name(desk: Desk, by: str, group: Any) -> str:
    """A group as people call it."""
    if not format.known(group):
        return "nobody yet" if by == "owner" else format.UNKNOWN
    if by == "key":
        return CATALOGUE[group].label if group in CATALOGUE else str(group)
    return desk.view.choices.depots.get(group, str(group)).replace("_", " ")


def _rows(desk: Desk, rows: pd.DataFrame) -> None:
    """The exceptions behind the figures; a pick opens one."""
    st.markdown(f"**Exceptions** :gray[{format.number(len(rows))} behind these figures, pick one to open it]")
    scope = desk.view.scope
    known = desk.ask(exceptions, desk.at, day_from=scope.day_from, day_to=scope.day_to).set_index("exception_id")
    told = rows.assign(
        label=[_name(desk, "key", key) for key in rows.key],
        subject=rows.exception_id.map(known.recipient.fillna(known.subject_id)),
        stake=rows.exception_id.map(known.stake),
        whose=rows.owner.fillna(rows.owner_role),
        acknowledge_minutes=rows.acknowledge_minutes.where(rows.acknowledged),
        act_minutes=rows.act_minutes.where(rows.acted),
        resolve_minutes=rows.resolve_minutes.where(rows.resolved),
    ).sort_values(["detected_at", "exception_id"], ascending=[False, True])
    desk.table(
        told, key="response rows", alt="Exceptions behind these figures", columns=ROWS,
        id_column="exception_id", choose=_open, height=360, download="exceptions.csv",
    )  # fmt: skip


def _open(exception_id: str | None) -> None:
    """Note the pick; the page goes there, which a callback can't."""
    if exception_id:
        st.session_state["open exception"] = exception_id
