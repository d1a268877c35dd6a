"""How far predictions miss, by minutes ahead: conformal quantiles, and how much of a delay is left in the end.

Split conformal prediction (Vovk, Gammerman and Shafer, Algorithmic Learning in a Random World, 2005): the quantiles of
past misses of the same kind are the interval of the next prediction; they hold their share whatever the distribution.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from lastmile.predictions.model import LEVELS, Misses

EDGES = np.array([0, 5, 10, 15, 22, 30, 45, 60, 90, 120, 180, 240, 360, 1e9])
LEAST = 60
"""Fewer misses in a bucket than this are told with their neighbours'."""

ANY = "any"
SILENT_MINUTES = 12.0
"""From this age of the last sign of life on, a prediction is of another kind: wider."""

STEADY = 30.0
"""Minutes of squared delay a bucket must hold on average before a share of it is learned; else all is carried on."""


def kind_of(drafts: pd.DataFrame) -> np.ndarray:
    """What sort of prediction each row is: the van waits at the depot, is overdue there, is out, or is out and silent."""
    out = drafts.left_depot_at.notna() | drafts.last_free_at.notna() | drafts.visited_at.notna()
    overdue = drafts.departs_at <= drafts.instant
    return np.select(
        [out & (drafts.signal_minutes > SILENT_MINUTES), out, overdue],
        ["silent", "out", "overdue"],
        "at the depot",
    )


def misses_of(drafts: pd.DataFrame) -> Mapping[str, Misses]:
    """The misses of predictions whose arrival came after their instant; by kind, and over all kinds as `any`."""
    came = drafts[drafts.came_minutes.notna() & (drafts.came_minutes > 0)]
    kinds = kind_of(came)
    found = {kind: _by_ahead(came[kinds == kind]) for kind in np.unique(kinds) if (kinds == kind).sum() >= 3 * LEAST}
    return found | {ANY: _by_ahead(came)}


def _by_ahead(drafts: pd.DataFrame) -> Misses:
    ahead = drafts.draft_minutes.to_numpy()
    actual = (drafts.came_minutes - drafts.plan_minutes).to_numpy()
    drafted = (drafts.draft_minutes - drafts.plan_minutes).to_numpy()
    buckets = _merged(np.digitize(ahead, EDGES[1:-1]))
    rows = [
        _bucket(ahead[buckets == one], actual[buckets == one], drafted[buckets == one]) for one in np.unique(buckets)
    ]
    middles, carried, quantiles, n = (np.array(column) for column in zip(*rows, strict=True))
    return Misses(middles, carried, quantiles, n)


def _bucket(ahead: np.ndarray, actual: np.ndarray, drafted: np.ndarray) -> tuple:
    carried = _carried(actual, drafted)
    return np.median(ahead), carried, np.quantile(actual - carried * drafted, LEVELS), len(ahead)


def _carried(actual: np.ndarray, drafted: np.ndarray) -> float:
    """The share of the drafted delay that came true: the slope that leaves the least absolute misses, from 0.5 to 1.1."""
    if np.mean(drafted**2) < STEADY:
        return 1.0
    shares = np.linspace(0.5, 1.1, 25)
    off = [np.abs(rest - np.median(rest)).mean() for rest in (actual - share * drafted for share in shares)]
    return float(shares[int(np.argmin(off))])


def _merged(buckets: np.ndarray) -> np.ndarray:
    """Buckets with too few rows joined to the one before, the first to the next."""
    counts = np.bincount(buckets, minlength=len(EDGES) - 1)
    into, target = np.zeros(len(counts), dtype=int), 0
    gathered = 0
    for number, count in enumerate(counts):
        if gathered >= LEAST and count:
            target, gathered = target + 1, 0
        into[number] = target
        gathered += count
    if gathered < LEAST and target:
        into[into == target] = target - 1
    return into[buckets]


def spread(misses: Misses, ahead: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each prediction so many minutes ahead: the carried share, and its misses at LEVELS, between the buckets' middles."""
    at = np.interp(ahead, misses.ahead, np.arange(len(misses.ahead)))
    low = np.floor(at).astype(int)
    high, part = np.minimum(low + 1, len(misses.ahead) - 1), at - low
    carried = misses.carried[low] * (1 - part) + misses.carried[high] * part
    return carried, misses.quantiles[low] * (1 - part)[:, None] + misses.quantiles[high] * part[:, None]
