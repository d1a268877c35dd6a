"""One delivery's whole story: promise, where it stands, attempts, stages, cost, proof, and every event with its source."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import streamlit as st

from lastmile import queries
from lastmile.model import REASONS
from lastmile.ui import format, palette
from lastmile.ui.desk import Desk
from lastmile.ui.tables import Column

STAGES = {
    "received_at": "Ordered",
    "released_at": "Released",
    "picked_at": "Picked",
    "staged_at": "Staged",
    "loaded_at": "Loaded",
    "arrived_at": "Arrived",
    "handed_over_at": "Handed over",
}
NOT_BOOKED = "not booked yet"
"""An order that was told of, but whose booking, with its promise, has not come."""
OUTCOME_WORDS = {"on_time": "on time", "no_promise": "no promise", "excluded": "cancelled"}
EVENTS = {
    "occurred_at": Column("Occurred", "instant", "When it happened", 150),
    "what": Column("Event", width=170),
    "reason": Column("Reason"),
    "source": Column("Source", help="The system that told"),
    "status_source": Column("Told by"),
    "actor": Column("Who"),
    "vehicle_id": Column("Vehicle"),
    "latency_minutes": Column(
        "Latency", "minutes", "From happening to being recorded; empty where the source does not tell"
    ),
    "detail": Column("Detail", width="large"),
}


SIGHTINGS = {"entered_at": "arrived", "left_at": "departed stop"}
PROMISES = {
    "recorded_at": Column("Known since", "instant", width=160),
    "window_from": Column("From", "instant", width=160),
    "window_due": Column("Due", "instant", width=160),
    "window_semantics": Column("What must fall inside", "words"),
    "recipient": Column("Recipient", width="medium"),
    "address": Column("Address", width="large"),
    "source": Column("Source"),
}
CHARGES = {
    "occurred_at": Column("Of", "instant", width=160),
    "kind": Column("Kind", "words"),
    "amount": Column("Amount", "money"),
    "assumed": Column("Assumed", "flag", "A default of the tower, not a figure of an invoice"),
    "source": Column("Source"),
}


def show(desk: Desk, delivery_id: str) -> None:
    """The story of one delivery as known at the desk's instant; says so where it was not known yet."""
    delivery = desk.ask(queries.delivery, delivery_id, desk.view.as_of)
    if delivery is None:
        st.info(f"**{format.as_typed(delivery_id)}** was not known at this instant.", icon=":material/search_off:")
        return
    with st.container(border=True, key="story"):
        _heading(delivery)
        _figures(desk, delivery)
        _stages(delivery)
    _events(desk, delivery)
    _promises(desk, delivery)
    _charges(desk, delivery)


def outcome_badge(delivery: pd.Series) -> str:
    """The outcome against the first promise as a label with shape and word."""
    booked = format.known(delivery.booked_at)
    return palette.badge(OUTCOME_WORDS.get(delivery.timeliness, delivery.timeliness) if booked else NOT_BOOKED)


def _heading(delivery: pd.Series) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(
            f"#### {format.as_typed(delivery.recipient if format.known(delivery.recipient) else delivery.delivery_id)}",
            width="content",
        )
        st.markdown(outcome_badge(delivery), width="content")
    told = [
        delivery.delivery_id,
        delivery.address,
        _words(delivery.service),
        _words(delivery.criticality),
        delivery.depot_id,
    ]
    st.caption(" · ".join(format.as_typed(part) for part in told if format.known(part) and part))
    if format.known(delivery.reason):
        reason = REASONS.get(delivery.reason)
        told = f" · fault: {reason.fault} · lever: {reason.lever}" if reason else ""
        st.markdown(f":material/report: **{_words(delivery.reason)}**{told}")


