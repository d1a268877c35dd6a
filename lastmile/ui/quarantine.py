"""Rows that came over HTTP and were not taken: looked at, mended, sent again or discarded."""

from __future__ import annotations

import json
from concurrent.futures import TimeoutError as TookTooLong

import pandas as pd
import streamlit as st

from lastmile import intake
from lastmile.errors import LastmileError
from lastmile.intake import Busy, Outcome
from lastmile.ui import errors, format
from lastmile.ui.desk import Desk
from lastmile.ui.tables import Column

ROWS = {
    "received_at": Column("Came", "instant"),
    "format": Column("As"),
    "problem": Column("What is wrong", width="large"),
    "raw": Column("As it was sent", width="large"),
}
MOST = 500
CHOSEN = "quarantined row"


def show(desk: Desk, source: str) -> None:
    """The rows of a system that wait, the latest first; the chosen one can be mended."""
    found = desk.ask(intake.quarantined, source, MOST)
    st.markdown("**Quarantine** :gray[rows that were not taken, whole; pick one to mend it]")
    if told := st.session_state.pop("replayed", None):
        st.toast(told, icon=":material/replay:")
    chosen = st.session_state.get(CHOSEN)
    desk.table(
        found,
        key="quarantine",
        alt="Rows in quarantine",
        columns=ROWS,
        id_column="row_id",
        choose=lambda id: st.session_state.update({CHOSEN: id}),
        chosen=chosen,
        height="content" if len(found) < 8 else 300,
        empty="No row waits here.",
        download=f"quarantine-{source}.csv",
    )
    mine = found[found.row_id == chosen]
    if len(mine):
        _mend(desk, mine.iloc[0])
    if len(found) and st.button(
        f"Send all {len(found)} again", icon=":material/replay:", help="As they are: for rows that a later version of the tower takes."
    ):  # fmt: skip
        _replayed(desk, found)


def _mend(desk: Desk, row: pd.Series) -> None:
    with st.form(f"mend {row.row_id}", border=True):
        st.markdown(f":material/error: {row.problem}")
        pretty = json.dumps(json.loads(row.raw), indent=2, ensure_ascii=False)
        text = st.text_area(
            "The row", pretty, height=240, help="Change what is wrong; numbers, texts and lists as in JSON."
        )
        with st.container(horizontal=True):
            again = st.form_submit_button("Send again", type="primary", icon=":material/replay:")
            discard = st.form_submit_button("Discard", icon=":material/delete:")
    if discard:
        intake.decide(desk.store, [row.row_id], "discarded", desk.view.actor)
        _told("Discarded; the row stays on record.")
    if again:
        with errors.told():
            outcome = _send(desk, row, text)
            if outcome is Outcome.REFUSED:
                raise LastmileError("It was refused once more; what is wrong with it now stands in the table.")
            _told("Taken." if outcome is Outcome.TAKEN else "The ledger had it already; it waits no more.")


def _replayed(desk: Desk, found: pd.DataFrame) -> None:
    outcomes = []
    with st.spinner("Sending …"), errors.told():
        outcomes += [_send(desk, row, row.raw) for _, row in found.iterrows()]
        refused = outcomes.count(Outcome.REFUSED)
        _told(
            f"{format.count(len(outcomes) - refused, 'row')} taken or on record, {format.count(refused, 'row')} refused again."
        )


def _send(desk: Desk, row: pd.Series, text: str) -> Outcome:
    try:
        return desk.tower.door.replay(row.row_id, row.source, row.format, text, desk.view.actor)
    except json.JSONDecodeError as error:
        raise LastmileError(f"This is not JSON: {error.msg}, line {error.lineno}, column {error.colno}.") from error
    except (Busy, TookTooLong) as error:
        raise LastmileError("The tower is busy; nothing was changed. Try again in a moment.") from error


def _told(text: str) -> None:
    st.session_state["replayed"] = text
    st.session_state.pop(CHOSEN, None)
    st.rerun()
