"""Where a pair can go: what is collected at one stop and brought to another, on one trip of one vehicle."""

from __future__ import annotations

import numpy as np

from lastmile.routing.kernel.compiling import compiled, inlined
from lastmile.routing.kernel.driving import place_of
from lastmile.routing.kernel.places import TRIED_HARDER, extra_of, may_serve, offer, span, take_over, unused
from lastmile.routing.kernel.plan import touch, work_out
from lastmile.routing.kernel.sheet import NEVER


@compiled
def with_pair(plan, scratch, collect, bring, place):
    """Fill the scratch with a route's items as if a pair were put at `position` and `second`; returns how many."""
    row, count, size = plan.rows[place.vehicle], plan.routes[place.vehicle].count, 0
    for position in range(count + 1):
        if position == place.position:
            scratch.items[size] = collect
            size += 1
        if position == place.second:
            scratch.items[size] = bring
            size += 1
        if position < count:
            scratch.items[size] = row[position]
            size += 1
    return size


@compiled
def insert_pair(sheet, plan, scratch, found, collect, bring):
    """Put two stops on one route, the goods collected before they are brought, where that costs least and is worth it."""
    if sheet.stops[collect].committed or sheet.stops[bring].committed:
        return False
    count, asked = np.int64(0), -1
    for vehicle in range(sheet.vehicles.size):
        if unused(sheet, plan, vehicle):
            if sheet.vehicles[vehicle].kind == asked:
                continue
            asked = sheet.vehicles[vehicle].kind
        if may_serve(sheet, plan, vehicle, collect) and may_serve(sheet, plan, vehicle, bring):
            count = scan_pair(sheet, plan, vehicle, collect, bring, found, count)
    best, extra = -1, NEVER
    for index in range(count):
        size = with_pair(plan, scratch, collect, bring, found[index])
        cost = extra_of(sheet, plan, scratch, found[index].vehicle, size)
        if cost < extra:
            best, extra = index, cost
    if best < 0 or extra >= sheet.stops[collect].price + sheet.stops[bring].price:
        return False
    vehicle = found[best].vehicle
    touch(plan, vehicle)
    size = with_pair(plan, scratch, collect, bring, found[best])
    take_over(plan, scratch, vehicle, size)
    plan.where[collect] = vehicle
    plan.where[bring] = vehicle
    work_out(sheet, plan, scratch, vehicle)
    return True


@compiled
def scan_pair(sheet, plan, vehicle, collect, bring, found, count):
    """Offer every two gaps of a route for a pair on one trip, by the way that it adds."""
    shift, row, size = sheet.vehicles[vehicle], plan.rows[vehicle], plan.routes[vehicle].count
    rate = shift.per_km + 1e-9
    opening = shift.per_day if size == 0 and not shift.in_use else 0.0
    first, last = span(sheet, plan, vehicle, collect)
    earliest, latest = span(sheet, plan, vehicle, bring)
    for position in range(first, last + 1):
        alone = added_km(sheet, plan, vehicle, position, collect)
        for second in range(position, latest + 1):
            if second >= earliest or second == position:
                if second == position:
                    way = km_of_both(sheet, plan, vehicle, position, collect, bring)
                else:
                    way = alone + added_km(sheet, plan, vehicle, second, bring)
                count = offer(found, count, TRIED_HARDER, opening + way * rate, vehicle, position, second)
            if second < size and row[second] < 0:
                break
    return count


@inlined
def place_before(sheet, plan, vehicle, position):
    """Where the vehicle comes from before a position."""
    if position == 0:
        return sheet.whole[0].place_of_vehicles + vehicle
    return place_of(sheet, vehicle, plan.rows[vehicle, position - 1])


@inlined
def place_after(sheet, plan, vehicle, position):
    """Where the vehicle goes from a position on."""
    if position == plan.routes[vehicle].count:
        return sheet.whole[0].place_of_vehicles + sheet.vehicles.size + vehicle
    return place_of(sheet, vehicle, plan.rows[vehicle, position])


@compiled
def added_km(sheet, plan, vehicle, position, stop):
    """Kilometres that one stop adds in a gap."""
    before, after = place_before(sheet, plan, vehicle, position), place_after(sheet, plan, vehicle, position)
    return sheet.km[before, stop] + sheet.km[stop, after] - sheet.km[before, after]


@compiled
def km_of_both(sheet, plan, vehicle, position, collect, bring):
    """Kilometres that a pair adds in one gap."""
    before, after = place_before(sheet, plan, vehicle, position), place_after(sheet, plan, vehicle, position)
    return sheet.km[before, collect] + sheet.km[collect, bring] + sheet.km[bring, after] - sheet.km[before, after]
