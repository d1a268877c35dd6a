"""A place of its own in memory where a file is read and checked before anything waits for it.

DuckDB scans what an open transaction has made with one thread only, and a transaction holds the writers' lock. So reading and
checking happen outside, in an attached database in memory (which gives way to the disk at the memory limit), and the
transaction only takes what is new from there.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb

from lastmile.store import Store


@dataclass(frozen=True)
class Scratch:
    """A connection whose new tables go to the scratch database `name`; `ledger` is the name of the store's own."""

    connection: duckdb.DuckDBPyConnection
    name: str
    ledger: str

    def see_both(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Let a connection name the tables of the ledger and of the scratch database."""
        connection.execute("set search_path = $path", {"path": f'"{self.ledger}".main,{self.name}.main'})


@contextmanager
def scratch(store: Store) -> Iterator[Scratch]:
    """A scratch database that is gone at the end."""
    with store.cursor() as connection:
        ledger = connection.execute("select current_database()").fetchone()[0]
        name = f"scratch_{uuid.uuid4().hex}"
        connection.execute(f"attach ':memory:' as {name}")
        try:
            connection.execute(f"use {name}")
            yield Scratch(connection, name, ledger)
        finally:
            connection.execute(f'use "{ledger}"')
            connection.execute(f"detach {name}")