def _figures(desk: Desk, delivery: pd.Series) -> None:
    zone = delivery.zone
    figures = [
        ("First promise", _window(delivery.window_from, delivery.window_due, zone), _promise_help(delivery)),
        (
            "Handed over",
            _handed_over(delivery),
            "When, to whom, and how far from the address by the driver's position.",
        ),
        ("Against promise", _against(delivery), "Minutes from the end of the first promise to its anchor event."),
        (
            "Attempts",
            _attempts(delivery),
            "Tries on record. A failed try counts as genuine with a position at the site or a contact.",
        ),
        ("Proof", _proof(delivery), "What was taken, against what this delivery requires."),
        (
            "Cost",
            _cost(desk, delivery),
            "Its share of the route's cost plus its own charges; see cost per drop on the KPI page.",
        ),
    ]
    with st.container(horizontal=True, gap="small"):
        for label, value, told in figures:
            with st.container(width="stretch", gap="xxsmall"):
                st.caption(label, help=told)
                st.markdown(value)


def _window(start: Any, due: Any, zone: str) -> str:
    if not format.known(due):
        return f":gray[{format.UNKNOWN}: the source gives no window]"
    return f"**{format.day(due.tz_convert(zone).date())} {format.span(start, due, zone)}**"


def _promise_help(delivery: pd.Series) -> str:
    semantics = _words(delivery.window_semantics) if format.known(delivery.window_semantics) else "unknown"
    text = f"What must fall inside the window: {semantics}. The first promise never moves."
    if format.known(delivery.revised_due):
        text += f" Revised to {format.span(delivery.revised_from, delivery.revised_due, delivery.zone)}."
    return text


def _handed_over(delivery: pd.Series) -> str:
    if not format.known(delivery.handed_over_at):
        return f":gray[not yet] · {_words(delivery.state)}"
    to = f" to {_words(delivery.handed_to)}" if format.known(delivery.handed_to) else ""
    far = (
        f", {format.number(delivery.handover_distance_m)} m away" if format.known(delivery.handover_distance_m) else ""
    )
    return f"**{format.instant(delivery.handed_over_at, delivery.zone)}**{to}{far}"


def _against(delivery: pd.Series) -> str:
    if not format.known(delivery.handed_over_at):
        return ":gray[not yet]"
    if not format.known(delivery.minutes_after_due):
        return f":gray[{format.UNKNOWN}]"
    minutes = delivery.minutes_after_due
    return f"**{format.minutes(abs(minutes))}** {'after' if minutes > 0 else 'before'} the end"


def _attempts(delivery: pd.Series) -> str:
    unproven = int(delivery.tries_without_evidence)
    return f"**{int(delivery.attempts)}**" + (f" ({unproven} without evidence)" if unproven else "")


def _proof(delivery: pd.Series) -> str:
    given, needed = _listed(delivery.proof_given), _listed(delivery.proof_required)
    if not format.known(delivery.handed_over_at):
        return f"needs {', '.join(needed)}" if needed else f":gray[{format.UNKNOWN}]"
    missing = [one for one in needed if one not in given]
    if missing:
        return f":material/close: **{', '.join(missing)} missing**"
    return (
        f":material/check: {', '.join(given)}"
        if given
        else ("none needed" if needed == [] else f":gray[{format.UNKNOWN}]")
    )


def _cost(desk: Desk, delivery: pd.Series) -> str:
    found = desk.ask(queries.delivery_cost, delivery.delivery_id, desk.view.as_of)
    if found is None or not format.known(found.cost):
        return f":gray[{format.UNKNOWN}: its route is not finished, or has no rate card]"
    return f"**{format.money(found.cost, found.currency)}**"


def _stages(delivery: pd.Series) -> None:
    """The chain from order to handover, with the time of each; a scan that is missing is said."""
    reached = [name for name in STAGES if format.known(delivery[name])]
    last = list(STAGES).index(reached[-1]) if reached else -1
    with st.container(horizontal=True, gap="small", key="stages"):
        for place, (name, label) in enumerate(STAGES.items()):
            with st.container(width="stretch", gap="xxsmall"):
                st.caption(f"{'●' if name in reached else '○'} {label}")
                if name in reached:
                    st.markdown(_stage_at(delivery, name))
                else:
                    st.markdown(":gray[no scan]" if place < last else ":gray[open]")


