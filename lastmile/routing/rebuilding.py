"""Improving a plan by taking neighbours out and putting them back where they cost least, by the evaluator's own prices.

The principle is ruin and recreate (Schrimpf et al. 2000, Journal of Computational Physics 159); which stops leave
together and the blinks follow SISR (Christiaens & Vanden Berghe 2020, Transportation Science 54), simplified.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable

import numpy as np

from lastmile.routing.inserting import Draft, insert_if_worth_it

MOST_TAKEN_OUT = 16
"""Stops that leave in one round at most: more makes a round slow, fewer leaves the plan as it is."""

OPEN_TRIED = 8
"""Unserved stops that each round tries to place beside those it took out."""

CANDIDATES, TRIES = 4, 40
"""Places timed for a stop that fits there, and in all, in one round."""

FIRST_TOLERANCE, LAST_TOLERANCE = 0.01, 0.0001
"""How much dearer, as a share of the best cost per stop and round, a plan may get: falls over the time given."""


class Rebuilding:
    """A plan on its way to a better one; deterministic by seed for a given number of rounds."""

    def __init__(self, draft: Draft, seed: int) -> None:
        self.draft, self.draw = draft, random.Random(seed)  # noqa: S311 - a search draws seeded numbers, not secrets
        self.rounds = 0
        self.cost = self.best_cost = plan_cost(draft)
        self.best = self.draft.kept()
        count = len(draft.problem.stops)
        reach = draft.problem.matrix.mean[:count, :count]
        self.near = np.argsort(reach + reach.T, axis=1, kind="stable")[:, 1 : 6 * MOST_TAKEN_OUT].tolist()
        self.free = [s for s in range(count) if s not in draft.impossible and not self._committed(s)]

    def run(self, until: float, rounds: int | None, report: Callable[[Rebuilding], None]) -> None:
        """Rebuild until an instant (epoch seconds) or a number of rounds; report each plan better than all before."""
        began = time.time()
        while self.free and (rounds is None or self.rounds < rounds) and time.time() < until:
            share = self.rounds / rounds if rounds else (time.time() - began) / max(until - began, 1e-9)
            self.round(share)
            if self.cost < self.best_cost - 1e-6:
                self.best_cost, self.best = self.cost, self.draft.kept()
                report(self)
        self.draft.restore(self.best)

    def round(self, share: float) -> None:
        """Take some neighbours out, put them back, and keep the result where it is good enough for this far on."""
        before, cost_before = self.draft.kept(), self.cost
        self.rounds += 1
        removed = self._take_out()
        for stop in self._order(removed):
            insert_if_worth_it(self.draft, stop, CANDIDATES, TRIES)
        self.cost = plan_cost(self.draft)
        tolerance = FIRST_TOLERANCE * (LAST_TOLERANCE / FIRST_TOLERANCE) ** min(1.0, share)
        heat = tolerance * self.best_cost * -math.log(1 - self.draw.random())
        if self.cost > cost_before + heat:
            self.draft.restore(before)
            self.cost = cost_before

    def _take_out(self) -> list[int]:
        """Stops near a random one, out of at most a few routes each time; the unserved among them come along."""
        size = self.draw.randint(2, MOST_TAKEN_OUT)
        centre = self.draw.choice(self.free)
        near = [stop for stop in self.near[centre] if stop != centre and self.draw.random() > 0.25][: 2 * size]
        routed = {stop: vehicle for vehicle, row in enumerate(self.draft.routes) for stop in row}
        free = set(self.free)
        chosen = [stop for stop in [centre, *near] if stop in routed and stop in free][:size]
        for vehicle in sorted({routed[stop] for stop in chosen}):
            self.draft.set(vehicle, [stop for stop in self.draft.routes[vehicle] if stop not in chosen])
        unserved = [stop for stop in self.free if stop not in routed]
        return chosen + self.draw.sample(unserved, min(OPEN_TRIED, len(unserved)))

    def _order(self, stops: list[int]) -> list[int]:
        """One of four orders, by chance: any, dearest to leave out, earliest to close, farthest first."""
        self.draw.shuffle(stops)
        timer, problem = self.draft.timer, self.draft.problem
        keys = (
            lambda _: 0,
            lambda stop: -self.draft.price[stop],
            lambda stop: timer.terms.closes[stop],
            lambda stop: -problem.matrix.mean[problem.start_of(0), stop],
        )
        return sorted(stops, key=self.draw.choice(keys))

    def _committed(self, stop: int) -> bool:
        return self.draft.problem.stops[stop].stop_id in self.draft.problem.committed_to


def plan_cost(draft: Draft) -> float:
    """What the routes cost and the unserved stops are worth, in the problem's currency."""
    routed = {stop for row in draft.routes for stop in row}
    return sum(route.cost.total for route in draft.timed) + sum(
        price for stop, price in enumerate(draft.price) if stop not in routed
    )
