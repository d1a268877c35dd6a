"""Writes what was checked: of each kind, the rows that the ledger does not have yet. All inside the caller's transaction."""

from __future__ import annotations

import duckdb

from lastmile.ingest.fields import EVENT_KINDS
from lastmile.ingest.imported import Import, Written
from lastmile.ingest.mapping import Mapping
from lastmile.ingest.validating import Checked
from lastmile.ingest.writing_masters import find_new_masters, write_masters
from lastmile.ingest.writing_routes import find_new_routes, write_routes
from lastmile.ingest.writing_told import find_new_told, write_told


def find_new(connection: duckdb.DuckDBPyConnection, mapping: Mapping, checked: Checked) -> Written:
    """Mark what is new in the temporary tables `known_event`, `known_booking`, … and count it; writes nothing."""
    connection.execute("create or replace temp table new_row (row_id bigint)")
    if mapping.kind in EVENT_KINDS:
        return find_new_told(connection, mapping, checked)
    if mapping.kind == "routes":
        return find_new_routes(connection)
    return find_new_masters(connection, mapping)


def write(connection: duckdb.DuckDBPyConnection, imported: Import, checked: Checked) -> dict[str, int]:
    """Insert what `find_new` marked; returns the number of rows by table."""
    kind = imported.mapping.kind
    if kind in EVENT_KINDS:
        return write_told(connection, imported, checked)
    return write_routes(connection, imported) if kind == "routes" else write_masters(connection, imported)
