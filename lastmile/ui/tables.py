"""Tables: a frame and the names of its columns in; a choice comes back as an id."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, Literal

import pandas as pd
import streamlit as st

from lastmile import exporting
from lastmile.ui import palette
from lastmile.ui.format import CURRENCY_SIGNS

Kind = Literal[
    "text",
    "words",
    "id",
    "status",
    "tags",
    "time",
    "seconds",
    "instant",
    "day",
    "minutes",
    "money",
    "percent",
    "count",
    "number",
    "km",
    "flag",
]
ECHO_SECONDS = 3


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
    currency: str = "EUR",
    height: int | Literal["auto", "content", "stretch"] = "auto",
    empty: str = "Nothing here for this scope.",
    download: str | None = None,
) -> None:
    """Show a frame. columns: names of the catalogue, or name → Column; None shows all that the catalogue knows.

    choose: told the id (text of `id_column`) of the row that is picked, None when it is let go; `chosen` keeps the mark
    on that id when rows move. download: a file name, for a button that hands out all rows as neutralized CSV.
    """
    shown = _columns(frame, columns)
    if frame.empty:
        st.info(empty, icon=":material/inbox:")
        return
    st.dataframe(
        _ready(frame, shown), key=key, column_config=_config(shown, zone, dark, currency), column_order=list(shown),
        hide_index=True, height=height, alt=alt, placeholder="", lazy=False if choose else None,
        **_selection(frame, key, id_column, choose, chosen),
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
    return ready


def _config(columns: Mapping[str, Column], zone: str, dark: bool, currency: str) -> dict[str, Any]:
    return {name: _column(column, zone, dark, currency) for name, column in columns.items()}


def _column(column: Column, zone: str, dark: bool, currency: str) -> Any:
    words = {"label": column.label, "help": column.help, "width": column.width, "pinned": column.pinned}
    sign = CURRENCY_SIGNS.get(currency, currency)
    numbers = {
        "minutes": "%,.0f min",
        "money": f"{sign} %,.2f",
        "percent": "%.1f %%",
        "count": "%,d",
        "number": "%,.1f",
        "km": "%,.1f km",
    }
    times = {"time": "HH:mm", "seconds": "HH:mm:ss", "instant": "ddd D MMM HH:mm"}
    if column.kind in numbers:
        return st.column_config.NumberColumn(**words, format=numbers[column.kind], alignment="right")
    if column.kind in times:
        return st.column_config.DatetimeColumn(**words, format=times[column.kind], timezone=zone)
    if column.kind == "day":
        return st.column_config.DateColumn(**words, format="ddd D MMM YYYY")
    if column.kind == "flag":
        return st.column_config.CheckboxColumn(**words)
    if column.kind == "status":
        return _status_column(words, dark)
    if column.kind == "tags":
        return st.column_config.MultiselectColumn(**words)
    return st.column_config.TextColumn(**words)


def _status_column(words: dict[str, Any], dark: bool) -> Any:
    looks = list({look.label: look for look in [*palette.STATUS.values(), *palette.OUTCOME.values()]}.values())
    return st.column_config.MultiselectColumn(
        **words, options=[look.label for look in looks], color=[look.hex(dark) for look in looks]
    )


def _selection(
    frame: pd.DataFrame,
    key: str,
    id_column: str | None,
    choose: Callable[[str | None], None] | None,
    chosen: str | None,
) -> dict[str, Any]:
    """The browser picks rows by position: turned into an id at once, and back into a position before each drawing."""
    if choose is None or id_column is None:
        return {}
    ids = [str(value) for value in frame[id_column]]
    marked = chosen if chosen in ids else None
    place = ids.index(marked) if marked else None
    moved_from = _moved_from(key, marked, place)
    st.session_state[key] = {"selection": {"rows": [] if place is None else [place]}}

    def picked() -> None:
        rows = st.session_state[key]["selection"]["rows"]
        found = ids[rows[0]] if rows and rows[0] < len(ids) else None
        echoed = found == marked or (rows and rows[0] == moved_from)
        if not echoed:
            st.session_state[f"{key} mark"] = _Mark(found, rows[0] if rows else None)
            choose(found)

    return {"on_select": picked, "selection_mode": "single-row"}


def _moved_from(key: str, marked: str | None, place: int | None) -> int | None:
    """Where the browser may still believe the marked row to be, for a moment after the rows have changed their order.

    It tells that place once more as if it had been picked, though another row stands there now.
    """
    before = st.session_state.get(f"{key} mark")
    mark = before if before and before.id == marked else _Mark(marked, place)
    if mark.place != place:
        mark = _Mark(marked, place, mark.place, monotonic())
    st.session_state[f"{key} mark"] = mark
    return mark.moved_from if monotonic() - mark.moved_at < ECHO_SECONDS else None


@dataclass(frozen=True)
class _Mark:
    """The row that is marked, where it stands, and where it stood before it last moved."""

    id: str | None
    place: int | None
    moved_from: int | None = None
    moved_at: float = 0.0
