"""Where a stop can go and what that costs: a quick estimate of every gap, the best of them worked out in full."""

from __future__ import annotations

import numpy as np

from lastmile.routing.kernel.clock import judge
from lastmile.routing.kernel.compiling import compiled, inlined
from lastmile.routing.kernel.driving import EXACT, RELOADS, place_of, window_at
from lastmile.routing.kernel.plan import ROOM_LEFT, draw, touch, work_out
from lastmile.routing.kernel.sheet import HARD, NEVER
from lastmile.routing.loads import LOAD_TOLERANCE

TRIED = np.int64(5)
"""Gaps worked out in full for a stop, the cheapest by estimate; more only where none of them fits."""

TRIED_HARDER = np.int64(40)

NEAR = 40
"""Nearest stops on whose routes a place is looked for first; on all routes only where they have none."""

BLINK = 0.01
"""Share of gaps that are overlooked, so that the same stops do not always go to the same places (SISR)."""

LOOKED_EVERYWHERE = 0.25
"""Share of the stops without a place near their neighbours for which, in a round, all routes are looked at."""

PLACE = np.dtype([("estimate", "f8"), ("vehicle", "i8"), ("position", "i8"), ("second", "i8")], align=True)
"""A gap with what a stop there would cost by estimate; `second` is where its partner goes, or RELOADS before it."""

ALONE, AFTER_RELOAD = np.int64(-9), np.int64(-1)


@compiled
def offer(found, count, limit, estimate, vehicle, position, second):
    """Keep a place among the `limit` cheapest, in order; returns how many there are."""
    if count == limit and estimate >= found[count - 1].estimate:
        return count
    index = count if count < limit else limit - 1
    while index > 0 and found[index - 1].estimate > estimate:
        found[index] = found[index - 1]
        index -= 1
    found[index].estimate, found[index].vehicle = estimate, vehicle
    found[index].position, found[index].second = position, second
    return min(count + 1, limit)


@compiled
def may_serve(sheet, plan, vehicle, stop):
    """Whether a vehicle may have the stop at all: permission, room, and the budget of changes."""
    if not sheet.allowed[vehicle, stop] or plan.routes[vehicle].count + ROOM_LEFT > plan.rows.shape[1]:
        return False
    facts, whole, total = sheet.stops[stop], sheet.whole[0], plan.total[0]
    if facts.present >= 0 and facts.present != vehicle and total.moved >= whole.most_moved:
        return False
    if facts.holder >= 0 and facts.holder != vehicle and total.goods >= whole.most_goods_moved:
        return False
    if whole.load_varies:
        return True
    for dimension in range(plan.loads.shape[1]):
        if (
            plan.loads[vehicle, dimension] + sheet.demand[stop, dimension]
            > sheet.room[vehicle, dimension] + LOAD_TOLERANCE
        ):
            return False
    return True


@compiled
def span(sheet, plan, vehicle, stop):
    """(first, last) position that commitments, pinned order and goods on board leave a stop on a route."""
    facts, row, count = sheet.stops[stop], plan.rows[vehicle], plan.routes[vehicle].count
    first, last = sheet.vehicles[vehicle].fixed, count
    if not sheet.whole[0].has_orders:
        return first, last
    needs_reload = sheet.vehicles[vehicle].departed and facts.from_depot and not sheet.on_board[vehicle, stop]
    reloaded, collected = False, False
    for position in range(count):
        item = row[position]
        if item < 0:
            if needs_reload and not reloaded:
                first = max(first, position + 1)
            if collected:
                last = min(last, position)
            reloaded = True
            continue
        if item == facts.brings_from:
            first, collected = max(first, position + 1), True
        same = (
            facts.pinned_rank >= 0 and sheet.stops[item].pinned_rank >= 0 and sheet.stops[item].present == facts.present
        )
        if same and sheet.stops[item].pinned_rank < facts.pinned_rank:
            first = max(first, position + 1)
        if same and sheet.stops[item].pinned_rank > facts.pinned_rank:
            last = min(last, position)
    if needs_reload and not reloaded:
        return 1, 0
    return first, last


