"""The search in compiled code: rounds of ruin and recreate, accepted by simulated annealing."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from lastmile.routing.kernel.places import insert
from lastmile.routing.kernel.plan import begin_round, draw, keep_best, objective, take_back
from lastmile.routing.kernel.ruin import order_absent, ruin

BETTER = 1e-7
"""Money by which a plan must be better to count as better."""


@njit(cache=True)
def recreate(sheet, plan, scratch, found, keys, blink):
    """Put the stops in no route back where they cost least, in one order or another; some may stay out."""
    tried = order_absent(sheet, plan, keys)
    total, count = plan.total[0], plan.total[0].absent
    for index in range(tried):
        stop = plan.absent[index]
        if plan.where[stop] < 0 and not insert(sheet, plan, scratch, found, stop, blink):
            plan.missed[stop] += 1
    left = 0
    for index in range(count):
        stop = plan.absent[index]
        if plan.where[stop] < 0:
            plan.absent[left] = stop
            left += 1
    total.absent = left


@njit(cache=True)
def improve(sheet, plan, scratch, found, keys, rounds, heat, cooling):
    """Ruin and recreate so many rounds; `heat` (money) falls by the factor `cooling` each round. Returns the heat."""
    total = plan.total[0]
    for _ in range(rounds):
        begin_round(plan)
        before, absent = total.cost, total.absent
        for index in range(absent):
            plan.old_absent[index] = plan.absent[index]
        ruin(sheet, plan, scratch)
        recreate(sheet, plan, scratch, found, keys, True)
        total.cost = objective(sheet, plan)
        total.rounds += 1
        if total.cost > before - heat * math.log(1.0 - draw(plan)) + BETTER or over_budget(sheet, plan):
            take_back(plan, absent)
            total.cost = before
        elif total.cost < total.best_cost - BETTER:
            keep_best(sheet, plan)
        heat *= cooling
    return heat


@njit(cache=True)
def over_budget(sheet, plan):
    """Whether the plan changes more than it may."""
    total, whole = plan.total[0], sheet.whole[0]
    return total.moved > whole.most_moved or total.broken > whole.most_broken or total.goods > whole.most_goods_moved


@njit(cache=True)
def room_for_keys(count):
    """Numbers to sort by, one per stop."""
    return np.zeros(count)
