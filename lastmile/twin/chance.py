"""Chance by key: the same seed and key always give the same draw, in whatever order it is asked for."""

from __future__ import annotations

import zlib

import numpy as np

_STEP = np.uint64(0x9E3779B97F4A7C15)


def uniform(seed: int, purpose: str, *keys: object) -> np.ndarray:
    """Draws in [0, 1), one for each element of the broadcast whole-number keys.

    `purpose` names what the draw decides, so that two decisions about one delivery are independent.
    The mixing is splitmix64 (Steele, Lea and Flood 2014).
    """
    with np.errstate(over="ignore"):
        state = _mixed(np.uint64(seed) * _STEP + np.uint64(zlib.crc32(purpose.encode())))
        for key in keys:
            state = _mixed(state ^ (np.asarray(key).astype(np.int64).astype(np.uint64) * _STEP))
    return (state >> np.uint64(11)).astype(np.float64) * 2.0**-53


def normal(seed: int, purpose: str, *keys: object) -> np.ndarray:
    """Standard normal draws by key (Box and Muller 1958)."""
    radius = np.sqrt(-2.0 * np.log1p(-uniform(seed, purpose + " radius", *keys)))
    return radius * np.cos(2.0 * np.pi * uniform(seed, purpose + " angle", *keys))


def pick(draws: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Indices into `weights`, chosen by uniform draws in proportion to the weights."""
    edges = np.cumsum(weights) / np.sum(weights)
    return np.minimum(np.searchsorted(edges, draws, side="right"), len(weights) - 1)


def _mixed(state: np.ndarray) -> np.ndarray:
    state = state + _STEP
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))
