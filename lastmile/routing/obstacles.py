"""Which vehicle may serve which stop, and what is wrong with a stop before anything is solved."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from lastmile.model import WindowSemantics
from lastmile.routing.problem import Problem
from lastmile.routing.shifts import VehicleShift
from lastmile.routing.stops import Stop, has_position
from lastmile.routing.wording import amount, clock, names


class Cause(StrEnum):
    """Why a stop is not served, or what a route breaks."""

    NO_POSITION = "no_position"
    NO_WAY = "no_way"
    WINDOW_REVERSED = "window_reversed"
    BAD_NUMBER = "bad_number"
    NO_VEHICLE = "no_vehicle"
    SKILL = "skill"
    NOT_ALLOWED = "not_allowed"
    GOODS_ELSEWHERE = "goods_elsewhere"
    CAPACITY = "capacity"
    WINDOW = "window"
    SHIFT = "shift"
    ROUTE_TIME = "route_time"
    ROUTE_DISTANCE = "route_distance"
    RELOADS = "reloads"
    PAIR = "pair"
    ORDER = "order"
    CHANGES = "changes"
    NOT_WORTH_IT = "not_worth_it"
    NO_SINGLE_CHANGE = "no_single_change"


@dataclass(frozen=True)
class Obstacle:
    """One thing that stands between a stop and being served, with words for people."""

    cause: Cause
    words: str


def problems_of(problem: Problem) -> dict[str, Obstacle]:
    """What makes a stop impossible whatever the plan, by stop_id; a stop that is not named can be tried."""
    cached = problem.__dict__.get("_impossible")
    if cached is None:
        found = {stop.stop_id: impossible(problem, index) for index, stop in enumerate(problem.stops)}
        cached = {stop_id: obstacle for stop_id, obstacle in found.items() if obstacle is not None}
        problem.__dict__["_impossible"] = cached
    return cached


def impossible(problem: Problem, index: int) -> Obstacle | None:
    """The first thing that makes this stop impossible, or None."""
    return _alone(problem, index) or _as_a_pair(problem, index)


def _alone(problem: Problem, index: int) -> Obstacle | None:
    """What makes a stop impossible by itself, whatever becomes of the stop that it is paired with."""
    stop = problem.stops[index]
    obstacle = _bad_value(problem, stop) or _bad_pair(problem, stop) or _nobody_to_serve(problem, index)
    if obstacle is not None or stop.stop_id in problem.committed_to or not _doubtful(problem)[index]:
        return obstacle
    return _no_way(problem, index) or _too_large(problem, index) or _too_late(problem, index)


def eligible(problem: Problem) -> np.ndarray:
    """True where vehicle (row) may serve stop (column) by skills, permissions and where the goods are."""
    cached = problem.__dict__.get("_eligible")
    if cached is None:
        columns = [_eligible_for(problem, stop) for stop in problem.stops]
        cached = np.array(columns, dtype=bool).reshape(len(problem.stops), len(problem.vehicles)).T
        problem.__dict__["_eligible"] = cached
    return cached


def _eligible_for(problem: Problem, stop: Stop) -> np.ndarray | list[bool]:
    """Which vehicles may serve a stop; the many stops that ask for nothing special are told in one step."""
    asks = stop.required_skills or stop.forbidden_vehicles or stop.allowed_vehicles is not None
    stays = not stop.transferable or problem.pin_of(stop).holds_vehicle or stop.stop_id in problem.committed_to
    if not asks and not stays and not _any_departed(problem):
        return np.ones(len(problem.vehicles), dtype=bool)
    return [barred(problem, vehicle, stop) is None for vehicle in problem.vehicles]


def _any_departed(problem: Problem) -> bool:
    cached = problem.__dict__.get("_departed")
    if cached is None:
        cached = problem.__dict__["_departed"] = any(vehicle.departed for vehicle in problem.vehicles)
    return cached


def _doubtful(problem: Problem) -> np.ndarray:
    """True where a stop might be beyond every vehicle's reach or room by quick bounds, and must be looked at closely."""
    cached = problem.__dict__.get("_doubtful")
    if cached is None:
        cached = problem.__dict__["_doubtful"] = _unreachable_in_time(problem) | _may_be_too_large(problem)
    return cached


