"""What approved re-optimizations came to: predicted saving against what came true, with totals and the rows behind it."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from lastmile import queries
from lastmile.ui import format, shell
from lastmile.ui.desk import Desk, local_date
from lastmile.ui.tables import Column
from lastmile.ui.tiles import Tile, kpi_row

WEEKS = 4

RESULTS = {
    "day": Column("Day", "day", width=116),
    "depot_id": Column("Depot", width=60),
    "plan_gain": Column(
        "Predicted saving",
        "whole_money",
        "Cost of the rest of the day by the plan in force then, less as predicted",
        112,
    ),
    "saving": Column("Came true", "whole_money", "Predicted saving less execution loss", 78),
    "why": Column("Approved because", width=250),
    "execution_loss": Column(
        "Execution loss", "whole_money", "What the rest came to, less as predicted; negative: better"
    ),
    "driving_lost": Column(
        "of it driving", "whole_money", "Vehicles, drivers, kilometres and stops by the rate cards", 84
    ),
    "lateness_lost": Column(
        "lateness", "whole_money", "Minutes beyond the promises, at the prices kept with the plan", 72
    ),
    "crew_lost": Column("crews", "whole_money", "Crews of milestones that waited", 60),
    "not_served_lost": Column("not served", "whole_money", "Stops that nobody tried that day", 78),
    "broken": Column("Promises broken", help="Before → predicted → came to", width=120),
    "stops_covered": Column("Stops", "count", "Open stops that it covered", 60),
    "kept": Column("Kept", "count", "Covered stops handed over within their promise, before another one followed", 60),
    "failed": Column("Failed at the door", "count", "Tried in time and not handed over: no plan's fault"),
    "unknown": Column("Unknown", "count", "A van was there, and no scan says what came of it: counted at no cost", 76),
    "stops_moved": Column(
        "Moved",
        "count",
        "Stops that changed vehicle; those of a van that is down had none any more, and are not counted",
        64,
    ),
    "seen_at": Column("At", "time", "The instant that the plan looked at", 60),
    "km": Column("km", help="Before → predicted → came to", width=150),
    "late": Column("Late minutes", help="Before → predicted → came to", width=150),
    "state": Column(
        "State", help="Running: vans are out; superseded: another re-optimization followed that day", width=96
    ),
    "decided_by": Column("Decided by"),
    "version": Column("Version", "count", width=64),
}
PARTS = {
    "driving": "Driving",
    "lateness": "Lateness",
    "crew": "Crews waiting",
    "not_served": "Stops not served",
}
"""What a rest of a day is paid for: the parts of predicted and came to, as `replan_result` names them."""

SUMMED = ("replanning_predicted", "replanning_saving", "replanning_kept")
"""What a line about a period is made of, as the KPI catalogue names it."""

WHY = {
    "part": Column("Paid for", width=130),
    "predicted": Column("Predicted", "whole_money", "What the rest of the days was to cost by the approved plans"),
    "came_to": Column("Came to", "whole_money"),
    "lost": Column("Difference", "whole_money", "Together the execution loss; negative: cheaper than predicted"),
}
STOPS = {
    "delivery_id": Column("Delivery", "story", "Opens its story in another tab"),
    "recipient": Column("Recipient", width="medium"),
    "outcome": Column(
        "Came to",
        help="Untried: nobody came that day; unknown: a van was there, and no scan says what came of it; replanned: another "
        "re-optimization covers it",
        width=96,
    ),
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
    "**Predicted saving** (plan gain): what the rest of the day would have cost by the plan in force then, less what the "
    "approved plan predicted; both by the evaluator, at that instant, on the same travel times.\n\n**Execution loss**: what the "
    "rest came to, less what was predicted, for the same vehicles and stops: paid hours, kilometres and stops by the rate cards, "
    "and lateness, waiting crews and stops not served at the prices that were kept with the plan.\n\n**Came true** = predicted "
    "saving − execution loss. It stays an estimate: nobody drove the other plan, which the day would have treated better or "
    "worse than predicted, too. Where another re-optimization followed on the same day, what the rest would have cost is its "
    "estimate then. Kilometres between two instants are the driven ones by the share of the way as the crow flies."
)


def show(desk: Desk) -> None:
    """What was predicted and what came true in the last weeks, why it differs, and each one; a row opens its stops."""
    st.markdown(
        f"**What re-optimizations brought** :gray[those approved in the last {WEEKS} weeks: predicted, and what came true]",
        help=HELP,
    )
    found = _results(desk)
    if found.empty:
        st.caption(
            "None has been approved yet. Each that is approved keeps what it predicts; once the day is over, what came true "
            "stands beside it."
        )
        return
    over = found[found.saving.notna()]
    if len(over):
        left, right = st.columns([50, 50], gap="small")
        with left:
            kpi_row(_tiles(over), key="hindsight figures")
            st.caption(_why_in_words(over))
        with right:
            _why(desk, over, "hindsight why")
    st.caption(_footing(found, over))
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
        _one(desk, found[found.plan_id == chosen])


def sum_up(desk: Desk, figures: pd.DataFrame) -> None:
    """One line for a page of a period, from the figures of `SUMMED`: what was approved, predicted and came true, and where each
    of them stands."""
    told = in_a_sentence(figures.set_index("key"))
    if told:
        by_day = shell.address(f"kpis?{_query(desk, kpi='replanning_saving')}")
        each = shell.address(f"routes?{_query(desk)}")
        with st.container(border=True, key="replanned"):
            st.markdown(f"{told} [By day and depot]({by_day}) · [each with its stops]({each})", help=HELP)


def _query(desk: Desk, **more: str) -> str:
    return urlencode(desk.view.link(**more), doseq=True)


def in_a_sentence(figure: pd.DataFrame) -> str:
    """ "6 approved re-optimizations in this period: predicted saving € 9 037, came true € 8 105 (90 %)", from figures by key.

    Empty where none was approved for the days and depots asked.
    """
    predicted, came, kept = (figure.loc[key] for key in SUMMED)
    if not kept.total:
        return ""
    if not kept.included:
        return f"{format.count(int(kept.total), 'approved re-optimization')} in this period, none of which is over yet."
    told = (
        f"**{format.count(int(kept.included), 'approved re-optimization')}** in this period: predicted saving "
        f"**{format.money(predicted.numerator, predicted.unit, 0)}**, came true "
        f"**{format.money(came.numerator, came.unit, 0)}**"
    )
    told += f" ({format.percent(kept.value, 0)} of it)" if format.known(kept.value) else ""
    waiting = int(kept.total - kept.included)
    return told + (f"; {format.number(waiting)} more running or without a known cost" if waiting else "") + "."


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
    for part in PARTS:
        found[f"{part}_lost"] = found[f"{part}_came_to"] - found[f"{part}_predicted"]
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


def _tiles(over: pd.DataFrame) -> list[Tile]:
    predicted, came = float(over.plan_gain.sum()), float(over.saving.sum())
    share = f"{format.percent(came / predicted, 0)} of it" if predicted > 0 else None
    currency, kept = _currency(over), int((over.saving > 0).sum())
    return [
        Tile(
            "Predicted saving",
            format.money(predicted, currency, 0),
            HELP,
            n=len(over),
            n_of="approved plan" if len(over) == 1 else "approved plans",
        ),
        Tile(
            "Came true", format.money(came, currency, 0), HELP, n=kept, n_of=f"of {len(over)} saved money", change=share
        ),
    ]


def _why_in_words(over: pd.DataFrame) -> str:
    """ "Cost € 932 more than predicted: € 950 more for lateness, € 43 more for stops not served, € 47 less for driving"."""
    currency, loss = _currency(over), float(over.execution_loss.sum())
    parts = {label.lower(): float(over[f"{part}_lost"].sum()) for part, label in PARTS.items()}
    largest = sorted((part for part in parts.items() if abs(part[1]) >= 1), key=lambda part: -abs(part[1]))
    told = ", ".join(f"{_more(amount, currency)} for {label}" for label, amount in largest)
    return f"The days cost {_more(loss, currency)} than predicted" + (f": {told}." if told else ".")


def _more(amount: float, currency: str) -> str:
    return f"{format.money(abs(amount), currency, 0)} {'less' if amount < 0 else 'more'}"


def _why(desk: Desk, over: pd.DataFrame, key: str) -> None:
    """What the rest of the days was to cost and came to, by what is paid for: where the difference lies."""
    rows = pd.DataFrame(
        [
            {"part": label, "predicted": over[f"{part}_predicted"].sum(), "came_to": over[f"{part}_came_to"].sum()}
            for part, label in PARTS.items()
        ]
    )
    rows = rows[(rows.predicted != 0) | (rows.came_to != 0)]
    rows = pd.concat([rows, pd.DataFrame([{"part": "Together"} | rows[["predicted", "came_to"]].sum().to_dict()])])
    rows["lost"] = rows.came_to - rows.predicted
    desk.table(rows, key=key, alt="Why it came otherwise", columns=WHY, currency=_currency(over), height="content")


def _footing(found: pd.DataFrame, over: pd.DataFrame) -> str:
    """What the figures rest on, and what is not in them."""
    told = [f"n {format.count(len(over), 're-optimization that is over', 're-optimizations that are over')}"]
    waiting, unknown = len(found) - len(over), int(over.unknown.sum())
    if waiting:
        told.append(f"{waiting} running or without a known cost")
    if over.rest_is_estimated.any():
        told.append(f"{int(over.rest_is_estimated.sum())} with an estimated rest")
    if over.km_estimated.sum():
        told.append(f"kilometres of {format.count(int(over.km_estimated.sum()), 'route')} estimated")
    if unknown:
        told.append(f"what came of {format.count(unknown, 'stop')} is unknown, at no cost")
    return " · ".join([*told, "pick a row for its stops"])


def _currency(found: pd.DataFrame) -> str:
    known = found.currency.dropna()
    return known.iloc[0] if len(known) else "EUR"


def _choose(plan_id: str | None) -> None:
    if plan_id is None:
        st.query_params.pop("replanned", None)
    else:
        st.query_params["replanned"] = plan_id


def _one(desk: Desk, plan: pd.DataFrame) -> None:
    """One re-optimization: where its difference lies, and its stops."""
    kept = plan.iloc[0]
    st.markdown(f"**{kept.plan_id}** :gray[{format.as_typed(kept.why)}; its stops, the dearest first]")
    if format.known(kept.saving):
        _why(desk, plan, "hindsight why of one")
    rows = desk.ask(queries.replanned_stops, kept.plan_id, kept.day.date(), desk.view.as_of)
    rows = rows.assign(
        delivery_id=[ids[0] for ids in rows.delivery_ids], cost=rows.lateness_cost + rows.crew_cost + rows.failing_cost
    )
    desk.table(
        rows.sort_values(["cost", "stop_id"], ascending=[False, True]),
        key="hindsight stops",
        alt="Stops that the re-optimization covered, with what came of each",
        columns=STOPS,
        currency=kept.currency,
        height=300,
        download=f"{kept.plan_id}-stops.csv",
    )
