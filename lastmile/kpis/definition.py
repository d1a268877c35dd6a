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
class Kpi:
    """One KPI. `fact` names the rows it is made from; each is included, excluded or unknown by the first rule it meets.

    Without a percentile the value is Σ counts ÷ Σ out_of over the included rows; with one it is that percentile of
    `counts`. `among` narrows the rows that are in question at all. `needs` names the checks whose weakest is the trust.
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
    excluded: tuple[Rule, ...] = ()
    unknown: tuple[Rule, ...] = ()
    needs: tuple[str, ...] = ()
    target: float | None = None
    among: str = "true"

    def __post_init__(self) -> None:
        if self.percentile is not None and not 0 < self.percentile < 1:
            raise ValueError(f"{self.key}: a percentile lies between 0 and 1, not {self.percentile}")

    @property
    def exclusions(self) -> str:
        """What is left out, in words."""
        return "; ".join(why for why, _ in self.excluded) or "nothing"

    @property
    def unknowns(self) -> str:
        """What is shown apart as unknown, in words."""
        return "; ".join(why for why, _ in self.unknown) or "nothing"

    @property
    def counts_one_by_one(self) -> bool:
        """True for a share of things that are counted, which a Wilson interval fits; minutes and kilometres are not."""
        return self.unit is Unit.SHARE and self.percentile is None and self.fact != "route"