@compiled
def scan_route(sheet, plan, vehicle, stop, found, count, limit, blinks):
    """Offer every gap of a route whose hard limits may leave room for the stop."""
    shift, facts, route = sheet.vehicles[vehicle], sheet.stops[stop], plan.routes[vehicle]
    row, gaps, moves = plan.rows[vehicle], plan.gaps[vehicle], 0.0
    if facts.present >= 0 and facts.present != vehicle:
        moves = plan.total[0].stay_price + sheet.whole[0].price_per_moved
    service, fresh = facts.service * shift.pace, route.count == 0 and not shift.in_use
    opening = moves + shift.per_stop + (shift.per_day if fresh else 0.0)
    first, last = span(sheet, plan, vehicle, stop)
    end_place = sheet.whole[0].place_of_vehicles + sheet.vehicles.size + vehicle
    one_window = facts.window_first == facts.window_last
    opens = sheet.windows[facts.window_first].opens - facts.inside * shift.pace
    closes = sheet.windows[facts.window_last].closes - facts.inside * shift.pace
    for position in range(first, last + 1):
        before = (
            sheet.whole[0].place_of_vehicles + vehicle if position == 0 else place_of(sheet, vehicle, row[position - 1])
        )
        free_at = shift.ready if position == 0 else gaps[position - 1].leaves
        arrives = free_at + sheet.fastest[before, stop]
        if facts.late_price == HARD and arrives > closes + EXACT:
            if free_at > closes:
                break
            continue
        begins = max(arrives, opens)
        if not one_window:
            begins = max(arrives, window_at(sheet, vehicle, stop, arrives)[0])
        after = end_place if position == route.count else place_of(sheet, vehicle, row[position])
        reaches = begins + service + sheet.fastest[stop, after]
        if reaches > gaps[position].latest + EXACT:
            continue
        estimate = opening + (sheet.km[before, stop] + sheet.km[stop, after] - sheet.km[before, after]) * shift.per_km
        if fresh:
            estimate += (sheet.fastest[before, stop] + service + sheet.fastest[stop, after]) * shift.per_second
        else:
            estimate += max(0.0, reaches - gaps[position].begins) * gaps[position].price_of_delay
        if begins > closes and facts.late_price > 0:
            estimate += (begins - closes) * facts.late_price
        if blinks > 0 and draw(plan) < blinks:
            continue
        count = offer(found, count, limit, estimate, vehicle, position, ALONE)
    if sheet.vehicles[vehicle].reloads > route.reloads and facts.from_depot and route.count > 0:
        estimate = opening + 2 * sheet.km[end_place, stop] * shift.per_km
        estimate += (2 * sheet.fastest[end_place, stop] + service) * shift.per_second
        count = offer(found, count, limit, estimate, vehicle, route.count, AFTER_RELOAD)
    elif shift.reloads > route.reloads and facts.from_depot and shift.departed:
        count = offer(found, count, limit, opening, vehicle, route.count, AFTER_RELOAD)
    return count


@compiled
def scan_all(sheet, plan, stop, found, limit):
    """The cheapest gaps for a stop over all routes; of unused vehicles of one kind only the first is asked."""
    count, asked = np.int64(0), -1
    for vehicle in range(sheet.vehicles.size):
        if unused(sheet, plan, vehicle):
            if sheet.vehicles[vehicle].kind == asked:
                continue
            if sheet.allowed[vehicle, stop]:
                asked = sheet.vehicles[vehicle].kind
        if may_serve(sheet, plan, vehicle, stop):
            count = scan_route(sheet, plan, vehicle, stop, found, count, limit, 0.0)
    return count


@compiled
def scan_unused(sheet, plan, stop, found, limit):
    """The cheapest vehicles of those without work, for a stop that fits into no gap that looked cheaper."""
    count, asked = np.int64(0), -1
    for vehicle in range(sheet.vehicles.size):
        if plan.routes[vehicle].count > 0 or sheet.vehicles[vehicle].kind == asked:
            continue
        if may_serve(sheet, plan, vehicle, stop):
            asked = sheet.vehicles[vehicle].kind
            count = scan_route(sheet, plan, vehicle, stop, found, count, limit, 0.0)
    return count


@inlined
def unused(sheet, plan, vehicle):
    """Whether a vehicle has nothing to do and need not go anywhere."""
    return plan.routes[vehicle].count == 0 and not sheet.vehicles[vehicle].in_use


