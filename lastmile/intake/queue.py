"""The queue between those who send and those who write: whoever sent waits until its rows are on the disk.

One thread looks which rows are new and puts them into the journal, which is when they count as accepted; another one
(`writing`) takes what is accepted into the ledger, some tenths of a second later.
"""

from __future__ import annotations

import json
import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import pyarrow.compute as pc

from lastmile.errors import LastmileError
from lastmile.intake import tables
from lastmile.intake.checking import Judged
from lastmile.intake.journal import Brought
from lastmile.intake.writing import Accepted, Writer
from lastmile.store import Store

MOST_ROWS_WAITING = 50_000
MOST_BYTES_WAITING = 64 << 20
"""What the queue holds at most, in rows and in bytes of the bodies they came in; beyond, senders are told to wait."""

MOST_ROWS_AT_ONCE = 5_000
ENOUGH_ROWS = 1_000
LINGER_SECONDS = 0.02
"""How long a first row waits for company: to look whether rows are new costs the same for one as for hundreds."""

log = logging.getLogger(__name__)


class Busy(Exception):
    """The tower can't take more now; `retry_after` is in whole seconds."""

    def __init__(self, why: str, retry_after: int) -> None:
        super().__init__(why)
        self.retry_after = retry_after


class Outcome(StrEnum):
    """What became of a row that was sent."""

    TAKEN = "taken"
    REPEATED = "repeated"
    REFUSED = "refused"


@dataclass(frozen=True)
class Sent:
    """Rows of one request, checked: by whom, how large their body was, and when they came."""

    source: str
    credential_id: str | None
    rows: tuple[Judged, ...]
    size: int
    received_at: datetime


@dataclass(frozen=True)
class Receipt:
    """The outcome of each row of a request, once all of it is on the disk."""

    outcomes: tuple[Outcome, ...]

    def count(self, outcome: Outcome) -> int:
        return self.outcomes.count(outcome)


@dataclass(frozen=True)
class _Waiting:
    sent: Sent
    receipt: Future[Receipt] = field(default_factory=Future)


