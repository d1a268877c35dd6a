"""The live map: vehicles by status over routes and stops, which the browser fetches by link."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import pandas as pd
import pydeck as pdk

from lastmile.model import Status
from lastmile.ui import palette, symbols
from lastmile.ui.format import count, number
from lastmile.ui.maps import camera, ground
from lastmile.ui.maps.selection import Chosen, forget_stale, layer_id, on_pick, turns

FADED = 0.28
LABELLED = (Status.LATE, Status.AT_RISK)
MOST_INLINE = 2_000
AROUND = 12.8
"""How close the map goes to what is chosen: its surroundings stay in sight."""


def operation_map(
    vehicles: pd.DataFrame,
    *,
    key: str,
    dark: bool,
    choose: Callable[[Chosen | None], None],
    chosen: Chosen | None = None,
    chosen_path: Sequence[Sequence[float]] | None = None,
    covered: pd.DataFrame | None = None,
    chosen_vehicle: str | None = None,
    depots: pd.DataFrame | None = None,
    reach: pd.DataFrame | None = None,
    routes_link: str | None = None,
    stops_link: str | None = None,
    focus: object = None,
    height: int = 560,
    alt: str = "Map of the operation",
    keep: Callable[[Hashable, Callable[[], ground.Drawing]], ground.Drawing] = lambda _, draw: draw(),
) -> None:
    """Draw the operation; `choose` is told the id of what is clicked, or None when nothing is any more.

    vehicles: one row per vehicle: vehicle_id, label, status, detail, lon, lat (rows without a position are left out).
    depots: one row per depot: depot_id, label, lon, lat. reach: places (lon, lat) to show where there is neither. routes_link, stops_link: from `layers.link`; routes are lines,
    stops are points with properties id, label, status, detail, symbol (`symbols.stop`).
    chosen_path: the route of what is chosen, as [lon, lat] pairs. focus: the map moves only when this changes.
    covered: the stops that what is chosen is about, ringed, one row per stop: delivery_id, label, status, done, detail, lon, lat;
    chosen_vehicle: the van that it is about. Where either is given, the map looks at them when it moves.
    keep: is told what the drawing depends on besides the frames, and how to draw it; it may hand out one drawn before.
    """
    forget_stale(key, chosen)
    mine = chosen.id if chosen and chosen.kind == "vehicle" else chosen_vehicle

    def placed() -> pd.DataFrame:
        known = vehicles.dropna(subset=["lon", "lat"])
        return known.sort_values("vehicle_id", ignore_index=True).head(MOST_INLINE)

    def in_sight() -> camera.InSight:
        found = placed()
        looked_at = _positions(covered, found[found.vehicle_id == chosen_vehicle])
        return (looked_at, AROUND) if looked_at else (_positions(found, depots) or _positions(reach), camera.CLOSEST)

    view = camera.view_state(key, focus, in_sight)

    def draw() -> ground.Drawing:
        layers = [
            *_routes(routes_link, chosen, dark),
            *ground.district_names(dark),
            *_path(chosen_path, dark),
            *_stops(key, stops_link, chosen, dark),
            *_depots(key, depots, dark),
            *_vehicles(key, placed(), mine, dark),
            *_covered(key, covered, dark),
        ]
        return ground.deck(layers, view, dark)

    looks = (key, chosen, mine, camera.place(view), turns(key), routes_link, stops_link)
    ground.show(keep(looks, draw), key, height, alt, on_pick(key, choose))


def legend(vehicles: pd.DataFrame, *, hint: str = "click a vehicle or stop for detail") -> str:
    """As Markdown: shapes, words and how many vehicles there are of each; those without a position are said, not hidden."""
    counts = vehicles["status"].value_counts()
    shown = [
        f":{look.theme_colour}[{look.glyph}] {look.word} **{number(counts[status])}**"
        for status, look in palette.STATUS.items()
        if counts.get(status, 0)
    ]
    missing = int(vehicles["lon"].isna().sum())
    silent = [f":gray[{count(missing, 'vehicle')} without a position]"] if missing else []
    return " \u2002 ".join([*shown, *silent, f":gray[{hint}]", *ground.credit()])


def _positions(*frames: pd.DataFrame | None) -> list[tuple[float, float]]:
    known = [frame[["lon", "lat"]].dropna() for frame in frames if frame is not None]
    return [position for places in known for position in places.itertuples(index=False, name=None)]


def _routes(link: str | None, chosen: Chosen | None, dark: bool) -> list[pdk.Layer]:
    if link is None:
        return []
    return [
        pdk.Layer(
            "GeoJsonLayer", id="routes", data=link, stroked=True, filled=False, opacity=FADED if chosen else 0.55,
            get_line_color=[*palette.look("idle").rgb(dark)[:3], 110], get_line_width=1.1, line_width_units='"pixels"',
            line_joint_rounded=True, line_cap_rounded=True,
        )
    ]  # fmt: skip


def _path(path: Sequence[Sequence[float]] | None, dark: bool) -> list[pdk.Layer]:
    """The chosen route, twice: a pale edge, and the line itself."""
    if not path:
        return []
    line = [
        {
            "type": "Feature",
            "properties": {},
            "geometry": {"type": "LineString", "coordinates": [list(at) for at in path]},
        }
    ]
    looks = {"chosen edge": (palette.SURFACE[dark], 7), "chosen route": (palette.INK[dark], 3)}
    return [
        pdk.Layer(
            "GeoJsonLayer", id=name, data=line, stroked=True, filled=False,
            get_line_color=[*bytes.fromhex(colour.lstrip("#")), 235], get_line_width=width,
            line_width_units='"pixels"', line_joint_rounded=True, line_cap_rounded=True,
        )
        for name, (colour, width) in looks.items()
    ]  # fmt: skip


def _stops(key: str, link: str | None, chosen: Chosen | None, dark: bool) -> list[pdk.Layer]:
    if link is None:
        return []
    return [
        pdk.Layer(
            "GeoJsonLayer", id=layer_id(key, "stops"), data=link, point_type='"icon"', pickable=True,
            opacity=FADED * 2 if chosen else 0.95, get_icon="properties.symbol", icon_atlas=_sheet(dark),
            icon_mapping='"/symbols/places.json"', get_icon_size=10, icon_size_units='"pixels"', icon_size_min_pixels=4,
        )
    ]  # fmt: skip


def _depots(key: str, depots: pd.DataFrame | None, dark: bool) -> list[pdk.Layer]:
    if depots is None or depots.empty:
        return []
    rows = [
        {"id": row.depot_id, "label": row.label, "status": "", "detail": "depot", "at": _at(row), "icon": symbols.DEPOT}
        for row in depots.itertuples()
    ]
    return [_symbols(layer_id(key, "depots"), rows, 30, dark, pickable=True)]


def _covered(key: str, covered: pd.DataFrame | None, dark: bool) -> list[pdk.Layer]:
    """The stops that what is chosen is about: each in its status, large and ringed, over all else."""
    if covered is None or covered.empty:
        return []
    placed = covered.dropna(subset=["lon", "lat"]).head(MOST_INLINE)
    rows = [
        {"id": row.delivery_id, "label": row.label, "status": str(row.status), "detail": row.detail, "at": _at(row),
         "icon": symbols.stop(row.status, bool(row.done))}
        for row in placed.itertuples()
    ]  # fmt: skip
    rings = [{**row, "icon": symbols.CHOSEN} for row in rows]
    return [
        _symbols("covered rings", rings, 25, dark),
        _symbols(layer_id(key, "covered"), rows, 17, dark, pickable=True),
    ]


def _vehicles(key: str, vehicles: pd.DataFrame, chosen_id: str | None, dark: bool) -> list[pdk.Layer]:
    rows = [_vehicle(row) for row in vehicles.itertuples()]
    mine = [row for row in rows if row["id"] == chosen_id]
    named = mine or [row for row in rows if row["status"] in LABELLED]
    ring = [{**row, "icon": symbols.CHOSEN} for row in mine]
    fade = FADED if mine else 1
    return [
        _symbols(
            layer_id(key, "vehicles"), rows, 34, dark, pickable=True, opacity=fade, transitions={"getPosition": 900}
        ),
        *([_symbols("chosen", mine, 42, dark), _symbols("chosen ring", ring, 50, dark)] if mine else []),
        _names(named, dark, above=34 if mine else 24),
    ]


def _vehicle(row: tuple) -> dict:
    return {
        "id": row.vehicle_id, "label": row.label, "status": str(row.status), "detail": row.detail,
        "at": _at(row), "icon": symbols.vehicle(row.status),
    }  # fmt: skip


def _at(row: tuple) -> list[float]:
    return [round(float(row.lon), 5), round(float(row.lat), 5)]


def _symbols(name: str, rows: list[dict], size: int, dark: bool, **more: object) -> pdk.Layer:
    return pdk.Layer(
        "IconLayer", id=name, data=rows, get_position="at", get_icon="icon", get_size=size,
        icon_atlas=_sheet(dark), icon_mapping='"/symbols/places.json"', **more,
    )  # fmt: skip


def _names(rows: list[dict], dark: bool, above: int) -> pdk.Layer:
    return pdk.Layer(
        "TextLayer", id="names", data=[{"at": row["at"], "label": row["label"]} for row in rows], get_position="at",
        get_text="label", get_size=12.5, get_pixel_offset=[0, -above], font_weight=700, character_set='"auto"',
        font_family='"Source Sans, sans-serif"', font_settings={"sdf": True, "fontSize": 48, "buffer": 6, "radius": 12},
        get_color=[*bytes.fromhex(palette.INK[dark].lstrip("#")), 255], outline_width=4,
        outline_color=[*bytes.fromhex(palette.SURFACE[dark].lstrip("#")), 240],
    )  # fmt: skip


def _sheet(dark: bool) -> str:
    return f'"/symbols/{"dark" if dark else "light"}.svg"'
