"""When a notice may go out: quiet hours, what comes too late to be of use, and how long to wait after a failed try."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from lastmile.model import stable_id
from lastmile.notifications.settings import Settings

FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=1)
MOST_TRIES = 8
"""Seven waits of 1, 2, 4, … minutes, at most an hour each: with jitter at least an hour in all, so that a server may be down as long."""


@dataclass(frozen=True)
class Wait:
    """Not before `until`, and why."""

    until: datetime
    why: str


@dataclass(frozen=True)
class Drop:
    """Not at all, and why."""

    why: str


def quiet_until(at: datetime, zone: str, settings: Settings) -> datetime | None:
    """The end of the quiet hours that an instant falls in, on the clocks of a zone; None where it falls in none."""
    begin, end = settings.quiet_from, settings.quiet_until
    there = at.astimezone(ZoneInfo(zone))
    clock = there.time()
    if not (begin <= clock < end if begin <= end else clock >= begin or clock < end):
        return None
    day = there.date() if clock < end else there.date() + timedelta(days=1)
    return datetime.combine(day, end, ZoneInfo(zone)).astimezone(UTC)


def may_go(
    at: datetime, zone: str, settings: Settings, *, useful_until: datetime | None, urgent: bool, over: str | None
) -> Wait | Drop | None:
    """None where a notice may go now. `over` says in words that what it is about is over already."""
    if over is not None:
        return Drop(over)
    if useful_until is not None and at >= useful_until:
        return Drop("It would have come too late to be of use")
    quiet = None if urgent else quiet_until(at, zone, settings)
    if quiet is None:
        return None
    if useful_until is not None and quiet >= useful_until:
        return Drop("Quiet hours end too late for it to be of use")
    return Wait(quiet, "quiet hours")


def next_try(notice_id: str | UUID, tries: int, at: datetime, asked: timedelta | None = None) -> datetime | None:
    """When to try again after `tries` failed ones; None after the last.

    Exponential backoff with jitter over its upper half (Brooker, "Exponential Backoff and Jitter", 2015: equal jitter), drawn from the
    notice's id, so that notices that failed together spread. `asked`: what the receiver asked for, kept up to an hour.
    """
    if tries >= MOST_TRIES:
        return None
    longest = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (tries - 1))
    spread = stable_id(notice_id, tries).int % 1000 / 1000
    wait = longest * (0.5 + spread / 2)
    return at + max(wait, min(asked or timedelta(0), LONGEST_WAIT))


def end_of_day(at: datetime, zone: str) -> datetime:
    """The midnight that ends a day on the clocks of a zone, in UTC."""
    there = at.astimezone(ZoneInfo(zone))
    return datetime.combine(there.date() + timedelta(days=1), time(0), ZoneInfo(zone)).astimezone(UTC)
