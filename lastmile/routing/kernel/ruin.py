"""Taking strings of neighbouring stops out of routes, and the order in which they go back.

Adjacent string removal, blinks and the sort orders are those of SISR (Christiaens & Vanden Berghe 2020, Transportation
Science 54, 417-433), with its published mean of ten stops a round, strings of ten at most, half of them split; sorting by
price and by how often a stop was left out, and beginning near stops that are left out, are ours.
"""

from __future__ import annotations

import numpy as np

from lastmile.routing.kernel.clock import judge
from lastmile.routing.kernel.compiling import compiled, entry, inlined
from lastmile.routing.kernel.plan import draw, touch, work_out
from lastmile.routing.kernel.sheet import NEVER

MEAN_TAKEN_OUT = 10
LONGEST_STRING = 10
SPLIT_SHARE = 0.5
SPLIT_DEPTH = 0.01

MOST_ABSENT_TRIED = 30
"""Stops in no route that each round tries to place, by chance where there are more."""


@compiled
def ruin(sheet, plan, scratch):
    """Take strings of stops near a random one out of their routes."""
    total, taken = plan.total[0], 0
    used, served = 0, 0
    for vehicle in range(sheet.vehicles.size):
        if plan.routes[vehicle].stops > 0:
            used += 1
            served += plan.routes[vehicle].stops
    if used == 0:
        return
    longest = min(float(LONGEST_STRING), served / used)
    most = 4 * MEAN_TAKEN_OUT / (1 + longest) - 1
    strings = int(draw(plan) * max(1.0, most) + 1)
    seed = sheet.free[int(draw(plan) * sheet.free.size)]
    if total.absent > 0 and draw(plan) < 0.5:
        seed = plan.absent[int(draw(plan) * total.absent)]
    for index in range(sheet.near.shape[1]):
        if strings == 0:
            break
        stop = sheet.near[seed, index]
        vehicle = np.int64(plan.where[stop])
        if vehicle < 0 or sheet.stops[stop].committed or plan.routes[vehicle].touched:
            continue
        length = int(draw(plan) * min(float(plan.routes[vehicle].stops), longest) + 1)
        taken += take_string(sheet, plan, scratch, vehicle, stop, length)
        strings -= 1


@compiled
def take_string(sheet, plan, scratch, vehicle, stop, length):
    """Take a string of items that holds `stop` out of a route, with the partners of what leaves; returns how many."""
    row, count, first = plan.rows[vehicle], plan.routes[vehicle].count, sheet.vehicles[vehicle].fixed
    at = first
    while row[at] != stop:
        at += 1
    split = 0
    if length > 1 and draw(plan) < SPLIT_SHARE:
        while length + split < count - first and draw(plan) > SPLIT_DEPTH and split < length:
            split += 1
    whole = min(length + split, count - first)
    begins = max(first, at - int(draw(plan) * whole))
    begins = min(begins, count - whole)
    skipped = begins + int(draw(plan) * (whole - split + 1)) if split else count
    touch(plan, vehicle)
    before = plan.total[0].absent
    for position in range(begins, begins + whole):
        item = row[position]
        if item < 0 or (skipped <= position < skipped + split and item != stop):
            continue
        leave(plan, item)
    partners_leave(sheet, plan, scratch, before)
    close_up(sheet, plan, vehicle)
    work_out(sheet, plan, scratch, vehicle)
    return plan.total[0].absent - before


@inlined
def leave(plan, stop):
    """Mark a stop as being in no route."""
    plan.where[stop] = -1
    plan.absent[plan.total[0].absent] = stop
    plan.total[0].absent += 1


@compiled
def partners_leave(sheet, plan, scratch, first):
    """The other halves of pairs that have left leave too."""
    index = first
    while index < plan.total[0].absent:
        facts = sheet.stops[plan.absent[index]]
        partner = facts.collects if facts.collects >= 0 else facts.brings_from
        if partner >= 0 and plan.where[partner] >= 0 and not sheet.stops[partner].committed:
            vehicle = np.int64(plan.where[partner])
            touch(plan, vehicle)
            leave(plan, partner)
            close_up(sheet, plan, vehicle)
            work_out(sheet, plan, scratch, vehicle)
        index += 1


