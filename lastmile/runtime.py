"""The running tower: one store, one clock, the simulated feed where there is one, and the solves under way."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from lastmile import clock as clocks
from lastmile.clock import Clock, Mode
from lastmile.demo import LiveFeed, answer_past
from lastmile.door import Door
from lastmile.exceptions.watch import Watch
from lastmile.notifications import Sender
from lastmile.notifications.channel import on_this_machine
from lastmile.outlook import Expected, Outlook
from lastmile.replanning import Replanning
from lastmile.store import Store

DATABASE = "LASTMILE_DATABASE"
NOTICES_FROM_DEMO = "LASTMILE_NOTICES_FROM_DEMO"
"""Set, it lets the simulated demo send notices through a server on this machine, to see them come."""
DEFAULT_DATABASE = Path(__file__).parents[1] / "data" / "lastmile.duckdb"


SETTLED_SECONDS = 60.0
PRESENT_SECONDS = 1.0
"""For so long every page that watches stands at the same version, so that the clock and not the events say how often it is
worked out anew: other systems may send a thousand events a second."""


@dataclass(frozen=True)
class Moment:
    """A version of the data and the tower's instant then; `others` counts the writes that no stream of events made."""

    version: int
    at: datetime
    others: int
    since: float


@dataclass
class Tower:
    """What the pages and routes of one process share."""

    store: Store
    clock: Clock
    feed: LiveFeed | None = None
    outlook: Outlook | None = None
    watch: Watch | None = None
    door: Door = field(init=False)
    notices: Sender = field(init=False)
    replannings: dict[str, Replanning] = field(default_factory=dict)
    _settled: Moment | None = None
    _present: Moment | None = None
    _beginning: threading.Lock = field(default_factory=threading.Lock)
    _standing: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.door = Door(self.store, self._received_at, self._hear_live)
        self.notices = Sender(self.store, self.now, self._holds_up)

    def now(self) -> datetime:
        """The instant that the tower stands at, in UTC."""
        return self.clock.now()

    def settled(self) -> Moment:
        """The moment that pages of figures stand at: up to a minute old while events stream in, new after any other write.

        A feed writes every second, and other systems as they please; figures over weeks that were worked out anew each time would only make people wait.
        """
        with self._standing:
            self._settled = self._moment(self._settled, SETTLED_SECONDS)
            return self._settled

    def present(self, seconds: float = PRESENT_SECONDS) -> Moment:
        """The moment that all pages that watch share: up to so many seconds old while events stream in, new after any other write.

        What a person decides is therefore seen at once.
        """
        with self._standing:  # pages that ask at once stand at one instant, and share what is worked out for it
            self._present = self._moment(self._present, seconds)
            return self._present

    def _moment(self, kept: Moment | None, seconds: float) -> Moment:
        others = self.store.deeds
        if kept is not None and kept.others == others and time.monotonic() - kept.since <= seconds:
            return kept
        return Moment(self.store.version, self.now(), others, time.monotonic())

    def begin(self, job: Replanning) -> Replanning:
        """Start a re-optimization, unless one of its depot runs or waits for a decision: then that one is returned."""
        with self._beginning:
            there = self.replannings.get(job.depot_id)
            if there is not None and (there.running or there.result is not None):
                return there
            self.replannings[job.depot_id] = job
            job.start()
            return job

    def settle(self, job: Replanning) -> None:
        """A re-optimization is decided, or no longer wanted; another one that was begun since stays."""
        with self._beginning:
            if self.replannings.get(job.depot_id) is job:
                del self.replannings[job.depot_id]

    def set_clock(self, clock: Clock, actor: str) -> None:
        """Set the clock for everyone and keep it for the next start."""
        clocks.save(self.store, clock, actor)
        self.clock = clock

    def _received_at(self) -> datetime:
        """When rows that come in now count as received: by the simulated clock where that is what the tower shows."""
        return self.now() if self.clock.mode is Mode.SIMULATED else datetime.now(UTC)

    def _holds_up(self, host: str) -> str | None:
        """Why no notice goes to a host now: news of a simulated operation, or of last year's file, are for nobody outside."""
        if self.clock.mode is Mode.HELD:
            return "the tower's clock stands at the end of a file"
        if self.clock.mode is Mode.SIMULATED and not (os.environ.get(NOTICES_FROM_DEMO) and on_this_machine(host)):
            return "the operation is simulated, and nothing of it leaves this machine"
        return None

    def _hear_live(self) -> None:
        """A source has told of the last hour: a clock that stood at the end of a file goes on as the one on the wall."""
        if self.clock.mode is Mode.HELD:
            self.set_clock(clocks.real(), "system")


_tower: Tower | None = None
_lock = threading.Lock()


def database_path() -> Path:
    """The database file: LASTMILE_DATABASE, or data/lastmile.duckdb beside the program."""
    return Path(os.environ.get(DATABASE) or DEFAULT_DATABASE)


def start() -> Tower:
    """Open the store, resume the clock and start the simulated feed where the database holds one; once a process."""
    global _tower
    with _lock:
        if _tower is None:
            store = Store.open(database_path())
            tower = Tower(store, clocks.resume(store))
            tower.feed = LiveFeed.of(store, lambda: tower.now())
            if tower.feed is not None:
                tower.feed.start()
            watch = Watch(store, (lambda day: answer_past(store, day)) if tower.feed is not None else None)

            def looked(found: Expected) -> None:
                watch.look(found.day, found.at, found.stops)
                watch.begin_past(found.day, found.at)

            tower.watch = watch
            tower.outlook = Outlook(store, lambda: tower.now(), lambda at: clocks.day_at(store, at), looked)
            _tower = tower
        return _tower


def predict_arrivals() -> None:
    """Let the tower's outlook predict arrivals from now on, in the background, and its watch look at each prediction."""
    outlook = tower().outlook
    if outlook is not None:
        outlook.start()


def send_notices() -> None:
    """Let the tower send what it was asked to tell people from now on, in the background."""
    tower().notices.start()


def stop() -> None:
    """Stop the feed, the outlook, the watch, the notices and the solves, write what the door has taken in, and close the store."""
    global _tower
    with _lock:
        if _tower is None:
            return
        for replanning in _tower.replannings.values():
            replanning.cancel()
        if _tower.outlook is not None:
            _tower.outlook.stop()
        if _tower.watch is not None:
            _tower.watch.stop()
        if _tower.feed is not None:
            _tower.feed.stop()
        _tower.notices.stop()
        _tower.door.stop()
        _tower.store.close()
        _tower = None


def tower() -> Tower:
    """The running tower; started where nobody has yet."""
    return _tower or start()


def store() -> Store:
    """The running tower's store."""
    return tower().store
