"""A manager's own alternative to a plan: what it would cost and break, by the evaluator alone and no engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lastmile.routing.comparing import Comparison, compare
from lastmile.routing.obstacles import Cause
from lastmile.routing.probing import Bench, Trial
from lastmile.routing.problem import RELOAD, Problem, Routes
from lastmile.routing.shifts import VehicleShift
from lastmile.routing.timing import RELOADS, RouteTimer

PLACES_TRIED = 200
"""Places tried for each stop of a vehicle that is taken out, the cheapest detours first."""


@dataclass(frozen=True)
class MoveStop:
    """Serve a stop by this vehicle, as its stop number `position` (from 0), or where it costs least.

    The other half of its pair goes along, where both are on one vehicle now.
    """

    stop_id: str
    vehicle_id: str
    position: int | None = None


@dataclass(frozen=True)
class PutFirst:
    """Serve a stop first of all that its vehicle is not committed to."""

    stop_id: str


@dataclass(frozen=True)
class SwapStops:
    """Let two stops change places."""

    stop_id: str
    other_stop_id: str


@dataclass(frozen=True)
class KeepOrder:
    """Drive as another plan has it, as yesterday's: its vehicles, in its order.

    Stops that it does not have stay on their vehicle, where they cost least.
    """

    order: Routes


@dataclass(frozen=True)
class TakeOut:
    """Do without a vehicle: its stops go where they cost least and break nothing, if they are worth it there."""

    vehicle_id: str


Alternative = MoveStop | PutFirst | SwapStops | KeepOrder | TakeOut

Rows = dict[str, list[str]]


def try_alternative(
    problem: Problem, routes: Mapping[str, Sequence[str]], change: Alternative, timer: RouteTimer | None = None
) -> Comparison:
    """The plan beside the same plan with the change made; `breaks` of the result says what would be broken.

    What the manager asks for is done even where it breaks something. Raises ValueError for a stop or vehicle that the
    problem does not have, or that the plan does not serve where it must.
    """
    timer = timer or RouteTimer(problem)
    return compare(problem, routes, changed(timer, routes, change), timer)


def changed(timer: RouteTimer, routes: Mapping[str, Sequence[str]], change: Alternative) -> dict[str, tuple[str, ...]]:
    """The plan with the change made, every vehicle of the problem named."""
    rows = {vehicle.vehicle_id: list(routes.get(vehicle.vehicle_id, ())) for vehicle in timer.problem.vehicles}
    made = _MAKE[type(change)](timer, rows, change)
    return {vehicle_id: tuple(row) for vehicle_id, row in made.items()}


def _moved(timer: RouteTimer, rows: Rows, change: MoveStop) -> Rows:
    problem, at = timer.problem, _vehicle_of(rows, _known(timer.problem, change.stop_id))
    if change.vehicle_id not in rows:
        raise ValueError(f"there is no vehicle {change.vehicle_id} in the problem")
    along = _goes_along(timer, rows, change.stop_id) if at != change.vehicle_id else None
    moving = [change.stop_id] if along is None else [change.stop_id, along]
    if along is not None and problem.stops[problem.stop_index[change.stop_id]].collected_at == along:
        moving.reverse()
    for stop_id in moving:
        rows = _without(rows, stop_id)
    for stop_id in moving:
        placed = None if change.position is None or stop_id != change.stop_id else change.position
        rows[change.vehicle_id] = _with(timer, rows, change.vehicle_id, stop_id, placed)
    return rows


def _put_first(timer: RouteTimer, rows: Rows, change: PutFirst) -> Rows:
    vehicle_id = _serving(timer.problem, rows, change.stop_id)
    committed = len(_shift(timer.problem, vehicle_id).committed_stop_ids)
    rows = _without(rows, change.stop_id)
    rows[vehicle_id].insert(committed, change.stop_id)
    return rows


def _swapped(timer: RouteTimer, rows: Rows, change: SwapStops) -> Rows:
    one, other = change.stop_id, change.other_stop_id
    for stop_id in (one, other):
        _serving(timer.problem, rows, stop_id)
    places = {one: other, other: one}
    return {vehicle_id: [places.get(stop_id, stop_id) for stop_id in row] for vehicle_id, row in rows.items()}


def _kept(timer: RouteTimer, rows: Rows, change: KeepOrder) -> Rows:
    problem, placed = timer.problem, set(timer.problem.committed_to)
    made: Rows = {}
    for vehicle in problem.vehicles:
        row = list(vehicle.committed_stop_ids)
        for stop_id in change.order.get(vehicle.vehicle_id, ()):
            if stop_id == RELOAD or (stop_id in problem.stop_index and stop_id not in placed):
                placed.add(stop_id)
                row.append(stop_id)
        made[vehicle.vehicle_id] = _between_trips(row)
    for vehicle_id, row in rows.items():
        for stop_id in row:
            if stop_id != RELOAD and stop_id not in placed:
                made[vehicle_id] = _with(timer, made, vehicle_id, stop_id, None)
    return made


def _between_trips(row: Sequence[str]) -> list[str]:
    """A row without reloads that part nothing: before the first stop, after the last, or two in a row."""
    kept: list[str] = []
    for stop_id in row:
        if stop_id != RELOAD or (kept and kept[-1] != RELOAD):
            kept.append(stop_id)
    return kept[:-1] if kept and kept[-1] == RELOAD else kept


def _taken_out(timer: RouteTimer, rows: Rows, change: TakeOut) -> Rows:
    problem = timer.problem
    if change.vehicle_id not in rows:
        raise ValueError(f"there is no vehicle {change.vehicle_id} in the problem")
    out = problem.vehicle_index[change.vehicle_id]
    homeless = [problem.stop_index[stop_id] for stop_id in rows[change.vehicle_id] if stop_id != RELOAD]
    bench = Bench(timer, rows | {change.vehicle_id: []})
    for stop in sorted(homeless, key=bench.worth):
        if stop in bench.routed:  # it came along with the other half of its pair
            continue
        found = [trial for trial in bench.trials(stop, PLACES_TRIED) if trial.vehicle != out and _fits(trial)]
        best = min(found, key=lambda trial: trial.extra_cost, default=None)
        if best is not None and best.extra_cost < sum(bench.draft.price[one] for one in bench.unserved_with(stop)):
            bench.adopt(best)
    return {vehicle_id: list(row) for vehicle_id, row in bench.draft.as_routes().items()}


def _fits(trial: Trial) -> bool:
    """True where nothing is broken but the budget of changes, which a vehicle that is out can't keep."""
    return trial.lifted is None and trial.causes <= {Cause.CHANGES}


