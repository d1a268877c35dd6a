"""Importing this loads the compiled search, and compiles it where that was never done (once, about a minute)."""

import time

from lastmile.routing import combining  # noqa: F401
from lastmile.routing.compiled import mark_ready
from lastmile.routing.kernel.kernel import Kernel
from lastmile.routing.problem import Problem
from lastmile.routing.shifts import VehicleShift
from lastmile.routing.stops import Stop

_stops = tuple(Stop(f"S{number}", number / 1000, 0, demand={"kg": 1}) for number in range(3))
_problem = Problem(_stops, (VehicleShift("V", 0, 0, 0, 86_400, end_lon=0, end_lat=0, capacity={"kg": 2}),), 0)
_kernel = Kernel(_problem, {"V": ("S0", "S1", "S2")}, 0)  # one too many: it is mended, too
_kernel.improve(time.monotonic() + 60, 3, 0, 1)
_kernel.figures(0, (0, 1))
mark_ready()
