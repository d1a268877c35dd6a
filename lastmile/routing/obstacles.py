"""Which vehicle may serve which stop, and what is wrong with a stop before anything is solved."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from lastmile.routing.problem import Problem, Stop, VehicleShift, has_position
from lastmile.routing.wording import amount, clock, names


class Cause(StrEnum):
    """Why a stop is not served, or what a route breaks."""

    NO_POSITION = "no_position"
    WINDOW_REVERSED = "window_reversed"
    BAD_NUMBER = "bad_number"
    NO_VEHICLE = "no_vehicle"
    SKILL = "skill"
    NOT_ALLOWED = "not_allowed"
    GOODS_ELSEWHERE = "goods_elsewhere"
    CAPACITY = "capacity"
    WINDOW = "window"
    SHIFT = "shift"
    BREAK = "break"
    NOT_WORTH_IT = "not_worth_it"
    NO_SINGLE_CHANGE = "no_single_change"


@dataclass(frozen=True)
class Obstacle:
    """One thing that stands between a stop and being served, with words for people."""

    cause: Cause
    words: str


def problems_of(problem: Problem) -> dict[str, Obstacle]:
    """What makes a stop impossible whatever the plan, by stop_id; a stop that is not named can be tried."""
    found = {stop.stop_id: impossible(problem, index) for index, stop in enumerate(problem.stops)}
    return {stop_id: obstacle for stop_id, obstacle in found.items() if obstacle is not None}


def impossible(problem: Problem, index: int) -> Obstacle | None:
    """The first thing that makes this stop impossible, or None."""
    stop = problem.stops[index]
    for check in (_bad_value, _nobody_to_serve):
        obstacle = check(problem, stop)
        if obstacle is not None:
            return obstacle
    able = [problem.vehicles[v] for v in np.flatnonzero(eligible(problem)[:, index])]
    if stop.stop_id in problem.committed_to:
        return None
    return _too_large(problem, stop, able) or _too_late(problem, index)


def eligible(problem: Problem) -> np.ndarray:
    """True where vehicle (row) may serve stop (column) by skills, permissions and where the goods are."""
    cached = problem.__dict__.get("_eligible")
    if cached is None:
        rows = [[barred(problem, vehicle, stop) is None for stop in problem.stops] for vehicle in problem.vehicles]
        cached = np.array(rows, dtype=bool).reshape(len(problem.vehicles), len(problem.stops))
        problem.__dict__["_eligible"] = cached
    return cached


def barred(problem: Problem, vehicle: VehicleShift, stop: Stop) -> Cause | None:
    """Why this vehicle may not serve this stop, or None where it may; a committed stop is beyond doubt."""
    committed = problem.committed_to.get(stop.stop_id)
    if committed is not None:
        return None if committed == vehicle.vehicle_id else Cause.GOODS_ELSEWHERE
    if not stop.required_skills <= vehicle.skills:
        return Cause.SKILL
    if vehicle.vehicle_id in stop.forbidden_vehicles:
        return Cause.NOT_ALLOWED
    if stop.allowed_vehicles is not None and vehicle.vehicle_id not in stop.allowed_vehicles:
        return Cause.NOT_ALLOWED
    return Cause.GOODS_ELSEWHERE if _goods_elsewhere(problem, vehicle, stop) else None


def pinned_to(problem: Problem, stop: Stop) -> str | None:
    """The only vehicle that may serve a stop which is not transferable."""
    return None if stop.transferable else problem.holder.get(stop.stop_id, stop.present_vehicle_id)


def _goods_elsewhere(problem: Problem, vehicle: VehicleShift, stop: Stop) -> bool:
    pin = pinned_to(problem, stop)
    if pin is not None:
        return pin != vehicle.vehicle_id
    return vehicle.departed and not stop.pickup and stop.stop_id not in vehicle.loaded_stop_ids


def _bad_value(problem: Problem, stop: Stop) -> Obstacle | None:
    if not has_position(stop):
        return Obstacle(Cause.NO_POSITION, "it has no valid position; correct its address")
    if stop.opens is not None and stop.closes is not None and stop.closes < stop.opens:
        hours = f"opens {clock(stop.opens, problem.zone)}, closes {clock(stop.closes, problem.zone)}"
        return Obstacle(Cause.WINDOW_REVERSED, f"its window ends before it starts ({hours})")
    if stop.serves_until < stop.serves_from:
        return Obstacle(Cause.WINDOW_REVERSED, "its window is shorter than its service")
    wrong = [name for name, value in _numbers(stop).items() if value is not None and not 0 <= value < math.inf]
    return Obstacle(Cause.BAD_NUMBER, f"not a valid amount: {names(wrong)}") if wrong else None


def _numbers(stop: Stop) -> dict[str, float | None]:
    return {
        "service time": stop.service_seconds,
        "price per late minute": stop.price_per_late_minute,
        "price of not serving": stop.price_of_not_serving,
        **stop.demand,
    }


def _nobody_to_serve(problem: Problem, stop: Stop) -> Obstacle | None:
    if not problem.vehicles:
        return Obstacle(Cause.NO_VEHICLE, "no vehicle is on shift")
    causes = [barred(problem, vehicle, stop) for vehicle in problem.vehicles]
    if None in causes:
        return None
    if set(causes) == {Cause.SKILL}:
        return Obstacle(Cause.SKILL, _missing_skill(problem, stop))
    if Cause.GOODS_ELSEWHERE in causes:
        return Obstacle(Cause.GOODS_ELSEWHERE, _where_goods_are(problem, stop))
    return Obstacle(Cause.NOT_ALLOWED, "no vehicle on shift that could serve it is allowed to")


def _missing_skill(problem: Problem, stop: Stop) -> str:
    missing = [skill for skill in sorted(stop.required_skills) if not any(skill in v.skills for v in problem.vehicles)]
    if missing:
        return f"no vehicle has the skill {names(missing)}"
    return f"no single vehicle has all of {names(sorted(stop.required_skills))}"


def _where_goods_are(problem: Problem, stop: Stop) -> str:
    pin = pinned_to(problem, stop)
    if pin is not None and pin not in problem.vehicle_index:
        return f"its goods are on {pin}, which is not on shift; hand them over first"
    if pin is not None:
        return f"its goods are on {pin}, which may not serve it; hand them over first"
    return "every vehicle that may serve it has left the depot without its goods"


def _too_large(problem: Problem, stop: Stop, able: list[VehicleShift]) -> Obstacle | None:
    for dimension, wanted in stop.demand.items():
        room = {v.vehicle_id: whole_capacity(problem, v, dimension) for v in able}
        best = max(room, key=room.__getitem__)
        if wanted > room[best] and all(stop.stop_id not in v.loaded_stop_ids for v in able):
            needed, largest = amount(wanted, dimension), amount(room[best], dimension)
            words = f"no vehicle that may serve it is large enough for {needed}: the largest, {best}, holds {largest}"
            return Obstacle(Cause.CAPACITY, words)
    return None


def _too_late(problem: Problem, index: int) -> Obstacle | None:
    stop = problem.stops[index]
    if stop.price_per_late_minute is not None or math.isinf(stop.serves_until):
        return None
    arrivals = earliest_arrivals(problem, index)
    vehicle_id = min(arrivals, key=arrivals.__getitem__)
    if arrivals[vehicle_id] <= stop.serves_until:
        return None
    closes, soonest = clock(stop.closes, problem.zone), clock(arrivals[vehicle_id], problem.zone)
    words = f"its window closes at {closes}, before any vehicle can serve it: the earliest is {vehicle_id} at {soonest}"
    return Obstacle(Cause.WINDOW, words)


def earliest_arrivals(problem: Problem, index: int) -> dict[str, float]:
    """When each vehicle that may serve the stop would be there if it drove straight to it, epoch seconds."""
    able = np.flatnonzero(eligible(problem)[:, index])
    drive = problem.matrix.mean
    return {
        problem.vehicles[v].vehicle_id: problem.ready_at(v) + float(drive[problem.start_of(v), index]) for v in able
    }


def whole_capacity(problem: Problem, vehicle: VehicleShift, dimension: str) -> float:
    """Room in an empty vehicle beside what stays on board; infinite where no limit is known.

    What is on a vehicle fits on it: where the goods loaded exceed the stated capacity, they are the capacity.
    """
    stated = vehicle.capacity.get(dimension)
    if stated is None:
        return math.inf
    loaded = [problem.stop_index.get(stop_id) for stop_id in vehicle.loaded_stop_ids]
    on_board = sum(
        problem.stops[i].demand.get(dimension, 0) for i in loaded if i is not None and not problem.stops[i].pickup
    )
    return max(stated - vehicle.load_on_board.get(dimension, 0), on_board)
