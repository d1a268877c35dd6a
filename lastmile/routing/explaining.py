"""Why a stop is not served, or is late, found by trying: every place it could go, with one limit relaxed at a time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from lastmile.routing.conceding import Concession, Limit, closing_later
from lastmile.routing.obstacles import Cause, problems_of
from lastmile.routing.probing import Bench, Trial
from lastmile.routing.problem import Problem
from lastmile.routing.remedies import Remedy, remedies_among
from lastmile.routing.shortfalls import opening, shortfall
from lastmile.routing.stops import Stop
from lastmile.routing.timing import RouteTimer, TimedRoute
from lastmile.routing.wording import clock, minutes, money, more_or_less

PROBES = 1_200
"""Places tried in one plan for all its unserved stops together, and as many again for its late ones."""

PLACES_PROBED = 300
"""Places tried for one stop at most, the cheapest detours first."""

STOPS_PROBED = 150
"""Stops probed in one plan; beyond, a plan has a problem of another kind, and saying so is quicker."""

LEAST_PLACES = 8
"""Places tried for a stop that is probed at all: fewer stops are probed rather than each in fewer places."""

PROBES_A_MOVE = 6
"""For so many probes one more route is timed to see whether moving another stop away would do."""

PROMISES_TRIED = 3
"""How often another promise is tried until the route keeps it."""

MENDABLE = frozenset({Cause.SKILL, Cause.NOT_ALLOWED, Cause.GOODS_ELSEWHERE, Cause.CAPACITY, Cause.WINDOW})
"""What makes a stop impossible, but can be changed by people today."""


@dataclass(frozen=True)
class Reason:
    """Why a stop is not served or late, in words, and what would change that, the cheapest first.

    `cause` is the limit that binds: the one that the cheapest remedy gives up. `vehicle_id`, `extra_cost` (in the
    problem's currency) and `excess` (seconds, km, a dimension's unit) are those of the cheapest remedy.
    """

    stop_id: str
    cause: Cause
    words: str
    vehicle_id: str | None = None
    extra_cost: float | None = None
    excess: float | None = None
    remedies: tuple[Remedy, ...] = ()


def reasons_unserved(
    problem: Problem, routes: Mapping[str, Sequence[str]], timer: RouteTimer | None = None, probes: int = PROBES
) -> dict[str, Reason]:
    """A reason for each stop that the plan does not serve, by stop_id; about so many `probes` are made for it."""
    bench, impossible = Bench(timer or RouteTimer(problem), routes, probes // PROBES_A_MOVE), problems_of(problem)
    unserved = [stop for stop in range(len(problem.stops)) if stop not in bench.routed]
    found = {}
    for stop_id in (problem.stops[stop].stop_id for stop in unserved):
        obstacle = impossible.get(stop_id)
        if obstacle is not None:
            found[stop_id] = Reason(stop_id, obstacle.cause, obstacle.words)
    told = [stop for stop in unserved if problem.stops[stop].stop_id not in found]
    mendable = [problem.stop_index[one] for one, reason in found.items() if reason.cause in MENDABLE]
    probed = [*sorted(told, key=bench.worth), *sorted(mendable, key=bench.worth)]
    most = min(STOPS_PROBED, probes // LEAST_PLACES)
    places = min(PLACES_PROBED, probes // max(1, min(len(probed), most)))
    for stop in probed[:most]:
        stop_id = problem.stops[stop].stop_id
        found[stop_id] = _unserved(bench, stop, places, found.get(stop_id))
    for stop_id in (problem.stops[stop].stop_id for stop in probed[most:]):
        words = f"{len(unserved)} stops are not served; only the {most} dearest to leave out were tried one by one"
        found.setdefault(stop_id, Reason(stop_id, Cause.NO_SINGLE_CHANGE, words))
    return {problem.stops[stop].stop_id: found[problem.stops[stop].stop_id] for stop in unserved}


def reasons_late(
    problem: Problem, routes: Mapping[str, Sequence[str]], timer: RouteTimer | None = None, probes: int = PROBES
) -> dict[str, Reason]:
    """A reason for each stop that the plan serves after its last window or its need-by, by stop_id.

    Its remedies keep the promise and the crew at work, and break no promise that the plan keeps.
    """
    bench = Bench(timer or RouteTimer(problem), routes, probes // PROBES_A_MOVE)
    late, most = sorted(_late(bench), key=bench.worth), min(STOPS_PROBED, probes // LEAST_PLACES)
    places = min(PLACES_PROBED, probes // max(1, min(len(late), most)))
    found = {problem.stops[stop].stop_id: _why_late(bench, stop, places) for stop in late[:most]}
    for stop in late[most:]:
        found[problem.stops[stop].stop_id] = _told_late(bench, stop, _later_promise(bench, stop), ())
    return {stop.stop_id: found[stop.stop_id] for stop in problem.stops if stop.stop_id in found}


# Not served.


def _unserved(bench: Bench, stop: int, places: int, impossible: Reason | None) -> Reason:
    trials = bench.trials(stop, places)
    remedies = remedies_among(bench, trials)
    if impossible is not None:
        return _told(bench, impossible.stop_id, impossible.cause, impossible.words, remedies)
    stop_id = bench.problem.stops[stop].stop_id
    if not remedies:
        return _no_single_change(bench, stop, trials)
    best = remedies[0]
    if best.cause == Cause.NOT_WORTH_IT:
        return _not_worth_it(bench, stop, best)
    return _told(bench, stop_id, best.cause, opening(bench, stop, best, trials), remedies)


def _told(bench: Bench, stop_id: str, cause: Cause, words: str, remedies: Sequence[Remedy]) -> Reason:
    if not remedies:
        return Reason(stop_id, cause, words)
    best = remedies[0]
    words = f"{words}; opens {best.words}: {money(best.extra_cost, bench.problem.currency)}"
    return Reason(stop_id, cause, words, best.vehicle_id, best.extra_cost, best.amount, tuple(remedies))


def _not_worth_it(bench: Bench, stop: int, best: Remedy) -> Reason:
    problem = bench.problem
    price = sum(problem.price_of_not_serving(problem.stops[one]) for one in bench.unserved_with(stop))
    extra, owed = (money(value, problem.currency) for value in (best.extra_cost, price))
    words = f"serving it costs {extra} at best ({best.words}), more than the {owed} of not serving it"
    if best.extra_cost <= price:
        words = f"the search ended before it was placed; it can be served {best.words}: {extra}"
    return Reason(best.stop_id, best.cause, words, best.vehicle_id, best.extra_cost, None, (best,))


def _no_single_change(bench: Bench, stop: int, trials: Sequence[Trial]) -> Reason:
    stop_id = bench.problem.stops[stop].stop_id
    allowed = [trial for trial in trials if trial.lifted is None]
    if not allowed:
        return Reason(stop_id, Cause.NO_SINGLE_CHANGE, "no vehicle that may serve it has a place for it")
    least = min(allowed, key=lambda trial: (len(trial.causes), trial.extra_cost))
    told = " and ".join(shortfall(bench, least, cause) for cause in sorted(least.causes))
    vehicle_id = bench.problem.vehicles[least.vehicle].vehicle_id
    words = f"no single change is enough; nearest is {vehicle_id}: {told}"
    return Reason(stop_id, Cause.NO_SINGLE_CHANGE, words, vehicle_id, least.extra_cost)


# Late.


def _late(bench: Bench) -> list[int]:
    need_by = bench.timer.terms.need_by
    return [
        stop
        for route in bench.timed
        for stop, begins, late in zip(route.stops, route.starts, route.late, strict=True)
        if stop >= 0 and (late > 0 or begins > need_by[stop])
    ]


def _why_late(bench: Bench, stop: int, places: int) -> Reason:
    promise = _later_promise(bench, stop)
    if bench.timer.terms.committed[stop]:
        return _only_promised(bench, stop, promise)
    bench.set_aside(stop)
    remedies = [one for one in remedies_among(bench, bench.trials(stop, places)) if not _own_promise(one)]
    bench.put_back()
    return _told_late(bench, stop, promise, remedies)


def _only_promised(bench: Bench, stop: int, promise: Remedy) -> Reason:
    why = f"{promise.vehicle_id} is committed to it, so only another promise helps"
    words = f"{_lateness(bench, stop)}; {why}: {promise.words}"
    return Reason(
        promise.stop_id, Cause.WINDOW, words, promise.vehicle_id, promise.extra_cost, promise.amount, (promise,)
    )


def _own_promise(remedy: Remedy) -> bool:
    """True where the promise itself would give way: what can always be done, at the customer's expense."""
    given = remedy.concession
    return given is not None and any(one.stop_id == remedy.stop_id for one in given.stops) and not given.fields


