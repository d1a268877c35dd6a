"""What breaking a limit costs while PyVRP searches, adapted as it goes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyvrp
from pyvrp import CostEvaluator

from lastmile.routing.pyvrp_fleet import Fleet

LOWEST, HIGHEST = 0.1, 100_000.0
"""Penalties stay between these multiples of what the unit costs."""

LARGEST_UNITS = 1e9
"""No penalty is more: some thousands of legs without a way, ten days each, still add up to a 64-bit integer."""

STOP_SECONDS = 600
"""A mean stop's load too much weighs as much as so many seconds too late."""


@dataclass(frozen=True)
class Schedule:
    """Where penalties begin, as multiples of what a unit costs, and how they follow the share of feasible plans."""

    begins: float
    grows: float
    falls: float
    every: int
    feasible_share: float = 0.65
    tolerance: float = 0.05


GENTLE = Schedule(begins=10, grows=2.0, falls=0.9, every=50)
"""Being late is hardly dearer than driving at first, so that every stop finds a place, then no longer: fewest unserved
where nearly everything can be served."""

STRICT = Schedule(begins=500, grows=1.5, falls=0.9, every=500)
"""Fewest unserved where much can't be."""


class Penalties:
    """Takes the place of PyVRP's own penalty manager, in units of money and with a pace for each kind of limit."""

    def __init__(self, fleet: Fleet, schedule: Schedule, multiples: tuple[float, ...] | None = None) -> None:
        self.schedule, self._units = schedule, _units(fleet)
        begun = multiples if multiples and len(multiples) == len(self._units) else [schedule.begins] * len(self._units)
        self._multiples = np.array(begun, dtype=float)
        self._kept, self._seen = np.zeros(len(self._units)), 0
        self._evaluator = self._new_evaluator()

    @property
    def multiples(self) -> tuple[float, ...]:
        """By dimension of load, then lateness, then distance."""
        return tuple(float(one) for one in self._multiples)

    def cost_evaluator(self) -> CostEvaluator:
        return self._evaluator

    def register(self, solution: pyvrp.Solution) -> None:
        """Take a plan into account, and after every so many adapt the penalties."""
        broken = [*solution.excess_load(), solution.time_warp(), solution.excess_distance()]
        self._kept += [amount == 0 for amount in broken]
        self._seen += 1
        if self._seen == self.schedule.every:
            self._adapt(self._kept / self._seen)
            self._kept, self._seen = np.zeros(len(self._units)), 0

    def _adapt(self, shares: np.ndarray) -> None:
        schedule = self.schedule
        short = schedule.feasible_share - shares
        factor = np.where(short > 0, schedule.grows, schedule.falls)
        factor[np.abs(short) < schedule.tolerance] = 1
        self._multiples = np.clip(self._multiples * factor, LOWEST, HIGHEST)
        self._evaluator = self._new_evaluator()

    def _new_evaluator(self) -> CostEvaluator:
        *loads, late, far = np.minimum(self._multiples * self._units, LARGEST_UNITS).tolist()
        return CostEvaluator(loads, late, far)


def _units(fleet: Fleet) -> np.ndarray:
    """What a unit of each load, a second and a metre cost, in the model's money."""
    seconds, km = fleet.problem.matrix.mean, fleet.problem.matrix.km
    known = seconds < seconds.max() if seconds.size and seconds.min() < seconds.max() else np.ones(km.shape, dtype=bool)
    metres_per_second = 1_000 * km[known].mean() / max(1.0, seconds[known].mean()) if seconds.size else 1.0
    kinds = fleet.kinds
    metre = np.mean([kind.per_metre for kind in kinds]) if kinds else 1.0
    second = max(1.0, np.mean([kind.per_second for kind in kinds]) + metre * metres_per_second) if kinds else 1.0
    loads = [STOP_SECONDS * second / max(1.0, _mean_load(fleet, name)) for name in fleet.problem.dimensions]
    return np.array([*loads, second, max(1.0, second / max(metres_per_second, 1e-9))])


def _mean_load(fleet: Fleet, name: str) -> float:
    loads = [fleet.load(name, fleet.timer.terms.demand[name][stop]) for stop in fleet.stops]
    return float(np.mean(loads)) if loads else 1.0
