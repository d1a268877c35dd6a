"""Why a stop is not served, found by trying: every place it could go, with one limit relaxed at a time."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lastmile.routing.inserting import Draft, Place
from lastmile.routing.loads import LOAD_TOLERANCE
from lastmile.routing.obstacles import Cause, eligible, problems_of
from lastmile.routing.problem import Problem
from lastmile.routing.timing import Breach, RouteTimer, TimedRoute
from lastmile.routing.wording import amount, clock, minutes, money

PROBES = 3_000
"""Places tried in one plan for all its unserved stops together: about a quarter of a second."""

PLACES_PROBED = 300
"""Places tried for one stop at most, the cheapest detours first."""

STOPS_PROBED = 200
"""Unserved stops probed in one plan; beyond, a plan has a problem of another kind, and saying so is quicker."""


@dataclass(frozen=True)
class Reason:
    """Why a stop is not served, in words, and the cheapest single change that would serve it.

    `extra_cost` is what serving it would add (in the problem's currency, the price of the change itself not included),
    on `vehicle_id`, if the limit of `cause` gave way by `excess` (seconds, or the dimension's unit).
    """

    stop_id: str
    cause: Cause
    words: str
    vehicle_id: str | None = None
    extra_cost: float | None = None
    excess: float | None = None


@dataclass(frozen=True)
class Probe:
    """What putting the stop at one place would cost and break."""

    place: Place
    extra_cost: float
    breaches: tuple[Breach, ...]
    route: TimedRoute

    @property
    def causes(self) -> frozenset[Cause]:
        return frozenset(breach.cause for breach in self.breaches)

    def excess(self, cause: Cause) -> float:
        return max(breach.excess for breach in self.breaches if breach.cause == cause)


def reasons_unserved(
    problem: Problem, routes: Mapping[str, Sequence[str]], timer: RouteTimer | None = None
) -> dict[str, Reason]:
    """A reason for each stop that the plan does not serve, by stop_id."""
    impossible = problems_of(problem)
    draft = Draft(timer or RouteTimer(problem), routes)
    found = {stop_id: Reason(stop_id, obstacle.cause, obstacle.words) for stop_id, obstacle in impossible.items()}
    unserved = [problem.stops[stop].stop_id for stop in draft.open_stops()]
    places = min(PLACES_PROBED, PROBES // max(1, min(len(unserved), STOPS_PROBED)))
    for stop_id in unserved[:STOPS_PROBED]:
        found[stop_id] = _reason_by_probing(draft, problem.stop_index[stop_id], places)
    for stop_id in unserved[STOPS_PROBED:]:
        words = f"more than {STOPS_PROBED} stops find no place: the vehicles on shift are too few"
        found[stop_id] = Reason(stop_id, Cause.NO_SINGLE_CHANGE, words)
    routed = {stop_id for row in routes.values() for stop_id in row}
    return {stop.stop_id: found[stop.stop_id] for stop in problem.stops if stop.stop_id not in routed}


def _reason_by_probing(draft: Draft, stop: int, places: int) -> Reason:
    probes = probes_of(draft, stop, places)
    free = [probe for probe in probes if not probe.breaches]
    if free:
        return _not_worth_it(draft, stop, min(free, key=lambda probe: probe.extra_cost))
    single = [probe for probe in probes if len(probe.causes) == 1]
    if not single:
        return _no_single_change(draft, stop, probes)
    cheapest = {cause: _least(single, cause) for probe in single for cause in probe.causes}
    cause = min(cheapest, key=lambda one: (cheapest[one].extra_cost, one))
    return _limit(draft, stop, cause, cheapest[cause], everywhere=all(cause in probe.causes for probe in probes))


def _least(probes: list[Probe], cause: Cause) -> Probe:
    """The cheapest probe that breaks this limit: overtime has its price, any other limit counts by its excess first."""
    rows = [probe for probe in probes if cause in probe.causes]
    return min(rows, key=lambda probe: (0 if cause == Cause.SHIFT else probe.excess(cause), probe.extra_cost))


def probes_of(draft: Draft, stop: int, places: int = PLACES_PROBED) -> list[Probe]:
    """What the most promising places that the stop is allowed in would each cost and newly break."""
    return [_probe(draft, stop, place) for place in itertools.islice(draft.all_places(stop), places)]


def _probe(draft: Draft, stop: int, place: Place) -> Probe:
    route = draft.with_stop(stop, place)
    known = {(b.cause, b.stop, b.dimension) for b in draft.timed[place[0]].breaches}
    new = tuple(b for b in route.breaches if (b.cause, b.stop, b.dimension) not in known)
    return Probe(place, draft.extra_cost(place, route), new, route)


def _not_worth_it(draft: Draft, stop: int, probe: Probe) -> Reason:
    problem = draft.problem
    vehicle_id = problem.vehicles[probe.place[0]].vehicle_id
    price = problem.price_of_not_serving(problem.stops[stop])
    extra, owed = money(probe.extra_cost, problem.currency), money(price, problem.currency)
    words = f"serving it costs {extra} at best (on {vehicle_id}), more than the {owed} of not serving it"
    if probe.extra_cost <= price:
        words = f"the search ended before it was placed; {vehicle_id} can serve it for {extra}"
    return Reason(problem.stops[stop].stop_id, Cause.NOT_WORTH_IT, words, vehicle_id, probe.extra_cost)


def _no_single_change(draft: Draft, stop: int, probes: list[Probe]) -> Reason:
    problem = draft.problem
    least = min(probes, key=lambda probe: (len(probe.causes), probe.extra_cost))
    vehicle_id = problem.vehicles[least.place[0]].vehicle_id
    told = " and ".join(_shortfall(draft, stop, cause, least) for cause in sorted(least.causes))
    words = f"no single change is enough; nearest is {vehicle_id}: {told}"
    return Reason(problem.stops[stop].stop_id, Cause.NO_SINGLE_CHANGE, words, vehicle_id, least.extra_cost)


def _limit(draft: Draft, stop: int, cause: Cause, probe: Probe, everywhere: bool) -> Reason:
    """The one limit whose giving way serves the stop most cheaply; `everywhere`: it stands in every place's way."""
    problem = draft.problem
    vehicle_id = problem.vehicles[probe.place[0]].vehicle_id
    general = {
        Cause.CAPACITY: f"no vehicle has room for {_demand(draft, stop, probe)}",
        Cause.SHIFT: "no vehicle can fit it into its shift",
        Cause.WINDOW: "no vehicle can fit it in without breaking a fixed window",
        Cause.BREAK: "no vehicle can fit it in and still take its break",
    }[cause]
    opening = general if everywhere else f"no vehicle can fit it in; {vehicle_id} comes closest"
    extra = money(probe.extra_cost, problem.currency)
    words = f"{opening}: {_shortfall(draft, stop, cause, probe)} (serving it so would add {extra})"
    return Reason(problem.stops[stop].stop_id, cause, words, vehicle_id, probe.extra_cost, probe.excess(cause))


def _shortfall(draft: Draft, stop: int, cause: Cause, probe: Probe) -> str:
    """By how much a limit would be broken at the probed place, in words."""
    tell = {Cause.SHIFT: _shift_words, Cause.WINDOW: _window_words, Cause.CAPACITY: _room_words}.get(cause)
    vehicle_id = draft.problem.vehicles[probe.place[0]].vehicle_id
    return f"{vehicle_id} would have no time for its break" if tell is None else tell(draft, stop, probe)


def _shift_words(draft: Draft, _: int, probe: Probe) -> str:
    vehicle, zone = probe.place[0], draft.problem.zone
    back, latest = clock(probe.route.ends, zone), clock(draft.timer.terms.must_end[vehicle], zone)
    more = minutes(probe.excess(Cause.SHIFT))
    return f"{draft.problem.vehicles[vehicle].vehicle_id} would end at {back}, {more} after its limit of {latest}"


def _window_words(draft: Draft, stop: int, probe: Probe) -> str:
    problem = draft.problem
    vehicle_id = problem.vehicles[probe.place[0]].vehicle_id
    worst = max((b for b in probe.breaches if b.cause == Cause.WINDOW), key=lambda b: b.excess)
    late = minutes(worst.excess)
    if worst.stop != stop:
        return f"{vehicle_id} would reach {problem.stops[worst.stop].stop_id} {late} after its window"
    closes = clock(problem.stops[stop].closes, problem.zone)
    at = clock(probe.route.starts[probe.route.stops.index(stop)], problem.zone)
    return f"{vehicle_id} would serve it at {at}, {late} after what its window until {closes} allows"


def _room_words(draft: Draft, stop: int, probe: Probe) -> str:
    name = _binding(probe)
    able = eligible(draft.problem)[:, stop].nonzero()[0]
    free = {draft.problem.vehicles[v].vehicle_id: _free_room(draft, int(v), name) for v in able}
    best = max(free, key=free.__getitem__)
    if free[best] + LOAD_TOLERANCE < draft.timer.terms.demand[name][stop]:
        return f"the largest free is {amount(free[best], name)} on {best}"
    vehicle_id = draft.problem.vehicles[probe.place[0]].vehicle_id
    return f"{vehicle_id} has {amount(free[vehicle_id], name)} free of the {_demand(draft, stop, probe)} that it needs"


def _binding(probe: Probe) -> str:
    short = max((b for b in probe.breaches if b.cause == Cause.CAPACITY), key=lambda b: b.excess)
    return short.dimension or ""


def _demand(draft: Draft, stop: int, probe: Probe) -> str:
    if Cause.CAPACITY not in probe.causes:
        return ""
    return amount(draft.timer.terms.demand[_binding(probe)][stop], _binding(probe))


def _free_room(draft: Draft, vehicle: int, name: str) -> float:
    on_board = draft.problem.vehicles[vehicle].load_on_board.get(name, 0)
    return max(
        0.0, draft.timer.terms.room[vehicle][name] - (draft.timed[vehicle].peak_load.get(name, on_board) - on_board)
    )
