"""A search under way: how far it is, the best plan so far, who began it, and a way to stop it."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from lastmile.replanning import Replanning
from lastmile.ui import charts
from lastmile.ui.desk import Desk
from lastmile.ui.jobs import watch


def show(desk: Desk, job: Replanning, name: str) -> None:
    """Everyone who opens the page sees the same search; it goes on when they leave."""
    who = "you" if job.actor == desk.view.actor else job.actor
    st.caption(
        f"**{name}** is being re-optimized, asked by {who}. It goes on beside the page: look elsewhere meanwhile."
    )
    dark = desk.view.dark
    watch(job, lambda: _trace(job, dark))


def _trace(job: Replanning, dark: bool) -> None:
    trace = list(job.trace)
    if len(trace) > 2:
        charts.search_trace(pd.DataFrame(trace, columns=["seconds", "cost"]), key="search trace", dark=dark)
