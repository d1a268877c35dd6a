"""The tower as a page sees it: what to choose from, the clock, and answers that are kept for as long as the data stand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from lastmile import queries, runtime
from lastmile.clock import Mode
from lastmile.runtime import Tower
from lastmile.store import Store
from lastmile.ui import shell
from lastmile.ui.shell import View, When

TICK_SECONDS = 5


@dataclass(frozen=True)
class Desk:
    """One page at one instant: the tower, what the person chose, and the instant `at` that all its questions share."""

    tower: Tower
    view: View
    at: datetime

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
        return answer(self.store, question, *arguments, **named)

    def refreshed(self) -> Desk:
        """The same desk at the present instant, for a panel that ticks."""
        return Desk(self.tower, self.view, _instant(self.tower, self.view))

    def clock(self) -> shell.Clock:
        return _clock(self.tower)


def open_desk(title: str, *, when: When = "day", ticking: bool = False) -> Desk:
    """Open a page on the running tower: first line of each page."""
    tower = runtime.tower()
    view = shell.page(title, _choices(tower), _clock(tower), when=when, ticking=ticking)
    return Desk(tower, view, _instant(tower, view))


def answer(store: Store, question: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """A question's answer, kept by the arguments and the version of the data (of the days asked, where it names them)."""
    name = f"{question.__module__}.{question.__qualname__}"
    of_days = "day_from" in named and "day_to" in named
    return _kept(
        name,
        str(store.path),
        store.version_of(named["day_from"], named["day_to"]) if of_days else store.version,
        (arguments, tuple(sorted(named.items()))),
        lambda: question(store, *arguments, **named),
    )


@st.cache_data(max_entries=400, show_spinner=False)
def _kept(name: str, database: str, version: int, arguments: Any, _ask: Callable[[], Any]) -> Any:  # noqa: ARG001 (the key)
    return _ask()


def local_date(at: datetime, zone: str) -> date:
    """The day of an instant on the clocks of a zone."""
    return at.astimezone(ZoneInfo(zone)).date()


def _choices(tower: Tower) -> shell.Choices:
    depots = answer(tower.store, queries.depots)
    carriers = answer(tower.store, queries.carriers)
    days = answer(tower.store, queries.days)
    return shell.Choices(
        depots=dict(zip(depots.depot_id, depots.name, strict=True)),
        carriers=dict(zip(carriers.carrier_id, carriers.name, strict=True)),
        services={service: service.replace("_", " ") for service in answer(tower.store, queries.services)},
        first_day=days[0] if days else None,
        last_day=days[1] if days else None,
        zone=depots.zone.mode().iloc[0] if len(depots) else "UTC",
    )


def _clock(tower: Tower) -> shell.Clock:
    now = _ticked(tower.now())
    return shell.Clock(
        now=now,
        told_until=answer(tower.store, queries.last_recorded_at, now),
        live=tower.clock.mode is not Mode.HELD,
        stale_after=timedelta(minutes=5),
    )


def _instant(tower: Tower, view: View) -> datetime:
    """The past instant that was asked for; the end of a past day; else now, in steps that sessions share."""
    now = _ticked(tower.now())
    if view.as_of is not None:
        return view.as_of
    day = view.scope.day_to
    if day is None or day >= local_date(now, view.zone):
        return now
    return datetime.combine(day + timedelta(days=1), time(0), ZoneInfo(view.zone)).astimezone(UTC)


def _ticked(at: datetime) -> datetime:
    return datetime.fromtimestamp(at.timestamp() // TICK_SECONDS * TICK_SECONDS, UTC)
