"""A large problem as parts that are planned and judged apart: routes are independent, so figures of parts add up.

A part is a Problem of its own, over the vehicles of an area and the stops on their routes; what it must know of the rest
is its `whole`. No matrix of all places is ever made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lastmile.routing.areas import Area, areas
from lastmile.routing.changes import BUDGETED, Changes, beyond_budget, kept_by_plan_in_force, over_budget
from lastmile.routing.cost import Cost
from lastmile.routing.evaluating import Evaluation, Violation, evaluate
from lastmile.routing.obstacles import Cause
from lastmile.routing.problem import ChangeBudget, Problem, Routes, Whole
from lastmile.routing.timing import RouteTimer
from lastmile.routing.travel import GivenTravel, Travel, TravelMatrix


@dataclass(frozen=True)
class Part:
    """One part: its problem and its rows of a plan of the whole."""

    problem: Problem
    routes: Routes


@dataclass(frozen=True)
class SpannedTravel:
    """Travel over the span of the whole problem, so that each part has the same periods."""

    travel: Travel
    ends: float

    def matrix(self, lon: np.ndarray, lat: np.ndarray, start: float, end: float, zone: str) -> TravelMatrix:
        """The matrix of a part's places as the whole problem would have it."""
        return self.travel.matrix(lon, lat, start, max(end, self.ends), zone)


class Parting:
    """A problem that is to be cut, with what is the same in each cut.

    `kept` are the stops whose promise the plan in force keeps, None as long as nobody knows.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem, self.kept = problem, None
        self._ends = max([problem.instant, *(vehicle.shift_end for vehicle in problem.vehicles)])
        in_force = problem.plan_in_force()
        self._order = {one: place for row in in_force.values() for place, one in enumerate(row)}
        whole = with_whole_pairs(problem, in_force)
        self._unkept = {one for vehicle_id, row in in_force.items() if row != whole[vehicle_id] for one in row}

    def parts(self, routes: Routes, count: int, number: int, spent: Changes | None = None) -> list[Part]:
        """The problem with a plan in `count` parts, cut in the way of that `number`; `spent` is what the plan changes."""
        cut = areas(self.problem, routes, count, number)
        budgets = _budgets(self.problem.budget, spent or Changes((), (), ()), cut)
        return [self.part(area, routes, budget) for area, budget in zip(cut, budgets, strict=True)]

    def part(self, area: Area, routes: Routes, budget: ChangeBudget) -> Part:
        """One area as a part, with its rows of a plan."""
        problem = self.problem
        stops = [problem.stops[problem.stop_index[one]] for one in area.stop_ids]
        vehicles = [problem.vehicles[problem.vehicle_index[one]] for one in area.vehicle_ids]
        return Part(
            replace(
                problem,
                stops=tuple(replace(one, price_of_not_serving=_price(problem, one)) for one in stops),
                vehicles=tuple(vehicles),
                travel=self._travel(area),
                budget=budget,
                whole=self._whole(area),
            ),
            {one: tuple(routes.get(one, ())) for one in area.vehicle_ids},
        )

    def _whole(self, area: Area) -> Whole:
        problem, here = self.problem, set(area.vehicle_ids)
        present = {one: problem.stops[problem.stop_index[one]].present_vehicle_id for one in area.stop_ids}
        away = {one: on for one, on in present.items() if on in problem.vehicle_index and on not in here}
        held = {
            one: problem.holder[one]
            for one in area.stop_ids
            if one in problem.holder and problem.holder[one] not in here
        }
        return Whole(
            elsewhere=tuple(sorted({*away.values(), *held.values()})),
            holder=held,
            order={one: self._order[one] for one in away},
            kept=None if self.kept is None else self.kept.intersection(area.stop_ids),
            unkept=frozenset(self._unkept.intersection(area.stop_ids)),
        )

    def _travel(self, area: Area) -> Travel:
        problem = self.problem
        if not isinstance(problem.travel, GivenTravel):
            return SpannedTravel(problem.travel, self._ends)
        vehicles = [problem.vehicle_index[one] for one in area.vehicle_ids]
        kinds = [problem.start_of, problem.end_of, *([problem.reload_of] if problem.has_reloads else [])]
        of_vehicles = [place(vehicle) for place in kinds for vehicle in vehicles]
        places = [*(problem.stop_index[one] for one in area.stop_ids), *of_vehicles]
        given = problem.travel.given
        chosen = np.ix_(places, places)
        return GivenTravel(replace(given, seconds=given.seconds[..., chosen[0], chosen[1]], km=given.km[chosen]))


def with_whole_pairs(problem: Problem, routes: Routes) -> dict[str, tuple[str, ...]]:
    """A plan without the stops whose other half of the pair is on another route or on none; what is committed stays."""
    on = {stop_id: vehicle_id for vehicle_id, row in routes.items() for stop_id in row}
    halves = [pair for pair in problem.collected_for.items() if on.get(pair[0]) != on.get(pair[1])]
    apart = {stop_id for pair in halves for stop_id in pair} - set(problem.committed_to)
    return {vehicle_id: tuple(one for one in row if one not in apart) for vehicle_id, row in routes.items()}


def merged(problem: Problem, parts: Sequence[Evaluation]) -> Evaluation:
    """The evaluation of a whole plan from those of all its parts."""
    routes = {route.vehicle_id: route for part in parts for route in part.routes}
    planned = tuple(routes[vehicle.vehicle_id] for vehicle in problem.vehicles)
    place = {stop_id: at for at, stop_id in enumerate(stop_id for route in planned for stop_id in route.stop_ids)}

    def in_order(stop_ids: Sequence[str]) -> tuple[str, ...]:
        unserved = len(place)
        return tuple(sorted(stop_ids, key=lambda one: (place.get(one, unserved), problem.stop_index[one])))

    changes = Changes(*(in_order([one for part in parts for one in getattr(part.changes, name)]) for name in BUDGETED))
    spent = over_budget(problem.budget, changes)
    broken = [one for part in parts for one in part.violations if one.cause != Cause.CHANGES]
    rank = {vehicle.vehicle_id: index for index, vehicle in enumerate(problem.vehicles)}
    own = [sum(one.excess for one in part.violations if one.cause == Cause.CHANGES) for part in parts]
    return Evaluation(
        routes=planned,
        unserved=tuple(sorted((one for part in parts for one in part.unserved), key=problem.stop_index.__getitem__)),
        cost=sum((part.cost for part in parts), Cost()),
        violations=(
            *sorted(broken, key=lambda one: rank.get(one.vehicle_id, -1)),
            *(Violation(Cause.CHANGES, "", None, beyond_budget(problem.budget, name, excess), excess, name)
              for name, excess in spent.items()),
        ),
        broken_promises=in_order([one for part in parts for one in part.broken_promises]),
        currency=problem.currency,
        changes=changes,
        excess=sum(part.excess for part in parts) - sum(own) + sum(spent.values()),
    )  # fmt: skip


def portion(whole: Evaluation, part: Problem) -> Evaluation:
    """What the evaluation of a whole plan says of the routes and stops of one part; the other way of `merged`."""
    here, vehicles = set(part.stop_index), set(part.vehicle_index)
    routes = {route.vehicle_id: route for route in whole.routes}
    planned = tuple(routes[vehicle.vehicle_id] for vehicle in part.vehicles)
    unserved = tuple(one for one in whole.unserved if one in here)
    not_served = sum(part.price_of_not_serving(part.stops[part.stop_index[one]]) for one in unserved)
    violations = tuple(one for one in whole.violations if one.vehicle_id in vehicles)
    return replace(
        whole,
        routes=planned,
        unserved=unserved,
        cost=sum((route.cost for route in planned), Cost(not_served=not_served)),
        violations=violations,
        broken_promises=tuple(one for one in whole.broken_promises if one in here),
        changes=Changes(*(tuple(one for one in getattr(whole.changes, name) if one in here) for name in BUDGETED)),
        excess=sum(one.excess for one in violations),
    )


def as_committed(part: Part) -> Part:
    """The part with what its vehicles are committed to, and no other stop: quick to judge."""
    problem = part.problem
    area = Area(tuple(problem.vehicle_index), tuple(one for one in problem.stop_index if one in problem.committed_to))
    return Parting(problem).part(
        area, {vehicle.vehicle_id: vehicle.committed_stop_ids for vehicle in problem.vehicles}, problem.budget
    )


def with_all_else_unserved(part: Problem, plan: Evaluation) -> Evaluation:
    """The evaluation of a plan of some of a part's stops, once the others are counted as not served."""
    left = [stop for stop in part.stops if stop.stop_id not in plan.stops]
    promised = tuple(stop.stop_id for stop in left if stop.last_closes is not None)
    kept = part.whole.kept or frozenset()
    return replace(
        plan,
        unserved=tuple(stop.stop_id for stop in left),
        cost=plan.cost + Cost(not_served=sum(map(part.price_of_not_serving, left))),
        broken_promises=(*plan.broken_promises, *promised),
        changes=replace(
            plan.changes, promises_broken=(*plan.changes.promises_broken, *(one for one in promised if one in kept))
        ),
    )


