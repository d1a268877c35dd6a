"""The demo's clock on the Live page: how fast it runs, and a van that breaks down when asked."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lastmile.ui.desk import Desk
from lastmile.ui.shell import CONTROL_HEIGHT

SPEEDS = {0.0: "Paused", 1.0: "Real time", 10.0: "10 times", 60.0: "60 times"}


def place(desk: Desk) -> DeltaGenerator | None:
    """Room for the menu, where the database holds the simulated operation; None elsewhere."""
    if desk.tower.feed is None or not desk.is_today:
        return None
    return st.container(height=CONTROL_HEIGHT, border=False, width="content", key="demo")


def show(desk: Desk, vehicles: list[str]) -> None:
    """A small menu: the clock's speed, and a van that breaks down."""
    speed = desk.tower.clock.speed
    with st.popover(f"Demo · {SPEEDS.get(speed, f'{speed:g} times').lower()}", icon=":material/science:"):
        st.markdown("This operation is simulated, and everyone on this tower shares its clock.")
        st.segmented_control(
            "The clock runs",
            list(SPEEDS),
            default=speed if speed in SPEEDS else None,
            format_func=SPEEDS.get,
            key="demo speed",
            on_change=_set_speed,
            args=(desk,),
        )
        van = st.selectbox("A van that is out", vehicles, index=None, key="demo van", placeholder="Choose a van")
        st.button(
            "Let it break down",
            disabled=van is None,
            on_click=_break_down,
            args=(desk, van),
            icon=":material/car_crash:",
        )


def _set_speed(desk: Desk) -> None:
    chosen = st.session_state["demo speed"]
    if chosen is not None:
        desk.tower.set_clock(desk.tower.clock.at_speed(chosen), desk.view.actor)


def _break_down(desk: Desk, van: str) -> None:
    if desk.tower.feed is not None:
        desk.tower.feed.break_down(van)
