"""What can be done about exceptions, as data: a label, what it asks, and the decision that it takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pandas as pd

from lastmile import exceptions
from lastmile.exceptions import Outcome, Role
from lastmile.ui.desk import Desk
from lastmile.ui.exceptions import listing

WHY = "why"


@dataclass(frozen=True)
class Field:
    """One thing to say: `options` (value → words) makes it a choice, `open_ended` one that takes other words too."""

    name: str
    label: str
    options: Mapping[Any, str] | None = None
    open_ended: bool = False
    placeholder: str = ""
    wanted: bool = True


Do = Callable[[Desk, Mapping[str, int], Mapping[str, Any]], pd.DataFrame]
"""Desk, exception_id → the steps that were seen, what was said → one row per exception: exception_id, ok, words."""


@dataclass(frozen=True)
class Deed:
    """One thing to do: with no `fields` a press is enough. `asks` makes fields that depend on the desk and the exceptions;
    `opens` is the page on which it goes on."""

    key: str
    label: str
    icon: str
    meaning: str
    do: Do
    fields: tuple[Field, ...] = ()
    asks: Callable[[Desk, Sequence[Any]], tuple[Field, ...]] | None = None
    opens: str | None = None

    def fields_for(self, desk: Desk, found: Sequence[Any]) -> tuple[Field, ...]:
        return (*self.fields, *(self.asks(desk, found) if self.asks else ()))


A_WORD = Field(WHY, "Why", placeholder="Your reason in a word: it is kept")
MINUTES = {15: "15 min", 30: "30 min", 60: "1 h", 120: "2 h", 240: "4 h"}
OUTCOMES = {
    Outcome.PREVENTED: "prevented: the promise is kept",
    Outcome.BREACHED: "breached: the promise is broken",
    Outcome.ACCEPTED: "accepted as it is",
    Outcome.ENDED: "its cause is over",
    Outcome.FALSE_ALARM: "false alarm: there was nothing",
}


def _take(desk: Desk, seen: Mapping[str, int], said: Mapping[str, Any]) -> pd.DataFrame:  # noqa: ARG001
    return exceptions.assign(desk.store, seen, desk.view.actor, desk.view.actor, desk.tower.now())


def _acknowledge(desk: Desk, seen: Mapping[str, int], said: Mapping[str, Any]) -> pd.DataFrame:
    return exceptions.acknowledge(desk.store, seen, desk.view.actor, desk.tower.now(), said.get(WHY) or "")


def _assign(desk: Desk, seen: Mapping[str, int], said: Mapping[str, Any]) -> pd.DataFrame:
    return exceptions.assign(
        desk.store, seen, said["owner"] or "", desk.view.actor, desk.tower.now(), said.get(WHY) or ""
    )


def _snooze(desk: Desk, seen: Mapping[str, int], said: Mapping[str, Any]) -> pd.DataFrame:
    now = desk.tower.now()
    until = now + timedelta(minutes=said["minutes"])
    return exceptions.snooze(desk.store, seen, until, desk.view.actor, now, said[WHY] or "")


def _comment(desk: Desk, seen: Mapping[str, int], said: Mapping[str, Any]) -> pd.DataFrame:
    return exceptions.comment(desk.store, list(seen), said["text"] or "", desk.view.actor, desk.tower.now())


def _resolve(desk: Desk, seen: Mapping[str, int], said: Mapping[str, Any]) -> pd.DataFrame:
    return exceptions.resolve(desk.store, seen, said["outcome"], said[WHY] or "", desk.view.actor, desk.tower.now())


def _reopen(desk: Desk, seen: Mapping[str, int], said: Mapping[str, Any]) -> pd.DataFrame:
    return exceptions.reopen(desk.store, seen, said[WHY] or "", desk.view.actor, desk.tower.now())


def _people(desk: Desk, found: Sequence[Any]) -> tuple[Field, ...]:  # noqa: ARG001
    """Who may have it: you, who has something already, and the roles; any other name can be typed."""
    known = listing.every(desk)
    names = [desk.view.actor, *sorted(set(known.owner.dropna()) - {desk.view.actor})]
    options = {name: f"{name} (you)" if name == desk.view.actor else name for name in names}
    roles = {str(role): str(role) for role in Role if str(role) not in options}
    return (Field("owner", "Whose is it", options | roles, open_ended=True),)


TAKE = Deed("take", "Take it", "front_hand", "It is yours from now on, and counts as acknowledged", _take)
ACKNOWLEDGE = Deed(
    "acknowledge", "Acknowledge", "visibility", "Somebody looks after it; the owner stays", _acknowledge,
    (Field(WHY, "Why", placeholder="A word, if you like", wanted=False),),
)  # fmt: skip
ASSIGN = Deed(
    "assign", "Assign", "person_add", "Give it to somebody by name, or to a role", _assign,
    (Field(WHY, "Why", placeholder="A word, if you like", wanted=False),), _people,
)  # fmt: skip
SNOOZE = Deed(
    "snooze", "Snooze", "snooze", "Put it off: it is out of the queue until then, or until it gets worse", _snooze,
    (Field("minutes", "For how long", MINUTES), A_WORD),
)  # fmt: skip
COMMENT = Deed(
    "comment", "Comment", "chat", "Keep a word with it", _comment,
    (Field("text", "Comment", placeholder="What others should know"),),
)  # fmt: skip
RESOLVE = Deed(
    "resolve", "Resolve", "task_alt", "Close it, with what came of it", _resolve,
    (Field("outcome", "What came of it", OUTCOMES), A_WORD),
)  # fmt: skip
REOPEN = Deed("reopen", "Reopen", "undo", "Take it up again", _reopen, (A_WORD,))

DECISIONS = {deed.key: deed for deed in (TAKE, ACKNOWLEDGE, ASSIGN, SNOOZE, COMMENT, RESOLVE, REOPEN)}
BULK = (TAKE, ACKNOWLEDGE, ASSIGN, SNOOZE, RESOLVE)
