"""The panels of the Live page: figures, map, queue, and what is chosen. Frames in, pictures out."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from lastmile import attention
from lastmile.predictions import AT_RISK_CHANCE
from lastmile.ui import day_map, demo_controls, expected, figures, format, palette, shell
from lastmile.ui.desk import Desk
from lastmile.ui.exceptions import acting, detail, listing, wording
from lastmile.ui.maps import Chosen
from lastmile.ui.tables import Column
from lastmile.ui.tiles import Tile, kpi_row

KPI_KEYS = ("on_time_rate", "first_attempt_success", "cost_per_drop")
MAP_HEIGHT, MOST_ROWS = 510, 5
MOST_IN_QUEUE = 20
"""Rows of the queue that Live holds, those that cost most first: each tick sends them to each page. Exceptions holds all."""

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
    kpi_row(expected.share(desk, _tiles), key="live figures")
    if demo is not None:
        with demo:
            demo_controls.show(desk, expected.share(desk, _vans_out))


def show_day(desk: Desk) -> None:
    """Map, queue and what is chosen at the desk's instant."""
    vehicles, stops, queue = expected.vehicles(desk), expected.stops(desk), listing.queue(desk)
    picked = chosen()
    about = _exception(desk, queue, picked)
    concern = detail.concern(desk, about) if about is not None else None
    first, second = st.columns(2, gap="small")
    of_map, of_queue = (second, first) if shell.is_phone() else (first, second)
    with of_map, st.container(border=True, key="map card"):
        day_map.show(desk, vehicles, stops, picked, choose, MAP_HEIGHT, concern)
    with of_queue, st.container(border=True, height="stretch", key="queue card"):
        _queue(desk, queue, expected.share(desk, _counts))
        _detail(desk, vehicles, stops, about)
        _to_exception(desk, queue, picked)
        if picked is None:
            _depots(desk)


def chosen() -> Chosen | None:
    """What the address says is chosen."""
    kind, _, id = st.query_params.get("chosen", "").partition("~")
    return Chosen(kind, id) if id else None


def choose(found: Chosen | None) -> None:
    """Keep the choice in the address."""
    acting.forget()
    if found is None:
        st.query_params.pop("chosen", None)
    else:
        st.query_params["chosen"] = f"{found.kind}~{found.id}"


def _counts(desk: Desk) -> dict[str, int]:
    return attention.counts(expected.stops(desk))


def _vans_out(desk: Desk) -> list[str]:
    vehicles = expected.vehicles(desk)
    out = vehicles.departed_at.notna() & vehicles.returned_at.isna() & vehicles.broke_down_at.isna()
    return vehicles.vehicle_id[out].tolist()


def _tiles(desk: Desk) -> list[Tile]:
    on_time, first_attempt, cost = figures.day_tiles(desk, KPI_KEYS)
    stops, counts = expected.stops(desk), expected.share(desk, _counts)
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


