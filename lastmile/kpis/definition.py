"""What a KPI is: one entry that tiles, drill-downs, reports, the command line and the docs all read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

Rule = tuple[str, str]  # why a row is left out, and the SQL condition that says so


class Unit(StrEnum):
    """What a KPI is measured in."""

    SHARE = "share"  # 0 to 1, shown in %
    MINUTES = "minutes"
    MONEY = "money"  # in the currency of its rows
    COUNT = "count"  # so many for each
    PER_HOUR = "per hour"


class Direction(StrEnum):
    """Which way is better."""

    HIGHER = "higher is better"
    LOWER = "lower is better"


class Owner(StrEnum):
    """The role that answers for a KPI."""

    OPERATIONS = "operations manager"
    PROJECT = "project lead"
    EXECUTIVE = "executive"


@dataclass(frozen=True)
class Step:
    """What a time runs to: the SQL condition that a row has got there, and the word for those that have not."""

    taken: str
    waiting: str


@dataclass(frozen=True)
class Kpi:
    """One KPI. `fact` names the rows it is made from; each is included, excluded or unknown by the first rule it meets.

    Without a percentile the value is Σ counts ÷ Σ out_of over the included rows; with one it is that percentile of
    `counts`. Where it `waits_for` a step, `counts` is how long a row took to get there or has waited so far, and the
    percentile is the product-limit estimate: those that wait are neither left out nor counted as done.
    `among` narrows the rows that are in question at all. `needs` names the checks whose weakest is the trust.
    """

    key: str
    family: str
    label: str
    question: str
    formula: str
    unit: Unit
    direction: Direction
    anchor: str
    numerator: str
    denominator: str
    fact: str
    counts: str
    owner: Owner
    out_of: str = "1"
    percentile: float | None = None
    waits_for: Step | None = None
    excluded: tuple[Rule, ...] = ()
    unknown: tuple[Rule, ...] = ()
    needs: tuple[str, ...] = ()
    target: float | None = None
    among: str = "true"

    def __post_init__(self) -> None:
        if self.percentile is not None and not 0 < self.percentile < 1:
            raise ValueError(f"{self.key}: a percentile lies between 0 and 1, not {self.percentile}")
        if self.waits_for is not None and self.percentile is None:
            raise ValueError(f"{self.key}: what waits for a step has a percentile, not a mean")

    @property
    def exclusions(self) -> str:
        """What is left out, in words."""
        return "; ".join(why for why, _ in self.excluded) or "nothing"

    @property
    def unknowns(self) -> str:
        """What is shown apart as unknown, in words."""
        return "; ".join(why for why, _ in self.unknown) or "nothing"

    @property
    def still_waiting(self) -> str:
        """What becomes of those that have not got there, in words; nothing where none can wait."""
        if self.waits_for is None or not self.waits_for.waiting:
            return ""
        return (
            f"those {self.waits_for.waiting} count for as long as they have waited so far (product-limit estimate); "
            "unknown where too few have got there"
        )

    @property
    def in_numerator(self) -> str:
        """SQL: an included row is in the numerator, not in the denominator alone; `counted` is what it counts."""
        if self.waits_for is not None:
            return self.waits_for.taken
        return "true" if self.percentile else "counted > 0"

    @property
    def counts_one_by_one(self) -> bool:
        """True for a share of things that are counted, which a Wilson interval fits; minutes, kilometres and money are not."""
        return self.unit is Unit.SHARE and self.percentile is None and self.fact not in ("route", "replanning")
