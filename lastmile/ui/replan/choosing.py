"""What each further change would buy: plans of the frontier, of which one is chosen to be the proposal."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from lastmile.replanning import Point, Proposal, choose
from lastmile.ui import charts, format
from lastmile.ui.desk import Desk

FEWEST_TO_CHOOSE = 2


def chosen(recorded: Proposal) -> Proposal:
    """What this person looks at: the proposal of the search, or what they have chosen instead."""
    return st.session_state.get(_key(recorded), recorded)


def choose_instead(recorded: Proposal, proposal: Proposal) -> None:
    """Look at another plan than the one that the search proposed; nobody else sees it before it is approved."""
    st.session_state[_key(recorded)] = proposal


def forget(recorded: Proposal) -> None:
    """Back to the plan that the search proposed."""
    st.session_state.pop(_key(recorded), None)


def base_of(recorded: Proposal, proposal: Proposal) -> Proposal:
    """Whose points are to choose from: the search's, or where the day has moved on, those of the proposal brought up to date."""
    return proposal if proposal.open_day.at != recorded.open_day.at and proposal.points else recorded


def _key(recorded: Proposal) -> str:
    return f"chosen instead of {recorded.plan_id}"


def show(desk: Desk, recorded: Proposal, proposal: Proposal) -> None:
    """The frontier as a chart, and a slider that chooses by key and by touch."""
    base = base_of(recorded, proposal)
    points = base.points
    with st.container(border=True, key="frontier", gap="xsmall"):
        st.markdown(
            "**Fewer changes, or more**",
            help="Each point is a plan that the search found: the cheapest for that number of stops that change vehicle. A "
            "diamond leaves stops unserved or breaks a limit. Press a point, or use the slider, to make it the proposal.",
        )
        if len(points) < FEWEST_TO_CHOOSE:
            st.caption(_why_one(proposal))
        else:
            _chart(desk, recorded, base, proposal)
        if proposal is not recorded:
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.caption(f"Shown: {proposal.chosen}.", width="stretch")
                st.button("Back to the best", icon=":material/undo:", type="tertiary", on_click=_back, args=(recorded,))


def _why_one(proposal: Proposal) -> str:
    if not proposal.moved:
        return "No stop changes its vehicle in this plan: there is nothing to trade."
    return "The search found one plan only; a longer one may find plans with fewer changes."


def _chart(desk: Desk, recorded: Proposal, base: Proposal, proposal: Proposal) -> None:
    by_moved = {point.moved: point for point in base.points}
    shown = proposal.moved if proposal.moved in by_moved else min(by_moved, key=lambda one: abs(one - proposal.moved))
    since = recorded.plan_id if base is recorded else f"{recorded.plan_id} from {base.open_day.at}"
    chart, slider = f"frontier of {since}", f"point of {since}"
    now = base.money.before
    charts.frontier(
        pd.DataFrame(
            [
                {
                    "moved": point.moved,
                    "money": point.money,
                    "saving": now - point.money,
                    "promises_broken": point.promises_broken,
                    "unserved": point.unserved,
                    "breaks": bool(point.unserved or point.violations),
                }
                for point in base.points
            ]
        ),
        key=chart,
        dark=desk.view.dark,
        currency=base.comparison.currency,
        now=now,
        chosen=shown,
        choose=lambda: _pressed(desk, recorded, base, chart),
    )
    st.session_state[slider] = shown
    st.select_slider(
        "Stops that change vehicle",
        list(by_moved),
        format_func=lambda moved: _told(base, by_moved[moved]),
        key=slider,
        on_change=lambda: _take(desk, recorded, base, st.session_state[slider]),
        label_visibility="collapsed",
    )


def _told(base: Proposal, point: Point) -> str:
    currency = base.comparison.currency
    left = f", {point.unserved} not served" if point.unserved else ""
    return f"{format.count(point.moved, 'stop')} moved: {format.money(point.money, currency, 0)}{left}"


def _pressed(desk: Desk, recorded: Proposal, base: Proposal, chart: str) -> None:
    """The point that was pressed on the chart; a press beside all points changes nothing."""
    state = st.session_state.get(chart) or {}
    picked = (state.get("selection") or {}).get("pressed") or []
    if picked:
        _take(desk, recorded, base, int(picked[0]["moved"]))


def _take(desk: Desk, recorded: Proposal, base: Proposal, moved: int) -> None:
    point = next(point for point in base.points if point.moved == moved)
    if point.routes == recorded.routes and base is recorded:
        forget(recorded)
        return
    words = f"the frontier's plan with {format.count(moved, 'stop')} on another vehicle"
    choose_instead(recorded, choose(desk.store, base, point.routes, words, desk.view.actor))


def _back(recorded: Proposal) -> None:
    forget(recorded)
