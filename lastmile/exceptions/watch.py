"""The watch of the running tower: looks at the day each time that arrivals have been predicted, browser or no browser."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta

import pandas as pd

from lastmile.decisions import one_at_a_time
from lastmile.exceptions.escalating import escalate_overdue
from lastmile.exceptions.following import Book, ends_by_delivery, find_all
from lastmile.exceptions.gathering import Taught, gather, taught_before
from lastmile.exceptions.queue import LOOKS_BACK, exceptions
from lastmile.exceptions.recording import events_of, kept_of
from lastmile.exceptions.replaying import Replayed, days_without, put_on_record, replay
from lastmile.exceptions.settings import load
from lastmile.store import Store

DAYS_BEFORE = 2
"""What the two days before have left open is watched too."""

PAST_DAYS = 28
"""Days of the past that nobody has watched are gone through in the background, so far back, the newest week first."""

WEEK = 7
REST_SECONDS = 8.0
RESTS = 4.0
"""After each of them the thread rests, at least so long, and so many times as long as the day took: the present comes first."""

log = logging.getLogger(__name__)


class Watch:
    """Detects exceptions of the running day and writes what is new, each look bounded by what is open on it.

    Between looks it keeps nothing but what earlier days taught about this one: the exceptions are read from the ledger each
    time, so that what people decided meanwhile counts. `after_past_day` may add what else is known of a past day.
    """

    def __init__(self, store: Store, after_past_day: Callable[[Replayed], None] | None = None) -> None:
        self._store = store
        self._after_past_day = after_past_day
        self._taught: tuple[date, Taught] | None = None
        self._looked_at: datetime | None = None
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def stop(self) -> None:
        """Stop going through past days, and wait for the one under way."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(timeout=60)

    def look(self, day: date, at: datetime, predicted: pd.DataFrame | None) -> int:
        """Look at the day at an instant, put on record what is new, escalate what waits too long; how many steps there were.

        `predicted`: as of predictions.predict for that instant.
        """
        taught, settings = self._taught_before(day), load(self._store)
        step = at - self._looked_at if self._looked_at and self._looked_at < at else timedelta(minutes=1)
        if predicted is not None and len(predicted):
            predicted = predicted.assign(instant=pd.Timestamp(at))
        situation = gather(
            self._store, [at], day, predicted, taught, step=step, settings=settings, days_before=DAYS_BEFORE
        )
        found = find_all(situation)
        with one_at_a_time:  # what people decide between reading and writing would be overtaken
            # what is older than what is watched is over now, if it was not before
            first = day - LOOKS_BACK
            known = exceptions(self._store, at, day_from=first)
            book = Book(settings, kept_of(known[known.day <= pd.Timestamp(day)]))
            steps = book.look(found, [at], ends_by_delivery(_of_open(situation.ends, known)))
            if steps:
                self._store.append({"event": events_of(steps)}, streamed=True)
        self._looked_at = at
        return len(steps) + escalate_overdue(self._store, known, at, settings)

    def begin_past(self, today: date, at: datetime) -> None:
        """Go through the past days that nobody has watched, in a thread of its own that takes its time; once."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._past, args=(today, at), name="past exceptions", daemon=True)
            self._thread.start()

    def past_days(self, today: date, at: datetime) -> Iterator[date]:
        """Put past days that nobody has watched on record, as far as `at`, one at a time: each as it is done."""
        missing = days_without(self._store, today - timedelta(days=PAST_DAYS), today - timedelta(days=1))
        for end in range(len(missing), 0, -WEEK):
            week = missing[max(0, end - WEEK) : end]
            for replayed in replay(self._store, week[0], week[-1], until=at):
                if replayed.day in week:
                    put_on_record(self._store, replayed)
                    if self._after_past_day is not None:
                        self._after_past_day(replayed)
                    yield replayed.day

    def _past(self, today: date, at: datetime) -> None:
        try:
            started = time.monotonic()
            for day in self.past_days(today, at):
                log.info("Exceptions of %s are on record", day)
                if self._stopped.wait(max(REST_SECONDS, RESTS * (time.monotonic() - started))):
                    return
                started = time.monotonic()
        except Exception:
            log.exception("Past days were not gone through for exceptions; they are when the tower starts again")

    def _taught_before(self, day: date) -> Taught:
        if self._taught is None or self._taught[0] != day:
            self._taught = (day, taught_before(self._store, day))
        return self._taught[1]


def _of_open(ends: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """The ends of those deliveries about which an exception is not over yet."""
    return ends[ends.delivery_id.isin(known.delivery_id[known.resolved_at.isna()])]
