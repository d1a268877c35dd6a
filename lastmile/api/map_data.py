"""What maps draw: layers by signed links, the base map and its symbols."""

from __future__ import annotations

import gzip
import json
from functools import cache
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lastmile import basemap, layers
from lastmile.ui import symbols

A_DAY = "public, max-age=86400"
A_MINUTE_AND_PRIVATE = "private, max-age=60"


def layer(request: Request) -> Response:
    """One map layer as GeoJSON; only for links that the tower itself has signed."""
    name = request.path_params["name"]
    try:
        found = layers.answer(name, request.query_params)
    except PermissionError:
        return JSONResponse({"error": "This link is not signed by this tower. Open the page again."}, status_code=403)
    except KeyError:
        return JSONResponse({"error": f"There is no layer {name!r}."}, status_code=404)
    return _json(request, _packed_json(found), "application/geo+json", A_MINUTE_AND_PRIVATE)


def basemap_data(request: Request) -> Response:
    """The vector data of the own base map."""
    return _json(request, _basemap_data(), "application/geo+json", A_DAY)


def district_names(_: Request) -> Response:
    """The districts' names with where they stand."""
    return JSONResponse(basemap.district_names(), headers={"cache-control": A_DAY})


def basemap_style(request: Request) -> Response:
    """The MapLibre style of one theme, "light" or "dark"."""
    theme = request.path_params["theme"]
    if theme not in basemap.THEMES:
        return JSONResponse({"error": f"There is no theme {theme!r}; use light or dark."}, status_code=404)
    return _json(request, _basemap_style(theme), "application/json", A_DAY)


def symbol_places(_: Request) -> Response:
    """Where each map symbol stands on its sheet."""
    return JSONResponse(symbols.places(), headers={"cache-control": A_DAY})


def symbol_sheet(request: Request) -> Response:
    """The map symbols of one theme, drawn on one sheet."""
    theme = request.path_params["theme"]
    if theme not in basemap.THEMES:
        return JSONResponse({"error": f"There is no theme {theme!r}; use light or dark."}, status_code=404)
    return Response(symbols.sheet(theme == "dark"), media_type="image/svg+xml", headers={"cache-control": A_DAY})


def draw_basemap() -> None:
    """Draw the base map now (about a second), so that no first page waits for it."""
    _basemap_data()


@cache
def _basemap_data() -> bytes:
    return _packed_json(basemap.berlin())


@cache
def _basemap_style(theme: str) -> bytes:
    return _packed_json(basemap.style(theme))


def _packed_json(content: Any) -> bytes:
    return gzip.compress(
        json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode(), compresslevel=6, mtime=0
    )


def _json(request: Request, packed: bytes, media_type: str, kept: str) -> Response:
    headers = {"cache-control": kept, "vary": "accept-encoding"}
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(gzip.decompress(packed), media_type=media_type, headers=headers)
    return Response(packed, media_type=media_type, headers=headers | {"content-encoding": "gzip"})


ROUTES = [
    Route("/layers/{name}.geojson", layer),
    Route("/basemap/berlin.geojson", basemap_data),
    Route("/basemap/labels.json", district_names),
    Route("/basemap/{theme}.json", basemap_style),
    Route("/symbols/places.json", symbol_places),
    Route("/symbols/{theme}.svg", symbol_sheet),
]
