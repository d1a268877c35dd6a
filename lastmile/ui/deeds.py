"""What the person at a page has done, so that no page shows them what was true before it as if it were new."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from lastmile.store import Store

OWN = "deeds known"
_of_nobody: WeakKeyDictionary[Store, int] = WeakKeyDictionary()
"""What was done beside all pages, such as by an import that runs on: everybody may have been waiting for it."""


def known(store: Store) -> int:
    """The number of the last deed that whoever looks must find in what they are shown; deeds of others may come a minute later."""
    if store.on_deed is None:
        store.on_deed = lambda number: _note(store, number)
    return max(st.session_state.get(OWN, 0), _of_nobody.get(store, 0))


def _note(store: Store, number: int) -> None:
    if get_script_run_ctx(suppress_warning=True) is None:
        _of_nobody[store] = number
    else:
        st.session_state[OWN] = number
