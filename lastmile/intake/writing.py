"""The one thread that takes what was accepted into the ledger, batch by batch, and has its files deleted then."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lastmile.errors import DiskFull
from lastmile.intake import journal, quarantine
from lastmile.intake.journal import Brought, Journal
from lastmile.store import Store

GATHER_SECONDS = 0.25
"""So long after a batch the next may go: a commit costs the same for one row as for hundreds, so rows that come one upon
another gather, and what comes by itself goes at once."""

AGAIN_SECONDS = 2.0
"""After so long a full disk is tried again."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Accepted:
    """New rows of some requests, their ids, and how many rows and bytes the requests had in all."""

    brought: Brought
    ids: frozenset[str]
    rows: int
    size: int


class Writer:
    """Takes accepted rows into the ledger; made with a store, it first takes in what an earlier process has left.

    `wrote` is told after each batch what was in it and how many seconds it took.
    """

    def __init__(self, store: Store, wrote: Callable[[list[Accepted], float], None]) -> None:
        self._store, self._wrote = store, wrote
        take_in(store)
        self._journal = Journal(store.path)
        self._pending: list[Accepted] = []
        self._ids: set[str] = set()
        self._changed = threading.Condition()
        self._accepted = self._written = 0
        self._free_at = 0.0
        self._stopping = False
        self.stuck: str | None = None
        self._thread: threading.Thread | None = None

    def accept(self, accepted: Accepted) -> None:
        """Put rows on the disk, then in line for the ledger; safe when this returns. Raises DiskFull; nothing is taken then."""
        with self._changed:
            if not accepted.brought.is_empty:
                self._journal.keep(accepted.brought)
            self._pending.append(accepted)
            self._ids |= accepted.ids
            self._accepted += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="intake ledger", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def has(self, ids: list[str]) -> set[str]:
        """Those of some ids that are accepted and not in the ledger yet."""
        with self._changed:
            return self._ids.intersection(ids)

    def settle(self, seconds: float) -> bool:
        """Wait until all that is accepted now is in the ledger, at most so long; whether it is."""
        with self._changed:
            accepted = self._accepted
            return self._changed.wait_for(lambda: self._written >= accepted, seconds)

    def stop(self) -> None:
        """Return when all that was accepted is in the ledger, or can't be for now."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(timeout=60)

    def _run(self) -> None:
        while taken := self._next():
            batch, path = taken
            started = time.monotonic()
            if not self._until_written(batch):
                return
            if path is not None:
                path.unlink()
            self._wrote(batch, time.monotonic() - started)
            with self._changed:
                self._free_at = time.monotonic() + GATHER_SECONDS
                self._ids.difference_update(*(one.ids for one in batch))
                self._written += len(batch)
                self._changed.notify_all()

    def _next(self) -> tuple[list[Accepted], Path | None] | None:
        """The next batch and the file that holds it; None when stopping and nothing waits."""
        with self._changed:
            self._changed.wait_for(lambda: self._pending or self._stopping)
            self._changed.wait_for(lambda: self._stopping, timeout=max(0.0, self._free_at - time.monotonic()))
            batch, self._pending = self._pending, []
            return (batch, self._journal.cut()) if batch else None

    def _until_written(self, batch: list[Accepted]) -> bool:
        """Write a batch, as often as it takes while the disk is full; False where the tower stops before."""
        while True:
            try:
                _write_all(self._store, [one.brought for one in batch])
                self.stuck = None
                return True
            except DiskFull as error:
                self.stuck = str(error)
                with self._changed:
                    if self._changed.wait_for(lambda: self._stopping, timeout=AGAIN_SECONDS):
                        return False


def take_in(store: Store) -> None:
    """Take what an earlier process has accepted and not written into the ledger, if there is anything."""
    for path in journal.files(store.path):
        if parts := list(journal.read(path)):
            _write_all(store, parts)
        path.unlink()


def _write_all(store: Store, parts: list[Brought]) -> None:
    """Write parts at once; where that fails, each by itself, so that one can't take others with it."""
    try:
        _write(store, journal.together(parts))
    except DiskFull:
        raise
    except Exception:
        if len(parts) > 1:
            for part in parts:
                _write_all(store, [part])
            return
        path = journal.set_aside(store.path, parts[0])
        log.exception("Accepted rows could not be written to the ledger; they are kept in %s", path)


def _write(store: Store, brought: Brought) -> None:
    """All rows in one commit, what is refused in a second one; rows that are there already change nothing."""
    store.append({"event": brought.events, "booking": brought.bookings}, streamed=True)
    quarantine.keep(store, brought.quarantined)
