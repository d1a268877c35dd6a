"""Every way to take the breaks of a shift on a route, for the timer to choose the best."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lastmile.routing.timing import Order, RouteTimer, TimedRoute

AT_HOME, NOT_TAKEN = -1, -2
"""Stand instead of the position before which a break is taken: before setting out, or while goods are waited for; not at all."""


class Pausing:
    """The breaks of one vehicle, in order, on one route whose times without any are `plain`.

    What is `taken` has an entry for each break that is decided: a position among the stops, AT_HOME or NOT_TAKEN.
    """

    def __init__(self, timer: RouteTimer, order: Order, plain: TimedRoute) -> None:
        self.timer, self.order = timer, order
        self.pauses = timer.terms.pauses[order.vehicle] if order.stops else ()
        in_use = timer.problem.vehicles[order.vehicle].in_use
        self.waits_at_home = not in_use or plain.departs > timer.terms.ready[order.vehicle]

    def ways(self, taken: tuple[int, ...], route: TimedRoute) -> Iterator[TimedRoute]:
        """The route, each time at its best departure, in every way to take the breaks that are not decided yet.

        A break that the route is over before is not taken, and one that fits nowhere is a breach.
        """
        number = len(taken)
        if number == len(self.pauses):
            yield self.timer.leave_later(self.order, taken, route)
        elif route.ends <= self.pauses[number].latest:
            yield from self.ways((*taken, NOT_TAKEN), route)
        else:
            places = [*self._gaps(taken, route), *self._home(taken)]
            for place in places:
                yield from self._with(taken, place, route)
            if not places:
                yield from self._without(taken, route)

    def _with(self, taken: tuple[int, ...], place: int, route: TimedRoute) -> Iterator[TimedRoute]:
        pause, departs = self.pauses[len(taken)], route.departs
        if place == AT_HOME:
            departs = max(departs, pause.earliest + pause.seconds)
        taken = (*taken, place)
        yield from self.ways(taken, self.timer.run(self.order, taken, departs))

    def _without(self, taken: tuple[int, ...], route: TimedRoute) -> Iterator[TimedRoute]:
        number = len(taken)
        for way in self.ways((*taken, NOT_TAKEN), route):
            way.miss_break(number, self.pauses[number].seconds)
            yield way

    def _gaps(self, taken: tuple[int, ...], route: TimedRoute) -> Iterator[int]:
        """Positions before which the next break can start in time; none where it could as well wait for a later one."""
        pause = self.pauses[len(taken)]
        finished, begins = [route.departs, *route.leaves, math.inf], [*route.starts, math.inf]
        first = max((0, *taken))
        if first in taken:  # after the break before it on the same way
            finished[first] = self._last_ends(taken, route)
        for gap in range(first, len(begins)):
            if finished[gap] <= pause.latest and (begins[gap] >= pause.earliest or finished[gap + 1] > pause.latest):
                yield gap

    def _last_ends(self, taken: tuple[int, ...], route: TimedRoute) -> float:
        last = max(number for number, place in enumerate(taken) if place >= 0)
        return route.pause_starts[last] + self.pauses[last].seconds

    def _home(self, taken: tuple[int, ...]) -> tuple[int, ...]:
        return (AT_HOME,) if self.waits_at_home and max(taken, default=AT_HOME) < 0 else ()
