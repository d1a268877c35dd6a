"""Of which instant a page of figures is; newer figures are shown as soon as they are there, without anybody doing anything."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import streamlit as st

from lastmile.ui import deeds, format, shell
from lastmile.ui.readings import GOOD_FOR_SECONDS, READINGS, Reading

if TYPE_CHECKING:
    from lastmile.ui.desk import Desk

SOON_SECONDS, SELDOM_SECONDS = 1.0, 5.0
"""How often an open page looks whether newer figures are there: while some are being made, and else. A look costs 2 ms."""
OLD_SECONDS = 1.5 * GOOD_FOR_SECONDS
"""Figures that are older say so: on an open page newer ones come before that."""


def show(desk: Desk, clock: shell.Clock) -> None:
    """The badge of the bar: of a past instant, or of a reading, which watches for newer figures."""
    reading = desk.reading
    if reading is None:
        shell.badge(clock, desk.view.as_of, desk.zone)
        return
    every = SOON_SECONDS if READINGS.is_renewing(reading.view) else SELDOM_SECONDS
    st.fragment(_watch, run_every=every)(desk, reading, reading.failed)


def tell_failure(desk: Desk) -> None:
    """Why the figures are not newer, where they could not be read anew."""
    reading = desk.reading
    if reading is not None and reading.failed is not None:
        st.warning(
            f"Newer figures could not be worked out: {reading.failed} Shown are those as of "
            f"{format.instant(reading.at, desk.zone, desk.tower.now())}; it is tried again every minute.",
            icon=":material/sync_problem:",
        )


def _watch(desk: Desk, reading: Reading, told: str | None) -> None:
    latest = READINGS.watch(reading, deeds.known(desk.store))
    if latest is not reading or reading.failed != told:
        st.rerun()
    st.markdown(_badge(desk, reading), width="content")


def _badge(desk: Desk, reading: Reading) -> str:
    shown = f"as of **{format.instant(reading.at, desk.zone, desk.tower.now())}**"
    if reading.failed is not None:
        return f":yellow-badge[:material/sync_problem: Not renewed] {shown}"
    if time.monotonic() - reading.begun > OLD_SECONDS and READINGS.is_renewing(reading.view):
        return f":gray-badge[:material/sync: Newer figures on their way] {shown}"
    return shell.badge_text(desk.clock(), None, desk.zone)
