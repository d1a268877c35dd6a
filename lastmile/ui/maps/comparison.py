"""Two plans on one map: the one in force, dashed, and the proposed one, drawn through; stops that change are ringed."""

from __future__ import annotations

import pandas as pd
import pydeck as pdk

from lastmile.ui import palette
from lastmile.ui.maps import camera, ground

DASH = {
    "extensions": [{"@@type": "PathStyleExtension", "dash": True}],
    "get_dash_array": [5, 4],
    "dash_justified": True,
}


def comparison_map(
    before: pd.DataFrame,
    after: pd.DataFrame,
    changes: pd.DataFrame | None = None,
    *,
    key: str,
    dark: bool,
    focus: object = None,
    height: int = 460,
    alt: str = "Map of the plan in force and of the proposed plan",
) -> None:
    """before, after: one row per route: route_id, label, path (list of [lon, lat]), detail.

    changes: one row per delivery that changes vehicle or is no longer served: delivery_id, label, lon, lat, detail,
    served (bool).
    """
    ends = [tuple(at) for frame in (before, after) for path in frame["path"] for at in path]
    drawn = [
        *ground.district_names(dark),
        _lines("in force", before, palette.look("idle").rgb(dark, 170), 1.6, **DASH),
        _lines("proposed edge", after, [*bytes.fromhex(palette.SURFACE[dark].lstrip("#")), 150], 3),
        _lines("proposed", after, [*bytes.fromhex(palette.SERIES[dark].lstrip("#")), 200], 1.7),
        *_changes(changes, dark),
    ]
    ground.show(
        ground.deck(drawn, camera.view_state(key, focus, lambda: (ends, camera.CLOSEST)), dark),
        key,
        height,
        alt,
        "ignore",
    )


def _lines(name: str, routes: pd.DataFrame, colour: list[int], width: float, **more: object) -> pdk.Layer:
    return pdk.Layer(
        "GeoJsonLayer",
        id=name,
        data=[_line(row, name) for row in routes.itertuples()],
        stroked=True,
        filled=False,
        pickable=not name.endswith("edge"),
        get_line_color=colour,
        get_line_width=width,
        line_width_units='"pixels"',
        line_joint_rounded=True,
        line_cap_rounded=True,
        **more,
    )


def _line(row: tuple, name: str) -> dict:
    told = {"id": row.route_id, "label": row.label, "status": name, "detail": row.detail}
    return {
        "type": "Feature",
        "properties": told,
        "geometry": {"type": "LineString", "coordinates": [list(at) for at in row.path]},
    }


def _changes(changes: pd.DataFrame | None, dark: bool) -> list[pdk.Layer]:
    if changes is None or changes.empty:
        return []
    rows = [
        {
            "id": row.delivery_id,
            "label": row.label,
            "status": "" if row.served else "not served",
            "detail": row.detail,
            "at": [round(row.lon, 5), round(row.lat, 5)],
            "icon": "open on time" if row.served and row.kept else "open late",
        }
        for row in changes.itertuples()
    ]
    atlas = f'"/symbols/{"dark" if dark else "light"}.svg"'
    return [
        pdk.Layer(
            "IconLayer",
            id="changes",
            data=rows,
            get_position="at",
            get_icon="icon",
            get_size=15,
            pickable=True,
            icon_atlas=atlas,
            icon_mapping='"/symbols/places.json"',
        )
    ]
