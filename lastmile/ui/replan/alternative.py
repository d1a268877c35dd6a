"""A manager's own alternative: a stop, a vehicle, a place; what it costs and breaks, and a button to adopt it."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from lastmile.replanning import Proposal
from lastmile.replanning.alternative import Tried, adopted, free_places, tried
from lastmile.ui import format
from lastmile.ui.desk import Desk
from lastmile.ui.replan import choosing
from lastmile.ui.replan.wording import named

NOT_SERVED = "(not served today)"
CHEAPEST = 0


def show(desk: Desk, recorded: Proposal, proposal: Proposal) -> None:
    """Three choices, and the evaluator's answer at once."""
    start = proposal.open_day
    planned = proposal.comparison.after.stops
    committed = start.problem.committed_to
    free = {
        stop.stop_id: _told(proposal, stop.stop_id) for stop in start.problem.stops if stop.stop_id not in committed
    }
    st.caption("What would your own idea cost? The same evaluator that judges every plan answers; nothing is changed.")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        stop_id = st.selectbox(
            "Stop",
            sorted(free, key=free.get),
            index=None,
            format_func=lambda id: free.get(id, id),
            placeholder="Search for a stop",
            key="own stop",
            width=380,
        )
        vehicles = [NOT_SERVED, *(vehicle.vehicle_id for vehicle in start.problem.vehicles)]
        vehicle = st.selectbox("On", vehicles, index=None, placeholder="Choose a vehicle", key="own vehicle", width=200)
        place = CHEAPEST
        if stop_id and vehicle and vehicle != NOT_SERVED:
            place = st.selectbox(
                "Place",
                range(free_places(proposal, stop_id, vehicle) + 1),
                format_func=lambda at: "where it costs least" if at == CHEAPEST else f"{at}.",
                key="own place",
                help="Counted from the first stop that is not being driven to or kept by the freeze time",
                width=190,
            )
    if not (stop_id and vehicle):
        return
    one = tried(proposal, stop_id, None if vehicle == NOT_SERVED else vehicle, place or None)
    if (
        one.vehicle_id == (planned[stop_id].vehicle_id if stop_id in planned else None)
        and not place
        and not _changes(one)
    ):
        st.caption("That is what the proposal does already.")
        return
    _answer(desk, recorded, proposal, one)


def _told(proposal: Proposal, stop_id: str) -> str:
    planned = proposal.comparison.after.stops.get(stop_id)
    return f"{proposal.open_day.labels[stop_id]} · {planned.vehicle_id if planned else 'not served'}"


def _changes(one: Tried) -> bool:
    return abs(one.money.difference) > 0.005 or bool(one.comparison.moved or one.comparison.reordered)


def _answer(desk: Desk, recorded: Proposal, proposal: Proposal, one: Tried) -> None:
    change, currency = one.comparison, one.comparison.currency
    difference = one.money.difference
    verdict = "costs" if difference > 0 else "saves"
    planned = change.after.stops.get(one.stop_id)
    at = f" at {_clock(desk, planned.service_starts_at)}" if planned else ""
    label = proposal.open_day.labels[one.stop_id]
    where = f"on **{one.vehicle_id}**{at}" if one.vehicle_id else "**not served today**"
    parts = [
        f"{format.signed(change.distance_km.difference, 1)} km",
        f"{format.signed(change.late_minutes.difference)} late minutes",
        f"{format.signed(change.promises_broken.difference)} promises broken",
    ]
    st.markdown(
        f"{label} {where} {verdict} **{format.money(abs(difference), currency)}** against the proposal: {', '.join(parts)}."
    )
    for words in change.breaks:
        st.markdown(f":orange-badge[◆ breaks] {named(proposal.open_day, words)}")
    st.button(
        "Adopt into the proposal",
        icon=":material/move_down:",
        key="adopt own",
        on_click=lambda: choosing.choose_instead(recorded, adopted(desk.store, proposal, one, desk.view.actor)),
    )


def _clock(desk: Desk, epoch: float) -> str:
    return format.clock(datetime.fromtimestamp(epoch, UTC), desk.zone)
