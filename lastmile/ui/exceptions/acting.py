"""Buttons that do it: what a press does at once, what asks a word first, and what came of it, row by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from lastmile.errors import NotPossible
from lastmile.ui import shell
from lastmile.ui.desk import Desk
from lastmile.ui.exceptions import wording
from lastmile.ui.exceptions.deeds import Deed, Field

DOING, TOLD = "exceptions doing", "exceptions told"
MOST_BUTTONS = 3


@dataclass(frozen=True)
class Told:
    """What came of a deed: one row per exception: exception_id, ok, words; and what each of them is, in words."""

    key: str
    rows: pd.DataFrame
    names: Mapping[str, str]

    def about(self, ids: Sequence[str]) -> bool:
        return bool(set(self.rows.exception_id) & set(ids))


def buttons(
    desk: Desk,
    found: Sequence[Any],
    deeds: Sequence[Deed],
    more: Sequence[Deed] = (),
    *,
    key: str,
) -> None:
    """The deeds as buttons, the first the one to press, and `more` in a menu; nothing to press in the past.

    found: rows of the queue; a decision is checked against the steps that this person sees there.
    """
    if not desk.is_today:
        st.caption(":material/history: What is past can be looked at, not changed. Go back to now to act.")
        return
    with st.container(horizontal=True, gap="xsmall", key=f"{key} buttons"):
        for place, deed in enumerate(deeds):
            st.button(
                deed.label, icon=f":material/{deed.icon}:", help=deed.meaning, key=f"{key} {deed.key}",
                type="primary" if place == 0 else "secondary", on_click=_pressed, args=(desk, found, deed),
            )  # fmt: skip
        if more:
            st.menu_button(
                "More", [deed.key for deed in more], key=f"{key} more", icon=":material/more_horiz:",
                format_func={deed.key: deed.label for deed in more}.get,
                on_click=_picked, args=(desk, found, tuple(more), f"{key} more"),
            )  # fmt: skip
    _form(desk, found, (*deeds, *more), key)


def told(ids: Sequence[str]) -> None:
    """What came of the last deed, as long as one of these exceptions was part of it; each by name where it was several."""
    last: Told | None = st.session_state.get(TOLD)
    if last is None or not last.about(ids):
        return
    for row in last.rows.itertuples():
        name = f"**{last.names[row.exception_id]}**: " if len(last.rows) > 1 else ""
        if row.ok:
            st.caption(f":material/check: {name}{row.words}")
        else:
            st.warning(f"{name}{row.words}", icon=":material/group:")


def has_done(key: str, exception_id: str) -> bool:
    """Whether the last deed was this one, and went through for the exception."""
    last: Told | None = st.session_state.get(TOLD)
    return (
        last is not None and last.key == key and bool((last.rows.ok & (last.rows.exception_id == exception_id)).any())
    )


def forget() -> None:
    """Another exception is chosen: what was begun and what was told are of the one before."""
    st.session_state.pop(DOING, None)
    st.session_state.pop(TOLD, None)


def _pressed(desk: Desk, found: Sequence[Any], deed: Deed) -> None:
    if deed.fields or deed.asks:
        st.session_state[DOING] = (deed.key, _ids(found))
    else:
        _do(desk, found, deed, {})


def _picked(desk: Desk, found: Sequence[Any], deeds: Sequence[Deed], key: str) -> None:
    deed = next((deed for deed in deeds if deed.key == st.session_state.get(key)), None)
    if deed is not None:
        _pressed(desk, found, deed)


def _form(desk: Desk, found: Sequence[Any], deeds: Sequence[Deed], key: str) -> None:
    """What the deed that was begun asks; it stays open, with what is typed, while the page ticks."""
    doing, ids = st.session_state.get(DOING, (None, ()))
    deed = next((deed for deed in deeds if deed.key == doing), None)
    if deed is None or ids != _ids(found):
        return
    fields = deed.fields_for(desk, found)
    with st.form(f"{key} {deed.key} form", border=True):
        st.markdown(f"**{deed.label}** :gray[{deed.meaning}]")
        with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
            for field in fields:
                _ask(field, f"{key} {deed.key} {field.name}")
        with st.container(horizontal=True, gap="xsmall"):
            st.form_submit_button(
                deed.label, type="primary", icon=f":material/{deed.icon}:",
                on_click=_submitted, args=(desk, found, deed, fields, key),
            )  # fmt: skip
            st.form_submit_button("Not now", on_click=forget)


def _ask(field: Field, key: str) -> None:
    if field.options is None:
        st.text_input(field.label, key=key, placeholder=field.placeholder, max_chars=300)
        return
    st.selectbox(
        field.label, list(field.options), index=0, key=key, width=220, accept_new_options=field.open_ended,
        format_func=lambda value: field.options.get(value, str(value)),
    )  # fmt: skip


def _submitted(desk: Desk, found: Sequence[Any], deed: Deed, fields: Sequence[Field], key: str) -> None:
    said = {field.name: st.session_state.get(f"{key} {deed.key} {field.name}") for field in fields}
    _do(desk, found, deed, said)


def _do(desk: Desk, found: Sequence[Any], deed: Deed, said: Mapping[str, Any]) -> None:
    """Do it and keep what came of it; a form that was refused as a whole stays open."""
    try:
        rows = deed.do(desk, {row.exception_id: int(row.steps) for row in found}, said)
    except NotPossible as error:
        rows = pd.DataFrame({"exception_id": _ids(found), "ok": False, "words": str(error)})
    else:
        st.session_state.pop(DOING, None)
    st.session_state[TOLD] = Told(deed.key, rows, {row.exception_id: wording.what(row) for row in found})
    if deed.opens and rows.ok.all():
        _go_on(deed.opens, found)


def _go_on(page: str, found: Sequence[Any]) -> None:
    """To the page on which it goes on, with the scope narrowed to the depot."""
    depots = sorted({row.depot_id for row in found if isinstance(row.depot_id, str)})
    if depots:
        shell.narrow(depots=depots)
    shell.go_to(page)


def _ids(found: Sequence[Any]) -> tuple[str, ...]:
    return tuple(row.exception_id for row in found)