def kept_in_parts(problem: Problem, count: int) -> frozenset[str]:
    """The stops whose promise the plan in force keeps, found part by part."""
    parts = Parting(problem).parts(problem.plan_in_force(), count, 0)
    return frozenset(one for part in parts for one in kept_by_plan_in_force(RouteTimer(part.problem)))


def evaluate_in_parts(problem: Problem, routes: Mapping[str, Sequence[str]], count: int, number: int = 1) -> Evaluation:
    """What `evaluate` says of a plan whose pairs are whole, without a matrix of all places."""
    parting = Parting(problem)
    parting.kept = kept_in_parts(problem, count)
    parts = parting.parts({one: tuple(row) for one, row in routes.items()}, count, number)
    return merged(problem, [evaluate(part.problem, part.routes) for part in parts])


def _price(problem: Problem, stop: object) -> float:
    """What the whole problem takes for leaving a stop out; nonsense stays, so that the part tells of it."""
    price = stop.price_of_not_serving
    return problem.dearest_day if price is None else price


def _budgets(budget: ChangeBudget, spent: Changes, cut: Sequence[Area]) -> list[ChangeBudget]:
    """Each part may change what it has changed, and its share by stops of what is left."""
    limits: list[dict[str, int | None]] = [{} for _ in cut]
    sizes = [len(area.stop_ids) for area in cut]
    for name in BUDGETED:
        most, used = getattr(budget, name), set(getattr(spent, name))
        own = [len(used.intersection(area.stop_ids)) for area in cut]
        left = 0 if most is None else max(0, most - len(used))
        reached = [left * sum(sizes[: index + 1]) // max(1, sum(sizes)) for index in range(len(cut))]
        for index, limit in enumerate(limits):
            share = reached[index] - (reached[index - 1] if index else 0)
            limit[name] = None if most is None else own[index] + share
    return [replace(budget, **limit) for limit in limits]
