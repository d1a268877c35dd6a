"""The routes of a day: how each runs against its plan, its stops on a timeline, and the versions of the plan."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from lastmile import queries
from lastmile.ui import charts, format
from lastmile.ui.desk import Desk
from lastmile.ui.tables import Column

MOST_ROUTES_AT_ONCE = 24

ROUTES = {
    "status": Column(
        "Status", "status", "The worst of its open stops; unknown where the van has been silent for 20 minutes", 96
    ),
    "name": Column("Vehicle", width=110),
    "carrier_id": Column("Carrier"),
    "done": Column("Done", help="Deliveries tried, of those planned"),
    "delay_minutes": Column(
        "Behind plan", "minutes", "At its last finished stop, else at its departure; negative: ahead"
    ),
    "departs_at": Column("Departs", "time", "Planned"),
    "departed_at": Column("Departed", "time", "Actual"),
    "returns_at": Column("Returns", "time", "Planned"),
    "returned_at": Column("Returned", "time", "Actual"),
    "planned_km": Column("Planned", "km"),
    "driven_km": Column("Driven", "km", "By telematics at the return; empty while on the road"),
    "load_share": Column("Load", "percent", "Weight at departure ÷ capacity"),
    "signal_age_minutes": Column("Last signal", "minutes", "Minutes since the vehicle was heard of"),
}
STOPS = {
    "stop": Column("Stop", "count", width=60),
    "status": Column("Status", "status", width=96),
    "recipient": Column("Recipient", width="medium"),
    "address": Column("Address", width="medium"),
    "window_from": Column("From", "time"),
    "window_due": Column("Due", "time"),
    "service_at": Column("Planned", "time", "Start of service by the plan in force"),
    "eta_at": Column("ETA", "time"),
    "outcome_at": Column("Done", "time"),
    "state": Column("State", "words"),
    "reason": Column("Reason", "words"),
}
VERSIONS = {
    "version": Column("Version", "count"),
    "depot_id": Column("Depot"),
    "decision": Column("Decision"),
    "recorded_at": Column("Made", "instant"),
    "made_by": Column("By"),
    "decided_by": Column("Decided by"),
    "why": Column("Why", width="medium"),
    "cost": Column("Cost", "money", "Of what was still open when the version was made"),
    "distance_km": Column("Distance", "km"),
    "promises_broken": Column("Promises broken", "count"),
    "engine": Column("Engine"),
}


def show(desk: Desk, vehicles: pd.DataFrame, stops: pd.DataFrame) -> None:
    """The table of routes; the timeline of all, or of the one that is chosen with its stops."""
    chosen = st.query_params.get("vehicle")
    desk.table(
        _routes(desk),
        key="routes",
        alt="Routes of the day",
        columns=ROUTES,
        id_column="vehicle_id",
        choose=choose,
        chosen=chosen,
        height=300,
        empty="No routes are on record for this day and scope. Import routes, or choose another day.",
        download="routes.csv",
    )
    if vehicles.empty:
        return
    if chosen in set(vehicles.vehicle_id):
        _one(desk, stops[stops.vehicle_id == chosen], chosen)
    else:
        _timeline(desk, stops, vehicles)


def choose(vehicle_id: str | None) -> None:
    """Keep the choice in the address."""
    if vehicle_id is None:
        st.query_params.pop("vehicle", None)
    else:
        st.query_params["vehicle"] = vehicle_id


def versions(desk: Desk) -> None:
    """All versions of the day's plans, with who decided and why."""
    desk.table(
        desk.ask(queries.plans, desk.day, desk.view.scope, desk.view.as_of),
        key="versions",
        alt="Versions of the plans of the day",
        columns=VERSIONS,
        height="content",
        empty="No plan is on record for this day.",
    )


def _routes(desk: Desk) -> pd.DataFrame:
    rows = desk.ask(queries.route_figures, desk.at, desk.day, desk.view.scope, desk.view.as_of)
    rows["name"] = rows.vehicle.fillna(rows.vehicle_id)
    rows["done"] = [f"{row.deliveries_done} of {row.deliveries}" for row in rows.itertuples()]
    return rows


def _one(desk: Desk, stops: pd.DataFrame, vehicle_id: str) -> None:
    st.markdown(f"**{vehicle_id}**: {format.count(len(stops), 'delivery', 'deliveries')}, {int(stops.done.sum())} done")
    _timeline_of(desk, stops)
    desk.table(
        stops,
        key="route stops",
        alt=f"Stops of {vehicle_id}",
        columns=STOPS,
        id_column="delivery_id",
        choose=_open_story,
        height=320,
        download=f"{vehicle_id}-stops.csv",
    )


def _open_story(delivery_id: str | None) -> None:
    if delivery_id is not None:
        st.session_state["open story"] = delivery_id


def _timeline(desk: Desk, stops: pd.DataFrame, vehicles: pd.DataFrame) -> None:
    shown = vehicles.sort_values(["open_late", "open_at_risk", "delay_minutes"], ascending=False).head(
        MOST_ROUTES_AT_ONCE
    )
    if len(shown) < len(vehicles):
        st.caption(
            f"The {MOST_ROUTES_AT_ONCE} of {len(vehicles)} routes with most at risk. Choose a depot or a row to see others."
        )
    order = {vehicle: place for place, vehicle in enumerate(shown.vehicle_id)}
    mine = stops[stops.vehicle_id.isin(order) & stops.plan_id.notna()]
    _timeline_of(desk, mine.sort_values("vehicle_id", key=lambda ids: ids.map(order)))


def _timeline_of(desk: Desk, stops: pd.DataFrame) -> None:
    """One bar a stop: the plan pale, what happened on it in the colour of its status."""
    rows = (
        stops[stops.state != "cancelled"]
        .dropna(subset=["service_at", "depart_at"])
        .drop_duplicates(["route_id", "stop"])
    )
    if rows.empty:
        return
    begun = rows.outcome_at - (rows.depart_at - rows.service_at)
    frame = pd.DataFrame(
        {
            "route": rows.vehicle_id,
            "planned_from": rows.service_at,
            "planned_to": rows.depart_at,
            "actual_from": begun.where(rows.done),
            "actual_to": rows.outcome_at.where(rows.done),
            "status": rows.status,
            "label": rows.recipient.fillna(rows.delivery_id),
        }
    )
    charts.timeline(frame, key="timeline", dark=desk.view.dark, zone=desk.zone, now=_now(desk))


def _now(desk: Desk) -> Any:
    return pd.Timestamp(desk.at) if desk.is_today or desk.view.as_of else None
