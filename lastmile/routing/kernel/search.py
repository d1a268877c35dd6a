"""The search in compiled code: rounds of ruin and recreate, accepted by simulated annealing."""

from __future__ import annotations

import math

from lastmile.routing.kernel.compiling import compiled, entry
from lastmile.routing.kernel.pairs import insert_pair
from lastmile.routing.kernel.places import best_place, put
from lastmile.routing.kernel.plan import begin_round, draw, keep_best, objective, take_back
from lastmile.routing.kernel.ruin import order_absent, ruin
from lastmile.routing.kernel.sheet import NO_LIMIT
from lastmile.routing.kernel.tails import exchange_tails

BETTER = 1e-7
"""Money by which a plan must be better to count as better."""

TAILS_SHARE = 0.5
"""Share of rounds in which two routes exchange their ends; such a round takes a third of the time of another. Of 0 to 0.5,
the best on urban mid-day cases (by 0.5 to 1 % of the cost at 2.5 s) and no worse on any other."""


@compiled
def insert(sheet, plan, scratch, found, stop):
    """Put a stop, with its partner where it has one, where it costs least, if that is worth it; returns whether."""
    facts = sheet.stops[stop]
    if facts.collects >= 0:
        if plan.where[facts.collects] < 0:
            return insert_pair(sheet, plan, scratch, found, stop, facts.collects)
    elif facts.brings_from >= 0 and plan.where[facts.brings_from] < 0:
        return insert_pair(sheet, plan, scratch, found, facts.brings_from, stop)
    best, extra = best_place(sheet, plan, scratch, found, stop)
    if best < 0 or extra >= facts.price:
        return False
    put(sheet, plan, scratch, stop, found[best])
    return True


@entry
def recreate(sheet, plan, scratch, found, tried):
    """Put the first so many of the stops in no route back where they cost least; some may stay out."""
    total, count = plan.total[0], plan.total[0].absent
    for index in range(tried):
        stop = plan.absent[index]
        if plan.where[stop] < 0 and not insert(sheet, plan, scratch, found, stop):
            plan.missed[stop] += 1
    left = 0
    for index in range(count):
        stop = plan.absent[index]
        if plan.where[stop] < 0:
            plan.absent[left] = stop
            left += 1
    total.absent = left


@entry
def improve(sheet, plan, scratch, found, keys, rounds, heat):
    """Ruin and recreate so many rounds; `heat` is the money by which a round may leave the plan dearer, by chance."""
    total = plan.total[0]
    for _ in range(rounds):
        begin_round(plan)
        before, absent = total.cost, total.absent
        for index in range(absent):
            plan.old_absent[index] = plan.absent[index]
        total.rounds += 1
        if draw(plan) < TAILS_SHARE:
            changed = exchange_tails(sheet, plan, scratch, heat)
        else:
            ruin(sheet, plan, scratch)
            recreate(sheet, plan, scratch, found, order_absent(sheet, plan, keys))
            changed = True
        total.cost = objective(sheet, plan)
        if not changed or total.cost > before - heat * math.log(1.0 - draw(plan)) + BETTER or over_budget(sheet, plan):
            take_back(plan, absent)
            total.cost = before
        elif total.cost < total.best_cost - BETTER:
            keep_best(sheet, plan)


@entry
def over_budget(sheet, plan):
    """Whether the plan changes more than it may; a kept promise is broken too where its stop is in no route."""
    total, whole = plan.total[0], sheet.whole[0]
    broken = total.broken
    if whole.most_broken < NO_LIMIT:
        for index in range(total.absent):
            broken += sheet.stops[plan.absent[index]].kept
    return total.moved > whole.most_moved or broken > whole.most_broken or total.goods > whole.most_goods_moved
