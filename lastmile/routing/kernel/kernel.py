"""A problem and a plan in compiled code, and what to do with them: repair, insert, improve."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from lastmile.routing.kernel import plan as plans
from lastmile.routing.kernel import ruin, search
from lastmile.routing.kernel.clock import EXACT, RELOADS, scratch_for
from lastmile.routing.kernel.places import PLACE, TRIED_HARDER
from lastmile.routing.kernel.sheet import sheet_of
from lastmile.routing.kernel.structs import CompiledPlan, CompiledScratch, CompiledSheet
from lastmile.routing.problem import RELOAD, Problem
from lastmile.routing.timing import RouteTimer

FIRST_HEAT, LAST_HEAT = 0.3, 0.02
"""How much dearer a round may leave the plan, as a share of the cost of a mean stop, at the beginning and the end."""

CHUNK_SECONDS = 0.03
"""How long compiled code runs before it looks at the clock and at the call to stop."""


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
        self._begin(routes, seed, stay_price)

    def again(self, routes: Mapping[str, Sequence[str]], seed: int, stay_price: float = 0.0) -> Kernel:
        """The same problem from another plan."""
        self._begin(routes, seed, stay_price)
        return self

    def _begin(self, routes: Mapping[str, Sequence[str]], seed: int, stay_price: float) -> None:
        self.plan = plans.plan_for(self.sheet, self._allowed_rows(routes), seed)
        self.plan.total["stay_price"] = stay_price
        self._plan = CompiledPlan(*self.plan)
        self._scratch = CompiledScratch(*scratch_for(self.sheet, self.plan.rows.shape[1]))
        self._found, self._keys = np.zeros(TRIED_HARDER, dtype=PLACE), np.zeros(max(1, len(self.sheet.stops)))
        plans.begin_all(self._sheet, self._plan, self._scratch)
        self._lighten()
        self.insert_absent()

    @property
    def cost(self) -> float:
        """What the plan costs, what is not served included, the wish to stay put too."""
        return float(self.plan.total["cost"][0])

    @property
    def best_cost(self) -> float:
        return float(self.plan.total["best_cost"][0])

    @property
    def rounds(self) -> int:
        return int(self.plan.total["rounds"][0])

    def insert_absent(self) -> None:
        """Put each stop that is in no route where it costs least, if it is worth it, and keep the plan as the best."""
        plans.begin_round(self._plan)
        self.plan.absent[: self._absent()] = self._hardest_first()
        search.recreate(self._sheet, self._plan, self._scratch, self._found, self._keys, False)
        self.plan.total["cost"] = search.objective(self._sheet, self._plan)
        plans.keep_best(self._sheet, self._plan)

    def improve(
        self, until: float, rounds: int | None, first: float, last: float, told: Callable[[], bool] = lambda: False
    ) -> None:
        """Ruin and recreate until an instant (monotonic seconds), for so many rounds, or until `told` answers true.

        `first` and `last` are how far the whole search is (0 to 1) at the beginning and the end of this call: it cools
        from the one to the other.
        """
        if not len(self.sheet.free):
            return
        began, done, size = time.monotonic(), 0, 20
        while (rounds is None or done < rounds) and time.monotonic() < until and not told():
            now = time.monotonic()
            share = done / rounds if rounds is not None else (now - began) / max(1e-9, until - began)
            count = size if rounds is None else min(size, rounds - done)
            heat = self.heat(first + (last - first) * share)
            search.improve(self._sheet, self._plan, self._scratch, self._found, self._keys, count, heat, 1.0)
            done += count
            if rounds is None:
                spent = max(1e-6, time.monotonic() - now)
                size = int(min(2000, max(1, size * min(4.0, CHUNK_SECONDS / spent))))

    def heat(self, share: float) -> float:
        """Money by which a round may leave the plan dearer, for how far the search is."""
        mean = max(1e-9, abs(self.best_cost)) / max(1, len(self.sheet.stops))
        return mean * FIRST_HEAT * (LAST_HEAT / FIRST_HEAT) ** share

    def routes(self) -> dict[str, tuple[str, ...]]:
        """The best plan so far, with ids."""
        return self._named(self.plan.best_rows, self.plan.best_counts)

    def present_routes(self) -> dict[str, tuple[str, ...]]:
        """The plan that the search stands at, with ids."""
        return self._named(self.plan.rows, self.plan.routes["count"])

    def _named(self, rows: np.ndarray, counts: np.ndarray) -> dict[str, tuple[str, ...]]:
        ids = [*(stop.stop_id for stop in self.problem.stops), RELOAD]
        fleet = zip(self.problem.vehicles, rows, counts, strict=True)
        return {vehicle.vehicle_id: tuple(ids[item] for item in row[:count]) for vehicle, row, count in fleet}

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
