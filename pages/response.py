"""How fast exceptions are seen, taken up, acted on and closed."""

import streamlit as st

from lastmile.ui import empty
from lastmile.ui.desk import open_desk

desk = open_desk("Response", when="period")
if empty.is_empty(desk):
    empty.welcome()
    st.stop()
