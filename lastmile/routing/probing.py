"""Trying what a stop would cost and break wherever it could go, without changing the plan."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lastmile.routing.changes import kept_by_plan_in_force
from lastmile.routing.conceding import Concession, Limit, Tried, concession_for, concession_to_serve
from lastmile.routing.drafts import Draft
from lastmile.routing.obstacles import Cause
from lastmile.routing.timing import RELOADS, Breach, RouteTimer, TimedRoute

SLACK = 1e-6
"""Seconds, km or kg by which a limit that was broken before may be broken more and count as unchanged."""

LEAST_LIFTED = 3
"""Places tried at least on vehicles that may not serve the stop, but might if something gave way."""

RELOADED = 3
"""Places, the cheapest by detour, at which a reload is tried along with the stop."""

Rows = dict[int, tuple[int, ...]]
"""Stops and reloads in driving order for each vehicle (as indexes) whose route would change."""


@dataclass(frozen=True)
class Trial:
    """Rows as they would be: what they would cost more, and break that the plan does not.

    `lifted` is what must give way for the vehicle to be allowed to serve the stop at all. Where it `breaks_elsewhere`,
    some of the breaches are on another of the rows.
    """

    stop: int
    vehicle: int
    rows: Rows
    timed: Mapping[int, TimedRoute]
    extra_cost: float
    breaches: tuple[Breach, ...]
    lifted: Concession | None = None
    breaks_elsewhere: bool = False

    @property
    def route(self) -> TimedRoute:
        """The route that would serve the stop."""
        return self.timed[self.vehicle]

    @property
    def causes(self) -> frozenset[Cause]:
        return frozenset(breach.cause for breach in self.breaches)

    @property
    def free(self) -> bool:
        return not self.breaches and self.lifted is None

    def excess(self, cause: Cause) -> float:
        return max(breach.excess for breach in self.breaches if breach.cause == cause)


class Bench:
    """One plan on which changes are tried; it stays as it is until one is adopted.

    `moves` are the routes that may be timed to see whether moving another stop away would do.

    Where a stop of the plan is probed (`set_aside`), trials say where else it could go: on time, and with no promise
    newly broken.
    """

    def __init__(self, timer: RouteTimer, routes: Mapping[str, Sequence[str]], moves: int = 0) -> None:
        self.timer, self.problem = timer, timer.problem
        self.draft = Draft(timer, routes)
        self.moves_left = moves
        self.aside: Rows = {}
        self.on_time: int | None = None
        index = self.problem.stop_index
        self.kept = frozenset(index[stop_id] for stop_id in kept_by_plan_in_force(timer))
        self.holder = timer.terms.holder
        self._take_stock()

    def _take_stock(self) -> None:
        self.rows, self.timed = list(self.draft.routes), list(self.draft.timed)
        self.routed = {stop: vehicle for vehicle, row in enumerate(self.rows) for stop in row if stop != RELOADS}
        self.counts = self._changes(dict(enumerate(self.timed)))
        self.counts["promises_broken"] += len(self.kept)

    def worth(self, stop: int) -> tuple[float, int]:
        """Sorts stops, the dearest to leave out first."""
        return (-self.draft.price[stop], stop)

    def unserved_with(self, stop: int) -> list[int]:
        """A stop and, where nothing serves that either, the other half of its pair."""
        partner = self.partner(stop)
        return [stop] if partner < 0 or partner in self.routed else [stop, partner]

    def partner(self, stop: int) -> int:
        """The other half of a stop's pair, -1 where it has none."""
        return max(self.timer.terms.brings_from[stop], self.timer.terms.collects[stop])

    def set_aside(self, stop: int) -> None:
        """Take a stop out of its route, to be tried elsewhere, on time."""
        vehicle = self.routed[stop]
        row = tuple(one for one in self.rows[vehicle] if one != stop)
        self.aside, self.on_time = {vehicle: row}, stop
        self.draft.set(vehicle, row)

    def put_back(self) -> None:
        for vehicle in self.aside:
            self.draft.set(vehicle, self.rows[vehicle])
        self.aside, self.on_time = {}, None

    def adopt(self, trial: Trial) -> None:
        """Change the plan as tried: what is tried next is compared with that."""
        for vehicle, row in trial.rows.items():
            self.draft.set(vehicle, row)
        self._take_stock()

    def trials(self, stop: int, places: int) -> list[Trial]:
        """The most promising ways to serve a stop, with the other half of its pair where nothing serves that yet."""
        partner = self.partner(stop)
        if partner >= 0:
            return [self.trial(stop, v, rows) for v, rows in itertools.islice(self._in_a_pair(stop, partner), places)]
        allowed = [self.trial(stop, v, rows) for v, rows in itertools.islice(self._alone(stop), places)]
        return allowed + list(self._lifted(stop, max(LEAST_LIFTED, places // 10)))

    def trial(
        self, stop: int, vehicle: int, rows: Rows, lifted: Concession | None = None, timer: RouteTimer | None = None
    ) -> Trial:
        """What changed rows would come to; by another timer, for which some limit has given way, if one is given."""
        timer = timer or self.timer
        rows = self.aside | rows
        timed = {one: timer.time(one, row) for one, row in rows.items()}
        extra = sum(route.cost.total - self.timed[one].cost.total for one, route in timed.items())
        there = list(self._new(timer, vehicle, timed[vehicle]))
        elsewhere = [b for one, route in timed.items() if one != vehicle for b in self._new(timer, one, route)]
        breaches = (*there, *elsewhere, *self._spent(timed))
        return Trial(stop, vehicle, rows, timed, extra, breaches, lifted, bool(elsewhere))

    def conceded(self, trial: Trial) -> tuple[Concession, Trial] | None:
        """What must give way for a trial, and the trial once it has; None where no one thing is enough."""
        if trial.lifted is not None:
            return None if trial.breaches else (trial.lifted, trial)
        if trial.breaks_elsewhere:
            return None
        needed = concession_for(Tried(self.timer, trial.vehicle, trial.stop, trial.route, trial.breaches))
        if needed is None:
            return None
        given = self.trial(trial.stop, trial.vehicle, trial.rows, None, needed.relaxed(self.timer))
        spared = [one for one in given.breaches if needed.limit != Limit.BUDGET or one.cause != Cause.CHANGES]
        return None if spared else (needed, given)

    def may_move(self, stop: int) -> bool:
        """True where a stop of the plan may be taken elsewhere by itself."""
        return not self.timer.terms.committed[stop] and self.partner(stop) < 0

    def elsewhere(self, stop: int, vehicle: int) -> Iterator[tuple[int, tuple[int, ...]]]:
        """Other vehicles with the row that they would drive with a stop of this vehicle."""
        may = self.draft.fits[:, stop].copy()
        may[vehicle] = False
        for other, position in self.draft.places_on(stop, np.flatnonzero(may)):
            yield other, _inserted(other, self.draft.routes[other], position, stop)[other]

    # Where a stop could go.

    def _alone(self, stop: int) -> Iterator[tuple[int, Rows]]:
        tried = 0
        for vehicle, position in self.draft.all_places(stop):
            row = self.draft.routes[vehicle]
            yield vehicle, _inserted(vehicle, row, position, stop)
            if tried < RELOADED and self.problem.has_reloads:
                tried += 1
                yield vehicle, _inserted(vehicle, row, position, RELOADS, stop)
                yield vehicle, _inserted(vehicle, row, position, stop, RELOADS)
                yield vehicle, _inserted(vehicle, row, len(row), RELOADS, stop)

    def _lifted(self, stop: int, most: int) -> Iterator[Trial]:
        """Trials on vehicles that may not serve the stop, but might if one thing gave way."""
        lifts: dict[int, Concession | None] = {}
        timers: dict[int, RouteTimer] = {}
        places = self.draft.places_on(stop, np.flatnonzero(~self.draft.fits[:, stop]))
        for vehicle, position in itertools.islice(places, 4 * most):
            if vehicle not in lifts:
                lifts[vehicle] = concession_to_serve(self.problem, vehicle, stop)
            lift = lifts[vehicle]
            if lift is None:
                continue
            if vehicle not in timers:
                timers[vehicle] = lift.relaxed(self.timer)
            row = _inserted(vehicle, self.draft.routes[vehicle], position, stop)
            yield self.trial(stop, vehicle, row, lift, timers[vehicle])
            most -= 1
            if not most:
                return

    def _in_a_pair(self, stop: int, partner: int) -> Iterator[tuple[int, Rows]]:
        """Places for both halves of a pair, or for one on the route and trip of the other."""
        there = self.routed.get(partner)
        first, second = (partner, stop) if self.timer.terms.brings_from[stop] >= 0 else (stop, partner)
        may = self.draft.fits[:, stop] & self.draft.fits[:, partner]
        for vehicle, position in self.draft.places_on(first if there is None else stop, np.flatnonzero(may)):
            row = self.draft.routes[vehicle]
            if there is None:
                begun = (*row[:position], first, *row[position:])
                for later in range(position + 1, len(begun) + 1):
                    yield vehicle, _inserted(vehicle, begun, later, second)
            elif vehicle == there:
                yield vehicle, _inserted(vehicle, row, position, stop)

    # What a trial newly breaks.

    def _new(self, timer: RouteTimer, vehicle: int, route: TimedRoute) -> Iterator[Breach]:
        """What the route breaks that the plan does not, or less; where a stop is set aside, promises count as limits."""
        known = {_key(breach): breach.excess for breach in self.timed[vehicle].breaches}
        for breach in route.breaches:
            wanted = breach.cause == Cause.WINDOW and breach.stop == self.on_time
            if breach.excess > (0 if wanted else known.get(_key(breach), 0)) + SLACK:
                yield breach
        if self.on_time is not None:
            yield from self._promises(timer, vehicle, route)

    def _promises(self, timer: RouteTimer, vehicle: int, route: TimedRoute) -> Iterator[Breach]:
        """Soft windows that are missed by the stop set aside, or by others more than in the plan."""
        terms, was = timer.terms, self.timed[vehicle]
        late_before = dict(zip(was.stops, was.late, strict=True)) | {self.on_time: 0}
        for stop, begins, late in zip(route.stops, route.starts, route.late, strict=True):
            if stop == RELOADS or terms.committed[stop]:
                continue
            if late > late_before.get(stop, 0) + SLACK and terms.late_price[stop] is not None:
                yield Breach(Cause.WINDOW, late, stop)
            if stop == self.on_time and begins > terms.need_by[stop] + SLACK:
                yield Breach(Cause.WINDOW, begins - terms.need_by[stop], stop, Limit.NEED_BY)

    def _spent(self, timed: Mapping[int, TimedRoute]) -> Iterator[Breach]:
        """Counts beyond the budget of changes, where the plan is not beyond it as far."""
        if not self.problem.budget.limited:
            return
        was = self._changes({vehicle: self.timed[vehicle] for vehicle in timed})
        will_be = self._changes(timed)
        for name, before in self.counts.items():
            most, after = getattr(self.problem.budget, name), before + will_be[name] - was[name]
            if most is not None and after > max(most, before):
                yield Breach(Cause.CHANGES, after - most, None, name)

    def _changes(self, timed: Mapping[int, TimedRoute]) -> dict[str, int]:
        """What some routes count for in a budget; of promises, those kept until now and kept here count against it."""
        terms, counts = self.timer.terms, {"moved": 0, "promises_broken": 0, "goods_moved": 0}
        for vehicle, route in timed.items():
            for stop, late in zip(route.stops, route.late, strict=True):
                if stop == RELOADS:
                    continue
                counts["moved"] += terms.present_vehicle[stop] not in (-1, vehicle)
                counts["goods_moved"] += self.holder[stop] not in (-1, vehicle)
                counts["promises_broken"] -= stop in self.kept and not late
        return counts


def _key(breach: Breach) -> tuple[Cause, int | None, str | None]:
    return (breach.cause, breach.stop, breach.dimension)


def _inserted(vehicle: int, row: Sequence[int], position: int, *stops: int) -> Rows:
    return {vehicle: (*row[:position], *stops, *row[position:])}
