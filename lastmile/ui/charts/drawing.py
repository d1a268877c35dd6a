"""What all charts share: tooltips, legend, target, and how they are put on the page."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from lastmile.ui import palette


def target_line(target: float | None, colour: str, percent: bool, along: str = "y") -> list[alt.Chart]:
    """A dashed line at a target, with its word where it lies across; nothing where there is none."""
    if target is None:
        return []
    text = f"target {target:.0%}" if percent else f"target {target:g}"
    data = alt.Chart(pd.DataFrame({"target": [target], "text": [text]}))
    line = data.mark_rule(color=colour, strokeDash=[5, 4], strokeWidth=1.3).encode(
        **{along: alt.Y("target:Q") if along == "y" else alt.X("target:Q")}
    )
    if along == "x":
        return [line]
    words = data.mark_text(color=colour, align="right", dy=-7, fontSize=11).encode(
        x=alt.value("width"), y="target:Q", text="text:N"
    )
    return [line, words]


def tooltip(*fields: tuple[str, str, str]) -> list[alt.Tooltip]:
    """What is told of a mark: (field, heading, format)."""
    return [
        alt.Tooltip(name, title=title, format=how) if how else alt.Tooltip(name, title=title)
        for name, title, how in fields
    ]


def legend(symbol: str = "square", columns: int | None = None) -> alt.Legend:
    """A legend over the chart, in so many columns; None: in one line."""
    lines = {} if columns is None else {"columns": columns, "labelLimit": 260}
    return alt.Legend(orient="top", direction="horizontal", symbolType=symbol, offset=4, labelFontSize=12, **lines)


def draw(chart: Any, key: str, dark: bool, height: int, description: str, **selection: Any) -> None:
    """Put a chart on the page, in the theme's colours."""
    axis = {
        "labelColor": palette.FAINT_INK[dark],
        "gridColor": palette.RULE[dark],
        "domainColor": palette.RULE[dark],
        "tickColor": palette.RULE[dark],
    }
    drawn = (
        chart.properties(height=height)
        .configure_view(strokeWidth=0)
        .configure_axis(**axis, titleColor=palette.FAINT_INK[dark])
    )
    st.altair_chart(drawn, key=key, alt=description, **selection)
