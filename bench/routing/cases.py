"""What is measured: named instances, each static and in the middle of its day."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench.routing.homberger import KINDS, homberger_like
from bench.routing.midday import Midday, midday
from bench.routing.urban import urban
from lastmile.routing import Problem, Routes
from lastmile.routing.instances import Instance, known_solution, read_instance
from lastmile.routing.peers import run

PLANS = Path(__file__).parent / "plans"

URBAN_VEHICLES = {200: 15, 300: 21, 500: 36, 700: 41}
"""About as many vehicles for so many stops as in the competition's instances; between them one for 15 stops."""

USUAL = (
    "urban-200-1", "urban-300-1", "urban-500-1", "urban-700-1", "C1-200-1", "RC1-400-1", "R2-400-1", "C2-600-1",
    "R1-800-1", "RC2-1000-1",
)  # fmt: skip
QUICK_STATIC = ("urban-300-1", "RC1-400-1", "R1-800-1")
QUICK_MIDDAY = ("urban-300-1", "RC1-400-1", "urban-700-1", "R1-800-1")

MIDDAY_SEED = 1
MORNING_SECONDS = 20.0
"""How long PyVRP plans the morning of an instance of which no plan is kept."""


@dataclass(frozen=True)
class Case:
    """One problem to be solved by all engines; `day` is None where nothing is under way."""

    name: str
    problem: Problem
    day: Midday | None = None

    @property
    def kind(self) -> str:
        return "static" if self.day is None else "mid-day"

    @property
    def words(self) -> str:
        size = f"{len(self.problem.stops)} stops, {len(self.problem.vehicles)} vehicles"
        if self.day is None:
            return f"{self.name}, {size}"
        return f"{self.name} mid-day, {size}, {len(self.day.urgent)} urgent, {self.day.broken} broken down"


def instance_named(name: str) -> Instance:
    """A seeded instance by its name (urban-300-1, RC1-400-1), or the one in a file."""
    if is_file(name):
        return read_instance(Path(name))
    try:
        kind, customers, seed = name.split("-")
        if kind == "urban":
            return urban(int(customers), URBAN_VEHICLES.get(int(customers), int(customers) // 15), int(seed))
        if kind in KINDS:
            return homberger_like(kind, int(customers), int(seed))
    except ValueError:
        pass
    kinds = ", ".join(("urban", *KINDS))
    raise SystemExit(f"{name!r} is no instance: name a .vrp or .txt file, or KIND-CUSTOMERS-SEED with KIND of {kinds}.")


def is_file(name: str) -> bool:
    """True where an instance is named by its file and not by what it is generated from."""
    return Path(name).suffix in (".vrp", ".txt")


def static_case(name: str) -> Case:
    """The whole instance, nothing under way."""
    instance = instance_named(name)
    return Case(instance.name, instance.problem)


def midday_case(name: str, seed: int = MIDDAY_SEED) -> Case:
    """The instance in the middle of its day, by the morning plan that is kept for it or lies beside its file."""
    instance = instance_named(name)
    day = midday(instance.problem, morning_plan(name, instance), seed)
    return Case(instance.name if seed == MIDDAY_SEED else f"{instance.name}/{seed}", day.problem, day)


def morning_plan(name: str, instance: Instance) -> Routes:
    """The plan kept in bench/routing/plans, or beside the file; where there is none, one that PyVRP makes now."""
    kept = known_solution(PLANS / f"{instance.name}.vrp", instance)
    known = kept or (known_solution(Path(name), instance) if is_file(name) else None)
    return run("pyvrp", instance.problem, MORNING_SECONDS).routes if known is None else known.routes


def keep_plan(instance: Instance, routes: Routes) -> None:
    """Write a plan into bench/routing/plans in VRPLIB's form."""
    rows = [routes.get(vehicle.vehicle_id, ()) for vehicle in instance.problem.vehicles]
    lines = [f"Route #{number}: {' '.join(row)}" for number, row in enumerate(filter(None, rows), 1)]
    PLANS.mkdir(exist_ok=True)
    (PLANS / f"{instance.name}.sol").write_text("\n".join(lines) + "\n", encoding="utf-8")
