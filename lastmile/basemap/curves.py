"""Smooth curves through control points, and which points lie inside a shore."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

STEPS_PER_SPAN = 6


def curve(points: ArrayLike, steps: int = STEPS_PER_SPAN) -> np.ndarray:
    """A uniform Catmull–Rom spline through all points, ends included; shape (n, 2)."""
    given = np.asarray(points, dtype=float)
    padded = np.vstack([2 * given[0] - given[1], given, 2 * given[-1] - given[-2]])
    return np.vstack([_spans(padded, steps), given[-1:]])


def closed_curve(points: ArrayLike, steps: int = STEPS_PER_SPAN) -> np.ndarray:
    """The same through a closed shore; the first point is repeated at the end, as GeoJSON wants it."""
    given = np.asarray(points, dtype=float)
    around = _spans(np.vstack([given[-1:], given, given[:2]]), steps)
    return np.vstack([around, around[:1]])


def _spans(padded: np.ndarray, steps: int) -> np.ndarray:
    """Catmull–Rom with tension 1/2 between each inner pair: (n - 3) * steps points."""
    before, start, end, after = padded[:-3, None], padded[1:-2, None], padded[2:-1, None], padded[3:, None]
    t = np.linspace(0, 1, steps, endpoint=False)[None, :, None]
    points = 0.5 * (
        2 * start
        + (end - before) * t
        + (2 * before - 5 * start + 4 * end - after) * t**2
        + (3 * start - before - 3 * end + after) * t**3
    )
    return points.reshape(-1, 2)


def inside(points: np.ndarray, ring: np.ndarray) -> np.ndarray:
    """Which points, shape (n, 2), lie inside a closed ring: even–odd rule over its edges."""
    within = np.zeros(len(points), dtype=bool)
    near = _in_box(points, ring)
    x, y = points[near].T
    crossings = np.zeros(len(x), dtype=int)
    for (x1, y1), (x2, y2) in pairwise(ring):
        if y1 != y2:
            crossings += ((y1 > y) != (y2 > y)) & (x < (x2 - x1) * (y - y1) / (y2 - y1) + x1)
    within[near] = crossings % 2 == 1
    return within


def _in_box(points: np.ndarray, ring: np.ndarray) -> np.ndarray:
    return np.all((points >= ring.min(axis=0)) & (points <= ring.max(axis=0)), axis=1)
