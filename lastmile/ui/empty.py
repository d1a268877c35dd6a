"""What a page shows before there is anything to show."""

from __future__ import annotations

import streamlit as st

from lastmile import queries
from lastmile.ui import shell
from lastmile.ui.desk import Desk


def is_empty(desk: Desk) -> bool:
    """True where no delivery is on record at all."""
    return desk.ask(queries.days) is None


def welcome() -> None:
    """The first thing that a person with an empty database reads: two ways on."""
    with st.container(border=True, key="welcome"):
        st.markdown("#### Nothing is on record yet")
        st.markdown(
            "Lastmile shows what is at risk now, what it costs and what to do about it. It needs deliveries first: "
            "**bring in a file** (orders, routes, events or positions, as your systems export them), or **look around in "
            "the demo operation**: stop the tower and run `python -m lastmile demo --replace`, then start it again."
        )
        st.page_link(shell.PAGES / "import_data.py", label="Bring in a file", icon=":material/upload_file:")
