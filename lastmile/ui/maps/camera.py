"""Where a map looks at first. It is worked out once for each focus and then left to the person."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import pydeck as pdk
import streamlit as st

BERLIN = (13.402, 52.508, 10.4)
WIDTH_PX, HEIGHT_PX = 800, 520
CLOSEST, WIDEST = 14.5, 3.0
MARGIN = 1.25


InSight = tuple[Iterable[tuple[float, float]], float]
"""The positions (lon, lat) that a map shall show, and how close it may go."""


def view_state(key: str, focus: object, in_sight: Callable[[], InSight]) -> pdk.ViewState:
    """The same view state for the same key and focus, whatever has moved since; `in_sight` is asked when the focus is new."""
    kept = st.session_state.setdefault(f"{key} camera", {})
    if kept.get("focus") != focus or "place" not in kept:
        positions, closest = in_sight()
        kept |= {"focus": focus, "place": _fitting(list(positions), closest)}
    longitude, latitude, zoom = kept["place"]
    return pdk.ViewState(longitude=longitude, latitude=latitude, zoom=zoom, pitch=0, bearing=0)


def place(view: pdk.ViewState) -> tuple[float, float, float]:
    """Longitude, latitude and zoom of a view."""
    return view.longitude, view.latitude, view.zoom


def _fitting(positions: list[tuple[float, float]], closest: float = CLOSEST) -> tuple[float, float, float]:
    """Middle and zoom that show all positions (Web Mercator, 512 px tiles); Berlin where there is none."""
    if not positions:
        return BERLIN
    longitudes, latitudes = zip(*positions, strict=True)
    middle = ((min(longitudes) + max(longitudes)) / 2, (min(latitudes) + max(latitudes)) / 2)
    wide = max(max(longitudes) - min(longitudes), 1e-4) * MARGIN
    tall = max(max(latitudes) - min(latitudes), 1e-4) * MARGIN / math.cos(math.radians(middle[1]))
    zoom = min(math.log2(WIDTH_PX * 360 / (512 * wide)), math.log2(HEIGHT_PX * 360 / (512 * tall)))
    return round(middle[0], 4), round(middle[1], 4), round(min(max(zoom, WIDEST), closest), 2)
