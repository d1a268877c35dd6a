"""What stands in a stop's way at a place where it was tried, in words."""

from __future__ import annotations

from collections.abc import Sequence

from lastmile.routing.changes import beyond_budget
from lastmile.routing.conceding import Limit
from lastmile.routing.loads import LOAD_TOLERANCE
from lastmile.routing.obstacles import Cause
from lastmile.routing.probing import Bench, Trial
from lastmile.routing.remedies import Remedy
from lastmile.routing.wording import amount, clock, minutes

GENERAL = {
    Cause.SHIFT: "no vehicle can fit it into its shift",
    Cause.WINDOW: "no vehicle can fit it in without breaking a fixed window",
    Cause.ROUTE_TIME: "no vehicle can fit it into its longest time on the road",
    Cause.ROUTE_DISTANCE: "no vehicle can fit it into its longest distance",
    Cause.RELOADS: "no vehicle may reload once more for it",
    Cause.ORDER: "no vehicle can fit it in where its pinned order has it",
    Cause.GOODS_ELSEWHERE: "no vehicle that could fit it in has its goods",
    Cause.CHANGES: "no vehicle can fit it in within the budget of changes",
}
"""What is said where one limit stands in the way everywhere."""


def opening(bench: Bench, stop: int, best: Remedy, trials: Sequence[Trial]) -> str:
    """Why the stop is not served: what stands in its way everywhere, or where it comes closest."""
    allowed = [trial for trial in trials if trial.lifted is None and Cause.PAIR not in trial.causes]
    here = [one for one in allowed if best.cause in one.causes]
    if not here:
        return "no vehicle that may serve it can fit it in"
    nearest = min(here, key=lambda one: (len(one.causes), one.excess(best.cause), one.extra_cost))
    general = GENERAL.get(best.cause) or f"no vehicle has room for {_demand(bench, stop, nearest)}"
    everywhere = all(best.cause in trial.causes for trial in allowed)
    why = shortfall(bench, nearest, best.cause)
    return f"{general}: {why}" if everywhere else f"no vehicle can fit it in; nearest is {why}"


def shortfall(bench: Bench, trial: Trial, cause: Cause) -> str:
    """By how much a limit would be broken at the place tried, in words."""
    return _TELL[cause](bench, trial)


def _at(bench: Bench, trial: Trial) -> str:
    return bench.problem.vehicles[trial.vehicle].vehicle_id


def _shift(bench: Bench, trial: Trial) -> str:
    zone, latest = bench.problem.zone, bench.timer.terms.must_end[trial.vehicle]
    back, more = clock(trial.route.ends, zone), minutes(trial.excess(Cause.SHIFT))
    return f"{_at(bench, trial)} would end at {back}, {more} after its limit of {clock(latest, zone)}"


def _window(bench: Bench, trial: Trial) -> str:
    problem, at = bench.problem, _at(bench, trial)
    worst = max((b for b in trial.breaches if b.cause == Cause.WINDOW), key=lambda b: b.excess)
    late = minutes(worst.excess)
    if worst.stop != trial.stop:
        return f"{at} would reach {problem.stops[worst.stop].stop_id} {late} after its window"
    facts, begins = problem.stops[trial.stop], trial.route.starts[trial.route.stops.index(trial.stop)]
    if worst.dimension == Limit.NEED_BY:
        return f"{at} would come {late} after its crew needs it"
    closes, told = clock(facts.last_closes, problem.zone), clock(begins, problem.zone)
    return f"{at} would serve it at {told}, {late} after what its window until {closes} allows"


def _route_time(bench: Bench, trial: Trial) -> str:
    return f"{_at(bench, trial)} would be {minutes(trial.excess(Cause.ROUTE_TIME))} longer on the road than it may"


def _route_distance(bench: Bench, trial: Trial) -> str:
    return f"{_at(bench, trial)} would drive {trial.excess(Cause.ROUTE_DISTANCE):,.1f} km more than it may"


def _reloads(bench: Bench, trial: Trial) -> str:
    return f"{_at(bench, trial)} would have to reload {trial.excess(Cause.RELOADS):.0f} × more than it may"


def _order(bench: Bench, trial: Trial) -> str:
    return f"{_at(bench, trial)} would serve it out of its pinned order"


def _goods(bench: Bench, trial: Trial) -> str:
    return f"{_at(bench, trial)} has left without its goods"


def _pair(bench: Bench, trial: Trial) -> str:
    return f"{_at(bench, trial)} does not collect and bring its goods on one trip"


def _changes(bench: Bench, trial: Trial) -> str:
    spent = next(breach for breach in trial.breaches if breach.cause == Cause.CHANGES)
    return f"{_at(bench, trial)}, but {beyond_budget(bench.problem.budget, spent.dimension, int(spent.excess))}"


def _room(bench: Bench, trial: Trial) -> str:
    name, stop = _binding(trial), trial.stop
    able = bench.draft.fits[:, stop].nonzero()[0]
    free = {int(vehicle): _free_room(bench, int(vehicle), name) for vehicle in able}
    best = max(free, key=free.__getitem__)
    if free[best] + LOAD_TOLERANCE < bench.timer.terms.demand[name][stop]:
        return f"the largest free is {amount(free[best], name)} on {bench.problem.vehicles[best].vehicle_id}"
    left, wanted = amount(free[trial.vehicle], name), _demand(bench, stop, trial)
    return f"{_at(bench, trial)} has {left} free of the {wanted} that it needs"


_TELL = {
    Cause.SHIFT: _shift,
    Cause.WINDOW: _window,
    Cause.ROUTE_TIME: _route_time,
    Cause.ROUTE_DISTANCE: _route_distance,
    Cause.RELOADS: _reloads,
    Cause.ORDER: _order,
    Cause.GOODS_ELSEWHERE: _goods,
    Cause.PAIR: _pair,
    Cause.CHANGES: _changes,
    Cause.CAPACITY: _room,
}


def _binding(trial: Trial) -> str:
    short = max((b for b in trial.breaches if b.cause == Cause.CAPACITY), key=lambda b: b.excess)
    return short.dimension or ""


def _demand(bench: Bench, stop: int, trial: Trial) -> str:
    name = _binding(trial)
    return amount(bench.timer.terms.demand[name][stop], name)


def _free_room(bench: Bench, vehicle: int, name: str) -> float:
    on_board = bench.problem.vehicles[vehicle].load_on_board.get(name, 0)
    taken = bench.timed[vehicle].peak_load.get(name, on_board) - on_board
    return max(0.0, bench.timer.terms.room[vehicle][name] - taken)
