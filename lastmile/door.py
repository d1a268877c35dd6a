"""The door for other systems: who may knock, the queue behind it, and what it has heard. One for each running tower."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta

from lastmile.connections import Buckets, Connection, Credential, Register
from lastmile.errors import NotPossible
from lastmile.intake import Intake, Judged, Outcome, Receipt, Sent
from lastmile.intake import quarantine as kept
from lastmile.intake.receiving import judged_again
from lastmile.metrics import Metrics
from lastmile.store import Store

ROWS_PER_SECOND, ROWS_AT_ONCE = 5_000, 50_000
REQUESTS_PER_SECOND, REQUESTS_AT_ONCE = 2_000, 4_000
QUESTIONS_PER_SECOND, QUESTIONS_AT_ONCE = 20, 100
STRANGERS_PER_SECOND, STRANGERS_AT_ONCE = 1, 60
"""What a credential may send and ask in a second and in a burst; and how many wrong credentials an address may show."""

LIVE = timedelta(hours=1)
"""A source that tells of the last hour is live: a clock that stood still at the end of a file goes on then."""

WAIT_SECONDS = 10.0

log = logging.getLogger(__name__)


class Door:
    """Register, queue, limits and metrics of one tower. `now` is the instant at which rows count as received, in UTC."""

    def __init__(self, store: Store, now: Callable[[], datetime], live: Callable[[], None] | None = None) -> None:
        self._store = store
        self._live = live
        self.now = now
        self.register = Register(store)
        self.intake = Intake(store, self._flushed)
        self.metrics = Metrics(lambda: self.intake.rows_waiting)
        self.requests = Buckets(REQUESTS_PER_SECOND, REQUESTS_AT_ONCE)
        self.rows = Buckets(ROWS_PER_SECOND, ROWS_AT_ONCE)
        self.questions = Buckets(QUESTIONS_PER_SECOND, QUESTIONS_AT_ONCE)
        self.strangers = Buckets(STRANGERS_PER_SECOND, STRANGERS_AT_ONCE)

    def send(
        self, credential: Credential | None, connection: Connection, rows: Sequence[Judged], size: int, now: datetime
    ) -> Future[Receipt]:
        """Queue rows of a connection; see Intake.submit. What became of them is counted when it is known."""
        sent = Sent(connection.source, credential and credential.credential_id, tuple(rows), size, now)
        receipt = self.intake.submit(sent)
        receipt.add_done_callback(lambda done: self._count(connection.source, done, now))
        return receipt

    def replay(self, row_id: str, source: str, format: str, raw: str, actor: str) -> Outcome:
        """Send a quarantined row again, as it was or as it was mended; it waits no more where it is taken now.

        Returns REFUSED, and keeps what was mended beside the first, where something is still wrong. Raises NotPossible
        for a source that is no connection any more.
        """
        connection, now = self.register.connection(source), self.now()
        rows = judged_again(format, raw, connection, now, self.present())
        if not rows:
            raise NotPossible("There is no row in this.")
        receipt = self.send(None, connection, rows, len(raw), now).result(timeout=60)
        self.intake.settle(WAIT_SECONDS)  # who decided looks at once
        if receipt.count(Outcome.REFUSED):
            return Outcome.REFUSED
        kept.decide(self._store, [row_id], kept.REPLAYED, actor)
        return Outcome.TAKEN if receipt.count(Outcome.TAKEN) else Outcome.REPEATED

    def present(self) -> datetime:
        """What is not yet future: a simulated clock may lie behind the one on the wall, by which other systems live."""
        return max(self.now(), datetime.now(UTC))

    def stop(self) -> None:
        """Take nothing more, and write what is queued to the ledger."""
        self.intake.stop()

    def _count(self, source: str, done: Future[Receipt], now: datetime) -> None:
        if done.exception() is None:
            receipt = done.result()
            self.metrics.received(
                source, {str(outcome): receipt.count(outcome) for outcome in set(receipt.outcomes)}, now
            )

    def _flushed(self, rows: int, seconds: float, latest: datetime | None) -> None:
        self.metrics.wrote(rows, seconds)
        if self._live is not None and latest is not None and latest > datetime.now(UTC) - LIVE:
            self._live()