def _stage_at(delivery: pd.Series, name: str) -> str:
    """The time of a stage, with the day where it is not the day of the delivery."""
    at = delivery[name].tz_convert(delivery.zone)
    on = "" if at.date() == pd.Timestamp(delivery.day).date() else f" :gray[{at:%a} {at.day} {at:%b}]"
    return f"{at:%H:%M}{on}"


def _events(desk: Desk, delivery: pd.Series) -> None:
    events = desk.ask(queries.delivery_events, delivery.delivery_id, desk.view.as_of)
    if len(events):
        events["what"] = [
            _words(kind) + (" (corrected)" if wrong else "")
            for kind, wrong in zip(events.type, events.is_corrected, strict=True)
        ]
        events["reason"] = [_words(reason) if format.known(reason) else None for reason in events.reason]
        events["detail"] = events.payload.fillna("").str.strip("{}").str.replace('"', "").str.replace(",", ", ")
        notices = events.type.str.startswith("notification_") & (events.source == "tower")
        events.loc[notices, "detail"] = [_of_notice(payload) for payload in events.payload[notices]]
    st.markdown(f"**Events** :gray[{len(events)} on record]")
    desk.table(
        pd.concat([events, _sightings(desk, delivery)]).sort_values("occurred_at", kind="stable", ignore_index=True),
        key="events",
        zone=delivery.zone,
        alt=f"Events of {delivery.delivery_id}",
        columns=EVENTS,
        height="content",
        empty="No event is on record yet: it has been booked, and nothing has happened.",
        download=f"{delivery.delivery_id}-events.csv".replace(":", "-"),
    )


def _sightings(desk: Desk, delivery: pd.Series) -> pd.DataFrame:
    """Arrivals and departures that no scan told, but a van's positions: rows as of the events, marked as inferred."""
    seen = desk.ask(queries.delivery_sightings, delivery.delivery_id, desk.view.as_of)
    came, left = (seen.assign(occurred_at=seen[name], what=f"{what} (inferred)") for name, what in SIGHTINGS.items())
    rows = pd.concat([came, left[left.occurred_at.notna()]])
    return rows.assign(source="positions", status_source="inferred", detail="the van stood within 120 m of the address")


def _promises(desk: Desk, delivery: pd.Series) -> None:
    """Every version of what was promised, where there is more than the first."""
    versions = desk.ask(queries.delivery_promises, delivery.delivery_id, desk.view.as_of)
    if len(versions) < 2:
        return
    st.markdown("**Promises** :gray[the first one counts; each later one is a revision]")
    desk.table(
        versions,
        key="promises",
        zone=delivery.zone,
        alt=f"Versions of the promise of {delivery.delivery_id}",
        columns=PROMISES,
        height="content",
    )


def _charges(desk: Desk, delivery: pd.Series) -> None:
    """What it cost beyond its share of the route."""
    charges = desk.ask(queries.delivery_charges, delivery.delivery_id, desk.view.as_of)
    if charges.empty:
        return
    st.markdown("**Charges** :gray[beyond its share of the route]")
    desk.table(
        charges,
        key="charges",
        zone=delivery.zone,
        alt=f"Charges of {delivery.delivery_id}",
        columns=CHARGES,
        currency=str(charges.currency.iloc[0]),
        height="content",
    )


def _of_notice(payload: str) -> str:
    """What was said, or what came of it; the whole text stands on the page Notices."""
    said = json.loads(payload)
    return (
        said.get("words")
        or f"{said.get('template', '').replace('_', ' ')} by {said.get('channel')}: {said.get('subject')}"
    )


def _words(value: Any) -> str:
    return str(value).replace("_", " ")


def _listed(values: Any) -> list[str] | None:
    return list(values) if pd.api.types.is_list_like(values) else None
