"""Instances from their files, and the solutions that lie beside them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import vrplib

from lastmile.routing.evaluating import Evaluation, evaluate
from lastmile.routing.instances.building import Instance, built
from lastmile.routing.instances.distances import Distances
from lastmile.routing.instances.reading import BadInstance, read_sheet
from lastmile.routing.problem import Routes


@dataclass(frozen=True)
class KnownSolution:
    """A solution as published: its routes, its stated cost in the file's units, and what our evaluator makes of it."""

    routes: Routes
    stated_cost: float | None
    evaluation: Evaluation

    @property
    def cost(self) -> float:
        """By our evaluator, in the units of the instance's problem."""
        return self.evaluation.cost.total


def read_instance(path: Path, distances: Distances | None = None) -> Instance:
    """The instance in a VRPLIB or Solomon file. Raises BadInstance."""
    return built(read_sheet(path), distances)


def known_solution(path: Path, instance: Instance) -> KnownSolution | None:
    """The solution in the .sol file beside an instance's file, or None. Raises BadInstance where it does not fit."""
    beside = Path(path).with_suffix(".sol")
    if not beside.exists():
        return None
    try:
        found = vrplib.read_solution(beside)
    except (ValueError, IndexError) as error:
        raise BadInstance(f"{beside.name} is not a solution in VRPLIB's form: {error}") from None
    rows = [tuple(str(customer) for customer in row) for row in found["routes"] if row]
    return _judged(beside.name, instance, rows, found.get("cost"))


def _judged(name: str, instance: Instance, rows: list[tuple[str, ...]], stated: object) -> KnownSolution:
    fleet = instance.problem.vehicles
    if len(rows) > len(fleet):
        raise BadInstance(f"{name} has {len(rows)} routes, the instance {len(fleet)} vehicles.")
    routes = {vehicle.vehicle_id: row for vehicle, row in zip(fleet, rows, strict=False)}
    try:
        evaluation = evaluate(instance.problem, routes)
    except ValueError as error:
        raise BadInstance(f"{name} does not belong to {instance.name}: {error}") from None
    return KnownSolution(routes, float(stated) if isinstance(stated, int | float) else None, evaluation)
