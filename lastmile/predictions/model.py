"""What was learned about arrivals: pace of legs and services, what becomes of a delay, and how far predictions miss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

LEVELS = np.array([0.01, 0.025, 0.05, *np.arange(0.1, 0.95, 0.05), 0.95, 0.975, 0.99])
"""The shares at which the misses of a kind of prediction are kept."""

LOW, MIDDLE, HIGH = 0.1, 0.5, 0.9
"""The interval that is shown holds what lies between the first and the last of these shares: 80 %."""


@dataclass(frozen=True)
class Paces:
    """Factors on planned minutes: legs by hour of leaving and area, services by service, driver and site.

    `opening` is how many minutes before its window a service begins where the driver came early; `minutes_per_km` what a
    planned leg takes per km as the crow flies; `day_so_far` what the legs of a usual day have taken ÷ planned by an hour; `late_start` minutes a van leaves after its planned departure.
    """

    leg: float = 1.0
    leg_by_hour: Mapping[int, float] = field(default_factory=dict)
    leg_by_area: Mapping[str, float] = field(default_factory=dict)
    day_so_far: Mapping[int, float] = field(default_factory=dict)
    service: Mapping[str, float] = field(default_factory=dict)
    service_by_driver: Mapping[str, float] = field(default_factory=dict)
    service_by_site: Mapping[str, float] = field(default_factory=dict)
    opening: Mapping[str, float] = field(default_factory=dict)
    minutes_per_km: float = 3.0
    late_start: float = 0.0
    overdue_rest: float = 10.0
    over_shift: float = 60.0


@dataclass(frozen=True)
class Misses:
    """Actual minus predicted minutes for one kind of prediction, by minutes ahead.

    `ahead` are the middles of the buckets; `carried` is the share of a predicted delay that was there in the end; a row of
    `quantiles` holds the misses left at LEVELS; `n` the arrivals that a bucket rests on.
    """

    ahead: np.ndarray
    carried: np.ndarray
    quantiles: np.ndarray
    n: np.ndarray


@dataclass(frozen=True)
class Model:
    """All that is needed to predict. `why_thin` says why nothing could be learned; the plan is then all there is to show."""

    paces: Paces
    misses: Mapping[str, Misses]
    arrivals: int = 0
    days: int = 0
    why_thin: str | None = None

    @property
    def is_thin(self) -> bool:
        return self.why_thin is not None

    @property
    def words(self) -> str:
        """What predictions rest on, as a sentence for people."""
        if self.why_thin is not None:
            return f"No arrivals are predicted: {self.why_thin}. The plan is shown, moved by the present delay."
        return f"Learned from {self.arrivals:,} predictions of arrivals that came, on {self.days} days."
