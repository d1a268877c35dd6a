"""Travel between places as a value: seconds by period of the day, kilometres, and when one arrives."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np

NO_WAY_SECONDS = 10 * 86_400
"""Stands in a matrix for a pair without a way: longer than any shift, so that no plan uses it, and never taken as 0."""


@dataclass(frozen=True)
class TravelMatrix:
    """Seconds and kilometres from each place (row) to each place (column), at the pace of each period.

    `seconds` is n × n for one period and p × n × n for p; `boundaries` are the p - 1 epoch seconds, ascending, at which
    one period ends and the next begins. `shares` is each period's share of the span that was asked for (equal where not
    given), `source` a phrase for people that says where the times come from. A pair without a way has NO_WAY_SECONDS or
    more. Raises ValueError where the shapes do not fit each other.
    """

    seconds: np.ndarray
    km: np.ndarray
    boundaries: tuple[float, ...] = ()
    shares: tuple[float, ...] = ()
    source: str = ""

    def __post_init__(self) -> None:
        if self.seconds.ndim == 3 and len(self.seconds) == 1:
            object.__setattr__(self, "seconds", self.seconds[0])
        square = self.km.ndim == 2 and len(set(self.km.shape)) == 1
        if not square or self.seconds.shape[-2:] != self.km.shape or self.seconds.ndim not in (2, 3):
            raise ValueError(f"a travel matrix is square, in both units: {self.seconds.shape}, {self.km.shape}")
        if len(self.boundaries) != self.periods - 1 or list(self.boundaries) != sorted(set(self.boundaries)):
            raise ValueError(f"{self.periods} periods have one boundary less, in order: {self.boundaries}")
        if self.shares and len(self.shares) != self.periods:
            raise ValueError(f"{self.periods} periods have as many shares: {self.shares}")

    @property
    def periods(self) -> int:
        return len(self.seconds) if self.seconds.ndim == 3 else 1

    def at(self, period: int) -> np.ndarray:
        """Seconds at the pace of one period, n × n."""
        if not 0 <= period < self.periods:
            raise IndexError(f"there is no period {period} of {self.periods}")
        return self.seconds if self.seconds.ndim == 2 else self.seconds[period]

    def period_at(self, instant: float) -> int:
        """The period that an instant (epoch seconds) falls in; the first and the last reach beyond the span."""
        return bisect_right(self.boundaries, instant)

    @cached_property
    def mean(self) -> np.ndarray:
        """Whole seconds over the span, n × n int32: what an engine without a time of day uses."""
        if self.seconds.ndim == 2:
            return self.seconds
        shares = np.array(self.shares or [1] * self.periods, dtype=np.float32)
        total = np.zeros(self.km.shape, dtype=np.float32)
        for share, seconds in zip(shares / shares.sum(), self.seconds, strict=True):
            total += share * seconds
        return np.rint(total, out=total).astype(np.int32)

    @cached_property
    def fastest(self) -> np.ndarray:
        """Whole seconds at the best pace of the span, n × n: no leg takes less."""
        return self.seconds if self.seconds.ndim == 2 else self.seconds.min(axis=0)

    @cached_property
    def slowest(self) -> np.ndarray:
        """Whole seconds at the worst pace of the span, n × n: no leg takes more."""
        return self.seconds if self.seconds.ndim == 2 else self.seconds.max(axis=0)

    @cached_property
    def no_way(self) -> np.ndarray:
        """True where no way leads from the row to the column, n × n."""
        return self.mean >= NO_WAY_SECONDS

    def arrival(self, origin: int, destination: int, departs: float) -> float:
        """When one who sets out at `departs` arrives (epoch seconds).

        A leg that crosses a boundary is driven at the first period's pace until there and at the next one's from there, so
        nobody who sets out later arrives earlier (Ichoua, Gendreau & Potvin 2003, European Journal of Operational Research
        144, 379-396).
        """
        rows, boundaries = self._rows, self.boundaries
        if not boundaries:
            return departs + rows[0][origin][destination]
        period, left = bisect_right(boundaries, departs), 1.0
        for ends in boundaries[period:]:
            whole = rows[period][origin][destination]
            arrives = departs + left * whole
            if arrives <= ends:
                return arrives
            left -= (ends - departs) / whole
            departs, period = ends, period + 1
        return departs + left * rows[period][origin][destination]

    def departure(self, origin: int, destination: int, arrives: float) -> float:
        """The latest setting out that arrives at `arrives` (epoch seconds): the inverse of `arrival`."""
        rows, boundaries = self._rows, self.boundaries
        if not boundaries:
            return arrives - rows[0][origin][destination]
        period, left = bisect_left(boundaries, arrives), 1.0
        for begins in boundaries[:period][::-1]:
            whole = rows[period][origin][destination]
            departs = arrives - left * whole
            if departs >= begins:
                return departs
            left -= (arrives - begins) / whole
            arrives, period = begins, period - 1
        return arrives - left * rows[period][origin][destination]

    def without_way_to(self, places: list[int]) -> TravelMatrix:
        """The same matrix where reaching these places takes nothing (routes that end at their last stop)."""
        if not places:
            return self
        seconds, km = self.seconds.copy(), self.km.copy()
        seconds[..., places], km[:, places] = 0, 0
        return replace(self, seconds=seconds, km=km)

    @cached_property
    def _rows(self) -> list[list[Any]]:
        """Views of the rows by period: they index to plain integers faster than an array, and copy nothing."""
        whole = np.ascontiguousarray(self.seconds.reshape(self.periods, *self.km.shape))
        return [[memoryview(row) for row in period] for period in whole]

    def __getstate__(self) -> dict[str, Any]:
        """Another process is sent what the matrix holds, not what was derived from it."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


class Travel(Protocol):
    """Whatever can say how far and how long it is between places, for a span of time at a zone's local hours."""

    def matrix(self, lon: np.ndarray, lat: np.ndarray, start: float, end: float, zone: str) -> TravelMatrix: ...
