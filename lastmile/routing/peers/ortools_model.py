"""A problem as OR-Tools' routing model: money as integers, seconds since the instant."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from ortools.constraint_solver import pywrapcp

from lastmile.routing.obstacles import eligible, problems_of
from lastmile.routing.problem import Problem
from lastmile.routing.shifts import Break
from lastmile.routing.timing import RouteTimer

MONEY = 1_000_000
"""Units in one unit of currency: a second of a driver's hour is still some thousands of them."""

LOAD = 1_000
"""Units in one kg, m3 or piece; demands are rounded up, room down."""

PRICE_LIMIT = 1_000_000.0
"""No single price in the model is larger, so that sums stay far from the integers' end."""


class RoutingModel:
    """OR-Tools' model of a problem, with the way back from its indexes to stops and vehicles.

    Not said in it, and left to the evaluator: the minimum charge of a rate card, an overtime hour cheaper than an hour
    of the shift (taken to cost the same), and the anchor of arrival windows where a driver rests between arrival and
    service (the start of service is taken). So the two may differ in cost; of what is feasible this one is stricter.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.timer = RouteTimer(problem)
        impossible = problems_of(problem)
        self.stops = [i for i, stop in enumerate(problem.stops) if stop.stop_id not in impossible]
        fleet = range(len(problem.vehicles))
        self.places = self.stops + [problem.start_of(v) for v in fleet] + [problem.end_of(v) for v in fleet]
        first_start, first_end = len(self.stops), len(self.stops) + len(fleet)
        starts, ends = [first_start + v for v in fleet], [first_end + v for v in fleet]
        self.manager = pywrapcp.RoutingIndexManager(len(self.places), len(fleet), starts, ends)
        self.model = pywrapcp.RoutingModel(self.manager)
        self.solver = self.model.solver()
        self._index_of = {stop: self.manager.NodeToIndex(node) for node, stop in enumerate(self.stops)}
        self._price_distance()
        self._set_clock()
        self._set_breaks()
        self._set_loads()
        self._set_service()
        self._set_commitments()

    def _matrix(self, of_problem: np.ndarray) -> np.ndarray:
        return of_problem[np.ix_(self.places, self.places)].astype(float)

    def _is_stop(self) -> np.ndarray:
        return np.arange(len(self.places)) < len(self.stops)

    def _price_distance(self) -> None:
        km, known = self._matrix(self.problem.matrix.km), {}
        for vehicle, shift in enumerate(self.problem.vehicles):
            rates = shift.rates
            prices = (rates.per_km, rates.per_stop)
            if prices not in known:
                arcs = km * rates.per_km * MONEY + self._is_stop()[None, :] * rates.per_stop * MONEY
                known[prices] = self.model.RegisterTransitMatrix(np.rint(arcs).astype(np.int64).tolist())
            self.model.SetArcCostEvaluatorOfVehicle(known[prices], vehicle)
            self.model.SetFixedCostOfVehicle(0 if shift.in_use else _money(rates.per_day), vehicle)
            self.model.SetVehicleUsedWhenEmpty(shift.in_use, vehicle)

    def _set_clock(self) -> None:
        service = np.zeros(len(self.places))
        service[: len(self.stops)] = [math.ceil(self.timer.terms.service[stop]) for stop in self.stops]
        transit = (self._matrix(self.problem.matrix.mean) + service[:, None]).astype(np.int64)
        horizon = max(
            [0, *(math.ceil(self._since(at)) for at in [*self.timer.terms.must_end, *self.timer.terms.ready])]
        )
        self.model.AddDimension(
            self.model.RegisterTransitMatrix(transit.tolist()), 2 * horizon, 2 * horizon, False, "clock"
        )
        self.clock = self.model.GetDimensionOrDie("clock")
        self.service = service.astype(np.int64)
        for stop in self.stops:
            self._set_window(stop)
        for vehicle in range(len(self.problem.vehicles)):
            self._set_shift(vehicle)

    def _since(self, at: float) -> float:
        return at - self.problem.instant

    def _set_window(self, stop: int) -> None:
        index, price = self._index_of[stop], self.timer.terms.late_price[stop]
        opens, closes = self._since(self.timer.terms.opens[stop]), self._since(self.timer.terms.closes[stop])
        variable = self.clock.CumulVar(index)
        if opens > 0:
            variable.SetMin(min(math.ceil(opens), variable.Max()))
        if math.isinf(closes):
            return
        if price is None:
            variable.SetMax(math.floor(closes))
        else:
            self.clock.SetCumulVarSoftUpperBound(index, max(0, math.floor(closes)), _money(price / 60))

    def _set_shift(self, vehicle: int) -> None:
        shift, rates = self.problem.vehicles[vehicle], self.problem.vehicles[vehicle].rates
        start, end = self.model.Start(vehicle), self.model.End(vehicle)
        ready = math.ceil(self._since(self.timer.terms.ready[vehicle]))
        must_end = math.floor(self._since(max(self.timer.terms.must_end[vehicle], self.timer.terms.ready[vehicle])))
        self.clock.CumulVar(start).SetMin(ready)
        if shift.in_use:
            self.clock.CumulVar(start).SetMax(ready)
        self.clock.CumulVar(end).SetMax(max(must_end, ready))
        self.clock.SetSpanCostCoefficientForVehicle(_money(rates.per_hour / 3600), vehicle)
        extra = max(0, _money(rates.per_overtime_hour / 3600) - _money(rates.per_hour / 3600))
        if extra:
            regular = max(0, math.floor(self._since(max(shift.shift_end, self.timer.terms.ready[vehicle]))))
            self.clock.SetCumulVarSoftUpperBound(end, regular, extra)

    def _set_breaks(self) -> None:
        visits = self.service.tolist()
        by_index = [
            visits[self.manager.IndexToNode(i)] if i < self.model.Size() else 0 for i in range(self.model.Size())
        ]
        for vehicle, pauses in enumerate(self.timer.terms.pauses):
            if pauses:
                intervals = [self._interval(pause, f"break {number} {vehicle}") for number, pause in enumerate(pauses)]
                self.clock.SetBreakIntervalsOfVehicle(intervals, vehicle, by_index)
                for before, after in pairwise(intervals):
                    self.solver.Add(after.StartsAfterEnd(before))

    def _interval(self, pause: Break, name: str) -> pywrapcp.IntervalVar:
        earliest = math.ceil(self._since(pause.earliest))
        latest = earliest if math.isinf(pause.latest) else math.floor(self._since(pause.latest))
        return self.solver.FixedDurationIntervalVar(
            earliest, max(earliest, latest), math.ceil(pause.seconds), False, name
        )

    def _set_loads(self) -> None:
        for name in self.problem.dimensions:
            rooms = [self.timer.terms.room[vehicle][name] for vehicle in range(len(self.problem.vehicles))]
            if any(not math.isinf(room) for room in rooms):
                self._set_load(name, [_room(room) for room in rooms])

    def _set_load(self, name: str, rooms: list[int]) -> None:
        wanted = [self._wanted(place, name) for place in self.places]
        pickups = [self._is_pickup(place) and amount > 0 for place, amount in zip(self.places, wanted, strict=True)]
        if not any(pickups) or all(p or not w for p, w in zip(pickups, wanted, strict=True)):
            self._add_dimension(f"load {name}", wanted, rooms, True)
            return
        brought = [0 if pickup else amount for amount, pickup in zip(wanted, pickups, strict=True)]
        changes = [amount if pickup else -amount for amount, pickup in zip(wanted, pickups, strict=True)]
        total = self._add_dimension(f"brought {name}", brought, rooms, True)
        on_board = self._add_dimension(f"load {name}", changes, rooms, False)
        for vehicle in range(len(rooms)):
            at_start = on_board.CumulVar(self.model.Start(vehicle))
            self.solver.Add(at_start == total.CumulVar(self.model.End(vehicle)))

    def _add_dimension(
        self, name: str, amounts: list[int], rooms: list[int], from_zero: bool
    ) -> pywrapcp.RoutingDimension:
        evaluator = self.model.RegisterUnaryTransitVector(amounts)
        self.model.AddDimensionWithVehicleCapacity(evaluator, 0, rooms, from_zero, name)
        return self.model.GetDimensionOrDie(name)

    def _wanted(self, place: int, name: str) -> int:
        return math.ceil(self.timer.terms.demand[name][place] * LOAD - 1e-6) if place < len(self.problem.stops) else 0

    def _is_pickup(self, place: int) -> bool:
        return place < len(self.problem.stops) and self.problem.stops[place].pickup

    def _set_service(self) -> None:
        able = eligible(self.problem)
        for stop in self.stops:
            index = self._index_of[stop]
            facts = self.problem.stops[stop]
            vehicles = np.flatnonzero(able[:, stop]).tolist()
            if len(vehicles) < len(self.problem.vehicles):
                # SetAllowedVehiclesForIndex takes no Python list in OR-Tools 9.15; the variable's domain says the same
                self.model.VehicleVar(index).SetValues([-1, *vehicles])
            if facts.stop_id not in self.problem.committed_to:
                self.model.AddDisjunction([index], _money(self.problem.price_of_not_serving(facts)))

    def _set_commitments(self) -> None:
        for vehicle, shift in enumerate(self.problem.vehicles):
            before = self.model.Start(vehicle)
            for stop_id in shift.committed_stop_ids:
                index = self._index_of[self.problem.stop_index[stop_id]]
                self.model.NextVar(before).SetValue(index)
                before = index

    def rows(self, routes: Mapping[str, Sequence[str]]) -> list[list[int]]:
        """A plan as OR-Tools reads it: routing indexes by vehicle."""
        position = self.problem.stop_index
        fleet = self.problem.vehicles
        return [[self._index_of[position[one]] for one in routes.get(v.vehicle_id, ())] for v in fleet]

    def current_routes(self) -> dict[str, tuple[str, ...]]:
        """The plan that the search stands at, inside a solution callback."""
        return {v.vehicle_id: self._current_row(i) for i, v in enumerate(self.problem.vehicles)}

    def _current_row(self, vehicle: int) -> tuple[str, ...]:
        row, index = [], self.model.NextVar(self.model.Start(vehicle)).Value()
        while not self.model.IsEnd(index):
            row.append(self.problem.stops[self.stops[self.manager.IndexToNode(index)]].stop_id)
            index = self.model.NextVar(index).Value()
        return tuple(row)


def _money(value: float) -> int:
    return round(min(value, PRICE_LIMIT) * MONEY)


def _room(value: float) -> int:
    return 2**40 if math.isinf(value) else max(0, math.floor(value * LOAD + 1e-6))
