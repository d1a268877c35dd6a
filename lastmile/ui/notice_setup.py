"""What notices are sent by: the staff register, the ways to people with a test, quiet hours, and the texts."""

from __future__ import annotations

from datetime import time

import pandas as pd
import streamlit as st

from lastmile import notifications
from lastmile.errors import NotPossible
from lastmile.notifications import LANGUAGES, ROLES, Contact, Settings, settings, templates
from lastmile.notifications.addresses import contact_of
from lastmile.notifications.asking import EMAIL, WEBHOOK
from lastmile.notifications.webhook import secret_of
from lastmile.ui import errors
from lastmile.ui.desk import Desk
from lastmile.ui.tables import Column

SOMEBODY = {EMAIL: "somebody@example.com", WEBHOOK: "https://example.com/"}
STAFF = {
    "name": Column("Who", width="medium"),
    "roles": Column("Roles", "tags", "What is told to a role reaches all who have it"),
    "email": Column("E-mail", width="medium"),
    "webhook": Column("Webhook", width="large"),
    "language": Column("Language"),
    "actor": Column("Put in by"),
}
TEXTS = {
    "kind": Column("News", "words"),
    "service": Column("Service", "words", "Empty: any"),
    "language": Column("Language"),
    "subject": Column("Subject", width="large"),
    "text": Column("Text", width="large"),
    "origin": Column("From", help="Built in, or the file in data/notices that takes its place"),
}


def warn(desk: Desk) -> None:
    """Say clearly where nothing can go out, and why."""
    why = desk.tower.notices.why_not(EMAIL, SOMEBODY[EMAIL])
    if why:
        st.warning(
            f"No e-mail goes out: {why.removeprefix('Not sent: ')}. What is asked for is kept as waiting, and never shown as sent.",
            icon=":material/unsubscribe:",
        )


def staff(desk: Desk) -> None:
    """Who of the staff is told, and how."""
    found = desk.ask(notifications.staff)
    desk.table(
        found.assign(roles=[list(roles) for roles in found.roles]),
        key="staff",
        alt="Staff register",
        columns=STAFF,
        height="content" if len(found) < 10 else 350,
        empty="Nobody of the staff is told anything yet. Put in who is told when something is escalated.",
    )
    with st.expander("Put somebody in, or change an entry", icon=":material/person_add:", expanded=found.empty):
        _contact_form(desk)
    if len(found):
        with (
            st.popover("Tell somebody no more", icon=":material/person_remove:"),
            st.form("tell no more", border=False),
        ):
            name = st.selectbox("Who", found.name.tolist())
            if st.form_submit_button("Tell no more"):
                row = next(row for row in found.itertuples(index=False) if row.name == name)
                notifications.keep_contact(desk.store, contact_of(row), desk.view.actor, told=False)
                _told(f"{name} is told no more.")


def _contact_form(desk: Desk) -> None:
    with st.form("contact", border=False):
        with st.container(horizontal=True):
            name = st.text_input("Who", placeholder="Night desk", max_chars=80)
            roles = st.multiselect("Roles", list(ROLES), accept_new_options=True)
            language = st.selectbox("Language", list(LANGUAGES), format_func=LANGUAGES.get)
        with st.container(horizontal=True):
            email = st.text_input("E-mail", placeholder="desk@example.com", max_chars=254)
            webhook = st.text_input("Webhook", placeholder="https://pager.example.com/lastmile", max_chars=500)
        if st.form_submit_button("Keep", type="primary", icon=":material/check:"):
            with errors.told():
                contact = Contact(name.strip(), tuple(roles), email.strip() or None, webhook.strip() or None, language)
                notifications.keep_contact(desk.store, contact, desk.view.actor)
                _told(f"{contact.name} is in the register.")


def ways(desk: Desk) -> None:
    """How each way to people is set up, a test of it, and when and of what people are told."""
    sender = desk.tower.notices
    for channel, icon in ((EMAIL, "mail"), (WEBHOOK, "webhook")):
        missing = sender.channels[channel].missing
        held_up = sender.why_not(channel, SOMEBODY[channel])
        told = f"not set up: {missing}" if missing else held_up.removeprefix("Not sent: ") if held_up else "ready"
        st.markdown(f":material/{icon}: **{channel.capitalize()}**: {told}")
    st.caption("How to set them up, and how a receiver of webhooks checks the signature: docs/notices.md.")
    with st.container(horizontal=True, vertical_alignment="top"):
        with st.popover("Send a test notice", icon=":material/send:"):
            _test_form(desk)
        with st.popover("Signing secret of a webhook", icon=":material/key:"):
            _secret(desk)
    _rules_form(desk)


def _test_form(desk: Desk) -> None:
    with st.form("test notice", border=False):
        address = st.text_input("To (e-mail address or webhook)", placeholder="you@example.com", max_chars=500)
        if st.form_submit_button("Send", type="primary"):
            with errors.told(), st.spinner("Sending …"):
                words = notifications.send_test(
                    desk.store, desk.tower.notices, address.strip(), desk.view.actor, desk.tower.now()
                )
                st.info(words, icon=":material/outgoing_mail:")


def _secret(desk: Desk) -> None:
    hooks = [hook for hook in desk.ask(notifications.staff).webhook if isinstance(hook, str)]
    if not hooks:
        st.caption("No webhook stands in the staff register.")
        return
    hook = st.selectbox("Webhook", hooks)
    st.code(secret_of(settings.signing_secret(desk.store), hook), language=None)
    st.caption("What is posted there is signed with it, and with it alone.")


def _rules_form(desk: Desk) -> None:
    now = desk.ask(settings.load)
    with st.form("notice rules"):
        with st.container(horizontal=True):
            begin = st.time_input("Quiet from", now.quiet_from, help="On the clocks of the delivery's place. Urgent staff notices go out all the same.")  # fmt: skip
            end = st.time_input("Quiet until", now.quiet_until, help="The same time twice: no quiet hours.")
            minutes = st.number_input(
                "Tell of changes beyond (min)", 0, settings.MOST_MINUTES, int(now.threshold_minutes), step=5,
                help="A re-plan is told to those whose expected time moves by more than this.",
            )  # fmt: skip
            language = st.selectbox(
                "Language", list(LANGUAGES), index=list(LANGUAGES).index(now.language), format_func=LANGUAGES.get,
                help="For recipients whose booking says none.",
            )  # fmt: skip
        if st.form_submit_button("Save", icon=":material/save:"):
            _save(desk, begin, end, minutes, language)


def _save(desk: Desk, begin: time | None, end: time | None, minutes: int, language: str) -> None:
    with errors.told():
        if begin is None or end is None:
            raise NotPossible("Say from when and until when it is quiet.")
        settings.save(desk.store, Settings(begin, end, float(minutes), language), desk.view.actor)
        _told("Saved.")


def texts(desk: Desk) -> None:
    """All texts in use, an operator's own among them; and what is wrong with files that can't be used."""
    found, problems = templates.in_use()
    for problem in problems:
        st.error(f"Not used: {problem}", icon=":material/error:")
    rows = [vars(one) for _, one in sorted(found.items())]
    desk.table(pd.DataFrame(rows), key="texts", alt="Texts of notices", columns=TEXTS, height=440)
    st.caption("Texts of your own: a file in data/notices, see docs/notices.md.")


def _told(words: str) -> None:
    st.session_state["notice told"] = words
    st.rerun()
