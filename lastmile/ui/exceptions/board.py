"""Who has what: a card for each owner with what is open, what is overdue and how much is at stake."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st

from lastmile.ui import format, palette
from lastmile.ui.desk import Desk
from lastmile.ui.exceptions import listing, wording

MOST_LINES = 6


def show(desk: Desk, found: pd.DataFrame, choose: Callable[[tuple[str, ...]], None]) -> None:
    """One card per owner, who has most at stake first. found: rows of the queue with `whose`."""
    if found.empty:
        st.info("Nobody has anything open here. Clear a filter, or look at another state.", icon=":material/inbox:")
        return
    order = found.groupby("whose")["rank"].sum().sort_values(ascending=False, kind="stable").index
    grid = st.grid("auto", min_column_width=400, gap="small")
    for owner in order:
        with grid.cell(), st.container(border=True, key=f"owner {owner}", height="stretch"):
            _card(desk, owner, found[found.whose == owner], choose)


def _card(desk: Desk, owner: str, mine: pd.DataFrame, choose: Callable[[tuple[str, ...]], None]) -> None:
    rows = list(mine.itertuples())
    overdue = sum(wording.is_overdue(row, desk.at) for row in rows)
    is_role = mine.owner.isna().all()
    st.markdown(f"**{format.as_typed(owner)}** :gray[{'a role: nobody owns these by name' if is_role else 'by name'}]")
    told = [format.count(len(rows), "exception")]
    told += [f":orange-badge[:material/alarm: {overdue} overdue]"] if overdue else ["none overdue"]
    told.append(f"**{' + '.join(listing.stakes(mine)) or format.UNKNOWN}** at stake")
    st.markdown(" · ".join(told))
    with st.container(gap="xxsmall"):
        for row in rows[:MOST_LINES]:
            _line(desk, row, choose)
    if len(rows) > MOST_LINES:
        st.caption(f"and {len(rows) - MOST_LINES} more, in the queue")


def _line(desk: Desk, row: Any, choose: Callable[[tuple[str, ...]], None]) -> None:
    look = palette.look(row.severity)
    colour = "orange" if wording.is_overdue(row, desk.at) else "gray"
    st.button(
        f":{look.theme_colour}[{look.glyph}] :{colour}[{wording.due(row, desk.at)}] · {format.as_typed(wording.what(row))}",
        key=f"board {row.exception_id}", type="tertiary", wrap=False, help=format.as_typed(wording.sentence(row)),
        on_click=choose, args=((row.exception_id,),),
    )  # fmt: skip