def _told_late(bench: Bench, stop: int, promise: Remedy, remedies: Sequence[Remedy]) -> Reason:
    best, told = next(iter(remedies), promise), _lateness(bench, stop)
    price = more_or_less(best.extra_cost, bench.problem.currency)
    if best is promise:
        words = f"{told}; no single change brings it on time; agree another: {promise.words}"
    elif best.cause == Cause.NOT_WORTH_IT and best.extra_cost > 0:
        words = f"{told}; on time {best.words}, but that costs {price} than being late"
    else:
        words = f"{told}; on time {best.words}: {price}"
    return Reason(best.stop_id, best.cause, words, best.vehicle_id, best.extra_cost, best.amount, (*remedies, promise))


def _lateness(bench: Bench, stop: int) -> str:
    """By how much a stop is late, and after what."""
    problem, facts = bench.problem, bench.problem.stops[stop]
    route = bench.timed[bench.routed[stop]]
    place, at = route.stops.index(stop), problem.vehicles[bench.routed[stop]].vehicle_id
    if route.late[place] > 0:
        return (
            f"{at} is {minutes(route.late[place])} late for its window until {clock(facts.last_closes, problem.zone)}"
        )
    beyond = minutes(route.starts[place] - facts.need_by)
    return f"{at} comes {beyond} after its crew needs it at {clock(facts.need_by, problem.zone)}"


