"""What needs somebody: the queue, each exception with its map and history, and who has what."""

from __future__ import annotations

import streamlit as st

from lastmile.ui import empty, shell
from lastmile.ui.desk import TICK_SECONDS, open_desk
from lastmile.ui.exceptions import page

desk = open_desk("Exceptions", when="instant", ticking=True)
shell.leave()
if empty.is_empty(desk):
    empty.welcome()
    st.stop()


@st.fragment(run_every=TICK_SECONDS if desk.is_today else None)
def panel() -> None:
    """Moves with the clock; a tick keeps what is ticked, chosen and typed."""
    shell.let_leave()
    page.show(desk.refreshed())


panel()
