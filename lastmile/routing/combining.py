"""The best plan that the routes of all searches make together: a set partition, solved by OR-Tools.

Each search finds good routes that another lacks. Which of them, one a vehicle at most and each stop once at most, cost
least together is a set partition (as in Rochat & Taillard 1995, Journal of Heuristics 1, 147-167); every route was timed
and priced in full, so what comes out breaks nothing that the routes did not.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from ortools.sat.python import cp_model

from lastmile.routing.rounds import PoolRoute, RouteFigures

if TYPE_CHECKING:
    from lastmile.routing.kernel import Kernel

MONEY = 1_000
"""Units in one unit of currency."""

PRICE_LIMIT = 1e9
"""No single price is larger, so that sums stay far from the integers' end."""

MOST_STOPS = 40_000
"""Stops of all routes that are combined, the routes cheapest for each stop first: more take longer than they bring."""


DETERMINISTIC_TIME = 1.0
"""The solver's own measure of work, about a second of it."""


class Column(NamedTuple):
    """A route that may be chosen: the vehicle it was made for, its stops and figures."""

    vehicle: int
    items: tuple[int, ...]
    figures: RouteFigures


def combined(
    kernel: Kernel, pool: Mapping[PoolRoute, RouteFigures], seconds: float, seed: int, by_work: bool = False
) -> list[tuple[int, ...]] | None:
    """The items of each vehicle in the cheapest plan that the pool and the kernel's plan make; None where none is better.

    With `by_work` it ends after so much work instead of so many seconds, the same each time.
    """
    columns = _columns(kernel, pool)
    model = cp_model.CpModel()
    chosen = [model.new_bool_var("") for _ in columns]
    unserved = {int(stop): model.new_bool_var("") for stop in kernel.sheet.free}
    _serve_once(model, columns, chosen, unserved)
    _one_route_each(model, kernel, columns, chosen)
    _keep_budget(model, kernel, columns, chosen)
    prices = kernel.sheet.stops["price"]
    stay = kernel.stay_price
    costs = [_units(one.figures.cost + stay * one.figures.moved) for one in columns]
    model.minimize(
        sum(cost * var for cost, var in zip(costs, chosen, strict=True))
        + sum(_units(float(prices[stop])) * var for stop, var in unserved.items())
    )
    present = {(vehicle, items) for vehicle, items in enumerate(kernel.best_rows())}
    for column, var in zip(columns, chosen, strict=True):
        model.add_hint(var, (column.vehicle, column.items) in present)
    solver = cp_model.CpSolver()
    if by_work:
        solver.parameters.max_deterministic_time = DETERMINISTIC_TIME
    else:
        solver.parameters.max_time_in_seconds = max(0.05, seconds)
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = seed
    if solver.solve(model) not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return None
    return _rows(kernel, [column for column, var in zip(columns, chosen, strict=True) if solver.boolean_value(var)])


def _units(money: float) -> int:
    return round(min(money, PRICE_LIMIT) * MONEY)


def _columns(kernel: Kernel, pool: Mapping[PoolRoute, RouteFigures]) -> list[Column]:
    """The routes of the plan and of the pool, each set of stops on each vehicle once, in its cheapest order."""
    cheapest: dict[tuple[int, frozenset[int]], Column] = {}
    for (vehicle, items), figures in pool.items():
        key = (vehicle, frozenset(items))
        if key not in cheapest or figures.cost < cheapest[key].figures.cost:
            cheapest[key] = Column(vehicle, items, figures)
    ranked = sorted(
        cheapest.values(), key=lambda one: (one.figures.cost / max(1, len(one.items)), one.vehicle, one.items)
    )
    own = [Column(vehicle, items, kernel.figures(vehicle, items)) for vehicle, items in enumerate(kernel.best_rows())]
    kept = {(column.vehicle, column.items) for column in own}
    others = [one for one in ranked if (one.vehicle, one.items) not in kept]
    reach = itertools.takewhile(lambda total: total <= MOST_STOPS, itertools.accumulate(len(o.items) for o in others))
    return own + others[: sum(1 for _ in reach)]


def _serve_once(model: cp_model.CpModel, columns: list[Column], chosen: list, unserved: dict[int, object]) -> None:
    by_stop = defaultdict(list)
    for column, var in zip(columns, chosen, strict=True):
        for stop in column.items:
            if stop >= 0:
                by_stop[stop].append(var)
    for stop, var in unserved.items():
        model.add_exactly_one([*by_stop.pop(stop, ()), var])
    for routes in by_stop.values():  # commitments: on their own vehicle whatever route it takes
        model.add_at_most_one(routes)


def _one_route_each(model: cp_model.CpModel, kernel: Kernel, columns: list[Column], chosen: list) -> None:
    """As many routes of a kind of vehicle as there are of the kind; one in use has a route, if only the way home."""
    by_kind = defaultdict(list)
    kinds, in_use = kernel.sheet.vehicles["kind"], kernel.sheet.vehicles["in_use"]
    for column, var in zip(columns, chosen, strict=True):
        if column.items or in_use[column.vehicle]:
            by_kind[int(kinds[column.vehicle])].append((column.vehicle, var))
    counts = {int(kind): int((kinds == kind).sum()) for kind in set(kinds.tolist())}
    for kind, routes in by_kind.items():
        variables = [var for _, var in routes]
        if in_use[routes[0][0]]:
            model.add_exactly_one(variables)
        else:
            model.add(sum(variables) <= counts[kind])


def _keep_budget(model: cp_model.CpModel, kernel: Kernel, columns: list[Column], chosen: list) -> None:
    budget = kernel.problem.budget
    limits = {"moved": budget.moved, "broken": budget.promises_broken, "goods": budget.goods_moved}
    for name, most in limits.items():
        if most is not None:
            spent = [getattr(column.figures, name) * var for column, var in zip(columns, chosen, strict=True)]
            model.add(sum(spent) <= most)


def _rows(kernel: Kernel, chosen: list[Column]) -> list[tuple[int, ...]]:
    """Each chosen route to the vehicle it was made for, or to another of its kind that is left."""
    kinds = kernel.sheet.vehicles["kind"]
    rows: list[tuple[int, ...] | None] = [None] * len(kinds)
    homeless = []
    for column in chosen:
        if rows[column.vehicle] is None:
            rows[column.vehicle] = column.items
        elif column.items:
            homeless.append(column)
    for column in homeless:
        same = [v for v in range(len(kinds)) if kinds[v] == kinds[column.vehicle] and not rows[v]]
        rows[same[0]] = column.items
    return [row or () for row in rows]
