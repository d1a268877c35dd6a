"""What needs somebody now: figures, map and queue of the running day."""

import streamlit as st

from lastmile.ui import empty, live
from lastmile.ui.desk import TICK_SECONDS, Desk, open_desk


def body(desk: Desk) -> None:
    """Everything that moves with the clock; a tick keeps the choice, the camera and the scroll."""

    @st.fragment(run_every=TICK_SECONDS if desk.is_today else None)
    def panel() -> None:
        live.show(desk.refreshed())

    if empty.is_empty(desk):
        empty.welcome()
    elif "go to" not in st.session_state:
        panel()


open_desk("Live", ticking=True, body=body)

if page := st.session_state.pop("go to", None):
    st.switch_page(page)
