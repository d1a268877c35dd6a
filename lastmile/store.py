"""DuckDB: the ledger, the master data, the derived tables of the present. One writer, a cursor for each question."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa

from lastmile.errors import BadBatch, DiskFull, StoreInUse, StoreTooNew

SQL = Path(__file__).parent / "sql"
MANY_TOUCHED = 10_000
NO_ROOM = ("No space left", "Could not write", "Disk quota", "File too large")
Frame = pd.DataFrame | pa.Table
Batch = Mapping[str, Frame]

# How a row of each table is told to be there already. `None`: by all that it says, against the latest row of its key.
IDENTITIES: dict[str, tuple[str, ...]] = {
    "event": ("event_id",),
    "booking": ("booking_id",),
    "charge": ("charge_id",),
    "plan": ("plan_id",),
    "route": ("plan_id", "route_id"),
    "planned_stop": ("plan_id", "delivery_id"),
    "shift": ("shift_id",),
    "milestone_delivery": ("milestone_id", "delivery_id"),
}
MASTER_KEYS: dict[str, tuple[str, ...]] = {
    "depot": ("depot_id",),
    "carrier": ("carrier_id",),
    "rate_card": ("carrier_id", "valid_from"),
    "vehicle": ("vehicle_id",),
    "driver": ("driver_id",),
    "milestone": ("milestone_id",),
    "source": ("source",),
}


@dataclass(frozen=True)
class Derived:
    """A table of the present: `key` names its grain, `state` the query that makes it from all or from what was touched."""

    table: str
    key: str
    everything: str
    touched: str


DERIVED = (
    Derived(
        "delivery",
        "delivery_id",
        "from delivery_state('infinity'::timestamptz, 'event', 'booking', null, null)",
        "from delivery_state('infinity'::timestamptz, 'touched_event', 'touched_booking', null, null)",
    ),
    Derived(
        "route_run",
        "route_id",
        "from route_state('infinity'::timestamptz, 'event', null, null)",
        "from route_state('infinity'::timestamptz, 'touched_route_event', null, null)",
    ),
    Derived(
        "plan_decision",
        "plan_id",
        "from plan_decision_state('infinity'::timestamptz, 'event')",
        "from plan_decision_state('infinity'::timestamptz, 'touched_plan_event')",
    ),
)


class Store:
    """The one door to the database: `ask` for frames, `append` batches, `write` for bulk in one transaction.

    `version` counts committed writes, so that a cache can use it as a key.
    """

    def __init__(self, path: Path, connection: duckdb.DuckDBPyConnection) -> None:
        self.path = path
        self.version = 0
        self._version_of_all = 0
        self._version_of_day: dict[date, int] = {}
        self._touched_days: list[date] | None = None
        self._connection = connection
        self._writer = threading.RLock()

    @classmethod
    def open(cls, path: Path | str, memory_limit: str | None = None) -> Store:
        """Open or make the database file, migrate it (after a backup) and refresh its macros.

        Raises StoreInUse where another process holds the file, StoreTooNew where its schema is newer than the program.
        """
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        store = cls(path, _connect(path, memory_limit))
        try:
            store._migrate()
            store._define()
        except BaseException:
            store.close()
            raise
        return store

    def close(self) -> None:
        self._connection.close()

    # Reading

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection of its own for one question; cursors of several threads never disturb each other."""
        cursor = self._connection.cursor()
        cursor.execute("set TimeZone = 'UTC'")
        return cursor

    def ask(self, sql: str, **parameters: Any) -> pd.DataFrame:
        """The answer to one question, times in UTC."""
        with self.cursor() as cursor:
            return cursor.execute(sql, parameters or None).df()

    def value(self, sql: str, **parameters: Any) -> Any:
        """The first column of the first row, None where there is no row."""
        with self.cursor() as cursor:
            row = cursor.execute(sql, parameters or None).fetchone()
        return None if row is None else row[0]

    # Writing

    @contextmanager
    def write(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection inside one transaction behind the writers' lock: commits at the end, rolls back on any error.

        Raises DiskFull where the disk has no room left; the state is then as it was, and the store goes on.
        """
        with self._writer:
            connection = self.cursor()
            try:
                connection.execute("begin")
                yield connection
                touched, self._touched_days = self._touched_days, None
                connection.execute("commit")
            except duckdb.Error as error:
                self._touched_days = None
                _roll_back(connection)
                if any(sign in str(error) for sign in NO_ROOM):
                    self._reopen()
                    raise DiskFull(
                        f"The disk of {self.path} is full. Nothing of this was written; free some space and try again."
                    ) from error
                raise
            except BaseException:
                _roll_back(connection)
                raise
            finally:
                connection.close()
            self.version += 1
            self._note_days(touched)

    def version_of(self, day_from: date | None, day_to: date | None) -> int:
        """The version of what is known about some service days: it grows only with writes that may change them."""
        within = [
            version
            for day, version in self._version_of_day.items()
            if (day_from is None or day >= day_from) and (day_to is None or day <= day_to)
        ]
        return max([self._version_of_all, *within])

    def _note_days(self, touched: list[date] | None) -> None:
        """Remember which days a write touched; None: it may have touched any."""
        if touched is None:
            self._version_of_all = self.version
        else:
            self._version_of_day |= dict.fromkeys(touched, self.version)

    def append(self, batch: Batch, import_id: str | None = None) -> dict[str, int]:
        """Append what is new of each table, in one transaction, and refresh the derived rows it touches.

        Returns the number of rows taken by table; a row that is there already is not taken again.
        Raises BadBatch where a column is not of the table or a needed value is missing.
        """
        incoming = {table: _as_arrow(table, frame) for table, frame in batch.items() if len(frame)}
        if not incoming:
            return dict.fromkeys(batch, 0)
        with self.write() as connection:
            for table in ("event", "booking"):
                connection.execute(f"create or replace temp table incoming_{table} as from {table} limit 0")
            taken = {table: self._append_table(connection, table, rows, import_id) for table, rows in incoming.items()}
            _touch(connection, "incoming_event", "incoming_booking")
            self._merge(connection)
            if incoming.keys() <= OF_A_DAY.keys():
                self._touched_days = _days_of(connection, incoming.keys())
        return dict.fromkeys(batch, 0) | taken

    def merge_touched(self, connection: duckdb.DuckDBPyConnection, import_id: str) -> None:
        """Refresh the derived rows that the rows of an import touch; called inside `write()` after a bulk insert."""
        _touch(
            connection,
            "event where import_id = $import_id",
            "booking where import_id = $import_id",
            import_id=import_id,
        )
        self._merge(connection)

    def rebuild(self) -> None:
        """Empty the derived tables and make them again from the ledger."""
        with self.write() as connection:
            _make_anew(connection)

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
        columns = _columns_of(connection, table)
        unknown = set(rows.column_names) - columns.keys()
        if unknown:
            raise BadBatch(f"Table {table} has no column {', '.join(sorted(unknown))}; it has {', '.join(columns)}.")
        if "import_id" in columns and "import_id" not in rows.column_names:
            rows = rows.append_column("import_id", pa.array([import_id] * len(rows), pa.string()))
        connection.register("incoming_rows", rows)
        try:
            connection.execute(f"create or replace temp table incoming_{table} as from {table} limit 0")
            connection.execute(f"insert into incoming_{table} by name from incoming_rows")
            return connection.execute(_insert_new(table, columns)).fetchone()[0]
        except (duckdb.ConstraintException, duckdb.ConversionException) as error:
            raise BadBatch(f"Rows for {table} were refused: {error}") from error
        finally:
            connection.unregister("incoming_rows")

    def _merge(self, connection: duckdb.DuckDBPyConnection) -> None:
        if _touches_most(connection):
            _make_anew(connection)
            return
        for name, query in TOUCHED_ROWS.items():
            connection.execute(f"create or replace temp table {name} as {query}")
        for derived in DERIVED:
            connection.execute(f"create or replace temp table touched_state as {derived.touched}")
            connection.execute(
                f"delete from {derived.table} where {derived.key} in (from touched_{derived.key.removesuffix('_id')}) "
                f"and {derived.key} not in (select {derived.key} from touched_state)"
            )
            connection.execute(
                f"merge into {derived.table} using touched_state using ({derived.key}) "
                "when matched then update when not matched then insert"
            )

    # Schema

    def schema_version(self) -> int:
        """The number of the last migration that this database has had."""
        known = self.value("select count(*) from duckdb_tables() where table_name = 'schema_migration'")
        return self.value("select coalesce(max(number), 0) from schema_migration") if known else 0

    def _migrate(self) -> None:
        migrations = {int(path.name[:4]): path for path in sorted((SQL / "migrations").glob("*.sql"))}
        present = self.schema_version()
        if present > max(migrations):
            raise StoreTooNew(
                f"{self.path} has schema {present}; this program knows up to {max(migrations)}. "
                "Install the newer version of Lastmile that wrote it."
            )
        pending = [number for number in migrations if number > present]
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
        """Where their definition has changed since: make the macros anew, and the derived tables from the ledger."""
        texts = [path.read_text() for path in sorted((SQL / "state").glob("*.sql"))]
        fingerprint = hashlib.sha256("".join(texts).encode()).hexdigest()
        if self.setting("derived_fingerprint") == fingerprint:
            return
        with self.write() as connection:
            for derived in DERIVED:
                connection.execute(f"drop table if exists {derived.table}")
            for text in texts:
                connection.execute(text)
            _make_anew(connection)
        self.set_setting("derived_fingerprint", fingerprint, "system")

    # Settings

    def setting(self, key: str, default: Any = None) -> Any:
        """The last value that was set for a key."""
        text = self.value("select arg_max(value, recorded_at)::varchar from setting where key = $key", key=key)
        return default if text is None else json.loads(text)

    def set_setting(self, key: str, value: Any, actor: str) -> None:
        """Set a value; the earlier ones stay on record."""
        with self.write() as connection:
            connection.execute(
                "insert into setting values ($key, $value, $recorded_at, $actor)",
                {"key": key, "value": json.dumps(value), "recorded_at": datetime.now(UTC), "actor": actor},
            )

    def _reopen(self) -> None:
        """After a full disk every statement fails until all connections are closed and opened again."""
        self._connection.close()
        self._connection = _connect(self.path, None)


def _connect(path: Path, memory_limit: str | None) -> duckdb.DuckDBPyConnection:
    try:
        connection = duckdb.connect(str(path))
    except duckdb.IOException as error:
        holder = re.search(r"PID (\d+)", str(error))
        if "lock" not in str(error).lower():
            raise
        who = f"process {holder[1]}" if holder else "another process"
        raise StoreInUse(
            f"{path} is in use by {who}. Stop it (the tower that is running, perhaps), or choose another file with "
            "LASTMILE_DATABASE."
        ) from error
    connection.execute("set TimeZone = 'UTC'")
    if memory_limit:
        connection.execute("set memory_limit = $limit", {"limit": memory_limit})
    return connection


def _roll_back(connection: duckdb.DuckDBPyConnection) -> None:
    with suppress(duckdb.Error):  # the failure that brought us here is the one to report
        connection.execute("rollback")


def _columns_of(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    if table not in IDENTITIES | MASTER_KEYS:
        raise BadBatch(f"There is no table {table} to append to; there are {', '.join(IDENTITIES | MASTER_KEYS)}.")
    return {row[0]: row[1] for row in connection.execute(f"describe {table}").fetchall()}


def _insert_new(table: str, columns: Mapping[str, str]) -> str:
    """The statement that takes the incoming rows that `table` does not have; only names of our own schema in it."""
    if table in IDENTITIES:
        key = ", ".join(IDENTITIES[table])
        return (
            f"insert into {table} by name select incoming.* from incoming_{table} as incoming anti join (select {key} from {table} "
            f"where import_id is null or import_id not in (select import_id from undone_import)) as present using ({key}) "
            f"qualify row_number() over (partition by {key}) = 1"
        )
    key = MASTER_KEYS[table]
    said = [column for column in columns if column not in ("recorded_at", "import_id")]
    same = " and ".join(f"latest.{column} is not distinct from incoming.{column}" for column in said)
    return (
        f"insert into {table} by name select incoming.* from incoming_{table} as incoming where not exists "
        f"(select 1 from (from {table} qualify row_number() over (partition by {', '.join(key)} order by recorded_at desc) = 1)"
        f" as latest where {same})"
    )


# The days that rows of these tables are about; a row of any other table may concern every day.
OF_A_DAY = {
    "event": "select day from delivery semi join touched_delivery using (delivery_id) "
    "union select day from route semi join touched_route using (route_id) "
    "union select day from plan semi join touched_plan using (plan_id)",
    "booking": "select day from incoming_booking union select day from delivery semi join touched_delivery using (delivery_id)",
    "charge": "select day from delivery semi join incoming_charge using (delivery_id) "
    "union select day from route semi join incoming_charge using (route_id) "
    "union select occurred_at::date from incoming_charge",
    "shift": "select day from incoming_shift",
    "plan": "select day from incoming_plan",
    "route": "select day from incoming_route",
    "planned_stop": "select day from plan semi join incoming_planned_stop using (plan_id)",
    "milestone": "select need_by::date from incoming_milestone",
    "milestone_delivery": "select day from delivery semi join incoming_milestone_delivery using (delivery_id)",
}


def _days_of(connection: duckdb.DuckDBPyConnection, tables: Iterable[str]) -> list[date]:
    queries = " union ".join(OF_A_DAY[table] for table in tables)
    return [row[0] for row in connection.execute(queries).fetchall() if row[0] is not None]


def _touches_most(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether a write touches so much that making all anew is quicker: a first big import, for one."""
    touched = connection.execute("select count(*) from touched_delivery").fetchone()[0]
    known = connection.execute("select count(*) from delivery").fetchone()[0]
    return touched > max(MANY_TOUCHED, known / 2)


def _make_anew(connection: duckdb.DuckDBPyConnection) -> None:
    for derived in DERIVED:
        connection.execute(f"delete from {derived.table}")
        connection.execute(f"insert into {derived.table} by name {derived.everything}")


TOUCHED = {
    "touched_delivery": "select delivery_id from {events} union select delivery_id from {bookings}",
    "touched_route": "select distinct route_id from {events}",
    "touched_plan": "select distinct payload ->> 'plan_id' as plan_id from (from {events}) where type like 'plan_%'",
}
TOUCHED_ROWS = {
    "touched_event": "from event semi join touched_delivery using (delivery_id)",
    "touched_booking": "from booking semi join touched_delivery using (delivery_id)",
    "touched_route_event": "from event semi join touched_route using (route_id)",
    "touched_plan_event": "from event where type between 'plan_approved' and 'plan_rejected' "
    "and (payload ->> 'plan_id') in (from touched_plan)",
}


def _touch(connection: duckdb.DuckDBPyConnection, events: str, bookings: str, **parameters: str) -> None:
    """Note what some new events and bookings (relations of our own, by name) touch, for the merge that follows."""
    for name, query in TOUCHED.items():
        text = query.format(events=events, bookings=bookings)
        used = {key: value for key, value in parameters.items() if f"${key}" in text}
        connection.execute(f"create or replace temp table {name} as {text}", used or None)


def _as_arrow(table: str, frame: Frame) -> pa.Table:
    """A frame as Arrow: missing values as nulls, ids and JSON as text."""
    if isinstance(frame, pa.Table):
        return frame
    frame = frame.copy(deep=False)
    for column in frame.columns:
        if column in ("payload", "summary", "unserved"):
            frame[column] = [None if v is None else v if isinstance(v, str) else json.dumps(v) for v in frame[column]]
        elif column in ("event_id", "booking_id", "charge_id", "corrects"):
            frame[column] = [None if v is None or v is pd.NA else str(v) for v in frame[column]]
    try:
        return pa.Table.from_pandas(frame, preserve_index=False)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise BadBatch(f"Rows for {table} can't be read as a table: {error}") from error
