"""What a page's address asks for: in plain words where some of it can't be understood, and what is shown instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

import streamlit as st

from lastmile.model import Scope
from lastmile.ui import format, shell

FILTERS = {"depots": "depot", "carriers": "carrier", "services": "service"}
SCOPE = (*FILTERS, "day", "period", "days", "as_of")
"""Every page has a link of any other carry these on, whether it asks for them or not."""
OWN = (
    "by", "chosen", "delivery", "exception", "kpi", "owners", "q", "replanned", "rules", "severities", "source", "state",
    "vehicle", "view",
)  # fmt: skip
"""What single pages ask for besides."""
STREAMLIT = ("embed", "embed_options")
TOLD = "address told"

Asked = Mapping[str, Sequence[str]]


def asked() -> Asked:
    """What the address says before any filter is drawn: what a filter can't read, it takes out of the address."""
    return {name: st.query_params.get_all(name) for name in st.query_params}


def tell(title: str, said: Asked, view: shell.View, when: shell.When) -> None:
    """Say what was not understood, until the page is left or something else is chosen."""
    before = st.session_state.get(TOLD)
    told = before if before is not None and before.title == title else _Told(title)
    news = {name: texts for name, texts in said.items() if told.said.get(name) != texts}
    if sentences := list(not_understood(news, view, when)):
        told = replace(told, sentences=sentences, shown=(view.scope, view.as_of))
    st.session_state[TOLD] = replace(told, said={**told.said, **said})
    if told.shown == (view.scope, view.as_of):
        st.warning(" ".join(told.sentences), icon=":material/link_off:")


@dataclass(frozen=True)
class _Told:
    """What a page has said of the addresses that it was opened at, and the scope and instant that it then showed."""

    title: str
    said: Asked = field(default_factory=dict)
    sentences: Sequence[str] = ()
    shown: tuple[Scope, datetime | None] | None = None


def not_understood(said: Asked, view: shell.View, when: shell.When) -> Iterator[str]:
    """A sentence for each part of an address that the page could not follow, with what it shows instead."""
    if when != "none":
        for name, noun in FILTERS.items():
            yield from _filter(noun, said.get(name, ()), getattr(view.choices, name), getattr(view.scope, name))
        yield from _as_of(_first(said, "as_of"), view)
    if when == "day":
        yield from _day(_first(said, "day"), view)
    if when == "period":
        yield from _period(said, view)
    unknown = [name for name in said if name not in (*SCOPE, *OWN, *STREAMLIT)]
    if unknown:
        yield f"The address asks for {_quoted(unknown)}, which no page knows; the page is shown without it."


def _filter(noun: str, wanted: Sequence[str], options: Mapping[str, str], chosen: Sequence[str]) -> Iterator[str]:
    missing = [one for one in wanted if one and one not in options and one not in options.values()]
    if missing and len(options) > 1:
        instead = ", ".join(options[one] for one in chosen) if chosen else f"all {noun}s"
        yield f"No {noun} on record is called {_quoted(missing)}: shown is {format.as_typed(instead)}."


def _day(text: str | None, view: shell.View) -> Iterator[str]:
    shown = view.scope.day_to
    if text and _read(date.fromisoformat, text) != shown and view.as_of is None:
        why = "is not a day that can be shown" if _read(date.fromisoformat, text) else "is not a day"
        yield f"{_quoted([text])} in the address {why}: shown is {format.day(shown)}."


def _period(said: Asked, view: shell.View) -> Iterator[str]:
    scope, text, days = view.scope, _first(said, "period"), said.get("days", ())
    shown = f"shown is {format.day(scope.day_from)} to {format.day(scope.day_to)}."
    if text and text not in shell.PERIODS:
        yield f"{_quoted([text])} in the address is not a period: {shown}"
    elif (
        text == "Other days"
        and days
        and {_read(date.fromisoformat, day) for day in days} != set(_ends(scope, len(days)))
    ):
        yield f"{_quoted(days)} in the address are not days that can be shown: {shown}"


def _ends(scope: Scope, number: int) -> list[date | None]:
    return [scope.day_from, scope.day_to][:number]


def _as_of(text: str | None, view: shell.View) -> Iterator[str]:
    if text and view.as_of is None:
        known = _read(datetime.fromisoformat, text) is not None
        why = "has not come yet" if known else "is not an instant"
        yield f"{_quoted([text])} in the address {why}: shown is the present."


def _first(said: Asked, name: str) -> str | None:
    return next(iter(said.get(name, ())), None)


def _read(parse: Any, text: str) -> Any:
    try:
        return parse(text)
    except ValueError:
        return None


def _quoted(texts: Sequence[str]) -> str:
    return ", ".join(f"“{format.as_typed(text[:60])}”" for text in texts)
