"""A search for a problem that is too large for one: parts beside each other, then cut anew along other lines."""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

from lastmile.routing.areas import Area
from lastmile.routing.evaluating import Evaluation, evaluate
from lastmile.routing.explaining import Reason
from lastmile.routing.obstacles import Cause
from lastmile.routing.parts import (
    Part,
    Parting,
    as_committed,
    merged,
    portion,
    with_all_else_unserved,
    with_whole_pairs,
)
from lastmile.routing.policies import to_search
from lastmile.routing.problem import Problem
from lastmile.routing.rounds import Outcome, Round, Work
from lastmile.routing.searching import GRACE_SECONDS, listen, workers_ready
from lastmile.routing.staying import STAY_SHARE
from lastmile.routing.workers import Workers

LARGEST_WHOLE = 1_000
"""Stops up to which a problem is searched as one. Measured in ten seconds on two cores: with 1,000 stops and times that vary over
the day, parts of 500 came to 4.5 % less than the whole, with 2,000 to 8 % less; with distance alone the two were as good."""

STOPS_OF_A_PART = 500
"""About how many stops a part has."""

MOST_CUTS = 6
LEAST_SECONDS_OF_A_PART = 1.5
"""How often a problem is cut at most, and how long each part is searched at least for each cut."""

CUTS_BY_WORK = 3
"""How often it is cut where work and not time is the limit."""

LONGEST_SLICE_SECONDS = 3.0
"""A part is searched so long at a time at most, so that a cancelled search frees its processes soon."""


@dataclass
class PartUnderWay:
    """A part with its best plan so far, what the evaluator says of that, and how often it was searched in this cut."""

    part: Part
    key: str
    evaluation: Evaluation
    slices: int = 0

    @property
    def routes(self) -> dict[str, tuple[str, ...]]:
        return {route.vehicle_id: route.order for route in self.evaluation.routes}


