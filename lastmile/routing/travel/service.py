"""Travel times and distances from a road network: OSRM, Valhalla or openrouteservice, by address."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from lastmile.routing.travel.great_circle import PLAIN, GreatCircleTravel, refuse_too_many
from lastmile.routing.travel.matrix import NO_WAY_SECONDS, TravelMatrix

TIMEOUT_SECONDS = 3.0
PATIENCE_SECONDS = 30.0
"""All tables of one matrix together may take no longer."""

WORKING_HOURS = range(7, 19)
"""A network knows no hour: its time counts as that of the mean pace of these."""


@dataclass(frozen=True)
class Kind:
    """What differs between the services: name for people, profile, rows or columns a table may have, and its client in routingpy.

    The limits are the servers' defaults: OSRM max-table-size 100, Valhalla max_matrix_location_pairs 2,500,
    openrouteservice ors.endpoints.matrix.maximum_routes 2,500.
    """

    name: str
    profile: str
    table: int
    client: str
    asks: dict[str, Any]


KINDS = {
    "osrm": Kind("OSRM", "driving", 100, "OSRM", {}),
    "valhalla": Kind("Valhalla", "auto", 50, "Valhalla", {}),
    "openrouteservice": Kind("openrouteservice", "driving-car", 50, "ORS", {"metrics": ["duration", "distance"]}),
}


class NoTable(Exception):
    """The service gave no usable table; its text says why, for people."""


@dataclass(frozen=True)
class Answer:
    """What a service said of so many places (degrees → number), n × n, or why it said nothing."""

    of_place: dict[tuple[float, float], int]
    seconds: np.ndarray | None = None
    km: np.ndarray | None = None
    failed: str | None = None


@dataclass(frozen=True)
class ServiceTravel:
    """Travel by a network's times, scaled by the hours of `otherwise`, which is used whole where the service fails.

    Setting off and parking are added as without a network. `table` is how many places wide a request may be (None: the
    server's default). Both are told in the matrix's `source`: what was used, and why.
    """

    kind: str
    address: str
    otherwise: GreatCircleTravel = PLAIN
    key: str | None = None
    table: int | None = None
    timeout_seconds: float = TIMEOUT_SECONDS
    patience_seconds: float = PATIENCE_SECONDS

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"{self.kind!r} is no travel service; known are {', '.join(KINDS)}")
        if urlsplit(self.address).scheme not in ("http", "https") or not urlsplit(self.address).hostname:
            raise ValueError(f"the address of a travel service starts with http:// or https://, not {self.address!r}")
        if self.table is not None and self.table < 2:
            raise ValueError("a table of a travel service has at least 2 places")

    @property
    def service(self) -> Kind:
        return KINDS[self.kind]

    @property
    def name(self) -> str:
        """The service and its host, without what a log must not hold."""
        where = urlsplit(self.address)
        return f"{self.service.name} at {where.hostname}{f':{where.port}' if where.port else ''}"

    def matrix(self, lon: np.ndarray, lat: np.ndarray, start: float, end: float, zone: str) -> TravelMatrix:
        """The network's seconds and kilometres by period; a pair without a way has NO_WAY_SECONDS, never 0.

        Where the service is late, refuses or answers with nonsense, the matrix of `otherwise`, its `source` with the reason.
        Raises ValueError for more places than one matrix may have.
        """
        refuse_too_many(len(lon))
        try:
            seconds, km = self._pairs(lon, lat)
        except NoTable as why:
            plain = self.otherwise.matrix(lon, lat, start, end, zone)
            return replace(plain, source=f"{self.name} {why}; {self.otherwise.source}")
        return self._by_period(seconds, km, start, end, zone)

    def _pairs(self, lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Seconds (NaN: no way) and kilometres of all pairs; raises NoTable.

        What was answered, or why nothing was, is kept: all that is made of one problem, in other processes too, reckons
        with one set of times, and the server is asked once.
        """
        places = [tuple(place) for place in np.round(np.nan_to_num(np.column_stack([lon, lat])), 6).tolist()]
        answer = self.__dict__.get("_answer")
        if answer is None or (answer.failed is None and not answer.of_place.keys() >= set(places)):
            answer = self.__dict__["_answer"] = self._asked(sorted(set(places)))
        if answer.failed is not None:
            raise NoTable(answer.failed)
        numbers = [answer.of_place[place] for place in places]
        pairs = np.ix_(numbers, numbers)
        return answer.seconds[pairs], answer.km[pairs]

    def _asked(self, places: list[tuple[float, float]]) -> Answer:
        # Here, since who only takes what was answered, such as the engine's process, need not wait for the library to load.
        from lastmile.routing.travel.tables import Tables

        try:
            seconds, km = Tables(self, *np.array(places, dtype=float).reshape(-1, 2).T).all_pairs()
        except NoTable as why:
            return Answer({}, failed=str(why))
        return Answer({place: number for number, place in enumerate(places)}, seconds, km)

    def _by_period(self, seconds: np.ndarray, km: np.ndarray, start: float, end: float, zone: str) -> TravelMatrix:
        periods = self.otherwise.periods(start, end, zone, len(km))
        mean = np.mean([3600 / self.otherwise.speed_kmh_by_hour[hour] for hour in WORKING_HOURS])
        no_way, same = np.isnan(seconds), seconds == 0
        scaled = np.empty((len(periods), *km.shape), dtype=np.int32)
        for number, period in enumerate(periods):
            spent = seconds * np.float32(period.pace / mean) + np.float32(self.otherwise.setting_off_seconds)
            spent[same], spent[no_way] = 0, NO_WAY_SECONDS
            scaled[number] = np.ceil(spent, out=spent)
        hours = (
            ""
            if len(set(self.otherwise.speed_kmh_by_hour)) == 1
            else f", hours of the day as of {self.otherwise.source}"
        )
        return TravelMatrix(
            scaled, km, tuple(p.begins for p in periods[1:]), tuple(p.seconds for p in periods), f"{self.name}{hours}"
        )
