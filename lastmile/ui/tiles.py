"""Figures in a row: each with its unit, base, direction, n, target, trust and, behind the help mark, its definition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import streamlit as st

from lastmile.ui.format import MINUS, UNKNOWN, number

COLOUR = {"good": "blue", "bad": "orange", "neutral": "gray"}


@dataclass(frozen=True)
class Tile:
    """One figure: `value` with its unit, `change` against `base`, and `why` it is unknown or not trusted."""

    label: str
    value: str
    help: str
    n: int | None = None
    n_of: str = ""
    change: str | None = None
    base: str | None = None
    direction: Literal["good", "bad", "neutral"] = "neutral"
    target: str | None = None
    line: Sequence[float] | None = None
    trusted: bool = True
    why: str | None = None
    link: str | None = None


def kpi_row(tiles: Sequence[Tile], *, key: str = "tiles") -> None:
    """Tiles side by side, wrapping where the screen is narrow."""
    with st.container(horizontal=True, gap="small", key=key):
        for place, tile in enumerate(tiles):
            with st.container(
                border=True,
                key=f"{key} {place}",
                gap="xxsmall",
                width=200 if len(tiles) > 7 else "stretch",
                height="stretch",
            ):
                _tile(tile)


def _tile(tile: Tile) -> None:
    shown = tile.value if tile.trusted and tile.value != UNKNOWN else f":gray[{tile.value}]"
    st.metric(
        tile.label,
        shown,
        tile.change,
        delta_color=COLOUR[tile.direction],
        delta_arrow=_arrow(tile.change),
        help=tile.help,
        delta_description=tile.base,
        chart_data=_line(tile.line),
        chart_type="area",
    )
    st.caption(_footing(tile))


def _arrow(change: str | None) -> str:
    """Up or down by the sign that is written; nothing for no change, and for a count that is no change."""
    if not change or not any(digit in "123456789" for digit in change):
        return "off"
    return {MINUS: "down", "-": "down", "+": "up"}.get(change.lstrip()[0], "off")


def _line(values: Sequence[float] | None) -> list[float] | None:
    """A sparkline needs two known points."""
    points = [float(value) for value in values or () if value is not None and value == value]
    return points if len(points) > 1 else None


def _footing(tile: Tile) -> str:
    """ "n 1 912 deliveries · target 95 %", or why there is no figure or it is greyed."""
    parts = [f"n {number(tile.n)} {tile.n_of}".rstrip()] if tile.n is not None else []
    parts += [f"target {tile.target}"] if tile.target else []
    parts += [f":material/info: {tile.why}"] if tile.why else []
    parts += [f"[rows]({tile.link})"] if tile.link else []
    return " · ".join(parts) or "\u2002"
