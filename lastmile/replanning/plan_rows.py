"""A plan of what remains of a day as rows of the ledger: what is executed stays as planned before, what is open follows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from lastmile import queries
from lastmile.replanning.asked import Act
from lastmile.replanning.problem import OpenDay
from lastmile.routing import Comparison, Cost, Evaluation, PlannedRoute, Reason, Solution
from lastmile.store import Store

STOP_COLUMNS = [
    "plan_id", "route_id", "stop", "delivery_id", "arrive_at", "service_at", "depart_at", "distance_km", "drive_minutes",
]  # fmt: skip


def plan_rows(
    store: Store,
    plan_id: str,
    open_day: OpenDay,
    solution: Solution,
    comparison: Comparison,
    reasons: Mapping[str, Reason],
    chosen: str,
    made_by: str,
) -> dict[str, pd.DataFrame]:
    """The tables plan, route and planned_stop of the next version."""
    parent_routes, parent_stops = _parent(store, open_day.parent_plan_id)
    done = parent_stops[parent_stops.delivery_id.isin(open_day.done.delivery_id)].assign(plan_id=plan_id)
    parent_routes = _with_standby(parent_routes, open_day)
    ids = dict(zip(parent_routes.vehicle_id, parent_routes.route_id, strict=True))
    ends = done.groupby("route_id").stop.max().to_dict()
    driven = [route for route in comparison.after.routes if route.stops or ids.get(route.vehicle_id) in ends]
    return {
        "plan": pd.DataFrame([_plan_row(plan_id, open_day, solution, comparison, reasons, chosen, made_by)]),
        "route": _routes(plan_id, parent_routes, driven, done, open_day),
        "planned_stop": pd.concat([done, _stops(plan_id, open_day, driven, ids, ends)], ignore_index=True),
    }


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
    standby = standby.assign(
        plan_id=open_day.parent_plan_id, depot_id=open_day.depot_id, day=pd.Timestamp(open_day.day)
    )
    return pd.concat([parent, standby], ignore_index=True) if len(standby) else parent


def _plan_row(
    plan_id: str,
    open_day: OpenDay,
    solution: Solution,
    comparison: Comparison,
    reasons: Mapping[str, Reason],
    chosen: str,
    made_by: str,
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
        "cost": round(open_day.money(comparison.after), 2),
        "currency": comparison.currency,
        "distance_km": round(comparison.distance_km.after, 2),
        "late_minutes": round(comparison.late_minutes.after, 1),
        "promises_broken": int(comparison.promises_broken.after),
        "unserved": _unserved(open_day, reasons),
        "summary": {
            "cost_before": round(open_day.money(comparison.before), 2),
            "distance_km_before": round(comparison.distance_km.before, 2),
            "late_minutes_before": round(comparison.late_minutes.before, 1),
            "promises_broken_before": int(comparison.promises_broken.before),
            "cost_parts_before": cost_parts(open_day, comparison.before),
            "cost_parts": cost_parts(open_day, comparison.after),
            "stops_moved": len(comparison.moved),
            "iterations": solution.iterations,
            "asked": open_day.asked.record(),
            "chosen": chosen,
            "travel": open_day.problem.matrix.source,
            "vehicles": [vehicle.vehicle_id for vehicle in open_day.problem.vehicles],
            "covered": _covered(open_day, comparison.after),
        },
    }


def cost_parts(open_day: OpenDay, plan: Evaluation) -> dict[str, float]:
    """The money of a plan by part; `not_served` at what failing a stop costs. What only steers the search is left out."""
    parts = {name: getattr(plan.cost, name) for name in vars(Cost()) if name not in ("changes", "uneven")}
    parts["not_served"] = sum(open_day.price_of_failing[stop_id] for stop_id in plan.unserved)
    return {name: round(value, 2) for name, value in parts.items()}


def _unserved(open_day: OpenDay, reasons: Mapping[str, Reason]) -> list[dict[str, str]]:
    left_out = open_day.asked.of_deliveries(Act.NOT_TODAY)
    by_hand = [{"delivery_id": id, "why": left_out[id].words} for id in open_day.left_out.delivery_id]
    return [{"stop_id": stop_id, "why": reason.words} for stop_id, reason in reasons.items()] + by_hand


def _covered(open_day: OpenDay, plan: Evaluation) -> list[dict[str, Any]]:
    """What the prediction is about, one entry a stop: the deliveries, its promise, and the prices it was judged by.

    Kept with the plan so that what came true can be priced by the same terms when prices have changed.
    """
    return [
        {
            "stop_id": stop.stop_id,
            "deliveries": list(stop.delivery_ids),
            "until": stop.last_closes,
            "late_price": stop.price_per_late_minute,
            "failing": round(open_day.price_of_failing[stop.stop_id], 2),
            "need_by": stop.need_by,
            "crew_price": stop.crew_price_per_minute,
            "late_minutes": round(plan.stops[stop.stop_id].late_minutes, 2) if stop.stop_id in plan.stops else None,
        }
        for stop in open_day.problem.stops
    ]


def _routes(
    plan_id: str, parent: pd.DataFrame, driven: list[PlannedRoute], done: pd.DataFrame, open_day: OpenDay
) -> pd.DataFrame:
    """One row per vehicle that drives or has driven. Way and driving time are those of the whole route, to be laid beside what
    it drives: the legs to its finished stops as they were planned, and what remains. The cost is that of what remains."""
    planned = {route.vehicle_id: route for route in driven}
    behind = done.groupby("route_id")[["distance_km", "drive_minutes"]].sum()
    on_road = {vehicle.vehicle_id for vehicle in open_day.problem.vehicles if vehicle.in_use}
    rows = []
    for row in parent.to_dict("records"):
        route = planned.get(row["vehicle_id"])
        way = behind.loc[row["route_id"]] if row["route_id"] in behind.index else None
        if route is None and way is None:
            continue
        row["plan_id"] = plan_id
        if route is not None:
            row |= {
                "departs_at": row["departs_at"] if row["vehicle_id"] in on_road else _instant(route.departs_at),
                "returns_at": _instant(route.returns_at),
                "distance_km": route.distance_km + (0.0 if way is None else way.distance_km),
                "drive_minutes": route.drive_seconds / 60 + (0.0 if way is None else way.drive_minutes),
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
    return pd.DataFrame(rows, columns=STOP_COLUMNS)


def _instant(epoch: float) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)
