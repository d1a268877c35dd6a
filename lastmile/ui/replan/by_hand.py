"""Decisions by hand before the rest is solved: a vehicle out or in, a stop first, kept, elsewhere or not today."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from lastmile import queries
from lastmile.replanning import ACTS, Act, Asked, ByHand
from lastmile.ui import format
from lastmile.ui.desk import Desk

CHOICES = {
    Act.VEHICLE_OUT: "A vehicle drives no more",
    Act.VEHICLE_IN: "A vehicle is put in",
    Act.GOES_FIRST: "A stop goes first",
    Act.ON_VEHICLE: "A stop goes on another vehicle",
    Act.KEEP_VEHICLE: "A stop keeps its vehicle",
    Act.KEEP_ORDER: "A stop keeps its place in the order",
    Act.KEEP_BOTH: "A stop keeps its vehicle and place",
    Act.NOT_TODAY: "A stop is not served today",
}


def decided(depot_id: str) -> list[ByHand]:
    """What was decided by hand for a depot in this session; it stays while somebody looks at other pages."""
    return st.session_state.setdefault(f"by hand {depot_id}", [])


def show(desk: Desk, depot_id: str, vehicles: pd.DataFrame, stops: pd.DataFrame) -> tuple[ByHand, ...]:
    """A folded form that adds one decision at a time."""
    taken = decided(depot_id)
    label = f"By hand · {len(taken)}" if taken else "By hand"
    with st.popover(label, icon=":material/back_hand:", help="Decide something yourself before the rest is solved"):
        act = st.selectbox("What", list(CHOICES), format_func=CHOICES.get, key=f"by hand {depot_id} act")
        vehicle_id = delivery_id = None
        if act.about_a_vehicle:
            vehicle_id = _vehicle("Vehicle", _candidates(desk, depot_id, act, vehicles), f"by hand {depot_id} {act}")
        else:
            delivery_id = _delivery(desk, stops, f"by hand {depot_id} stop")
        if act in (Act.ON_VEHICLE, Act.GOES_FIRST):
            own = "Its own" if act == Act.GOES_FIRST else "Choose a vehicle"
            vehicle_id = _vehicle("On", _everyone(desk, depot_id, vehicles), f"by hand {depot_id} on {act}", own)
        why = st.text_input("Why", key=f"by hand {depot_id} why", max_chars=120, placeholder="In a word: it is kept")
        complete = (vehicle_id or not act.names_a_vehicle) and (delivery_id or act.about_a_vehicle)
        st.button(
            "Add",
            icon=":material/add:",
            disabled=not complete,
            on_click=_add,
            args=(depot_id, act, vehicle_id, delivery_id, _label(stops, delivery_id), desk.view.actor, why),
        )
    return tuple(taken)


def badges(depot_id: str, asked: Asked) -> None:
    """What was asked beyond the default; what was decided by hand can be taken back with a press."""
    others = Asked(**(vars(asked) | {"by_hand": ()})).words
    plain = [phrase for phrase in others if phrase != Asked().words[0]]
    taken = decided(depot_id)
    if not plain and not taken:
        return
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center", key="asked"):
        for phrase in plain:
            st.badge(phrase, color="gray")
        for place, one in enumerate(taken):
            st.button(
                one.words,
                key=f"take back {depot_id} {place}",
                icon=":material/close:",
                help=f"{ACTS[one.act].capitalize()}: said by {one.by}. Press to take it back.",
                on_click=_take_back,
                args=(depot_id, place),
                type="tertiary",
            )


def _add(
    depot_id: str, act: Act, vehicle_id: str | None, delivery_id: str | None, label: str | None, by: str, why: str
) -> None:
    """The same vehicle or stop is decided once: what is said last counts."""
    one = ByHand(act, vehicle_id, delivery_id, label, by, why.strip())

    def about(other: ByHand) -> tuple[str | None, str | None]:
        return (other.vehicle_id, None) if other.act.about_a_vehicle else (None, other.delivery_id)

    st.session_state[f"by hand {depot_id}"] = [other for other in decided(depot_id) if about(other) != about(one)] + [
        one
    ]
    st.session_state[f"by hand {depot_id} why"] = ""


def _take_back(depot_id: str, place: int) -> None:
    del decided(depot_id)[place]


def _candidates(desk: Desk, depot_id: str, act: Act, vehicles: pd.DataFrame) -> list[str]:
    """To take out: what drives or stands by. To put in: what has no shift today, or broke down and is mended."""
    known = desk.ask(queries.depot_vehicles, depot_id, desk.day)
    broken = set(vehicles.vehicle_id[vehicles.broke_down_at.notna()])
    if act == Act.VEHICLE_IN:
        return [*known.vehicle_id[~known.on_shift], *sorted(broken)]
    return sorted((set(vehicles.vehicle_id) | set(known.vehicle_id[known.on_shift])) - broken)


def _everyone(desk: Desk, depot_id: str, vehicles: pd.DataFrame) -> list[str]:
    put_in = [one.vehicle_id for one in decided(depot_id) if one.act == Act.VEHICLE_IN and one.vehicle_id]
    return sorted({*_candidates(desk, depot_id, Act.VEHICLE_OUT, vehicles), *put_in})


def _vehicle(label: str, vehicle_ids: list[str], key: str, placeholder: str = "Choose a vehicle") -> str | None:
    return st.selectbox(label, vehicle_ids, index=None, key=key, placeholder=placeholder)


def _delivery(desk: Desk, stops: pd.DataFrame, key: str) -> str | None:
    still = stops[~stops.done & ~stops.passed & (stops.state != "cancelled")]
    told = {
        row.delivery_id: f"{row.recipient if isinstance(row.recipient, str) else row.delivery_id} · "
        f"{row.vehicle_id if isinstance(row.vehicle_id, str) else 'no vehicle'} · due {format.clock(row.window_due, desk.zone)}"
        for row in still.sort_values("recipient").itertuples()
    }
    return st.selectbox(
        "Stop",
        list(told),
        index=None,
        format_func=lambda id: told.get(id, id),
        key=key,
        placeholder="Search for a stop",
    )


def _label(stops: pd.DataFrame, delivery_id: str | None) -> str | None:
    found = stops.recipient[stops.delivery_id == delivery_id].dropna()
    return found.iloc[0] if len(found) else delivery_id
