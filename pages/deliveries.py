"""Search the deliveries; one delivery's whole story."""

import streamlit as st

from lastmile.ui import deliveries, story
from lastmile.ui.desk import open_desk

desk = open_desk("Deliveries", when="period")
text = st.text_input(
    "Search",
    key="q",
    bind="query-params",
    icon=":material/search:",
    placeholder="Id, recipient, address, vehicle, state (failed, returned …) or reason",
    label_visibility="collapsed",
)


def choose(delivery_id: str | None) -> None:
    """Keep the choice in the address, so that a story is a link."""
    if delivery_id is None:
        st.query_params.pop("delivery", None)
    else:
        st.query_params["delivery"] = delivery_id


chosen = st.query_params.get("delivery")
if chosen:
    story.show(desk, chosen)
deliveries.show(desk, text, chosen, choose)
