"""From what rules find to the steps of each exception: detected, changed, cleared, opened again. Pure; the same for a look
at the present and for the quarter hours of past days."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any

import pandas as pd

from lastmile.exceptions.catalogue import CATALOGUE
from lastmile.exceptions.rule import FOUND, Outcome, Rule, Subject
from lastmile.exceptions.settings import Settings
from lastmile.exceptions.situation import Situation
from lastmile.model import EventType, stable_id

BREACH_MOVED = pd.Timedelta(minutes=5)
LOOKS_EVERY = pd.Timedelta(seconds=5)
"""The running tower looks so often: between the looks of a replay, what a fact made so is dated so long after the fact."""
ENDS = {"cancelled": Outcome.ENDED, "returned": Outcome.ENDED}
PLACE = {
    Subject.DELIVERY: "delivery_id",
    Subject.VEHICLE: "route_id",
    Subject.DEPOT: "depot_id",
    Subject.SOURCE: "source",
}
"""By which column of what it explains a root is found."""


def exception_id(key: str, subject_id: str, day: object) -> str:
    """The id that the same condition of the same subject always has on a day."""
    return str(stable_id("exception", key, subject_id, f"{day:%Y-%m-%d}"))


def find_all(situation: Situation) -> pd.DataFrame:
    """What all rules find, FOUND with `key` and `exception_id`; one row per instant and exception."""
    parts = [rule.find(situation).assign(key=key) for key, rule in CATALOGUE.items()]
    parts = [part for part in parts if len(part)]
    if not parts:
        return pd.DataFrame(columns=[*FOUND, "key", "exception_id"])
    frame = pd.concat([part.astype(object) for part in parts], ignore_index=True)
    ids = {one: exception_id(*one) for one in set(zip(frame.key, frame.subject_id, frame.day, strict=True))}
    frame["exception_id"] = [ids[one] for one in zip(frame.key, frame.subject_id, frame.day, strict=True)]
    return frame.sort_values("instant", kind="stable").drop_duplicates(["instant", "exception_id"])


@dataclass
class Kept:
    """An exception as it stands: what was said of it last, and whether it is open."""

    exception_id: str
    key: str
    said: dict[str, Any]
    open: bool = True
    gone: bool = False
    steps: int = 1
    snoozed_until: datetime | None = None
    owner: str | None = None
    day: Any = None
    place: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """One thing that happened to an exception at an instant; `said` is what is kept with it."""

    type: EventType
    at: datetime
    exception: Kept
    step: int
    said: Mapping[str, Any]
    place: Mapping[str, Any]


class Book:
    """All exceptions that are known, and what a look at a situation makes of them; `looked_at` is the look before."""

    def __init__(self, settings: Settings, kept: Iterable[Kept] = (), looked_at: datetime | None = None) -> None:
        self.settings = settings
        self._last_look = looked_at
        self.kept = {one.exception_id: one for one in kept}

    def look(self, found: pd.DataFrame, instants: Sequence[datetime], ends: Mapping[str, Any]) -> list[Step]:
        """The steps that follow from what was found at each of some instants, in order; `ends` as of `ends_by_delivery`."""
        rows = {at: list(part) for at, part in groupby(found.itertuples(index=False), key=lambda row: row.instant)}
        return [step for at in instants for step in self._look(pd.Timestamp(at), rows.get(pd.Timestamp(at), []), ends)]

    def _look(self, at: datetime, rows: list[Any], ends: Mapping[str, Any]) -> list[Step]:
        steps = self._at(at, rows, ends)
        self._last_look = at
        return steps

    def _noticed(self, at: datetime, row: Any) -> datetime:
        """When it was noticed: at this look, or, where a fact since the last one made it so, a moment after the fact."""
        if not CATALOGUE[row.key].by_fact or self._last_look is None or not row.since > self._last_look:
            return at
        return min(at, row.since + LOOKS_EVERY)

    def _at(self, at: datetime, rows: list[Any], ends: Mapping[str, Any]) -> list[Step]:
        live = [row for row in rows if row.fires or self._is_open(row.exception_id)]
        marks = {mark for row in live for mark in _marks(row)}
        covers = {row.exception_id: cover for row in live if (cover := _cover(row, marks))}
        shown = {row.exception_id: row for row in live if row.exception_id not in covers}
        roots = _roots(shown)
        steps = [step for id, row in shown.items() if (step := self._found(at, row, roots.get(id)))]
        for kept in list(self.kept.values()):
            cover = covers.get(kept.exception_id)
            if kept.exception_id not in shown and (step := self._missing(at, kept, cover, ends)):
                steps += [step, *self._handed_on(at, kept, cover, shown)]
        return steps

    def _handed_on(self, at: datetime, kept: Kept, cover: str | None, shown: Mapping[str, Any]) -> list[Step]:
        """Whose the exception was, the one that takes its place is too."""
        if kept.owner is None or cover is None:
            return []
        name = PLACE[CATALOGUE[kept.key].subject]
        heirs = [
            self.kept[id]
            for id, row in shown.items()
            if row.key == cover and getattr(row, name) == kept.place.get(name)
        ]
        told = {"owner": kept.owner, "because": f"It goes on from: {CATALOGUE[kept.key].label.lower()}."}
        for heir in heirs:
            heir.owner = kept.owner
        return [self._step(EventType.EXCEPTION_ASSIGNED, at, heir, told) for heir in heirs]

    def _is_open(self, id: str) -> bool:
        return id in self.kept and self.kept[id].open

    def _found(self, at: datetime, row: Any, root_id: str | None) -> Step | None:
        kept = self.kept.get(row.exception_id)
        if kept is None:
            at = self._noticed(at, row)
            said = saying(row, root_id, at)
            self.kept[row.exception_id] = kept = Kept(
                row.exception_id, row.key, said, steps=0, day=row.day, place=place_of(row)
            )
            return self._step(EventType.EXCEPTION_DETECTED, at, kept, said)
        if not kept.open and not kept.gone:
            return None  # a person has closed it, and it is as it was
        said = saying(row, root_id, at)
        if not kept.open:
            kept.open, kept.gone = True, False
            return self._tell(EventType.EXCEPTION_REOPENED, at, kept, said, row, because="It came back.")
        if not self._matters(kept.said, said):
            return None
        if (
            kept.snoozed_until is not None
            and kept.snoozed_until > at
            and said["probability"] > kept.said["probability"]
        ):
            kept.snoozed_until = None
            return self._tell(EventType.EXCEPTION_REOPENED, at, kept, said, row, because="It got worse.")
        return self._tell(EventType.EXCEPTION_CHANGED, at, kept, said, row)

    def _tell(self, type: EventType, at: datetime, kept: Kept, said: dict[str, Any], row: Any, **more: str) -> Step:
        kept.said, kept.place = said, place_of(row)
        return self._step(type, at, kept, said | more)

    def _missing(self, at: datetime, kept: Kept, cover: str | None, ends: Mapping[str, Any]) -> Step | None:
        if kept.gone:
            return None
        was_open, kept.open, kept.gone = kept.open, False, True
        outcome = outcome_of(kept, at, cover, ends) if was_open else Outcome.ENDED
        return self._step(EventType.EXCEPTION_CLEARED, at, kept, {"outcome": str(outcome), "because": cover})

    def _matters(self, before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
        stake = abs(now["stake"] - before["stake"])
        return (
            now["root_id"] != before["root_id"]
            or now["severity"] != before["severity"]
            or abs(now["probability"] - before["probability"]) >= self.settings["material_chance"]
            or stake > self.settings["material_stake_share"] * max(abs(before["stake"]), 0.01)
            or _moved(before["breach_at"], now["breach_at"])
        )

    def _step(self, type: EventType, at: datetime, kept: Kept, said: Mapping[str, Any]) -> Step:
        if type != EventType.EXCEPTION_CHANGED:
            kept.steps += 1
        return Step(type, at, kept, kept.steps, dict(said), dict(kept.place))


def saying(row: Any, root_id: str | None, at: datetime) -> dict[str, Any]:
    """What is kept of a finding: plain values, times as ISO 8601."""
    rule = CATALOGUE[row.key]
    breach = None if pd.isna(row.breach_at) else row.breach_at
    return {
        "key": row.key,
        "subject_kind": str(rule.subject),
        "subject_id": row.subject_id,
        "severity": str(rule.severity),
        "owner_role": str(rule.owner),
        "stake": round(float(row.stake), 2) if pd.notna(row.stake) else 0.0,
        "currency": row.currency if isinstance(row.currency, str) else None,
        "stake_assumed": bool(row.stake_assumed),
        "probability": round(float(row.probability), 3),
        "breach_at": breach and breach.isoformat(),
        "due_at": rule.due.at(at, breach).isoformat(),
        "occurred_at": row.occurred_at.isoformat(),
        "detectable_at": min(row.since, at).isoformat() if pd.notna(row.since) else at.isoformat(),
        "root_id": root_id,
        "words": row.words,
        **{
            name: value
            for name in ("carrier_id", "service", "recipient", "source")
            if isinstance(value := getattr(row, name), str)
        },
    }


def place_of(row: Any) -> dict[str, Any]:
    """The columns of an event that say where it belongs."""
    return {
        name: value
        for name in ("delivery_id", "route_id", "vehicle_id", "depot_id")
        if isinstance(value := getattr(row, name), str)
    }


def outcome_of(kept: Kept, at: datetime, cover: str | None, ends: Mapping[str, Any]) -> Outcome:
    """What came of an exception whose condition is gone: judged by its breach, and by what ended its delivery."""
    breach = kept.said.get("breach_at")
    if breach is None:
        return Outcome.REPLACED if cover else Outcome.ENDED
    breach_at = pd.Timestamp(breach)
    end = ends.get(kept.place.get("delivery_id")) if kept.said["subject_kind"] == Subject.DELIVERY else None
    if end is not None and end[0] == "handed_over" and end[2] <= at:
        return Outcome.PREVENTED if end[1] <= breach_at else Outcome.BREACHED
    if end is not None and end[0] in ENDS and end[2] <= at:
        return ENDS[end[0]]
    if at > breach_at:
        return Outcome.BREACHED
    return Outcome.REPLACED if cover else Outcome.PREVENTED


def ends_by_delivery(ends: pd.DataFrame) -> dict[str, tuple[str, Any, Any]]:
    """delivery_id → how it ended, the instant its promise is judged by, and when that was known."""
    return {row.delivery_id: (row.how, row.anchor_at, row.known_at) for row in ends.itertuples(index=False)}


def _marks(row: Any) -> list[tuple[str, str, Any]]:
    """By what an exception is found as the cover of others: its key, kind of place and place."""
    subject = CATALOGUE[row.key].subject
    name = PLACE.get(subject)
    return [(row.key, name, getattr(row, name))] if name else []


def _cover(row: Any, marks: set[tuple[str, str, Any]]) -> str | None:
    rule: Rule = CATALOGUE[row.key]
    return next(
        (key for key in rule.covered_by if (key, PLACE[rule.subject], getattr(row, PLACE[rule.subject])) in marks), None
    )


def _roots(shown: Mapping[str, Any]) -> dict[str, str]:
    """exception_id → the id of the topmost root that explains it."""
    by_mark = {mark: id for id, row in shown.items() for mark in _marks(row)}
    own = {id: root for id, row in shown.items() if (root := _root(row, by_mark)) and root != id}
    return {id: _topmost(root, own) for id, root in own.items()}


def _root(row: Any, by_mark: Mapping[tuple[str, str, Any], str]) -> str | None:
    for key in CATALOGUE[row.key].roots:
        name = PLACE[CATALOGUE[key].subject]
        place = getattr(row, name)
        if isinstance(place, str) and (key, name, place) in by_mark:
            return by_mark[key, name, place]
    return None


def _topmost(root: str, own: Mapping[str, str]) -> str:
    seen = {root}
    while root in own and own[root] not in seen:
        root = own[root]
        seen.add(root)
    return root


def _moved(before: str | None, now: str | None) -> bool:
    if before is None or now is None:
        return before is not now
    return abs(pd.Timestamp(now) - pd.Timestamp(before)) >= BREACH_MOVED
