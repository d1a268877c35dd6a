"""How far each source can be trusted."""

import streamlit as st

from lastmile.ui import empty, quality
from lastmile.ui.desk import open_desk

desk = open_desk("Data quality", when="period")
if empty.is_empty(desk):
    empty.welcome()
    st.stop()
quality.show(desk)
