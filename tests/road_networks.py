"""A small server on this machine that answers as OSRM, Valhalla and openrouteservice document it, or fails as told."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np

from lastmile.routing.travel.great_circle import great_circle_km

METRES_A_SECOND = 10.0
DETOUR = 1.5


@dataclass
class Roads:
    """What the server knows and how it fails: places without a road, pairs without a way, and an answer to spoil.

    Its roads are 1.5 times the great circle, driven at 36 km/h. `spoil` gets the answer (None for the fault alone) and
    gives (status, body) in its place. `tables` keeps (rows, columns) of what was asked, `keys` the keys that came along.
    """

    roadless: set[tuple[float, float]] = field(default_factory=set)
    islands: set[tuple[float, float]] = field(default_factory=set)
    most_pairs: int = 10_000
    delay_seconds: float = 0
    spoil: Callable[[Any], tuple[int, Any]] | None = None
    tables: list[tuple[int, int]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    address: str = ""

    def metres(self, sources: list[list[float]], targets: list[list[float]]) -> list[list[float | None]]:
        self.tables.append((len(sources), len(targets)))
        places = np.array([*sources, *targets])
        km = great_circle_km(places[:, 0], places[:, 1])[: len(sources), len(sources) :]
        return [
            [self._metres(a, b, km[row, column]) for column, b in enumerate(targets)] for row, a in enumerate(sources)
        ]

    def _metres(self, a: list[float], b: list[float], km: float) -> float | None:
        apart = (tuple(a) in self.islands) != (tuple(b) in self.islands)
        return None if apart else round(km * 1000 * DETOUR, 1)


@contextmanager
def road_network(**known: Any) -> Iterator[Roads]:
    """A server on loopback for as long as the context lasts."""
    roads = Roads(**known)
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"roads": roads}))
    server.daemon_threads = True
    roads.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield roads
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """One who waits no longer has hung up; nothing for the terminal of the tests."""


class _Handler(BaseHTTPRequestHandler):
    roads: Roads
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """OSRM: GET /table/v1/{profile}/{lon},{lat};…?sources=0;1&destinations=2;3&annotations=duration,distance"""
        where = urlsplit(self.path)
        assert where.path.startswith("/table/v1/driving/")
        places = [[float(one) for one in pair.split(",")] for pair in where.path.rpartition("/")[2].split(";")]
        query = parse_qs(where.query)
        sources, targets = (
            [places[int(one)] for one in query[name][0].split(";")] for name in ("sources", "destinations")
        )
        for number, place in enumerate(places):
            if tuple(place) in self.roads.roadless:
                told = f"Could not find a matching segment for coordinate {number}"
                return self._answer(400, {"code": "NoSegment", "message": told})
        if len(sources) * len(targets) > self.roads.most_pairs:
            return self._answer(400, {"code": "TooBig", "message": "Too many table coordinates"})
        metres = self.roads.metres(sources, targets)
        body = {"code": "Ok", "durations": _seconds(metres)}
        return self._answer(200, body | ({"distances": metres} if "distance" in query["annotations"][0] else {}))

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.roads.keys.append(self.headers.get("Authorization"))
        answer = self._valhalla if self.path == "/sources_to_targets" else self._openrouteservice
        self._answer(*answer(asked))

    def _valhalla(self, asked: Any) -> tuple[int, Any]:
        """POST /sources_to_targets {"sources": [{"lat":…,"lon":…}], "targets": […], "costing": "auto"}; kilometres"""
        assert asked["costing"] == "auto"
        sources, targets = ([[one["lon"], one["lat"]] for one in asked[name]] for name in ("sources", "targets"))
        if len(sources) * len(targets) > self.roads.most_pairs:
            return 400, {
                "error_code": 150,
                "error": "Exceeded max locations",
                "status_code": 400,
                "status": "Bad Request",
            }
        metres = self.roads.metres(sources, targets)
        seconds = _seconds(metres)
        rows = [
            [
                {
                    "distance": None if metres[i][j] is None else metres[i][j] / 1000,
                    "time": None if seconds[i][j] is None else round(seconds[i][j]),
                    "from_index": i,
                    "to_index": j,
                }
                for j in range(len(targets))
            ]
            for i in range(len(sources))
        ]
        return 200, {"sources_to_targets": rows, "units": "kilometers"}

    def _openrouteservice(self, asked: Any) -> tuple[int, Any]:
        """POST /v2/matrix/driving-car/json {"locations": […], "sources": [0], "destinations": [1], "metrics": […]}"""
        assert self.path == "/v2/matrix/driving-car/json"
        places = asked["locations"]
        sources, targets = ([places[int(one)] for one in asked[name]] for name in ("sources", "destinations"))
        for number, place in enumerate(places):
            if tuple(place) in self.roads.roadless:
                told = (
                    f"Could not find routable point within a radius of 350.0 meters of specified coordinate {number}."
                )
                return 404, {"error": {"code": 6010, "message": told}}
        if len(sources) * len(targets) > self.roads.most_pairs:
            told = "Search exceeds the limit of 2500 routes."
            return 400, {"error": {"code": 6004, "message": told}}
        metres = self.roads.metres(sources, targets)
        return 200, {"durations": _seconds(metres), "distances": metres}

    def _answer(self, status: int, body: Any) -> None:
        time.sleep(self.roads.delay_seconds)
        if self.roads.spoil is not None:
            status, body = self.roads.spoil(body)
        text = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal of the tests."""


def _seconds(metres: list[list[float | None]]) -> list[list[float | None]]:
    return [[None if one is None else round(one / METRES_A_SECOND, 1) for one in row] for row in metres]
