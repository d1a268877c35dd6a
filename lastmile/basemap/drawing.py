"""From written-down control points to GeoJSON: smooth lines, closed shores and a street grid that respects both."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from lastmile.basemap.curves import closed_curve, curve, inside
from lastmile.basemap.streets import Quarter, streets

PLACES = Path(__file__).with_name("berlin.toml")
DECIMALS = 5  # about a metre
ZOOM_WHERE_WIDTHS_HOLD = 14
METRES_PER_PIXEL_AT_THAT_ZOOM = 78271.5 * np.cos(np.radians(52.52)) / 2**ZOOM_WHERE_WIDTHS_HOLD  # 512 px tiles


@cache
def district_names() -> list[dict[str, Any]]:
    """One row per district: name, lon, lat and rank (1 is read from far away)."""
    return [
        {"name": place["name"], "lon": place["at"][0], "lat": place["at"][1], "rank": place["rank"]}
        for place in _places()["district"]
    ]


@cache
def _places() -> dict[str, Any]:
    return tomllib.loads(PLACES.read_text(encoding="utf-8"))


@cache
def berlin() -> dict[str, Any]:
    """One GeoJSON feature per river, lake, green, road, motorway, railway and quarter's streets; `kind` tells which."""
    places = _places()
    boundary = closed_curve(places["boundary"])
    shores = {kind: [closed_curve(place["shore"]) for place in places[kind]] for kind in ("lake", "green")}
    features = [_feature("city", _polygon(boundary)), *_closed(places, shores), *_open(places)]
    features += _street_grid(places, boundary, [*shores["lake"], *shores["green"]])
    return {"type": "FeatureCollection", "features": features}


def _closed(places: dict, shores: dict) -> list[dict]:
    return [
        _feature(place.get("kind", kind), _polygon(shore), name=place["name"])
        for kind, drawn in shores.items()
        for place, shore in zip(places[kind], drawn, strict=True)
    ]


def _open(places: dict) -> list[dict]:
    return [
        _feature(kind, _line(curve(place["line"])), name=place["name"], **_width(place))
        for kind in ("river", "road", "motorway", "railway")
        for place in places[kind]
    ]


def _width(place: dict) -> dict[str, float]:
    metres = place.get("width_m")
    return {"width": round(metres / METRES_PER_PIXEL_AT_THAT_ZOOM, 2)} if metres else {}


def _street_grid(places: dict, boundary: np.ndarray, kept_free: list[np.ndarray]) -> list[dict]:
    quarters = [Quarter(tuple(place["at"]), place["turn"], place["spacing_m"]) for place in places["district"]]

    def may_have_streets(points: np.ndarray) -> np.ndarray:
        free = inside(points, boundary)
        for shore in kept_free:
            free[free] = ~inside(points[free], shore)
        return free

    lines = streets(quarters, may_have_streets)
    return [
        _feature(kind, {"type": "MultiLineString", "coordinates": [_rounded(line) for line in lines[kind]]})
        for kind in lines
    ]


def _feature(kind: str, geometry: dict, **properties: Any) -> dict:
    return {"type": "Feature", "properties": {"kind": kind, **properties}, "geometry": geometry}


def _polygon(ring: np.ndarray) -> dict:
    return {"type": "Polygon", "coordinates": [_rounded(ring)]}


def _line(points: np.ndarray) -> dict:
    return {"type": "LineString", "coordinates": _rounded(points)}


def _rounded(points: np.ndarray) -> list[list[float]]:
    return np.round(points, DECIMALS).tolist()
