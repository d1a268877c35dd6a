"""One exception in full: what is so and why it matters, the map, the stops, the money, every step, and the decisions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from lastmile.ui import day_map, expected, format, shell
from lastmile.ui.desk import Desk
from lastmile.ui.exceptions import acting, detail, history, listing, wording
from lastmile.ui.maps import Chosen
from lastmile.ui.tables import Column

MAP_HEIGHT = 380
COVERED = {
    "severity": listing.SEVERITY,
    "recipient": Column("Recipient", width=190),
    "label": Column("What", width=130),
    "window_due": Column("Promised until", "time", "End of the promise that was given last", 106),
    "eta_at": Column("ETA", "time", "When it is expected now", 66),
    "chance": Column("Chance", "percent", "Chance that the promise is broken", 76),
    "stake": Column("At stake", "money", "Lost if that comes true", 86),
    "stake_assumed": Column("Assumed", "flag", "No penalty is known: the settings' assumption", 82),
    "stands": Column("Stands", width=120),
}


def show(desk: Desk, exception_id: str) -> None:
    """The exception as it stands at the desk's instant; says so where it is not known there."""
    row = listing.one(desk, exception_id)
    if row is None:
        st.info(
            "This exception is not on record here: it was not known at this instant.",
            icon=":material/search_off:",
        )
        return
    own_day = replace(desk, view=replace(desk.view, scope=replace(listing.scope_of(desk), day_to=_day(row))))
    vehicles, stops = expected.vehicles(own_day), expected.stops(own_day)
    with st.container(border=True, key="exception"):
        left, right = st.columns([54, 46], gap="medium")
        with left:
            _told(desk, row, stops)
            history.show(desk, row)
        with right:
            _map(own_day, row, vehicles, stops)
        _covered(desk, row, stops)


def _day(row: Any) -> Any:
    return pd.Timestamp(row.day).date()


def _told(desk: Desk, row: Any, stops: pd.DataFrame) -> None:
    detail.heading(desk, row)
    st.markdown(" · ".join(detail.facts(desk, row, stops)))
    if why := detail.justification(row):
        st.caption(f"Why it matters: {why}")
    acting.told([row.exception_id])
    detail.decide(desk, row, key="exception")
    detail.call_list(desk, row)
    with st.container(horizontal=True):
        _link("deliveries.py", "Read the delivery's whole story", "package_2", desk, delivery=row.delivery_id)
        _link("routes.py", "Open its route", "route", desk, vehicle=row.vehicle_id)


def _link(page: str, label: str, icon: str, desk: Desk, **named: Any) -> None:
    if all(format.known(value) for value in named.values()):
        st.page_link(shell.PAGES / page, label=label, icon=f":material/{icon}:", query_params=desk.view.link(**named))


def _covered(desk: Desk, row: Any, stops: pd.DataFrame) -> None:
    """How the money at stake was worked out: what the exception covers, each with its own stake and chance."""
    own = detail.covered(desk, row)
    currency = row.currency if format.known(row.currency) else "EUR"
    st.markdown(f"**{wording.stake(row, 2)} at stake** :gray[{_worked_out(row, len(own), currency)}]")
    if own.empty:
        return
    known = stops.set_index("delivery_id")[["window_due", "eta_at"]] if len(stops) else pd.DataFrame()
    shown = own.join(known, on="delivery_id") if len(known) else own.assign(window_due=pd.NaT, eta_at=pd.NaT)
    shown = shown.assign(chance=shown.probability, stands=[wording.state(one, desk.zone) for one in shown.itertuples()])
    desk.table(
        shown, key="covered", alt="What this exception covers", columns=COVERED, currency=currency,
        height="content" if len(shown) < 10 else 330, download="covered.csv",
    )  # fmt: skip


def _worked_out(row: Any, n: int, currency: str) -> str:
    if not format.known(row.stake):
        return "nobody gave a penalty or a cost for it, so it is unknown, and ranks by its time alone"
    of = f"the sum over the {format.count(n, 'stop')} below" if n else "the penalty or cost of this one"
    return (
        f"{of}; × the chance that it comes true = {format.money(row.expected_loss, currency)} expected; × urgency "
        f"{format.number(row.urgency, 2)} (½ for each hour left, and for each three hours past) = its rank in the queue"
    )


def _map(desk: Desk, row: Any, vehicles: pd.DataFrame, stops: pd.DataFrame) -> None:
    concern = detail.concern(desk, row)
    if not (concern.delivery_ids or concern.vehicle_id):
        return
    day_map.show(
        desk, vehicles, stops, Chosen("exception", row.exception_id), lambda _: None, MAP_HEIGHT, concern,
        key="exception map",
    )  # fmt: skip
