"""What needs somebody now: figures, map and queue of the running day."""

from collections.abc import Callable

import streamlit as st

from lastmile.ui import empty, live, pace, shell
from lastmile.ui.desk import Desk, open_desk


def ticking(show: Callable[[Desk], None], desk: Desk) -> None:
    """A part that moves with the clock; a tick keeps the choice, the camera and the scroll."""

    every = pace.seconds() if desk.is_today else None

    @st.fragment(run_every=every)
    def panel() -> None:
        shell.let_leave()
        with pace.looking():
            show(desk.refreshed())
        if every is not None and pace.is_off(every):
            st.rerun()

    panel()


def figures(desk: Desk) -> None:
    """The tiles, which come first of all; in an empty database the way in."""
    empty.welcome() if empty.is_empty(desk) else ticking(live.show_figures, desk)


desk = open_desk("Live", ticking=True, figures=figures)

shell.leave()

if not empty.is_empty(desk):
    ticking(live.show_day, desk)
