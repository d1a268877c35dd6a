"""A plan that is proposed: what it changes, what else could be chosen, and its rows for the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import pandas as pd

from lastmile.jobs import Job
from lastmile.replanning.plan_rows import plan_rows
from lastmile.replanning.problem import OpenDay, next_version
from lastmile.routing import (
    Change,
    Comparison,
    Evaluation,
    Reason,
    Solution,
    compare,
    evaluate,
    reasons_late,
    reasons_unserved,
)
from lastmile.store import Store

BEST = "the best plan of the search"


@dataclass(frozen=True)
class Point:
    """One plan of the frontier: stops that change vehicle, money, promises broken, stops not served, and its routes."""

    moved: int
    money: float
    promises_broken: int
    late_minutes: float
    unserved: int
    violations: int
    routes: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Proposal:
    """A plan version that is not decided yet: its rows by table, and the comparison with the plan in force.

    `chosen` says in words which plan of the search it is, or what was changed by hand; `points` are the plans that could
    be chosen instead, stops moved ascending.
    """

    plan_id: str
    open_day: OpenDay
    solution: Solution
    routes: Mapping[str, tuple[str, ...]]
    chosen: str
    comparison: Comparison
    reasons: Mapping[str, Reason]
    points: tuple[Point, ...]
    made_by: str
    tables: dict[str, pd.DataFrame]

    @property
    def money(self) -> Change:
        """What the rest of the day costs by the plan in force and by this one, in the depot's currency."""
        return Change(self.open_day.money(self.comparison.before), self.open_day.money(self.comparison.after))

    @property
    def moved(self) -> int:
        return len(self.comparison.moved)

    def price_of_lateness(self, stop_id: str) -> float:
        """What a served stop's lateness costs, its waiting crew included, in the depot's currency."""
        problem, planned = self.open_day.problem, self.comparison.after.stops[stop_id]
        stop = problem.stops[problem.stop_index[stop_id]]
        waiting = 0.0 if stop.need_by is None else max(0.0, planned.service_starts_at - stop.need_by) / 60
        return planned.late_minutes * (stop.price_per_late_minute or 0) + waiting * stop.crew_price_per_minute

    @cached_property
    def late_reasons(self) -> Job[dict[str, Reason]]:
        """Why each late stop is late, and what would bring it on time: worked out beside the page from the first look on."""
        return Job(
            f"Looking for reasons in {self.plan_id}", lambda *_: reasons_late(self.open_day.problem, self.routes)
        ).start()

    @cached_property
    def deliveries(self) -> pd.DataFrame:
        """One row per open delivery: stop_id, the vehicle before and after (None: not served), place, ETA before and after."""
        return _deliveries(self.open_day, self.comparison)


def proposal_of(
    store: Store,
    open_day: OpenDay,
    solution: Solution,
    made_by: str,
    routes: Mapping[str, Sequence[str]] | None = None,
    chosen: str = BEST,
    points: tuple[Point, ...] | None = None,
) -> Proposal:
    """The next version of the plan from a solution, or from other routes of the same day that were `chosen` instead."""
    taken = {vehicle_id: tuple(row) for vehicle_id, row in (solution.routes if routes is None else routes).items()}
    solution = replace(solution, notes=tuple(dict.fromkeys((*solution.notes, *open_day.not_planned))))
    problem = open_day.problem
    comparison = compare(problem, problem.plan_in_force(), taken)
    reasons = solution.reasons if routes is None else reasons_unserved(problem, taken)
    plan_id = f"{open_day.depot_id} {open_day.day:%Y-%m-%d} v{open_day.version} {open_day.at:%H%M%S}"
    return Proposal(
        plan_id=plan_id,
        open_day=open_day,
        solution=solution,
        routes=taken,
        chosen=chosen,
        comparison=comparison,
        reasons=reasons,
        points=frontier_points(open_day, solution) if points is None else points,
        made_by=made_by,
        tables=plan_rows(store, plan_id, open_day, solution, comparison, reasons, chosen, made_by),
    )


def choose(store: Store, proposal: Proposal, routes: Mapping[str, Sequence[str]], chosen: str, by: str) -> Proposal:
    """The same day with other routes: a point of the frontier, or what somebody changed by hand."""
    start = proposal.open_day
    start = replace(start, version=next_version(store, start.depot_id, start.day))
    return proposal_of(store, start, proposal.solution, by, routes, chosen, proposal.points)


def frontier_points(open_day: OpenDay, solution: Solution) -> tuple[Point, ...]:
    """The plans to choose from, judged by the evaluator: the cheapest for each number of stops moved, and the solution."""
    return points_of(open_day, [*(point.routes for point in solution.frontier), solution.routes])


def points_of(open_day: OpenDay, offered: Iterable[Mapping[str, Sequence[str]]]) -> tuple[Point, ...]:
    """Of several plans of a day the best for each number of stops moved, that number ascending."""
    best: dict[int, Point] = {}
    for routes in offered:
        point = _point(open_day, routes, evaluate(open_day.problem, routes))
        known = best.get(point.moved)
        if known is None or _worth(point) < _worth(known):
            best[point.moved] = point
    return tuple(best[moved] for moved in sorted(best))


def _worth(point: Point) -> tuple[int, int, float]:
    return (point.violations, point.unserved, point.money)


def _point(open_day: OpenDay, routes: Mapping[str, Sequence[str]], plan: Evaluation) -> Point:
    return Point(
        moved=len(plan.changes.moved),
        money=open_day.money(plan),
        promises_broken=len(plan.broken_promises),
        late_minutes=plan.late_minutes,
        unserved=len(plan.unserved),
        violations=len(plan.violations),
        routes={vehicle_id: tuple(row) for vehicle_id, row in routes.items()},
    )


def _deliveries(open_day: OpenDay, comparison: Comparison) -> pd.DataFrame:
    before, after = _by_stop(comparison.before), _by_stop(comparison.after)
    rows = open_day.stops[["delivery_id", "stop_id", "recipient", "lon", "lat", "window_from", "window_due"]].copy()
    for name, planned in (("before", before), ("after", after)):
        rows[f"vehicle_{name}"] = [planned.get(stop_id, (None, None))[0] for stop_id in rows.stop_id]
        rows[f"eta_{name}"] = pd.to_datetime(
            [planned.get(stop_id, (None, None))[1] for stop_id in rows.stop_id], unit="s", utc=True
        )
    broken_before, broken_after = set(comparison.before.broken_promises), set(comparison.after.broken_promises)
    rows["kept_before"] = ~rows.stop_id.isin(broken_before)
    rows["kept_after"] = ~rows.stop_id.isin(broken_after)
    return rows


def _by_stop(evaluation: Evaluation) -> dict[str, tuple[str, float]]:
    return {stop_id: (stop.vehicle_id, stop.service_starts_at) for stop_id, stop in evaluation.stops.items()}
