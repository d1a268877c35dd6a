"""What a person reads when something goes wrong: a sentence and a reference; the traceback goes to the log."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from lastmile.errors import LastmileError

log = logging.getLogger("lastmile.ui")


def tell(error: Exception) -> bool:
    """Show an error of any page, fragment or callback in words; True, so that Streamlit shows nothing of its own."""
    if isinstance(error, LastmileError):
        st.error(str(error), icon=":material/error:")
        return True
    reference = secrets.token_hex(3).upper()
    log.error("reference %s", reference, exc_info=error)
    st.error(
        f"**This part can't be shown.** Nothing was changed. Reload the page; if it happens again, give your "
        f"administrator the reference **{reference}**: the log holds what went wrong.",
        icon=":material/error:",
    )
    return True


@contextmanager
def told() -> Iterator[None]:
    """Keep an error to the part of a page it happens in: `with errors.told(): …`; the rest of the page goes on."""
    try:
        yield
    except Exception as error:
        tell(error)