def _unreachable_in_time(problem: Problem) -> np.ndarray:
    count, fleet = len(problem.stops), len(problem.vehicles)
    ready = np.array([problem.ready_at(vehicle) for vehicle in range(fleet)], dtype=float)
    ways = problem.matrix.slowest[count : count + fleet, :count]
    reach = np.where(eligible(problem), ready[:, None] + ways, np.inf).min(axis=0, initial=np.inf)
    slowest = max([vehicle.service_pace for vehicle in problem.vehicles], default=1.0)
    until = [np.inf if s.last_closes is None else s.last_closes - s.service_seconds * slowest for s in problem.stops]
    released = np.array([stop.released_at is not None for stop in problem.stops], dtype=bool)
    return (reach > np.array(until)) | released | problem.matrix.no_way[count : count + fleet, :count].any(axis=0)


def _may_be_too_large(problem: Problem) -> np.ndarray:
    found = np.zeros(len(problem.stops), dtype=bool)
    for name in problem.dimensions:
        stated = [
            vehicle.capacity.get(name, np.inf) - vehicle.load_on_board.get(name, 0) for vehicle in problem.vehicles
        ]
        room = np.where(eligible(problem), np.array(stated)[:, None], -np.inf).max(axis=0, initial=-np.inf)
        found |= np.array([stop.demand.get(name, 0) for stop in problem.stops]) > room
    return found


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
    if problem.pin_of(stop).holds_vehicle and vehicle.vehicle_id != stop.present_vehicle_id:
        return Cause.NOT_ALLOWED
    return Cause.GOODS_ELSEWHERE if goods_elsewhere(problem, vehicle, stop) else None


def pinned_to(problem: Problem, stop: Stop) -> str | None:
    """The only vehicle that may serve a stop whose goods are not transferable."""
    return None if stop.transferable else problem.holder.get(stop.stop_id, stop.present_vehicle_id)


def goods_elsewhere(problem: Problem, vehicle: VehicleShift, stop: Stop) -> bool:
    """True where the vehicle has not, and can't fetch, the goods of the stop."""
    pin = pinned_to(problem, stop)
    if pin is not None:
        return pin != vehicle.vehicle_id
    if not vehicle.departed or vehicle.max_reloads:
        return False
    on_the_way = stop.pickup or stop.collected_at in problem.stop_index
    return not on_the_way and stop.stop_id not in vehicle.loaded_stop_ids


def _bad_value(problem: Problem, stop: Stop) -> Obstacle | None:
    if not has_position(stop):
        return Obstacle(Cause.NO_POSITION, "it has no valid position; correct its address")
    untold = [name for name, value in _times(stop).items() if value is not None and math.isnan(value)]
    if untold:
        return Obstacle(Cause.BAD_NUMBER, f"not a valid time: {names(untold)}")
    for opens, closes in stop.windows:
        if closes < opens:
            hours = f"opens {clock(opens, problem.zone)}, closes {clock(closes, problem.zone)}"
            return Obstacle(Cause.WINDOW_REVERSED, f"its window ends before it starts ({hours})")
    wrong = [name for name, value in _numbers(stop).items() if value is not None and not 0 <= value < math.inf]
    return Obstacle(Cause.BAD_NUMBER, f"not a valid amount: {names(wrong)}") if wrong else None


def _times(stop: Stop) -> dict[str, float | None]:
    more = {f"window {number}": sum(span) for number, span in enumerate(stop.more_windows, 2)}
    return {
        "opening": stop.opens,
        "closing": stop.closes,
        **more,
        "need-by": stop.need_by,
        "first moment that it accepts goods": stop.accepts_from,
        "release": stop.released_at,
    }


def _numbers(stop: Stop) -> dict[str, float | None]:
    return {
        "service time": stop.service_seconds,
        "price per late minute": stop.price_per_late_minute,
        "price of not serving": stop.price_of_not_serving,
        "price of an idle crew": stop.crew_price_per_minute,
        "price of being early": stop.price_per_early_minute,
        **stop.demand,
    }


def _bad_pair(problem: Problem, stop: Stop) -> Obstacle | None:
    """Goods are collected at a pickup and brought to a delivery, both of this problem and neither the same."""
    if stop.collected_at is None:
        return None
    source = problem.stop_index.get(stop.collected_at)
    if source is None:
        return Obstacle(Cause.PAIR, f"its goods are collected at {stop.collected_at}, which is not in the problem")
    if stop.pickup or not problem.stops[source].pickup:
        return Obstacle(Cause.PAIR, f"goods go from a pickup to a delivery; {stop.collected_at} → it is no such pair")
    return None


