"""What is expected of the running day, worked out once for all pages and kept on record as it changes."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pandas as pd

from lastmile import predictions
from lastmile.jobs import Background, give_way
from lastmile.model import EventType
from lastmile.predictions.telling import KEPT, events_of, news
from lastmile.store import Store

EVERY_SECONDS = 5.0
LEAST_REST_SECONDS = 1.0
LISTENING_SECONDS = 0.25
"""How often a rest is interrupted to ask whether a van has broken down: then it is over."""

REMEMBERED = timedelta(minutes=10)
GOOD_FOR = timedelta(minutes=2)
"""A prediction of the running day stands for so long on the tower's clock where no newer one has been made."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Expected:
    """Predictions of a day at an instant; `number` grows with each, so that a cache can use it as a key."""

    number: int
    day: date
    at: datetime
    model: predictions.Model
    stops: pd.DataFrame


class Outlook(Background):
    """Predictions for the pages: made in the background, a few seconds old, told to the ledger where they say something new.

    `then` is called with each prediction of the running day, once it is on record.
    Models are learned in the background too, one a day; until then there is no prediction, and the plan is shown.
    """

    def __init__(
        self,
        store: Store,
        now: Callable[[], datetime],
        today: Callable[[datetime], date],
        then: Callable[[Expected], None] | None = None,
    ) -> None:
        super().__init__("outlook")
        self._store, self._now, self._today, self._then = store, now, today, then
        self._models: dict[date, predictions.Model] = {}
        self._told: pd.DataFrame | None = None
        self._wanted: set[date] = set()
        self._latest: Expected | None = None
        self._past: dict[tuple[date, datetime], Expected] = {}
        self._seen: tuple[int, datetime] | None = None
        self._heard: tuple[int, datetime | None] = (0, None)
        self._numbers = 0
        self.writes = 0
        self._lock = threading.Lock()

    def of(self, day: date, at: datetime) -> Expected | None:
        """What is expected of a day at an instant; None while its model is still to be learned.

        The running day's is a few seconds old; that of another instant is worked out when it is asked for.
        """
        latest = self._latest
        if latest is not None and latest.day == day and abs(at - latest.at) <= GOOD_FOR:
            return latest
        if day not in self._models:
            self._wanted.add(day)
            return None
        with self._lock:
            if (day, at) not in self._past:
                self._past = dict([*self._past.items(), ((day, at), self._expected(day, at))][-8:])
            return self._past[day, at]

    def learn(self, day: date) -> predictions.Model:
        """Learn what a day's predictions rest on, where that is not done yet."""
        if day not in self._models:
            self._models[day] = predictions.learned_before(self._store, day)
            log.info("Arrivals of %s: %s", day, self._models[day].words)
        return self._models[day]

    def step(self) -> Expected:
        """Predict the running day anew, and put on record what has changed."""
        at = self._now()
        day = self._today(at)
        self.learn(day)
        with self._lock:
            found = self._expected(day, at)
        self._latest = found
        self._tell(found)
        if self._then is not None:
            before = self._store.version
            self._then(found)
            self.writes += self._store.version - before
        return found

    def _expected(self, day: date, at: datetime) -> Expected:
        model = self._models[day]
        self._numbers += 1
        return Expected(
            self._numbers, day, at, model, predictions.predict(model, predictions.state(self._store, at, day))
        )

    def _tell(self, found: Expected) -> None:
        if self._told is None:
            self._told = _last_told(self._store, found.at)
        fresh = news(found.stops, self._told)
        if fresh.empty:
            return
        before = self._store.version
        self._store.append({"event": events_of(fresh)}, streamed=True)
        self.writes += self._store.version - before
        self._told = pd.concat([fresh[KEPT], self._told], ignore_index=True).drop_duplicates("delivery_id")

    def _run(self) -> None:
        give_way()  # who sends an event or opens a page waits; who is told what to expect does not
        took = 0.0
        # from start to start: on a busy machine a round takes long, and news should not wait for a rest after it too
        while not self._rested(max(LEAST_REST_SECONDS, EVERY_SECONDS - took) if self._latest else 0.5):
            started = time.monotonic()
            try:
                self._round()
            except Exception:
                log.exception("Arrivals were not predicted this time; they are tried again")
            took = time.monotonic() - started

    def _rested(self, seconds: float) -> bool:
        """Rest for so long, but after a breakdown no longer than one must; whether the loop is to stop."""
        ends = time.monotonic() + seconds
        if self._stopped.wait(min(seconds, LEAST_REST_SECONDS)):
            return True
        while (left := ends - time.monotonic()) > 0 and not self._hears_breakdown():
            if self._stopped.wait(min(left, LISTENING_SECONDS)):
                return True
        return False

    def _hears_breakdown(self) -> bool:
        """Whether a van has broken down since this was last asked: every minute before its stops are on others costs promises."""
        version, (asked_at, before) = self._store.version, self._heard
        if version == asked_at:
            return False
        latest = self._store.value(
            "select max(recorded_at) from event where type = $type and recorded_at > $since",
            type=EventType.VEHICLE_BROKE_DOWN,
            since=self._now() - REMEMBERED,
        )
        self._heard = (version, latest)
        return latest is not None and latest != before

    def _round(self) -> None:
        seen = (self._store.version - self.writes, self._now())
        if seen != self._seen:
            self._seen = seen
            self.step()
        while self._wanted and not self._stopped.is_set():
            self.learn(self._wanted.pop())


def _last_told(store: Store, at: datetime) -> pd.DataFrame:
    """The last prediction on record of each delivery, over the day before an instant."""
    return store.ask(
        """
        select delivery_id, arg_max((payload ->> 'eta_at')::timestamptz, recorded_at) as eta_at,
            arg_max((payload ->> 'chance_late')::double, recorded_at) as chance_late
        from event where type = 'eta_updated' and classifier = 'EST' and source = 'tower'
          and occurred_at between $at - interval 1 day and $at
        group by delivery_id
        """,
        at=at,
    )