def _queue(desk: Desk, queue: pd.DataFrame, counts: dict[str, int]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.markdown("**Needs attention**", width="content")
        for badge in desk.share(_badges):
            st.markdown(badge, width="content")
        _passed(counts["passed"])
    if not counts["planned"] and len(queue):  # what is open is of other days, or of no depot, carrier or service
        st.info(_all_well(counts), icon=":material/inbox:")
    picked = chosen()
    desk.table(
        desk.share(_in_words),
        key="queue",
        alt="Exceptions that need somebody",
        columns=listing.fitting(listing.QUEUE),
        id_column="exception_id",
        choose=lambda id: choose(Chosen("exception", id) if id else None),
        chosen=picked.id if picked and picked.kind == "exception" else None,
        **listing.heights(len(queue), MOST_ROWS),
        empty=_all_well(counts),
    )
    if len(queue) > MOST_IN_QUEUE:
        st.page_link(
            shell.PAGES / "exceptions.py",
            label=f"The dearest {MOST_IN_QUEUE} of {format.number(len(queue))}: see all",
            icon=":material/inbox:",
            query_params=desk.view.link(),
        )


def _badges(desk: Desk) -> list[str]:
    """How many of each severity wait, and how many are overdue, as Markdown."""
    queue = listing.queue(desk)
    by_severity = queue.severity.value_counts().reindex(palette.SEVERITY).dropna()
    overdue = sum(wording.is_overdue(row, desk.at) for row in queue.itertuples())
    return [palette.badge(severity, f"{n:.0f} {severity}") for severity, n in by_severity.items()] + (
        [f":orange-badge[:material/alarm: {overdue} overdue]"] if overdue else []
    )


def _in_words(desk: Desk) -> pd.DataFrame:
    return listing.in_words(listing.queue(desk).head(MOST_IN_QUEUE), desk.at)


def _passed(n: int) -> None:
    if n:
        told = "Their van has finished a later stop: the scan is missing or late, or the stop was left out."
        st.markdown(palette.badge("unknown", f"{n} passed without a scan"), width="content", help=told)


def _to_exception(desk: Desk, queue: pd.DataFrame, picked: Chosen | None) -> None:
    """From a stop or van on the map to the exception that it is part of."""
    if picked is None or picked.kind not in ("delivery", "vehicle"):
        return
    exception_id = listing.about(queue, desk, picked.kind, picked.id)
    if exception_id is not None:
        row = next(queue[queue.exception_id == exception_id].itertuples())
        st.button(
            f"Its exception: {format.as_typed(wording.what(row))}",
            icon=":material/notification_important:",
            type="tertiary",
            key="to exception",
            on_click=choose,
            args=(Chosen("exception", exception_id),),
        )


def _exception(desk: Desk, queue: pd.DataFrame, picked: Chosen | None) -> Any:
    """The row of the chosen exception, in the queue or out of it by now; None where none is chosen."""
    if picked is None or picked.kind != "exception":
        return None
    found = queue[queue.exception_id == picked.id]
    return next(found.itertuples()) if len(found) else listing.one(desk, picked.id)


def _depots(desk: Desk) -> None:
    """How each depot stands, where there is more than one in scope."""
    found = expected.share(desk, _by_depot)
    if len(found) > 1:
        desk.table(found, key="depots now", alt="How each depot stands", columns=DEPOTS, height="content")


def _by_depot(desk: Desk) -> pd.DataFrame:
    names = desk.depots().set_index("depot_id").name
    found = attention.by_depot(expected.stops(desk), expected.vehicles(desk))
    return found.assign(depot=found.depot_id.map(names).fillna(found.depot_id))


def _all_well(counts: dict[str, int]) -> str:
    if not counts["planned"]:
        return "Nothing is planned for this day and scope."
    if not counts["open"]:
        return "The day is done: nothing is open."
    if counts["late"] + counts["at_risk"]:
        return "No exception is open. What the tower notices of the stops that are late or at risk appears here."
    return "Nothing needs you: every open promise is on its way to being kept."


def _detail(desk: Desk, vehicles: pd.DataFrame, stops: pd.DataFrame, about: Any) -> None:
    picked = chosen()
    if picked is None:
        st.caption(":material/touch_app: Nothing chosen. Click a row above, or a vehicle or stop on the map.")
    elif picked.kind == "exception":
        if about is None:
            st.caption("This exception is not on record in this scope.")
        else:
            detail.brief(desk, about, stops)
    elif picked.kind == "vehicle":
        _vehicle(desk, vehicles[vehicles.vehicle_id == picked.id], picked.id)
    elif picked.kind == "delivery":
        _delivery(desk, stops[stops.delivery_id == picked.id], picked.id)
    else:
        _depot(vehicles[vehicles.depot_id == picked.id], picked.id)


def _vehicle(desk: Desk, found: pd.DataFrame, id: str) -> None:
    if found.empty:
        st.caption(f"{format.as_typed(id)} has no route in this scope.")
        return
    vehicle = next(found.itertuples())
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.markdown(f"**{format.as_typed(vehicle.vehicle if format.known(vehicle.vehicle) else id)}**", width="content")
        st.markdown(palette.badge(vehicle.status), width="content")
    told = [day_map.vehicle_detail(vehicle, desk.zone)]
    if format.known(vehicle.next_recipient):
        told.append(
            f"next stop **{format.as_typed(vehicle.next_recipient)}**, due {format.clock(vehicle.next_due_at, desk.zone)}"
        )
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
        st.caption(f"{format.as_typed(id)} is not on this day's plan in this scope.")
    else:
        stop = next(found.itertuples())
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            st.markdown(
                f"**{format.as_typed(stop.recipient if format.known(stop.recipient) else id)}**", width="content"
            )
            st.markdown(palette.badge(stop.status), width="content")
        told = [format.as_typed(stop.address)] if format.known(stop.address) else []
        told.append(f"promised {format.span(stop.window_from, stop.window_due, desk.zone)}")
        told.append(
            f"done {format.clock(stop.outcome_at, desk.zone)}" if stop.done else detail.arrival(stop, desk.zone)
        )
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


def _depot(vehicles: pd.DataFrame, id: str) -> None:
    counts = vehicles.status.value_counts()
    st.markdown(
        f"**{format.as_typed(id)}** · "
        + " · ".join(f"{palette.look(status).label} {n}" for status, n in counts.items())
    )
    _to_routes(id, "Open its routes", ":material/route:")


def _to_routes(depot_id: str, label: str, icon: str) -> None:
    """A way to the Routes page with the scope narrowed to one depot."""
    st.button(label, icon=icon, type="tertiary", key=f"to {depot_id}", on_click=_narrow, args=(depot_id,))


def _narrow(depot_id: str) -> None:
    shell.narrow(depots=[depot_id])
    shell.go_to("routes")


def _ago(minutes: Any) -> str:
    return f"{format.minutes(minutes)} ago" if format.known(minutes) else format.UNKNOWN
