"""A plan that is being worked on, as arrays, with the way back to where a round began."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lastmile.routing.kernel.clock import judge
from lastmile.routing.kernel.compiling import compiled, entry, inlined
from lastmile.routing.kernel.driving import EXACT, place_of
from lastmile.routing.kernel.sheet import HARD, Sheet

ROUTE = np.dtype(
    [("cost", "f8"), ("excess", "f8"), ("count", "i8")]
    + [(name, "i4") for name in ("stops", "moved", "broken", "goods", "reloads")]
    + [("touched", "b1")],
    align=True,
)
"""One row per vehicle: items, stops among them, what the route costs and breaks, what it changes."""

GAP = np.dtype([(name, "f8") for name in ("begins", "leaves", "latest", "price_of_delay")], align=True)
"""One row per item and one for the end, at the earliest departure: when service begins and the vehicle leaves, when it
must begin at the latest, and about what a second of delay before it costs."""

TOTAL = np.dtype(
    [("cost", "f8"), ("best_cost", "f8"), ("stay_price", "f8"), ("blinks", "f8"), ("state", "u8")]
    + [(name, "i8") for name in ("moved", "broken", "goods", "touched", "absent", "rounds", "improved", "stamp")],
    align=True,
)
"""One row: sums over the routes, what a move is worth avoiding beyond its price, the share of gaps that are overlooked, the
state of the chance."""


ITEMS_IN_ALL = 1_000_000
"""Items that all routes have room for where every stop on each would be more: with its copies an item takes 80 bytes."""

LEAST_ITEMS = 600
"""Items that a route has room for at least, where there are as many stops."""

ROOM_LEFT = 3
"""Items that a route has room for beyond what it may hold: two stops of a pair and the end."""


class Plan(NamedTuple):
    """Routes as rows of items, their figures, and copies from before the round for those that it touches."""

    rows: np.ndarray
    routes: np.ndarray
    gaps: np.ndarray
    loads: np.ndarray
    where: np.ndarray
    absent: np.ndarray
    missed: np.ndarray
    touched: np.ndarray
    stamps: np.ndarray
    old_rows: np.ndarray
    old_routes: np.ndarray
    old_gaps: np.ndarray
    old_loads: np.ndarray
    old_where: np.ndarray
    old_absent: np.ndarray
    best_rows: np.ndarray
    best_counts: np.ndarray
    total: np.ndarray


def plan_for(sheet: Sheet, rows: list[list[int]], seed: int) -> Plan:
    """The plan with these items by vehicle; what is in no row is absent."""
    fleet, stops = len(sheet.vehicles), len(sheet.stops)
    longest = _longest(sheet, rows)
    table = np.full((fleet, longest), -1, dtype=np.int32)
    routes, gaps = np.zeros(fleet, dtype=ROUTE), np.zeros((fleet, longest + 1), dtype=GAP)
    where = np.full(stops, -1, dtype=np.int32)
    for vehicle, row in enumerate(rows):
        table[vehicle, : len(row)] = row
        routes[vehicle]["count"] = len(row)
        where[[stop for stop in row if stop >= 0]] = vehicle
    total = np.zeros(1, dtype=TOTAL)
    total["state"] = (seed * 2_654_435_761 + 88_172_645_463_325_252) % 2**63 | 1
    absent = np.full(stops, -1, dtype=np.int32)
    found = [int(stop) for stop in sheet.free if where[stop] < 0]
    absent[: len(found)] = found
    total["absent"] = len(found)
    loads = np.zeros((fleet, sheet.demand.shape[1]))
    return Plan(
        table, routes, gaps, loads, where, absent, np.zeros(stops), np.zeros(fleet, dtype=np.int32),
        np.zeros(fleet, dtype=np.int64), table.copy(),
        routes.copy(), gaps.copy(), loads.copy(), where.copy(), absent.copy(), table.copy(),
        np.zeros(fleet, dtype=np.int32), total,
    )  # fmt: skip


def _longest(sheet: Sheet, rows: list[list[int]]) -> int:
    """Room for items in a route: all stops where memory allows, else more than a day can hold."""
    reloads = int(sheet.vehicles["reloads"].max(initial=0))
    longest = max([len(row) for row in rows], default=0)
    share = ITEMS_IN_ALL // max(1, len(rows))
    return max(longest, min(len(sheet.stops) + reloads, max(LEAST_ITEMS, 3 * longest, share))) + ROOM_LEFT


@inlined
def draw(plan):
    """A number from 0 to below 1 (xorshift64*, Marsaglia 2003 and Vigna 2016)."""
    state = plan.total[0].state
    state ^= state >> np.uint64(12)
    state ^= state << np.uint64(25)
    state ^= state >> np.uint64(27)
    plan.total[0].state = state
    return float((state * np.uint64(2685821657736338717)) >> np.uint64(11)) / 9007199254740992.0


@entry
def begin_all(sheet, plan, scratch):
    """Work out every route and the sums."""
    for vehicle in range(sheet.vehicles.size):
        work_out(sheet, plan, scratch, vehicle)
    plan.total[0].cost = objective(sheet, plan)
    plan.total[0].touched = 0


@compiled
def work_out(sheet, plan, scratch, vehicle):
    """Judge a route and fill in its gaps, load and share of the sums."""
    route, row, total = plan.routes[vehicle], plan.rows[vehicle], plan.total[0]
    total.moved -= route.moved
    total.broken -= route.broken
    total.goods -= route.goods
    excess, cost, moved, broken, goods = judge(sheet, scratch, vehicle, row, route.count)
    route.excess, route.cost, route.moved, route.broken, route.goods = excess, cost, moved, broken, goods
    total.moved += moved
    total.broken += broken
    total.goods += goods
    fill_gaps(sheet, plan, scratch, vehicle)
    route.stops, route.reloads = 0, 0
    for dimension in range(plan.loads.shape[1]):
        plan.loads[vehicle, dimension] = 0
    for position in range(route.count):
        item = row[position]
        if item < 0:
            route.reloads += 1
            continue
        route.stops += 1
        for dimension in range(plan.loads.shape[1]):
            plan.loads[vehicle, dimension] += sheet.demand[item, dimension]


@compiled
def fill_gaps(sheet, plan, scratch, vehicle):
    """Earliest and latest times and the price of delay at each item, from the end backwards."""
    shift, row, gaps, count = (
        sheet.vehicles[vehicle],
        plan.rows[vehicle],
        plan.gaps[vehicle],
        plan.routes[vehicle].count,
    )
    after = sheet.whole[0].place_of_vehicles + sheet.vehicles.size + vehicle
    last = sheet.whole[0].place_of_vehicles + vehicle if count == 0 else place_of(sheet, vehicle, row[count - 1])
    leaves = shift.ready if count == 0 else scratch.times[count - 1].plain_leaves
    gaps[count].begins = leaves + (sheet.fastest[last, after] if count > 0 or shift.in_use else 0.0)
    gaps[count].latest = shift.must_end
    gaps[count].price_of_delay = shift.per_second if gaps[count].begins < shift.shift_end else shift.per_overtime_second
    if gaps[count].begins >= shift.overtime_ends:
        gaps[count].price_of_delay += shift.per_second_beyond
    for position in range(count - 1, -1, -1):
        item, gap = row[position], gaps[position]
        place = place_of(sheet, vehicle, item)
        gap.begins, gap.leaves = scratch.times[position].plain_begins, scratch.times[position].plain_leaves
        gap.latest = gaps[position + 1].latest - sheet.fastest[place, after] - (gap.leaves - gap.begins)
        gap.price_of_delay = gaps[position + 1].price_of_delay
        after = place
        if item < 0:
            continue
        stop = sheet.stops[item]
        closes = sheet.windows[stop.window_last].closes - stop.inside * shift.pace
        if position > 0:
            free = gaps_free(sheet, vehicle, row, scratch, position)
        else:
            free = shift.ready + sheet.fastest[sheet.whole[0].place_of_vehicles + vehicle, place]
        if gap.begins > free + EXACT:
            gap.price_of_delay = 0.0
        if stop.late_price == HARD:
            gap.latest = min(gap.latest, closes)
        elif gap.begins >= closes:
            gap.price_of_delay += stop.late_price
        if gap.begins >= stop.need_by:
            gap.price_of_delay += stop.crew_price


@inlined
def gaps_free(sheet, vehicle, row, scratch, position):
    """When the vehicle could serve an item if it were open, at the earliest departure."""
    before = place_of(sheet, vehicle, row[position - 1])
    return scratch.times[position - 1].plain_leaves + sheet.fastest[before, place_of(sheet, vehicle, row[position])]


@entry
def objective(sheet, plan):
    """What the plan costs, what is not served included, and what its moves are worth avoiding."""
    cost = 0.0
    for vehicle in range(sheet.vehicles.size):
        cost += plan.routes[vehicle].cost
    for index in range(plan.total[0].absent):
        cost += sheet.stops[plan.absent[index]].price
    return cost + plan.total[0].moved * plan.total[0].stay_price


@compiled
def touch(plan, vehicle):
    """Keep a copy of a route as it was when the round began, before it changes."""
    route = plan.routes[vehicle]
    if route.touched:
        return
    route.touched = True
    plan.touched[plan.total[0].touched] = vehicle
    plan.total[0].touched += 1
    copy_route(
        plan.rows,
        plan.routes,
        plan.gaps,
        plan.loads,
        plan.old_rows,
        plan.old_routes,
        plan.old_gaps,
        plan.old_loads,
        vehicle,
    )


@compiled
def copy_route(rows, routes, gaps, loads, to_rows, to_routes, to_gaps, to_loads, vehicle):
    """Copy all that is known of one route."""
    count = routes[vehicle].count
    to_routes[vehicle] = routes[vehicle]
    for position in range(count):
        to_rows[vehicle, position] = rows[vehicle, position]
        to_gaps[vehicle, position] = gaps[vehicle, position]
    to_gaps[vehicle, count] = gaps[vehicle, count]
    for dimension in range(loads.shape[1]):
        to_loads[vehicle, dimension] = loads[vehicle, dimension]


@entry
def begin_round(plan):
    """Forget the copies of the round before."""
    for index in range(plan.total[0].touched):
        plan.routes[plan.touched[index]].touched = False
    plan.total[0].touched = 0


@compiled
def take_back(plan, absent):
    """Put every route that the round touched back as it was, with `absent` stops in none, the first of `old_absent`."""
    total = plan.total[0]
    for index in range(total.touched):
        vehicle = np.int64(plan.touched[index])
        route, old = plan.routes[vehicle], plan.old_routes[vehicle]
        total.moved += old.moved - route.moved
        total.broken += old.broken - route.broken
        total.goods += old.goods - route.goods
        copy_route(
            plan.old_rows,
            plan.old_routes,
            plan.old_gaps,
            plan.old_loads,
            plan.rows,
            plan.routes,
            plan.gaps,
            plan.loads,
            vehicle,
        )
        plan.routes[vehicle].touched = False
    for index in range(total.touched):
        vehicle = np.int64(plan.touched[index])
        for position in range(plan.routes[vehicle].count):
            if plan.rows[vehicle, position] >= 0:
                plan.where[plan.rows[vehicle, position]] = vehicle
    total.touched = 0
    total.absent = absent
    for index in range(absent):
        plan.absent[index] = plan.old_absent[index]
        plan.where[plan.absent[index]] = -1


@entry
def keep_best(sheet, plan):
    """Remember the plan as the best so far."""
    for vehicle in range(sheet.vehicles.size):
        count = plan.routes[vehicle].count
        plan.best_counts[vehicle] = count
        for position in range(count):
            plan.best_rows[vehicle, position] = plan.rows[vehicle, position]
    plan.total[0].best_cost = plan.total[0].cost
    plan.total[0].improved += 1
