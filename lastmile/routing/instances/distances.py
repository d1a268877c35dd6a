"""How published results turn coordinates into distances: a cost means nothing without its convention."""

from __future__ import annotations

from enum import StrEnum

import numpy as np


class Distances(StrEnum):
    """A convention for distances; a cost found under one can't be compared with a cost found under another."""

    DIMACS = "dimacs"
    ROUNDED = "rounded"
    PLAIN = "plain"
    GIVEN = "given"

    @property
    def words(self) -> str:
        """What is done to a straight-line distance, for people."""
        return {
            Distances.DIMACS: "truncated to a tenth, times ten (DIMACS challenge)",
            Distances.ROUNDED: "rounded to whole units (CVRPLIB)",
            Distances.PLAIN: "not rounded",
            Distances.GIVEN: "as the file gives them",
        }[self]

    @property
    def units(self) -> int:
        """How many units of cost make one unit of the file."""
        return 10 if self == Distances.DIMACS else 1

    @property
    def ticks(self) -> int:
        """How many whole ticks of the clock make one unit of the file's time: as exact as the convention asks for."""
        return {Distances.DIMACS: 10, Distances.PLAIN: 10_000}.get(self, 1)

    @property
    def keeps_ticks(self) -> bool:
        """True where the convention itself says how exact times are."""
        return self != Distances.PLAIN

    def of(self, straight: np.ndarray) -> np.ndarray:
        """Distances by this convention from unrounded ones, in `units`."""
        if self == Distances.DIMACS:
            return np.floor(straight * 10)
        return np.floor(straight + 0.5) if self == Distances.ROUNDED else straight

    def times_of(self, straight: np.ndarray, ticks: float) -> np.ndarray:
        """Driving times by this convention, in whole ticks: a unit of distance takes a unit of time."""
        return np.ceil(self.of(straight) * (ticks / self.units) - 1e-6)
