"""Bring files in: guess, preview, import, and take an import back."""

import streamlit as st

from lastmile.ui import importer
from lastmile.ui.desk import open_desk

desk = open_desk("Import", when="none")
with st.container(border=True, key="way in"):
    importer.show(desk)
st.markdown("**Imports** :gray[pick one for its quarantine, or to take it back]")
importer.history(desk)
