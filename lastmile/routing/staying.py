"""Staying put: of plans that cost about the same, the one that disturbs fewer drivers and customers."""

from __future__ import annotations

from dataclasses import dataclass

from lastmile.routing.evaluating import Evaluation
from lastmile.routing.problem import Routes

STAY_SHARE = 0.08
"""What keeping a stop on its vehicle is worth in the search, as a share of a mean stop's cost. Of 0 to 0.4 on four mid-day
cases, up to 0.1 cost nothing that could be told from chance, and a fifth to half of the moves fell away; from 0.2 on, plans
became up to 2 % dearer."""

MOST_FOR_STAYING = 0.01
"""What all stops that stay may cost together, as a share of the cost of the cheapest plan found."""


def stay_price(plan: Evaluation) -> float:
    """Money that keeping one stop on its vehicle is worth, by the first plan of a search."""
    return STAY_SHARE * driven(plan) / max(1, len(plan.stops))


def driven(plan: Evaluation) -> float:
    """What a plan costs without the price of what it does not serve."""
    return plan.cost.total - plan.cost.not_served


@dataclass(frozen=True)
class Found:
    """A plan, what the evaluator says of it, and who made it."""

    routes: Routes
    evaluation: Evaluation
    engine: str

    @property
    def broken(self) -> tuple[int, float]:
        return len(self.evaluation.violations), self.evaluation.excess

    @property
    def moved(self) -> int:
        return len(self.evaluation.changes.moved)

    def beats(self, other: Found) -> bool:
        """True where the other is no better in anything, in the order in which they were found."""
        if self.broken != other.broken:
            return self.broken < other.broken
        return self.evaluation.cost.total <= other.evaluation.cost.total and self.moved <= other.moved


class FoundPlans:
    """The plans of one search of which none beats another: cheaper ones that move more stops, dearer ones that move fewer."""

    def __init__(self, first: Found) -> None:
        self._plans = [first]

    def offer(self, plan: Found) -> None:
        """Keep a plan, unless it is beaten."""
        if not any(one.beats(plan) for one in self._plans):
            self._plans = [*(one for one in self._plans if not plan.beats(one)), plan]

    def chosen(self, price: float) -> Found:
        """The cheapest plan where each move costs `price` more, of those that cost little more than the cheapest of all."""
        cheapest = min(self._plans, key=lambda one: one.evaluation.cost.total)
        limit = cheapest.evaluation.cost.total + MOST_FOR_STAYING * driven(cheapest.evaluation)
        near = [one for one in self._plans if one.evaluation.cost.total <= limit]
        return min(near, key=lambda one: one.evaluation.cost.total + price * one.moved)

    def falling(self) -> list[Found]:
        """What each further change of vehicle buys: moves rising, cost falling; plans that break nothing."""
        return sorted((one for one in self._plans if not one.evaluation.violations), key=lambda one: one.moved)
