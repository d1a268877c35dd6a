"""Tables: a frame and the names of its columns in; a choice comes back as an id."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, Literal
from urllib.parse import quote

import pandas as pd
import streamlit as st

from lastmile import exporting
from lastmile.ui import palette, shell, worded
from lastmile.ui.format import CURRENCY_SIGNS, known

Kind = Literal[
    "text",
    "words",
    "id",
    "story",
    "status",
    "tags",
    "time",
    "seconds",
    "instant",
    "day",
    "minutes",
    "money",
    "whole_money",
    "percent",
    "count",
    "number",
    "km",
    "flag",
]
ECHO_SECONDS = 3
STORY = "deliveries?delivery="
"""Where the story of a delivery stands, below the app's own address: the column of kind "story" links each id there."""


@dataclass(frozen=True)
class Column:
    """One column as shown: heading, kind (which gives unit, format and alignment), meaning, and width in pixels."""

    label: str
    kind: Kind = "text"
    help: str | None = None
    width: int | Literal["small", "medium", "large"] | None = None
    pinned: bool = False


# Columns that mean the same on every page.
COLUMNS: dict[str, Column] = {
    "status": Column("Status", "status", "On time, at risk, late, idle or unknown, as known at the instant shown", 104),
    "outcome": Column("Outcome", "status", "Early, on time, late, failed or unknown, against the first promise", 104),
    "delivery_id": Column("Delivery", "id"),
    "order_id": Column("Order", "id"),
    "route_id": Column("Route", "id"),
    "vehicle_id": Column("Vehicle", "id"),
    "vehicle": Column("Vehicle"),
    "driver": Column("Driver"),
    "depot": Column("Depot"),
    "carrier": Column("Carrier"),
    "service": Column("Service"),
    "recipient": Column("Recipient"),
    "address": Column("Address", width="large"),
    "area": Column("Area"),
    "cause": Column("Cause", width="medium"),
    "reason": Column("Reason"),
    "criticality": Column("Criticality"),
    "day": Column("Day", "day"),
    "window_from": Column("From", "time", "Start of the first promise"),
    "window_due": Column("Due", "time", "End of the first promise"),
    "eta": Column("ETA", "time", "When the vehicle is expected there"),
    "handed_over_at": Column("Handed over", "time"),
    "occurred_at": Column("Occurred", "seconds", "When it happened"),
    "recorded_at": Column("Recorded", "seconds", "When the tower learned of it"),
    "late_minutes": Column("Over", "minutes", "Minutes after the end of the first promise, tolerance included"),
    "drive_minutes": Column("Driving", "minutes"),
    "latency_minutes": Column("Latency", "minutes", "From happening to being recorded"),
    "distance_km": Column("Distance", "km"),
    "cost": Column("Cost", "money"),
    "amount": Column("Amount", "money"),
    "attempts": Column("Attempts", "count"),
    "stops": Column("Stops", "count"),
    "n": Column("n", "count", "How many the figure rests on"),
    "tags": Column("Tags", "tags"),
}


def table(
    frame: pd.DataFrame,
    *,
    key: str,
    zone: str,
    dark: bool,
    alt: str,
    columns: Sequence[str] | Mapping[str, Column] | None = None,
    id_column: str | None = None,
    choose: Callable[[str | None], None] | None = None,
    chosen: str | None = None,
    choose_many: Callable[[tuple[str, ...]], None] | None = None,
    chosen_many: Sequence[str] = (),
    currency: str = "EUR",
    height: int | Literal["auto", "content", "stretch"] = "auto",
    row_height: int | None = None,
    empty: str = "Nothing here for this scope.",
    download: str | None = None,
) -> None:
    """Show a frame. columns: names of the catalogue, or name → Column; None shows all that the catalogue knows.

    choose: told the id (text of `id_column`) of the row that is picked, None when it is let go; `chosen` keeps the mark
    on that id when rows move. choose_many, chosen_many: the same for several rows, ticked one by one. download: a file name, for a button that hands out all rows as neutralized CSV.
    """
    shown = _columns(frame, columns)
    if frame.empty:
        st.info(empty, icon=":material/inbox:")
        return
    ready = _ready(frame, shown)
    said = _said(ready, shown, currency)
    st.dataframe(
        worded.in_words(ready, said), key=key, column_config=_config(shown, zone, dark, currency, said), column_order=list(shown),
        hide_index=True, height=height, row_height=row_height, alt=alt, placeholder="", lazy=False if choose or choose_many else None,
        **_selection(frame, key, id_column, choose, chosen, choose_many, chosen_many),
    )  # fmt: skip
    if download:
        download_button(frame[[name for name in shown if name in frame]], download, key=f"{key} download")


def download_button(frame: pd.DataFrame, file_name: str, *, key: str, label: str = "Download CSV") -> None:
    """A button that writes the CSV only when it is pressed."""
    st.download_button(
        label, data=lambda: exporting.csv_bytes(frame), file_name=file_name, mime="text/csv", key=key,
        icon=":material/download:", on_click="ignore", type="tertiary",
    )  # fmt: skip


def _columns(frame: pd.DataFrame, columns: Sequence[str] | Mapping[str, Column] | None) -> dict[str, Column]:
    if isinstance(columns, Mapping):
        return dict(columns)
    names = columns if columns is not None else [name for name in frame.columns if name in COLUMNS]
    return {name: COLUMNS.get(name, Column(str(name).replace("_", " ").capitalize())) for name in names}


