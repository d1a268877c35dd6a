"""Planned against actual on a time axis."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from lastmile.ui import palette

ROW_HEIGHT = 26


def timeline(
    frame: pd.DataFrame,
    *,
    key: str,
    dark: bool,
    zone: str,
    now: pd.Timestamp | None = None,
    description: str = "Planned against actual, by route",
) -> None:
    """Planned against actual, a row per route: the plan as a pale bar, what happened as marks on it, now as a line.

    frame: one row per stop: route, planned_from, planned_to (service at the stop), actual_from, actual_to (NaT where
    not yet), status, label. Times carry a zone and are shown in `zone`.
    """
    import plotly.graph_objects as go  # here: a page that shows no timeline never pays for it

    local = frame.assign(
        **{name: _wall(frame[name], zone) for name in ("planned_from", "planned_to", "actual_from", "actual_to")}
    )
    routes = list(dict.fromkeys(local["route"]))
    figure = go.Figure()
    figure.add_trace(_bars(go, local, "planned", "planned", palette.RULE[dark], 0.62))
    for status, look in palette.STATUS.items():
        happened = local[(local["status"] == status) & local["actual_from"].notna()]
        if len(happened):
            figure.add_trace(_bars(go, happened, "actual", look.label, look.hex(dark), 0.34))
    if now is not None:
        at = now.tz_convert(zone).tz_localize(None)
        figure.add_shape(
            type="line",
            x0=at,
            x1=at,
            y0=0,
            y1=1,
            yref="paper",
            line={"color": palette.INK[dark], "width": 1.5, "dash": "dot"},
        )
        figure.add_annotation(
            x=at, y=1.0, yref="paper", text="now", showarrow=False, yanchor="bottom", font={"size": 11}
        )
    figure.update_layout(**_timeline_layout(len(routes), dark))
    figure.update_yaxes(
        autorange="reversed", categoryorder="array", categoryarray=routes, showgrid=False, ticks="", automargin=True
    )
    figure.update_xaxes(tickformat="%H:%M", showgrid=True, gridcolor=palette.RULE[dark])
    st.plotly_chart(figure, key=key, config={"displayModeBar": False, "scrollZoom": False}, alt=description)


def _bars(go: Any, stops: pd.DataFrame, which: str, name: str, colour: str, width: float) -> Any:
    start, end = stops[f"{which}_from"], stops[f"{which}_to"].fillna(stops[f"{which}_from"])
    length = (end - start).dt.total_seconds().clip(lower=90) * 1000
    return go.Bar(
        base=start,
        x=length,
        y=stops["route"],
        orientation="h",
        name=name,
        width=width,
        marker={"color": colour, "line": {"width": 0}},
        customdata=[
            (row.label, f"{a:%H:%M}–{b:%H:%M}") for row, a, b in zip(stops.itertuples(), start, end, strict=True)
        ],
        hovertemplate="<b>%{customdata[0]}</b><br>" + name + " %{customdata[1]}<extra></extra>",
    )


def _timeline_layout(rows: int, dark: bool) -> dict[str, Any]:
    return {
        "barmode": "overlay",
        "height": max(rows * ROW_HEIGHT, 120) + 90,
        "margin": {"l": 8, "r": 8, "t": 24, "b": 62},
        "legend": {"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0},
        "dragmode": "zoom",
        "hovermode": "closest",
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": palette.FAINT_INK[dark], "size": 12},
        "xaxis": {"type": "date"},
    }


def _wall(times: pd.Series, zone: str) -> pd.Series:
    return pd.to_datetime(times, utc=True).dt.tz_convert(zone).dt.tz_localize(None)
