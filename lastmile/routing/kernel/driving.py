"""Driving one route in compiled code: the same rules as `routing.timing`, which a test holds equal.

Items of a route are stops, or RELOADS between trips. All times are seconds since the problem's instant.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lastmile.routing.kernel.compiling import compiled, inlined
from lastmile.routing.kernel.sheet import HARD, NEVER, Sheet

RELOADS = -1
EXACT = 1e-6
"""Seconds or money below which two figures are the same; the evaluator allows a thousandth of a second."""

PLAIN = None
"""Stands for the number of breaks where none is on the route: the code is compiled for this by itself, without a break in it."""

TIMES = np.dtype([(name, "f8") for name in ("arrives", "begins", "leaves", "goods_at", "plain_begins", "plain_leaves")])

RESTED = np.dtype([(name, "f8") for name in ("begins", "leaves")])
"""The times of an item at the earliest departure, with breaks taken."""

PAUSING = np.dtype(
    [(name, "f8") for name in ("departs", "free", "over")]
    + [(name, "i8") for name in ("place", "first", "tried")]
    + [("out", "b1")],
    align=True,
)
"""One row per break, while places for it are tried. Of the route with the breaks before it: when it `departs`, whether one of
them is on the way (`out`), the item `first` that the last of these is before, and from when it is `free` there. Of the break:
its `place` before an item or AT_HOME, when it is `over`, the item that is `tried` next."""


class Scratch(NamedTuple):
    """Room for one route while it is being worked out: times per item, the items, loads (3 rows by dimension).

    `rested` has a row of items for each break, with the times that those before it leave, `pausing` one for each break.
    """

    times: np.ndarray
    items: np.ndarray
    loads: np.ndarray
    rested: np.ndarray
    pausing: np.ndarray


def scratch_for(sheet: Sheet, longest: int) -> Scratch:
    """Room for routes of up to `longest` items."""
    room, most = longest + 4, max(1, int(sheet.vehicles["pauses"].max(initial=0)))
    return Scratch(
        np.zeros(room, dtype=TIMES),
        np.zeros(room, dtype=np.int32),
        np.zeros((3, sheet.demand.shape[1])),
        np.zeros((most, room), dtype=RESTED),
        np.zeros(most + 1, dtype=PAUSING),
    )


@inlined
def arrival(sheet, origin, destination, departs):
    """When one who sets out at `departs` arrives: at each period's pace in turn."""
    if sheet.boundaries.size == 0:
        return departs + sheet.seconds[0, origin, destination]
    period, left = 0, 1.0
    while period < sheet.boundaries.size and sheet.boundaries[period] <= departs:
        period += 1
    while period < sheet.boundaries.size:
        whole = float(sheet.seconds[period, origin, destination])
        arrives = departs + left * whole
        if arrives <= sheet.boundaries[period]:
            return arrives
        left -= (sheet.boundaries[period] - departs) / whole
        departs = sheet.boundaries[period]
        period += 1
    return departs + left * sheet.seconds[period, origin, destination]


@inlined
def place_of(sheet, vehicle, item):
    """Where an item is among the places of the matrix."""
    if item >= 0:
        return item
    return sheet.whole[0].place_of_vehicles + 2 * sheet.vehicles.size + vehicle


@compiled
def window_at(sheet, vehicle, stop, anchor):
    """(opens, closes) of the start of service: the first window that does not end before `anchor`, else the last."""
    inside = sheet.stops[stop].inside * sheet.vehicles[vehicle].pace
    last = sheet.stops[stop].window_last
    for index in range(sheet.stops[stop].window_first, last):
        if anchor <= sheet.windows[index].closes - inside:
            return sheet.windows[index].opens - inside, sheet.windows[index].closes - inside
    return sheet.windows[last].opens - inside, sheet.windows[last].closes - inside


@compiled
def goods_of_trips(sheet, scratch, vehicle, items, count):
    """Fill `goods_at`: when the goods of each trip are at its start."""
    trip = 0
    scratch.times[0].goods_at = -NEVER
    for position in range(count):
        item = items[position]
        if item < 0:
            trip += 1
            scratch.times[trip].goods_at = -NEVER
        elif sheet.stops[item].from_depot and not sheet.on_board[vehicle, item]:
            scratch.times[trip].goods_at = max(scratch.times[trip].goods_at, sheet.stops[item].released)


@inlined
def next_gap(scratch, pause, paused):
    """The item before which the next of the breaks from `pause` on is taken that is on the way, -1 where none is."""
    while pause < paused and scratch.pausing[pause].place < 0:
        pause += 1
    return scratch.pausing[pause].place if pause < paused else np.int64(-1)


@inlined
def around_pauses(sheet, scratch, vehicle, paused, gap, now, arrives):
    """(arrival, first moment free for service, whether in time, break after these) where breaks are taken before an item."""
    in_time, past = True, np.int64(0)
    for pause in range(paused):
        if scratch.pausing[pause].place != gap:
            continue
        facts = sheet.pauses[sheet.vehicles[vehicle].pause_first + pause]
        begins = max(now, facts.earliest)
        in_time = in_time and begins <= facts.latest
        now = begins + facts.seconds
        if begins < arrives:
            arrives += facts.seconds
        past = np.int64(pause + 1)
    return arrives, max(arrives, now), in_time, past


