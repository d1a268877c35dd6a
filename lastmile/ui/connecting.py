"""Connecting a system: its form, its tokens and webhooks, made, shown once and taken back."""

from __future__ import annotations

from zoneinfo import available_timezones

import streamlit as st

from lastmile import connections
from lastmile.adapters import FORMATS
from lastmile.connections import SCHEMES, Connection, Made, TokenScope
from lastmile.errors import LastmileError
from lastmile.intake import KINDS, scopes_of
from lastmile.model import WindowSemantics
from lastmile.ui import errors
from lastmile.ui.desk import Desk
from lastmile.ui.tables import Column

SHOWN = "secret shown once"
SCOPES = {
    TokenScope.EVENTS: "send events",
    TokenScope.ORDERS: "send orders",
    TokenScope.POSITIONS: "send positions",
    TokenScope.READINGS: "send condition readings",
    TokenScope.RECEIPTS: "send receipts of notices",
    TokenScope.READ: "read deliveries, KPIs and exceptions",
    TokenScope.METRICS: "read the door's counters (monitoring)",
}
CREDENTIALS = {
    "label": Column("For", width="medium"),
    "kind": Column("Kind", "words"),
    "format": Column("Format"),
    "may": Column("May", "tags", width="large"),
    "made_at": Column("Made", "instant"),
    "made_by": Column("By"),
    "revoked_at": Column("Taken back", "instant"),
    "credential_id": Column("Id", "id"),
}


def form(desk: Desk, *, first: bool = False) -> None:
    """The form for a system that is not connected yet."""
    with st.expander("Connect a system", icon=":material/add:", expanded=first), st.form("connect", border=False):
        with st.container(horizontal=True):
            name = st.text_input("What people call it", placeholder="The ERP", max_chars=80)
            source = st.text_input(
                "Source",
                placeholder="erp",
                max_chars=63,
                help="A short word in small letters; it stands in each delivery's id.",
            )
            numbers = st.text_input(
                "Whose delivery numbers it uses", placeholder="its own", max_chars=63,
                help="A carrier that scans the ERP's deliveries uses the ERP's numbers: then write erp.",
            )  # fmt: skip
        with st.container(horizontal=True):
            zones = sorted(available_timezones())
            zone = st.selectbox("Zone of its days", zones, index=zones.index(desk.zone))
            window = st.selectbox(
                "Its windows are about", list(WindowSemantics), index=1, format_func=lambda one: one.replace("_", " "),
                help="What must fall inside a promised window; it differs from system to system.",
            )  # fmt: skip
        if st.form_submit_button("Connect", type="primary", icon=":material/cable:"):
            _connect(desk, Connection, source.strip(), name.strip() or source.strip(), zone, window, numbers.strip())


def _connect(desk: Desk, make: type[Connection], *said: str) -> None:
    try:
        made = make(*said)
        if any(known.source == made.source for known in desk.tower.door.register.all()):
            raise LastmileError(f"{made.source} is connected already; pick it above.")
        desk.tower.door.register.connect(made, desk.view.actor)
    except LastmileError as error:
        errors.tell(error)
        return
    st.query_params["source"] = made.source
    st.rerun()


def credentials(desk: Desk, source: str) -> None:
    """The tokens and webhooks of a system, and the ways to make and take back."""
    st.markdown("**Tokens and webhooks** :gray[each allows what it says and no more]")
    _shown_once(source)
    found = desk.ask(connections.credentials, source)
    desk.table(
        found.assign(may=[[SCOPES[TokenScope(scope)] for scope in scopes] for scopes in found.scopes]),
        key="credentials",
        alt="Tokens and webhooks",
        columns=CREDENTIALS,
        height="content" if len(found) < 8 else 300,
        empty="It can't send or ask yet: make a token, or a webhook for a system that signs what it sends.",
    )
    with st.container(horizontal=True):
        with st.popover("Make a token", icon=":material/key:"):
            _token_form(desk, source)
        with st.popover("Make a webhook", icon=":material/webhook:"):
            _webhook_form(desk, source)
        held = found[found.revoked_at.isna()]
        if len(held):
            with st.popover("Take one back", icon=":material/key_off:"):
                _revoke_form(desk, dict(zip(held.credential_id, held.label, strict=True)))


def _token_form(desk: Desk, source: str) -> None:
    with st.form("make token", border=False):
        label = st.text_input("What is it for?", placeholder="Handhelds of the night shift", max_chars=80)
        scopes = st.multiselect("It may", list(SCOPES), format_func=SCOPES.get)
        if st.form_submit_button("Make", type="primary"):
            with errors.told():
                _show(desk.tower.door.register.make_token(source, scopes, label, desk.view.actor))


def _webhook_form(desk: Desk, source: str) -> None:
    with st.form("make webhook", border=False):
        label = st.text_input("What is it for?", placeholder="EasyPost, production", max_chars=80)
        titles = {key: format.title for key, format in FORMATS.items()} | {
            key: f"The tower's own {key.replace('-', ' ')}" for key in KINDS
        }
        format = st.selectbox("It sends", list(titles), format_func=titles.get)
        secret = st.text_input(
            "Its secret", type="password", placeholder="a new one is made", max_chars=200,
            help="Onfleet gives a secret on its dashboard. It is kept as it stands, because a signature can't be checked "
            "against a hash.",
        )  # fmt: skip
        if st.form_submit_button("Make", type="primary"):
            with errors.told():
                register = desk.tower.door.register
                _show(
                    register.make_webhook(
                        source, format, scopes_of(format), label, desk.view.actor, secret.strip() or None
                    )
                )


def _show(made: Made) -> None:
    st.session_state[SHOWN] = made
    st.rerun()


def _shown_once(source: str) -> None:
    """A secret that was just made, until it is dismissed; it is nowhere else."""
    made: Made | None = st.session_state.get(SHOWN)
    if made is None or made.credential.source != source:
        return
    with st.container(border=True, key="secret"):
        st.markdown(f":material/visibility: **{made.credential.label}**: copy it now; it is shown this once.")
        if made.credential.format:
            scheme = SCHEMES.get(made.credential.format, SCHEMES["own"])
            st.markdown("Address, below that of the tower:")
            st.code(f"/api/v1/webhooks/{made.credential.credential_id}", language=None)
            st.markdown(f"Secret, to sign with: {scheme.told}")
        st.code(made.secret, language=None)
        if not made.credential.format:
            st.caption("Sent with each request as `Authorization: Bearer …`. Examples are in [the manual](/api).")
        if st.button("I have copied it", type="primary"):
            del st.session_state[SHOWN]
            st.rerun()


def _revoke_form(desk: Desk, held: dict[str, str]) -> None:
    with st.form("revoke", border=False):
        chosen = st.selectbox("Which", list(held), format_func=lambda id: f"{held[id]} ({id[:12]})")
        st.caption("From then on, whoever shows it is told that it is not known. It can't be given back.")
        if st.form_submit_button("Take it back", type="primary"):
            with errors.told():
                desk.tower.door.register.revoke(chosen, desk.view.actor)
                st.rerun()
