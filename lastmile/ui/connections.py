"""The systems that send and ask over HTTP: how each fares, and one of them with its tokens, errors and quarantine."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from lastmile import queries
from lastmile.clock import Mode
from lastmile.metrics import NOBODY, Heard
from lastmile.ui import connecting, format, quarantine
from lastmile.ui.desk import TICK_SECONDS, Desk
from lastmile.ui.tables import Column
from lastmile.ui.tiles import Tile, kpi_row

SYSTEMS = {
    "name": Column("System", width="medium"),
    "source": Column("Source", "id"),
    "last_recorded_at": Column("Last event", "instant", "When the tower last learnt of an event from it"),
    "events_of_day": Column("Events, 24 h", "count", "Events recorded in the last 24 hours"),
    "latency_minutes": Column(
        "Latency P50", "minutes", "From happening to being recorded, events of the last 24 hours"
    ),
    "answer_ms": Column(
        "Answer P95 (ms)", "count", "From a request to its answer, its last 1,000 requests since the start"
    ),
    "waiting": Column("In quarantine", "count", "Rows that were not taken and wait for a decision"),
    "troubles": Column("Errors", "count", "Requests declined since the start, at most the last 20"),
    "credentials": Column("Tokens", "count", "Tokens and webhooks that hold"),
}
TROUBLES = {
    "at": Column("When", "instant"),
    "status": Column("Status", "text", "The HTTP status of the answer"),
    "route": Column("Route"),
    "told": Column("What was told", width="large"),
}
CHOSEN = "source"
TURNED = "another system chosen"


def show(desk: Desk) -> None:
    """All systems, and the chosen one; where there is none yet, how the first one is connected."""
    _turned()
    if desk.ask(queries.connections, desk.at).empty:
        _first(desk)
        return
    _overview(desk)
    chosen = st.query_params.get(CHOSEN)
    known = [connection.source for connection in desk.tower.door.register.all()]
    if chosen in known:
        _one(desk, chosen)
    else:
        st.caption("Pick a system for its tokens, its errors and its quarantine.")
    connecting.form(desk)
    _strangers(desk)


def _first(desk: Desk) -> None:
    with st.container(border=True, key="first connection"):
        st.markdown("#### No other system is connected yet")
        st.markdown(
            "A connected system sends orders, scans, positions and temperatures as they happen, and may ask for deliveries and "
            "KPIs. Each gets a **token** of its own that allows what you say and no more, and can be taken back at any time. "
            "EasyPost, Onfleet, Traccar, X12 214 and GS1 EPCIS are understood as they are. "
            "What a system can send, field by field: [the manual](/api)."
        )
    connecting.form(desk, first=True)


@st.fragment(run_every=TICK_SECONDS)
def _overview(desk: Desk) -> None:
    if TURNED in st.session_state:
        st.rerun()
    now = desk.refreshed()
    found = now.ask(queries.connections, now.at)
    heard = {source: desk.tower.door.metrics.heard(source) for source in found.source}
    found = found.assign(
        answer_ms=[_milliseconds(heard[source].p95_seconds) for source in found.source],
        troubles=[len(heard[source].troubles) for source in found.source],
    )
    desk.table(
        found,
        key="systems",
        alt="Connected systems",
        columns=SYSTEMS,
        id_column="source",
        choose=_choose,
        chosen=st.query_params.get(CHOSEN),
        height="content" if len(found) < 10 else 350,
    )


def _choose(source: str | None) -> None:
    """Note the choice; the whole page takes it up, as a fragment can't turn the address."""
    st.session_state[TURNED] = source or ""


def _turned() -> None:
    """Keep the choice in the address, so that a system is a link."""
    source = st.session_state.pop(TURNED, None)
    if source:
        st.query_params[CHOSEN] = source
    elif source is not None:
        st.query_params.pop(CHOSEN, None)


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1000


def _one(desk: Desk, source: str) -> None:
    found = desk.ask(queries.connections, desk.at).set_index("source").loc[source]
    heard = desk.tower.door.metrics.heard(source)
    with st.container(border=True, key="one system"):
        st.markdown(f"**{found['name']}** :gray[{_meaning(found)}]")
        if desk.tower.clock.mode is Mode.SIMULATED:
            st.caption(
                ":material/info: The tower stands on the demo's simulated clock. What this system tells counts as received "
                "by that clock, so its latency is not meant, and may be below zero."
            )
        kpi_row(_tiles(desk, found, heard), key="system figures")
        connecting.credentials(desk, source)
        quarantine.show(desk, source)
        _troubles(desk, heard)


def _meaning(found: pd.Series) -> str:
    window = str(found.window_semantics).replace("_", " ")
    return f"numbers of {found.numbers} · days in {found.zone} · windows are about {window}"


def _tiles(desk: Desk, found: pd.Series, heard: Heard) -> list[Tile]:
    age = (desk.at - found.last_recorded_at).total_seconds() / 60 if format.known(found.last_recorded_at) else None
    taken, repeated, refused = (heard.rows.get(word, 0) for word in ("taken", "repeated", "refused"))
    answer = format.UNKNOWN if heard.p95_seconds is None else f"{format.number(heard.p95_seconds * 1000)} ms"
    return [
        Tile(
            "Last event",
            "none yet" if age is None else f"{format.minutes(age)} ago",
            "How long ago the tower learnt of an event from it.",
            n=int(found.events),
            n_of="events in all",
        ),
        Tile(
            "Latency P50",
            format.minutes(found.latency_minutes),
            "Median time from happening to being recorded, events of the last 24 hours.",
            n=int(found.events_of_day),
            n_of="events in 24 h",
        ),
        Tile(
            "Taken since the start",
            format.number(taken),
            "Rows that brought something new since the tower was started.",
            n=taken + repeated + refused,
            n_of=f"rows sent, {format.number(repeated)} repeated, {format.number(refused)} refused",
        ),
        Tile(
            "Answer P95",
            answer,
            "Within this time 95 % of its requests were answered; an answer waits until all rows are on the disk.",
            n=heard.requests,
            n_of="requests since the start",
        ),
        Tile(
            "In quarantine",
            format.number(int(found.waiting)),
            "Rows that were not taken. They are kept whole until somebody sends them again or discards them.",
            direction="bad" if found.waiting else "neutral",
        ),
    ]


def _strangers(desk: Desk) -> None:
    """Requests of nobody who is known: a wrong token, perhaps, or one that was taken back."""
    heard = desk.tower.door.metrics.heard(NOBODY)
    if heard.troubles:
        with st.expander(f"Requests of unknown senders ({len(heard.troubles)})", icon=":material/person_off:"):
            _trouble_table(desk, heard, "strangers")


def _troubles(desk: Desk, heard: Heard) -> None:
    st.markdown("**Errors** :gray[requests that were declined since the start, at most the last 20]")
    _trouble_table(desk, heard, "troubles")


def _trouble_table(desk: Desk, heard: Heard, key: str) -> None:
    rows = [vars(trouble) | {"status": str(trouble.status)} for trouble in heard.troubles]
    desk.table(
        pd.DataFrame(rows, columns=list(TROUBLES)),
        key=key,
        alt="Requests that were declined",
        columns=TROUBLES,
        height="content",
        empty="None of its requests was declined since the tower was started.",
    )
