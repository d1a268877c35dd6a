"""A large problem cut into areas: whole routes together with their neighbours, along other lines each time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lastmile.routing.obstacles import barred
from lastmile.routing.problem import RELOAD, Problem, Routes
from lastmile.routing.stops import Stop, has_position

SAME_START_SHARE = 0.1
"""Vehicles start from one depot where their starts spread over less than this share of the spread of the stops."""

GOLDEN_TURN = math.pi * (3 - math.sqrt(5))
"""By so much the lines turn each time: no direction comes back soon."""


@dataclass(frozen=True)
class Area:
    """Vehicles with all the stops of their routes, and stops without a route that lie among them."""

    vehicle_ids: tuple[str, ...]
    stop_ids: tuple[str, ...]


def areas(problem: Problem, routes: Routes, count: int, number: int) -> list[Area]:
    """The problem in `count` areas of about as many stops each, cut in the way of that number.

    Every other number cuts it around the depot like a cake, where there is one depot; the others halve it again and again
    across. Halves of a pair stay together, a stop that asks for certain vehicles goes where one of them is.
    """
    cut = _Cut(problem, routes, count)
    cut.place_routes_and_stops(number)
    cut.place_idle_vehicles(number)
    cut.place_particular_stops()
    return cut.areas()


class _Cut:
    """What lies in which area, as far as that is decided."""

    def __init__(self, problem: Problem, routes: Routes, count: int) -> None:
        self.problem, self.count = problem, count
        self.at = _flat([(s.lon, s.lat) if has_position(s) else (np.nan, np.nan) for s in problem.stops])
        self.starts = _flat([(vehicle.lon, vehicle.lat) for vehicle in problem.vehicles])
        index = problem.stop_index
        self.rows = [[index[one] for one in routes.get(v.vehicle_id, ()) if one != RELOAD] for v in problem.vehicles]
        self.area_of_vehicle = np.full(len(problem.vehicles), -1)
        self.area_of_stop = np.full(len(problem.stops), -1)
        self.middles = np.zeros((count, 2))
        self.weights = np.zeros(count)

    def place_routes_and_stops(self, number: int) -> None:
        routed = [vehicle for vehicle, row in enumerate(self.rows) if row]
        loose = self._anywhere({stop for row in self.rows for stop in row})
        points = np.array(
            [*(self._middle(row) for row in map(self.rows.__getitem__, routed)), *map(self._middle, loose)]
        ).reshape(-1, 2)
        weights = np.array([*(len(self.rows[vehicle]) for vehicle in routed), *map(len, loose)], dtype=float)
        labels = self._labels(points, weights, number)
        for vehicle, label in zip(routed, labels, strict=False):
            self.area_of_vehicle[vehicle] = label
            self.area_of_stop[self.rows[vehicle]] = label
        for stops, label in zip(loose, labels[len(routed) :], strict=True):
            self.area_of_stop[stops] = label
        for area in range(self.count):
            inside = labels == area
            self.weights[area] = weights[inside].sum()
            where = points[inside] if inside.any() else self.starts
            self.middles[area] = np.average(where, axis=0, weights=weights[inside] if inside.any() else None)

    def place_idle_vehicles(self, number: int) -> None:
        """Vehicles without stops go where stops are without a route, by their number, and each to the nearest such."""
        idle = np.flatnonzero(self.area_of_vehicle < 0)
        if not len(idle):
            return
        routed = {stop for row in self.rows for stop in row}
        loose = np.array([stop for stop in np.flatnonzero(self.area_of_stop >= 0) if stop not in routed], dtype=int)
        needs = np.bincount(self.area_of_stop[loose], minlength=self.count) if len(loose) else self.weights + 1
        left = _shares(len(idle), needs)
        idle = np.random.default_rng(number).permutation(idle)  # so that of one depot each area gets a mixture
        reach = np.hypot(*(self.starts[idle][:, None, :] - self.middles[None, :, :]).transpose(2, 0, 1))
        for flat in np.argsort(reach - reach.min(axis=1, keepdims=True), axis=None, kind="stable"):
            vehicle, area = divmod(int(flat), self.count)
            if self.area_of_vehicle[idle[vehicle]] < 0 and left[area] > 0:
                self.area_of_vehicle[idle[vehicle]] = area
                left[area] -= 1

    def place_particular_stops(self) -> None:
        """Stops that certain vehicles alone may serve: to the nearest area that has one of them."""
        for stop in np.flatnonzero(self.area_of_stop < 0):
            able = self._areas_able(self.problem.stops[stop])
            far = np.hypot(*(self.middles[able] - np.nan_to_num(self.at[stop])).T)
            self.area_of_stop[[stop, *self._partners(int(stop))]] = able[int(np.argmin(far))]

    def areas(self) -> list[Area]:
        """All areas that have stops or vehicles."""
        vehicle_ids = [vehicle.vehicle_id for vehicle in self.problem.vehicles]
        stop_ids = [stop.stop_id for stop in self.problem.stops]
        found = [
            Area(
                tuple(vehicle_ids[vehicle] for vehicle in np.flatnonzero(self.area_of_vehicle == area)),
                tuple(stop_ids[stop] for stop in np.flatnonzero(self.area_of_stop == area)),
            )
            for area in range(self.count)
        ]
        return [area for area in found if area.vehicle_ids or area.stop_ids]

    def _middle(self, stops: Sequence[int]) -> np.ndarray:
        return np.nan_to_num(self.at[list(stops)]).mean(axis=0)

    def _anywhere(self, routed: set[int]) -> list[list[int]]:
        """Stops without a route that any vehicle may serve, with the other half where one is of a pair."""
        found, seen, departed = [], set(routed), any(vehicle.departed for vehicle in self.problem.vehicles)
        for index, stop in enumerate(self.problem.stops):
            group = [index, *(one for one in self._partners(index) if one not in routed)]
            if index in seen or departed or any(_particular(self.problem, self.problem.stops[one]) for one in group):
                continue
            if any(one in routed for one in self._partners(index)) or not has_position(stop):
                continue
            seen.update(group)
            found.append(group)
        return found

    def _partners(self, index: int) -> list[int]:
        """The other half of a pair, where it is still to be placed or lies on a route."""
        stop, problem = self.problem.stops[index], self.problem
        partner = stop.collected_at or problem.collected_for.get(stop.stop_id)
        return [problem.stop_index[partner]] if partner in problem.stop_index else []

    def _areas_able(self, stop: Stop) -> np.ndarray:
        """The areas in which some vehicle may serve the stop, with its other half; all where there is none."""
        together = [int(self.area_of_stop[one]) for one in self._partners(self.problem.stop_index[stop.stop_id])]
        if together and together[0] >= 0:
            return np.array(together)
        able = [
            self.area_of_vehicle[index]
            for index, vehicle in enumerate(self.problem.vehicles)
            if self.area_of_vehicle[index] >= 0 and barred(self.problem, vehicle, stop) is None
        ]
        return np.unique(able) if able else np.arange(self.count)

    def _labels(self, points: np.ndarray, weights: np.ndarray, number: int) -> np.ndarray:
        if number % 2 == 0 and self._one_depot():
            away = points - self.starts.mean(axis=0)
            angle = (np.arctan2(away[:, 1], away[:, 0]) - number / 2 * GOLDEN_TURN) % (2 * math.pi)
            return _in_slices(angle, weights, self.count)
        return _halved(points, weights, self.count, number * GOLDEN_TURN / 2)

    def _one_depot(self) -> bool:
        return np.nanstd(self.starts, axis=0).max() < SAME_START_SHARE * np.nanstd(self.at, axis=0).max()


def _particular(problem: Problem, stop: Stop) -> bool:
    """Whether a stop may be served by certain vehicles alone."""
    asks = stop.required_skills or stop.forbidden_vehicles or stop.allowed_vehicles is not None
    return bool(asks) or not stop.transferable or problem.pin_of(stop).holds_vehicle


def _flat(places: list[tuple[float, float]]) -> np.ndarray:
    """Degrees as points on a plane, n × 2, in degrees of latitude."""
    points = np.array(places, dtype=float).reshape(-1, 2)
    middle = np.nanmean(points[:, 1]) if len(points) else 0.0
    points[:, 0] *= math.cos(math.radians(middle))
    return points


def _in_slices(order: np.ndarray, weights: np.ndarray, count: int) -> np.ndarray:
    """Labels 0 to `count` - 1 along an order, each with about the same weight."""
    ranks = np.argsort(order, kind="stable")
    reached = np.cumsum(weights[ranks]) - weights[ranks] / 2
    labels = np.empty(len(order), dtype=int)
    labels[ranks] = np.minimum(count - 1, (reached / max(1e-9, weights.sum()) * count).astype(int))
    return labels


def _halved(points: np.ndarray, weights: np.ndarray, count: int, angle: float) -> np.ndarray:
    """Labels 0 to `count` - 1: cut in two across an angle, each half across the other, and so on."""
    if count == 1 or not len(points):
        return np.zeros(len(points), dtype=int)
    along = points @ np.array([math.cos(angle), math.sin(angle)])
    ranks = np.argsort(along, kind="stable")
    reached = np.cumsum(weights[ranks]) - weights[ranks] / 2
    first = ranks[reached < weights.sum() * (count // 2) / count]
    labels = np.empty(len(points), dtype=int)
    rest = np.setdiff1d(np.arange(len(points)), first)
    labels[first] = _halved(points[first], weights[first], count // 2, angle + math.pi / 2)
    labels[rest] = count // 2 + _halved(points[rest], weights[rest], count - count // 2, angle + math.pi / 2)
    return labels


def _shares(whole: int, needs: np.ndarray) -> np.ndarray:
    """`whole` things shared out by need, the largest remainders first."""
    exact = whole * needs / max(1e-9, needs.sum()) if needs.sum() > 0 else np.full(len(needs), whole / len(needs))
    shares = np.floor(exact).astype(int)
    shares[np.argsort(shares - exact, kind="stable")[: whole - shares.sum()]] += 1
    return shares
