"""How good predicted arrivals have been, by horizon, against the plan and the plan moved by the present delay."""

import streamlit as st

from lastmile.ui import empty, eta_accuracy
from lastmile.ui.desk import open_desk

desk = open_desk("ETA accuracy", when="period")
if empty.is_empty(desk):
    empty.welcome()
    st.stop()
eta_accuracy.show(desk)
