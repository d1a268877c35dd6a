"""Who is asking: what somebody takes on or decides bears this name."""

from __future__ import annotations

from urllib.parse import quote, unquote

import streamlit as st

from lastmile.ui import format

NOBODY = "operator"
YOUR_NAME = "your name"
LONGEST_NAME = 60
COOKIE, KEPT_DAYS = "lastmile_name", 90
"""Where the browser keeps the name between visits, and for how long: a desk that changes hands changes the name."""


def actor() -> str:
    """Who is asking: the person logged in, else the name given here or in this browser before, else "operator"."""
    if _logged_in():
        return str(getattr(st.user, "email", None) or getattr(st.user, "name", None) or NOBODY)
    given = st.session_state.get(YOUR_NAME)
    return _plain(_remembered() if given is None else given) or NOBODY


def ask() -> None:
    """Where there is no login, a place to say who you are."""
    if _logged_in():
        return
    name = actor()
    st.session_state.setdefault(YOUR_NAME, "" if name == NOBODY else name)
    shown = "Who are you?" if name == NOBODY else format.as_typed(name)
    with st.popover(shown, icon=":material/person:", help="Who is asking"):
        st.text_input(
            "Your name", key=YOUR_NAME, persist_state="session", max_chars=LONGEST_NAME, placeholder="Name or initials"
        )
        st.caption(
            f"What you take on or decide is kept under this name, else under “{NOBODY}”. This browser remembers it for "
            f"{KEPT_DAYS} days; empty it to be forgotten. Nobody checks it: this tower has no log-in."
        )
    _remember("" if name == NOBODY else name)


def _remembered() -> str:
    told = st.context.cookies.get(COOKIE)
    return unquote(told) if isinstance(told, str) else ""


def _remember(name: str) -> None:
    """Let the browser keep the name, once after each change of it."""
    if name == st.session_state.get("name remembered", _plain(_remembered())):
        return
    st.session_state["name remembered"] = name
    days = KEPT_DAYS if name else 0
    # quoted, it holds nothing that a script could mean something by
    said = f"{COOKIE}={quote(name, safe='')}; path=/; max-age={days * 86_400}; samesite=strict"
    st.html(f"<script>document.cookie = '{said}'</script>", unsafe_allow_javascript=True)


def _plain(name: str) -> str:
    """A name in one line, without characters that nobody sees: they could turn round or cut off what is read on record."""
    return "".join(letter for letter in " ".join(str(name).split()) if letter.isprintable())[:LONGEST_NAME]


def _logged_in() -> bool:
    return bool(getattr(st.user, "is_logged_in", False))