def _ready(frame: pd.DataFrame, columns: Mapping[str, Column]) -> pd.DataFrame:
    """Only the columns shown; a status becomes its label, shape and word, a share its percent, a key its words."""
    ready = frame[[name for name in columns if name in frame]].copy()
    for name in ready.columns:
        if columns[name].kind == "status":
            ready[name] = [[palette.look(str(status)).label] for status in ready[name]]
        elif columns[name].kind == "percent":
            ready[name] = pd.to_numeric(ready[name]) * 100
        elif columns[name].kind == "words":
            ready[name] = ready[name].astype("string").str.replace("_", " ")
        elif columns[name].kind == "story":
            ready[name] = [
                shell.address(f"{STORY}{quote(str(id), safe=':')}") if known(id) else None for id in ready[name]
            ]
    return ready


def _said(ready: pd.DataFrame, columns: Mapping[str, Column], currency: str) -> dict[str, worded.Words]:
    """The columns whose numbers are written in our words: none of a table that is too long for it."""
    if len(ready) > worded.MOST_ROWS:
        return {}
    said = {name: worded.words(columns[name].kind, currency) for name in ready.columns}
    return {name: words for name, words in said.items() if words is not None}


def _config(
    columns: Mapping[str, Column], zone: str, dark: bool, currency: str, said: Collection[str]
) -> dict[str, Any]:
    return {name: _column(column, zone, dark, currency, name in said) for name, column in columns.items()}


def _column(column: Column, zone: str, dark: bool, currency: str, is_said: bool) -> Any:
    words = {"label": column.label, "help": column.help, "width": column.width, "pinned": column.pinned}
    sign = CURRENCY_SIGNS.get(currency, currency)
    numbers = {
        "minutes": "%,.0f min",
        "money": f"{sign} %,.2f",
        "whole_money": f"{sign} %,.0f",
        "percent": "%.1f %%",
        "count": "%,d",
        "number": "%,.1f",
        "km": "%,.1f km",
    }
    times = {"time": "HH:mm", "seconds": "HH:mm:ss", "instant": "ddd D MMM HH:mm"}
    if column.kind in numbers:
        own = None if is_said else numbers[column.kind]  # with a format, the browser shows no words of ours
        return st.column_config.NumberColumn(**words, format=own, alignment="right")
    if column.kind in times:
        return st.column_config.DatetimeColumn(**words, format=times[column.kind], timezone=zone)
    if column.kind == "day":
        return st.column_config.DateColumn(**words, format="ddd D MMM YYYY")
    if column.kind == "story":
        return st.column_config.LinkColumn(**words, display_text=rf"{re.escape(shell.address(STORY))}(.*)")
    if column.kind == "flag":
        return st.column_config.CheckboxColumn(**words)
    if column.kind == "status":
        return _status_column(words, dark)
    if column.kind == "tags":
        return st.column_config.MultiselectColumn(**words)
    return st.column_config.TextColumn(**words)


def _status_column(words: dict[str, Any], dark: bool) -> Any:
    looked = [*palette.STATUS.values(), *palette.OUTCOME.values(), *palette.SEVERITY.values()]
    looks = list({look.label: look for look in looked}.values())
    return st.column_config.MultiselectColumn(
        **words, options=[look.label for look in looks], color=[look.pill(dark) for look in looks]
    )


def _selection(
    frame: pd.DataFrame,
    key: str,
    id_column: str | None,
    choose: Callable[[str | None], None] | None,
    chosen: str | None,
    choose_many: Callable[[tuple[str, ...]], None] | None,
    chosen_many: Sequence[str],
) -> dict[str, Any]:
    """The browser picks rows by position: turned into ids at once, and back into positions before each drawing."""
    if id_column is None or (choose is None and choose_many is None):
        return {}
    ids = [str(value) for value in frame[id_column]]
    wanted = set(chosen_many) if choose_many else {chosen}
    marked = tuple(id for id in ids if id in wanted)
    places = tuple(place for place, id in enumerate(ids) if id in wanted)
    moved_from = _moved_from(key, marked, places)
    st.session_state[key] = {"selection": {"rows": list(places)}}

    def picked() -> None:
        rows = tuple(sorted(st.session_state[key]["selection"]["rows"]))
        found = tuple(ids[row] for row in rows if row < len(ids))
        echoed = found == marked or (rows and rows == moved_from)
        if echoed:
            return
        st.session_state[f"{key} mark"] = _Mark(found, rows)
        choose_many(found) if choose_many else choose(found[0] if found else None)

    return {"on_select": picked, "selection_mode": "multi-row" if choose_many else "single-row"}


def _moved_from(key: str, marked: tuple[str, ...], places: tuple[int, ...]) -> tuple[int, ...]:
    """Where the browser may still believe the marked rows to be, for a moment after the rows have changed their order.

    It tells those places once more as if they had been picked, though other rows stand there now.
    """
    before = st.session_state.get(f"{key} mark")
    mark = before if before and before.ids == marked else _Mark(marked, places)
    if mark.places != places:
        mark = _Mark(marked, places, mark.places, monotonic())
    st.session_state[f"{key} mark"] = mark
    return mark.moved_from if monotonic() - mark.moved_at < ECHO_SECONDS else ()


@dataclass(frozen=True)
class _Mark:
    """The rows that are marked, where they stand, and where they stood before they last moved."""

    ids: tuple[str, ...]
    places: tuple[int, ...]
    moved_from: tuple[int, ...] = ()
    moved_at: float = 0.0
