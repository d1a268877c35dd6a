"""What needs somebody now: figures, map and queue of the running day."""

import streamlit as st

from lastmile.ui import empty, live
from lastmile.ui.desk import TICK_SECONDS, open_desk

desk = open_desk("Live", ticking=True)

if page := st.session_state.pop("go to", None):
    st.switch_page(page)


@st.fragment(run_every=TICK_SECONDS if desk.is_today else None)
def panel() -> None:
    """Everything that moves with the clock; a tick keeps the choice, the camera and the scroll."""
    live.show(desk.refreshed())


if empty.is_empty(desk):
    empty.welcome()
else:
    panel()
