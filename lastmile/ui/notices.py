"""The outbox: what was told to whom, what arrived, what failed and why, and one notice with its text."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from lastmile.notifications import outbox, settings
from lastmile.ui import errors, format, notice_setup
from lastmile.ui.desk import TICK_SECONDS, Desk
from lastmile.ui.tables import Column
from lastmile.ui.tiles import Tile, kpi_row

STATES = {
    outbox.WAITING: ("○ waiting", "Waiting", "Asked for and not sent yet; the reason stands beside each."),
    outbox.SENT: ("◐ no receipt", "Sent, no receipt", "The mail server took them on. Nobody has said that they arrived, so none counts as a success."),
    outbox.DELIVERED: ("● delivered", "Delivered", "A receipt says that they arrived."),
    outbox.FAILED: ("✕ failed", "Failed", "Refused, or come back, or not sent after the last try."),
    outbox.DROPPED: ("– too late", "Too late", "Not sent: they would have come too late to be of use, or their delivery was over."),
}  # fmt: skip
COLUMNS = {
    "shown": Column("State", help="Delivered only by a receipt", width=120),
    "asked_at": Column("Asked", "instant"),
    "to": Column("To", width="medium"),
    "what": Column("News", "words"),
    "subject": Column("Subject", width="large"),
    "why": Column("Reason, or what was said", width="large"),
    "tries": Column("Tries", "count"),
    "delivery_id": Column("Delivery", "id"),
}
CHOSEN, ALL = "chosen notice", "all"


def show(desk: Desk) -> None:
    """The outbox, and behind tabs what it is sent by."""
    if told := st.session_state.pop("notice told", None):
        st.toast(told, icon=":material/outgoing_mail:")
    notice_setup.warn(desk)
    outbox_tab, staff, ways, texts = st.tabs(
        ["Outbox", "Staff", "Ways and rules", "Texts"], key="notice tabs", on_change="rerun"
    )
    with outbox_tab:
        if outbox_tab.open:
            _outbox(desk)
    for tab, part in ((staff, notice_setup.staff), (ways, notice_setup.ways), (texts, notice_setup.texts)):
        with tab:
            if tab.open:
                part(desk)


@st.fragment(run_every=TICK_SECONDS)
def _outbox(desk: Desk) -> None:
    now = desk.refreshed()
    counts = now.ask(outbox.counts, now.at)
    kpi_row(
        [Tile(label, format.number(counts[state]), told, n=sum(counts.values()), n_of="notices in 30 days") for state, (_, label, told) in STATES.items()],
        key="notice figures",
    )  # fmt: skip
    state = st.segmented_control(
        "State", [ALL, *STATES], default=ALL, format_func=lambda one: "All" if one == ALL else STATES[one][1],
        key="notice state", label_visibility="collapsed",
    )  # fmt: skip
    found = now.ask(outbox.notices, now.at, None if state in (None, ALL) else state)
    shown = _shown(now, found)
    chosen = st.session_state.get(CHOSEN)
    now.table(
        shown,
        key="outbox",
        alt="Notices that were asked for",
        columns=COLUMNS,
        id_column="notice_id",
        choose=lambda id: st.session_state.update({CHOSEN: id}),
        chosen=chosen,
        height="content" if len(shown) < 12 else 440,
        empty="No notice. They are asked for when a plan is approved with “Tell customers”, and by the actions on exceptions.",
        download="notices.csv",
    )
    mine = shown[shown.notice_id == chosen]
    if len(mine):
        _one(now, mine.iloc[0])


def _shown(desk: Desk, found: pd.DataFrame) -> pd.DataFrame:
    """With the words of each state, and for what waits what it waits for."""
    rules = settings.load(desk.store)
    why = [
        desk.tower.notices.waits_for(row, desk.at, rules)
        if row.state == outbox.WAITING and row.audience != "test"
        else row.words
        for row in found.itertuples(index=False)
    ]
    names = [f"{name} · {address}" if name else address for name, address in zip(found.name.fillna(""), found.address, strict=True)] if len(found) else []  # fmt: skip
    return found.assign(
        shown=[STATES[state][0] for state in found.state], why=why, to=names, what=found.template.astype(object)
    )


def _one(desk: Desk, row: pd.Series) -> None:
    """One notice, as it is sent."""
    with st.container(border=True, key="one notice"):
        st.markdown(f"**{_plain(row.subject)}** :gray[{row.shown} · by {row.channel} · {row.language}]")
        st.text(row.body)
        because = f" because of {_plain(row.because)}" if format.known(row.because) else ""
        st.caption(f"Asked by {row.asked_by}, for {_plain(row.change)}{because}. {_plain(row.why or '')}")
        if row.state == outbox.FAILED and not format.known(row.sent_at):
            st.button("Try again", icon=":material/replay:", on_click=_retry, args=(desk, row.notice_id))


def _retry(desk: Desk, notice_id: str) -> None:
    with errors.told():
        outbox.retry(desk.store, notice_id, desk.view.actor, desk.tower.now())
        st.session_state["notice told"] = "It is tried again."


def _plain(text: object) -> str:
    """Text that came from outside, with nothing in it that Markdown would read."""
    return "".join(f"\\{sign}" if sign in r"\`*_{}[]()#+-.!|<>~:$" else sign for sign in str(text))
