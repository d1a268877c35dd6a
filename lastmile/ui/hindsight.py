"""What approved re-optimizations came to: predicted saving against what came true, with totals and the rows behind it."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd
import streamlit as st

from lastmile import queries
from lastmile.ui import format
from lastmile.ui.desk import Desk, local_date
from lastmile.ui.tables import Column

WEEKS = 4

RESULTS = {
    "day": Column("Day", "day"),
    "depot_id": Column("Depot", width=70),
    "version": Column("Version", "count", width=70),
    "seen_at": Column("At", "time", "The instant that the plan looked at", 64),
    "state": Column(
        "State", help="Running: vans are out; superseded: another re-optimization followed that day", width=110
    ),
    "stops_covered": Column("Stops", "count", "Open stops that it covered", 64),
    "stops_moved": Column("Moved", "count", "Stops that changed vehicle", 70),
    "plan_gain": Column(
        "Plan gain", "money", "Cost of the rest of the day by the plan in force then, less as predicted"
    ),
    "execution_loss": Column("Execution loss", "money", "What the rest came to, less as predicted; negative: better"),
    "saving": Column("Saving", "money", "Plan gain less execution loss"),
    "km": Column("km", help="Before → predicted → came to", width=170),
    "late": Column("Late minutes", help="Before → predicted → came to", width=170),
    "broken": Column("Promises broken", help="Before → predicted → came to", width=150),
    "kept": Column("Kept", "count", "Covered stops handed over within their promise, before another one followed", 64),
    "failed": Column("Failed at the door", "count", "Tried in time and not handed over: no plan's fault"),
    "decided_by": Column("Decided by"),
    "why": Column("Why", width="medium"),
}
STOPS = {
    "recipient": Column("Recipient", width="medium"),
    "outcome": Column("Came to", help="Replanned: still open when another re-optimization followed", width=110),
    "promised_until": Column("Promised until", "time"),
    "served_at": Column("Served", "time"),
    "predicted_late_minutes": Column("Late, predicted", "minutes"),
    "late_minutes": Column("Late, came to", "minutes"),
    "lateness_cost": Column("Lateness", "money"),
    "crew_cost": Column("Crew waiting", "money"),
    "failing_cost": Column("Not served", "money"),
    "route_id": Column("Route", "id"),
}
HELP = (
    "**Plan gain**: what the rest of the day would have cost by the plan in force then, less what the approved plan predicted; "
    "both by the evaluator, at that instant, on the same travel times.\n\n**Execution loss**: what the rest came to, less what "
    "was predicted, for the same vehicles and stops: paid hours, kilometres and stops by the rate cards, and lateness, waiting "
    "crews and stops not served at the prices that were kept with the plan.\n\n**Saving** = plan gain − execution loss. The plan "
    "gain is an estimate: nobody drove the other plan. Where another re-optimization followed on the same day, what the rest "
    "would have cost is its estimate then. Kilometres between two instants are the driven ones by the share of the way as the "
    "crow flies."
)


def show(desk: Desk) -> None:
    """The table of the last weeks with its totals; a row opens its stops."""
    st.markdown(f"**Re-optimizations of the last {WEEKS} weeks** :gray[predicted, and what came true]", help=HELP)
    found = _results(desk)
    if found.empty:
        st.caption(
            "None has been approved yet. Each that is approved keeps what it predicts; once the day is over, what came true "
            "stands beside it."
        )
        return
    _totals(found)
    chosen = st.query_params.get("replanned")
    desk.table(
        found,
        key="hindsight",
        alt="Approved re-optimizations with predicted and realised saving",
        columns=RESULTS,
        id_column="plan_id",
        choose=_choose,
        chosen=chosen,
        currency=_currency(found),
        height="content" if len(found) < 9 else 320,
        download="re-optimizations.csv",
    )
    if chosen in set(found.plan_id):
        _stops(desk, found[found.plan_id == chosen].iloc[0])


def _results(desk: Desk) -> pd.DataFrame:
    """Past days are worked out once; the running day anew."""
    today = local_date(desk.at, desk.zone)
    first = today - timedelta(weeks=WEEKS)
    scope, as_of = desk.view.scope, desk.view.as_of
    past = desk.ask(queries.replannings, scope, today, as_of, day_from=first, day_to=today - timedelta(days=1))
    running = desk.ask(queries.replannings, scope, today, as_of, day_from=today, day_to=today)
    found = pd.concat([running, past], ignore_index=True) if len(past) else running
    if found.empty:
        return found
    superseded = found.until_at.notna()
    found["state"] = [
        "superseded" if later else "over" if whole else "running"
        for later, whole in zip(superseded, found.whole, strict=True)
    ]
    found["seen_at"] = found.from_at
    found["km"] = _arrow(found.km_before, found.km_predicted, found.km_came_to)
    found["late"] = _arrow(found.late_minutes_before, found.late_minutes_predicted, found.late_minutes_came_to)
    found["broken"] = _arrow(found.broken_before, found.broken_predicted, found.broken_came_to)
    return found


def _arrow(*columns: pd.Series) -> list[str]:
    """ "120 → 96 → 101"; what is not known yet is an ellipsis."""
    return [
        " → ".join(format.number(value) if format.known(value) else "…" for value in values)
        for values in zip(*columns, strict=True)
    ]


def _totals(found: pd.DataFrame) -> None:
    over = found[found.saving.notna()]
    currency = _currency(found)

    def money(column: str) -> str:
        return f"**{format.money(float(over[column].sum()), currency, 0)}**"

    told = [f"n {format.count(len(over), 're-optimization that is over', 're-optimizations that are over')}"]
    if len(over):
        told = [
            f"Plan gain {money('plan_gain')}",
            f"execution loss {money('execution_loss')}",
            f"saving {money('saving')}",
            *told,
        ]
    waiting = len(found) - len(over)
    if waiting:
        told.append(f"{waiting} running or without a known cost")
    if over.rest_is_estimated.any():
        told.append(f"{int(over.rest_is_estimated.sum())} with an estimated rest")
    if over.km_estimated.sum():
        told.append(f"kilometres of {format.count(int(over.km_estimated.sum()), 'route')} estimated")
    st.caption(" · ".join(told))


def _currency(found: pd.DataFrame) -> str:
    known = found.currency.dropna()
    return known.iloc[0] if len(known) else "EUR"


def _choose(plan_id: str | None) -> None:
    if plan_id is None:
        st.query_params.pop("replanned", None)
    else:
        st.query_params["replanned"] = plan_id


def _stops(desk: Desk, plan: pd.Series) -> None:
    rows = desk.ask(queries.replanned_stops, plan.plan_id, plan.day.date(), desk.view.as_of)
    st.markdown(f"**{plan.plan_id}** :gray[the stops that it covered]")
    desk.table(
        rows,
        key="hindsight stops",
        alt="Stops that the re-optimization covered, with what came of each",
        columns=STOPS,
        currency=plan.currency,
        height=300,
        download=f"{plan.plan_id}-stops.csv",
    )
