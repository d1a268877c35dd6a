"""From a solution to a proposal: the next version of the plan as rows, and what it changes, in words and figures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from lastmile import queries
from lastmile.replanning.problem import OpenDay
from lastmile.routing import Comparison, Evaluation, PlannedRoute, Solution, compare
from lastmile.store import Store


@dataclass(frozen=True)
class Proposal:
    """A plan version that is not decided yet: its rows by table, and the comparison with the plan in force."""

    plan_id: str
    open_day: OpenDay
    solution: Solution
    comparison: Comparison
    tables: dict[str, pd.DataFrame]

    @property
    def deliveries(self) -> pd.DataFrame:
        """One row per open delivery: stop_id, the vehicle before and after (None: not served), place, ETA before and after."""
        return _deliveries(self.open_day, self.comparison)


def proposal_of(store: Store, open_day: OpenDay, solution: Solution, made_by: str) -> Proposal:
    """The next version of the plan: what is executed stays as planned before, what is open follows the solution."""
    plan_id = f"{open_day.depot_id} {open_day.day:%Y-%m-%d} v{open_day.version} {open_day.at:%H%M%S}"
    comparison = compare(open_day.problem, open_day.problem.plan_in_force(), solution.routes)
    parent_routes, parent_stops = _parent(store, open_day.parent_plan_id)
    done = parent_stops[parent_stops.delivery_id.isin(open_day.done.delivery_id)].assign(plan_id=plan_id)
    parent_routes = _with_standby(parent_routes, open_day)
    ids = dict(zip(parent_routes.vehicle_id, parent_routes.route_id, strict=True))
    ends = done.groupby("route_id").stop.max().to_dict()
    driven = [route for route in comparison.after.routes if route.stops or ids.get(route.vehicle_id) in ends]
    tables = {
        "plan": pd.DataFrame([_plan_row(plan_id, open_day, solution, comparison, made_by)]),
        "route": _routes(plan_id, parent_routes, driven, set(ends), open_day),
        "planned_stop": pd.concat([done, _stops(plan_id, open_day, driven, ids, ends)], ignore_index=True),
    }
    return Proposal(plan_id, open_day, solution, comparison, tables)


def _parent(store: Store, plan_id: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    drop = ["import_id"]
    return (
        store.ask("from route where plan_id = $plan_id", plan_id=plan_id).drop(columns=drop),
        queries.planned_stop_rows(store, plan_id).drop(columns=drop),
    )


def _with_standby(parent: pd.DataFrame, open_day: OpenDay) -> pd.DataFrame:
    """The routes of the parent plan, and one to fill for each vehicle that stands by."""
    fleet = open_day.fleet
    standby = fleet[~fleet.vehicle_id.isin(parent.vehicle_id)].reindex(columns=parent.columns)
    standby = standby.assign(plan_id=open_day.parent_plan_id, depot_id=open_day.depot_id, day=open_day.day)
    return pd.concat([parent, standby], ignore_index=True) if len(standby) else parent


def _plan_row(
    plan_id: str, open_day: OpenDay, solution: Solution, comparison: Comparison, made_by: str
) -> dict[str, Any]:
    return {
        "plan_id": plan_id,
        "recorded_at": open_day.at,
        "depot_id": open_day.depot_id,
        "day": open_day.day,
        "version": open_day.version,
        "parent_plan_id": open_day.parent_plan_id,
        "made_by": made_by,
        "engine": solution.engine,
        "cost": round(comparison.cost.after, 2),
        "currency": comparison.currency,
        "distance_km": round(comparison.distance_km.after, 2),
        "late_minutes": round(comparison.late_minutes.after, 1),
        "promises_broken": int(comparison.promises_broken.after),
        "unserved": [{"stop_id": stop_id, "why": reason.words} for stop_id, reason in solution.reasons.items()],
        "summary": {
            "cost_before": round(comparison.cost.before, 2),
            "distance_km_before": round(comparison.distance_km.before, 2),
            "late_minutes_before": round(comparison.late_minutes.before, 1),
            "promises_broken_before": int(comparison.promises_broken.before),
            "stops_moved": len(comparison.moved),
            "travel": open_day.problem.matrix.source,
            "search_seconds": round(solution.elapsed_seconds, 2),
            "iterations": solution.iterations,
        },
    }


def _routes(
    plan_id: str, parent: pd.DataFrame, driven: list[PlannedRoute], with_done: set[str], open_day: OpenDay
) -> pd.DataFrame:
    """One row per vehicle that drives or has driven; figures are those of what remains."""
    planned = {route.vehicle_id: route for route in driven}
    on_road = {vehicle.vehicle_id for vehicle in open_day.problem.vehicles if vehicle.in_use}
    rows = []
    for row in parent.to_dict("records"):
        route = planned.get(row["vehicle_id"])
        if route is None and row["route_id"] not in with_done:
            continue
        row["plan_id"] = plan_id
        if route is not None:
            row |= {
                "departs_at": row["departs_at"] if row["vehicle_id"] in on_road else _instant(route.departs_at),
                "returns_at": _instant(route.returns_at),
                "distance_km": route.distance_km,
                "drive_minutes": route.drive_seconds / 60,
                "cost": route.cost.total,
            }
        rows.append(row)
    return pd.DataFrame(rows)


def _stops(
    plan_id: str, open_day: OpenDay, driven: list[PlannedRoute], ids: dict[str, str], ends: dict[str, int]
) -> pd.DataFrame:
    members = {stop.stop_id: stop.delivery_ids for stop in open_day.problem.stops}
    rows = []
    for route in driven:
        route_id = ids[route.vehicle_id]
        for place, stop in enumerate(route.stops, start=int(ends.get(route_id, 0)) + 1):
            for nth, delivery_id in enumerate(members[stop.stop_id]):
                rows.append(
                    {
                        "plan_id": plan_id,
                        "route_id": route_id,
                        "stop": place,
                        "delivery_id": delivery_id,
                        "arrive_at": _instant(stop.arrives_at),
                        "service_at": _instant(stop.service_starts_at),
                        "depart_at": _instant(stop.departs_at),
                        "distance_km": stop.distance_km if nth == 0 else 0.0,
                        "drive_minutes": stop.drive_seconds / 60 if nth == 0 else 0.0,
                    }
                )
    columns = [
        "plan_id",
        "route_id",
        "stop",
        "delivery_id",
        "arrive_at",
        "service_at",
        "depart_at",
        "distance_km",
        "drive_minutes",
    ]
    return pd.DataFrame(rows, columns=columns)


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


def _instant(epoch: float) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)
