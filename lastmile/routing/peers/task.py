"""What a peer is given and what it gives back."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from lastmile.routing.peers.numbers import Numbers
from lastmile.routing.problem import Problem, Routes

REPORTING_SECONDS = 0.05
"""Better plans that follow each other faster are reported as one."""


@dataclass(frozen=True)
class PeerTask:
    """One search of one peer: the problem (also in whole numbers), the warm plan, the limits.

    `variant` tells searches of the same task on several cores apart.
    """

    problem: Problem
    numbers: Numbers
    start: Routes | None
    seconds: float
    seed: int
    threads: int
    variant: int


@dataclass(frozen=True)
class PeerAnswer:
    """The plans found, each with the seconds since the task was taken up, and what to know about the search."""

    plans: tuple[tuple[float, Routes], ...]
    seconds: float
    notes: tuple[str, ...] = ()


@dataclass
class Watch:
    """The clock of one search, and its plans as they were found."""

    seconds: float
    began: float = field(default_factory=time.perf_counter)
    plans: list[tuple[float, Routes]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def elapsed(self) -> float:
        return time.perf_counter() - self.began

    @property
    def left(self) -> float:
        return max(0.0, self.seconds - self.elapsed)

    def found(self, routes: Mapping[str, tuple[str, ...]]) -> None:
        """Keep a better plan; one found right after another takes its place, but never that of the first."""
        now = self.elapsed
        if len(self.plans) > 1 and now - self.plans[-1][0] < REPORTING_SECONDS:
            self.plans.pop()
        self.plans.append((now, routes))

    def answer(self) -> PeerAnswer:
        return PeerAnswer(tuple(self.plans), self.elapsed, tuple(self.notes))