_MAKE = {MoveStop: _moved, PutFirst: _put_first, SwapStops: _swapped, KeepOrder: _kept, TakeOut: _taken_out}


def _with(timer: RouteTimer, rows: Rows, vehicle_id: str, stop_id: str, position: int | None) -> list[str]:
    """The row of a vehicle with a stop: at its place among the stops, or where least is broken, then for least money."""
    row = rows[vehicle_id]
    if position is not None:
        return _inserted(row, _index_of(row, position), stop_id)
    vehicle = timer.problem.vehicle_index[vehicle_id]
    index = {**timer.problem.stop_index, RELOAD: RELOADS}
    first = len(_shift(timer.problem, vehicle_id).committed_stop_ids)
    choices = [_inserted(row, at, stop_id) for at in range(min(first, len(row)), len(row) + 1)]
    return min(choices, key=lambda choice: timer.time(vehicle, [index[one] for one in choice]).rank)


def _inserted(row: Sequence[str], at: int, stop_id: str) -> list[str]:
    return [*row[:at], stop_id, *row[at:]]


def _index_of(row: Sequence[str], position: int) -> int:
    """Where in a row with reloads its stop number `position` is; the end where it has fewer."""
    served = [index for index, stop_id in enumerate(row) if stop_id != RELOAD]
    return served[position] if 0 <= position < len(served) else len(row)


def _goes_along(timer: RouteTimer, rows: Rows, stop_id: str) -> str | None:
    """The other half of the stop's pair, where the same vehicle serves it."""
    problem = timer.problem
    brought = problem.collected_for.get(stop_id)
    other = brought or next((one for one, to in problem.collected_for.items() if to == stop_id), None)
    at = _vehicle_of(rows, stop_id)
    return other if other is not None and at is not None and other in rows[at] else None


def _without(rows: Rows, stop_id: str) -> Rows:
    return {vehicle_id: [one for one in row if one != stop_id] for vehicle_id, row in rows.items()}


def _vehicle_of(rows: Rows, stop_id: str) -> str | None:
    return next((vehicle_id for vehicle_id, row in rows.items() if stop_id in row), None)


def _serving(problem: Problem, rows: Rows, stop_id: str) -> str:
    vehicle_id = _vehicle_of(rows, _known(problem, stop_id))
    if vehicle_id is None:
        raise ValueError(f"no vehicle serves {stop_id} in this plan; move it to one")
    return vehicle_id


def _known(problem: Problem, stop_id: str) -> str:
    if stop_id not in problem.stop_index:
        raise ValueError(f"there is no stop {stop_id} in the problem")
    return stop_id


def _shift(problem: Problem, vehicle_id: str) -> VehicleShift:
    return problem.vehicles[problem.vehicle_index[vehicle_id]]
