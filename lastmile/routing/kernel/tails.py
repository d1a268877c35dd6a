"""Exchanging the ends of two routes: what follows a stop for what another route has left (2-opt*, Potvin and Rousseau 1995,
Journal of the Operational Research Society 46, 1433-1446). Strings of ten stops never carry a long end at once, and where
all vehicles are under way, who goes where may be wrong as a whole.
"""

from __future__ import annotations

import numpy as np

from lastmile.routing.kernel.compiling import compiled, inlined
from lastmile.routing.kernel.driving import EXACT, place_of
from lastmile.routing.kernel.plan import ROOM_LEFT, draw, touch, work_out
from lastmile.routing.loads import LOAD_TOLERANCE

LOOKED_AT = 20
"""Nearest stops of the one whose route is cut, beside which another route may be cut."""

ANYWHERE = 0.25
"""Share of exchanges in which the other route is any, wherever it is."""

DEAREST = 2
"""How many times the present heat the way may become dearer by an exchange; what it saves elsewhere is not foreseen."""

OVERLOOKED = 0.1
"""Share of cuts that are overlooked, so that it is not always the same one."""


@compiled
def exchange_tails(sheet, plan, scratch, heat):
    """Cut two routes, one at a random stop, where joining them crosswise looks cheapest, and exchange what follows.

    Returns whether it was done and breaks no more than the routes did.
    """
    stop = sheet.free[int(draw(plan) * sheet.free.size)]
    one = np.int64(plan.where[stop])
    if one < 0:
        return False
    at = position_of(plan, one, stop)
    most = DEAREST * heat
    if draw(plan) < ANYWHERE:
        other, keeps, keeps_other = cut_of_any(sheet, plan, one, at, most)
    else:
        other, keeps, keeps_other = cut_near(sheet, plan, one, at, stop, most)
    if other < 0:
        return False
    before = plan.routes[one].excess, plan.routes[other].excess
    swap_ends(sheet, plan, scratch, one, keeps, other, keeps_other)
    return plan.routes[one].excess <= before[0] + EXACT and plan.routes[other].excess <= before[1] + EXACT


@compiled
def cut_near(sheet, plan, one, at, stop, most):
    """(vehicle, items that the first keeps, items that the other keeps): the cheapest cut beside a near stop; -1: none."""
    best, other, keeps, keeps_other = most, np.int64(-1), np.int64(0), np.int64(0)
    for index in range(1, min(LOOKED_AT, sheet.near.shape[1])):
        near = sheet.near[stop, index]
        vehicle = np.int64(plan.where[near])
        if vehicle < 0 or vehicle == one or draw(plan) < OVERLOOKED:
            continue
        there = position_of(plan, vehicle, near)
        for after in range(2):  # the stop goes on to the near one, or is reached from it
            cut, cut_other = np.int64(at + 1 - after), np.int64(there + after)
            extra = extra_way(sheet, plan, one, cut, vehicle, cut_other)
            if extra < best and may_exchange(sheet, plan, one, cut, vehicle, cut_other):
                best, other, keeps, keeps_other = extra, vehicle, cut, cut_other
    return other, keeps, keeps_other


@compiled
def cut_of_any(sheet, plan, one, at, most):
    """The same on a vehicle by chance, wherever it is."""
    other = np.int64(draw(plan) * sheet.vehicles.size)
    if other == one or (plan.routes[other].count == 0 and not sheet.vehicles[other].in_use):
        return np.int64(-1), np.int64(0), np.int64(0)
    best, found, keeps, keeps_other = most, np.int64(-1), np.int64(0), np.int64(0)
    for cut_other in range(sheet.vehicles[other].fixed, plan.routes[other].count + 1):
        for cut in range(at, at + 2):
            extra = extra_way(sheet, plan, one, np.int64(cut), other, np.int64(cut_other))
            if extra < best and may_exchange(sheet, plan, one, np.int64(cut), other, np.int64(cut_other)):
                best, found, keeps, keeps_other = extra, other, np.int64(cut), np.int64(cut_other)
    return found, keeps, keeps_other


@inlined
def position_of(plan, vehicle, stop):
    """Where a stop is on its route."""
    at = 0
    while plan.rows[vehicle, at] != stop:
        at += 1
    return at


