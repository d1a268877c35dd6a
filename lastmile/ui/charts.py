"""Charts: a frame of one stated grain in, a picture out, in the colours of status and readable in both themes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from lastmile.ui import palette

OUTCOMES = ("early", "on time", "late", "failed", "unknown")
ROW_HEIGHT = 26
FAR_ABOVE = 2.0
"""A plan in force that lies further above a frontier than so many times its height would press it flat: it is left out."""


def trend(
    frame: pd.DataFrame,
    *,
    key: str,
    dark: bool,
    label: str,
    target: float | None = None,
    unit: str = "",
    percent: bool = False,
    height: int = 240,
    description: str | None = None,
) -> None:
    """A figure over days with its interval as a band and its target as a line.

    frame: one row per day: day, value, low, high (NaN where unknown), n. Days without a value leave a gap.
    """
    ink, faint = palette.SERIES[dark], palette.FAINT_INK[dark]
    number = ".1%" if percent else ",.2~f"
    x = alt.X(
        "day:T", title=None, axis=alt.Axis(format="%-d %b", grid=False, tickCount="day" if len(frame) < 15 else 8)
    )
    y = alt.Y(
        "value:Q",
        title=unit or None,
        scale=alt.Scale(zero=False, nice=True),
        axis=alt.Axis(format="%" if percent else ",~r"),
    )
    told = _told(
        ("day:T", "Day", "%a %-d %b %Y"),
        ("value:Q", label, number),
        ("low:Q", "from", number),
        ("high:Q", "to", number),
        ("n:Q", "n", ","),
    )
    base = alt.Chart(frame).encode(x=x, tooltip=told)
    layers = [
        base.mark_area(color=ink, opacity=0.14).encode(y=alt.Y("low:Q", title=unit or None), y2="high:Q"),
        base.mark_line(color=ink, strokeWidth=2).encode(y=y),
        base.mark_circle(color=ink, size=34, opacity=1).encode(y=y),
    ]
    _draw(alt.layer(*layers, *_target(target, faint, percent)), key, dark, height, description or f"{label} by day")


def breakdown(
    frame: pd.DataFrame,
    *,
    key: str,
    dark: bool,
    label: str,
    percent: bool = False,
    target: float | None = None,
    unit: str = "",
    description: str | None = None,
) -> None:
    """Groups side by side as bars with their intervals, in the order given.

    frame: one row per group: group, value, low, high, n.
    """
    ink, faint = palette.SERIES[dark], palette.FAINT_INK[dark]
    number = ".1%" if percent else ",.2~f"
    shown = frame.assign(heading=[f"{row.group}  n {row.n:,}".replace(",", "\u202f") for row in frame.itertuples()])
    told = _told(
        ("group:N", "Group", ""),
        ("value:Q", label, number),
        ("low:Q", "from", number),
        ("high:Q", "to", number),
        ("n:Q", "n", ","),
    )
    y = alt.Y(
        "heading:N", sort=None, title=None, axis=alt.Axis(labelLimit=260, labelOverlap=False, ticks=False, domain=False)
    )
    x = alt.X("value:Q", title=unit or None, axis=alt.Axis(format="%" if percent else ",~r"))
    base = alt.Chart(shown).encode(y=y, tooltip=told)
    layers = [
        base.mark_bar(color=ink, opacity=0.45, height={"band": 0.62}).encode(x=x),
        base.mark_rule(color=ink, strokeWidth=2).encode(x=alt.X("low:Q"), x2="high:Q"),
        base.mark_tick(color=ink, thickness=3, height={"band": 0.62}).encode(x=x),
    ]
    height = ROW_HEIGHT * len(frame) + 30 + (20 if unit else 0)
    _draw(
        alt.layer(*layers, *_target(target, faint, percent, "x")), key, dark, height, description or f"{label} by group"
    )


def search_trace(frame: pd.DataFrame, *, key: str, dark: bool, height: int = 150) -> None:
    """The best plan so far of a running search. frame: one row per look: seconds since its start, cost to the search."""
    chart = (
        alt.Chart(frame)
        .mark_line(color=palette.SERIES[dark], strokeWidth=2, interpolate="step-after")
        .encode(
            x=alt.X("seconds:Q", title="seconds", axis=alt.Axis(grid=False, tickMinStep=1)),
            y=alt.Y(
                "cost:Q",
                title="best cost so far",
                scale=alt.Scale(zero=False),
                axis=alt.Axis(format=",~r", tickCount=3),
            ),
        )
    )
    _draw(chart, key, dark, height, "Cost of the best plan so far, by seconds of search")


def frontier(
    frame: pd.DataFrame,
    *,
    key: str,
    dark: bool,
    currency: str,
    now: float,
    chosen: int,
    choose: Callable[[], None],
    height: int = 190,
) -> None:
    """Cost against stops that change vehicle, a point a plan; a press on one chooses it (`choose` reads the state of `key`).

    frame: one row per plan: moved, money, saving, promises_broken, unserved, breaks (bool). `now` is what the plan in force
    costs, drawn as a line where it lies near.
    """
    ink, faint = palette.SERIES[dark], palette.FAINT_INK[dark]
    shown = frame.assign(is_chosen=frame.moved == chosen)
    x = alt.X(
        "moved:Q",
        title="stops that change vehicle",
        axis=alt.Axis(grid=False, values=frame.moved.tolist(), format=",d", labelOverlap=True),
        scale=alt.Scale(nice=False, zero=False, padding=14),
    )
    y = alt.Y("money:Q", title=f"cost of the rest, {currency}", scale=alt.Scale(zero=False, padding=12),
              axis=alt.Axis(format=",~r", tickCount=4))  # fmt: skip
    told = _told(
        ("moved:Q", "Stops that change vehicle", ",d"),
        ("money:Q", f"Cost, {currency}", ",.0f"),
        ("saving:Q", f"Saves against now, {currency}", ",.0f"),
        ("promises_broken:Q", "Promises broken", ",d"),
        ("unserved:Q", "Not served", ",d"),
    )
    press = alt.selection_point(name="pressed", fields=["moved"], on="click", empty=False)
    base = alt.Chart(shown).encode(x=x, y=y, tooltip=told)
    points = base.mark_point(filled=True, opacity=1, strokeWidth=2, cursor="pointer").encode(
        size=alt.condition("datum.is_chosen", alt.value(230), alt.value(95)),
        fill=alt.condition("datum.is_chosen", alt.value(ink), alt.value(palette.SURFACE[dark])),
        stroke=alt.value(ink),
        shape=alt.condition("datum.breaks", alt.value("diamond"), alt.value("circle")),
    )
    layers = [
        *(
            _plan_in_force(now, faint)
            if now <= frame.money.max() + FAR_ABOVE * (frame.money.max() - frame.money.min())
            else []
        ),
        base.mark_line(color=ink, strokeWidth=1.5, opacity=0.5, interpolate="step-after"),
        points.add_params(press),
    ]
    _draw(
        alt.layer(*layers), key, dark, height, "Cost of the rest of the day against stops that change vehicle",
        on_select=choose, selection_mode="pressed",
    )  # fmt: skip


def _plan_in_force(money: float, colour: str) -> list[alt.Chart]:
    line = alt.Chart(pd.DataFrame({"money": [money], "text": ["plan in force"]}))
    words = line.mark_text(color=colour, align="right", dy=-7, fontSize=11).encode(
        x=alt.value("width"), y="money:Q", text="text:N"
    )
    return [line.mark_rule(color=colour, strokeDash=[5, 4], strokeWidth=1.3).encode(y="money:Q"), words]


def stacked_outcome(
    frame: pd.DataFrame,
    *,
    key: str,
    dark: bool,
    over: str = "day",
    share: bool = False,
    height: int = 240,
    description: str = "Deliveries by outcome",
) -> None:
    """Early, on time, late, failed and unknown, stacked; they add up to all.

    frame: one row per `over` (day, or a group's name) and outcome: over, outcome, n.
    """
    colours = [palette.OUTCOME[outcome].hex(dark) for outcome in OUTCOMES]
    shown = frame.assign(order=frame["outcome"].map({outcome: place for place, outcome in enumerate(OUTCOMES)}))
    days = over == "day"
    axis = alt.Axis(format="%-d %b", grid=False, labelAngle=0) if days else alt.Axis(labelAngle=0, labelLimit=120)
    y = alt.Y(
        "n:Q",
        title=None,
        stack="normalize" if share else "zero",
        axis=alt.Axis(format="%" if share else ",d", tickMinStep=1),
    )
    chart = (
        alt.Chart(shown)
        .mark_bar(stroke=palette.SURFACE[dark], strokeWidth=0.6)
        .encode(
            x=alt.X(f"yearmonthdate({over}):O" if days else f"{over}:N", title=None, axis=axis, sort=None),
            y=y,
            color=alt.Color(
                "outcome:N", title=None, scale=alt.Scale(domain=list(OUTCOMES), range=colours), legend=_legend()
            ),
            order=alt.Order("order:Q"),
            tooltip=_told(
                (f"{over}:{'T' if days else 'N'}", over.capitalize(), "%a %-d %b" if days else ""),
                ("outcome:N", "Outcome", ""),
                ("n:Q", "n", ","),
            ),
        )
    )
    _draw(chart, key, dark, height, description)


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


def by_horizon(frame: pd.DataFrame, *, key: str, dark: bool, height: int = 260) -> None:
    """Mean misses by horizon, the methods side by side, each with a word in the legend and a pattern of grey beside colour.

    frame: one row per horizon and method, in order: horizon, told_by, mae, p90, n; minutes.
    """
    methods = list(dict.fromkeys(frame.told_by))
    colours = [palette.SERIES[dark], palette.FAINT_INK[dark], palette.RULE[dark]]
    drawn = alt.Chart(frame).encode(
        x=alt.X("horizon:N", title="Time to arrival", sort=list(dict.fromkeys(frame.horizon)), axis=alt.Axis(labelAngle=0)),
        xOffset=alt.XOffset("told_by:N", sort=methods),
        y=alt.Y("mae:Q", title="mean miss, min"),
        color=alt.Color("told_by:N", title=None, sort=methods, scale=alt.Scale(domain=methods, range=colours[: len(methods)]), legend=_legend()),
        tooltip=_told(("told_by:N", "Told by", ""), ("horizon:N", "Time to arrival", ""), ("mae:Q", "Mean miss, min", ".1f"),
                      ("p90:Q", "P90, min", ".1f"), ("n:Q", "n", ",")),
    )  # fmt: skip
    _draw(drawn.mark_bar(), key, dark, height, "Mean miss in minutes by time to arrival: prediction, moved plan, plan")


def _target(target: float | None, colour: str, percent: bool, along: str = "y") -> list[alt.Chart]:
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


def _told(*fields: tuple[str, str, str]) -> list[alt.Tooltip]:
    return [
        alt.Tooltip(name, title=title, format=how) if how else alt.Tooltip(name, title=title)
        for name, title, how in fields
    ]


def _legend() -> alt.Legend:
    return alt.Legend(orient="top", direction="horizontal", symbolType="square", offset=4, labelFontSize=12)


def _draw(chart: Any, key: str, dark: bool, height: int, description: str, **selection: Any) -> None:
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
