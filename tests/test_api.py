"""The HTTP routes on a bare Starlette: what they answer, what they refuse, and what may be kept."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from lastmile import api, basemap, layers
from lastmile.basemap.curves import inside
from lastmile.ui import palette, symbols


@pytest.fixture
def client() -> TestClient:
    return TestClient(Starlette(routes=api.routes()))


@pytest.fixture
def stops():
    asked = []

    def provider(parameters):
        asked.append(dict(parameters))
        return {"type": "FeatureCollection", "features": []}

    layers.provide("stops of a test", provider)
    return asked


def test_a_signed_link_is_answered_and_its_parameters_reach_the_provider(client, stops):
    answer = client.get(layers.link("stops of a test", depot="Mitte & Nord", version=7, as_of=None))

    assert answer.status_code == 200
    assert answer.json() == {"type": "FeatureCollection", "features": []}
    assert stops == [{"depot": "Mitte & Nord", "version": "7"}]


@pytest.mark.parametrize("change", [("version=7", "version=8"), ("sig=", "sig=x"), ("stops of a test", "routes")])
def test_a_link_that_was_changed_is_refused_and_nothing_is_asked(client, stops, change):
    answer = client.get(layers.link("stops of a test", version=7).replace(*change))

    assert answer.status_code == 403
    assert "not signed" in answer.json()["error"]
    assert stops == []


def test_a_link_without_signature_is_refused(client, stops):
    assert client.get("/layers/stops of a test.geojson?version=7").status_code == 403


def test_a_layer_nobody_provides_is_not_found(client):
    assert client.get(layers.link("dragons")).status_code == 404


def test_layers_are_kept_by_one_person_only_and_the_base_map_by_all(client, stops):
    assert client.get(layers.link("stops of a test")).headers["cache-control"] == "private, max-age=60"
    assert client.get("/basemap/light.json").headers["cache-control"] == "public, max-age=86400"


def test_large_answers_are_packed_for_those_who_can_read_it(client):
    packed = client.get("/basemap/berlin.geojson", headers={"accept-encoding": "gzip"})
    plain = client.get("/basemap/berlin.geojson", headers={"accept-encoding": "identity"})

    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.json() == plain.json()
    assert len(gzip.compress(plain.content)) < 160_000


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_style_asks_for_nothing_from_elsewhere(client, theme):
    style = client.get(f"/basemap/{theme}.json").json()

    assert style["version"] == 8
    assert not {"glyphs", "sprite"} & set(style)
    assert "http" not in json.dumps(style)


def test_an_unknown_theme_is_not_found(client):
    assert client.get("/basemap/sepia.json").status_code == 404
    assert client.get("/symbols/sepia.svg").status_code == 404


def test_every_line_of_a_style_has_data_to_draw():
    drawn = {feature["properties"]["kind"] for feature in basemap.berlin()["features"]}
    wanted = {layer["filter"][2] for layer in basemap.style("light")["layers"] if "filter" in layer}

    assert wanted <= drawn


def test_the_base_map_is_the_same_each_time_and_lies_around_berlin():
    points = [at for feature in basemap.berlin()["features"] for at in _points(feature["geometry"]["coordinates"])]

    assert all(12.8 < lon < 13.9 and 52.2 < lat < 52.8 for lon, lat in points)
    basemap.berlin.cache_clear()
    assert [
        at for feature in basemap.berlin()["features"] for at in _points(feature["geometry"]["coordinates"])
    ] == points


def test_no_street_runs_through_a_lake():
    features = basemap.berlin()["features"]
    lakes = [np.array(f["geometry"]["coordinates"][0]) for f in features if f["properties"]["kind"] == "lake"]
    streets = np.array(
        [at for f in features if f["properties"]["kind"] == "street" for at in _points(f["geometry"]["coordinates"])]
    )

    assert len(streets) > 5_000
    assert sum(inside(streets, lake).sum() for lake in lakes) <= 3  # coordinates are rounded to about a metre


def test_each_status_has_a_symbol_of_its_own_on_the_sheet(client):
    places = client.get("/symbols/places.json").json()
    names = [symbols.vehicle(status) for status in palette.STATUS] + [
        symbols.stop(word, False) for word in palette.OUTCOME
    ]

    assert set(names) <= set(places)
    assert len({(place["x"], place["y"]) for place in places.values()}) == len(places)
    assert client.get("/symbols/dark.svg").headers["content-type"].startswith("image/svg+xml")


def _points(coordinates):
    if isinstance(coordinates[0], float):
        yield coordinates
        return
    for inner in coordinates:
        yield from _points(inner)
