"""The tower as a page sees it: what to choose from, the clock, and answers that are kept for as long as the data stand."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from contextlib import nullcontext
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from time import sleep
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from lastmile import exceptions, queries, runtime
from lastmile.clock import Mode, zone_of_most
from lastmile.errors import SnapshotClosed
from lastmile.exceptions.queue import LOOKS_BACK
from lastmile.model import Scope
from lastmile.runtime import Moment, Tower
from lastmile.store import Answering, Store
from lastmile.ui import address, deeds, freshness, pace, shell, tables
from lastmile.ui.kept import Kept
from lastmile.ui.readings import READINGS, Reading
from lastmile.ui.shell import View, When

TICK_SECONDS = 5
"""How often a part looks again whose news are not urgent; those of Live as of `pace`."""

SOURCE_SILENT = "source_silent"
HEAD_START_SECONDS = 0.25
"""What a browser needs for the first figures after their arrival, on two cores: 0.1 to 0.25 s measured."""

NOW = "the instant of the reading"
WORKING_OUT = "Working the figures out …"
SETTLING = timedelta(hours=6)
"""So long after its midnight a day's figures may still change by the hour alone: what was promised for its last minutes falls due."""

_ANSWERS = Kept()


@dataclass(frozen=True)
class Desk:
    """One page at one instant: the tower, what the person chose, and the instant `at` that all its questions share.

    A page of figures shows a `reading` of the ledger, up to a minute old or older while a newer one is made; or the figures of
    a past instant (`of_figures` without one). Other pages stand at the tower's present moment.
    """

    tower: Tower
    view: View
    at: datetime
    reading: Reading | None = None
    of_figures: bool = False

    @property
    def version(self) -> int | None:
        """The version of the data that the page stands at; None: the present one."""
        return self.reading.snapshot.version if self.reading else None

    @property
    def store(self) -> Store:
        return self.tower.store

    @property
    def zone(self) -> str:
        return self.view.zone

    @property
    def day(self) -> date:
        """The service day that a page of one day shows: the chosen one, or the day of the past instant it stands at."""
        if self.view.as_of is not None:
            return local_date(self.view.as_of, self.zone)
        return self.view.scope.day_to or local_date(self.at, self.zone)

    @property
    def is_today(self) -> bool:
        return self.view.as_of is None and self.day == local_date(self.tower.now(), self.zone)

    def ask(self, question: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """The answer of a question of queries or kpis, kept until the data change; sessions share it."""
        if self.reading is not None:
            return self._read(self.reading, question, arguments, named)
        key = _key(self.tower, question, arguments, named, None, past=self.of_figures)
        quick = not self.of_figures or key in _ANSWERS
        with nullcontext() if quick else st.spinner(WORKING_OUT):
            return _ANSWERS.get(key, lambda: question(self.store, *arguments, **named))

    def _read(self, reading: Reading, question: Callable[..., Any], arguments: tuple, named: dict[str, Any]) -> Any:
        """What the reading answers; where it can't any more, the page waits for a newer one and runs again.

        An argument that is the desk's instant is that of the reading which answers: the next one is asked the same.
        """
        asked = tuple(NOW if one is self.at else one for one in arguments)
        key = (_name(question), _hashable(asked), _hashable(named))
        over = "day_to" in named and named["day_to"] is not None and named["day_to"] < local_date(reading.at, self.zone)

        def read(store: Answering) -> Any:
            at = _instant(store.at, self.view)
            return question(store, *(at if one is NOW else one for one in asked), **named)

        def read_of_days_over(store: Answering) -> Any:
            """Days that are over change seldom: their answer is of the next reading too."""
            known = store.version_of(named.get("day_from"), named["day_to"])
            return _ANSWERS.get((*key, str(store.path), known, _settling(store.at, self.zone)), lambda: read(store))

        with nullcontext() if key in reading else st.spinner(WORKING_OUT):
            try:
                return reading.ask(key, read_of_days_over if over else read)
            except SnapshotClosed:
                READINGS.await_newer(reading)
        return st.rerun()

    def share(self, make: Callable[..., Any], *arguments: Any) -> Any:
        """What `make(desk, *arguments)` makes, worked out once for all desks that look at the same at the same instant.

        It may depend on nothing else: not on who asks, nor on what is chosen. What rests on predictions is told their number.
        """
        return self.keep((f"{make.__module__}.{make.__qualname__}", *arguments), lambda: make(self, *arguments))

    def keep(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """What `make` makes of what the desk looks at and the key, worked out once for all desks that look at the same."""
        version = _standing(self.tower, self.version)
        scope, as_of, dark = self.view.scope, self.view.as_of, self.view.dark
        looks_at = (str(self.store.path), version, scope, as_of, self.day, self.at, self.zone, dark, self.is_today)
        return _ANSWERS.get((key, looks_at), make)

    def depots(self) -> pd.DataFrame:
        """One row per depot, as of queries.depots. They seldom change: events that stream in do not make them asked anew."""
        found = answer(self.tower, queries.depots, latest=self.tower.settled().version)
        return found if len(found) else self.ask(queries.depots)

    def table(self, frame: pd.DataFrame, **options: Any) -> None:
        """A table in the desk's zone and theme; options as of `tables.table`."""
        tables.table(frame, **({"zone": self.zone, "dark": self.view.dark} | options))

    def refreshed(self) -> Desk:
        """The same desk at the present instant, for a panel that ticks."""
        return Desk(self.tower, self.view, _instant(present(self.tower).at, self.view))

    def clock(self) -> shell.Clock:
        """The tower's clock, for the badge."""
        if self.reading is not None:
            return self.reading.ask("clock", lambda store: _clock(self.tower, store.at))
        return _clock(self.tower, present(self.tower).at)


def open_desk(
    title: str, *, when: When = "day", ticking: bool = False, figures: Callable[[Desk], None] | None = None
) -> Desk:
    """Open a page on the running tower: first line of each page.

    `figures` draws what stands right under the bar. On a plain opening of a session that comes before the filters, and
    the browser gets the time to paint it: else it would load the code of filters, map and table first of all, and the
    figures, which need little, would wait with them.
    """
    tower = runtime.tower()
    if when == "period":
        return _open_figures(tower, title)
    now = present(tower).at
    choices, clock = _choices(tower, None), _clock(tower, now)
    said, bar = address.asked(), shell.bar(title)
    figures_first = figures is not None and shell.opens_plainly()
    if figures_first:
        figures(Desk(tower, shell.plain_view(choices, clock), now))
        sleep(HEAD_START_SECONDS)
    with bar:
        view = shell.scope_and_instant(title, choices, clock, when=when, ticking=ticking)
    address.tell(title, said, view, when)
    desk = Desk(tower, view, _instant(now, view))
    if figures is not None and not figures_first:
        figures(desk)
    return desk


def _open_figures(tower: Tower, title: str) -> Desk:
    """Open a page of figures: at its last reading, which says of which instant it is, or at a past instant."""
    choices, clock = _choices(tower, tower.settled().version), shell.Clock(tower.now())
    said, opened = address.asked(), []

    def show_badge(view: View) -> None:
        opened.append(_at_reading(tower, title, view))
        freshness.show(opened[0], clock)

    with shell.bar(title):
        view = shell.scope_and_instant(title, choices, clock, when="period", show_badge=show_badge)
    address.tell(title, said, view, "period")
    freshness.tell_failure(opened[0])
    return opened[0]


def _at_reading(tower: Tower, title: str, view: View) -> Desk:
    if view.as_of is not None:
        return Desk(tower, view, view.as_of, of_figures=True)
    reading = READINGS.of((str(tower.store.path), title, view.scope, view.zone), tower, deeds.known(tower.store))
    return Desk(tower, view, _instant(reading.at, view), reading, of_figures=True)


def present(tower: Tower) -> Moment:
    """The tower's present moment, which pages that watch share for as long as their pace lets them."""
    return tower.present(pace.shared_seconds())


def answer(tower: Tower, question: Callable[..., Any], *arguments: Any, latest: int | None = None, **named: Any) -> Any:
    """A question's answer, kept by the arguments and the version of the data (of the days asked, where it names them).

    An answer that was good at the version `latest` is still good; without it, at the tower's present one.
    """
    key = _key(tower, question, arguments, named, latest)
    return _ANSWERS.get(key, lambda: question(tower.store, *arguments, **named))


def _standing(tower: Tower, latest: int | None) -> int:
    """The version that a page stands at: the one given, else the tower's present one."""
    return present(tower).version if latest is None else latest


def _key(
    tower: Tower,
    question: Callable[..., Any],
    arguments: tuple,
    named: dict[str, Any],
    latest: int | None,
    past: bool = False,
) -> Hashable:
    """What tells an answer from all others. That of a `past` instant is told anew only after an import, or the like."""
    store, of_days = tower.store, "day_from" in named and "day_to" in named
    version = store.version_of(named["day_from"], named["day_to"]) if of_days else store.version
    standing = store.version_of_all if past else min(version, _standing(tower, latest))
    return _name(question), str(store.path), standing, _hashable(arguments), _hashable(named)


def _name(question: Callable[..., Any]) -> str:
    return f"{question.__module__}.{question.__qualname__}"


def _settling(at: datetime | None, zone: str) -> int | None:
    """The hour, as long as the day before is settling; None after that."""
    early = at is not None and local_date(at, zone) != local_date(at - SETTLING, zone)
    return at.astimezone(ZoneInfo(zone)).hour if early else None


def _hashable(value: Any) -> Hashable:
    """Lists, dicts and the like as tuples of their parts, so that equal arguments are one key."""
    if is_dataclass(value):
        return type(value), *(_hashable(getattr(value, part.name)) for part in fields(value))
    if isinstance(value, list | tuple):
        return tuple(_hashable(part) for part in value)
    return tuple((name, _hashable(part)) for name, part in sorted(value.items())) if isinstance(value, dict) else value


def local_date(at: datetime, zone: str) -> date:
    """The day of an instant on the clocks of a zone."""
    return at.astimezone(ZoneInfo(zone)).date()


def _choices(tower: Tower, latest: int | None) -> shell.Choices:
    depots = answer(tower, queries.depots, latest=latest)
    carriers = answer(tower, queries.carriers, latest=latest)
    days = answer(tower, queries.days, latest=latest)
    return shell.Choices(
        depots=dict(zip(depots.depot_id, depots.name, strict=True)),
        carriers=dict(zip(carriers.carrier_id, carriers.name, strict=True)),
        services={service: service.replace("_", " ") for service in answer(tower, queries.services, latest=latest)},
        first_day=days[0] if days else None,
        last_day=days[1] if days else None,
        zone=answer(tower, zone_of_most, latest=latest),
    )


def _clock(tower: Tower, now: datetime) -> shell.Clock:
    clock = shell.Clock(
        now=now,
        told_until=answer(tower, queries.last_recorded_at, now),
        live=tower.clock.mode is not Mode.HELD,
        stale_after=timedelta(minutes=5),
    )
    return replace(clock, silent=_silent(tower, clock)) if clock.live else clock


def _silent(tower: Tower, clock: shell.Clock) -> tuple[str, ...]:
    """The names of sources that are silent: those with an exception that says so; if all are, those that told last."""
    day_from = clock.now.date() - LOOKS_BACK
    found = answer(tower, exceptions.exceptions, clock.now, day_from=day_from, scope=Scope(), open_only=True)
    silent = found.subject_id[found.key == SOURCE_SILENT].tolist()
    if clock.stale and clock.told_until is not None:
        silent = list(dict.fromkeys([*silent, *answer(tower, queries.last_heard, clock.told_until)]))
    names = answer(tower, queries.source_names) if silent else {}
    return tuple(names.get(source, source) for source in silent)


def _instant(now: datetime, view: View) -> datetime:
    """The past instant that was asked for; the end of a past day; else now."""
    if view.as_of is not None:
        return view.as_of
    day = view.scope.day_to
    if day is None or day >= local_date(now, view.zone):
        return now
    return datetime.combine(day + timedelta(days=1), time(0), ZoneInfo(view.zone)).astimezone(UTC)
