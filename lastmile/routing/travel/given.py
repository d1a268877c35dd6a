"""Travel that someone else computed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from lastmile.routing.travel.matrix import TravelMatrix


@dataclass(frozen=True)
class GivenTravel:
    """Travel that someone else computed: the matrix of stops, then vehicle starts, then vehicle ends, in this order."""

    given: TravelMatrix

    def matrix(self, lon: np.ndarray, *_: object) -> TravelMatrix:
        """The given matrix; ValueError where its size is not that of the places, or a value is missing or negative."""
        if len(self.given.km) != len(lon):
            raise ValueError(f"the travel matrix has {len(self.given.km)} places, the problem has {len(lon)}")
        for unit in (self.given.seconds, self.given.km):
            if not np.all(np.asarray(unit, dtype=float) >= 0):
                *_period, row, column = np.argwhere(~(np.asarray(unit, dtype=float) >= 0))[0]
                raise ValueError(f"the travel matrix has no valid value from place {row} to place {column}")
        return replace(
            self.given,
            seconds=np.ceil(self.given.seconds).astype(np.int32),
            km=np.asarray(self.given.km, dtype=np.float32),
            source=self.given.source or "a given matrix",
        )
