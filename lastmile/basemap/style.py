"""The two MapLibre styles of the own base map. They need no glyphs, sprites or tiles: the map draws the labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

CREDIT = "Schematic base map, own drawing"
DATA_PATH = "/basemap/berlin.geojson"


@dataclass(frozen=True)
class Inks:
    """The colours of one theme; muted, since only status may be vivid."""

    outside: str
    city: str
    forest: str
    park: str
    field: str
    water: str
    street: str
    avenue: str
    road: str
    road_edge: str
    motorway: str
    motorway_edge: str
    railway: str
    edge: str


THEMES = {
    "light": Inks(
        outside="#e6e9ec", city="#f4f5f6", forest="#d6e4d2", park="#dae8d5", field="#e6ecdc", water="#bcd3e4",
        street="#e3e6ea", avenue="#d9dee3", road="#ffffff", road_edge="#bfc7d0", motorway="#fbf6e6",
        motorway_edge="#aab3ab", railway="#bcc3cc", edge="#a7b0bb",
    ),
    "dark": Inks(
        outside="#0c1116", city="#141a22", forest="#15261e", park="#182a21", field="#19251f", water="#14304a",
        street="#1e2731", avenue="#26313c", road="#394654", road_edge="#0f151b", motorway="#56616c",
        motorway_edge="#0f151b", railway="#2e3a48", edge="#46535f",
    ),
}  # fmt: skip


def style(theme: str, data: Any = DATA_PATH) -> dict[str, Any]:
    """A MapLibre style document (version 8) for "light" or "dark" over the GeoJSON at `data`."""
    inks = THEMES[theme]
    return {
        "version": 8,
        "name": f"Lastmile {theme}",
        "sources": {"berlin": {"type": "geojson", "data": data, "maxzoom": 14, "tolerance": 0.6}},
        "layers": [_background(inks), *_areas(inks), *_small_streets(inks), *_waterways(inks), *_lines(inks)],
    }


def _background(inks: Inks) -> dict:
    return {"id": "outside", "type": "background", "paint": {"background-color": inks.outside}}


def _areas(inks: Inks) -> list[dict]:
    fills = {"city": inks.city, "field": inks.field, "forest": inks.forest, "park": inks.park}
    return [_fill(kind, colour) for kind, colour in fills.items()]


def _small_streets(inks: Inks) -> list[dict]:
    return [
        _line("street", inks.street, _widths((9.5, 0), (10.5, 0.5), (12, 1.1), (14, 3), (16, 9)), from_zoom=9.5),
        _line("avenue", inks.avenue, _widths((9, 0.3), (10.5, 0.9), (12, 1.7), (14, 4.4), (16, 12))),
    ]


def _waterways(inks: Inks) -> list[dict]:
    at_scale = ["interpolate", ["exponential", 2], ["zoom"]]
    for zoom in (8, 10, 12, 14, 17):
        at_scale += [zoom, ["max", 0.8, ["*", ["get", "width"], 2.0 ** (zoom - 14)]]]
    return [_fill("lake", inks.water), _line("river", inks.water, at_scale)]


def _lines(inks: Inks) -> list[dict]:
    edge = _line("city", inks.edge, _widths((8, 0.6), (12, 1.4)), name="edge")
    edge["paint"]["line-dasharray"] = [4, 3]
    rail = _line("railway", inks.railway, _widths((9, 0.6), (12, 1.4), (15, 3)))
    rail["paint"]["line-dasharray"] = [6, 2]
    return [
        edge,
        rail,
        _line("road", inks.road_edge, _widths((8, 1), (10, 2), (11, 3), (13, 5.6), (16, 17)), name="road edge"),
        _line("road", inks.road, _widths((8, 0.4), (10, 1), (11, 1.8), (13, 4), (16, 14))),
        _line(
            "motorway",
            inks.motorway_edge,
            _widths((8, 1.8), (10, 3.2), (11, 4.6), (13, 8), (16, 24)),
            name="motorway edge",
        ),
        _line("motorway", inks.motorway, _widths((8, 0.8), (10, 1.6), (11, 2.8), (13, 5.8), (16, 20))),
    ]


def _fill(kind: str, colour: str) -> dict:
    return {
        "id": kind, "type": "fill", "source": "berlin", "filter": ["==", ["get", "kind"], kind],
        "paint": {"fill-color": colour, "fill-antialias": True},
    }  # fmt: skip


def _line(kind: str, colour: str, width: Any, name: str | None = None, from_zoom: float = 0) -> dict:
    return {
        "id": name or kind, "type": "line", "source": "berlin", "minzoom": from_zoom,
        "filter": ["==", ["get", "kind"], kind], "layout": {"line-cap": "round", "line-join": "round"},
        "paint": {"line-color": colour, "line-width": width},
    }  # fmt: skip


def _widths(*stops: tuple[float, float]) -> list:
    return ["interpolate", ["exponential", 1.5], ["zoom"], *(number for stop in stops for number in stop)]
