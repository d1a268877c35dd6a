"""Search the deliveries; one delivery's whole story."""

import streamlit as st

from lastmile import queries
from lastmile.ui import story
from lastmile.ui.desk import open_desk
from lastmile.ui.tables import Column

SHOWN = {
    "outcome": Column("Outcome", "status", "Against the first promise", 100),
    "delivery_id": Column("Delivery", "id", width=114),
    "recipient": Column("Recipient", width=166),
    "address": Column("Address", width=160),
    "service": Column("Service", "words", width=82),
    "day": Column("Day", "day", width=108),
    "window_from": Column("From", "time", "Start of the first promise", 46),
    "window_due": Column("Due", "time", "End of the first promise", 46),
    "state": Column("State", "words", width=72),
    "handed_over_at": Column("Handed over", "time", width=84),
    "minutes_after_due": Column(
        "After due", "minutes", "Minutes from the end of the promise to its anchor; negative: before", 80
    ),
    "attempts": Column("Attempts", "count", width=62),
    "vehicle_id": Column("Vehicle", "id", width=64),
    "reason": Column("Reason", "words", width=110),
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
