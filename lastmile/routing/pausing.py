"""Every way to take the breaks of a shift on a route, for the timer to choose the best."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from lastmile.routing.terms import EXACT_SECONDS

if TYPE_CHECKING:
    from lastmile.routing.timing import Order, RouteTimer, TimedRoute

AT_HOME = -1
"""Stands instead of the position before which a break is taken: before setting out, or while goods are waited for."""


class Pausing:
    """The breaks of one vehicle, in order, on one route whose times without any are `plain`.

    What is `taken` has an entry for each break that is placed: a position among the stops, or AT_HOME. There is always a
    way: a vehicle rests before a stop rather than begin its break too late, and what it then breaks is a window or its shift.
    """

    def __init__(self, timer: RouteTimer, order: Order, plain: TimedRoute) -> None:
        self.timer, self.order = timer, order
        self.pauses = timer.terms.pauses[order.vehicle] if order.stops else ()
        in_use = timer.problem.vehicles[order.vehicle].in_use
        self.waits_at_home = not in_use or plain.departs > timer.terms.ready[order.vehicle]

    def ways(self, taken: tuple[int, ...], route: TimedRoute) -> Iterator[TimedRoute]:
        """The route, each time at its best departure, in every way to take the breaks that are not placed yet.

        A break that the route is over before, and those after it, are not taken.
        """
        number = len(taken)
        if number == len(self.pauses) or route.ends <= self.pauses[number].latest:
            yield self.timer.leave_later(self.order, taken, route)
            return
        for gap in self._gaps(taken, route):
            further = (*taken, gap)
            yield from self.ways(further, self.timer.run(self.order, further, route.departs))
        if self.waits_at_home and max(taken, default=AT_HOME) == AT_HOME:
            pause, further = self.pauses[number], (*taken, AT_HOME)
            departs = max(route.departs, pause.earliest + pause.seconds)
            yield from self.ways(further, self.timer.run(self.order, further, departs))

    def _gaps(self, taken: tuple[int, ...], route: TimedRoute) -> Iterator[int]:
        """Positions before which the next break can start, leaving time for those after it; none where it could as well
        wait for a later one."""
        number, first = len(taken), max((0, *taken))
        pause, latest = self.pauses[number], self.timer.terms.pause_by[self.order.vehicle][number]
        finished, begins = [route.departs, *route.leaves, math.inf], [*route.starts, math.inf]
        if first in taken:  # after the break before it on the same way
            finished[first] = route.pause_starts[number - 1] + self.pauses[number - 1].seconds
        for gap in range(first, len(begins)):
            due = begins[gap] + EXACT_SECONDS >= pause.earliest
            if finished[gap] <= latest and (due or finished[gap + 1] > latest):
                yield gap
