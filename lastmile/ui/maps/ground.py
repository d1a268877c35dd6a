"""What lies under the operation: the base map, the districts' names and the tooltip."""

from __future__ import annotations

import os
from dataclasses import dataclass

import pydeck as pdk
import streamlit as st

from lastmile.basemap import CREDIT
from lastmile.ui import palette

STYLE_SETTING = "LASTMILE_BASEMAP_STYLE_URL"  # a MapLibre style; "{theme}" becomes light or dark

TOOLTIP = {
    "html": "<b>{label}</b> &nbsp;{status}<br>{detail}",
    "style": {
        "backgroundColor": "#1B2733", "color": "#F2F5F8", "fontFamily": "'Source Sans', sans-serif", "fontSize": "13px",
        "lineHeight": "1.45", "padding": "8px 11px", "borderRadius": "6px", "maxWidth": "280px",
    },
}  # fmt: skip


def style_url(dark: bool) -> str:
    """The base map's style: the one that the setting names, else the tower's own."""
    theme = "dark" if dark else "light"
    return os.environ.get(STYLE_SETTING, "").replace("{theme}", theme) or f"/basemap/{theme}.json"


def credit() -> list[str]:
    """Who drew the base map, as Markdown for a legend; a tile server shows its own credit on the map."""
    return [] if os.environ.get(STYLE_SETTING) else [f":gray[{CREDIT}]"]


def district_names(dark: bool) -> list[pdk.Layer]:
    """Names of the districts on the own base map; where two would overlap, the larger district's is shown."""
    if os.environ.get(STYLE_SETTING):
        return []
    return [
        pdk.Layer(
            "TextLayer",
            id="districts",
            data="/basemap/labels.json",
            get_position="[lon, lat]",
            get_text="name",
            get_size="16 - rank * 1.6",
            get_color=[*palette.look("idle").rgb(dark)[:3], 190 if dark else 215],
            font_family='"Source Sans, sans-serif"',
            font_weight=600,
            character_set='"auto"',
            font_settings={"sdf": True, "fontSize": 48, "buffer": 6, "radius": 12},
            outline_width=3,
            outline_color=[*bytes.fromhex("151b23" if dark else "f5f6f7"), 235],
            extensions=[{"@@type": "CollisionFilterExtension"}],
            collision_group='"districts"',
            get_collision_priority="10 - rank",
            collision_test_props={"sizeScale": 1.6},
        )
    ]


@dataclass(frozen=True)
class Drawing:
    """A deck in the words of the browser. Streamlit asks a deck for these only, so one drawing serves many sessions."""

    text: str
    _tooltip: dict
    layers: None = None

    def to_json(self) -> str:
        return self.text


def deck(layers: list[pdk.Layer], camera: pdk.ViewState, dark: bool) -> Drawing:
    """Layers over the base map, seen through a camera."""
    drawn = pdk.Deck(
        layers=layers,
        initial_view_state=camera,
        map_style=style_url(dark),
        map_provider="maplibre",
        tooltip=TOOLTIP,
        views=[pdk.View(type="MapView", controller={"dragRotate": False, "touchRotate": False}, id="map")],
    )
    return Drawing(drawn.to_json(), TOOLTIP)


def show(drawing: Drawing, key: str, height: int, alt: str, on_select: object) -> None:
    """Put a drawing on the page."""
    st.pydeck_chart(drawing, key=key, height=height, alt=alt, on_select=on_select, selection_mode="single-object")