@compiled
def drive_route(sheet, scratch, vehicle, items, count, departs, paused):
    """Drive a route from `departs` with its first `paused` breaks where they are placed.

    Returns (excess of broken time limits, cost, end, by how much the departure can be put off, whether breaks begin in time,
    stops that move, kept promises broken, goods that change hands, by how much a later departure would still make goods less
    early); the times are in the scratch.
    """
    now, place = departs, sheet.whole[0].place_of_vehicles + vehicle
    trip, km, excess, price, waited, spare = 0, 0.0, 0.0, 0.0, 0.0, NEVER
    early, in_time, pause, gap = 0.0, True, np.int64(0), np.int64(-1)
    if paused is not None:
        gap = next_gap(scratch, pause, paused)
    moved, broken, goods, stops = 0, 0, 0, 0
    shift = sheet.vehicles[vehicle]
    pace = shift.pace
    for position in range(count):
        item = items[position]
        target = place_of(sheet, vehicle, item)
        km += sheet.km[place, target]
        arrives = arrival(sheet, place, target, now)
        free = arrives
        if paused is not None and position == gap:
            arrives, free, on_time, pause = around_pauses(sheet, scratch, vehicle, paused, gap, now, arrives)
            in_time, gap = in_time and on_time, next_gap(scratch, pause, paused)
        place = target
        if item < 0:
            trip += 1
            loaded = free + sheet.vehicles[vehicle].reload_seconds
            begins, leaves = free, max(loaded, scratch.times[trip].goods_at)
            wait = leaves - loaded
            waited += wait
        else:
            stops += 1
            by_arrival = sheet.stops[item].by_arrival
            opens, closes = window_at(sheet, vehicle, item, arrives if by_arrival else free)
            begins = max(free, opens)
            leaves = begins + sheet.stops[item].service * pace
            wait = begins - free
            waited += wait
            last = sheet.windows[sheet.stops[item].window_last].closes - sheet.stops[item].inside * pace
            late = (arrives if by_arrival else begins) - last
            if late > EXACT:
                if sheet.stops[item].late_price == HARD:
                    excess += late
                else:
                    price += late * sheet.stops[item].late_price
                if sheet.stops[item].kept:
                    broken += 1
            latest = closes
            if sheet.stops[item].crew_price > 0:
                price += max(0.0, begins - sheet.stops[item].need_by) * sheet.stops[item].crew_price
            if begins <= sheet.stops[item].need_by:
                latest = min(closes, sheet.stops[item].need_by)
            if sheet.stops[item].early_price > 0 and begins < sheet.stops[item].accepts_from:
                price += (sheet.stops[item].accepts_from - begins) * sheet.stops[item].early_price
                early = max(early, waited + sheet.stops[item].accepts_from - begins)
            if by_arrival:
                _, closes = window_at(sheet, vehicle, item, arrives)
                latest = min(closes, sheet.stops[item].need_by) if begins <= sheet.stops[item].need_by else closes
            spare = min(spare, waited + max(0.0, latest - begins))
            if sheet.stops[item].present >= 0 and sheet.stops[item].present != vehicle:
                moved += 1
            if sheet.stops[item].holder >= 0 and sheet.stops[item].holder != vehicle:
                goods += 1
        scratch.times[position].arrives = arrives
        scratch.times[position].begins = begins
        scratch.times[position].leaves = leaves
        now = leaves
    target = sheet.whole[0].place_of_vehicles + sheet.vehicles.size + vehicle
    km += sheet.km[place, target]
    ends = arrival(sheet, place, target, now)
    if paused is not None and gap == count:
        _, ends, on_time, _ = around_pauses(sheet, scratch, vehicle, paused, gap, now, ends)
        in_time = in_time and on_time
    paid_from = sheet.vehicles[vehicle].ready if sheet.vehicles[vehicle].in_use else departs
    worked = ends - paid_from
    excess += max(0.0, ends - sheet.vehicles[vehicle].must_end) + max(
        0.0, worked - sheet.vehicles[vehicle].most_seconds
    )
    excess += max(0.0, km - sheet.vehicles[vehicle].most_km)
    overtime = max(0.0, ends - max(shift.shift_end, paid_from))
    beyond = max(0.0, ends - max(shift.overtime_ends, paid_from))
    card = shift.per_day + (worked - overtime) * shift.per_second + overtime * shift.per_overtime_second
    card += beyond * shift.per_second_beyond
    card += km * shift.per_km + stops * shift.per_stop
    price += max(card, shift.minimum) + moved * sheet.whole[0].price_per_moved
    if sheet.whole[0].fair_price > 0:
        price += max(0.0, worked - sheet.vehicles[vehicle].fair_left) * sheet.whole[0].fair_price
    put_off = 0.0 if sheet.vehicles[vehicle].in_use else min(spare, waited)
    early = 0.0 if sheet.vehicles[vehicle].in_use else min(spare, early)
    return excess, price, ends, put_off, in_time, moved, broken, goods, early


@compiled
def better(one, other):
    """True where the first timing breaks less, or as much for less money."""
    return one[0] < other[0] - EXACT or (one[0] <= other[0] + EXACT and one[1] < other[1])


@compiled
def leave_later(sheet, scratch, vehicle, items, count, departs, paused, route):
    """The same route with its departure put off, where that is better: as long as it would wait, half as long where roads
    are slower by then, or until goods are less early."""
    best = route
    if route[3] > 0:
        best = put_off(sheet, scratch, vehicle, items, count, departs + route[3], paused, route)
        if sheet.boundaries.size > 0 and not better(best, route):
            best = put_off(sheet, scratch, vehicle, items, count, departs + route[3] / 2, paused, route)
    if route[8] > route[3]:
        best = put_off(sheet, scratch, vehicle, items, count, departs + route[8], paused, best)
    return best


@compiled
def put_off(sheet, scratch, vehicle, items, count, departs, paused, best):
    """The route driven from `departs` where that is better than the best, and its breaks still begin in time."""
    later = drive_route(sheet, scratch, vehicle, items, count, departs, paused)
    if not later[4]:
        return best
    return later if better(later, best) else best
