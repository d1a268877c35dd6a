"""The middle of a day: any problem and a plan for it, at an instant when part of the plan is executed.

What is done is gone; each vehicle on the road is where it is and committed to the stop that it is at or drives to; one
vehicle has broken down and its stops come free; urgent orders have come in; roads are slower than planned for. The plan
in force is on the stops (`present_vehicle_id`, `present_position`). Goods may change vehicles.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, replace

import numpy as np

from lastmile.routing import (
    Evaluation,
    GivenTravel,
    PlannedRoute,
    Problem,
    Routes,
    Stop,
    TravelMatrix,
    VehicleShift,
    evaluate,
)

DONE_SHARE = 0.3
URGENT_SHARE = 0.05
SLOWER = 1.2
URGENT_SPANS = (0.25, 0.6)
"""An urgent order's window closes after a way straight from the depot and this share of what is left of the day."""


@dataclass(frozen=True)
class Midday:
    """A problem in the middle of the day, and how it came about from the plan of the morning.

    `done` are the stops whose service is over, `homeward` the vehicles that have nothing left, `broken` the one that
    broke down, `urgent` the new stops. Costs of what is done are the morning's less those of what is left of its plan.
    """

    problem: Problem
    done: tuple[str, ...]
    homeward: tuple[str, ...]
    broken: str | None
    urgent: tuple[str, ...]


def midday(
    problem: Problem,
    plan: Routes,
    seed: int,
    done_share: float = DONE_SHARE,
    urgent_share: float = URGENT_SHARE,
    slower: float = SLOWER,
    breakdown: bool = True,
) -> Midday:
    """The day at the instant when `done_share` of the planned stops are served."""
    return _Day(problem, evaluate(problem, plan), seed, done_share).midday(urgent_share, slower, breakdown)


@dataclass(frozen=True)
class _UnderWay:
    """A vehicle on the road: its stop next (or under service), and what is left of the way and the service."""

    vehicle: VehicleShift
    next_stop: str
    left_seconds: float
    left_km: float
    left_service: float
    lon: float
    lat: float


