"""Instances of the routing literature as problems: VRPLIB and Solomon files in, best-known solutions beside them."""

from lastmile.routing.instances.building import Instance, built
from lastmile.routing.instances.distances import Distances
from lastmile.routing.instances.reading import BadInstance, Sheet, read_sheet
from lastmile.routing.instances.solutions import KnownSolution, known_solution, read_instance

__all__ = [
    "BadInstance", "Distances", "Instance", "KnownSolution", "Sheet", "built", "known_solution", "read_instance",
    "read_sheet",
]  # fmt: skip
