"""A problem and a plan in compiled code, and what to do with them: repair, insert, improve."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from lastmile.routing.kernel import plan as plans
from lastmile.routing.kernel import ruin, search
from lastmile.routing.kernel.clock import judge
from lastmile.routing.kernel.driving import EXACT, RELOADS, scratch_for
from lastmile.routing.kernel.places import BLINK, PLACE, TRIED_HARDER
from lastmile.routing.kernel.sheet import sheet_of
from lastmile.routing.kernel.structs import CompiledPlan, CompiledScratch, CompiledSheet
from lastmile.routing.problem import RELOAD, Problem
from lastmile.routing.rounds import PoolRoute, RouteFigures
from lastmile.routing.timing import RouteTimer

FIRST_HEAT, LAST_HEAT = 1.0, 0.01
"""How much dearer a round may leave the plan, as a share of the cost of a mean stop, at the beginning and the end. Of nine
pairs from 0.1 to 4 and from 0.001 to 0.05, the best on seven mid-day and three static cases of 150 to 1,000 stops, with 8,000
to 15,000 rounds and two seeds each."""

CHUNK_SECONDS = 0.03
"""How long compiled code runs before it looks at the clock, and its routes are kept to be combined."""

POOL_ROUTES = 6_000
"""Good routes kept of one round, the newest."""


class Kernel:
    """One plan of one problem on its way to a better one; deterministic by seed for a given number of rounds.

    Holds `rows`: items by vehicle, stops as indexes, RELOADS between trips.
    """

    def __init__(
        self, problem: Problem, routes: Mapping[str, Sequence[str]], seed: int, stay_price: float = 0.0
    ) -> None:
        self.problem = problem
        self.timer = RouteTimer(problem)
        self.sheet = sheet_of(self.timer)
        self._sheet = CompiledSheet(*self.sheet)
        served = self.sheet.stops["committed"].copy()
        served[self.sheet.free] = True
        self._hopeless = float(self.sheet.stops["price"][~served].sum())
        self._begin(routes, seed, stay_price)

    @contextlib.contextmanager
    def most_moved(self, budget: int) -> Iterator[None]:
        """Hold plans to so many stops that change vehicle, if the problem does not hold them to fewer."""
        whole = self.sheet.whole
        before = int(whole["most_moved"][0])
        whole["most_moved"] = min(before, budget)
        try:
            yield
        finally:
            whole["most_moved"] = before

    def again(self, routes: Mapping[str, Sequence[str]], seed: int, stay_price: float = 0.0) -> Kernel:
        """The same problem from another plan."""
        self._begin(routes, seed, stay_price)
        return self

    def _begin(self, routes: Mapping[str, Sequence[str]], seed: int, stay_price: float) -> None:
        self.plan = plans.plan_for(self.sheet, self._allowed_rows(routes), seed)
        self.plan.total["stay_price"] = self.stay_price = stay_price
        self.pool: dict[PoolRoute, RouteFigures] = {}
        self._plan = CompiledPlan(*self.plan)
        self._scratch = CompiledScratch(*scratch_for(self.sheet, self.plan.rows.shape[1]))
        self._found, self._keys = np.zeros(TRIED_HARDER, dtype=PLACE), np.zeros(max(1, len(self.sheet.stops)))
        plans.begin_all(self._sheet, self._plan, self._scratch)
        self._lighten()
        self.insert_absent()
        driven = float(self.plan.routes["cost"].sum())
        self._mean_cost = max(1e-6, driven) / max(1, len(self.sheet.stops) - self._absent())

    @property
    def cost(self) -> float:
        """What the plan costs, what is not served included, the wish to stay put too."""
        return float(self.plan.total["cost"][0]) + self._hopeless

    @property
    def best_cost(self) -> float:
        return float(self.plan.total["best_cost"][0]) + self._hopeless

    @property
    def rounds(self) -> int:
        return int(self.plan.total["rounds"][0])

    def insert_absent(self) -> None:
        """Put each stop that is in no route where it costs least, if it is worth it, and keep the plan as the best."""
        plans.begin_round(self._plan)
        self.plan.total["blinks"] = 0.0
        self.plan.absent[: self._absent()] = self._hardest_first()
        search.recreate(self._sheet, self._plan, self._scratch, self._found, self._absent())
        self.plan.total["cost"] = search.objective(self._sheet, self._plan)
        plans.keep_best(self._sheet, self._plan)

    def improve(
        self,
        until: float,
        rounds: int | None,
        first: float,
        last: float,
        unwanted: Callable[[], bool] = lambda: False,
    ) -> None:
        """Ruin and recreate until an instant (monotonic seconds), or for so many rounds where those are given, or until
        it is `unwanted`.

        `first` and `last` are how far the whole search is (0 to 1) at the beginning and the end of this call: it cools
        from the one to the other.
        """
        if not len(self.sheet.free):
            return
        began, done, size = time.monotonic(), 0, 20
        self.plan.total["blinks"] = BLINK
        while ((time.monotonic() < until) if rounds is None else (done < rounds)) and not unwanted():
            now = time.monotonic()
            share = done / rounds if rounds is not None else (now - began) / max(1e-9, until - began)
            count = size if rounds is None else min(size, rounds - done)
            heat = self.heat(first + (last - first) * share)
            search.improve(self._sheet, self._plan, self._scratch, self._found, self._keys, count, heat)
            self._keep_routes()
            done += count
            if rounds is None:
                spent = max(1e-6, time.monotonic() - now)
                size = int(min(5000, max(1, size * min(4.0, CHUNK_SECONDS / spent))))

    def _keep_routes(self) -> None:
        for vehicle in np.flatnonzero(self.plan.routes["count"]):
            route = self.plan.routes[vehicle]
            key = (int(vehicle), tuple(self.plan.rows[vehicle, : route["count"]].tolist()))
            if key not in self.pool and route["excess"] <= EXACT:
                figures = (float(route["cost"]), int(route["moved"]), int(route["broken"]), int(route["goods"]))
                self.pool[key] = RouteFigures(*figures)
        while len(self.pool) > POOL_ROUTES:
            self.pool.pop(next(iter(self.pool)))

    def best_rows(self) -> list[tuple[int, ...]]:
        """The items of each vehicle in the best plan."""
        counts = self.plan.best_counts.tolist()
        return [tuple(row[:count].tolist()) for row, count in zip(self.plan.best_rows, counts, strict=True)]

    def figures(self, vehicle: int, items: Sequence[int]) -> RouteFigures:
        """What a route costs and changes."""
        row = np.array([*items, RELOADS], dtype=np.int32)
        _, cost, moved, broken, goods = judge(self._sheet, self._scratch, vehicle, row, len(items))
        return RouteFigures(cost, moved, broken, goods)

    def heat(self, share: float) -> float:
        """Money by which a round may leave the plan dearer, for how far the search is."""
        return self._mean_cost * FIRST_HEAT * (LAST_HEAT / FIRST_HEAT) ** share

    def routes(self) -> dict[str, tuple[str, ...]]:
        """The best plan so far, with ids."""
        return self.named(self.best_rows())

    def present_routes(self) -> dict[str, tuple[str, ...]]:
        """The plan that the search stands at, with ids."""
        counts = self.plan.routes["count"].tolist()
        return self.named([tuple(row[:count].tolist()) for row, count in zip(self.plan.rows, counts, strict=True)])

    def named(self, rows: Sequence[Sequence[int]]) -> dict[str, tuple[str, ...]]:
        """A plan with ids from its items by vehicle."""
        ids = [*(stop.stop_id for stop in self.problem.stops), RELOAD]  # RELOADS is -1
        fleet = zip(self.problem.vehicles, rows, strict=True)
        return {vehicle.vehicle_id: tuple(ids[item] for item in row) for vehicle, row in fleet}

    def _absent(self) -> int:
        return int(self.plan.total["absent"][0])

    def _hardest_first(self) -> np.ndarray:
        absent = self.plan.absent[: self._absent()]
        closes = self.sheet.windows["closes"][self.sheet.stops["window_last"][absent]]
        return absent[np.lexsort((absent, closes, -self.sheet.stops["price"][absent]))]

    def _allowed_rows(self, routes: Mapping[str, Sequence[str]]) -> list[list[int]]:
        """The part of a plan that its vehicles may serve at all, commitments first and each stop once."""
        index, kept, seen = self.problem.stop_index, [], set()
        committed = self.problem.committed_to
        for vehicle, shift in enumerate(self.problem.vehicles):
            row = [index[stop_id] for stop_id in shift.committed_stop_ids]
            for stop_id in routes.get(shift.vehicle_id, ()):
                if stop_id == RELOAD:
                    row.append(RELOADS)
                elif stop_id not in committed and stop_id not in seen and self.sheet.allowed[vehicle, index[stop_id]]:
                    seen.add(stop_id)
                    row.append(index[stop_id])
            kept.append(row)
        return kept

    def _lighten(self) -> None:
        """Take stops out of routes that break a limit, the one whose leaving mends most first, until none does."""
        for vehicle in np.flatnonzero(self.plan.routes["excess"] > EXACT):
            while not ruin.mend_by_leaving(self._sheet, self._plan, self._scratch, vehicle):
                pass
        self._keep_budget()

    def _keep_budget(self) -> None:
        """A plan that changes more than it may begins again from the plan in force."""
        if search.over_budget(self._sheet, self._plan) and self.problem.budget.limited:
            self._begin_in_force()

    def _begin_in_force(self) -> None:
        stay, state = self.plan.total["stay_price"][0], int(self.plan.total["state"][0])
        self.plan = plans.plan_for(self.sheet, self._allowed_rows(self.problem.plan_in_force()), state)
        self.plan.total["stay_price"] = stay
        self._plan = CompiledPlan(*self.plan)
        plans.begin_all(self._sheet, self._plan, self._scratch)
        for vehicle in np.flatnonzero(self.plan.routes["excess"] > EXACT):
            while not ruin.mend_by_leaving(self._sheet, self._plan, self._scratch, vehicle):
                pass