@inlined
def place_before(sheet, plan, vehicle, cut):
    """The place that a vehicle leaves for what follows the cut."""
    if cut == 0:
        return np.int64(sheet.whole[0].place_of_vehicles + vehicle)
    return np.int64(place_of(sheet, vehicle, plan.rows[vehicle, cut - 1]))


@inlined
def place_after(sheet, plan, vehicle, cut, driver):
    """The first place after the cut; the driver's own end where nothing follows."""
    if cut == plan.routes[vehicle].count:
        return np.int64(sheet.whole[0].place_of_vehicles + sheet.vehicles.size + driver)
    return np.int64(place_of(sheet, driver, plan.rows[vehicle, cut]))


@compiled
def extra_way(sheet, plan, one, cut, other, cut_other):
    """About what the ways cost more that join the routes crosswise, at the first vehicle's rates."""
    shift = sheet.vehicles[one]
    first, second = place_before(sheet, plan, one, cut), place_before(sheet, plan, other, cut_other)
    to_first, to_second = (
        place_after(sheet, plan, other, cut_other, one),
        place_after(sheet, plan, one, cut, other),
    )
    from_first, from_second = (
        place_after(sheet, plan, one, cut, one),
        place_after(sheet, plan, other, cut_other, other),
    )
    extra = sheet.km[first, to_first] + sheet.km[second, to_second]
    extra -= sheet.km[first, from_first] + sheet.km[second, from_second]
    extra *= shift.per_km
    if shift.per_second > 0:
        longer = sheet.fastest[first, to_first] + sheet.fastest[second, to_second]
        longer -= sheet.fastest[first, from_first] + sheet.fastest[second, from_second]
        extra += longer * shift.per_second
    return extra


@compiled
def may_exchange(sheet, plan, one, cut, other, cut_other):
    """Whether nothing speaks against an exchange at a glance: commitments, time, permission, room."""
    if cut < sheet.vehicles[one].fixed or cut_other < sheet.vehicles[other].fixed:
        return False
    if cut == plan.routes[one].count and cut_other == plan.routes[other].count:
        return False
    return may_take_over(sheet, plan, one, cut, other, cut_other) and may_take_over(
        sheet, plan, other, cut_other, one, cut
    )


@compiled
def may_take_over(sheet, plan, vehicle, cut, other, cut_other):
    """Whether a vehicle can go on after its cut with what another has after its own."""
    row, tail = plan.rows[vehicle], plan.rows[other]
    ends, ends_other = plan.routes[vehicle].count, plan.routes[other].count
    if cut + ends_other - cut_other + ROOM_LEFT > plan.rows.shape[1]:
        return False
    if cut_other < ends_other:
        leaves = sheet.vehicles[vehicle].ready if cut == 0 else plan.gaps[vehicle, cut - 1].leaves
        before = place_before(sheet, plan, vehicle, cut)
        after = place_after(sheet, plan, other, cut_other, vehicle)
        if leaves + sheet.fastest[before, after] > plan.gaps[other, cut_other].latest + EXACT:
            return False
    for position in range(cut_other, ends_other):
        if tail[position] >= 0 and not sheet.allowed[vehicle, tail[position]]:
            return False
    if sheet.whole[0].load_varies:
        return True
    for dimension in range(plan.loads.shape[1]):
        load = plan.loads[vehicle, dimension]
        for position in range(cut, ends):
            load -= sheet.demand[row[position], dimension]
        for position in range(cut_other, ends_other):
            load += sheet.demand[tail[position], dimension]
        if load > sheet.room[vehicle, dimension] + LOAD_TOLERANCE:
            return False
    return True


@compiled
def swap_ends(sheet, plan, scratch, one, cut, other, cut_other):
    """Exchange what follows the cuts of two routes."""
    touch(plan, one)
    touch(plan, other)
    row, tail = plan.rows[one], plan.rows[other]
    ends, ends_other = plan.routes[one].count, plan.routes[other].count
    for position in range(cut, ends):
        scratch.items[position - cut] = row[position]
    for position in range(cut_other, ends_other):
        row[cut + position - cut_other] = tail[position]
        if tail[position] >= 0:
            plan.where[tail[position]] = one
    for position in range(ends - cut):
        tail[cut_other + position] = scratch.items[position]
        if scratch.items[position] >= 0:
            plan.where[scratch.items[position]] = other
    plan.routes[one].count = cut + ends_other - cut_other
    plan.routes[other].count = cut_other + ends - cut
    work_out(sheet, plan, scratch, one)
    work_out(sheet, plan, scratch, other)
