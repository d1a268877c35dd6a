"""A problem as flat arrays, which is all that compiled code reads: times in seconds since the instant, money as it is."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from lastmile.routing.changes import kept_by_plan_in_force
from lastmile.routing.obstacles import eligible, problems_of
from lastmile.routing.problem import Problem
from lastmile.routing.shifts import VehicleShift
from lastmile.routing.terms import Terms
from lastmile.routing.timing import RouteTimer

NEVER = 1e15
"""Seconds or money that stand for infinity, with room left for sums."""

NEIGHBOURS = 160
"""The nearest stops that are kept for each stop."""

NO_LIMIT = 2**30
"""Stands for as many as there are."""

HARD = -1.0
"""Stands for the price a second of a window that must not be missed."""


STOP = np.dtype(
    [(name, "f8") for name in (
        "service", "inside", "late_price", "need_by", "crew_price", "accepts_from", "early_price", "released", "price",
    )]
    + [(name, "i4") for name in (
        "window_first", "window_last", "collects", "brings_from", "present", "holder", "pinned_rank",
    )]
    + [(name, "b1") for name in ("by_arrival", "pickup", "from_depot", "kept", "committed")],
    align=True,
)  # fmt: skip
"""One row per stop. Prices of time are a second; `late_price` HARD is a hard window; stops and vehicles are indexes, -1
for none; `window_first` to `window_last` are its rows among the windows."""

WINDOW = np.dtype([("opens", "f8"), ("closes", "f8")], align=True)

VEHICLE = np.dtype(
    [(name, "f8") for name in (
        "ready", "shift_end", "overtime_ends", "must_end", "most_seconds", "most_km", "reload_seconds", "pace", "rests_by",
        "per_day", "per_second", "per_overtime_second", "per_second_beyond", "per_km",
        "per_stop", "minimum", "fair_left",
    )]
    + [(name, "i4") for name in ("reloads", "fixed", "kind", "pause_first", "pauses")]
    + [(name, "b1") for name in ("in_use", "departed")],
    align=True,
)  # fmt: skip
"""One row per vehicle. Its `pauses` breaks are among all from `pause_first` on, and a route that is over by `rests_by` needs
none of them; `fixed` are the stops that it is committed to; vehicles of one `kind` are alike in all but the id and have no
work yet; `fair_left` is what it may still work within its fair share."""

PAUSE = np.dtype([(name, "f8") for name in ("seconds", "earliest", "latest", "pause_by")], align=True)
"""One row per break, those of a vehicle in order; it begins by `pause_by` for those after it to begin in time."""

WHOLE = np.dtype(
    [("fair_price", "f8"), ("price_per_moved", "f8")]
    + [(name, "i4") for name in ("place_of_vehicles", "most_moved", "most_broken", "most_goods_moved")]
    + [(name, "b1") for name in ("load_varies", "has_releases", "has_orders", "simple")],
    align=True,
)
"""One row: what holds for the whole. `simple` is True where a stop costs exactly what the way to it adds, so that an
estimate is the price."""


class Sheet(NamedTuple):
    """The problem in arrays: p periods, n stops, v vehicles, d dimensions of load, w windows of all stops, b breaks of all.

    `seconds` is p × places × places, `boundaries` p - 1, `demand` n × d, `room` v × d, `allowed` and `on_board` v × n,
    `near` n × k, `free` the stops that are not fixed. Few arrays with named fields rather than one each: compiled code
    counts references to every array at each call, and with sixty of them a route took forty times as long.
    """

    seconds: np.ndarray
    km: np.ndarray
    boundaries: np.ndarray
    fastest: np.ndarray
    mean: np.ndarray
    stops: np.ndarray
    windows: np.ndarray
    vehicles: np.ndarray
    pauses: np.ndarray
    demand: np.ndarray
    room: np.ndarray
    allowed: np.ndarray
    on_board: np.ndarray
    near: np.ndarray
    free: np.ndarray
    whole: np.ndarray


def sheet_of(timer: RouteTimer) -> Sheet:
    """The arrays of a problem, from the same terms that the evaluator uses."""
    problem, terms, matrix = timer.problem, timer.terms, timer.problem.matrix
    allowed = eligible(problem).copy()
    for stop_id in problems_of(problem):
        allowed[:, problem.stop_index[stop_id]] = False
    stops, windows = _stops(timer), _windows(terms, problem.instant)
    vehicles = _vehicles(timer, allowed)
    seconds = np.ascontiguousarray(matrix.seconds.reshape(matrix.periods, *matrix.km.shape), dtype=np.float32)
    names, count = problem.dimensions, len(problem.stops)
    return Sheet(
        seconds=seconds,
        km=np.ascontiguousarray(matrix.km, dtype=np.float32),
        boundaries=np.array(matrix.boundaries, dtype=float) - problem.instant,
        fastest=seconds[0] if matrix.periods == 1 else matrix.fastest.astype(np.float32),
        mean=seconds[0] if matrix.periods == 1 else matrix.mean.astype(np.float32),
        stops=stops,
        windows=windows,
        vehicles=vehicles,
        pauses=_pauses(terms, problem.instant),
        demand=np.ascontiguousarray(np.array([terms.demand[name] for name in names], dtype=float).reshape(-1, count).T),
        room=_bounded([[room[name] for name in names] for room in terms.room]).reshape(len(vehicles), len(names)),
        allowed=allowed,
        on_board=terms.on_board,
        near=_neighbours(matrix.mean, count),
        free=np.flatnonzero(~stops["committed"] & allowed.any(axis=0)).astype(np.int32),
        whole=_whole(problem, stops, windows, vehicles, matrix.periods),
    )


def _stops(timer: RouteTimer) -> np.ndarray:
    problem, terms = timer.problem, timer.terms
    rows = np.zeros(len(problem.stops), dtype=STOP)
    for name in (
        "service",
        "inside",
        "early_price",
        "crew_price",
        "by_arrival",
        "from_depot",
        "collects",
        "brings_from",
    ):
        rows[name] = getattr(terms, name)
    for name in ("need_by", "accepts_from", "released"):
        rows[name] = _since(getattr(terms, name), problem.instant)
    rows["late_price"] = [HARD if price is None else price / 60 for price in terms.late_price]
    rows["crew_price"] /= 60
    rows["early_price"] /= 60
    rows["price"] = terms.price_of_not_serving
    rows["present"] = terms.present_vehicle
    rows["pinned_rank"] = terms.pinned_rank
    rows["holder"] = terms.holder
    ends = np.cumsum([len(windows) for windows in terms.windows], dtype=int)
    rows["window_last"] = ends - 1
    rows["window_first"][1:] = ends[:-1]
    kept = kept_by_plan_in_force(timer)
    rows["kept"] = [stop.stop_id in kept for stop in problem.stops]
    rows["pickup"] = [stop.pickup for stop in problem.stops]
    rows["committed"] = [stop.stop_id in problem.committed_to for stop in problem.stops]
    return rows


def _windows(terms: Terms, instant: float) -> np.ndarray:
    flat = [window for windows in terms.windows for window in windows]
    rows = np.zeros(len(flat), dtype=WINDOW)
    rows["opens"], rows["closes"] = _since([one[0] for one in flat], instant), _since([one[1] for one in flat], instant)
    return rows


def _vehicles(timer: RouteTimer, allowed: np.ndarray) -> np.ndarray:
    problem, terms, instant = timer.problem, timer.terms, timer.problem.instant
    fleet, rows = problem.vehicles, np.zeros(len(problem.vehicles), dtype=VEHICLE)
    for name in ("ready", "must_end"):
        rows[name] = _since(getattr(terms, name), instant)
    for name in ("shift_end", "overtime_ends"):
        rows[name] = _since([getattr(vehicle, name) for vehicle in fleet], instant)
    rows["most_seconds"], rows["most_km"] = _bounded(terms.most_seconds), _bounded(terms.most_km)
    rows["reloads"], rows["pace"] = terms.reloads, terms.pace
    for name in ("reload_seconds", "in_use", "departed"):
        rows[name] = [getattr(vehicle, name) for vehicle in fleet]
    rows["pauses"] = [len(pauses) for pauses in terms.pauses]
    rows["pause_first"][1:] = np.cumsum(rows["pauses"])[:-1]
    rows["rests_by"] = _since([row[0].latest if row else math.inf for row in terms.pauses], instant)
    for name in ("per_day", "per_km", "per_stop", "minimum"):
        rows[name] = [getattr(vehicle.rates, name) for vehicle in fleet]
    rows["per_day"][rows["in_use"]] = 0
    rows["per_second"] = [vehicle.rates.per_hour / 3600 for vehicle in fleet]
    rows["per_overtime_second"] = [vehicle.rates.per_overtime_hour / 3600 for vehicle in fleet]
    rows["per_second_beyond"] = [vehicle.per_hour_beyond / 3600 for vehicle in fleet]
    rows["fixed"] = [len(vehicle.committed_stop_ids) for vehicle in fleet]
    share = problem.fair_share
    rows["fair_left"] = [NEVER if share is None else max(0, share.hours * 3600 - v.worked_seconds) for v in fleet]
    rows["kind"] = _kinds(problem, allowed)
    return rows


def _pauses(terms: Terms, instant: float) -> np.ndarray:
    flat = [pause for pauses in terms.pauses for pause in pauses]
    rows = np.zeros(len(flat), dtype=PAUSE)
    rows["seconds"] = [pause.seconds for pause in flat]
    for name in ("earliest", "latest"):
        rows[name] = _since([getattr(pause, name) for pause in flat], instant)
    rows["pause_by"] = _since([latest for row in terms.pause_by for latest in row], instant)
    return rows


def _whole(problem: Problem, stops: np.ndarray, windows: np.ndarray, vehicles: np.ndarray, periods: int) -> np.ndarray:
    row = np.zeros(1, dtype=WHOLE)
    budget = problem.budget
    row["fair_price"] = 0 if problem.fair_share is None else problem.fair_share.price_per_hour / 3600
    row["price_per_moved"] = budget.price_per_moved
    row["place_of_vehicles"] = len(stops)
    limits = {"moved": budget.moved, "broken": budget.promises_broken, "goods_moved": budget.goods_moved}
    for name, limit in limits.items():
        row[f"most_{name}"] = NO_LIMIT if limit is None else limit
    row["load_varies"] = problem.has_reloads or stops["pickup"].any()
    row["has_releases"] = (stops["released"] > -NEVER).any()
    row["has_orders"] = problem.has_reloads or (stops["collects"] >= 0).any() or (stops["pinned_rank"] >= 0).any()
    soft = (stops["late_price"] > 0) & (windows["closes"][stops["window_last"]] < NEVER)
    soft |= (stops["late_price"] == 0) & ~stops["committed"]
    prices_of_time = [
        vehicles[name].any() for name in ("per_second", "per_overtime_second", "per_second_beyond", "minimum", "pauses")
    ]
    limits_of_routes = [(vehicles[name] < NEVER).any() for name in ("most_seconds", "most_km", "fair_left")]
    row["simple"] = not (
        any((*prices_of_time, *limits_of_routes, row["load_varies"][0], row["has_releases"][0], row["has_orders"][0]))
        or soft.any() or stops["crew_price"].any() or stops["early_price"].any() or periods > 1
        or len(windows) > len(stops)
    )  # fmt: skip
    return row


def _since(instants: list[float], instant: float) -> np.ndarray:
    return np.clip(np.array(instants, dtype=float) - instant, -NEVER, NEVER)


def _bounded(values: list) -> np.ndarray:
    return np.minimum(np.array(values, dtype=float), NEVER)


def _neighbours(mean: np.ndarray, count: int) -> np.ndarray:
    """Each stop's nearest stops by the way there and back, itself first; ties by index, so the same every time."""
    reach = (mean[:count, :count].astype(np.float32) + mean[:count, :count].T).copy()
    np.fill_diagonal(reach, -1)
    most = min(count, NEIGHBOURS)
    if most < count:
        nearest = np.sort(np.argpartition(reach, most - 1, axis=1)[:, :most], axis=1)
        order = np.argsort(np.take_along_axis(reach, nearest, axis=1), axis=1, kind="stable")
        return np.take_along_axis(nearest, order, axis=1).astype(np.int32)
    return np.argsort(reach, axis=1, kind="stable").astype(np.int32).reshape(count, -1)


def _kinds(problem: Problem, allowed: np.ndarray) -> np.ndarray:
    """A number that vehicles share which differ in nothing but their id; those with work of their own are alone."""
    seen: dict[object, int] = {}
    kinds, with_work = [], {stop.present_vehicle_id for stop in problem.stops}
    for index, vehicle in enumerate(problem.vehicles):
        started = vehicle.in_use or vehicle.loaded_stop_ids or vehicle.committed_stop_ids
        plain = not started and vehicle.vehicle_id not in with_work
        key = (*_facts(vehicle), allowed[index].tobytes()) if plain else index
        kinds.append(seen.setdefault(key, len(seen)))
    return np.array(kinds, dtype=np.int32)


def _facts(vehicle: VehicleShift) -> tuple[object, ...]:
    """All of a vehicle but its id, as something that can be compared."""
    told = {name: value for name, value in vars(vehicle).items() if name != "vehicle_id"}
    return tuple(tuple(sorted(v.items())) if isinstance(v, dict) else v for v in told.values())