class PartedSearch:
    """A large problem, the best plan for it so far, and how it came about; it answers as `searching.Search` does."""

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
        self.workers, self.cancelled, self.lanes = workers, cancelled, lanes
        self.began = time.monotonic()
        self.until = self.began + seconds
        self.count = math.ceil(len(problem.stops) / STOPS_OF_A_PART)
        self.parting = Parting(self.searched)
        parts = self.parting.parts(with_whole_pairs(self.searched, self.searched.plan_in_force()), self.count, 0)
        self.parts = [PartUnderWay(part, _key(), _committed(part)) for part in parts]
        self.first_plan_cost, self.first_plan_seconds = self.best_cost, 0.0
        self.iterations, self.engine, self.notes, self.frontier = 0, "repair", [], []
        self.stopped, self.stay_price, self.travel_source = False, 0.0, ""
        self.reasons: dict[str, Reason] = {}
        self._judged: Evaluation | None = None

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.began

    @property
    def best_cost(self) -> float:
        return sum(one.evaluation.cost.total for one in self.parts)

    @property
    def routes(self) -> dict[str, tuple[str, ...]]:
        found = {vehicle_id: row for one in self.parts for vehicle_id, row in one.routes.items()}
        return {vehicle.vehicle_id: found[vehicle.vehicle_id] for vehicle in self.problem.vehicles}

    def run(self, told: Callable[[str], None], frontier: bool) -> None:
        """Search until the time is used up or it is cancelled."""
        if frontier:
            self.notes.append(f"What each further change would buy is told for up to {LARGEST_WHOLE:,} stops.")
        try:
            if workers_ready(self.workers, self._told_to_stop, told):
                self.until = time.monotonic() + self.seconds
                self._first_plan(told)
                self._improve(told)
                self._explain(told)
        except BrokenProcessPool as error:
            self.notes.append(f"The search stopped early ({error}); the best plan until then is kept.")

    def judged(self) -> Evaluation:
        """The best plan by the problem as it was given: what the evaluator says of its parts, added up."""
        if self._judged is None:
            self._judged = merged(self.problem, [one.evaluation for one in self.parts])
        return self._judged

    def explained(self) -> Mapping[str, Reason]:
        """A reason for each stop that is not served."""
        words = "the search ended before it was tried anywhere"
        untold = {one: Reason(one, Cause.NO_SINGLE_CHANGE, words) for one in self.judged().unserved}
        return {one: self.reasons.get(one, reason) for one, reason in untold.items()}

    def _first_plan(self, told: Callable[[str], None]) -> None:
        began, kept = time.monotonic(), set()
        tasks = ((one, self._round(one, Work.REPAIR, 0.0)) for one in self.parts)
        for one, outcome in self._outcomes(tasks, lambda: told("getting ready")):
            one.evaluation = outcome.judged.evaluation
            kept |= outcome.judged.kept
            self.travel_source = outcome.judged.travel_source
        if self.stopped:
            return
        self.parting.kept = frozenset(kept)
        self.first_plan_cost, self.first_plan_seconds = self.best_cost, time.monotonic() - began
        if any(stop.present_vehicle_id is not None for stop in self.problem.stops):
            costs = [one.evaluation.cost for one in self.parts]
            served = sum(len(one.evaluation.stops) for one in self.parts)
            self.stay_price = STAY_SHARE * sum(cost.total - cost.not_served for cost in costs) / max(1, served)
        told("first plan")

    def _improve(self, told: Callable[[str], None]) -> None:
        """Search all parts, then cut the plan that they make along other lines, and again."""
        cuts, begins = self._cuts(), time.monotonic()
        for number in range(cuts):
            if self.stopped or (self.limit is None and self.until - time.monotonic() < 0.1):
                return
            if number:
                self._cut(number)
            ends = begins + (self.until - begins) * (number + 1) / cuts
            self._search_parts(number, cuts, ends, told)

    def _cuts(self) -> int:
        if self.limit is not None:
            return min(CUTS_BY_WORK, self.limit)
        of_a_part = max(0.0, self.until - time.monotonic()) * self.workers.count / len(self.parts)
        return int(min(MOST_CUTS, max(1, of_a_part // LEAST_SECONDS_OF_A_PART)))

    def _cut(self, number: int) -> None:
        whole = merged(self.searched, [one.evaluation for one in self.parts])
        parts = self.parting.parts(self.routes, self.count, number, whole.changes)
        self.parts = [PartUnderWay(part, _key(), portion(whole, part.problem)) for part in parts]

    def _search_parts(self, number: int, cuts: int, ends: float, told: Callable[[str], None]) -> None:
        """Every part once or, where there is time for it, several times in turn; by several lanes where cores are left."""
        lanes = self.lanes or (1 if self.limit is not None else max(1, self.workers.count // len(self.parts)))
        share = max(0.0, ends - time.monotonic()) * self.workers.count / (lanes * len(self.parts))
        slices = 1 if self.limit is not None else max(1, math.ceil(share / LONGEST_SLICE_SECONDS))

        def tasks() -> Iterable[tuple[PartUnderWay, Round]]:
            for turn in range(slices):
                for one in [one for one in self.parts for _ in range(lanes)]:
                    seconds = min(share / slices, ends - time.monotonic())
                    if self.limit is not None or seconds > 0.05:
                        first, last = (number + turn / slices) / cuts, (number + (turn + 1) / slices) / cuts
                        yield one, self._round(one, Work.IMPROVE, seconds, cuts, first, last)

        wait = None if self.limit is not None else ends + GRACE_SECONDS
        found: list[tuple[PartUnderWay, Outcome]] = []
        for one, outcome in self._outcomes(tasks(), lambda: told(f"improving {len(self.parts)} areas"), wait):
            if self.limit is None:
                self._take_in(one, outcome)
            else:
                found.append((one, outcome))
        for one, outcome in sorted(found, key=lambda pair: str(pair[1].routes)):  # the same of two as good, each time
            self._take_in(one, outcome)

    def _take_in(self, one: PartUnderWay, outcome: Outcome) -> None:
        self.iterations += outcome.rounds
        if self._objective(outcome.judged.evaluation) < self._objective(one.evaluation):
            one.evaluation, self.engine = outcome.judged.evaluation, "rebuilding by area"

    def _explain(self, told: Callable[[str], None]) -> None:
        """Why stops are not served, and what serving all breaks: by the problem as it was given."""
        given = self.searched is self.problem
        asked = [one for one in self.parts if one.evaluation.unserved or not given]
        if self.stopped or not asked:
            return
        parting, routes = Parting(self.problem), self.routes
        parting.kept = self.parting.kept
        if not given:
            for one in self.parts:
                area = Area(tuple(one.part.problem.vehicle_index), tuple(one.part.problem.stop_index))
                one.part, one.key = parting.part(area, routes, self.problem.budget), _key()
        tasks = ((one, self._round(one, Work.EXPLAIN, 0.0)) for one in asked)
        for one, outcome in self._outcomes(tasks, lambda: told("finding reasons")):
            one.evaluation = outcome.judged.evaluation
            self.reasons |= outcome.judged.reasons

    def _round(
        self, one: PartUnderWay, work: Work, seconds: float, cuts: int = 1, first: float = 0.0, last: float = 1.0
    ) -> Round:
        one.slices += 1
        start = one.part.routes if work == Work.REPAIR else one.routes
        rounds = None if self.limit is None else max(1, self.limit // cuts)
        seed = self.seed * 7919 + self.parts.index(one) * 101 + one.slices + round(first * 1e6)
        return Round(
            one.key, one.part.problem, work, start, seed, seconds, rounds, first, last, self.stay_price, judge=True
        )

    def _outcomes(
        self, tasks: Iterable[tuple[PartUnderWay, Round]], told: Callable[[], None], until: float | None = None
    ) -> Iterable[tuple[PartUnderWay, Outcome]]:
        """What each round came to, as they end; no more are handed out than there are workers."""
        tasks, under_way = iter(tasks), []
        while not self._told_to_stop():
            while len(under_way) < self.workers.count and (following := next(tasks, None)) is not None:
                under_way.append((following[0], self.workers.submit(following[1])))
            if not under_way or (until is not None and time.monotonic() > until):
                break
            listen([pending for _, pending in under_way])
            told()
            for one, pending in [pair for pair in under_way if pair[1].done()]:
                outcome = pending.outcome()
                if outcome is not None:
                    under_way.remove((one, pending))
                    yield one, outcome
        for _, pending in under_way:
            pending.give_up()

    def _objective(self, plan: Evaluation) -> tuple[int, float, float]:
        return (len(plan.violations), plan.excess, plan.cost.total + self.stay_price * len(plan.changes.moved))

    def _told_to_stop(self) -> bool:
        self.stopped = self.stopped or self.cancelled()
        return self.stopped


def _key() -> str:
    return uuid.uuid4().hex


def _committed(part: Part) -> Evaluation:
    """What the vehicles of a part are committed to, everything else not served."""
    small = as_committed(part)
    return with_all_else_unserved(part.problem, evaluate(small.problem, small.routes))
