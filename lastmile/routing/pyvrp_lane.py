"""The lane that searches with PyVRP: iterated local search from the plan given, in rounds."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import pyvrp
from pyvrp.IteratedLocalSearch import (
    IteratedLocalSearch,
    IteratedLocalSearchCallbacks,
    IteratedLocalSearchParams,
)
from pyvrp.search import (
    OPERATORS,
    LocalSearch,
    NeighbourhoodParams,
    PerturbationManager,
    PerturbationParams,
    compute_neighbours,
)

from lastmile.routing.problem import Problem, Routes
from lastmile.routing.pyvrp_fleet import Fleet
from lastmile.routing.pyvrp_limits import suits
from lastmile.routing.pyvrp_model import PyvrpModel, risky_stops, timed_routes
from lastmile.routing.pyvrp_penalties import GENTLE, STRICT, Penalties

REPORT_SECONDS = 0.1
"""Plans are reported no more often; the last one is in the outcome."""

POOL_ROUTES = 2_000
"""Good routes kept, the newest."""


@dataclass(frozen=True)
class Outcome:
    """What a round of a lane came to: the best routes found, work done, what to go on with, and good routes seen.

    `routes` are stop_ids with RELOAD between trips, by vehicle_id; `memory` is for the same lane's next round; `pool`
    holds distinct (vehicle_id, stop_ids), the newest last; `note` is a sentence for people, or empty.
    """

    routes: dict[str, tuple[str, ...]]
    iterations: int
    memory: object | None = None
    pool: tuple[tuple[str, tuple[str, ...]], ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Memory:
    """What the lane knows from the rounds before: its penalties, and stops that were late or unserved (indexes)."""

    multiples: tuple[float, ...]
    at_risk: frozenset[int]


def search(
    problem: Problem,
    start: Routes,
    seconds: float,
    seed: int,
    iterations: int | None,
    memory: object | None,
    report: Callable[[Routes], None],
    stopped: Callable[[], bool],
) -> Outcome:
    """Improve a plan for so many seconds, or iterations where those are given; then the same seed, the same plan.

    An even seed begins with gentle penalties, an odd one with strict ones: neither wins everywhere. `routes` of the
    outcome are the start where nothing better by PyVRP's own account was found; that account may differ from the
    evaluator's by what `unsaid` tells.
    """
    until = time.monotonic() + seconds
    if not suits(problem):
        return Outcome(dict(start), 0, memory, note="PyVRP takes no part: it can't say what matters in this problem.")
    fleet = _fleet_of(problem)
    if not fleet.stops or not fleet.kinds:
        return Outcome(dict(start), 0, memory)
    known = memory if isinstance(memory, Memory) else None
    timed = timed_routes(fleet, start)
    at_risk = risky_stops(problem, timed) | (known.at_risk if known else frozenset())
    model = _model_of(fleet, at_risk)
    penalties = Penalties(fleet, STRICT if seed % 2 else GENTLE, known.multiples if known else None)
    listener = _Listener(model, report)
    first = model.solution(timed)
    algorithm = _algorithm(model, penalties, first, seed, listener)
    found = algorithm.run(_Stop(until, iterations, stopped), collect_stats=False)
    better = found.best is not first and found.best.is_feasible()
    return Outcome(
        model.routes(found.best) if better else dict(start),
        found.num_iterations,
        Memory(penalties.multiples, model.at_risk),
        tuple(listener.pool.values())[-POOL_ROUTES:],
    )


_cached: dict[str, object] = {}
"""The last problem's fleet and model: a lane's rounds are about one problem, and building them takes a while."""


def _fleet_of(problem: Problem) -> Fleet:
    fleet = _cached.get("fleet")
    if not isinstance(fleet, Fleet) or fleet.problem is not problem:
        _cached.clear()
        _cached["fleet"] = fleet = Fleet(problem)
    return fleet


def _model_of(fleet: Fleet, at_risk: frozenset[int]) -> PyvrpModel:
    model = _cached.get("model")
    if not isinstance(model, PyvrpModel) or model.fleet is not fleet or model.at_risk != at_risk:
        _cached["model"] = model = PyvrpModel(fleet, at_risk)
    return model


def _algorithm(
    model: PyvrpModel, penalties: Penalties, first: pyvrp.Solution, seed: int, listener: _Listener
) -> IteratedLocalSearch:
    neighbours = compute_neighbours(model.data, NeighbourhoodParams())
    local = LocalSearch(
        model.data, pyvrp.RandomNumberGenerator(seed), neighbours, PerturbationManager(PerturbationParams())
    )
    for operator in OPERATORS:
        if operator.supports(model.data):
            local.add_operator(operator(model.data))
    parameters = IteratedLocalSearchParams(callbacks=listener)
    return IteratedLocalSearch(model.data, penalties, local, first, parameters)


class _Stop:
    """PyVRP asks this before each iteration; `stopped` is asked too, and both take well under 0.1 s."""

    def __init__(self, until: float, iterations: int | None, stopped: Callable[[], bool]) -> None:
        self.until, self.left, self.stopped = until, iterations, stopped

    def __call__(self, _: int) -> bool:
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                return True
        return time.monotonic() >= self.until or self.stopped()


class _Listener(IteratedLocalSearchCallbacks):
    """Reports better plans and keeps their routes."""

    def __init__(self, model: PyvrpModel, report: Callable[[Routes], None]) -> None:
        self.model, self.report, self.reported_at = model, report, 0.0
        self.pool: dict[tuple[int, ...], tuple[str, tuple[str, ...]]] = {}

    def on_best(self, best: pyvrp.Solution) -> None:
        if not best.is_feasible():
            return
        self._keep(best)
        if time.monotonic() - self.reported_at >= REPORT_SECONDS:
            self.report(self.model.routes(best))
            self.reported_at = time.monotonic()

    def _keep(self, best: pyvrp.Solution) -> None:
        for route in best.routes():
            key = (route.vehicle_type(), route.distance(), route.duration(), route.num_clients())
            if key not in self.pool:
                self.pool[key] = self.model.named_route(route)