def _later_promise(bench: Bench, stop: int) -> Remedy:
    """Another promise where the plan has the stop: what is left when nothing else can give way.

    With more time for this stop the best moment for the break may be another, so the promise is tried.
    """
    problem, facts, vehicle = bench.problem, bench.problem.stops[stop], bench.routed[stop]
    route, promised = bench.timed[vehicle], facts
    for _ in range(PROMISES_TRIED):
        promised = _put_off(promised, route, stop)
        given = Concession(Limit.WINDOW, Cause.WINDOW, "", stops=(promised,))
        route = given.relaxed(bench.timer).time(vehicle, bench.rows[vehicle])
    told, by = [], []
    if promised.last_closes != facts.last_closes:
        told.append(f"a window until {clock(promised.last_closes, problem.zone)}")
        by.append(promised.last_closes - facts.last_closes)
    if promised.need_by != facts.need_by:
        told.append(f"a need-by at {clock(promised.need_by, problem.zone)}")
        by.append(promised.need_by - facts.need_by)
    words, at = " and ".join(told), problem.vehicles[vehicle].vehicle_id
    given = replace(given, limit=Limit.WINDOW if "window" in words else Limit.NEED_BY, words=words, amount=max(by))
    extra = route.cost.total - bench.timed[vehicle].cost.total
    return Remedy(facts.stop_id, at, Cause.WINDOW, words, extra, {}, given)


def _put_off(stop: Stop, route: TimedRoute, index: int) -> Stop:
    """The stop promised as late as this route serves it, to the next second."""
    place = route.stops.index(index)
    late, begins = route.late[place], route.starts[place]
    later = closing_later(stop, math.ceil(late)) if late > 0 else stop
    beyond = 0 if stop.need_by is None else math.ceil(begins - stop.need_by)
    return replace(later, need_by=stop.need_by + beyond) if beyond > 0 else later
