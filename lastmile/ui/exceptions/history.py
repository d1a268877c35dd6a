"""Every step of an exception: who did what, when and why; and a place for a word."""

from __future__ import annotations

from typing import Any

import streamlit as st

from lastmile.exceptions.history import history
from lastmile.ui import format
from lastmile.ui.desk import Desk
from lastmile.ui.exceptions import listing
from lastmile.ui.tables import Column

ONE_LINE = 60
STEPS = {
    "occurred_at": Column("When", "instant", width=124),
    "actor": Column("Who", width=110),
    "step": Column("Step", width=100),
    "words": Column("What was said", width="large"),
}


def show(desk: Desk, row: Any) -> None:
    """The steps, newest first."""
    steps = desk.ask(history, row.exception_id, desk.at, desk.zone)
    st.markdown(f"**History** :gray[{format.count(len(steps), 'step')}, newest first]")
    desk.table(
        steps.iloc[::-1],
        key="history",
        alt="History of this exception",
        columns=STEPS,
        row_height=listing.TWO_LINES if steps.words.str.len().max() > ONE_LINE else None,
        height="content" if len(steps) < 6 else 320,
    )
