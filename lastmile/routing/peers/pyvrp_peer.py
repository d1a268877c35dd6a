"""PyVRP as a user would set it up: its own defaults, one type of vehicle for each kind, the warm plan to start from."""

from __future__ import annotations

import warnings

import pyvrp
from pyvrp.IteratedLocalSearch import IteratedLocalSearchCallbacks, IteratedLocalSearchParams
from pyvrp.search import NeighbourhoodParams

from lastmile.routing.peers.numbers import NEVER, Job, Numbers
from lastmile.routing.peers.task import PeerTask, Watch
from lastmile.routing.problem import Routes


def search(task: PeerTask, watch: Watch) -> None:
    """Search until the time is used up, and report each better plan.

    A plan from nothing must serve everyone, as PyVRP's own readers have it; where a plan is in force each stop has its
    price instead, for not all may be servable any more.
    """
    model = _Model(task.numbers, must_serve=task.start is None)
    start = None if task.start is None else model.solution(task.start)
    ils = IteratedLocalSearchParams(callbacks=_Listener(model, watch))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pyvrp.solve(
            model.data,
            stop=lambda _: watch.left <= 0,
            seed=task.seed + task.variant,
            collect_stats=False,
            params=pyvrp.SolveParams(ils=ils, neighbourhood=NeighbourhoodParams()),
            initial_solution=start,
        )


class _Listener(IteratedLocalSearchCallbacks):
    """Hears of each better solution."""

    def __init__(self, model: _Model, watch: Watch) -> None:
        self._model, self._watch, self._complete = model, watch, False

    def on_start(self, ils: pyvrp.IteratedLocalSearch) -> None:
        self.on_best(ils.initial_solution)

    def on_best(self, best: pyvrp.Solution) -> None:
        self._watch.found(self._model.routes(best))


class _Model:
    """The numbers as PyVRP's data, with the way back to stops and vehicles."""

    def __init__(self, numbers: Numbers, must_serve: bool) -> None:
        self.numbers = numbers
        self._depots = sorted({place for van in numbers.vans for place in (van.start, van.end)})
        self._kinds: dict[tuple, list[str]] = {}
        for van in numbers.vans:
            self._kinds.setdefault(van.kind, []).append(van.vehicle_id)
        self._client = {job.stop_id: number for number, job in enumerate(numbers.jobs)}
        costs, durations = numbers.costs.copy(), numbers.durations
        costs[numbers.forbidden] = numbers.prohibitive
        self.data = pyvrp.ProblemData(
            locations=[pyvrp.Location(x, y) for x, y in numbers.positions],
            clients=[self._new_client(job, must_serve or job.after is not None) for job in numbers.jobs],
            depots=[pyvrp.Depot(place) for place in self._depots],
            vehicle_types=[self._new_type(kind, len(ids)) for kind, ids in self._kinds.items()],
            distance_matrices=[costs],
            duration_matrices=[durations],
        )

    def _new_client(self, job: Job, required: bool) -> pyvrp.Client:
        return pyvrp.Client(
            job.place, list(job.load), service_duration=job.service, tw_early=job.opens, tw_late=job.closes,
            prize=0 if required else job.price, required=required,
        )  # fmt: skip

    def _new_type(self, kind: tuple, count: int) -> pyvrp.VehicleType:
        start, end, ready, due, room = kind
        return pyvrp.VehicleType(
            count, [min(one, NEVER) for one in room], self._depots.index(start), self._depots.index(end),
            tw_early=ready, tw_late=due,
        )  # fmt: skip

    def solution(self, routes: Routes) -> pyvrp.Solution:
        """A plan as PyVRP's solution."""
        kinds = {one: number for number, ids in enumerate(self._kinds.values()) for one in ids}
        rows = [(kinds[vehicle_id], [self._client[one] for one in row]) for vehicle_id, row in routes.items() if row]
        return pyvrp.Solution(self.data, [pyvrp.Route(self.data, row, kind) for kind, row in rows])

    def routes(self, solution: pyvrp.Solution) -> dict[str, tuple[str, ...]]:
        """PyVRP's solution as a plan; vehicles of one kind are named in order."""
        free = [list(ids) for ids in self._kinds.values()]
        jobs = self.numbers.jobs
        found = {}
        for route in solution.routes():
            row = tuple(jobs[visit.idx].stop_id for visit in route if visit.is_client())
            found[free[route.vehicle_type()].pop(0)] = row
        return found