@compiled
def close_up(sheet, plan, vehicle):
    """Rid a row of the stops that have left, and of reloads that serve nothing."""
    row, count, size = plan.rows[vehicle], plan.routes[vehicle].count, 0
    keeps_first = sheet.vehicles[vehicle].departed
    for position in range(count):
        item = row[position]
        if item >= 0 and plan.where[item] != vehicle:
            continue
        if item < 0 and (row[size - 1] < 0 if size > 0 else not keeps_first):
            continue
        row[size] = item
        size += 1
    while size > 0 and row[size - 1] < 0:
        size -= 1
    plan.routes[vehicle].count = size


@compiled
def order_absent(sheet, plan, keys):
    """Sort the stops in no route into one of nine orders; where there are many, by chance others come first."""
    total = plan.total[0]
    count = total.absent
    for index in range(count - 1, 0, -1):
        other = int(draw(plan) * (index + 1))
        plan.absent[index], plan.absent[other] = plan.absent[other], plan.absent[index]
    count = min(count, MEAN_TAKEN_OUT * 4 + MOST_ABSENT_TRIED)
    kind = draw(plan) * 19
    for index in range(count):
        keys[index] = key_of(sheet, plan, plan.absent[index], kind)
    for index in range(1, count):
        key, stop = keys[index], plan.absent[index]
        place = index
        while place > 0 and keys[place - 1] > key:
            keys[place], plan.absent[place] = keys[place - 1], plan.absent[place - 1]
            place -= 1
        keys[place], plan.absent[place] = key, stop
    return count


@compiled
def key_of(sheet, plan, stop, kind):
    """What a stop is sorted by: nothing, demand, far, near, window, price, or how often it was left out."""
    facts = sheet.stops[stop]
    if kind < 4:
        return 0.0
    if kind < 8:
        wanted = 0.0
        for dimension in range(sheet.demand.shape[1]):
            wanted = max(wanted, sheet.demand[stop, dimension] / max(1e-9, sheet.room[0, dimension]))
        return -wanted
    if kind < 10:
        return -float(sheet.fastest[sheet.whole[0].place_of_vehicles, stop])
    if kind < 11:
        return float(sheet.fastest[sheet.whole[0].place_of_vehicles, stop])
    opens, closes = sheet.windows[facts.window_first].opens, sheet.windows[facts.window_last].closes
    if kind < 13:
        return closes - opens
    if kind < 14:
        return opens
    if kind < 16:
        return closes
    return -facts.price if kind < 17 else -plan.missed[stop]


@entry
def mend_by_leaving(sheet, plan, scratch, vehicle):
    """Take the stop out of a route whose leaving mends most, then saves most; returns whether nothing is left to do."""
    row, count, fixed = plan.rows[vehicle], plan.routes[vehicle].count, sheet.vehicles[vehicle].fixed
    if plan.routes[vehicle].excess <= 1e-6 or count <= fixed:
        return True
    best, least, cheapest = -1, NEVER, NEVER
    for out in range(fixed, count):
        size = np.int64(0)
        for position in range(count):
            if position != out:
                scratch.items[size] = row[position]
                size += 1
        excess, cost, _, _, _ = judge(sheet, scratch, vehicle, scratch.items, size)
        cost += sheet.stops[row[out]].price if row[out] >= 0 else 0.0
        if excess < least - 1e-6 or (excess < least + 1e-6 and cost < cheapest):
            best, least, cheapest = out, excess, cost
    before = plan.total[0].absent
    if row[best] < 0:
        for position in range(best, count - 1):
            row[position] = row[position + 1]
        plan.routes[vehicle].count = count - 1
    else:
        leave(plan, row[best])
        partners_leave(sheet, plan, scratch, before)
        close_up(sheet, plan, vehicle)
    work_out(sheet, plan, scratch, vehicle)
    return False
