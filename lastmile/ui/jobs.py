"""A job's progress on a page, with a way to stop it."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from lastmile.jobs import Job

WATCH_SECONDS = 0.5


@st.fragment(run_every=WATCH_SECONDS)
def watch(job: Job, beside: Callable[[], None] | None = None) -> None:
    """A bar that moves, and what is to be drawn beneath it; the page is drawn again once the job has ended."""
    if not job.running:
        st.rerun()
    st.progress(job.share, text=job.told)
    if beside is not None:
        beside()
    if st.button("Stopping …" if job.cancelled else "Cancel", icon=":material/stop_circle:", disabled=job.cancelled):
        job.cancel()
