"""Limits that give way so that a stop is served: what the problem would be, in the evaluator's terms, and in words."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from lastmile.routing.changes import BUDGETED
from lastmile.routing.obstacles import Cause, goods_elsewhere, pinned_to, whole_capacity
from lastmile.routing.problem import Freedom, Problem
from lastmile.routing.shifts import VehicleShift
from lastmile.routing.stops import Pin, Stop
from lastmile.routing.timing import RELOADS, Breach, RouteTimer, TimedRoute
from lastmile.routing.wording import amount, clock, minutes, names


class Limit(StrEnum):
    """What gives way."""

    OVERTIME = "overtime"
    ROUTE_TIME = "route_time"
    ROUTE_DISTANCE = "route_distance"
    ROOM = "room"
    RELOADS = "reloads"
    WINDOW = "window"
    NEED_BY = "need_by"
    SKILL = "skill"
    PERMISSION = "permission"
    PIN = "pin"
    GOODS = "goods"
    BUDGET = "budget"


UNTIMED = frozenset({Limit.SKILL, Limit.PERMISSION, Limit.BUDGET})
"""What no clock depends on."""


@dataclass(frozen=True)
class Concession:
    """One limit that gives way by `amount` (seconds, km, a dimension's unit or a count), and the problem if it did.

    `words` follow "it is served …". `vehicles` and `stops` are those that would differ, `fields` the problem's own.
    """

    limit: Limit
    cause: Cause
    words: str
    amount: float = 0
    vehicles: tuple[VehicleShift, ...] = ()
    stops: tuple[Stop, ...] = ()
    fields: Mapping[str, object] = field(default_factory=dict)

    def applied(self, problem: Problem) -> Problem:
        """The problem in which the limit has given way."""
        vehicles = {one.vehicle_id: one for one in self.vehicles}
        stops = {one.stop_id: one for one in self.stops}
        return replace(
            problem,
            vehicles=tuple(vehicles.get(one.vehicle_id, one) for one in problem.vehicles),
            stops=tuple(stops.get(one.stop_id, one) for one in problem.stops),
            **self.fields,
        )

    def relaxed(self, timer: RouteTimer) -> RouteTimer:
        """A timer that times as one of the applied problem would; it shares all else with the given one."""
        if self.limit in UNTIMED:
            return timer
        relaxed = copy.copy(timer)
        terms = relaxed.terms = copy.copy(timer.terms)
        index = timer.problem.vehicle_index
        for shift in self.vehicles:
            vehicle = index[shift.vehicle_id]
            terms.must_end = _with(terms.must_end, vehicle, max(terms.must_end[vehicle], shift.must_end_by))
            terms.most_seconds = _raised(terms.most_seconds, vehicle, shift.max_route_seconds, shift.worked_seconds)
            terms.most_km = _raised(terms.most_km, vehicle, shift.max_route_km, shift.driven_km)
            terms.reloads = _with(terms.reloads, vehicle, shift.max_reloads)
            terms.room = _with(terms.room, vehicle, _room(timer, vehicle, shift))
            terms.on_board = _on_board(timer, vehicle, shift, terms.on_board)
        for stop in self.stops:
            place = timer.problem.stop_index[stop.stop_id]
            if stop.windows:
                terms.windows = _with(terms.windows, place, stop.windows)
            terms.need_by = _with(terms.need_by, place, math.inf if stop.need_by is None else stop.need_by)
            if self.limit == Limit.PIN:
                terms.pinned_rank = _with(terms.pinned_rank, place, -1)
        return relaxed


def _with(values: Sequence, place: int, value: object) -> list:
    return [*values[:place], value, *values[place + 1 :]]


def _raised(values: Sequence[float], vehicle: int, most: float | None, used: float) -> list[float]:
    return _with(values, vehicle, math.inf if most is None else max(values[vehicle], most - used))


def _room(timer: RouteTimer, vehicle: int, shift: VehicleShift) -> dict[str, float]:
    """The room as it would be; where commitments have widened it, it stays at least so wide."""
    problem, room = timer.problem, timer.terms.room[vehicle]
    was = {name: whole_capacity(problem, problem.vehicles[vehicle], name) for name in room}
    will_be = {name: whole_capacity(problem, shift, name) for name in room}
    return {name: max(will_be[name], wide) if wide > was[name] else will_be[name] for name, wide in room.items()}


def _on_board(timer: RouteTimer, vehicle: int, shift: VehicleShift, on_board: np.ndarray) -> np.ndarray:
    if shift.loaded_stop_ids == timer.problem.vehicles[vehicle].loaded_stop_ids:
        return on_board
    changed = on_board.copy()
    changed[vehicle] = [stop.stop_id in shift.loaded_stop_ids for stop in timer.problem.stops]
    return changed


# What would have to give way where a route breaks a limit.


class Tried(NamedTuple):
    """A route that was tried for a stop, on one vehicle, and what it newly breaks."""

    timer: RouteTimer
    vehicle: int
    stop: int
    route: TimedRoute
    breaches: Sequence[Breach]

    @property
    def problem(self) -> Problem:
        return self.timer.problem

    @property
    def shift(self) -> VehicleShift:
        return self.problem.vehicles[self.vehicle]

    @property
    def excess(self) -> float:
        return self.breaches[0].excess


def concession_for(tried: Tried) -> Concession | None:
    """What must give way for all that a route breaks, or None where no one limit would do."""
    causes = {(breach.cause, breach.stop if breach.cause == Cause.WINDOW else None) for breach in tried.breaches}
    make = _MADE.get(tried.breaches[0].cause) if len(causes) == 1 else None
    return None if make is None else make(tried)


def _longer_shift(tried: Tried) -> Concession:
    shift = tried.shift
    longer = replace(shift, max_overtime_seconds=math.ceil(tried.route.ends - shift.shift_end))
    kind = "more overtime" if shift.max_overtime_seconds else "of overtime"
    words = f"with {minutes(tried.excess)} {kind} on {shift.vehicle_id}"
    return Concession(Limit.OVERTIME, Cause.SHIFT, words, tried.excess, (longer,))


def _longer_route(tried: Tried) -> Concession:
    most = math.ceil(tried.timer.terms.most_seconds[tried.vehicle] + tried.excess)
    longer = replace(tried.shift, max_route_seconds=tried.shift.worked_seconds + most)
    words = f"with {minutes(tried.excess)} more on the road for {longer.vehicle_id}"
    return Concession(Limit.ROUTE_TIME, Cause.ROUTE_TIME, words, tried.excess, (longer,))


def _farther_route(tried: Tried) -> Concession:
    most = math.ceil((tried.timer.terms.most_km[tried.vehicle] + tried.excess) * 10) / 10
    farther = replace(tried.shift, max_route_km=tried.shift.driven_km + most)
    words = f"with {tried.excess:,.1f} km more for {farther.vehicle_id}"
    return Concession(Limit.ROUTE_DISTANCE, Cause.ROUTE_DISTANCE, words, tried.excess, (farther,))


def _more_room(tried: Tried) -> Concession:
    shift, room = tried.shift, tried.timer.terms.room[tried.vehicle]
    short = {breach.dimension: breach.excess for breach in tried.breaches}
    needed = {name: room[name] + excess + shift.load_on_board.get(name, 0) for name, excess in short.items()}
    told = names(amount(excess, name) for name, excess in short.items())
    wider = replace(shift, capacity={**shift.capacity, **needed})
    words = f"with room for {told} more on {shift.vehicle_id}"
    return Concession(Limit.ROOM, Cause.CAPACITY, words, max(short.values()), (wider,))


def _more_reloads(tried: Tried) -> Concession:
    told = "one more reload" if tried.excess == 1 else f"{tried.excess:.0f} more reloads"
    more = replace(tried.shift, max_reloads=tried.route.stops.count(RELOADS))
    words = f"with {told} of {more.vehicle_id}"
    return Concession(Limit.RELOADS, Cause.RELOADS, words, tried.excess, (more,))


def _later_window(tried: Tried) -> Concession:
    problem, late, at = tried.problem, tried.breaches[0].stop, tried.shift.vehicle_id
    promised = problem.stops[late]
    if tried.breaches[0].dimension == Limit.NEED_BY:
        later = replace(promised, need_by=promised.need_by + math.ceil(tried.excess))
        words = f"if its crew were needed only by {clock(later.need_by, problem.zone)}, on {at}"
        return Concession(Limit.NEED_BY, Cause.WINDOW, words, tried.excess, stops=(later,))
    later = closing_later(promised, math.ceil(tried.excess))
    whose = "its window" if late == tried.stop else f"the window of {promised.stop_id}"
    until = clock(later.last_closes, problem.zone)
    words = f"if {whose} ended {minutes(tried.excess)} later, at {until}, on {at}"
    return Concession(Limit.WINDOW, Cause.WINDOW, words, tried.excess, stops=(later,))


def closing_later(stop: Stop, seconds: float) -> Stop:
    """The stop with the end of its last window put off."""
    if stop.closes == stop.last_closes:
        return replace(stop, closes=stop.closes + seconds)
    later = [(opens, closes + seconds * (closes == stop.last_closes)) for opens, closes in stop.more_windows]
    return replace(stop, more_windows=tuple(later))


def _unpinned_order(tried: Tried) -> Concession | None:
    if tried.timer.terms.pinned_rank[tried.stop] < 0:
        return None
    words = f"if it may leave its pinned place in the order, on {tried.shift.vehicle_id}"
    return _unpinned(tried.problem, tried.stop, Cause.ORDER, words)


def _goods_brought(tried: Tried) -> Concession | None:
    only_its_own = {breach.stop for breach in tried.breaches} == {tried.stop}
    return _handed_over(tried.problem, tried.vehicle, tried.stop) if only_its_own else None


def _larger_budget(tried: Tried) -> Concession | None:
    if len(tried.breaches) > 1:
        return None
    name, budget = tried.breaches[0].dimension, tried.problem.budget
    most = getattr(budget, name) + int(tried.excess)
    words = f"if the budget allowed {most} instead of {getattr(budget, name)} ({BUDGETED[name][1]})"
    fields = {"budget": replace(budget, **{name: most})}
    return Concession(Limit.BUDGET, Cause.CHANGES, words, tried.excess, fields=fields)


_MADE: Mapping[Cause, Callable[[Tried], Concession | None]] = {
    Cause.SHIFT: _longer_shift,
    Cause.ROUTE_TIME: _longer_route,
    Cause.ROUTE_DISTANCE: _farther_route,
    Cause.CAPACITY: _more_room,
    Cause.RELOADS: _more_reloads,
    Cause.WINDOW: _later_window,
    Cause.ORDER: _unpinned_order,
    Cause.GOODS_ELSEWHERE: _goods_brought,
    Cause.CHANGES: _larger_budget,
}


# What would have to give way where a vehicle may not serve a stop at all.


def concession_to_serve(problem: Problem, vehicle: int, stop: int) -> Concession | None:
    """What must give way for this vehicle to be allowed to serve this stop, or None where no one thing would do."""
    shift, wanted = problem.vehicles[vehicle], problem.stops[stop]
    bars = _bars(problem, shift, wanted)
    if len(bars) != 1 or wanted.stop_id in problem.committed_to:
        return None
    if Limit.GOODS in bars:
        return _handed_over(problem, vehicle, stop)
    if Limit.PIN in bars:
        words = f"if it may leave {wanted.present_vehicle_id}, on {shift.vehicle_id}"
        return _unpinned(problem, stop, Cause.NOT_ALLOWED, words)
    return _skilled(shift, wanted) if Limit.SKILL in bars else _permitted(shift, wanted)


def _bars(problem: Problem, shift: VehicleShift, wanted: Stop) -> list[Limit]:
    """All that keeps a vehicle from a stop whatever the route; none where it may serve it (see `barred`)."""
    at, allowed = shift.vehicle_id, wanted.allowed_vehicles
    found = {
        Limit.SKILL: not wanted.required_skills <= shift.skills,
        Limit.PERMISSION: at in wanted.forbidden_vehicles or (allowed is not None and at not in allowed),
        Limit.PIN: problem.pin_of(wanted).holds_vehicle and at != wanted.present_vehicle_id,
        Limit.GOODS: goods_elsewhere(problem, shift, wanted),
    }
    return [limit for limit, stands in found.items() if stands]


def _skilled(shift: VehicleShift, wanted: Stop) -> Concession:
    told = names(sorted(wanted.required_skills - shift.skills))
    able = replace(shift, skills=shift.skills | wanted.required_skills)
    return Concession(Limit.SKILL, Cause.SKILL, f"if {shift.vehicle_id} had the skill {told}", vehicles=(able,))


def _permitted(shift: VehicleShift, wanted: Stop) -> Concession:
    at = shift.vehicle_id
    allowed = None if wanted.allowed_vehicles is None else wanted.allowed_vehicles | {at}
    may = replace(wanted, allowed_vehicles=allowed, forbidden_vehicles=wanted.forbidden_vehicles - {at})
    words = f"if {at} were allowed to serve it"
    return Concession(Limit.PERMISSION, Cause.NOT_ALLOWED, words, stops=(may,))


def _unpinned(problem: Problem, stop: int, cause: Cause, words: str) -> Concession:
    free = replace(problem.stops[stop], pin=Pin.NONE)
    return Concession(Limit.PIN, cause, words, stops=(free,), fields={"freedom": Freedom.EVERYTHING})


def _handed_over(problem: Problem, vehicle: int, stop: int) -> Concession:
    """The goods of a stop on the vehicle that would serve it, wherever they are now."""
    shift, stop_id = problem.vehicles[vehicle], problem.stops[stop].stop_id
    changed = [replace(shift, loaded_stop_ids=shift.loaded_stop_ids | {stop_id})]
    holder = problem.holder.get(stop_id)
    if holder in problem.vehicle_index:
        was = problem.vehicles[problem.vehicle_index[holder]]
        changed.append(replace(was, loaded_stop_ids=was.loaded_stop_ids - {stop_id}))
    giver = pinned_to(problem, problem.stops[stop]) or holder
    words = (
        f"if {giver} hands its goods over to {shift.vehicle_id}" if giver else f"if {shift.vehicle_id} had its goods"
    )
    return Concession(Limit.GOODS, Cause.GOODS_ELSEWHERE, words, vehicles=tuple(changed))
