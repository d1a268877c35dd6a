"""How sure a figure is: intervals for shares and for percentiles."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

Z95 = 1.959963984540054  # the standard normal's 97.5 % point


def wilson(successes: ArrayLike, n: ArrayLike, z: float = Z95) -> tuple[np.ndarray, np.ndarray]:
    """The score interval of shares, NaN where n is 0 (E. B. Wilson, JASA 22 (1927) 209-212)."""
    successes, n = np.asarray(successes, dtype="float64"), np.asarray(n, dtype="float64")
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(n > 0, successes / n, np.nan)
        spread = z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
        middle, scale = share + z * z / (2 * n), 1 + z * z / n
        return np.maximum(0.0, (middle - spread) / scale), np.minimum(1.0, (middle + spread) / scale)


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """The value below which a share of the ordered values lies, by straight line between two (Hyndman-Fan 7)."""
    if not len(ordered):
        return None
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return float(ordered[below] + (place - below) * (ordered[above] - ordered[below]))


def percentile_interval(ordered: Sequence[float], share: float, z: float = Z95) -> tuple[float, float] | None:
    """Two of the ordered values that hold the percentile with about 95 %, None where there are too few to tell.

    Free of any assumption on the distribution: the rank of the percentile is binomial, here by its normal
    approximation (W. J. Conover, Practical Nonparametric Statistics, 3rd ed., 3.2).
    """
    n = len(ordered)
    spread = z * math.sqrt(n * share * (1 - share))
    lower, upper = math.ceil(n * share - spread), math.ceil(n * share + spread)
    if lower < 1 or upper > n:
        return None
    return float(ordered[lower - 1]), float(ordered[upper - 1])
