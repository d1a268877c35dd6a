"""Instances like those of Gehring and Homberger (1999): clustered, random and mixed customers, short and long horizons.

What is theirs: the square and its depot, capacities, service times, horizons that grow with the size, demands around 18,
the share of customers with a window. The draws are our own, so costs compare with nothing published.
"""

from __future__ import annotations

import math
import random

import numpy as np

from lastmile.routing.instances import Instance, Sheet, built

KINDS = ("C1", "C2", "R1", "R2", "RC1", "RC2")

SIDE = {200: 140, 400: 200, 600: 300, 800: 400, 1000: 500}
"""Length of the square by number of customers; between them by the root of the number."""

CAPACITY = {"C1": 200, "C2": 700, "R1": 200, "R2": 1000, "RC1": 200, "RC2": 1000}
SERVICE = {"C": 90, "R": 10, "RC": 10}

HALF_WIDTH = {"1": (5, 60), "2": (40, 240)}
"""Half the width of a window is drawn between these, so that narrow and wide ones meet in one instance."""

WINDOWED = (1.0, 0.75, 0.5)
"""The share of customers with a window narrower than the day, by seed in turns."""


def homberger_like(kind: str, customers: int, seed: int) -> Instance:
    """An instance of one of KINDS with distances by the DIMACS convention."""
    draw = random.Random(f"{kind} {customers} {seed}")
    side = SIDE.get(customers, round(math.sqrt(customers) * 15))
    places = _places(draw, kind[:-1], customers, side)
    straight = np.hypot(*np.subtract.outer(places, places).transpose(1, 3, 0, 2)[[0, 1], [0, 1]])
    service = SERVICE[kind[:-1]]
    horizon = _horizon(kind, side, service)
    demand = [0, *(min(50, max(1, round(draw.gauss(18, 9)))) for _ in range(customers))]
    sheet = Sheet(
        name=f"{kind}-{customers}-{seed}",
        kind="VRPTW",
        form="generated",
        straight=straight,
        explicit=False,
        places=places,
        demand=np.array(demand, dtype=float),
        capacity=float(CAPACITY[kind]),
        windows=_windows(draw, kind[-1], straight[0], horizon, service, WINDOWED[seed % len(WINDOWED)]),
        service=np.array([0, *[service] * customers], dtype=float),
        vehicles=customers // 4,
    )
    return built(sheet)


def _horizon(kind: str, side: int, service: int) -> int:
    """A route has time for some 10 customers in a short horizon, for some 50 in a long one."""
    visits = 10 if kind[-1] == "1" else 40
    return round(1.6 * side + visits * (service + 0.15 * side))


def _places(draw: random.Random, layout: str, customers: int, side: int) -> np.ndarray:
    """Whole coordinates; the depot in the middle, first."""
    clustered = {"C": customers, "R": 0, "RC": customers // 2}[layout]
    centres = [
        (draw.uniform(0.05, 0.95) * side, draw.uniform(0.05, 0.95) * side) for _ in range(max(1, customers // 25))
    ]
    rows = [(side / 2, side / 2)]
    for number in range(customers):
        if number < clustered:
            x, y = centres[number % len(centres)]
            rows.append((draw.gauss(x, 0.025 * side), draw.gauss(y, 0.025 * side)))
        else:
            rows.append((draw.uniform(0, side), draw.uniform(0, side)))
    return np.clip(np.rint(rows), 0, side)


def _windows(
    draw: random.Random, horizon_kind: str, from_depot: np.ndarray, horizon: int, service: int, share: float
) -> np.ndarray:
    rows = [(0, horizon)]
    for away in from_depot[1:]:
        first, last = math.ceil(away), horizon - service - math.ceil(away)
        if draw.random() < share:
            centre, half = draw.uniform(first, last), draw.uniform(*HALF_WIDTH[horizon_kind])
            rows.append((round(max(0, centre - half)), round(min(last, max(first, centre + half)))))
        else:
            rows.append((0, last))
    return np.array(rows, dtype=float)
