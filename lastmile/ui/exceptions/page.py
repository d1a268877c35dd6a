"""The Exceptions page: filters, the queue with bulk decisions, one exception with its history, or who has what."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from lastmile.exceptions import CATALOGUE, Severity
from lastmile.ui import shell
from lastmile.ui.desk import Desk
from lastmile.ui.exceptions import acting, board, deeds, listing, story, wording
from lastmile.ui.tables import Column

CHOSEN, TICKED = "exception", "exceptions ticked"
VIEWS = {"queue": "Queue", "owners": "By owner"}
STATE_WORDS = {"open": "Open", "snoozed": "Put off", "closed": "Closed"}
MOST_ROWS, ROWS_BESIDE_ONE = 9, 3
COLUMNS = {
    "severity": listing.SEVERITY,
    "told": Column("What, and what is so", width=420),
    "stake": listing.STAKE,
    "chance": Column("Chance", "percent", "Chance that it comes true", 76),
    "due": listing.DUE,
    "whose": listing.OWNER,
    "stands": Column("Stands", width=150, help="Open, taken up, put off, or closed and with what outcome"),
    "detected_at": Column("Seen", "instant", "When the tower noticed it", 130),
}


def show(desk: Desk) -> None:
    """Filters, and the view that is chosen."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="exception filters"):
        view = st.segmented_control(
            "View", list(VIEWS), default="queue", required=True, format_func=VIEWS.get, key="view", bind=shell.URL,
            label_visibility="collapsed",
        )  # fmt: skip
        found = _filtered(desk)
        shell.badge(desk.clock(), desk.view.as_of, desk.zone)
    if view == "owners":
        board.show(desk, found, choose)
    else:
        _queue(desk, found)
    chosen = ticked()
    if len(chosen) == 1:
        story.show(desk, chosen[0])


def ticked() -> tuple[str, ...]:
    """The exceptions that are ticked; one of them is the one that the address names."""
    kept = tuple(st.session_state.get(TICKED, ()))
    named = st.query_params.get(CHOSEN)
    return kept if named is None or named in kept else (named,)


def choose(ids: tuple[str, ...]) -> None:
    """Keep what is ticked; a single one in the address, so that it is a link."""
    acting.forget()
    st.session_state[TICKED] = ids
    if len(ids) == 1:
        st.query_params[CHOSEN] = ids[0]
    else:
        st.query_params.pop(CHOSEN, None)


def _filtered(desk: Desk) -> pd.DataFrame:
    """The rows that the filters leave, in the queue's order."""
    state = st.segmented_control(
        "State", list(listing.STATES), default="open", required=True, format_func=STATE_WORDS.get, key="state",
        bind=shell.URL, label_visibility="collapsed",
    )  # fmt: skip
    found = listing.rooted(desk, listing.STATES[state])
    found = found.assign(whose=[wording.owner(row) for row in found.itertuples()])
    found = _only(found, "severity", "severities", {str(one): str(one) for one in reversed(Severity)})
    found = _only(found, "whose", "owners", {name: name for name in sorted(set(found.whose) | set(_asked("owners")))})
    return _only(found, "key", "rules", {key: rule.label for key, rule in CATALOGUE.items()})


def _asked(name: str) -> list[str]:
    return list(st.session_state.get(name) or st.query_params.get_all(name))


def _only(found: pd.DataFrame, column: str, name: str, options: dict[str, str]) -> pd.DataFrame:
    if name == "owners" and not options:
        return found
    wanted = st.multiselect(
        name.capitalize(), list(options), format_func=lambda id: options.get(id, id), key=name, bind=shell.URL,
        placeholder=f"All {name}", label_visibility="collapsed", width=185, wrap=False,
    )  # fmt: skip
    return found[found[column].isin(wanted)] if wanted else found


def _queue(desk: Desk, found: pd.DataFrame) -> None:
    shown = listing.in_words(found, desk.at)
    shown = shown.assign(chance=shown.probability, stands=[wording.state(row, desk.zone) for row in shown.itertuples()])
    chosen = ticked()
    with st.container(border=True, key="exception queue"):
        _summary(desk, found)
        desk.table(
            shown,
            key="exceptions",
            alt="Exceptions",
            columns=listing.fitting(COLUMNS),
            id_column="exception_id",
            choose_many=choose,
            chosen_many=chosen,
            **listing.heights(len(shown), ROWS_BESIDE_ONE if len(chosen) == 1 else MOST_ROWS),
            empty=_nothing(),
            download="exceptions.csv",
        )
        _bulk(desk, found, chosen)


def _summary(desk: Desk, found: pd.DataFrame) -> None:
    rows = list(found.itertuples())
    overdue = sum(wording.is_overdue(row, desk.at) for row in rows)
    told = [f"**{len(rows)}** shown", f"**{overdue}** overdue" if overdue else "none overdue"]
    told += [f"**{words}** at stake" for words in listing.stakes(found)]
    if not listing.stakes(found) and rows:
        told.append("stake unknown")
    st.markdown(" · ".join(told) + " :gray[tick one for its history, several to decide them together]")


def _nothing() -> str:
    if any(_asked(name) for name in ("severities", "owners", "rules")):
        return "No exception is left by these filters. Clear one of them, or look at another state."
    return {
        "open": "Nothing needs anybody now. What the tower notices appears here by itself.",
        "snoozed": "Nothing is put off. What you snooze waits here until its time has come.",
        "closed": "Nothing was closed in the last seven days.",
    }[st.session_state.get("state", "open")]


def _bulk(desk: Desk, found: pd.DataFrame, chosen: tuple[str, ...]) -> None:
    """Decisions for all that is ticked at once, and what came of each, also of what has left the list by that."""
    if len(chosen) < 2:
        return
    several = list(found[found.exception_id.isin(chosen)].itertuples())
    if len(several) > 1:
        st.markdown(f"**{len(several)} ticked**")
        is_closed = all(row.state in listing.STATES["closed"] for row in several)
        acting.buttons(desk, several, (deeds.REOPEN,) if is_closed else deeds.BULK, key="bulk")
    acting.told(chosen)
