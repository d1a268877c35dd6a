"""The tower's clock: the instant it stands at, real, simulated or held at the end of a file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from lastmile.store import Answering, Store

KEY = "clock"
LATELY = timedelta(days=28)


class Mode(StrEnum):
    """Whose time the tower shows: the wall's, the simulated operation's, or that of the end of a file."""

    REAL = "real"
    SIMULATED = "simulated"
    HELD = "held"


@dataclass(frozen=True)
class Clock:
    """Reads `shown` at the real instant `since`, and runs on from there at `speed` seconds a second (0: stands still)."""

    mode: Mode
    shown: datetime
    since: datetime
    speed: float

    def __post_init__(self) -> None:
        if self.speed < 0:
            raise ValueError(f"a clock does not run backwards: speed {self.speed}")

    def now(self, real_now: datetime | None = None) -> datetime:
        """The tower's instant, in UTC."""
        elapsed = (real_now or datetime.now(UTC)) - self.since
        return self.shown + elapsed * self.speed

    def at_speed(self, speed: float, real_now: datetime | None = None) -> Clock:
        """The same clock from this instant on at another speed; nothing jumps."""
        real_now = real_now or datetime.now(UTC)
        return Clock(self.mode, self.now(real_now), real_now, speed)


def real() -> Clock:
    """The clock on the wall."""
    now = datetime.now(UTC)
    return Clock(Mode.REAL, now, now, 1.0)


def held(instant: datetime) -> Clock:
    """A clock that stands at an instant, such as the end of a file of last year."""
    return Clock(Mode.HELD, instant, datetime.now(UTC), 0.0)


def simulated(instant: datetime, speed: float) -> Clock:
    """A clock that starts at an instant of the simulated operation."""
    return Clock(Mode.SIMULATED, instant, datetime.now(UTC), speed)


def load(store: Answering) -> Clock:
    """The clock that was last set; the one on the wall where none was."""
    saved = store.setting(KEY)
    if saved is None:
        return real()
    return Clock(
        Mode(saved["mode"]),
        datetime.fromisoformat(saved["shown"]),
        datetime.fromisoformat(saved["since"]),
        saved["speed"],
    )


def instant_of(store: Answering) -> datetime:
    """The instant that answers are of: a snapshot's own, else the present of the clock that was last set."""
    return store.at or load(store).now()


def save(store: Store, clock: Clock, actor: str) -> None:
    """Keep a clock for the next start, with who set it."""
    saved = {
        "mode": clock.mode,
        "shown": clock.shown.isoformat(),
        "since": clock.since.isoformat(),
        "speed": clock.speed,
    }
    store.set_setting(KEY, saved, actor)


def resume(store: Store) -> Clock:
    """The saved clock, after a stop: a simulated one goes on from the last thing it recorded, not from where it would be."""
    clock = load(store)
    if clock.mode is not Mode.SIMULATED:
        return clock
    last = store.value(
        "select max(recorded_at) from event where recorded_at <= $now and type <> 'order_received'", now=clock.now()
    )
    resumed = simulated(max(clock.shown, last or clock.shown), clock.speed)
    save(store, resumed, "system")
    return resumed


def hold_at_end_of_data(store: Store, actor: str) -> Clock:
    """Set the clock to the last actual event on record, so that a file of last year is as good as a live feed.

    A simulated operation that is running keeps its clock; so does a feed that reaches into the last hour.
    """
    clock = load(store)
    if clock.mode is Mode.SIMULATED:
        return clock
    end = store.value(
        "select max(occurred_at) from event where classifier = 'ACT' "
        "and (import_id is null or import_id not in (select import_id from undone_import))"
    )
    if end is None or end > datetime.now(UTC) - timedelta(hours=1):
        clock = real()
    else:
        clock = held(end.astimezone(UTC))
    save(store, clock, actor)
    return clock


def zone_of_most(store: Answering) -> str:
    """The IANA zone of most deliveries of the last four weeks by the tower's clock, so that a file of another place or year
    does not turn the running operation's clocks; where there are none, of most depots; UTC where there is no depot.
    """
    now = instant_of(store)
    lately = store.value(
        "select mode(zone) from delivery where day between $first and $last",
        first=(now - LATELY).date(),
        last=(now + timedelta(days=1)).date(),
    )
    return lately or store.value("select mode(zone) from depot") or "UTC"


def day_at(store: Answering, at: datetime) -> date:
    """The service day at an instant, on the clocks that the operation lives by."""
    return at.astimezone(ZoneInfo(zone_of_most(store))).date()
