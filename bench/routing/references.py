"""The best that is known of each case: what long runs found, kept in references.csv with how."""

from __future__ import annotations

import csv
from dataclasses import asdict, dataclass, fields
from datetime import date
from pathlib import Path

from bench.routing.cases import PLANS, Case, instance_named, keep_plan, midday_case, static_case
from lastmile.routing.peers import EngineRun, run

TABLE = Path(__file__).parent / "references.csv"

LONG_SECONDS = 60.0
LONG_ENGINES = ("pyvrp", "vroom", "ours")


@dataclass(frozen=True)
class Reference:
    """The best plan known of a case: stops that it leaves out, its cost, and which engine found it in how long."""

    case: str
    kind: str
    unserved: int
    cost: float
    engine: str
    seconds: float
    cores: int
    found_on: str

    @property
    def rank(self) -> tuple[int, float]:
        return (self.unserved, self.cost)


def reference_of(case: Case, made: EngineRun, seconds: float, cores: int) -> Reference:
    """A run as a reference for its case."""
    today = f"{date.today():%Y-%m-%d}"  # noqa: DTZ011
    return Reference(case.name, case.kind, made.unserved, round(made.cost, 3), made.engine, seconds, cores, today)


def known_references() -> dict[tuple[str, str], Reference]:
    """Case and kind → reference, as kept."""
    if not TABLE.exists():
        return {}
    with TABLE.open(encoding="utf-8") as kept:
        rows = [_typed(row) for row in csv.DictReader(kept)]
    return {(row.case, row.kind): row for row in rows}


def _typed(row: dict[str, str]) -> Reference:
    numbers = {"unserved": int, "cost": float, "seconds": float, "cores": int}
    return Reference(**{name: numbers.get(name, str)(value) for name, value in row.items()})


def keep(found: list[Reference]) -> None:
    """Take those into references.csv that are better than what is there."""
    kept = known_references()
    for one in found:
        there = kept.get((one.case, one.kind))
        if there is None or one.rank < there.rank:
            kept[one.case, one.kind] = one
    with TABLE.open("w", encoding="utf-8", newline="") as table:
        writer = csv.DictWriter(table, [field.name for field in fields(Reference)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(kept[key]) for key in sorted(kept))


def search_long(names: list[str], cores: int, engines: tuple[str, ...] = LONG_ENGINES) -> None:
    """Let each engine work for a minute on each instance, static and mid-day, and keep the best.

    The best static plan becomes the instance's morning plan, unless one is kept already: mid-day cases depend on it.
    """
    for name in names:
        best = _best_of(static_case(name), cores, engines)
        instance = instance_named(name)
        if not (PLANS / f"{instance.name}.sol").exists():
            keep_plan(instance, best.routes)
        _best_of(midday_case(name), cores, engines)


def _best_of(case: Case, cores: int, engines: tuple[str, ...]) -> EngineRun:
    made = []
    for engine in engines:
        made.append(run(engine, case.problem, LONG_SECONDS, 1, cores))
        keep([reference_of(case, made[-1], LONG_SECONDS, cores)])
        print(f"{case.words}: {engine} {made[-1].unserved} unserved, {made[-1].cost:,.0f}", flush=True)
    return min(made, key=lambda one: one.rank)
