"""How long things stay open: Kaplan–Meier curves."""

from __future__ import annotations

import altair as alt
import pandas as pd

from lastmile.ui import palette
from lastmile.ui.charts.drawing import draw, legend, tooltip

DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [1, 4])


def still_open(frame: pd.DataFrame, *, key: str, dark: bool, height: int = 320) -> None:
    """The share that is still open by the hours since it was noticed, a line a group.

    frame: one row per group and step, in order: group, minutes, share_open, at_risk. The lines are told apart by their
    dashes, and stop where nothing is left to watch.
    """
    groups = list(dict.fromkeys(frame.group))
    shades = [palette.SERIES[dark], *[palette.FAINT_INK[dark]] * (len(groups) - 1)]
    chart = (
        alt.Chart(frame.assign(hours=frame.minutes / 60))
        .mark_line(interpolate="step-after", strokeWidth=2)
        .encode(
            x=alt.X("hours:Q", title="hours since it was noticed", scale=alt.Scale(nice=True),
                    axis=alt.Axis(grid=False, format=",~r")),
            y=alt.Y("share_open:Q", title="still open", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%")),
            color=alt.Color("group:N", title=None, sort=groups, scale=alt.Scale(domain=groups, range=shades), legend=legend("stroke", 2)),
            strokeDash=alt.StrokeDash("group:N", title=None, sort=groups, legend=legend("stroke", 2),
                                      scale=alt.Scale(domain=groups, range=list(DASHES[: len(groups)]))),
            tooltip=tooltip(("group:N", "Of", ""), ("minutes:Q", "After, min", ",.0f"), ("share_open:Q", "Still open", ".1%"),
                         ("at_risk:Q", "Watched then", ",")),
        )
    )  # fmt: skip
    draw(chart, key, dark, height, "Share still open by hours since it was noticed, by type")
