"""The store: one writer, a cursor for each question, migrations, settings."""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from weakref import WeakSet

import duckdb
import pyarrow as pa

from lastmile.errors import BadBatch, DiskFull, StoreTooNew
from lastmile.store.answering import Answering
from lastmile.store.connection import connect, roll_back
from lastmile.store.derived import DERIVED, make_anew, merge
from lastmile.store.snapshot import Snapshot
from lastmile.store.tables import IDENTITIES, MASTER_KEYS, Batch, as_arrow, columns_of, insert_new
from lastmile.store.touching import OF_A_DAY, days_of, touch

SQL = Path(__file__).parents[1] / "sql"
MAKES_TABLE = "create table if not exists"
"""DuckDB plans the whole query of such a table before it sees that it is there: a third of what opening a file takes."""
NO_ROOM = ("No space left", "Could not write", "Disk quota", "File too large")


class Store(Answering):
    """The one door to the database: `ask` for frames, `append` batches, `write` for bulk in one transaction.

    `on_deed` is called after each write that nobody streams, with `deeds`, in the thread of who made it.
    """

    def __init__(self, path: Path, connection: duckdb.DuckDBPyConnection) -> None:
        self.path = path
        self.version = 0
        self.deeds = 0
        self.version_of_all = 0
        self._version_of_day: dict[date, int] = {}
        self._snapshots: WeakSet[Snapshot] = WeakSet()
        self.on_deed: Callable[[int], None] | None = None
        self._touched_days: list[date] | None = None
        self._columns: dict[str, dict[str, str]] = {}
        self._connection = connection
        self._writer = threading.RLock()

    @classmethod
    def open(cls, path: Path | str, memory_limit: str | None = None) -> Store:
        """Open or make the database file, migrate it (after a backup) and refresh its macros.

        Raises StoreInUse where another process holds the file, StoreTooNew where its schema is newer than the program.
        """
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        store = cls(path, connect(path, memory_limit))
        try:
            store._migrate()
            store._define()
        except BaseException:
            store.close()
            raise
        return store

    def close(self) -> None:
        self._close_snapshots()
        self._connection.close()

    def _close_snapshots(self) -> None:
        for snapshot in list(self._snapshots):
            snapshot.close()

    # Reading

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection of its own for one question; cursors of several threads never disturb each other."""
        return self._connection.cursor()

    def snapshot(self, at: datetime) -> Snapshot:
        """The ledger held still as it stands now, which is the tower's instant `at`; closed with the store at the latest."""
        taken = Snapshot(self, self._connection.cursor(), at)
        self._snapshots.add(taken)
        return taken

    # Writing

    @contextmanager
    def write(self, *, about_days: bool = True, streamed: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection inside one transaction behind the writers' lock: commits at the end, rolls back on any error.

        With `about_days` false, nothing that is known about a service day changes by it; `streamed` as of `append`.
        Raises DiskFull where the disk has no room left; the state is then as it was, and the store goes on.
        """
        with self._writer:
            connection = self.cursor()
            try:
                connection.execute("begin")
                yield connection
                touched, self._touched_days = self._touched_days if about_days else [], None
                connection.execute("commit")
            except duckdb.Error as error:
                self._touched_days = None
                roll_back(connection)
                if any(sign in str(error) for sign in NO_ROOM):
                    self._reopen()
                    raise DiskFull(
                        f"The disk of {self.path} is full. Nothing of this was written; free some space and try again."
                    ) from error
                raise
            except BaseException:
                roll_back(connection)
                raise
            finally:
                connection.close()
            self.version += 1
            self.deeds += not streamed
            self._note_days(touched)
            if not streamed and self.on_deed is not None:
                self.on_deed(self.deeds)

    def _note_days(self, touched: list[date] | None) -> None:
        """Remember which days a write touched; None: it may have touched any."""
        if touched is None:
            self.version_of_all = self.version
        else:
            self._version_of_day |= dict.fromkeys(touched, self.version)

    def append(self, batch: Batch, import_id: str | None = None, *, streamed: bool = False) -> dict[str, int]:
        """Append what is new of each table, in one transaction, and refresh the derived rows it touches.

        Returns the number of rows taken by table; a row that is there already is not taken again. `streamed`: it is one of
        many small appends of a feed, for which pages of figures do not start anew.
        Raises BadBatch where a column is not of the table or a needed value is missing.
        """
        incoming = {table: as_arrow(table, frame) for table, frame in batch.items() if len(frame)}
        if not incoming:
            return dict.fromkeys(batch, 0)
        with self.write(streamed=streamed) as connection:
            taken = {table: self._append_table(connection, table, rows, import_id) for table, rows in incoming.items()}
            touch(connection, {table: f"incoming_{table}" for table in incoming})
            merge(connection)
            if incoming.keys() <= OF_A_DAY.keys():
                self._touched_days = days_of(connection, incoming.keys())
        return dict.fromkeys(batch, 0) | taken

    def known(self, table: str, ids: Sequence[str]) -> set[str]:
        """Those of some ids that a table with one id column has, imports that were taken back aside."""
        (key,) = IDENTITIES[table]
        with self.cursor() as cursor:
            found = cursor.execute(
                f"select distinct {key}::varchar from {table} where {key} in (select unnest($ids::uuid[])) "
                "and (import_id is null or import_id not in (select import_id from undone_import))",
                {"ids": list(ids)},
            ).fetchall()
        return {row[0] for row in found}

    def merge_touched(self, connection: duckdb.DuckDBPyConnection, import_id: str) -> None:
        """Refresh the derived rows that the rows of an import touch; called inside `write()` after a bulk insert."""
        connection.execute("set variable of_import = $import_id", {"import_id": import_id})
        of_import = {
            table: f"(from {table} where import_id = getvariable('of_import'))" for table in IDENTITIES | MASTER_KEYS
        }
        touch(connection, of_import)
        merge(connection)

    def rebuild(self) -> None:
        """Empty the derived tables and make them again from the ledger."""
        with self.write() as connection:
            make_anew(connection)

    def backup(self, target: Path) -> Path:
        """Copy the database to `target` while the tower runs; writers wait for the copy."""
        with self._writer:
            self.cursor().execute("checkpoint")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(self.path, target)
        return target

    def _append_table(
        self, connection: duckdb.DuckDBPyConnection, table: str, rows: pa.Table, import_id: str | None
    ) -> int:
        if table not in self._columns:  # what a table has changes with migrations only
            self._columns[table] = columns_of(connection, table)
        columns = self._columns[table]
        unknown = set(rows.column_names) - columns.keys()
        if unknown:
            raise BadBatch(f"Table {table} has no column {', '.join(sorted(unknown))}; it has {', '.join(columns)}.")
        if "import_id" in columns and "import_id" not in rows.column_names:
            rows = rows.append_column("import_id", pa.array([import_id] * len(rows), pa.string()))
        connection.register("incoming_rows", rows)
        try:
            statements = (
                f"create or replace temp table incoming_{table} as from {table} limit 0",
                f"insert into incoming_{table} by name from incoming_rows",
                insert_new(table, columns),
            )
            return connection.execute("; ".join(statements)).fetchone()[0]
        except (duckdb.ConstraintException, duckdb.ConversionException) as error:
            raise BadBatch(f"Rows for {table} were refused: {error}") from error
        finally:
            connection.unregister("incoming_rows")

    # Schema

    def schema_version(self) -> int:
        """The number of the last migration that this database has had."""
        known = self.value("select count(*) from duckdb_tables() where table_name = 'schema_migration'")
        return self.value("select coalesce(max(number), 0) from schema_migration") if known else 0

    def _applied(self) -> set[int]:
        return set(self.ask("select number from schema_migration").number) if self.schema_version() else set()

    def _migrate(self) -> None:
        migrations = {int(path.name[:4]): path for path in sorted((SQL / "migrations").glob("*.sql"))}
        present = self.schema_version()
        if present > max(migrations):
            raise StoreTooNew(
                f"{self.path} has schema {present}; this program knows up to {max(migrations)}. "
                "Install the newer version of Lastmile that wrote it."
            )
        applied = self._applied()
        pending = [number for number in migrations if number not in applied]
        if pending and present:
            self.backup(self.path.with_name(f"{self.path.stem}.before-schema-{max(pending)}{self.path.suffix}"))
        for number in pending:
            with self.write() as connection:
                connection.execute(migrations[number].read_text())
                connection.execute(
                    "create table if not exists schema_migration "
                    "(number integer not null, name varchar not null, applied_at timestamptz not null)"
                )
                connection.execute(
                    "insert into schema_migration values ($number, $name, $applied_at)",
                    {"number": number, "name": migrations[number].stem, "applied_at": datetime.now(UTC)},
                )

    def _define(self) -> None:
        """Make the macros anew; where their definition has changed since, the derived tables from the ledger too.

        DuckDB 1.5.5 keeps a macro in the file without the word `materialized`: read back, the same question took four times
        as long, nearly all of it spent on pushing filters down.
        """
        texts = [path.read_text() for path in sorted((SQL / "state").glob("*.sql"))]
        fingerprint = hashlib.sha256("".join(texts).encode()).hexdigest()
        is_known = self.setting("derived_fingerprint") == fingerprint
        with self.write() as connection:
            for derived in () if is_known else DERIVED:
                connection.execute(f"drop table if exists {derived.table}")
            for statement in (part for text in texts for part in connection.extract_statements(text)):
                if not (is_known and MAKES_TABLE in statement.query):
                    connection.execute(statement)
            if not is_known:
                make_anew(connection)
        if not is_known:
            self.set_setting("derived_fingerprint", fingerprint, "system")

    # Settings

    def set_setting(self, key: str, value: Any, actor: str) -> None:
        """Set a value; the earlier ones stay on record."""
        with self.write() as connection:
            connection.execute(
                "insert into setting values ($key, $value, $recorded_at, $actor)",
                {"key": key, "value": json.dumps(value), "recorded_at": datetime.now(UTC), "actor": actor},
            )

    def _reopen(self) -> None:
        """After a full disk every statement fails until all connections are closed and opened again."""
        self._close_snapshots()
        self._connection.close()
        self._connection = connect(self.path, None)
