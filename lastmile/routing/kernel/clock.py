"""The clock of one route in compiled code: the same rules as `routing.timing`, which a test holds equal.

Items of a route are stops, or RELOADS between trips. All times are seconds since the problem's instant.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lastmile.routing.kernel.compiling import compiled, entry, inlined
from lastmile.routing.kernel.sheet import HARD, NEVER, Sheet
from lastmile.routing.loads import LOAD_TOLERANCE

RELOADS = -1
NO_GAP = np.int64(-1)
EXACT = 1e-6
"""Seconds or money below which two figures are the same; the evaluator allows a thousandth of a second."""


TIMES = np.dtype([(name, "f8") for name in ("arrives", "begins", "leaves", "goods_at", "plain_begins", "plain_leaves")])


class Scratch(NamedTuple):
    """Room for one route while it is being worked out: times per item, the items, and loads (3 rows by dimension)."""

    times: np.ndarray
    items: np.ndarray
    loads: np.ndarray


def scratch_for(sheet: Sheet, longest: int) -> Scratch:
    """Room for routes of up to `longest` items."""
    times, items = np.zeros(longest + 4, dtype=TIMES), np.zeros(longest + 4, dtype=np.int32)
    return Scratch(times, items, np.zeros((3, sheet.demand.shape[1])))


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


@compiled
def drive_route(sheet, scratch, vehicle, items, count, departs, gap):
    """Drive a route from `departs` with the break before the item at `gap` (-1: none).

    Returns (excess of broken time limits, cost, end, by how much the departure can be put off, start of the break, stops
    that move, kept promises broken, goods that change hands, by how much a later departure would still make goods less
    early); the times are in the scratch.
    """
    now, place = departs, sheet.whole[0].place_of_vehicles + vehicle
    trip, km, excess, price, waited, spare, pause_starts = 0, 0.0, 0.0, 0.0, 0.0, NEVER, NEVER
    early = 0.0
    moved, broken, goods, stops = 0, 0, 0, 0
    shift = sheet.vehicles[vehicle]
    pace = shift.pace
    for position in range(count):
        item = items[position]
        target = place_of(sheet, vehicle, item)
        km += sheet.km[place, target]
        arrives = arrival(sheet, place, target, now)
        free = arrives
        if position == gap:
            pause_starts = max(now, shift.pause_earliest)
            if pause_starts >= arrives:
                free = pause_starts + shift.pause_seconds
            else:
                arrives += shift.pause_seconds
                free = arrives
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
    if gap == count:
        pause_starts = max(now, shift.pause_earliest)
        ends = pause_starts + shift.pause_seconds if pause_starts >= ends else ends + shift.pause_seconds
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
    return excess, price, ends, put_off, pause_starts, moved, broken, goods, early


@compiled
def better(one, other):
    """True where the first timing breaks less, or as much for less money."""
    return one[0] < other[0] or (one[0] == other[0] and one[1] < other[1])


@compiled
def leave_later(sheet, scratch, vehicle, items, count, departs, gap, route):
    """The same route with its departure put off, where that is better: as long as it would wait, half as long where roads
    are slower by then, or until goods are less early."""
    best = route
    if route[3] > 0:
        best = put_off(sheet, scratch, vehicle, items, count, departs + route[3], gap, route)
        if sheet.boundaries.size > 0 and not better(best, route):
            best = put_off(sheet, scratch, vehicle, items, count, departs + route[3] / 2, gap, route)
    if route[8] > route[3]:
        best = put_off(sheet, scratch, vehicle, items, count, departs + route[8], gap, best)
    return best


@compiled
def put_off(sheet, scratch, vehicle, items, count, departs, gap, best):
    """The route driven from `departs` where that is better than the best, and its break still begins in time."""
    later = drive_route(sheet, scratch, vehicle, items, count, departs, gap)
    if gap >= 0 and later[4] > sheet.vehicles[vehicle].pause_latest:
        return best
    return later if better(later, best) else best


@compiled
def time_route(sheet, scratch, vehicle, items, count):
    """(excess, cost, moved, kept promises broken, goods changing hands) of a route at its best departure and break.

    Its times at the earliest departure and without a break stay in `plain_begins` and `plain_leaves`.
    """
    if count == 0 and not sheet.vehicles[vehicle].in_use:
        return 0.0, 0.0, 0, 0, 0
    departs = sheet.vehicles[vehicle].ready
    if sheet.whole[0].has_releases or sheet.vehicles[vehicle].reloads > 0:
        goods_of_trips(sheet, scratch, vehicle, items, count)
        departs = max(departs, scratch.times[0].goods_at)
    plain = drive_route(sheet, scratch, vehicle, items, count, departs, NO_GAP)
    for position in range(count):
        scratch.times[position].plain_begins = scratch.times[position].begins
        scratch.times[position].plain_leaves = scratch.times[position].leaves
    best = leave_later(sheet, scratch, vehicle, items, count, departs, NO_GAP, plain)
    shift = sheet.vehicles[vehicle]
    if shift.pause_seconds > 0 and count > 0 and plain[2] > shift.pause_latest:
        best = with_pause(sheet, scratch, vehicle, items, count, departs, best)
    return best[0], best[1], best[5], best[6], best[7]


@compiled
def with_pause(sheet, scratch, vehicle, items, count, departs, unpaused):
    """The best way to take the break: at each place where it can still begin in time, or before setting out."""
    shift = sheet.vehicles[vehicle]
    found, best = False, unpaused
    for gap in range(count + 1):
        finished = departs if gap == 0 else scratch.times[gap - 1].plain_leaves
        if finished > shift.pause_latest:
            break
        begins = scratch.times[gap].plain_begins if gap < count else NEVER
        if begins < shift.pause_earliest and scratch.times[gap].plain_leaves <= shift.pause_latest:
            continue
        route = drive_route(sheet, scratch, vehicle, items, count, departs, gap)
        route = leave_later(sheet, scratch, vehicle, items, count, departs, gap, route)
        if not found or better(route, best):
            found, best = True, route
    if not shift.in_use or departs > shift.ready:  # at home, or while it waits for its goods
        rested = max(departs, shift.pause_earliest + shift.pause_seconds)
        route = drive_route(sheet, scratch, vehicle, items, count, rested, NO_GAP)
        route = leave_later(sheet, scratch, vehicle, items, count, rested, NO_GAP, route)
        if not found or better(route, best):
            found, best = True, route
    if not found:
        return (
            unpaused[0] + shift.pause_seconds, unpaused[1], unpaused[2], unpaused[3], unpaused[4], unpaused[5], unpaused[6],
            unpaused[7], unpaused[8],
        )  # fmt: skip
    return best


@compiled
def overload(sheet, scratch, vehicle, items, count):
    """By how much the route carries too much, over all dimensions, trip by trip."""
    total, begins = 0.0, np.int64(0)
    peaks = scratch.loads[2]
    for dimension in range(peaks.size):
        peaks[dimension] = 0.0
    for position in range(count + 1):
        if position < count and items[position] >= 0:
            continue
        trip_peaks(sheet, scratch, items, begins, position)
        for dimension in range(peaks.size):
            peaks[dimension] = max(peaks[dimension], scratch.loads[1, dimension])
        begins = position + 1
    for dimension in range(peaks.size):
        beyond = peaks[dimension] - sheet.room[vehicle, dimension]
        if beyond > LOAD_TOLERANCE:
            total += beyond
    return total


@compiled
def trip_peaks(sheet, scratch, items, first, until):
    """Fill `peak` with the largest load of one trip by dimension."""
    load, peak = scratch.loads[0], scratch.loads[1]
    for dimension in range(load.size):
        load[dimension] = 0.0
    for position in range(first, until):
        stop = items[position]
        if sheet.stops[stop].from_depot:
            for dimension in range(load.size):
                load[dimension] += sheet.demand[stop, dimension]
    for dimension in range(load.size):
        peak[dimension] = load[dimension]
    if not sheet.whole[0].load_varies:
        return
    for position in range(first, until):
        stop = items[position]
        for dimension in range(load.size):
            wanted = sheet.demand[stop, dimension]
            load[dimension] += wanted if sheet.stops[stop].pickup else -wanted
            peak[dimension] = max(peak[dimension], load[dimension])


@compiled
def disorder(sheet, vehicle, items, count):
    """How often the order breaks what it must keep: reloads, goods on board, pairs, pinned order."""
    found, reloads, first_trip_ends = 0, 0, count
    for position in range(count):
        if items[position] < 0:
            if reloads == 0:
                first_trip_ends = position
            reloads += 1
    found += max(0, reloads - sheet.vehicles[vehicle].reloads)
    if sheet.vehicles[vehicle].departed and sheet.vehicles[vehicle].reloads > 0:
        for position in range(sheet.vehicles[vehicle].fixed, first_trip_ends):
            stop = items[position]
            if sheet.stops[stop].from_depot and not sheet.on_board[vehicle, stop]:
                found += 1
    for position in range(count):
        stop = items[position]
        if stop < 0:
            continue
        source = sheet.stops[stop].brings_from
        if source >= 0 and not in_trip(items, count, position, np.int64(-1), source):
            found += 1
        if sheet.stops[stop].collects >= 0:
            together = in_trip(items, count, position, np.int64(-1), sheet.stops[stop].collects)
            if not together and not in_trip(items, count, position, np.int64(1), sheet.stops[stop].collects):
                found += 1
        if sheet.stops[stop].pinned_rank >= 0 and overtaken(sheet, items, position):
            found += 1
    return found


@compiled
def in_trip(items, count, position, step, wanted):
    """Whether a stop is on the same trip before (-1) or after (1) a position."""
    position += step
    while 0 <= position < count and items[position] >= 0:
        if items[position] == wanted:
            return True
        position += step
    return False


@compiled
def overtaken(sheet, items, position):
    """Whether a pinned stop comes after one of its vehicle's pinned stops that should follow it."""
    stop = items[position]
    for before in range(position):
        other = items[before]
        same = other >= 0 and sheet.stops[other].present == sheet.stops[stop].present
        if same and sheet.stops[other].pinned_rank > sheet.stops[stop].pinned_rank:
            return True
    return False


@entry
def judge(sheet, scratch, vehicle, items, count):
    """(excess of all broken limits, cost, moved, kept promises broken, goods changing hands) of a route."""
    excess, cost, moved, broken, goods = time_route(sheet, scratch, vehicle, items, count)
    excess += overload(sheet, scratch, vehicle, items, count)
    if sheet.whole[0].has_orders:
        excess += disorder(sheet, vehicle, items, count)
    return excess, cost, moved, broken, goods
