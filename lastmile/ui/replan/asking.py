"""What a person asks of a re-optimization: one press is enough, all else is folded away."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from lastmile.replanning import FREEDOMS, POLICIES, Asked, Replanning, open_day, replanning
from lastmile.routing import ChangeBudget, Freedom, Policy
from lastmile.ui import format, travel_times
from lastmile.ui.desk import Desk
from lastmile.ui.replan import by_hand

SECONDS = (3, 10, 30)
SEED = 1
FREEZE_MINUTES = (0, 15, 30, 45, 60, 90)
KEPT = "session"
"""What is asked stays while somebody looks at other pages."""


def show(
    desk: Desk, depot_id: str, name: str, vehicles: pd.DataFrame, stops: pd.DataFrame, last: Replanning | None
) -> None:
    """The controls and the button; what became of the last search where it made no proposal."""
    if last is not None and last.error:
        st.warning(last.error, icon=":material/error:")
    elif last is not None and last.cancelled:
        st.caption("The last re-optimization was cancelled; nothing was changed.")
    if not _something_to_plan(stops):
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        freedom = st.segmented_control(
            "What may change",
            list(FREEDOMS),
            default=Freedom.EVERYTHING,
            required=True,
            format_func=FREEDOMS.get,
            key=f"replan {depot_id} freedom",
            persist_state=KEPT,
            help="Times: each stop keeps its vehicle and its place. Times and order: each keeps its vehicle. Everything: "
            "stops may change vehicle too, as far as their goods allow it.",
        )
        seconds = st.segmented_control(
            "Search for",
            SECONDS,
            default=SECONDS[1],
            required=True,
            format_func=lambda s: f"{s} s",
            key=f"replan {depot_id} seconds",
            persist_state=KEPT,
        )
        decided = by_hand.show(desk, depot_id, vehicles, stops)
        limits = _limits(depot_id)
        asked = Asked(freedom=freedom, seconds=seconds, by_hand=decided, **limits)
        st.space("stretch")
        st.button(
            f"Re-optimize {name}",
            type="primary",
            icon=":material/auto_fix_high:",
            on_click=_begin,
            args=(desk, depot_id, asked),
        )
    _told(depot_id, asked, vehicles, stops)
    travel_times.show(desk, depot_id, name)


def _something_to_plan(stops: pd.DataFrame) -> bool:
    """Says why where there is nothing to re-optimize."""
    if stops.plan_id.isna().all():
        st.info(
            "No plan is in force for this depot today. Import its routes, then re-optimize.", icon=":material/inbox:"
        )
        return False
    if stops.done.all():
        st.info("All of today's stops are done. There is nothing left to re-optimize.", icon=":material/task_alt:")
        return False
    return True


def _limits(depot_id: str) -> dict[str, object]:
    """How much may change and what gives way, folded away behind one button."""

    def key(name: str) -> str:
        return f"replan {depot_id} {name}"

    with st.popover("Limits", icon=":material/tune:", help="How much may change, and what gives way"):
        freeze = st.select_slider(
            "Keep what is reached within",
            FREEZE_MINUTES,
            format_func=lambda m: f"{m} min" if m else "no time",
            key=key("freeze"),
            persist_state=KEPT,
            help="Stops expected to be reached within this time stay first on their vehicle, in their order. The stop that "
            "a driver is at or drives to always stays.",
        )
        st.markdown("**At most** :gray[so much may change against the plan in force]")
        with st.container(horizontal=True, gap="small"):
            moved = _most("Stops changing vehicle", key("moved"), None, "Stops that another vehicle serves than now")
            broken = _most("Promises newly broken", key("broken"), None, "Promises that are kept now and would not be")
            goods = _most(
                "Stops' goods handed over",
                key("goods"),
                0,
                "Goods that are on a van on the road and would have to change vans. 0: what is loaded stays on its van. The "
                "plan does not choose a meeting point, so agree on one with the drivers.",
            )
        policy = st.radio(
            "Where not all can be served",
            list(POLICIES),
            format_func=POLICIES.get,
            key=key("policy"),
            persist_state=KEPT,
            help="Leave out what costs least to fail (another try, the penalty, the crew that waits), or serve all and say "
            "which windows and shifts break for it.",
        )
        reloads = st.toggle(
            "Vans may come back for more goods",
            key=key("reloads"),
            persist_state=KEPT,
            help="A van on the road may return to the depot once for what is still there, such as urgent orders.",
        )
        even = st.toggle(
            "Spread the hours evenly",
            key=key("even"),
            persist_state=KEPT,
            help="An hour beyond the mean of the plan in force is charged once more, in the search only.",
        )
    return {
        "freeze_minutes": float(freeze),
        "budget": ChangeBudget(moved=moved, promises_broken=broken, goods_moved=goods),
        "policy": Policy(policy),
        "reloads": reloads,
        "even_hours": even,
    }


def _most(label: str, key: str, default: int | None, told: str) -> int | None:
    return st.number_input(
        label, 0, None, default, 1, key=key, persist_state=KEPT, placeholder="no limit", help=told, width=170
    )


def _told(depot_id: str, asked: Asked, vehicles: pd.DataFrame, stops: pd.DataFrame) -> None:
    """What is open now, and what was asked beyond the default."""
    still = stops[~stops.done & ~stops.passed & (stops.state != "cancelled")]
    on_no_plan = int(still.plan_id.isna().sum())
    out = vehicles.departed_at.notna() & vehicles.returned_at.isna()
    told = [
        f"{format.count(len(still), 'open delivery', 'open deliveries')}, {format.count(int(out.sum()), 'van')} on the road",
        f"**{format.count(on_no_plan, 'delivery', 'deliveries')} on no plan**" if on_no_plan else "",
        "What is executed or being driven to stays. The proposal changes nothing until it is approved.",
    ]
    st.caption(" · ".join(part for part in told if part))
    by_hand.badges(depot_id, asked)


def _begin(desk: Desk, depot_id: str, asked: Asked) -> None:
    """Start the search beside the page; the second of two people who press is told.

    In a callback, which runs even where the page would by now draw somebody else's search instead of the button.
    """
    at, day = desk.tower.now(), desk.day
    job = replanning(
        desk.store,
        depot_id,
        lambda: open_day(desk.store, depot_id, day, at, asked),
        seconds=asked.seconds,
        seed=SEED,
        actor=desk.view.actor,
    )
    there = desk.tower.begin(job)
    if there is not job:
        st.session_state["replan told"] = (
            f"{there.actor} has begun a re-optimization of this depot already: here it is. Decide it first."
        )