class _Day:
    """One day on its way to its middle."""

    def __init__(self, problem: Problem, morning: Evaluation, seed: int, done_share: float) -> None:
        self.morning_problem, self.morning, self.draw = problem, morning, random.Random(seed)
        ends = sorted(stop.departs_at for stop in morning.stops.values())
        self.instant = float(math.floor(ends[min(len(ends) - 1, int(done_share * len(ends)))]))
        self.left = {route.vehicle_id: self._left(route) for route in morning.routes}

    def _left(self, route: PlannedRoute) -> tuple[str, ...]:
        return tuple(stop.stop_id for stop in route.stops if stop.departs_at > self.instant)

    def midday(self, urgent_share: float, slower: float, breakdown: bool) -> Midday:
        broken = self._broken() if breakdown else None
        active = [route for route in self.morning.routes if self.left[route.vehicle_id] and route.vehicle_id != broken]
        under_way = {r.vehicle_id: self._under_way(r, slower) for r in active if r.departs_at < self.instant}
        open_ids = [stop_id for route in self.morning.routes for stop_id in self.left[route.vehicle_id]]
        kept = [self._kept(stop_id, broken, under_way) for stop_id in open_ids]
        sites = self._urgent_sites(max(1, round(urgent_share * len(open_ids))) if urgent_share else 0, slower)
        urgent = [self._urgent(number, site, slower) for number, site in enumerate(sites, 1)]
        fleet = [self._vehicle(route.vehicle_id, under_way.get(route.vehicle_id)) for route in active]
        places = [self.morning_problem.stop_index[stop_id] for stop_id in open_ids] + sites
        travel = self._travel(places, [v.vehicle_id for v in fleet], under_way, slower)
        problem = replace(
            self.morning_problem, stops=(*kept, *urgent), vehicles=tuple(fleet), instant=self.instant, travel=travel
        )
        used = [route.vehicle_id for route in self.morning.routes if route.stops]
        return Midday(
            problem=problem,
            done=tuple(one for one, stop in self.morning.stops.items() if stop.departs_at <= self.instant),
            homeward=tuple(one for one in used if not self.left[one]),
            broken=broken,
            urgent=tuple(stop.stop_id for stop in urgent),
        )

    def _broken(self) -> str | None:
        """One of the vehicles on the road that have much left to do; nobody where no other could take over."""
        if sum(bool(left) for left in self.left.values()) < 2:
            return None
        on_road = [route for route in self.morning.routes if route.departs_at < self.instant]
        most = sorted((r.vehicle_id for r in on_road if self.left[r.vehicle_id]), key=lambda v: -len(self.left[v]))
        return self.draw.choice(most[: max(1, len(most) // 2)]) if most else None

    def _under_way(self, route: PlannedRoute, slower: float) -> _UnderWay:
        vehicle = self.morning_problem.vehicles[self.morning_problem.vehicle_index[route.vehicle_id]]
        at = len(route.stops) - len(self.left[route.vehicle_id])
        stop = route.stops[at]
        left_at = route.stops[at - 1].departs_at if at else route.departs_at
        share = min(1.0, max(0.0, (stop.arrives_at - self.instant) / max(1e-9, stop.arrives_at - left_at)))
        come_from = self._stop(route.stops[at - 1].stop_id) if at else vehicle
        goes_to = self._stop(stop.stop_id)
        return _UnderWay(
            vehicle=vehicle,
            next_stop=stop.stop_id,
            left_seconds=math.ceil(share * stop.drive_seconds * slower - 1e-9),
            left_km=self._whole(share * stop.distance_km),
            left_service=min(goes_to.service_seconds, stop.departs_at - self.instant),
            lon=goes_to.lon + share * (come_from.lon - goes_to.lon),
            lat=goes_to.lat + share * (come_from.lat - goes_to.lat),
        )

    def _stop(self, stop_id: str) -> Stop:
        return self.morning_problem.stops[self.morning_problem.stop_index[stop_id]]

    def _whole(self, km: float) -> float:
        """Rounded where all distances are whole numbers, so that costs stay exact."""
        morning = self.morning_problem.matrix.km
        return float(round(km)) if np.array_equal(morning, np.rint(morning)) else km

    def _kept(self, stop_id: str, broken: str | None, under_way: dict[str, _UnderWay]) -> Stop:
        planned = self.morning.stops[stop_id]
        way = under_way.get(planned.vehicle_id)
        here = way is not None and way.next_stop == stop_id
        free = planned.vehicle_id == broken
        return replace(
            self._stop(stop_id),
            service_seconds=way.left_service if here else self._stop(stop_id).service_seconds,
            opens=None if here and self._begun(planned.service_starts_at) else self._stop(stop_id).opens,
            present_vehicle_id=None if free else planned.vehicle_id,
            present_position=None if free else planned.position,
        )

    def _begun(self, service_starts_at: float) -> bool:
        return service_starts_at <= self.instant

    def _vehicle(self, vehicle_id: str, way: _UnderWay | None) -> VehicleShift:
        if way is None:
            return self.morning_problem.vehicles[self.morning_problem.vehicle_index[vehicle_id]]
        return replace(
            way.vehicle,
            lon=way.lon,
            lat=way.lat,
            available_from=self.instant,
            in_use=True,
            committed_stop_ids=(way.next_stop,),
        )

    def _urgent_sites(self, count: int, slower: float) -> list[int]:
        """Customers of the morning who want a second visit, and who can still have one."""
        every = range(len(self.morning_problem.stops))
        able = [site for site in every if self._room(site, slower) > 0]
        return sorted(self.draw.sample(able, min(count, len(able))))

    def _room(self, site: int, slower: float) -> float:
        """How much later than a vehicle straight from the depot a visit may begin."""
        matrix, depot, home = self._depot()
        out, back = slower * float(matrix.mean[depot, site]), slower * float(matrix.mean[site, home])
        service = self.morning_problem.stops[site].service_seconds
        return self._day_ends() - self.instant - out - back - service - 2

    def _depot(self) -> tuple[TravelMatrix, int, int]:
        return self.morning_problem.matrix, self.morning_problem.start_of(0), self.morning_problem.end_of(0)

    def _day_ends(self) -> float:
        return max(vehicle.shift_end for vehicle in self.morning_problem.vehicles)

    def _urgent(self, number: int, site: int, slower: float) -> Stop:
        matrix, depot, _ = self._depot()
        straight = slower * float(matrix.mean[depot, site])
        span = self.draw.uniform(*URGENT_SPANS) * self._room(site, slower)
        return replace(
            self.morning_problem.stops[site],
            stop_id=f"U{number}",
            delivery_ids=(),
            opens=self.instant,
            closes=float(math.ceil(self.instant + straight + span)),
            present_vehicle_id=None,
            present_position=None,
        )

    def _travel(
        self, places: list[int], vehicle_ids: list[str], under_way: dict[str, _UnderWay], slower: float
    ) -> GivenTravel:
        """The morning's legs, slower; a vehicle under way comes to anything through the stop that it drives to."""
        morning, index = self.morning_problem.matrix, self.morning_problem.vehicle_index
        ways = [under_way.get(vehicle_id) for vehicle_id in vehicle_ids]
        starts = [
            self.morning_problem.start_of(index[vehicle_id]) if way is None else self._site(way)
            for vehicle_id, way in zip(vehicle_ids, ways, strict=True)
        ]
        ends = [self.morning_problem.end_of(index[vehicle_id]) for vehicle_id in vehicle_ids]
        rows = np.ix_([*places, *starts, *ends], [*places, *starts, *ends])
        seconds = np.ceil(morning.mean[rows].astype(float) * slower - 1e-6)
        km = morning.km[rows].astype(float)
        for number, way in enumerate(ways, len(places)):
            if way is not None:
                seconds[number, :] += way.left_seconds
                km[number, :] += way.left_km
                seconds[number, number] = km[number, number] = 0
        return GivenTravel(TravelMatrix(seconds, km))

    def _site(self, way: _UnderWay) -> int:
        return self.morning_problem.stop_index[way.next_stop]
