"""The tower as a page sees it: what to choose from, the clock, and answers that are kept for as long as the data stand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from time import sleep
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from lastmile import exceptions, queries, runtime
from lastmile.clock import Mode
from lastmile.exceptions.queue import LOOKS_BACK, OPEN
from lastmile.model import Scope
from lastmile.runtime import Tower
from lastmile.store import Store
from lastmile.ui import shell, tables
from lastmile.ui.shell import View, When

TICK_SECONDS = 5
SOURCE_SILENT = "source_silent"
HEAD_START_SECONDS = 0.25
"""What a browser needs for the first figures after their arrival, on two cores: 0.1 to 0.25 s measured."""


@dataclass(frozen=True)
class Desk:
    """One page at one instant: the tower, what the person chose, and the instant `at` that all its questions share.

    A page of figures stands at a settled moment and its `version`; None follows the data as they come.
    """

    tower: Tower
    view: View
    at: datetime
    version: int | None = None

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
        return answer(self.store, question, *arguments, latest=self.version, **named)

    def table(self, frame: pd.DataFrame, **options: Any) -> None:
        """A table in the desk's zone and theme; options as of `tables.table`."""
        tables.table(frame, **({"zone": self.zone, "dark": self.view.dark} | options))

    def refreshed(self) -> Desk:
        """The same desk at the present instant, for a panel that ticks."""
        return Desk(self.tower, self.view, _instant(_ticked(self.tower.now()), self.view))

    def clock(self) -> shell.Clock:
        return _clock(self.tower, _ticked(self.tower.now()))


def open_desk(
    title: str, *, when: When = "day", ticking: bool = False, figures: Callable[[Desk], None] | None = None
) -> Desk:
    """Open a page on the running tower: first line of each page.

    `figures` draws what stands right under the bar. On a plain opening of a session that comes before the filters, and
    the browser gets the time to paint it: else it would load the code of filters, map and table first of all, and the
    figures, which need little, would wait with them.
    """
    tower = runtime.tower()
    moment = tower.settled() if when == "period" else None
    now = _ticked(moment.at if moment else tower.now())
    choices, clock = _choices(tower, moment and moment.version), _clock(tower, now)
    bar = shell.bar(title)
    figures_first = figures is not None and shell.opens_plainly()
    if figures_first:
        figures(Desk(tower, shell.plain_view(choices, clock), now))
        sleep(HEAD_START_SECONDS)
    with bar:
        view = shell.scope_and_instant(title, choices, clock, when=when, ticking=ticking)
    desk = Desk(tower, view, _instant(now, view), moment and moment.version)
    if figures is not None and not figures_first:
        figures(desk)
    return desk


def answer(store: Store, question: Callable[..., Any], *arguments: Any, latest: int | None = None, **named: Any) -> Any:
    """A question's answer, kept by the arguments and the version of the data (of the days asked, where it names them).

    With `latest`, an answer that was good at that version is still good.
    """
    name = f"{question.__module__}.{question.__qualname__}"
    of_days = "day_from" in named and "day_to" in named
    version = store.version_of(named["day_from"], named["day_to"]) if of_days else store.version
    keep = _kept if latest is None else _worked_out
    return keep(
        name,
        str(store.path),
        version if latest is None else min(version, latest),
        (arguments, tuple(sorted(named.items()))),
        lambda: question(store, *arguments, **named),
    )


@st.cache_data(max_entries=400, show_spinner=False)
def _kept(name: str, database: str, version: int, arguments: Any, _ask: Callable[[], Any]) -> Any:  # noqa: ARG001 (the key)
    return _ask()


@st.cache_data(max_entries=400, show_spinner="Working the figures out …")
def _worked_out(name: str, database: str, version: int, arguments: Any, _ask: Callable[[], Any]) -> Any:  # noqa: ARG001 (the key)
    return _ask()


def local_date(at: datetime, zone: str) -> date:
    """The day of an instant on the clocks of a zone."""
    return at.astimezone(ZoneInfo(zone)).date()


def _choices(tower: Tower, latest: int | None) -> shell.Choices:
    depots = answer(tower.store, queries.depots, latest=latest)
    carriers = answer(tower.store, queries.carriers, latest=latest)
    days = answer(tower.store, queries.days, latest=latest)
    return shell.Choices(
        depots=dict(zip(depots.depot_id, depots.name, strict=True)),
        carriers=dict(zip(carriers.carrier_id, carriers.name, strict=True)),
        services={
            service: service.replace("_", " ") for service in answer(tower.store, queries.services, latest=latest)
        },
        first_day=days[0] if days else None,
        last_day=days[1] if days else None,
        zone=depots.zone.mode().iloc[0] if len(depots) else "UTC",
    )


def _clock(tower: Tower, now: datetime) -> shell.Clock:
    clock = shell.Clock(
        now=now,
        told_until=answer(tower.store, queries.last_recorded_at, now),
        live=tower.clock.mode is not Mode.HELD,
        stale_after=timedelta(minutes=5),
    )
    return replace(clock, silent=_silent(tower.store, clock)) if clock.live else clock


def _silent(store: Store, clock: shell.Clock) -> tuple[str, ...]:
    """The names of sources that are silent: those with an exception that says so; if all are, those that told last."""
    at = clock.now + timedelta(seconds=TICK_SECONDS)
    found = answer(store, exceptions.exceptions, at, day_from=at.date() - LOOKS_BACK, scope=Scope())
    silent = found.subject_id[(found.key == SOURCE_SILENT) & found.state.isin(OPEN)].tolist()
    if clock.stale and clock.told_until is not None:
        silent = list(dict.fromkeys([*silent, *answer(store, queries.last_heard, clock.told_until)]))
    names = answer(store, queries.source_names) if silent else {}
    return tuple(names.get(source, source) for source in silent)


def _instant(now: datetime, view: View) -> datetime:
    """The past instant that was asked for; the end of a past day; else now."""
    if view.as_of is not None:
        return view.as_of
    day = view.scope.day_to
    if day is None or day >= local_date(now, view.zone):
        return now
    return datetime.combine(day + timedelta(days=1), time(0), ZoneInfo(view.zone)).astimezone(UTC)


def _ticked(at: datetime) -> datetime:
    return datetime.fromtimestamp(at.timestamp() // TICK_SECONDS * TICK_SECONDS, UTC)
