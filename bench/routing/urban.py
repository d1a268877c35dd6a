"""Instances like the real ones that ORTEC gave to the EURO meets NeurIPS 2022 competition: a day of deliveries in towns.

Customers lie in clusters of different size with some between; driving times are whole seconds, differ by direction, and
keep the triangle inequality as roads do; the time is what is minimized. Windows are a mix of none, half a day, two hours
and one. Names, sizes and mix are our own.
"""

from __future__ import annotations

import math
import random

import numpy as np

from lastmile.routing.instances import Instance, Sheet, built

HOUR = 3600
SHIFT_HOURS = 10
SPREAD_KM = 28.0
SECONDS_PER_KM = 92.0
"""Some 39 km/h over straight-line kilometres: towns and the roads between them."""

WINDOW_HOURS = ((None, 0.25), (4.0, 0.25), (2.0, 0.35), (1.0, 0.15))
"""Length of window, None for the whole day, and the share of customers who have it."""


def urban(customers: int, vehicles: int, seed: int) -> Instance:
    """An instance with so many customers for about so many vehicles; a third more stand by."""
    draw = random.Random(f"urban {customers} {seed}")
    places = _places(draw, customers)
    seconds = _driving(places, np.random.default_rng(abs(seed) * 100_000 + customers))
    demand = [0, *(draw.choice((1, 2, 2, 3, 4, 5, 8)) for _ in range(customers))]
    service = [0, *(draw.choice((60, 120, 180, 240, 300, 420, 600)) for _ in range(customers))]
    sheet = Sheet(
        name=f"urban-{customers}-{seed}",
        kind="VRPTW",
        form="generated",
        straight=seconds,
        explicit=True,
        places=places,
        demand=np.array(demand, dtype=float),
        capacity=float(math.ceil(1.08 * sum(demand) / vehicles)),
        windows=_windows(draw, seconds, service),
        service=np.array(service, dtype=float),
        vehicles=math.ceil(vehicles * 4 / 3),
    )
    return built(sheet)


def _places(draw: random.Random, customers: int) -> np.ndarray:
    """Kilometres; the depot at the edge of the largest town, first."""
    towns = [
        (draw.uniform(0, SPREAD_KM), draw.uniform(0, SPREAD_KM), draw.uniform(0.8, 3.5), draw.paretovariate(1.1))
        for _ in range(6 + customers // 100)
    ]
    largest = max(towns, key=lambda town: town[3])
    weights = [min(town[3], 12) for town in towns]
    rows = [(largest[0] + 1.5 * largest[2], largest[1])]
    for _ in range(customers):
        if draw.random() < 0.12:
            rows.append((draw.uniform(0, SPREAD_KM), draw.uniform(0, SPREAD_KM)))
        else:
            x, y, width, _ = draw.choices(towns, weights)[0]
            rows.append((draw.gauss(x, width), draw.gauss(y, width)))
    return np.array(rows)


def _driving(places: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Whole seconds between all places: distance by roads, leaving and reaching a place, and one-way detours."""
    km = np.hypot(*(places[:, None, :] - places[None, :, :]).transpose(2, 0, 1))
    pace = SECONDS_PER_KM * (1.55 - 0.55 * np.minimum(km / 12, 1))  # short legs go through streets, long ones by roads
    one_way = draw.uniform(0.92, 1.18, km.shape)
    leave, reach = draw.uniform(10, 60, len(km)), draw.uniform(10, 60, len(km))
    seconds = km * pace * one_way + leave[:, None] + reach[None, :]
    np.fill_diagonal(seconds, 0)
    for via in range(len(seconds)):
        np.minimum(seconds, seconds[:, via, None] + seconds[None, via, :], out=seconds)
    return np.ceil(seconds)


def _windows(draw: random.Random, seconds: np.ndarray, service: list[int]) -> np.ndarray:
    """Windows that a vehicle straight from the depot can keep and still be back in time."""
    end = SHIFT_HOURS * HOUR
    hours, shares = zip(*WINDOW_HOURS, strict=True)
    rows = [(0, end)]
    for place in range(1, len(seconds)):
        first, last = int(seconds[0, place]), int(end - service[place] - seconds[place, 0])
        length = draw.choices(hours, shares)[0]
        if length is None:
            rows.append((0, last))
            continue
        opens = draw.randrange(0, max(1, int(end - length * HOUR)), 1800)
        rows.append((opens, min(last, max(first + 900, int(opens + length * HOUR)))))
    return np.array([(min(opens, closes), closes) for opens, closes in rows], dtype=float)
