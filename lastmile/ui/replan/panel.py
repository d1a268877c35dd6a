"""The panel of one depot, in the state that it is in: nothing asked yet, searching, or a proposal to decide."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from lastmile.ui import shell
from lastmile.ui.desk import Desk
from lastmile.ui.replan import asking, deciding, running


def show(desk: Desk, depots: dict[str, str], vehicles: pd.DataFrame, stops: pd.DataFrame) -> None:
    """The panel for the one depot in scope; says what to do where there is none or more than one."""
    if not desk.is_today:
        st.info("A past day can be looked at, not changed. Go back to now to re-optimize.", icon=":material/history:")
        return
    chosen = desk.view.scope.depots
    if len(chosen) != 1 and len(depots) != 1:
        _choose_depot(depots)
        return
    depot_id = chosen[0] if chosen else next(iter(depots))
    name = depots.get(depot_id, depot_id)
    if message := st.session_state.pop("replan told", None):
        st.info(message, icon=":material/group:")
    job = desk.tower.replannings.get(depot_id)
    if job is not None and job.running:
        running.show(desk, job, name)
    elif job is not None and job.result is not None:
        deciding.show(desk, job, name)
    else:
        asking.show(
            desk, depot_id, name, vehicles[vehicles.depot_id == depot_id], stops[stops.depot_id == depot_id], job
        )


def _choose_depot(depots: dict[str, str]) -> None:
    st.caption("A depot's day is re-optimized as one. Which one?")
    with st.container(horizontal=True, gap="small"):
        for depot_id, name in depots.items():
            st.button(
                name,
                icon=":material/warehouse:",
                key=f"replan {depot_id}",
                on_click=shell.narrow,
                kwargs={"depots": [depot_id]},
            )
