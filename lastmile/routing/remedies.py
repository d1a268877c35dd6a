"""The changes after which a stop can be served, or served on time, each with its price; the cheapest first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from lastmile.routing.conceding import Concession, Limit
from lastmile.routing.obstacles import Cause
from lastmile.routing.probing import Bench, Trial
from lastmile.routing.problem import RELOAD, Problem
from lastmile.routing.timing import RELOADS
from lastmile.routing.wording import names

PRICED = frozenset({Limit.OVERTIME})
"""What has a price of its own in a rate card: the cheapest is best. Of anything else, the least is."""

MOST_TOLD = 3
"""Remedies kept for one stop, each of another kind."""

CROWDED = 3
"""Vehicles from which another stop is moved away, the nearest to fitting first."""

NEW_PLACES = 5
"""Places tried for a stop that would be moved away."""


@dataclass(frozen=True)
class Remedy:
    """One change after which a stop is served (or served on time), by `vehicle_id`.

    `words` follow "it is served …". `extra_cost` is what the routes would cost more, in the problem's currency, with the
    price of the change itself where a rate card has one (overtime), and without it where none is known (another
    promise). `routes` are the routes that differ; `concession` is None where nothing has to give way but the plan.
    """

    stop_id: str
    vehicle_id: str
    cause: Cause
    words: str
    extra_cost: float
    routes: Mapping[str, tuple[str, ...]]
    concession: Concession | None = None

    @property
    def amount(self) -> float | None:
        """By how much the limit gives way: seconds, km, a dimension's unit or a count."""
        return None if self.concession is None else self.concession.amount or None

    def applied(self, problem: Problem) -> Problem:
        """The problem in which this is possible."""
        return problem if self.concession is None else self.concession.applied(problem)

    def plan(self, routes: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
        """The plan with the stop served."""
        return {vehicle_id: tuple(row) for vehicle_id, row in {**routes, **self.routes}.items()}


def remedies_among(bench: Bench, trials: Sequence[Trial]) -> list[Remedy]:
    """The best remedy of each kind, the cheapest first: nothing gives way, one limit does, or another stop does."""
    free = [trial for trial in trials if trial.free]
    if free:
        best = min(free, key=lambda trial: trial.extra_cost)
        return [remedy(bench, best, Cause.NOT_WORTH_IT, _placed(bench, best))]
    found = [*_by_concession(bench, trials), *_by_moving_away(bench, trials)]
    return sorted(found, key=lambda one: one.extra_cost)[:MOST_TOLD]


def remedy(bench: Bench, trial: Trial, cause: Cause, words: str, concession: Concession | None = None) -> Remedy:
    """A trial that breaks nothing, told as a remedy."""
    ids = [*(stop.stop_id for stop in bench.problem.stops), RELOAD]  # RELOADS is -1
    fleet = bench.problem.vehicles
    return Remedy(
        stop_id=ids[trial.stop],
        vehicle_id=fleet[trial.vehicle].vehicle_id,
        cause=cause,
        words=words + _with_its_pair(bench, trial),
        extra_cost=trial.extra_cost,
        routes={fleet[vehicle].vehicle_id: tuple(ids[stop] for stop in row) for vehicle, row in trial.rows.items()},
        concession=concession,
    )


def _placed(bench: Bench, trial: Trial) -> str:
    shift = bench.problem.vehicles[trial.vehicle]
    called_out = not shift.in_use and not bench.rows[trial.vehicle]
    more = trial.rows[trial.vehicle].count(RELOADS) - list(bench.rows[trial.vehicle]).count(RELOADS)
    return (
        f"on {shift.vehicle_id}"
        + (", called out for it" if called_out else "")
        + (", after a reload" if more > 0 else "")
    )


def _with_its_pair(bench: Bench, trial: Trial) -> str:
    newly = {stop for row in trial.rows.values() for stop in row if stop != RELOADS} - set(bench.routed) - {trial.stop}
    others = [bench.problem.stops[stop].stop_id for stop in sorted(newly)]
    return f", together with {names(others)}" if others else ""


def _by_concession(bench: Bench, trials: Sequence[Trial]) -> Iterator[Remedy]:
    """For each limit, the trial that asks least of it."""
    best: dict[Limit, tuple[tuple[float, float], Concession, Trial]] = {}
    for trial in trials:
        given = bench.conceded(trial) if _may_be_best(trial, best) else None
        if given is None:
            continue
        concession, conceded = given
        rank = (0 if concession.limit in PRICED else concession.amount, conceded.extra_cost)
        if concession.limit not in best or rank < best[concession.limit][0]:
            best[concession.limit] = (rank, concession, conceded)
    for _, concession, conceded in best.values():
        yield remedy(bench, conceded, concession.cause, concession.words, concession)


_LIMIT_OF = {
    Cause.SHIFT: Limit.OVERTIME,
    Cause.ROUTE_TIME: Limit.ROUTE_TIME,
    Cause.ROUTE_DISTANCE: Limit.ROUTE_DISTANCE,
    Cause.CAPACITY: Limit.ROOM,
    Cause.WINDOW: Limit.WINDOW,
}


def _may_be_best(trial: Trial, best: Mapping[Limit, tuple[tuple[float, float], Concession, Trial]]) -> bool:
    """False where a trial certainly asks more than the best so far: a cheap look before it is timed again."""
    if trial.lifted is not None or len(trial.causes) != 1:
        return trial.lifted is not None and not trial.breaches
    cause = trial.breaches[0].cause
    known = best.get(_LIMIT_OF.get(cause, Limit.BUDGET))
    if known is None or cause not in _LIMIT_OF:
        return True
    asks = 0 if _LIMIT_OF[cause] in PRICED else trial.excess(cause)
    return (asks, trial.extra_cost) < known[0]


def _by_moving_away(bench: Bench, trials: Sequence[Trial]) -> Iterator[Remedy]:
    """The cheapest way to make room on a vehicle by taking another stop of it elsewhere, if there is one."""
    found = [given for trial in _nearest(trials) for given in _moved_away(bench, trial)]
    if found:
        trial, cause, words = min(found, key=lambda one: one[0].extra_cost)
        yield remedy(bench, trial, cause, words)


def _nearest(trials: Sequence[Trial]) -> list[Trial]:
    """The trials that come closest to fitting, one a vehicle."""
    nearest: dict[int, Trial] = {}
    allowed = [trial for trial in trials if trial.lifted is None and Cause.PAIR not in trial.causes]
    for trial in sorted(allowed, key=lambda one: (len(one.breaches), one.extra_cost)):
        nearest.setdefault(trial.vehicle, trial)
    return list(nearest.values())[:CROWDED]


def _moved_away(bench: Bench, trial: Trial) -> Iterator[tuple[Trial, Cause, str]]:
    cause = min(trial.causes)
    for other in trial.rows[trial.vehicle]:
        if other in (RELOADS, trial.stop) or bench.routed.get(other) != trial.vehicle or not bench.may_move(other):
            continue
        lighter = tuple(stop for stop in trial.rows[trial.vehicle] if stop != other)
        if bench.moves_left <= 0:
            return
        bench.moves_left -= 1
        if bench.trial(trial.stop, trial.vehicle, {trial.vehicle: lighter}).breaches:
            continue
        for place, row in islice(bench.elsewhere(other, trial.vehicle), NEW_PLACES):
            bench.moves_left -= 1
            moved = bench.trial(trial.stop, trial.vehicle, {trial.vehicle: lighter, place: row})
            if not moved.breaches:
                ids = bench.problem.stops[other].stop_id, bench.problem.vehicles[place].vehicle_id
                at = bench.problem.vehicles[trial.vehicle].vehicle_id
                yield moved, cause, f"if {ids[0]} moves from {at} to {ids[1]}"
