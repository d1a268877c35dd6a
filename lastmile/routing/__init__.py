"""Routing: a problem in, a plan out. No database, no screen.

`solve(problem, seconds, seed)` is the door; `evaluate`, `compare`, `reasons_unserved`, `reasons_late` and
`try_alternative` judge any plan, a person's too.
"""

from lastmile.routing.alternatives import (
    Alternative,
    KeepOrder,
    MoveStop,
    PutFirst,
    SwapStops,
    TakeOut,
    try_alternative,
)
from lastmile.routing.changes import Changes
from lastmile.routing.comparing import Change, Comparison, MovedStop, VehicleComparison, compare
from lastmile.routing.cost import Cost
from lastmile.routing.evaluating import Evaluation, PlannedRoute, PlannedStop, Violation, evaluate
from lastmile.routing.explaining import Reason, reasons_late, reasons_unserved
from lastmile.routing.obstacles import Cause, Obstacle, problems_of
from lastmile.routing.problem import RELOAD, ChangeBudget, FairShare, Freedom, Policy, Problem, Routes
from lastmile.routing.remedies import Remedy
from lastmile.routing.shifts import Break, Rates, VehicleShift
from lastmile.routing.solving import FrontierPoint, Progress, Solution, solve, solve_many
from lastmile.routing.stops import Pin, Stop
from lastmile.routing.travel import GivenTravel, GreatCircleTravel, Travel, TravelMatrix
from lastmile.routing.workers import Workers

__all__ = [
    "RELOAD", "Alternative", "Break", "Cause", "Change", "ChangeBudget", "Changes", "Comparison", "Cost", "Evaluation",
    "FairShare", "Freedom", "FrontierPoint", "GivenTravel", "GreatCircleTravel", "KeepOrder", "MoveStop", "MovedStop", "Obstacle",
    "Pin", "PlannedRoute", "PlannedStop", "Policy", "Problem", "Progress", "PutFirst", "Rates", "Reason", "Remedy",
    "Routes", "Solution", "Stop", "SwapStops", "TakeOut", "Travel", "TravelMatrix", "VehicleComparison",
    "VehicleShift", "Violation", "Workers", "compare", "evaluate", "problems_of", "reasons_late", "reasons_unserved", "solve",
    "solve_many",
    "try_alternative",
]  # fmt: skip
