"""One exception: what is so, what it covers and costs, who did what about it, and what can be done now."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from lastmile.exceptions import CATALOGUE, actions
from lastmile.ui import format, shell
from lastmile.ui.day_map import Concern
from lastmile.ui.desk import Desk
from lastmile.ui.exceptions import acting, deeds, listing, playbook, wording
from lastmile.ui.tables import Column

CALL_LIST = {
    "recipient": Column("Recipient", width=150),
    "email": Column("E-mail", width=150, help="Empty: nobody gave one"),
    "address": Column("Address", width=170),
    "window_due": Column("Promised until", "time", width=100),
    "expected_from": Column("Expected from", "time", width=100),
    "expected_until": Column("until", "time", width=60),
    "words": Column("What about", width="large"),
    "notes": Column("Notes", width="medium"),
}


def concern(desk: Desk, row: Any) -> Concern:
    """What the exception is about, for the map."""
    of_it = covered(desk, row)
    ids = [row.delivery_id, *of_it.delivery_id] if format.known(row.delivery_id) else list(of_it.delivery_id)
    return Concern(
        row.exception_id,
        tuple(dict.fromkeys(id for id in ids if format.known(id))),
        row.vehicle_id if format.known(row.vehicle_id) else None,
        row.route_id if format.known(row.route_id) else None,
    )


def covered(desk: Desk, row: Any) -> pd.DataFrame:
    """What the exception explains, the highest rank first: one row per exception under it; of an open one those still open."""
    found = listing.around(desk, row.exception_id)
    mine = found[found.root_id == row.exception_id]
    if row.state in listing.STATES["open"]:
        mine = mine[mine.state.isin(listing.OPEN_OR_PUT_OFF)]
    return mine.sort_values(["rank", "exception_id"], ascending=[False, True])


def brief(desk: Desk, row: Any, stops: pd.DataFrame) -> None:
    """What a manager needs to decide: a sentence, the arrival, the money, and the buttons. stops: those of the day."""
    heading(desk, row)
    st.markdown(" · ".join(facts(desk, row, stops)))
    acting.told([row.exception_id])
    decide(desk, row, key="live")
    call_list(desk, row)
    _links(desk, row)


def heading(desk: Desk, row: Any) -> None:
    """What and whom it is about, how bad it is, and where it stands."""
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.markdown(f"**{format.as_typed(wording.what(row))}**", width="content")
        st.markdown(wording.severity_badge(row), width="content")
        st.markdown(wording.state_badge(row, desk.zone), width="content")
        if wording.is_overdue(row, desk.at):
            st.markdown(f":orange-badge[:material/alarm: {wording.due(row, desk.at)}]", width="content")


def facts(desk: Desk, row: Any, stops: pd.DataFrame) -> list[str]:
    """What is so, the arrival with its interval and chance, the money, the time left, and whose it is."""
    told = [format.as_typed(wording.sentence(row).rstrip("."))]
    mine = (
        stops[stops.delivery_id == row.delivery_id] if format.known(row.delivery_id) and len(stops) else stops.head(0)
    )
    told += [arrival(stop, desk.zone) for stop in mine.itertuples() if not stop.done]
    if row.stops and format.known(row.breach_at):
        told.append(f"first promise broken at {format.clock(row.breach_at, desk.zone)}")
    told.append(f"**{wording.stake(row)}** at stake")
    if row.state in ("open", "acknowledged"):
        told.append(wording.due(row, desk.at))
    told.append(f"owner {format.as_typed(wording.owner(row))}")
    return told


def arrival(stop: Any, zone: str) -> str:
    """When an open stop is expected, how sure that is, and how likely its promise is broken."""
    if not format.known(stop.eta_at):
        return "no arrival can be predicted"
    if not format.known(stop.eta_from):
        return f"ETA {format.clock(stop.eta_at, zone)} by the plan and the present delay"
    told = f"ETA {format.clock(stop.eta_at, zone)}, 80 % between {format.span(stop.eta_from, stop.eta_until, zone)}"
    broken = (
        f", {format.percent(stop.chance_late, 0)} chance to break the promise" if format.known(stop.chance_late) else ""
    )
    return told + broken


def decide(desk: Desk, row: Any, *, key: str) -> None:
    """The buttons: to take it, what its playbook says first, and all else in a menu; to reopen it where it is closed."""
    if row.state in ("resolved", "cleared"):
        acting.buttons(desk, [row], (deeds.REOPEN, deeds.COMMENT), key=key)
        return
    own = [] if format.known(row.owner) and row.owner == desk.view.actor else [deeds.TAKE]
    of_playbook = playbook.deeds_of(row)
    first = [*own, *of_playbook][: acting.MOST_BUTTONS]
    if of_playbook and own and format.known(row.acknowledged_at):
        first = [*of_playbook, *own][: acting.MOST_BUTTONS]
    rest = [
        deed
        for deed in (*own, *of_playbook, deeds.ASSIGN, deeds.SNOOZE, deeds.COMMENT, deeds.RESOLVE)
        if deed not in first
    ]
    acting.buttons(desk, [row], first, rest, key=key)


def call_list(desk: Desk, row: Any) -> None:
    """Whom to call, once the list was asked for."""
    if not acting.has_done("call_list", row.exception_id):
        return
    found = desk.ask(actions.call_list, [row.exception_id], desk.at)
    desk.table(
        found, key="call list", alt="Call list", columns=CALL_LIST, height="content" if len(found) < 7 else 250,
        download="call-list.csv",
    )  # fmt: skip


def justification(row: Any) -> str:
    """Why the rule is there, from the catalogue."""
    return CATALOGUE[row.key].why if row.key in CATALOGUE else ""


def _links(desk: Desk, row: Any) -> None:
    with st.container(horizontal=True):
        st.page_link(
            shell.PAGES / "exceptions.py",
            label="Open with its history",
            icon=":material/history_edu:",
            query_params=desk.view.link(exception=row.exception_id),
        )
        if format.known(row.delivery_id):
            st.page_link(
                shell.PAGES / "deliveries.py",
                label="Read its whole story",
                icon=":material/package_2:",
                query_params=desk.view.link(delivery=row.delivery_id),
            )
