"""Groups side by side."""

from __future__ import annotations

import altair as alt
import pandas as pd

from lastmile.ui import palette
from lastmile.ui.charts.drawing import draw, legend, target_line, tooltip

ROW_HEIGHT = 26


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
    told = tooltip(
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
    draw(
        alt.layer(*layers, *target_line(target, faint, percent, "x")),
        key,
        dark,
        height,
        description or f"{label} by group",
    )


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
        color=alt.Color("told_by:N", title=None, sort=methods, scale=alt.Scale(domain=methods, range=colours[: len(methods)]), legend=legend()),
        tooltip=tooltip(("told_by:N", "Told by", ""), ("horizon:N", "Time to arrival", ""), ("mae:Q", "Mean miss, min", ".1f"),
                      ("p90:Q", "P90, min", ".1f"), ("n:Q", "n", ",")),
    )  # fmt: skip
    draw(drawn.mark_bar(), key, dark, height, "Mean miss in minutes by time to arrival: prediction, moved plan, plan")
