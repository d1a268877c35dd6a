"""The panels of the Live page: figures, map, queue, and what is chosen. Frames in, pictures out."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from lastmile import attention, queries
from lastmile.predictions import AT_RISK_CHANCE
from lastmile.ui import day_map, demo_controls, expected, figures, format, palette, shell
from lastmile.ui.desk import Desk
from lastmile.ui.maps import Chosen
from lastmile.ui.tables import Column
from lastmile.ui.tiles import Tile, kpi_row

KPI_KEYS = ("on_time_rate", "first_attempt_success", "cost_per_drop")
MAP_HEIGHT, QUEUE_HEIGHT, ROW_HEIGHT = 510, 285, 31

QUEUE = {
    "status": Column(
        "Status", "status", "Late: past its promise, or sure to be. At risk: likely enough to break it", 86
    ),
    "vehicle_id": Column("Vehicle", "id", width=78),
    "recipient": Column("Recipient", width=126),
    "cause": Column("Cause", width=122),
    "minutes_over": Column(
        "Over", "minutes", "Minutes past the promise, as expected now; negative: still before it", 72
    ),
    "chance_late": Column(
        "Chance", "percent", "Chance that the promise is broken; empty where no arrival is predicted", 62
    ),
    "window_due": Column("Due", "time", "End of the window that was promised last", 58),
}


DEPOTS = {
    "depot": Column("Depot", width=140),
    "vehicles_out": Column("Vans out", "count", "On the road now", 70),
    "planned": Column("Planned", "count", "Deliveries on its plan, or booked for the day", 70),
    "done_share": Column("Done", "percent", "Tried, of those planned", 70),
    "late": Column("Late", "count", "Open and past their promise", 60),
    "at_risk": Column("At risk", "count", "Open and likely enough to break their promise", 70),
    "behind": Column("Behind plan", "minutes", "Median of its vans on the road", 90),
}


def show_figures(desk: Desk) -> None:
    """The clock and the tiles at the desk's instant."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="clock row"):
        shell.badge(desk.clock(), desk.view.as_of, desk.zone)
        demo = demo_controls.place(desk)
    stops = expected.stops(desk)
    kpi_row(_tiles(desk, stops), key="live figures")
    if demo is not None:
        vehicles = expected.vehicles(desk)
        out = vehicles[vehicles.departed_at.notna() & vehicles.returned_at.isna() & vehicles.broke_down_at.isna()]
        with demo:
            demo_controls.show(desk, out.vehicle_id.tolist())


def show_day(desk: Desk) -> None:
    """Map, queue and what is chosen at the desk's instant."""
    vehicles, stops = expected.vehicles(desk), expected.stops(desk)
    left, right = st.columns([54, 46], gap="small")
    with left, st.container(border=True, key="map card"):
        day_map.show(desk, vehicles, stops, chosen(), choose, MAP_HEIGHT)
    with right, st.container(border=True, height="stretch", key="queue card"):
        _queue(desk, stops)
        _detail(desk, vehicles, stops)
        _depots(desk, vehicles, stops)


def chosen() -> Chosen | None:
    """What the address says is chosen."""
    kind, _, id = st.query_params.get("chosen", "").partition("~")
    return Chosen(kind, id) if id else None


def choose(found: Chosen | None) -> None:
    """Keep the choice in the address."""
    if found is None:
        st.query_params.pop("chosen", None)
    else:
        st.query_params["chosen"] = f"{found.kind}~{found.id}"


def _tiles(desk: Desk, stops: pd.DataFrame) -> list[Tile]:
    on_time, first_attempt, cost = figures.day_tiles(desk, KPI_KEYS)
    counts = attention.counts(stops)
    return [on_time, _handed_over(stops, counts), _at_risk(counts), first_attempt, cost]


def _handed_over(stops: pd.DataFrame, counts: dict[str, int]) -> Tile:
    done = stops.outcome_at[stops.done].dropna().sort_values() if len(stops) else pd.Series(dtype="datetime64[us, UTC]")
    line = done.dt.floor("30min").value_counts().sort_index().cumsum().tolist() if len(done) else None
    return Tile(
        label="Handed over",
        value=format.number(counts["handed_over"]),
        help="Deliveries handed over, of those on the day's plans or booked for the day. The line adds them up over the day.",
        n=counts["planned"],
        n_of="planned",
        change=f"{format.number(counts['open'])} open",
        base=f"{format.percent(counts['done'] / counts['planned'], 0)} done" if counts["planned"] else None,
        line=line,
    )


def _at_risk(counts: dict[str, int]) -> Tile:
    return Tile(
        label="Late or at risk",
        value=format.number(counts["late"] + counts["at_risk"]),
        help="Open deliveries past their promise or sure to break it (late), or with a chance of "
        f"{format.percent(AT_RISK_CHANCE, 0)} or more to break it (at risk). Where no arrival can be predicted, by the plan in "
        "force and the present delay of each route: expected past the promise or within five minutes of it.",
        n=counts["open"],
        n_of="open",
        change=f"{counts['late']} late",
        base=f"{counts['at_risk']} at risk",
        direction="bad" if counts["late"] else "neutral",
    )