@compiled
def scan_near(sheet, plan, stop, found, limit):
    """The cheapest gaps for a stop on the routes of its nearest stops and on vehicles with little to do."""
    total, count, asked = plan.total[0], np.int64(0), -1
    total.stamp += 1
    for index in range(1, min(NEAR, sheet.near.shape[1])):
        vehicle = np.int64(plan.where[sheet.near[stop, index]])
        if vehicle < 0 or plan.stamps[vehicle] == total.stamp:
            continue
        plan.stamps[vehicle] = total.stamp
        if may_serve(sheet, plan, vehicle, stop):
            count = scan_route(sheet, plan, vehicle, stop, found, count, limit, total.blinks)
    for vehicle in range(sheet.vehicles.size):
        if plan.routes[vehicle].count > 1 or plan.stamps[vehicle] == total.stamp or not sheet.allowed[vehicle, stop]:
            continue
        if unused(sheet, plan, vehicle):
            if sheet.vehicles[vehicle].kind == asked:
                continue
            asked = sheet.vehicles[vehicle].kind
        if may_serve(sheet, plan, vehicle, stop):
            count = scan_route(sheet, plan, vehicle, stop, found, count, limit, total.blinks)
    return count


@compiled
def with_stop(plan, scratch, stop, place):
    """Fill the scratch with the items of a route as if the stop were put there; returns how many."""
    row, count, at = plan.rows[place.vehicle], plan.routes[place.vehicle].count, place.position
    items, size = scratch.items, 0
    for position in range(count + 1):
        if position == at:
            if place.second == AFTER_RELOAD:
                items[size] = RELOADS
                size += 1
            items[size] = stop
            size += 1
        if position < count:
            items[size] = row[position]
            size += 1
    return size


@compiled
def extra_of(sheet, plan, scratch, vehicle, size):
    """What the route in the scratch would cost more than it does, NEVER where it breaks a limit or the budget."""
    route, total, whole = plan.routes[vehicle], plan.total[0], sheet.whole[0]
    if size >= plan.rows.shape[1]:
        return NEVER
    excess, cost, moved, broken, goods = judge(sheet, scratch, vehicle, scratch.items, size)
    if excess > route.excess + EXACT:
        return NEVER
    if total.broken + broken - route.broken > max(total.broken, whole.most_broken):
        return NEVER
    if total.moved + moved - route.moved > max(total.moved, whole.most_moved):
        return NEVER
    if total.goods + goods - route.goods > max(total.goods, whole.most_goods_moved):
        return NEVER
    return cost - route.cost + (moved - route.moved) * plan.total[0].stay_price


@compiled
def best_place(sheet, plan, scratch, found, stop):
    """(index into `found`, extra cost) of the cheapest place that breaks nothing; (-1, NEVER) where there is none."""
    count, blinks = scan_near(sheet, plan, stop, found, TRIED), plan.total[0].blinks > 0
    if count == 0 and (not blinks or draw(plan) < LOOKED_EVERYWHERE):
        count = scan_all(sheet, plan, stop, found, TRIED)
    if sheet.whole[0].simple:
        return (0, found[0].estimate) if count > 0 else (-1, NEVER)
    best, extra = cheapest_of(sheet, plan, scratch, found, 0, count, stop)
    if best < 0 and count > 0 and (not blinks or draw(plan) < LOOKED_EVERYWHERE):
        count = scan_all(sheet, plan, stop, found, TRIED_HARDER)
        best, extra = cheapest_of(sheet, plan, scratch, found, 0, count, stop)
        if best < 0:
            count = scan_unused(sheet, plan, stop, found, TRIED_HARDER)
            best, extra = cheapest_of(sheet, plan, scratch, found, 0, count, stop)
    return best, extra


@compiled
def cheapest_of(sheet, plan, scratch, found, first, until, stop):
    """The cheapest of some places, each worked out in full."""
    best, extra = -1, NEVER
    for index in range(first, until):
        size = with_stop(plan, scratch, stop, found[index])
        cost = extra_of(sheet, plan, scratch, found[index].vehicle, size)
        if cost < extra:
            best, extra = index, cost
    return best, extra


@compiled
def take_over(plan, scratch, vehicle, size):
    """Make the items in the scratch the route's."""
    for position in range(size):
        plan.rows[vehicle, position] = scratch.items[position]
    plan.routes[vehicle].count = size


@compiled
def put(sheet, plan, scratch, stop, place):
    """Put a stop at a place of a route."""
    touch(plan, place.vehicle)
    size = with_stop(plan, scratch, stop, place)
    take_over(plan, scratch, place.vehicle, size)
    plan.where[stop] = place.vehicle
    work_out(sheet, plan, scratch, place.vehicle)
