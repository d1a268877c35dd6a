"""A street grid that reads as a city: each quarter has its own direction and block size, bent a little, seeded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

KM_PER_DEGREE = np.array([67.8, 111.3])  # longitude and latitude at 52.5° north
REACH_KM = 5.0
STEP_KM = 0.06
BEND_KM = 0.05
BLOCK_RATIO = 1.45  # blocks are longer than they are deep
SHARE_LEFT_OUT = 0.08
GAP_STEPS = 10
AVENUE_EVERY = 4
SHORTEST = 4  # steps


@dataclass(frozen=True)
class Quarter:
    """A part of the city: its middle (longitude, latitude), the turn of its streets in degrees, and a block's depth."""

    at: tuple[float, float]
    turn: float
    spacing_m: float


def streets(
    quarters: list[Quarter], may_have_streets: Callable[[np.ndarray], np.ndarray]
) -> dict[str, list[np.ndarray]]:
    """Lines (longitude, latitude) of the grids, cut at the quarters' borders; every fourth is an `avenue`.

    `may_have_streets` is asked once, for all points at once: shape (n, 2) in, n truths out.
    """
    middles = np.array([quarter.at for quarter in quarters])
    kinds, lines = zip(
        *(drawn for number in range(len(quarters)) for drawn in _own(quarters, number, middles)), strict=True
    )
    free = may_have_streets(np.vstack(lines))
    drawn: dict[str, list[np.ndarray]] = {"street": [], "avenue": []}
    for kind, line, kept in zip(
        kinds, lines, np.split(free, np.cumsum([len(line) for line in lines])[:-1]), strict=True
    ):
        drawn[kind] += [_thinned(line[run]) for run in _runs(kept)]
    return drawn


def _own(quarters: list[Quarter], number: int, middles: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """The grid of one quarter, as far as no other quarter is nearer."""
    for kind, line in _grid(quarters[number], np.random.default_rng(number)):
        for run in _runs(_nearest(line, middles) == number):
            yield kind, line[run]


def _grid(quarter: Quarter, chance: np.random.Generator) -> Iterator[tuple[str, np.ndarray]]:
    along = np.arange(-REACH_KM, REACH_KM, STEP_KM)
    for across, spacing_km in ((0, quarter.spacing_m / 1000), (1, quarter.spacing_m * BLOCK_RATIO / 1000)):
        offsets = np.arange(-REACH_KM, REACH_KM, spacing_km)
        offsets += chance.uniform(-0.16, 0.16, len(offsets)) * spacing_km
        for count, offset in enumerate(offsets):
            line = _placed(quarter, along, offset, across)
            if count % AVENUE_EVERY == 0:
                yield "avenue", line
            else:
                yield from (("street", line[run]) for run in _runs(_with_gaps(len(line), chance)))


def _with_gaps(length: int, chance: np.random.Generator) -> np.ndarray:
    """A street goes on, but for a gap here and there."""
    return np.repeat(chance.random(length // GAP_STEPS + 1) > SHARE_LEFT_OUT, GAP_STEPS)[:length]


def _placed(quarter: Quarter, along: np.ndarray, offset: float, across: int) -> np.ndarray:
    """A straight line of the grid, turned, moved to its quarter and bent."""
    level = np.full_like(along, offset)
    flat = np.column_stack([level, along] if across else [along, level])
    angle = np.radians(quarter.turn)
    turned = flat @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    bent = turned + BEND_KM * np.column_stack([np.sin(1.3 * turned[:, 1]), np.cos(1.1 * turned[:, 0])])
    return np.asarray(quarter.at) + bent / KM_PER_DEGREE


def _nearest(points: np.ndarray, middles: np.ndarray) -> np.ndarray:
    apart = (points[:, None, :] - middles[None, :, :]) * KM_PER_DEGREE
    return np.argmin((apart**2).sum(axis=2), axis=1)


def _runs(kept: np.ndarray) -> Iterator[slice]:
    """The unbroken stretches of True that are long enough to be a street."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], kept, [False]]).astype(int)))
    for start, stop in edges.reshape(-1, 2):
        if stop - start >= SHORTEST:
            yield slice(start, stop)


def _thinned(line: np.ndarray) -> np.ndarray:
    """Every fifth point and the last: the bends are wider than that."""
    return np.vstack([line[:-1:5], line[-1:]])
