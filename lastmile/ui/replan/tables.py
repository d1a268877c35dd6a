"""The rows behind a proposal: what changes, who is late or not served and what would mend it, and how it was made."""

from __future__ import annotations

from typing import Literal

import pandas as pd
import streamlit as st

from lastmile.replanning import Proposal
from lastmile.ui import format
from lastmile.ui.desk import Desk
from lastmile.ui.replan.wording import named
from lastmile.ui.tables import Column

LOOK_AGAIN_SECONDS = 1

CHANGES = {
    "recipient": Column("Recipient", width="medium"),
    "delivery_id": Column("Delivery", "id"),
    "vehicle_before": Column("Vehicle now", "id"),
    "vehicle_after": Column("Vehicle proposed", "id", "Empty: not served by the proposal"),
    "window_from": Column("From", "time"),
    "window_due": Column("Due", "time", "End of the promise"),
    "eta_before": Column("Service now", "time", "Start of service in the plan in force, re-timed from this instant"),
    "eta_after": Column("Service proposed", "time"),
    "promise": Column("Promise", help="What the change does to the promise"),
}
SHORTCOMINGS = {
    "stop": Column("Stop", width=230),
    "what": Column("What", width=90),
    "late_minutes": Column("Late", "minutes", None, 80),
    "vehicle_id": Column("Vehicle", "id", None, 80),
    "at_stake": Column(
        "At stake", "money", "What it costs as proposed: late minutes at their price, or failing it today"
    ),
    "why": Column("Why, and the cheapest change", width=760),
    "price": Column("Change costs", "money", "What the cheapest change adds; less than nothing: it saves", 110),
}


def changes(proposal: Proposal) -> pd.DataFrame:
    """One row per delivery whose vehicle or promise changes."""
    rows = proposal.deliveries.copy()
    before, after = rows.vehicle_before.fillna(""), rows.vehicle_after.fillna("")
    rows["promise"] = [
        "broken → kept" if now and not was else "kept → broken" if was and not now else "kept" if now else "broken"
        for was, now in zip(rows.kept_before, rows.kept_after, strict=True)
    ]
    return rows[(before != after) | (rows.kept_before != rows.kept_after)].reset_index(drop=True)


def _height(rows: pd.DataFrame) -> int | Literal["content"]:
    """Few rows take what they need; many scroll."""
    return "content" if len(rows) < 8 else 300


def show_changes(desk: Desk, moved: pd.DataFrame) -> None:
    """The table of changes."""
    desk.table(
        moved,
        key="moves",
        alt="Deliveries that change vehicle or whose promise changes",
        columns=CHANGES,
        height=_height(moved),
        empty="No delivery changes its vehicle, and no promise changes: only the order and times on the vans do.",
        download="proposal-changes.csv",
    )


def shortcomings(proposal: Proposal) -> pd.DataFrame:
    """One row per stop that the proposal does not serve, or serves late: what is at stake, why, and what would mend it."""
    start, plan = proposal.open_day, proposal.comparison.after
    rows = []
    for stop_id, reason in proposal.reasons.items():
        rows.append(
            {
                "stop_id": stop_id,
                "what": "not served",
                "late_minutes": None,
                "vehicle_id": None,
                "at_stake": start.price_of_failing[stop_id],
                "why": named(start, reason.words),
                "price": reason.extra_cost,
            }
        )
    late = proposal.late_reasons.result or {}
    for stop_id, stop in sorted(plan.stops.items(), key=lambda one: -proposal.price_of_lateness(one[0])):
        if proposal.price_of_lateness(stop_id) > 0 or stop.late_minutes > 0:
            reason = late.get(stop_id)
            rows.append(
                {
                    "stop_id": stop_id,
                    "what": "late" if stop.late_minutes > 0 else "crew waits",
                    "late_minutes": stop.late_minutes,
                    "vehicle_id": stop.vehicle_id,
                    "at_stake": proposal.price_of_lateness(stop_id),
                    "why": "" if reason is None else named(start, reason.words),
                    "price": None if reason is None else reason.extra_cost,
                }
            )
    frame = pd.DataFrame(rows, columns=["stop_id", *(name for name in SHORTCOMINGS if name != "stop")])
    return frame.assign(stop=frame.stop_id.map(start.labels))


def show_shortcomings(desk: Desk, proposal: Proposal) -> None:
    """The table of what the proposal fails; reasons come in as they are found."""
    looking = proposal.late_reasons.running
    if looking:
        _awaited(proposal)
    found = shortcomings(proposal)
    desk.table(
        found,
        key="shortcomings",
        alt="Stops that the proposal serves late or not at all, with the reason and the cheapest change",
        columns=SHORTCOMINGS,
        currency=proposal.comparison.currency,
        height=_height(found),
        empty="Every stop is served within its promise.",
        download="proposal-late-and-not-served.csv",
    )


@st.fragment(run_every=LOOK_AGAIN_SECONDS)
def _awaited(proposal: Proposal) -> None:
    if not proposal.late_reasons.running:
        st.rerun()
    st.caption(":material/hourglass_top: Looking for what would bring the late ones on time …")


def show_making(proposal: Proposal) -> None:
    """Which engine, how long, on which travel times, and anything unusual."""
    start, solution = proposal.open_day, proposal.solution
    passed = int(start.done.passed.sum())
    told = [
        f":material/fork_right: **Plan**: {proposal.chosen}.",
        f":material/psychology: **Search**: {solution.engine}, {solution.elapsed_seconds:.1f} s, "
        f"{format.number(solution.iterations)} rounds; the first plan stood after {solution.first_plan_seconds:.2f} s. "
        "Every plan is judged by an evaluator that has no part in the search.",
        f":material/speed: **Travel and stops**: {start.problem.matrix.source}. {_taught(proposal)}",
        f":material/barcode_scanner: {format.count(passed, 'delivery was', 'deliveries were')} passed without a scan and "
        "stay as they are: ask the drivers."
        if passed
        else "",
        *(f":material/info: {note}" for note in solution.notes),
    ]
    for line in told:
        if line:
            st.markdown(line)


def _taught(proposal: Proposal) -> str:
    learned = proposal.open_day.experience
    if not learned.service:
        return "Minutes at the stops are as planned."
    return (
        f"Minutes at the stops are as they were over the last fortnight, for {len(learned.service)} services and "
        f"{len(learned.pace)} drivers."
    )
