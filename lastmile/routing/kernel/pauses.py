"""Where the breaks of a shift are taken on a route, in compiled code: every way is tried, as in `routing.pausing`.

Depth first, one break after another, without recursion: Numba 0.68 crashes on recursive functions that it has kept on disk.
"""

from __future__ import annotations

import numpy as np

from lastmile.routing.kernel.compiling import compiled, inlined
from lastmile.routing.kernel.driving import better, drive_route, leave_later

AT_HOME, NOT_TAKEN = np.int64(-1), np.int64(-2)
"""Places of a break that is not on the way: before setting out, or while goods are waited for; not at all."""

UNTRIED = np.int64(-1)


@compiled
def with_pauses(sheet, scratch, vehicle, items, count, departs, plain):
    """The best way to take the breaks of a route whose times without any are `plain`."""
    shift, pausing = sheet.vehicles[vehicle], scratch.pausing
    may_wait = not shift.in_use or departs > shift.ready
    found, best, last, level = False, plain, np.int64(shift.pauses - 1), np.int64(0)
    begin(pausing, level, departs, plain[2], 0.0)
    while level >= 0:
        if not next_place(sheet, scratch, vehicle, count, level, may_wait):
            level -= 1
            continue
        row, facts = pausing[level], sheet.pauses[shift.pause_first + level]
        sets_out, missed = row.departs, row.missed + row.lost
        if row.place == AT_HOME:
            sets_out = max(sets_out, facts.earliest + facts.seconds)
        route = drive_route(sheet, scratch, vehicle, items, count, sets_out, level + 1)
        if level < last:
            level += 1
            keep_times(scratch, level, count)
            begin(pausing, level, sets_out, route[2], missed)
            continue
        route = with_missed(leave_later(sheet, scratch, vehicle, items, count, sets_out, level + 1, route), missed)
        if not found or better(route, best):
            found, best = True, route
    return best


@inlined
def with_missed(route, missed):
    """A timed route with the seconds of the breaks that it has no time for."""
    return route[0] + missed, route[1], route[2], route[3], route[4], route[5], route[6], route[7], route[8]


@compiled
def keep_times(scratch, level, count):
    """Remember the times with the breaks before this one, while places for it are tried."""
    for position in range(count):
        scratch.rested[level, position].begins = scratch.times[position].begins
        scratch.rested[level, position].leaves = scratch.times[position].leaves


@compiled
def begin(pausing, level, departs, ends, missed):
    """Begin to try places for a break on the route with those before it."""
    row = pausing[level]
    row.departs, row.ends, row.missed, row.tried, row.found = departs, ends, missed, UNTRIED, False
    row.first, row.free, row.out = 0, departs, False
    if level == 0:
        return
    before = pausing[level - 1]
    if before.place >= 0:
        row.first, row.free, row.out = before.place, before.over, True
    elif before.out:
        row.first, row.free, row.out = before.first, before.free, True


@compiled
def next_place(sheet, scratch, vehicle, count, level, may_wait):
    """Whether there is a place for a break that was not tried; it is put there.

    Before each item that it can still begin in time for, unless it could as well wait for a later one; at home; nowhere,
    where the route is over by then or nothing else is left.
    """
    row, facts = scratch.pausing[level], sheet.pauses[sheet.vehicles[vehicle].pause_first + level]
    times, all_tried = scratch.rested[level], count + 3
    row.lost = 0.0
    if row.tried == UNTRIED:
        row.tried = row.first
        if row.ends <= facts.latest:
            row.place, row.tried = NOT_TAKEN, all_tried
            return True
    while row.tried <= count:
        gap = row.tried
        row.tried += 1
        finished = row.free if gap == row.first else times[gap - 1].leaves
        if finished > facts.latest:
            row.tried = count + 1
        elif gap == count or times[gap].begins >= facts.earliest or times[gap].leaves > facts.latest:
            row.place, row.over, row.found = gap, max(finished, facts.earliest) + facts.seconds, True
            return True
    if row.tried == count + 1:
        row.tried += 1
        if may_wait and not row.out:
            row.place, row.found = AT_HOME, True
            return True
    if row.tried < all_tried and not row.found:
        row.place, row.lost, row.tried = NOT_TAKEN, facts.seconds, all_tried
        return True
    return False
