"""One search on its way: rounds handed out to workers, what they find judged by the evaluator, the best kept."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import wait
from concurrent.futures.process import BrokenProcessPool

from lastmile.routing.evaluating import Evaluation, evaluate
from lastmile.routing.explaining import PROBES, Reason, reasons_unserved
from lastmile.routing.policies import to_search
from lastmile.routing.problem import Problem, Routes
from lastmile.routing.rounds import Outcome, PoolRoute, Round, RouteFigures, Work
from lastmile.routing.schedule import LONGEST_SLICE_SECONDS, Phase, budgets, phases
from lastmile.routing.staying import Found, FoundPlans, stay_price
from lastmile.routing.timing import RouteTimer
from lastmile.routing.workers import Pending, Workers

LISTENING_SECONDS = 0.05
"""How often a running search looks whether it is cancelled, and reports that it lives."""

GRACE_SECONDS = 0.8
"""How long after its time a round is waited for."""


class Search:
    """A problem, the best plan for it so far, and how it came about."""

    def __init__(
        self,
        problem: Problem,
        seconds: float,
        seed: int,
        iterations: int | None,
        lanes: int | None,
        workers: Workers,
        cancelled: Callable[[], bool],
    ) -> None:
        self.problem, self.searched = problem, to_search(problem)
        self.seconds, self.seed, self.limit = seconds, seed, iterations
        self.workers, self.cancelled = workers, cancelled
        self.lanes = lanes or 0
        self.key = uuid.uuid4().hex
        self.timer = RouteTimer(problem)
        self.search_timer = self.timer if self.searched is problem else RouteTimer(self.searched)
        self.began = time.monotonic()
        self.until = self.began + seconds
        self.routes, self.best = self._as_it_can_be_driven()
        self.first_plan_cost, self.first_plan_seconds = self.best.cost.total, 0.0
        self.iterations, self.engine, self.notes = 0, "repair", []
        self.stopped, self.stay_price = False, 0.0
        self._plans = FoundPlans(Found(self.routes, self.best, self.engine))
        self.frontier: list[tuple[int, float, Routes]] = []
        self._pool: dict[PoolRoute, RouteFigures] = {}

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.began

    def run(self, told: Callable[[str], None], frontier: bool) -> None:
        """Search until the time is used up or it is cancelled."""
        if not self.problem.stops or not self.problem.vehicles:
            told("first plan")
            return
        try:
            if not workers_ready(self.workers, self._told_to_stop, told):
                return
            self.lanes, self.until = self.lanes or self.workers.count, time.monotonic() + self.seconds
            self._first_plan(told)
            if self.seconds > 0 and not self.stopped:
                self._search(told, frontier and self._has_plan_in_force())
        except BrokenProcessPool as error:
            self.notes.append(f"The search stopped early ({error}); the best plan until then is kept.")

    @property
    def best_cost(self) -> float:
        return self.best.cost.total

    @property
    def travel_source(self) -> str:
        return self.problem.matrix.source

    def explained(self) -> Mapping[str, Reason]:
        """A reason for each stop that is not served."""
        probes = PROBES // 10 if self.stopped else PROBES  # who cancels a search waits for nothing
        return reasons_unserved(self.problem, self.routes, self.timer, probes)

    def judged(self) -> Evaluation:
        """The best plan by the problem as it was given."""
        return self.best if self.searched is self.problem else evaluate(self.problem, self.routes, self.timer)

    def _as_it_can_be_driven(self) -> tuple[Routes, Evaluation]:
        """The plan in force without the routes that break a limit: of those, what their vehicles are committed to."""
        routes = dict(self.searched.plan_in_force())
        plan = evaluate(self.searched, routes, self.search_timer)
        broken = {one.vehicle_id for one in plan.violations}
        if not broken:
            return routes, plan
        for vehicle in self.searched.vehicles:
            if vehicle.vehicle_id in broken:
                routes[vehicle.vehicle_id] = vehicle.committed_stop_ids
        return routes, evaluate(self.searched, routes, self.search_timer)

    def _has_plan_in_force(self) -> bool:
        return any(stop.present_vehicle_id is not None for stop in self.problem.stops)

    def _first_plan(self, told: Callable[[str], None]) -> None:
        start, began = self.searched.plan_in_force(), time.monotonic()
        task = Round(self.key, self.searched, Work.REPAIR, start, self.seed, 0.0)
        for outcome in self._outcomes([self.workers.submit(task)], lambda: told("getting ready"), wait=float("inf")):
            self._offer(outcome.routes, "repair")
        self.first_plan_cost, self.first_plan_seconds = self.best.cost.total, time.monotonic() - began
        if self._has_plan_in_force():
            self.stay_price = stay_price(self.best)
        told("first plan")

    def _search(self, told: Callable[[str], None], frontier: bool) -> None:
        present: list[Routes] = [self.routes] * self.lanes
        begins = time.monotonic()
        span = max(0.0, self.until - begins)
        for number, phase in enumerate(phases(self.seconds, frontier)):
            if self.stopped:
                return
            ends = begins + phase.ends * span
            if phase.work == Work.IMPROVE:
                self._improve(phase, number, present, ends, told)
            elif phase.work == Work.COMBINE:
                self._combine(number, ends, told)
                present = [self.routes] * self.lanes
            else:
                self._trace_frontier(ends, told)

    def _improve(
        self, phase: Phase, number: int, present: list[Routes], ends: float, told: Callable[[str], None]
    ) -> None:
        """Each lane rebuilds from where it stands, slice by slice, until the phase ends."""
        began, under_way, slices = time.monotonic(), {}, dict.fromkeys(range(self.lanes), 0)
        done: dict[int, Outcome] = {}

        def go_on(lane: int) -> None:
            left = ends - time.monotonic()
            if self.limit is not None:
                if slices[lane]:
                    return
            elif left <= 0.03:
                return
            task = self._slice(phase, number * 1000 + slices[lane] * self.lanes + lane, present[lane], began, ends)
            slices[lane] += 1
            under_way[lane] = self.workers.submit(task)

        for lane in range(self.lanes):
            go_on(lane)
        while under_way and not self._told_to_stop():
            listen(list(under_way.values()))
            for lane in [lane for lane, pending in under_way.items() if pending.done()]:
                outcome = under_way[lane].outcome()
                if outcome is None:
                    continue
                del under_way[lane]
                present[lane] = outcome.present
                if self.limit is None:
                    self._take_in(outcome)
                    go_on(lane)
                else:
                    done[lane] = outcome
            told("improving")
            if self.limit is None and time.monotonic() > ends + GRACE_SECONDS:
                break
        for pending in under_way.values():
            pending.give_up()
        for lane in sorted(done):  # in order, so that of two plans as good it is always the same one that is kept
            self._take_in(done[lane])

    def _slice(self, phase: Phase, number: int, start: Routes, began: float, ends: float) -> Round:
        now = time.monotonic()
        seconds = ends - now
        if seconds > LONGEST_SLICE_SECONDS * 1.5:
            seconds = LONGEST_SLICE_SECONDS

        def cooled(at: float) -> float:
            return phase.first + (phase.last - phase.first) * min(1.0, (at - began) / max(1e-6, ends - began))

        whole = self.limit is not None
        return Round(
            self.key,
            self.searched,
            Work.IMPROVE,
            start,
            self.seed * 7919 + number,
            seconds,
            self._share_of_rounds(phase) if whole else None,
            phase.first if whole else cooled(now),
            phase.last if whole else cooled(now + seconds),
            self.stay_price,
        )

    def _share_of_rounds(self, phase: Phase) -> int:
        return max(1, round(self.limit * (phase.ends - phase.begins)))

    def _combine(self, number: int, ends: float, told: Callable[[str], None]) -> None:
        """The best plan that the routes of all lanes make together."""
        seconds = max(0.1, ends - time.monotonic())
        task = Round(
            self.key,
            self.searched,
            Work.COMBINE,
            self.routes,
            self.seed * 7919 + number,
            seconds,
            stay_price=self.stay_price,
            pool=self._pool,
            rounds=self.limit,
        )
        wait = float("inf") if self.limit is not None else seconds + GRACE_SECONDS
        for outcome in self._outcomes([self.workers.submit(task)], lambda: told("combining"), wait):
            self._offer(outcome.routes, "rebuilding and OR-Tools")
        told("combining")

    def _trace_frontier(self, ends: float, told: Callable[[str], None]) -> None:
        """The cheapest plan for each of several numbers of moved stops, the lanes sharing them out."""
        sought = budgets(len(self.best.changes.moved))
        seconds = max(0.1, ends - time.monotonic())
        tasks = [
            Round(
                self.key, self.searched, Work.FRONTIER, self.routes, self.seed * 7919 + 5000 + lane, seconds,
                budgets=sought[lane :: self.lanes],
                rounds=None if self.limit is None else max(1, self.limit // max(1, 4 * len(sought))),
            )
            for lane in range(self.lanes)
            if sought[lane :: self.lanes]
        ]  # fmt: skip
        pending = [self.workers.submit(task) for task in tasks]
        wait = float("inf") if self.limit is not None else seconds + GRACE_SECONDS
        outcomes = self._outcomes(pending, lambda: told("looking for plans that change less"), wait)
        for _, routes in sorted((one for outcome in outcomes for one in outcome.frontier), key=lambda one: one[0]):
            self._offer(routes, "rebuilding")
        self.frontier = [(one.moved, one.evaluation.cost.total, one.routes) for one in self._plans.falling()]

    def _outcomes(self, pending: list[Pending], told: Callable[[], None], wait: float) -> Iterable[Outcome]:
        """What each round came to, as they end; what is not there in time is given up."""
        until = time.monotonic() + wait
        while pending and not self._told_to_stop() and time.monotonic() < until:
            listen(pending)
            told()
            for one in [one for one in pending if one.done()]:
                outcome = one.outcome()
                if outcome is not None:
                    pending.remove(one)
                    yield outcome
        for one in pending:
            one.give_up()

    def _told_to_stop(self) -> bool:
        self.stopped = self.stopped or self.cancelled()
        return self.stopped

    def _take_in(self, outcome: Outcome) -> None:
        self.iterations += outcome.rounds
        self._pool.update(outcome.pool)
        self._offer(outcome.routes, "rebuilding")

    def _offer(self, routes: Mapping[str, tuple[str, ...]], engine: str) -> None:
        """Take a plan in, as the evaluator finds it."""
        offered = Found(dict(routes), evaluate(self.searched, routes, self.search_timer), engine)
        self._plans.offer(offered)
        best = self._plans.chosen(self.stay_price)
        self.routes, self.best, self.engine = best.routes, best.evaluation, best.engine


def workers_ready(workers: Workers, told_to_stop: Callable[[], bool], told: Callable[[str], None]) -> bool:
    """Wait until rounds can be run, and say what for; False where the search is told to stop before."""
    ready = workers.warm()
    while not told_to_stop():
        if wait([ready], LISTENING_SECONDS).done:
            ready.result()
            return True
        told(workers.stage)
    return False


def listen(pending: list[Pending]) -> None:
    """Wait a moment for one of several rounds."""
    if not any(one.done() for one in pending):
        pending[0].wait(LISTENING_SECONDS)
