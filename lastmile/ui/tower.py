"""The script behind every page: the name of the tower, its pages, and the page that was asked for."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from lastmile.ui.shell import PAGES

HERE = Path(__file__).resolve().parent
ABOUT = "**Lastmile**: a control tower for last-mile delivery. Base map: schematic, own drawing."


def pages() -> dict[str, list[st.Page]]:
    """The pages: operations and performance one click away, the work on data under one heading."""

    def page(file: str, title: str, icon: str, told: str, **more: object) -> st.Page:
        return st.Page(PAGES / file, title=title, icon=f":material/{icon}:", help=told, **more)

    return {
        "": [
            page("live.py", "Live", "radar", "What needs somebody now: figures, map and queue.", default=True),
            page(
                "exceptions.py",
                "Exceptions",
                "notification_important",
                "The queue, each exception's history, and who has what.",
            ),
            page("routes.py", "Routes", "route", "Planned against actual, and re-optimization of what remains."),
            page("deliveries.py", "Deliveries", "package_2", "Search, and the whole story of one delivery."),
            page("kpis.py", "KPIs", "monitoring", "Trends and breakdowns, down to the rows behind them."),
            page("response.py", "Response", "speed", "How fast exceptions are seen, taken up, acted on and closed."),
            page(
                "eta_accuracy.py",
                "ETA accuracy",
                "timer",
                "How good predicted arrivals have been.",
                url_path="eta-accuracy",
            ),
        ],
        "Data": [
            page(
                "import_data.py", "Import", "upload_file", "Bring files in, or take an import back.", url_path="import"
            ),
            page("connections.py", "Connections", "cable", "Other systems: tokens, last events, what was not taken."),
            page("notices.py", "Notices", "outgoing_mail", "What customers and staff were told, and what arrived."),
            page(
                "data_quality.py",
                "Data quality",
                "rule",
                "How far each source can be trusted.",
                url_path="data-quality",
            ),
        ],
    }


st.set_page_config(page_title="Lastmile", page_icon=str(HERE / "mark.svg"), layout="wide", menu_items={"About": ABOUT})
st.logo(str(HERE / "wordmark.svg"), size="medium")
st.navigation(pages(), position="top").run()
