"""What a route or a plan costs, by part."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Cost:
    """Money by part, in the problem's currency; the parts add to `total`.

    `minimum_top_up` fills a rate card's minimum up; `crew_idle` and `early` are a milestone's; `uneven` is beyond a fair
    share of hours; `changes` is the price of stops that change vehicle.
    """

    day: float = 0
    hours: float = 0
    overtime: float = 0
    distance: float = 0
    stops: float = 0
    minimum_top_up: float = 0
    lateness: float = 0
    crew_idle: float = 0
    early: float = 0
    uneven: float = 0
    changes: float = 0
    not_served: float = 0

    @property
    def total(self) -> float:
        return sum(vars(self).values())

    def __add__(self, other: Cost) -> Cost:
        return Cost(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))
