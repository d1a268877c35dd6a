"""Filling a database with the history of the simulated operation."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from lastmile import clock as clocks
from lastmile.demo.answering import watch_past
from lastmile.demo.deciding import LEARNED_DAYS, OperationsManager
from lastmile.demo.keys import DAYS, KEY, SEED, SPEED
from lastmile.store import Store
from lastmile.twin import history
from lastmile.twin.clock import ZONE

SATURDAY = 5


def start_instant(real_now: datetime) -> datetime:
    """Where the demo's clock starts: now while most vans are out in its city, else its last late morning of a working day.

    History ends there; a tower that is first started at night would otherwise show an operation asleep.
    """
    local = real_now.astimezone(ZoneInfo(ZONE))
    busy = time(9) <= local.time() <= time(17, 30) and local.weekday() < SATURDAY
    if busy:
        return real_now
    day = local.date() if local.time() > time(17, 30) else local.date() - timedelta(days=1)
    day -= timedelta(days=max(0, day.weekday() - SATURDAY + 1))
    return datetime.combine(day, time(11, 15), ZoneInfo(ZONE)).astimezone(UTC)


def build(
    store: Store,
    *,
    seed: int = SEED,
    days: int = DAYS,
    speed: float = SPEED,
    until: datetime | None = None,
    learned_days: int = LEARNED_DAYS,
    progress: Callable[[int, int, str], None] | None = None,
) -> dict[str, int]:
    """Fill a database with the operation's history up to `until` and set the clock there; rows taken by table.

    The operations manager re-optimizes now and then, once `learned_days` are on record.
    The same seed and instant always give the same ledger; a second build of it adds nothing.
    """
    until = until or start_instant(datetime.now(UTC))
    taken: dict[str, int] = {}
    done = 0

    def say(words: str) -> None:
        if progress is not None:
            progress(done, days + 1, words)

    def told(share: float, _: str) -> None:
        nonlocal done
        done = round(share * (days + 2))
        if 0 < done <= days + 1:
            say(f"day {done} of {days + 1}")

    begins = until.astimezone(ZoneInfo(ZONE)).date() - timedelta(days=days - learned_days)
    manager = OperationsManager(store, seed, begins, say) if days > learned_days else None
    for batch in history(seed, days=days, until=until, progress=told, decider=manager):
        _add(taken, store.append(batch))
    watch_past(store, until, days)
    store.set_setting(KEY, {"seed": seed, "until": until.isoformat(), "days": days}, "system")
    clocks.save(store, clocks.simulated(until, speed), "system")
    return taken


def _add(totals: dict[str, int], more: dict[str, int]) -> None:
    for table, count in more.items():
        totals[table] = totals.get(table, 0) + count
