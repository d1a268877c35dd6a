"""The clock of one route in compiled code: when it is driven and rested on, what it carries, what of its order is broken.

The same rules as `routing.timing`, `loads` and `orders`, which a test holds equal.
"""

from __future__ import annotations

import numpy as np

from lastmile.routing.kernel.compiling import compiled, entry
from lastmile.routing.kernel.driving import PLAIN, drive_route, goods_of_trips, leave_later
from lastmile.routing.kernel.pauses import with_pauses
from lastmile.routing.loads import LOAD_TOLERANCE


@compiled
def time_route(sheet, scratch, vehicle, items, count):
    """(excess, cost, moved, kept promises broken, goods changing hands) of a route at its best departure and breaks.

    Its times at the earliest departure and without a break stay in `plain_begins` and `plain_leaves`.
    """
    if count == 0 and not sheet.vehicles[vehicle].in_use:
        return 0.0, 0.0, 0, 0, 0
    departs = sheet.vehicles[vehicle].ready
    if sheet.whole[0].has_releases or sheet.vehicles[vehicle].reloads > 0:
        goods_of_trips(sheet, scratch, vehicle, items, count)
        departs = max(departs, scratch.times[0].goods_at)
    plain = drive_route(sheet, scratch, vehicle, items, count, departs, PLAIN)
    for position in range(count):
        scratch.times[position].plain_begins = scratch.times[position].begins
        scratch.times[position].plain_leaves = scratch.times[position].leaves
    if count > 0 and plain[2] > sheet.vehicles[vehicle].rests_by:
        best = with_pauses(sheet, scratch, vehicle, items, count, departs, plain)
    else:
        best = leave_later(sheet, scratch, vehicle, items, count, departs, PLAIN, plain)
    return best[0], best[1], best[5], best[6], best[7]


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