def _as_a_pair(problem: Problem, index: int) -> Obstacle | None:
    """Half a pair is of no use: what makes the other half impossible makes this one so."""
    stop = problem.stops[index]
    partner_id = stop.collected_at or problem.collected_for.get(stop.stop_id)
    if partner_id is None:
        return None
    partner = problem.stop_index[partner_id]
    found = _alone(problem, partner)
    if found is not None:
        return Obstacle(Cause.PAIR, f"it goes with {partner_id}, which can't be served: {found.words}")
    if stop.stop_id in problem.committed_to or (eligible(problem)[:, index] & eligible(problem)[:, partner]).any():
        return None
    return Obstacle(Cause.PAIR, f"no vehicle may serve both it and {partner_id}, which it goes with")


def _nobody_to_serve(problem: Problem, index: int) -> Obstacle | None:
    if not problem.vehicles:
        return Obstacle(Cause.NO_VEHICLE, "no vehicle is on shift")
    if eligible(problem)[:, index].any():
        return None
    stop = problem.stops[index]
    causes = [barred(problem, vehicle, stop) for vehicle in problem.vehicles]
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


def _too_large(problem: Problem, index: int) -> Obstacle | None:
    stop = problem.stops[index]
    able = [problem.vehicles[vehicle] for vehicle in np.flatnonzero(eligible(problem)[:, index])]
    for dimension, wanted in stop.demand.items():
        room = {v.vehicle_id: whole_capacity(problem, v, dimension) for v in able}
        best = max(room, key=room.__getitem__)
        if wanted > room[best] and all(stop.stop_id not in v.loaded_stop_ids for v in able):
            needed, largest = amount(wanted, dimension), amount(room[best], dimension)
            words = f"no vehicle that may serve it is large enough for {needed}: the largest, {best}, holds {largest}"
            return Obstacle(Cause.CAPACITY, words)
    return None


def _no_way(problem: Problem, index: int) -> Obstacle | None:
    starts = [problem.start_of(int(vehicle)) for vehicle in np.flatnonzero(eligible(problem)[:, index])]
    if not problem.matrix.no_way[starts, index].all():
        return None
    return Obstacle(Cause.NO_WAY, f"no way leads to it by {problem.matrix.source or 'the travel times given'}")


def _too_late(problem: Problem, index: int) -> Obstacle | None:
    stop = problem.stops[index]
    if stop.price_per_late_minute is not None or stop.last_closes is None:
        return None
    by_end = stop.semantics == WindowSemantics.SERVICE_END
    pace = {v.vehicle_id: v.service_pace for v in problem.vehicles}
    arrivals = earliest_arrivals(problem, index)
    done = {v: arrives + by_end * stop.service_seconds * pace[v] for v, arrives in arrivals.items()}
    vehicle_id = min(done, key=done.__getitem__)
    if done[vehicle_id] <= stop.last_closes:
        return None
    closes, soonest = clock(stop.last_closes, problem.zone), clock(arrivals[vehicle_id], problem.zone)
    words = f"its window closes at {closes}, before any vehicle can serve it: the earliest is {vehicle_id} at {soonest}"
    return Obstacle(Cause.WINDOW, words)


def earliest_arrivals(problem: Problem, index: int) -> dict[str, float]:
    """When each vehicle that may serve the stop would be there if it drove straight to it, epoch seconds."""
    able = [int(vehicle) for vehicle in np.flatnonzero(eligible(problem)[:, index])]
    return {
        problem.vehicles[v].vehicle_id: problem.matrix.arrival(problem.start_of(v), index, _sets_out(problem, v, index))
        for v in able
    }


def _sets_out(problem: Problem, vehicle: int, index: int) -> float:
    """When a vehicle can leave for a stop: not before the goods are there, where it has to take them."""
    stop, ready = problem.stops[index], problem.ready_at(vehicle)
    from_depot = not stop.pickup and stop.collected_at is None
    if stop.released_at is None or not from_depot or stop.stop_id in problem.vehicles[vehicle].loaded_stop_ids:
        return ready
    return max(ready, stop.released_at)


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
