"""How long something takes where not all have got there yet: the product-limit estimate and its percentiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lastmile.kpis.intervals import Z95

ROUNDING = 1e-12


@dataclass(frozen=True)
class Waiting:
    """The share that still waits after each of the `times`, at which somebody got there; all four of one length.

    `at_risk`: how many were watched just before. `error`: the standard error of the share, NaN where all that were
    watched got there.
    """

    times: np.ndarray
    share: np.ndarray
    at_risk: np.ndarray
    error: np.ndarray

    def percentile(self, share: float) -> float | None:
        """The time within which a share has got there; None where so many have not yet."""
        return self._first(self.share <= 1 - share + ROUNDING)

    def interval(self, share: float, z: float = Z95) -> tuple[float, float] | None:
        """Two of the times that hold the percentile with about 95 %, None where too few have got there to tell.

        The times at which the share that waits can't be told from 1 − share (R. Brookmeyer and J. Crowley, A confidence
        interval for the median survival time, Biometrics 38, 1982), by the normal approximation.
        """
        low = self._first(self.share - z * self.error <= 1 - share + ROUNDING)
        high = self._first(self.share + z * self.error <= 1 - share + ROUNDING)
        return None if low is None or high is None else (low, high)

    def _first(self, reached: np.ndarray) -> float | None:
        return float(self.times[reached.argmax()]) if reached.any() else None


def waiting(taken: Sequence[float], waited: Sequence[float]) -> Waiting:
    """The estimate from the times of those that got there and the times of all, either got there or waited so far.

    Both are ordered. The share is Π (1 − taken ÷ at risk) (E. L. Kaplan and P. Meier, Nonparametric estimation from
    incomplete observations, JASA 53, 1958), its error Greenwood's. Those that stopped waiting at a time were still at
    risk at it.
    """
    times, events = np.unique(np.asarray(taken, dtype="float64"), return_counts=True)
    at_risk = len(waited) - np.searchsorted(np.asarray(waited, dtype="float64"), times, side="left")
    share = np.cumprod(1 - events / at_risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        error = share * np.sqrt(np.cumsum(events / (at_risk * (at_risk - events))))
    return Waiting(times, share, at_risk, error)
