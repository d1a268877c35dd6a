"""The chance that a promise is broken, from the spread of an arrival and what must fall inside the window."""

from __future__ import annotations

import numpy as np

from lastmile.predictions.model import LEVELS

AT_RISK_CHANCE = 0.15
"""From this chance of a broken promise on, an open stop is at risk, unless the settings of exceptions say otherwise. Lower, it
warns of more that is kept after all; higher, of less that is broken: docs/exceptions.md has the figures."""


def chance_beyond(quantiles: np.ndarray, limit: np.ndarray) -> np.ndarray:
    """Share of an arrival's spread that lies beyond a limit, row by row; NaN where there is none.

    `quantiles` are minutes at LEVELS, `limit` in the same minutes. Beyond the outermost level it is 0 or 1.
    """
    below = (quantiles <= limit[:, None]).sum(axis=1)
    low, high = np.clip(below - 1, 0, None), np.clip(below, None, len(LEVELS) - 1)
    rows = np.arange(len(limit))
    from_, to = quantiles[rows, low], quantiles[rows, high]
    part = np.divide(limit - from_, to - from_, out=np.zeros(len(limit)), where=to > from_)
    share = LEVELS[low] + np.clip(part, 0.0, 1.0) * (LEVELS[high] - LEVELS[low])
    share = np.where(below == 0, 0.0, np.where(below == len(LEVELS), 1.0, share))
    return np.where(np.isnan(limit), np.nan, 1.0 - share)