def _queue(desk: Desk, stops: pd.DataFrame) -> None:
    queue = attention.needs_attention(stops)
    counts = attention.counts(stops)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.markdown("**Needs attention**", width="content")
        st.markdown(palette.badge("late", f"{counts['late']} late"), width="content")
        st.markdown(palette.badge("at risk", f"{counts['at_risk']} at risk"), width="content")
        if counts["passed"]:
            told = "Their van has finished a later stop: the scan is missing or late, or the stop was left out."
            st.markdown(
                palette.badge("unknown", f"{counts['passed']} passed without a scan"), width="content", help=told
            )
    picked = chosen()
    desk.table(
        queue,
        key="queue",
        alt="Open deliveries that are late or at risk",
        columns=QUEUE,
        id_column="delivery_id",
        choose=lambda id: choose(Chosen("delivery", id) if id else None),
        chosen=picked.id if picked and picked.kind == "delivery" else None,
        height=min(QUEUE_HEIGHT, ROW_HEIGHT * (len(queue) + 1) + 3),
        empty=_all_well(stops),
    )


def _depots(desk: Desk, vehicles: pd.DataFrame, stops: pd.DataFrame) -> None:
    """How each depot stands, where there is more than one in scope."""
    if stops.depot_id.nunique() < 2:
        return
    names = desk.ask(queries.depots).set_index("depot_id").name
    desk.table(
        attention.by_depot(stops, vehicles).assign(depot=lambda rows: rows.depot_id.map(names).fillna(rows.depot_id)),
        key="depots now",
        alt="How each depot stands",
        columns=DEPOTS,
        height="content",
    )


def _all_well(stops: pd.DataFrame) -> str:
    if stops.empty:
        return "Nothing is planned for this day and scope."
    return "Nothing is late or at risk." if (~stops.done).any() else "The day is done: nothing is open."


def _detail(desk: Desk, vehicles: pd.DataFrame, stops: pd.DataFrame) -> None:
    picked = chosen()
    if picked is None:
        st.caption(":material/touch_app: Nothing chosen. Click a vehicle or stop on the map, or a row above.")
    elif picked.kind == "vehicle":
        _vehicle(desk, vehicles[vehicles.vehicle_id == picked.id], picked.id)
    elif picked.kind == "delivery":
        _delivery(desk, stops[stops.delivery_id == picked.id], picked.id)
    else:
        _depot(vehicles[vehicles.depot_id == picked.id], picked.id)


def _vehicle(desk: Desk, found: pd.DataFrame, id: str) -> None:
    if found.empty:
        st.caption(f"{id} has no route in this scope.")
        return
    vehicle = next(found.itertuples())
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.markdown(f"**{vehicle.vehicle if format.known(vehicle.vehicle) else id}**", width="content")
        st.markdown(palette.badge(vehicle.status), width="content")
    told = [day_map.vehicle_detail(vehicle, desk.zone)]
    if format.known(vehicle.next_recipient):
        told.append(f"next stop **{vehicle.next_recipient}**, due {format.clock(vehicle.next_due_at, desk.zone)}")
    told.append(f"last signal {_ago(vehicle.signal_age_minutes)}")
    st.markdown(" · ".join(told))
    with st.container(horizontal=True):
        st.page_link(
            shell.PAGES / "routes.py",
            label="Open its route",
            icon=":material/route:",
            query_params=desk.view.link(vehicle=id),
        )
        _to_routes(vehicle.depot_id, "Re-optimize its depot", ":material/auto_fix_high:")


def _delivery(desk: Desk, found: pd.DataFrame, id: str) -> None:
    if found.empty:
        st.caption(f"{id} is not on this day's plan in this scope.")
    else:
        stop = next(found.itertuples())
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            st.markdown(f"**{stop.recipient if format.known(stop.recipient) else id}**", width="content")
            st.markdown(palette.badge(stop.status), width="content")
        told = [str(stop.address)] if format.known(stop.address) else []
        told.append(f"promised {format.span(stop.window_from, stop.window_due, desk.zone)}")
        told.append(f"done {format.clock(stop.outcome_at, desk.zone)}" if stop.done else _arrival(stop, desk.zone))
        if stop.revised:
            told.append(f"a revised promise, after {format.count(stop.attempts, 'attempt')}")
        if not stop.done and stop.status in ("late", "at risk"):
            told.append(attention.cause(stop))
            told.append(
                f"{format.money(stop.penalty, stop.currency or 'EUR', 0)} at stake"
                if format.known(stop.penalty)
                else "stake unknown"
            )
        st.markdown(" · ".join(told))
    st.page_link(
        shell.PAGES / "deliveries.py",
        label="Read its whole story",
        icon=":material/history_edu:",
        query_params=desk.view.link(delivery=id),
    )


def _arrival(stop: Any, zone: str) -> str:
    """When an open stop is expected, how sure that is, and how likely its promise is broken."""
    if not format.known(stop.eta_from):
        return f"ETA {format.clock(stop.eta_at, zone)} by the plan and the present delay"
    told = f"ETA {format.clock(stop.eta_at, zone)}, 80 % between {format.span(stop.eta_from, stop.eta_until, zone)}"
    broken = (
        f", {format.percent(stop.chance_late, 0)} chance to break the promise" if format.known(stop.chance_late) else ""
    )
    return told + broken


def _depot(vehicles: pd.DataFrame, id: str) -> None:
    counts = vehicles.status.value_counts()
    st.markdown(f"**{id}** · " + " · ".join(f"{palette.look(status).label} {n}" for status, n in counts.items()))
    _to_routes(id, "Open its routes", ":material/route:")


def _to_routes(depot_id: str, label: str, icon: str) -> None:
    """A way to the Routes page with the scope narrowed to one depot."""
    st.button(label, icon=icon, type="tertiary", key=f"to {depot_id}", on_click=_narrow, args=(depot_id,))


def _narrow(depot_id: str) -> None:
    shell.narrow(depots=[depot_id])
    st.session_state["go to"] = shell.PAGES / "routes.py"


def _ago(minutes: Any) -> str:
    return f"{format.minutes(minutes)} ago" if format.known(minutes) else format.UNKNOWN
