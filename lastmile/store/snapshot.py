"""The ledger held still: several questions that are all answered as of one commit."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime

import duckdb

from lastmile.errors import SnapshotClosed
from lastmile.store.answering import Answering


class Snapshot(Answering):
    """Answers questions as the ledger stood when it was taken, whatever is written meanwhile, until it is closed.

    Its questions go one after the other: they share one transaction. It keeps nobody from writing, and the file from nothing
    but being tidied of what was deleted since; so it is not for keeping longer than somebody looks at it.
    Raises SnapshotClosed where it is asked after that, or after a question of it failed.
    """

    def __init__(self, store: Answering, connection: duckdb.DuckDBPyConnection, at: datetime) -> None:
        self.path, self.at = store.path, at
        # read before the transaction begins: what is answered may be newer than its version says, never older
        self.version, self.deeds, self.version_of_all = store.version, store.deeds, store.version_of_all
        self._version_of_day = dict(store._version_of_day)
        self._connection: duckdb.DuckDBPyConnection | None = connection
        self._asking = threading.Lock()
        connection.execute(
            "begin transaction; from schema_migration limit 1"
        ).fetchall()  # it begins with the first look

    @property
    def is_open(self) -> bool:
        return self._connection is not None

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The one connection; who asks while another asks waits."""
        with self._asking:
            if self._connection is None:
                raise SnapshotClosed("What was read of the ledger is no longer held.")
            try:
                yield self._connection
            except duckdb.Error:  # which ends its transaction
                self._release()
                raise

    def close(self) -> None:
        """Let go of it, once nobody is asking."""
        with self._asking:
            self._release()

    def _release(self) -> None:
        if self._connection is not None:
            with suppress(duckdb.Error):  # the database may be closed already
                self._connection.close()
            self._connection = None
