"""A problem's terms as plain lists, one entry a stop or a vehicle: what both the evaluator and the engines start from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np

from lastmile.model import WindowSemantics
from lastmile.routing.obstacles import whole_capacity
from lastmile.routing.problem import Problem
from lastmile.routing.shifts import Break
from lastmile.routing.stops import Stop

EXACT_SECONDS = 1e-3
"""Times count from 1970, to within a millionth of a second: what is later by less than this is on time."""

SLACK = 2 * EXACT_SECONDS
"""By how much each further break may begin late where those before it leave it no second, so that it never misses its turn."""

ALWAYS = ((-math.inf, math.inf),)
"""The windows of a stop that may be served at any time."""


class Terms:
    """What stops ask for and vehicles allow, without ids; times in epoch seconds, money in the problem's currency.

    `late_price` None is a hard window, which what a vehicle is committed to no longer has. `inside` is the part of the
    service that its window must hold; `opens` and `closes` are the first and the last start of service that its windows
    allow at the usual pace. A break that is overdue is due at once, or right after the one before it; `pause_by` is when each
    must begin at the latest for those after it to begin in time.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        stops, fleet = problem.stops, problem.vehicles
        self.service = [stop.service_seconds for stop in stops]
        self.inside = [s.service_seconds if s.semantics == WindowSemantics.SERVICE_END else 0.0 for s in stops]
        self.windows = [stop.windows or ALWAYS for stop in stops]
        self.opens = [windows[0][0] - inside for windows, inside in zip(self.windows, self.inside, strict=True)]
        self.closes = [windows[-1][1] - inside for windows, inside in zip(self.windows, self.inside, strict=True)]
        self.by_arrival = [stop.semantics == WindowSemantics.ARRIVAL for stop in stops]
        self.committed = [stop.stop_id in problem.committed_to for stop in stops]
        self.late_price = [_late_price(problem, stop) for stop in stops]
        self.need_by = [math.inf if stop.need_by is None else stop.need_by for stop in stops]
        self.crew_price = [stop.crew_price_per_minute for stop in stops]
        self.accepts_from = [-math.inf if stop.accepts_from is None else stop.accepts_from for stop in stops]
        self.early_price = [stop.price_per_early_minute for stop in stops]
        self.released = [-math.inf if stop.released_at is None else stop.released_at for stop in stops]
        self.demand = {name: [stop.demand.get(name, 0) for stop in stops] for name in problem.dimensions}
        self.price_of_not_serving = [problem.price_of_not_serving(stop) for stop in stops]
        self.pace = [vehicle.service_pace for vehicle in fleet]
        self.ready = [problem.ready_at(index) for index in range(len(fleet))]
        self.room = [{d: whole_capacity(problem, v, d) for d in problem.dimensions} for v in fleet]
        self.must_end = [vehicle.must_end_by for vehicle in fleet]
        self.most_seconds = [_left(v.max_route_seconds, v.worked_seconds) for v in fleet]
        self.most_km = [_left(v.max_route_km, v.driven_km) for v in fleet]
        self.reloads = [vehicle.max_reloads for vehicle in fleet]
        self.pauses = [_pauses_due(v.pauses, ready) for v, ready in zip(fleet, self.ready, strict=True)]
        self.pause_by = [_pause_by(pauses) for pauses in self.pauses]

    @cached_property
    def collects(self) -> list[int]:
        """The stop that the goods collected here are brought to, -1 where the vehicle takes them home or it is none."""
        index, pairs = self.problem.stop_index, self.problem.collected_for
        return [index[pairs[stop.stop_id]] if stop.stop_id in pairs else -1 for stop in self.problem.stops]

    @cached_property
    def brings_from(self) -> list[int]:
        """The stop that the goods brought here are collected at, -1 where they come from the depot."""
        found = [-1] * len(self.collects)
        for collected, brought in enumerate(self.collects):
            if brought >= 0:
                found[brought] = collected
        return found

    @cached_property
    def from_depot(self) -> list[bool]:
        """True where a vehicle must have the goods on board when its trip begins."""
        return [not s.pickup and self.brings_from[i] < 0 for i, s in enumerate(self.problem.stops)]

    @cached_property
    def on_board(self) -> np.ndarray:
        """True where the goods of a stop (column) are on the vehicle (row) already."""
        found = np.zeros((len(self.problem.vehicles), len(self.problem.stops)), dtype=bool)
        for stop_id, vehicle_id in self.problem.holder.items():
            if stop_id in self.problem.stop_index and vehicle_id in self.problem.vehicle_index:
                found[self.problem.vehicle_index[vehicle_id], self.problem.stop_index[stop_id]] = True
        return found

    @cached_property
    def present_vehicle(self) -> list[int]:
        """The vehicle that the plan in force has each stop on, -1 where it has none of the problem's.

        A vehicle of another part of a larger problem has a number beyond the vehicles of this one.
        """
        numbers = self.problem.numbers_of_vehicles
        return [numbers.get(stop.present_vehicle_id or "", -1) for stop in self.problem.stops]

    @cached_property
    def holder(self) -> list[int]:
        """The vehicle that holds the goods of each stop, numbered likewise, -1 where none does."""
        numbers, holder = self.problem.numbers_of_vehicles, self.problem.holder
        return [numbers.get(holder.get(stop.stop_id, ""), -1) for stop in self.problem.stops]

    @cached_property
    def pinned_rank(self) -> list[int]:
        """The place of each stop among those of its vehicle whose order is pinned, -1 where it is free."""
        here = {stop_id: i for row in self.problem.plan_in_force().values() for i, stop_id in enumerate(row)}
        order = {**self.problem.whole.order, **here}
        return [order.get(s.stop_id, -1) if self.problem.pin_of(s).holds_order else -1 for s in self.problem.stops]


def _late_price(problem: Problem, stop: Stop) -> float | None:
    price = stop.price_per_late_minute
    return 0.0 if price is None and stop.stop_id in problem.committed_to else price


def _left(most: float | None, used: float) -> float:
    return math.inf if most is None else max(0.0, most - used)


def _pauses_due(pauses: Sequence[Break], ready: float) -> tuple[Break, ...]:
    due: list[Break] = []
    for number, pause in enumerate(pauses):
        earliest = max(pause.earliest, ready)
        due.append(replace(pause, earliest=earliest, latest=max(earliest + number * SLACK, pause.latest)))
        ready = earliest + pause.seconds
    return tuple(due)


def _pause_by(pauses: Sequence[Break]) -> tuple[float, ...]:
    found, next_by = [], math.inf
    for pause in reversed(pauses):
        next_by = min(pause.latest, next_by - pause.seconds - EXACT_SECONDS)
        found.append(next_by)
    return tuple(reversed(found))
