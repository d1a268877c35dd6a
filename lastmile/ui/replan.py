"""Re-optimization on a page: ask for it, watch it, compare, approve or reject."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from lastmile import decisions
from lastmile.errors import NotPossible
from lastmile.replanning import Proposal, Replanning, open_day, replanning
from lastmile.routing import Evaluation, Problem
from lastmile.ui import errors, format, shell, travel_times
from lastmile.ui.desk import Desk
from lastmile.ui.jobs import watch
from lastmile.ui.maps import comparison_map
from lastmile.ui.tables import Column
from lastmile.ui.tiles import Tile, kpi_row

SECONDS = (3, 10, 30)
SEED = 1

MOVES = {
    "recipient": Column("Recipient", width="medium"),
    "delivery_id": Column("Delivery", "id"),
    "vehicle_before": Column("Vehicle now", "id"),
    "vehicle_after": Column("Vehicle proposed", "id", "Empty: not served by the proposal"),
    "window_from": Column("From", "time"),
    "window_due": Column("Due", "time", "End of the first promise"),
    "eta_before": Column("Service now", "time", "Start of service in the plan in force, re-timed from this instant"),
    "eta_after": Column("Service proposed", "time"),
    "promise": Column("Promise", help="What the change does to the promise"),
}
NOT_SERVED = {"stop": Column("Stop", width="medium"), "why": Column("Why it is not served", width="large")}


def show(desk: Desk, depots: dict[str, str], vehicles: pd.DataFrame) -> None:
    """The panel for the one depot in scope; says what to do where there is none or more than one."""
    if not desk.is_today:
        st.info("A past day can be looked at, not changed. Go back to now to re-optimize.", icon=":material/history:")
        return
    chosen = desk.view.scope.depots
    if len(chosen) != 1 and len(depots) != 1:
        _choose_depot(depots)
        return
    depot_id = chosen[0] if chosen else next(iter(depots))
    job = desk.tower.replannings.get(depot_id)
    if job is not None and job.running:
        watch(job)
    elif job is not None and job.result is not None:
        _proposal(desk, depot_id, job.result)
    else:
        _ask(desk, depot_id, depots.get(depot_id, depot_id), vehicles[vehicles.depot_id == depot_id], job)


def _choose_depot(depots: dict[str, str]) -> None:
    st.caption("A depot's day is re-optimized as one. Which one?")
    with st.container(horizontal=True, gap="small"):
        for depot_id, name in depots.items():
            st.button(
                name,
                icon=":material/warehouse:",
                key=f"replan {depot_id}",
                on_click=shell.narrow,
                kwargs={"depots": [depot_id]},
            )


def _ask(desk: Desk, depot_id: str, name: str, vehicles: pd.DataFrame, last: Replanning | None) -> None:
    if last is not None and last.error:
        st.warning(last.error, icon=":material/error:")
    elif last is not None and last.cancelled:
        st.caption("The last re-optimization was cancelled; nothing was changed.")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        seconds = st.segmented_control(
            "Search for", SECONDS, default=SECONDS[1], format_func=lambda s: f"{s} s", key="search for", width="content"
        )
        broken = st.multiselect(
            "Out of service",
            vehicles.vehicle_id.tolist(),
            key="out of service",
            placeholder="No vehicle",
            help="Vehicles that drive no more today, besides those that reported a breakdown. Their open stops go to others.",
            width=260,
        )
        transfers = st.toggle(
            "Goods may change vans on the road",
            key="transfers",
            help="Off: what is loaded stays on its van, only its order changes. On: stops may move between vans on the "
            "road; the plan does not yet choose a meeting point, so agree on one with the drivers.",
        )
        asked = st.button(f"Re-optimize {name}", type="primary", icon=":material/auto_fix_high:")
    st.caption("What is executed or being driven to stays as it is. The proposal changes nothing until it is approved.")
    travel_times.show(desk, depot_id, name)
    if asked:
        at, day, out = desk.tower.now(), desk.day, tuple(broken)
        desk.tower.replannings[depot_id] = replanning(
            desk.store,
            depot_id,
            lambda: open_day(desk.store, depot_id, day, at, allow_transfers=transfers, out_of_service=out),
            seconds=seconds or SECONDS[1],
            seed=SEED,
            actor=desk.view.actor,
        ).start()
        st.rerun()


def _proposal(desk: Desk, depot_id: str, proposal: Proposal) -> None:
    age = (desk.tower.now() - proposal.open_day.at).total_seconds() / 60
    st.markdown(
        f"**Proposal** for {desk.view.choices.depots.get(depot_id, depot_id)}, version {proposal.open_day.version}, from the state at "
        f"**{format.instant(proposal.open_day.at, desk.zone, desk.at)}** ({format.minutes(age)} ago)"
    )
    st.caption(f":material/speed: Travel times: {proposal.open_day.problem.matrix.source}.")
    passed = int(proposal.open_day.done.passed.sum())
    if passed:
        told = format.count(passed, "delivery was", "deliveries were")
        st.caption(f":material/barcode_scanner: {told} passed without a scan and stay as they are: ask the drivers.")
    for note in proposal.solution.notes:
        st.caption(f":material/info: {note}")
    kpi_row(_figures(proposal), key="proposal figures")
    _limits(proposal)
    left, right = st.columns([55, 45], gap="small")
    moved = _moved(proposal)
    with left:
        _map(desk, proposal, moved)
        st.caption(
            "Dashed grey: the plan in force. Drawn through: the proposal. Marked: stops whose vehicle or promise changes."
        )
    with right:
        _decide(desk, depot_id, proposal)
        if proposal.solution.reasons:
            desk.table(
                pd.DataFrame([{"stop": id, "why": reason.words} for id, reason in proposal.solution.reasons.items()]),
                key="not served",
                alt="Stops that the proposal does not serve",
                columns=NOT_SERVED,
                height=150,
            )
    desk.table(
        moved,
        key="moves",
        alt="Deliveries that change vehicle or whose promise changes",
        columns=MOVES,
        height=260,
        empty="No delivery changes its vehicle, and no promise changes: only the order and times on the vans do.",
        download="proposal-changes.csv",
    )


def _limits(proposal: Proposal) -> None:
    """Hard limits that the plan in force breaks as it stands: it may look cheaper for them."""
    broken = proposal.comparison.before.violations
    if broken:
        more = f" and {len(broken) - 3} more" if len(broken) > 3 else ""
        told = "; ".join(violation.words for violation in broken[:3])
        st.warning(
            f"The plan in force can't be driven as it is: {told}{more}. The proposal keeps all limits.",
            icon=":material/rule:",
        )


def _figures(proposal: Proposal) -> list[Tile]:
    change = proposal.comparison
    currency = change.currency
    open_stops = len(proposal.open_day.problem.stops)
    return [
        _figure(
            "Cost of the rest of the day", change.cost, lambda v: format.money(v, currency, 0), open_stops, _COST_HELP
        ),
        _figure("Distance", change.distance_km, format.km, open_stops, "Kilometres still to drive, by all vehicles."),
        _figure(
            "Late minutes",
            change.late_minutes,
            format.minutes,
            open_stops,
            "Minutes past the promises, over all open stops.",
        ),
        _figure(
            "Promises broken",
            change.promises_broken,
            format.number,
            open_stops,
            "Open stops past their promise or not served.",
        ),
        Tile(
            "Stops that change vehicle",
            format.number(len(change.moved)),
            "Stops that another vehicle serves than in the plan in force.",
            n=open_stops,
            n_of="open stops",
            change=f"{len(change.reordered)} reordered",
            base="on their own vehicle",
        ),
        Tile(
            "Not served",
            format.number(len(change.unserved)),
            "Stops that no vehicle can or should serve; each with its reason below.",
            n=open_stops,
            n_of="open stops",
            change=f"{len(change.newly_served)} newly served" if change.newly_served else None,
            direction="good" if change.newly_served else "neutral",
        ),
    ]


_COST_HELP = (
    "What remains to be paid by the rate cards: hours, overtime, kilometres and stops, plus a price for lateness and for "
    "stops not served. Compared on the same instant and the same travel times for both plans."
)


def _figure(label: str, change: object, shown: object, n: int, told: str) -> Tile:
    difference = change.difference
    sign = "+" if difference > 0 else format.MINUS if difference < 0 else ""
    return Tile(
        label,
        shown(change.after),
        told,
        n=n,
        n_of="open stops",
        change=f"{sign}{shown(abs(difference))}",
        base=f"vs. {shown(change.before)} now",
        direction="neutral" if abs(difference) < 1e-6 else "good" if difference < 0 else "bad",
    )


def _moved(proposal: Proposal) -> pd.DataFrame:
    """Deliveries whose vehicle or promise changes."""
    rows = proposal.deliveries
    before, after = rows.vehicle_before.fillna(""), rows.vehicle_after.fillna("")
    rows["promise"] = [
        "broken → kept" if now and not was else "kept → broken" if was and not now else "kept" if now else "broken"
        for was, now in zip(rows.kept_before, rows.kept_after, strict=True)
    ]
    return rows[(before != after) | (rows.kept_before != rows.kept_after)].reset_index(drop=True)


def _map(desk: Desk, proposal: Proposal, moved: pd.DataFrame) -> None:
    problem, change = proposal.open_day.problem, proposal.comparison
    shown = moved.dropna(subset=["lon", "lat"])
    changes = pd.DataFrame(
        {
            "delivery_id": shown.delivery_id,
            "label": shown.recipient.fillna(shown.delivery_id),
            "lon": shown.lon,
            "lat": shown.lat,
            "served": shown.vehicle_after.notna(),
            "kept": shown.kept_after,
            "detail": [
                f"{row.vehicle_before or 'not served'} → {row.vehicle_after or 'not served'}"
                for row in shown.itertuples()
            ],
        }
    )
    comparison_map(
        _paths(problem, change.before),
        _paths(problem, change.after),
        changes,
        key="comparison",
        dark=desk.view.dark,
        focus=proposal.plan_id,
    )


def _paths(problem: Problem, plan: Evaluation) -> pd.DataFrame:
    stops = {stop.stop_id: [stop.lon, stop.lat] for stop in problem.stops}
    ends = {one.vehicle_id: ([one.lon, one.lat], [one.end_lon, one.end_lat]) for one in problem.vehicles}
    rows = []
    for route in plan.routes:
        if route.stops:
            start, end = ends[route.vehicle_id]
            path = [start, *(stops[stop.stop_id] for stop in route.stops), *([end] if end[0] is not None else [])]
            detail = f"{len(route.stops)} stops · {format.km(route.distance_km)}"
            rows.append({"route_id": route.vehicle_id, "label": route.vehicle_id, "path": path, "detail": detail})
    return pd.DataFrame(rows, columns=["route_id", "label", "path", "detail"])


def _decide(desk: Desk, depot_id: str, proposal: Proposal) -> None:
    with st.form("decision", border=True):
        st.markdown("**Your decision**")
        why = st.text_input("Why", placeholder="In a word: it is kept with the decision", max_chars=300)
        with st.container(horizontal=True):
            approved = st.form_submit_button("Approve", type="primary", icon=":material/check:")
            rejected = st.form_submit_button("Reject", icon=":material/close:")
    if approved or rejected:
        try:
            act = decisions.approve_plan if approved else decisions.reject_plan
            act(desk.store, proposal.plan_id, desk.view.actor, why, desk.tower.now())
        except NotPossible as error:
            errors.tell(error)
            return
        del desk.tower.replannings[depot_id]
        st.session_state["decided"] = (
            f"Version {proposal.open_day.version} is {'in force' if approved else 'rejected'}."
        )
        st.rerun()
