"""Search the deliveries; one delivery's whole story."""

import streamlit as st

from lastmile import queries
from lastmile.ui import story
from lastmile.ui.desk import open_desk
from lastmile.ui.tables import Column

SHOWN = {
    "outcome": Column("Outcome", "status", "Against the first promise", 104),
    "delivery_id": Column("Delivery", "id"),
    "recipient": Column("Recipient", width=176),
    "address": Column("Address", width=176),
    "service": Column("Service", "words"),
    "day": Column("Day", "day"),
    "window_from": Column("From", "time", "Start of the first promise"),
    "window_due": Column("Due", "time", "End of the first promise"),
    "state": Column("State", "words"),
    "handed_over_at": Column("Handed over", "time"),
    "minutes_after_due": Column(
        "After due", "minutes", "Minutes from the end of the promise to its anchor; negative: before"
    ),
    "attempts": Column("Attempts", "count"),
    "reason": Column("Reason", "words", width=110),
    "vehicle_id": Column("Vehicle", "id"),
}
MOST = 500

desk = open_desk("Deliveries", when="period")
text = st.text_input(
    "Search",
    key="q",
    bind="query-params",
    icon=":material/search:",
    placeholder="Id, recipient, address, vehicle, state (failed, returned …) or reason",
    label_visibility="collapsed",
)


def choose(delivery_id: str | None) -> None:
    """Keep the choice in the address, so that a story is a link."""
    if delivery_id is None:
        st.query_params.pop("delivery", None)
    else:
        st.query_params["delivery"] = delivery_id


chosen = st.query_params.get("delivery")
if chosen:
    story.show(desk, chosen)

scope = desk.view.scope
found = desk.ask(queries.find_deliveries, text, scope.day_from, scope.day_to, scope, desk.view.as_of, MOST)
found["outcome"] = found.timeliness.replace(story.OUTCOME_WORDS)
told = f"More than {MOST} found; those that moved last are shown." if len(found) == MOST else f"{len(found)} found."
st.caption(f"{told} Pick one to read its story.")
desk.table(
    found,
    key="found",
    alt="Deliveries found",
    columns=SHOWN,
    id_column="delivery_id",
    choose=choose,
    chosen=chosen,
    height=420 if chosen else 760,
    empty="No delivery in this scope holds that text. Widen the period, or clear a filter.",
    download="deliveries.csv",
)
