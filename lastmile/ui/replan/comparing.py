"""The plan in force and the proposed one on one map."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from lastmile.replanning import Proposal
from lastmile.routing import Evaluation, Problem
from lastmile.ui import format
from lastmile.ui.desk import Desk
from lastmile.ui.maps import comparison_map
from lastmile.ui.replan import tables


def show(desk: Desk, proposal: Proposal) -> None:
    """The map, and what its lines mean."""
    problem, change = proposal.open_day.problem, proposal.comparison
    shown = tables.changes(proposal).dropna(subset=["lon", "lat"])
    changes = pd.DataFrame(
        {
            "delivery_id": shown.delivery_id,
            "label": shown.recipient.fillna(shown.delivery_id),
            "lon": shown.lon,
            "lat": shown.lat,
            "served": shown.vehicle_after.notna(),
            "kept": shown.kept_after,
            "detail": [f"{_vehicle(row.vehicle_before)} → {_vehicle(row.vehicle_after)}" for row in shown.itertuples()],
        }
    )
    comparison_map(
        _paths(problem, change.before),
        _paths(problem, change.after),
        changes,
        key="comparison",
        dark=desk.view.dark,
        focus=proposal.open_day.parent_plan_id,
    )
    st.caption(
        "Dashed grey: the plan in force. Drawn through: the proposal. Marked: stops whose vehicle or promise changes."
    )


def _vehicle(vehicle_id: object) -> str:
    return vehicle_id if isinstance(vehicle_id, str) else "not served"


def _paths(problem: Problem, plan: Evaluation) -> pd.DataFrame:
    stops = {stop.stop_id: [stop.lon, stop.lat] for stop in problem.stops}
    ends = {one.vehicle_id: ([one.lon, one.lat], [one.end_lon, one.end_lat]) for one in problem.vehicles}
    rows = []
    for route in plan.routes:
        if route.stops:
            start, end = ends[route.vehicle_id]
            path = [start, *(stops[stop.stop_id] for stop in route.stops), *([end] if end[0] is not None else [])]
            detail = f"{len(route.stops)} stops · {format.km(route.distance_km)}"
            rows.append({"route_id": route.vehicle_id, "label": route.vehicle_id, "path": path, "detail": detail})
    return pd.DataFrame(rows, columns=["route_id", "label", "path", "detail"])
