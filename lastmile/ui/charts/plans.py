"""A search as it runs, and the plans that it offers."""

from __future__ import annotations

from collections.abc import Callable

import altair as alt
import pandas as pd

from lastmile.ui import palette
from lastmile.ui.charts.drawing import draw, tooltip

FAR_ABOVE = 2.0
"""A plan in force that lies further above a frontier than so many times its height would press it flat: it is left out."""


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
    draw(chart, key, dark, height, "Cost of the best plan so far, by seconds of search")


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
    told = tooltip(
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
    draw(
        alt.layer(*layers), key, dark, height, "Cost of the rest of the day against stops that change vehicle",
        on_select=choose, selection_mode="pressed",
    )  # fmt: skip


def _plan_in_force(money: float, colour: str) -> list[alt.Chart]:
    line = alt.Chart(pd.DataFrame({"money": [money], "text": ["plan in force"]}))
    words = line.mark_text(color=colour, align="right", dy=-7, fontSize=11).encode(
        x=alt.value("width"), y="money:Q", text="text:N"
    )
    return [line.mark_rule(color=colour, strokeDash=[5, 4], strokeWidth=1.3).encode(y="money:Q"), words]
