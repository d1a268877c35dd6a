"""How fast exceptions are seen, taken up, acted on and closed."""

import streamlit as st

from lastmile.ui import empty, figures, hindsight, response, shell
from lastmile.ui.desk import open_desk

desk = open_desk("Response", when="period")
if exception_id := st.session_state.pop("open exception", None):
    st.switch_page(shell.PAGES / "exceptions.py", query_params={"exception": exception_id})
if empty.is_empty(desk):
    empty.welcome()
    st.stop()
response.show(desk)
hindsight.sum_up(desk, figures.measured(desk, hindsight.SUMMED))
