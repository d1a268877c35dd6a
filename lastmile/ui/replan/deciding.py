"""A proposal on the page: what was asked, what it brings, what else could be chosen, and the decision."""

from __future__ import annotations

import streamlit as st

from lastmile import decisions, queries
from lastmile.errors import NotPossible
from lastmile.model import Scope
from lastmile.replanning import Drift, Outdated, Proposal, Replanning, approve, drift_of, refreshed, telling_of
from lastmile.ui import errors, format
from lastmile.ui.desk import Desk
from lastmile.ui.replan import alternative, choosing, comparing, figures, tables
from lastmile.ui.tiles import kpi_row


def show(desk: Desk, job: Replanning, name: str) -> None:
    """The proposal of a search, or what this person has chosen instead of it."""
    recorded: Proposal = job.result
    proposal = choosing.chosen(recorded)
    stops = desk.ask(queries.stops, desk.at, desk.day, Scope(depots=(job.depot_id,)))
    drift = drift_of(proposal, stops)
    _header(desk, proposal, name)
    _moved_on(desk, recorded, proposal, drift)
    kpi_row(figures.tiles(proposal), key="proposal figures")
    figures.broken_limits(proposal)
    left, right = st.columns([58, 42], gap="small")
    with left:
        comparing.show(desk, proposal)
    with right:
        choosing.show(desk, recorded, proposal)
        _decide(desk, job, recorded, proposal, drift)
        figures.difference_by_part(proposal)
    _details(desk, recorded, proposal)


def _header(desk: Desk, proposal: Proposal, name: str) -> None:
    start = proposal.open_day
    age = (desk.tower.now() - start.at).total_seconds() / 60
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center", key="asked"):
        st.markdown(
            f"**Proposal** for {name}, from the state at **{format.instant(start.at, desk.zone, desk.at)}** "
            f"({format.minutes(max(0.0, age))} ago), asked by {proposal.made_by}",
            width="content",
        )
        for phrase in start.asked.words:
            st.badge(phrase, color="gray")


def _moved_on(desk: Desk, recorded: Proposal, proposal: Proposal, drift: Drift) -> None:
    """What has happened since the proposal was made; loud only where it can no longer be driven as it is shown."""
    if not drift.any:
        return
    parts = [
        f"{format.count(len(drift.done), 'stop')} done" if drift.done else "",
        f"{len(drift.otherwise)} of what is done or under way went otherwise than proposed" if drift.otherwise else "",
        f"{format.count(len(drift.gone), 'stop')} cancelled" if drift.gone else "",
        f"{format.count(len(drift.new), 'new delivery', 'new deliveries')} in no plan" if drift.new else "",
    ]
    told = ", ".join(part for part in parts if part)
    if drift.other_plan:
        st.warning(
            "Another plan has come into force since. Set this proposal aside and re-optimize again.",
            icon=":material/update:",
        )
        return
    if not drift.matters:
        st.caption(f":material/update: The day has gone on since: {told}. Approving keeps what has happened.")
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.warning(
            f"The day has moved on since: {told}. Approving keeps what has happened; refresh to see the figures from now.",
            icon=":material/update:",
        )
        st.button("Refresh", icon=":material/refresh:", on_click=_refresh, args=(desk, recorded, proposal))


def _refresh(desk: Desk, recorded: Proposal, proposal: Proposal) -> None:
    try:
        choosing.choose_instead(recorded, refreshed(desk.store, proposal, desk.tower.now(), desk.view.actor))
    except NotPossible as error:
        st.session_state["replan told"] = str(error)


def _decide(desk: Desk, job: Replanning, recorded: Proposal, proposal: Proposal, drift: Drift) -> None:
    with st.form("decision", border=True):
        why = st.text_input(
            "Why",
            key="decision why",
            placeholder="Your decision in a word: it is kept",
            max_chars=300,
            label_visibility="collapsed",
        )
        tell = _tell_box(desk, proposal)
        with st.container(horizontal=True, gap="small"):
            approved = st.form_submit_button(
                "Approve", type="primary", icon=":material/check:", disabled=drift.other_plan
            )
            rejected = st.form_submit_button("Reject", icon=":material/close:")
    if approved or rejected:
        _act(desk, job, recorded, proposal, why, approved, tell)


def _tell_box(desk: Desk, proposal: Proposal) -> bool:
    """How many customers would be told, and the box that says whether they are."""
    telling = telling_of(desk.store, proposal, desk.tower.now())
    told, silent = len(telling.with_address), len(telling.without_address)
    if not told + silent + telling.left_out:
        st.caption(
            f"No expected time moves by more than {format.minutes(telling.threshold_minutes)}: no customer is told."
        )
        return False
    parts = [
        f"{silent} more without an address" if silent else "",
        f"{telling.left_out} not in the new plan are told nothing yet" if telling.left_out else "",
    ]
    return st.checkbox(
        f"Tell {format.count(told, 'customer')}" + "".join(f", {part}" for part in parts if part),
        value=told > 0,
        disabled=told == 0,
        key=f"tell customers of {proposal.plan_id}",
        help="Those whose expected time moves by more than "
        f"{format.minutes(telling.threshold_minutes)} from what they were told last, or else from the plan in force.",
    )


def _act(
    desk: Desk, job: Replanning, recorded: Proposal, proposal: Proposal, why: str, approved: bool, tell: bool
) -> None:
    """Decide; the second of two people is told, and a plan that is worth less by now is shown again first."""
    now, actor = desk.tower.now(), desk.view.actor
    try:
        if approved:
            final = approve(desk.store, proposal, recorded, actor, why, now, tell_customers=tell)
            told = f"Version {final.open_day.version} is in force." + (
                " Customers are told: see Notices." if tell else ""
            )
        else:
            decisions.reject_plan(desk.store, recorded.plan_id, actor, why, now)
            told = f"Version {recorded.open_day.version} is rejected."
    except Outdated as outdated:
        choosing.choose_instead(recorded, outdated.refreshed)
        st.session_state["replan told"] = str(outdated)
        st.rerun()
    except NotPossible as error:
        errors.tell(error)
        _forget_if_decided(desk, job, recorded)
        return
    desk.tower.settle(job)
    choosing.forget(recorded)
    st.session_state["decided"] = told
    st.rerun()


def _forget_if_decided(desk: Desk, job: Replanning, recorded: Proposal) -> None:
    """Somebody else has decided it meanwhile: the panel is free again at the next look."""
    try:
        decisions.refuse_decided(desk.store, recorded.plan_id)
    except NotPossible:
        desk.tower.settle(job)
        choosing.forget(recorded)


def _details(desk: Desk, recorded: Proposal, proposal: Proposal) -> None:
    moved, short = tables.changes(proposal), tables.shortcomings(proposal)
    names = [
        f"Changes · {len(moved)}",
        f"Late and not served · {len(short)}",
        "Your own alternative",
        "How it was made",
    ]
    changes, failing, own, made = st.tabs(names, key="proposal details", on_change="rerun")
    with changes:
        if changes.open:
            tables.show_changes(desk, moved)
    with failing:
        if failing.open:
            tables.show_shortcomings(desk, proposal)
    with own:
        if own.open:
            alternative.show(desk, recorded, proposal)
    with made:
        if made.open:
            tables.show_making(proposal)
