"""Where the breaks of a shift are taken on a route, in compiled code: every way is tried, as in `routing.pausing`.

Depth first, one break after another, without recursion: Numba 0.68 crashes on recursive functions that it has kept on disk.
"""

from __future__ import annotations

import numpy as np

from lastmile.routing.kernel.compiling import compiled, inlined
from lastmile.routing.kernel.driving import EXACT, better, drive_route, leave_later

AT_HOME = np.int64(-1)
"""The place of a break that is taken before setting out, or while goods are waited for."""


@compiled
def with_pauses(sheet, scratch, vehicle, items, count, departs, plain):
    """The best way to take the breaks of a route whose times without any are `plain`."""
    shift, pausing = sheet.vehicles[vehicle], scratch.pausing
    may_wait = not shift.in_use or departs > shift.ready
    found, best, last, level = False, plain, np.int64(shift.pauses - 1), np.int64(0)
    begin(pausing, level, departs)
    while level >= 0:
        if not next_place(sheet, scratch, vehicle, count, level, may_wait):
            level -= 1
            continue
        pause, sets_out = shift.pause_first + level, pausing[level].departs
        if pausing[level].place == AT_HOME:
            sets_out = max(sets_out, sheet.pauses[pause].earliest + sheet.pauses[pause].seconds)
        route = drive_route(sheet, scratch, vehicle, items, count, sets_out, level + 1)
        if level < last and route[2] > sheet.pauses[pause + 1].latest:
            level += 1
            keep_times(scratch, level, count)
            begin(pausing, level, sets_out)
            continue
        route = leave_later(sheet, scratch, vehicle, items, count, sets_out, level + 1, route)
        if not found or better(route, best):
            found, best = True, route
    return best


@compiled
def keep_times(scratch, level, count):
    """Remember the times with the breaks before this one, while places for it are tried."""
    for position in range(count):
        scratch.rested[level, position].begins = scratch.times[position].begins
        scratch.rested[level, position].leaves = scratch.times[position].leaves


@inlined
def begins_at(scratch, level, position):
    """When service begins with the breaks before this one."""
    return scratch.times[position].plain_begins if level == 0 else scratch.rested[level, position].begins


@inlined
def leaves_at(scratch, level, position):
    """When the vehicle leaves with the breaks before this one."""
    return scratch.times[position].plain_leaves if level == 0 else scratch.rested[level, position].leaves


@compiled
def begin(pausing, level, departs):
    """Begin to try places for a break on the route with those before it."""
    row = pausing[level]
    row.departs, row.first, row.free, row.out = departs, 0, departs, False
    if level > 0 and pausing[level - 1].place >= 0:
        row.first, row.free, row.out = pausing[level - 1].place, pausing[level - 1].over, True
    row.tried = row.first


@compiled
def next_place(sheet, scratch, vehicle, count, level, may_wait):
    """Whether there is a place for a break that was not tried; it is put there: before each item that it can still begin in
    time for, unless it could as well wait for a later one, and at last at home."""
    row, facts = scratch.pausing[level], sheet.pauses[sheet.vehicles[vehicle].pause_first + level]
    while row.tried <= count:
        gap = row.tried
        row.tried += 1
        finished = row.free if gap == row.first else leaves_at(scratch, level, gap - 1)
        if finished > facts.pause_by:
            row.tried = count + 1
        elif (
            gap == count
            or begins_at(scratch, level, gap) + EXACT >= facts.earliest
            or leaves_at(scratch, level, gap) > facts.pause_by
        ):
            row.place, row.over = gap, max(finished, facts.earliest) + facts.seconds
            return True
    row.place = AT_HOME
    row.tried += 1
    return row.tried == count + 2 and may_wait and not row.out
