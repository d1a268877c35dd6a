"""Opening the database file and giving up a transaction."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import duckdb

from lastmile.errors import StoreInUse

# new files are laid out as DuckDB does since 1.4: texts pack a fifth quicker into as little room (1.0 is its default)
LAYOUT = {"storage_compatibility_version": "v1.4.0"}


def connect(path: Path, memory_limit: str | None) -> duckdb.DuckDBPyConnection:
    """Open the database file, times in UTC; raises StoreInUse with the holder's PID where another process has it."""
    try:
        connection = duckdb.connect(str(path), config=LAYOUT)
    except duckdb.IOException as error:
        holder = re.search(r"PID (\d+)", str(error))
        if "lock" not in str(error).lower():
            raise
        who = f"process {holder[1]}" if holder else "another process"
        raise StoreInUse(
            f"{path} is in use by {who}. Stop it (the tower that is running, perhaps), or choose another file with "
            "LASTMILE_DATABASE."
        ) from error
    connection.execute("set global TimeZone = 'UTC'")  # for all its cursors too
    if memory_limit:
        connection.execute("set memory_limit = $limit", {"limit": memory_limit})
    return connection


def roll_back(connection: duckdb.DuckDBPyConnection) -> None:
    """Give up a transaction; a failure of that is not told."""
    with suppress(duckdb.Error):  # the failure that brought us here is the one to report
        connection.execute("rollback")
