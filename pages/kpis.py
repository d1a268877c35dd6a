"""Trends and breakdowns of each KPI, down to the rows behind it."""

import streamlit as st

from lastmile.ui import empty, hindsight, scorecard
from lastmile.ui.desk import open_desk

desk = open_desk("KPIs", when="period")
if empty.is_empty(desk):
    empty.welcome()
    st.stop()

chosen = scorecard.overview(desk)
hindsight.sum_up(desk, scorecard.every(desk))
with st.container(border=True, key="kpi detail"):
    scorecard.detail(desk, chosen)
with st.container(border=True, key="outcomes card"):
    st.markdown("**Outcomes by day** :gray[against the first promise]")
    scorecard.outcomes(desk)
