"""The requests by which a road network's matrix comes together: by tables of the size that the server allows."""

from __future__ import annotations

import re
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import routingpy
from routingpy.exceptions import OverQueryLimit, RouterApiError, RouterError, Timeout

from lastmile.routing.travel.great_circle import great_circle_km
from lastmile.routing.travel.service import NoTable, ServiceTravel

# An overloaded server is asked again a few times; that is not worth a warning on the tower's terminal.
warnings.filterwarnings("ignore", category=UserWarning, module="routingpy")

AT_ONCE = 4
MOST_PLACES_LEFT_OUT = 20
"""Places that the network can't find, each named by a refusal, before the server is given up."""


class Tables:
    """The requests for one matrix: by tables of the size that the server allows, a few at once, within the patience."""

    def __init__(self, travel: ServiceTravel, lon: np.ndarray, lat: np.ndarray) -> None:
        self.travel, self.kind = travel, travel.service
        self.lon, self.lat = lon, lat
        self.until = time.monotonic() + travel.patience_seconds
        self.seconds = np.full((len(lon), len(lon)), np.nan, dtype=np.float32)
        self.km = (great_circle_km(lon, lat) * travel.otherwise.circuity).astype(np.float32)
        self.lost: set[int] = set()

    def all_pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """Seconds (NaN: no way) and kilometres (without one: great circle × circuity), n × n; raises NoTable."""
        pool = ThreadPoolExecutor(AT_ONCE)
        try:
            blocks, longest = list(self._blocks()), self.travel.patience_seconds + self.travel.timeout_seconds
            for _ in pool.map(lambda block: self._fill(*block), blocks, timeout=longest):
                pass
        except TimeoutError:
            raise self._too_slow() from None
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        self.seconds[np.diag_indices_from(self.seconds)] = 0
        self.km[np.diag_indices_from(self.km)] = 0
        return self.seconds, self.km

    def _blocks(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Rows and columns of each request; a place without a position (0, 0 or none) is not asked for."""
        known = np.flatnonzero(np.isfinite(self.lon) & np.isfinite(self.lat) & ((self.lon != 0) | (self.lat != 0)))
        width = self.travel.table or self.kind.table
        parts = [known[first : first + width] for first in range(0, len(known), width)] or [known]
        return ((rows, columns) for rows in parts for columns in parts)

    def _fill(self, rows: np.ndarray, columns: np.ndarray) -> None:
        """Ask for one table and keep it; a place that the refusal names is left out, and the rest asked for again."""
        while len(self.lost) <= MOST_PLACES_LEFT_OUT:
            rows, columns = (np.array([p for p in part if p not in self.lost], dtype=int) for part in (rows, columns))
            if not len(rows) or not len(columns):
                return
            try:
                answer = self._asked(rows, columns)
            except RouterApiError as refusal:
                self.lost.add(self._named(refusal, rows, columns))
            else:
                self._keep(rows, columns, answer)
                return
        raise NoTable(f"finds no road near more than {MOST_PLACES_LEFT_OUT} places")

    def _asked(self, rows: np.ndarray, columns: np.ndarray) -> Any:
        """The table from the server, RouterApiError where it refuses; anything else that goes wrong is a NoTable."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise self._too_slow()
        places = self._asked_places(rows, columns)
        wait = min(self.travel.timeout_seconds, left)
        try:
            return self._client(wait).matrix(
                locations=[[float(self.lon[place]), float(self.lat[place])] for place in places],
                profile=self.kind.profile,
                sources=list(range(len(rows))),
                destinations=list(range(len(places) - len(columns), len(places))),
                **self.kind.asks,
            )
        except Timeout:
            if wait == left:
                raise self._too_slow() from None
            raise NoTable(f"did not answer within {self.travel.timeout_seconds:g} s") from None
        except OverQueryLimit:
            raise NoTable("allows no more requests now") from None
        except RouterApiError:
            raise
        except RouterError as error:
            raise NoTable(f"answered with an error ({error.status})") from None
        except OSError as error:
            raise NoTable("can't be reached") from error
        except Exception as error:  # what the library makes of an answer that it can't read has no class of its own
            raise NoTable("gave an answer that can't be read") from error

    def _too_slow(self) -> NoTable:
        return NoTable(f"was not done within {self.travel.patience_seconds:g} s")

    def _asked_places(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        return rows if np.array_equal(rows, columns) else np.concatenate([rows, columns])

    def _client(self, wait: float) -> Any:
        named = {"api_key": self.travel.key} if self.travel.kind == "openrouteservice" else {}
        address = self.travel.address.rstrip("/")
        return getattr(routingpy, self.kind.client)(base_url=address, timeout=wait, retry_timeout=wait, **named)

    def _named(self, refusal: RouterApiError, rows: np.ndarray, columns: np.ndarray) -> int:
        """The place that a refusal says is near no road; NoTable where it is about something else."""
        told = str(refusal.message)
        named = re.search(r"coordinate (\d+)", told)
        places = self._asked_places(rows, columns)
        if named is None or int(named[1]) >= len(places):
            raise NoTable(f"refused ({refusal.status}: {' '.join(told.split())[:120]})") from refusal
        return int(places[int(named[1])])

    def _keep(self, rows: np.ndarray, columns: np.ndarray, answer: Any) -> None:
        seconds = _numbers(answer.durations, len(rows), len(columns))
        self.seconds[np.ix_(rows, columns)] = seconds
        if answer.distances is not None:
            km = _numbers(answer.distances, len(rows), len(columns)) / 1000
            straight = self.km[np.ix_(rows, columns)]
            self.km[np.ix_(rows, columns)] = np.where(np.isnan(km) | np.isnan(seconds), straight, km)


def _numbers(table: Any, rows: int, columns: int) -> np.ndarray:
    """A table as numbers, null as NaN; NoTable where it has another size, or a value that no way can have."""
    if table is None:
        raise NoTable("gave no table")
    try:
        found = np.array(table, dtype=np.float32)
    except (TypeError, ValueError):
        raise NoTable("gave an answer that can't be read") from None
    if found.shape != (rows, columns):
        size = " × ".join(str(length) for length in found.shape)
        raise NoTable(f"answered with a table of {size}, not of {rows} × {columns}")
    if np.any(found < 0) or np.any(np.isinf(found)):
        raise NoTable("gave a time or distance that no way can have")
    return found
