"""A file as it stands in `file_row` after reading: its header, its rows as text, and what is known of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from lastmile.ingest.errors import UnreadableFile
from lastmile.ingest.mapping import Mapping

TOO_MANY_COLUMNS = 2000
SAMPLE_ROWS = 2000


@dataclass(frozen=True)
class Reading:
    """How to read: what the mapping says of the file, and nothing else of it."""

    delimiter: str | None = None
    encoding: str | None = None
    sheet: str | None = None
    skip_lines: int = 0
    records: str | None = None
    drop: tuple[str, ...] = ()
    hash: tuple[str, ...] = ()
    salt: str = ""
    wanted: tuple[str, ...] = ()
    in_order: bool = False  # a row may need the rows above it

    @classmethod
    def of(cls, mapping: Mapping) -> Reading:
        return cls(
            mapping.delimiter, mapping.encoding, mapping.sheet, mapping.skip_lines, mapping.records, mapping.drop,
            mapping.hash, mapping.source, mapping.file_columns, bool(mapping.fill_down),
        )  # fmt: skip


@dataclass(frozen=True)
class Csv:
    """A CSV file, or its copy in UTF-8, and how it is read; `rows` of it where not all."""

    text: Path
    delimiter: str
    header: tuple[str, ...]
    reading: Reading
    rows: int | None = None


@dataclass(frozen=True)
class Opened:
    """A file that stands in `file_row`: its header, what kind of file it is and where its rows begin.

    A `streamed` one is read when it is checked: `file_row` is a view that reads it.
    """

    path: Path
    format: str
    header: tuple[str, ...]
    first_row: int = 2  # the number that the file's first row of data has in it
    streamed: Csv | None = None

    def position(self, name: str) -> int | None:
        """The place of a column in the header, compared exactly, then without regard to case and outer spaces."""
        if name in self.header:
            return self.header.index(name)
        folded = [column.strip().casefold() for column in self.header]
        wanted = name.strip().casefold()
        return folded.index(wanted) if wanted in folded else None


def header_of(names: list[str], path: Path) -> tuple[str, ...]:
    """Column names, each once: an empty one gets its place, a repeated one its count."""
    if len(names) > TOO_MANY_COLUMNS:
        raise UnreadableFile(f"{path.name} seems to have {len(names)} columns; check the delimiter and the first line.")
    header: list[str] = []
    for place, name in enumerate(names, 1):
        name = name.strip() or f"column {place}"
        count = 2
        unique = name
        while unique in header:
            unique, count = f"{name} ({count})", count + 1
        header.append(unique)
    return tuple(header)


def keep_rows(
    connection: duckdb.DuckDBPyConnection,
    relation: duckdb.DuckDBPyRelation,
    header: tuple[str, ...],
    reading: Reading,
    rows: int | None,
) -> None:
    """Store the rows as text, personal columns emptied or hashed before anything else sees them."""
    limit = "" if rows is None else " limit $rows"
    parameters = ({} if rows is None else {"rows": rows}) | (
        {"salt": reading.salt} if set(header) & set(reading.hash) else {}
    )
    connection.register("incoming_file", relation)
    try:
        connection.execute(
            f"create or replace table file_row as select {kept_columns(header, reading)} from incoming_file{limit}",
            parameters,
        )
    finally:
        connection.unregister("incoming_file")
    connection.execute(
        f"create or replace table file_sample as (from file_row limit {SAMPLE_ROWS}) "
        f"union all (from (from file_row using sample 1% (system)) limit {SAMPLE_ROWS})"
    )


def kept_columns(header: tuple[str, ...], reading: Reading) -> str:
    """The columns c0, c1, … of a file, personal ones emptied or hashed (with the parameter `salt`)."""
    return ", ".join(_kept(i, name, reading) for i, name in enumerate(header))


def _kept(place: int, name: str, reading: Reading) -> str:
    if name in reading.drop:
        return f"null::varchar as c{place}"
    if name in reading.hash:
        return f"case when c{place} <> '' then sha256($salt || chr(31) || c{place}) end as c{place}"
    return f"c{place}"


def refuse_without_rows(connection: duckdb.DuckDBPyConnection, path: Path, rows: str = "file_row") -> None:
    """Raises UnreadableFile where a file has a header and no row under it, not even a broken one."""
    if connection.execute(f"select 1 from {rows} limit 1").fetchone() is None and not count_rejects(connection):
        raise UnreadableFile(f"{path.name} has a header and no row below it; there is nothing to import.")


def count_rejects(connection: duckdb.DuckDBPyConnection) -> int:
    """How many rows the reader itself could not divide into columns."""
    return connection.execute("select count(*) from file_reject").fetchone()[0]
