"""Exceptions in rows: the frame and the columns that Live and the Exceptions page show."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pandas as pd

from lastmile import exceptions
from lastmile.exceptions.queue import LOOKS_BACK, grouped, ranked
from lastmile.model import Scope
from lastmile.store import Store
from lastmile.ui import format, shell
from lastmile.ui.desk import Desk, local_date
from lastmile.ui.exceptions import wording
from lastmile.ui.tables import Column

STATES = {
    "open": ("open", "acknowledged"),
    "snoozed": ("snoozed",),
    "closed": ("resolved", "cleared"),
}
"""What the page calls a state → the states of the ledger."""
OPEN_OR_PUT_OFF = (*STATES["open"], *STATES["snoozed"])
TWO_LINES = 57
"""Pixels of a row whose words may break into lines: cells do so from four times the font's size on."""

FIVE_LINES, HEADING, PHONE_WIDTH = 96, 36, 200

SEVERITY = Column("Severity", "status", "From low to critical; the colour says what it means for the promise", 88)
STAKE = Column("At stake", "whole_money", "Lost if it comes true, over all that it covers", 66)
DUE = Column("Due", width=90, help="Until somebody must act; overdue: nobody has acted in time")
OWNER = Column("Owner", width=84, help="Who has it; a role where nobody has taken it yet")
QUEUE = {
    "severity": SEVERITY,
    "told": Column("What, and what is so", width=252),
    "stake": STAKE,
    "due": DUE,
    "whose": OWNER,
}


def fitting(columns: dict[str, Column]) -> dict[str, Column]:
    """The columns as a screen of this width can show them: on a phone the words first, in what there is of room."""
    if not shell.is_phone():
        return columns
    told = replace(columns["told"], width=PHONE_WIDTH)
    return {"told": told} | {name: column for name, column in columns.items() if name != "told"}


def heights(n: int, most: int) -> dict[str, int]:
    """Height of a table of `n` rows and of each of them, of which at most so many are in sight at once."""
    row = FIVE_LINES if shell.is_phone() else TWO_LINES
    return {"row_height": row, "height": row * min(most, n) + HEADING}


def scope_of(desk: Desk) -> Scope:
    """The page's scope without its days: a queue holds what is open, of whatever day."""
    scope = desk.view.scope
    return Scope(scope.depots, scope.carriers, scope.services)


def queue(desk: Desk) -> pd.DataFrame:
    """What needs somebody now, one row per root, the dearest and most urgent first; of a day to come only what is its own."""
    found = rooted(desk, STATES["open"])
    is_to_come = desk.day > local_date(desk.at, desk.zone)
    return found[pd.to_datetime(found.day).dt.date == desk.day] if is_to_come else found


def rooted(desk: Desk, states: tuple[str, ...]) -> pd.DataFrame:
    """One row per root of the desk's scope in some states, columns of the queue, the highest rank first."""
    return desk.share(_rooted, states)


def every(desk: Desk) -> pd.DataFrame:
    """One row per exception of the desk's scope and the last week, roots and what they explain, in whatever state, ranked."""
    return desk.share(_standing, False)


def opened(desk: Desk) -> pd.DataFrame:
    """The rows of `every` that are not over: few of a week's, and all that a page needs that looks again and again."""
    return desk.share(_standing, True)


def _rooted(desk: Desk, states: tuple[str, ...]) -> pd.DataFrame:
    found = opened(desk) if set(states).isdisjoint(STATES["closed"]) else every(desk)
    return grouped(found[found.state.isin(states)])


def _standing(desk: Desk, open_only: bool) -> pd.DataFrame:
    at, scope = desk.at, scope_of(desk)
    day_from = at.date() - LOOKS_BACK
    return ranked(desk.ask(exceptions.exceptions, at, day_from=day_from, scope=scope, open_only=open_only), at)


def in_words(found: pd.DataFrame, at: datetime) -> pd.DataFrame:
    """Rows of the queue with `told`, `due` and `whose` in words."""
    rows = list(found.itertuples())
    return found.assign(
        told=[f"{wording.what(row)}: {wording.sentence(row).rstrip('.')}" for row in rows],
        due=[wording.due(row, at) for row in rows],
        whose=[wording.owner(row) for row in rows],
    )


def around(desk: Desk, exception_id: str) -> pd.DataFrame:
    """One row per exception that may have to do with one, ranked: those of the last week, or of its own day if it is older."""
    found = every(desk)
    return found if exception_id in set(found.exception_id) else desk.ask(long_ago, exception_id, desk.at)


def long_ago(store: Store, exception_id: str, at: datetime) -> pd.DataFrame:
    """One row per exception of the day that an old one is of, ranked."""
    return ranked(exceptions.beside(store, exception_id, at), at)


def one(desk: Desk, exception_id: str) -> Any:
    """The row of an exception in whatever state it is, with the columns of the queue; None where there is no such one."""
    found = around(desk, exception_id)
    known = found.set_index("exception_id").state
    if exception_id not in known:
        return None
    alike = next(states for states in STATES.values() if known[exception_id] in states)
    roots = grouped(found[found.state.isin(alike)])
    own = roots[roots.exception_id == exception_id]
    # under a root it has no row of its own there
    own = own if len(own) else grouped(found[found.exception_id == exception_id])
    return next(own.itertuples())


def about(queue: pd.DataFrame, desk: Desk, kind: str, id: str) -> str | None:
    """The exception in the queue that a delivery or vehicle is part of, the one of highest rank; None where it is of none."""
    column = "delivery_id" if kind == "delivery" else "vehicle_id"
    found = opened(desk)
    mine = found[found[column] == id]
    ids = {*mine.exception_id, *mine.root_id.dropna()}
    return next((one for one in queue.exception_id if one in ids), None)


def stakes(found: pd.DataFrame) -> list[str]:
    """The money at stake in words, one for each currency; empty where none is known."""
    known = found[found.stake.notna()]
    sums = known.groupby(known.currency.fillna("EUR")).stake.sum()
    return [format.money(amount, currency, 0) for currency, amount in sums.items()]
