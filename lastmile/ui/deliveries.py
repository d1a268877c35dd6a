"""The list of the Deliveries page: what is late or at risk first, orders that are not booked yet last."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

import pandas as pd
import streamlit as st

from lastmile.model import Scope, Status
from lastmile.queries.finding import find_deliveries
from lastmile.store import Store
from lastmile.ui import story
from lastmile.ui.desk import Desk
from lastmile.ui.expected import stops_expected
from lastmile.ui.tables import Column

SHOWN = {
    "outcome": Column(
        "Outcome", "status", "Against the first promise; of open ones whether they are late or at risk", 116
    ),
    "delivery_id": Column("Delivery", "id", width=114),
    "recipient": Column("Recipient", width=166),
    "address": Column("Address", width=160),
    "service": Column("Service", "words", width=82),
    "day": Column("Day", "day", width=108),
    "window_from": Column("From", "time", "Start of the first promise", 46),
    "window_due": Column("Due", "time", "End of the first promise", 46),
    "state": Column("State", "words", width=72),
    "handed_over_at": Column("Handed over", "time", width=84),
    "minutes_after_due": Column(
        "After due", "minutes", "Minutes from the end of the promise to its anchor; negative: before", 80
    ),
    "attempts": Column("Attempts", "count", width=62),
    "vehicle_id": Column("Vehicle", "id", width=64),
    "reason": Column("Reason", "words", width=110),
}
MOST = 500
URGENT = [str(Status.LATE), str(Status.AT_RISK)]


def show(desk: Desk, text: str, chosen: str | None, choose: Callable[[str | None], None]) -> None:
    """How many hold the text, and the table; a pick is told to `choose`."""
    rows = desk.ask(found, desk.at, text, desk.day, desk.view.scope, desk.view.as_of)
    urgent = int(rows.urgent.sum())
    told = f"More than {MOST} found; {MOST} are shown." if len(rows) == MOST else f"{len(rows)} found."
    first = f" First the {urgent} open that are late or at risk, then what moved last." if urgent else ""
    st.caption(f"{told}{first} Pick one to read its story.")
    desk.table(
        rows,
        key="found",
        alt="Deliveries found",
        columns=SHOWN,
        id_column="delivery_id",
        choose=choose,
        chosen=chosen,
        height=420 if chosen else 760,
        empty="No delivery in this scope holds that text. Widen the period, or clear a filter.",
        download="deliveries.csv",
    )


def found(store: Store, at: datetime, text: str, day: date, scope: Scope, as_of: datetime | None) -> pd.DataFrame:
    """One row per delivery as of queries.finding, at most MOST, with its `outcome` in words.

    Open ones of `day` that are late at `at`, or at risk, come first and say so: they are `urgent`.
    """
    urgent = _urgent(store, at, day, scope, as_of)
    rows = find_deliveries(store, text, scope.day_from, scope.day_to, scope, as_of, MOST, tuple(urgent.index))
    ended = rows.timeliness.replace(story.OUTCOME_WORDS).where(rows.booked_at.notna(), story.NOT_BOOKED)
    now = rows.delivery_id.map(urgent).astype(object)
    return rows.assign(urgent=now.notna(), outcome=now.fillna(ended))


def _urgent(store: Store, at: datetime, day: date, scope: Scope, as_of: datetime | None) -> pd.Series:
    """delivery_id → late or at risk, of the stops of a day that are open, the late ones first and those due first before others."""
    if scope.day_from is not None and scope.day_from > day:
        return pd.Series(dtype=object)
    stops = stops_expected(store, at, day, scope, as_of)
    mine = stops[~stops.done & stops.status.isin(URGENT)].drop_duplicates("delivery_id")
    return mine.sort_values(["status", "window_due"], key=_rank).set_index("delivery_id").status


def _rank(column: pd.Series) -> pd.Series:
    return column.map(URGENT.index) if column.name == "status" else column
