"""Figures and outcomes over days."""

from __future__ import annotations

import altair as alt
import pandas as pd

from lastmile.ui import palette
from lastmile.ui.charts.drawing import draw, legend, target_line, tooltip

OUTCOMES = ("early", "on time", "late", "failed", "unknown")


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
    told = tooltip(
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
    draw(alt.layer(*layers, *target_line(target, faint, percent)), key, dark, height, description or f"{label} by day")


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
                "outcome:N", title=None, scale=alt.Scale(domain=list(OUTCOMES), range=colours), legend=legend()
            ),
            order=alt.Order("order:Q"),
            tooltip=tooltip(
                (f"{over}:{'T' if days else 'N'}", over.capitalize(), "%a %-d %b" if days else ""),
                ("outcome:N", "Outcome", ""),
                ("n:Q", "n", ","),
            ),
        )
    )
    draw(chart, key, dark, height, description)
