"""Planned against actual, route by route; re-optimization of what remains of a depot's day."""

import streamlit as st

from lastmile import queries
from lastmile.ui import day_routes, empty, hindsight, replan, shell
from lastmile.ui.desk import open_desk

desk = open_desk("Routes")
if story := st.session_state.pop("open story", None):
    st.switch_page(shell.PAGES / "deliveries.py", query_params={"delivery": story})
if empty.is_empty(desk):
    empty.welcome()
    st.stop()
if decided := st.session_state.pop("decided", None):
    st.toast(decided, icon=":material/check:")

vehicles = desk.ask(queries.vehicles, desk.at, desk.day, desk.view.scope, desk.view.as_of)
stops = desk.ask(queries.stops, desk.at, desk.day, desk.view.scope, desk.view.as_of)
depots = desk.ask(queries.depots)

with st.container(border=True, key="replan"):
    st.markdown("**Re-optimize**")
    replan.show(desk, dict(zip(depots.depot_id, depots.name, strict=True)), vehicles, stops)
day_routes.show(desk, vehicles, stops)
st.markdown("**Plan versions** :gray[of this day; none is ever overwritten]")
day_routes.versions(desk)
hindsight.show(desk)
