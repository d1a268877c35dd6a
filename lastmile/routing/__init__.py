"""Routing: a problem in, a plan out. No database, no screen.

`solve(problem, seconds, seed)` is the door; `evaluate`, `compare` and `reasons_unserved` judge any plan, a person's
too.
"""

from lastmile.routing.comparing import Change, Comparison, MovedStop, VehicleComparison, compare
from lastmile.routing.evaluating import Evaluation, PlannedRoute, PlannedStop, Violation, evaluate
from lastmile.routing.explaining import Reason, reasons_unserved
from lastmile.routing.obstacles import Cause, Obstacle, problems_of
from lastmile.routing.problem import Break, Problem, Rates, Routes, Stop, VehicleShift
from lastmile.routing.solving import Progress, Solution, solve
from lastmile.routing.timing import Cost
from lastmile.routing.travel import GivenTravel, GreatCircleTravel, ServiceTravel, Travel, TravelMatrix

__all__ = [
    "Break", "Cause", "Change", "Comparison", "Cost", "Evaluation", "GivenTravel", "GreatCircleTravel", "MovedStop",
    "Obstacle", "PlannedRoute", "PlannedStop", "Problem", "Progress", "Rates", "Reason", "Routes", "ServiceTravel", "Solution", "Stop",
    "Travel", "TravelMatrix", "VehicleComparison", "VehicleShift", "Violation", "compare", "evaluate", "problems_of",
    "reasons_unserved", "solve",
]  # fmt: skip