class Intake:
    """Takes rows in, and has them written in batches; made with a store, it starts its threads with the first rows.

    `flushed` is told after each batch that the ledger took: rows, seconds, and the latest instant of an event of it.
    """

    def __init__(self, store: Store, flushed: Callable[[int, float, datetime | None], None] | None = None) -> None:
        self._store = store
        self._flushed = flushed
        self._writer = Writer(store, self._wrote)
        self._queue: deque[_Waiting] = deque()
        self._rows = 0
        self._bytes = 0
        self._rate = float(MOST_ROWS_AT_ONCE)
        self._changed = threading.Condition()
        self._stopping = False
        self._thread: threading.Thread | None = None

    @property
    def rows_waiting(self) -> int:
        """Rows that are not in the ledger yet, accepted or not."""
        return self._rows

    @property
    def is_open(self) -> bool:
        """Whether rows would be taken now."""
        has_room = self._rows < MOST_ROWS_WAITING and self._bytes < MOST_BYTES_WAITING
        return not self._stopping and has_room and self._writer.stuck is None

    def submit(self, sent: Sent) -> Future[Receipt]:
        """Queue the rows of a request; the receipt comes when they are on the disk. Raises Busy where there is no room.

        The receipt raises LastmileError where the batch could not be written; nothing of it was then.
        """
        waiting = _Waiting(sent)
        waiting.receipt.set_running_or_notify_cancel()  # whoever hangs up can't take his rows out of the batch
        with self._changed:
            if self._stopping:
                raise Busy("The tower is stopping.", 5)
            if self._writer.stuck is not None:
                raise Busy(self._writer.stuck, 60)
            if self._rows + len(sent.rows) > MOST_ROWS_WAITING or self._bytes + sent.size > MOST_BYTES_WAITING:
                raise Busy("More is coming in than can be written.", max(1, min(30, round(self._rows / self._rate))))
            self._queue.append(waiting)
            self._rows += len(sent.rows)
            self._bytes += sent.size
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="intake", daemon=True)
                self._thread.start()
            self._changed.notify()
        return waiting.receipt

    def settle(self, seconds: float) -> bool:
        """Wait until all that is accepted now is in the ledger, at most so long; whether it is."""
        return self._writer.settle(seconds)

    def stop(self) -> None:
        """Take nothing more, and return when all that was queued is in the ledger."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(timeout=60)
        self._writer.stop()

    def _run(self) -> None:
        while batch := self._next():
            self._accept_all(batch)

    def _wrote(self, batch: list[Accepted], seconds: float) -> None:
        """The ledger has taken a batch."""
        rows = sum(one.rows for one in batch)
        with self._changed:
            self._rows -= rows
            self._bytes -= sum(one.size for one in batch)
        self._rate = 0.8 * self._rate + 0.2 * rows / max(seconds, 0.001)
        self._tell(batch, rows, seconds)

    def _next(self) -> list[_Waiting]:
        """The next batch, after a short wait for company; empty when stopping and nothing waits."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._stopping)
            self._changed.wait_for(lambda: self._rows >= ENOUGH_ROWS or self._stopping, timeout=LINGER_SECONDS)
            batch: list[_Waiting] = []
            rows = 0
            while self._queue and (not batch or rows + len(self._queue[0].sent.rows) <= MOST_ROWS_AT_ONCE):
                batch.append(self._queue.popleft())
                rows += len(batch[-1].sent.rows)
            return batch

    def _accept_all(self, batch: list[_Waiting]) -> None:
        """Accept a batch; where that fails, each request by itself, so that one can't take others with it."""
        try:
            receipts = self._accept([waiting.sent for waiting in batch])
        except Exception as error:
            if len(batch) > 1:
                for waiting in batch:
                    self._accept_all([waiting])
                return
            self._let_go(batch[0], error)
            return
        for waiting, receipt in zip(batch, receipts, strict=True):
            waiting.receipt.set_result(receipt)

    def _let_go(self, waiting: _Waiting, error: Exception) -> None:
        """Nothing of a request could be accepted."""
        log.error("A request could not be written", exc_info=error)
        with self._changed:
            self._rows -= len(waiting.sent.rows)
            self._bytes -= waiting.sent.size
        is_told = isinstance(error, LastmileError)
        waiting.receipt.set_exception(error if is_told else LastmileError("It could not be written; the log says why."))

    def _accept(self, sent: Sequence[Sent]) -> list[Receipt]:
        """Put everything new of some requests on the disk, and tell the outcome of each row."""
        new_events, new_bookings = _New("event_id"), _New("booking_id")
        brought = [[new_events.add(row.event) | new_bookings.add(row.booking) for row in one.rows] for one in sent]
        for table, new in (("event", new_events), ("booking", new_bookings)):
            new.leave_out(self._writer.has(new.ids))  # asked first: what leaves it meanwhile is in the ledger
            if new.ids:
                new.leave_out(self._store.known(table, new.ids))
        ids = frozenset([*new_events.ids, *new_bookings.ids])
        self._writer.accept(
            Accepted(
                Brought(
                    tables.events(new_events.rows),
                    tables.bookings(new_bookings.rows),
                    tables.quarantined([kept for one in sent for kept in _refused(one)]),
                ),
                ids,
                sum(len(one.rows) for one in sent),
                sum(one.size for one in sent),
            )
        )
        return [
            Receipt(tuple(_outcome(row, first, ids) for row, first in zip(one.rows, firsts, strict=True)))
            for one, firsts in zip(sent, brought, strict=True)
        ]

    def _tell(self, batch: list[Accepted], rows: int, seconds: float) -> None:
        if self._flushed is None:
            return
        times = [latest for one in batch if (latest := pc.max(one.brought.events["occurred_at"]).as_py()) is not None]
        try:
            self._flushed(rows, seconds, max(times, default=None))
        except Exception:
            log.exception("What follows a batch failed; the batch itself is on the disk")


class _New:
    """Rows of one table by id, each once: the first that came."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._rows: dict[str, Mapping[str, Any]] = {}

    def add(self, row: Mapping[str, Any] | None) -> set[str]:
        """Note a row; returns its id where it is the first with it."""
        if row is None or row[self._key] in self._rows:
            return set()
        self._rows[row[self._key]] = row
        return {row[self._key]}

    def leave_out(self, known: set[str]) -> None:
        """Forget those that the ledger has."""
        for id in known:
            self._rows.pop(id, None)

    @property
    def ids(self) -> list[str]:
        return list(self._rows)

    @property
    def rows(self) -> list[Mapping[str, Any]]:
        return list(self._rows.values())


def _refused(sent: Sent) -> list[dict[str, Any]]:
    return [
        {
            "row_id": str(row.row_id(sent.source)),
            "received_at": sent.received_at,
            "source": sent.source,
            "credential_id": sent.credential_id,
            "format": row.format,
            "raw": row.raw,
            "problems": json.dumps(row.problems),
        }
        for row in sent.rows
        if row.refused
    ]


def _outcome(row: Judged, brought: set[str], new: frozenset[str]) -> Outcome:
    if row.refused:
        return Outcome.REFUSED
    return Outcome.TAKEN if brought & new else Outcome.REPEATED
