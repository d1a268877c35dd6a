"""Reads CSV: one row of text a row of the file, by DuckDB's own reader; what can't be divided into columns is kept whole.

A file in UTF-8 is streamed: no copy of its text is made, each of its rows is read as it is checked.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import duckdb
import pyarrow as pa

from lastmile.ingest.errors import UnreadableFile
from lastmile.ingest.opened import SAMPLE_ROWS, Opened, Reading, header_of, keep_rows, kept_columns, refuse_without_rows

DELIMITERS = (",", ";", "\t", "|")
SAMPLE_BYTES = 256 * 1024
LOOKS = 16  # places all over a streamed file where a few rows are looked at beforehand
LOOK_BYTES = 32 * 1024


def delimiter_of(text: str) -> str:
    """The delimiter that divides the first lines most evenly."""
    lines = [line for line in text.splitlines()[:20] if line.strip()]
    counts = {mark: [len(_split(line, mark)) for line in lines] for mark in DELIMITERS}
    return max(
        DELIMITERS,
        key=lambda mark: (counts[mark][0] > 1, sum(n == counts[mark][0] for n in counts[mark]), counts[mark][0]),
    )


def _split(line: str, delimiter: str) -> list[str]:
    return next(csv.reader([line], delimiter=delimiter), [])


def read_csv(
    connection: duckdb.DuckDBPyConnection, path: Path, text: Path, reading: Reading, rows: int | None
) -> Opened:
    """Put the rows of `text` (the file, or its copy in UTF-8) into `file_row`, broken ones into `file_reject`."""
    with text.open(encoding="utf-8-sig", newline="", errors="ignore") as file:
        sample = file.read(SAMPLE_BYTES)
    lines = sample.split("\n")[reading.skip_lines :]
    if not "".join(lines).strip():
        raise UnreadableFile(f"{path.name} is empty: it has no header and no row. Export it again.")
    delimiter = reading.delimiter or delimiter_of("\n".join(lines))
    header = header_of(next(csv.reader(io.StringIO("\n".join(lines)), delimiter=delimiter)), path)
    _forget_rejects(connection)
    relation = connection.read_csv(
        str(text), header=True, skiprows=reading.skip_lines, sep=delimiter, quotechar='"', escapechar='"',
        columns={f"c{i}": "VARCHAR" for i in range(len(header))}, auto_detect=False, store_rejects=True,
        rejects_table="file_reject_error", rejects_scan="file_reject_scan", rejects_limit=0,
    )  # fmt: skip
    streamed = rows is None and text == path and not reading.in_order and not set(header) & set(reading.hash)
    if streamed:
        _stream_rows(connection, relation, path, header, delimiter, reading)
    else:
        keep_rows(connection, relation, header, reading, rows)
        keep_rejects(connection)
        refuse_without_rows(connection, path)
    return Opened(path, "csv", header, reading.skip_lines + 2, streamed)


def _stream_rows(
    connection: duckdb.DuckDBPyConnection,
    relation: duckdb.DuckDBPyRelation,
    path: Path,
    header: tuple[str, ...],
    delimiter: str,
    reading: Reading,
) -> None:
    """`file_row` as a view that reads the file, and `file_sample` from the first rows and from all over it."""
    connection.register("incoming_file", relation)
    connection.execute("drop table if exists file_row")
    connection.execute(
        f"create or replace temp view file_row as select {kept_columns(header, reading)} from incoming_file"
    )
    connection.execute(f"create or replace table file_sample as from file_row limit {SAMPLE_ROWS}")
    keep_rejects(connection)
    refuse_without_rows(connection, path, "file_sample")
    connection.execute("delete from file_reject")  # reading all of it will find them again
    _forget_rejects(connection)
    if path.stat().st_size > LOOKS * LOOK_BYTES:
        seen = _rows_all_over(path, len(header), delimiter)
        columns = {f"c{i}": pa.array([row[i] for row in seen], pa.string()) for i in range(len(header))}
        connection.register("incoming_sample", pa.table(columns))
        connection.execute(f"insert into file_sample select {kept_columns(header, reading)} from incoming_sample")
        connection.unregister("incoming_sample")


def _rows_all_over(path: Path, columns: int, delimiter: str) -> list[list[str]]:
    """Whole rows from evenly spread places of a file."""
    size, rows = path.stat().st_size, []
    with path.open("rb") as file:
        for look in range(LOOKS):
            file.seek(look * (size - LOOK_BYTES) // (LOOKS - 1))
            # the first line of a look may be half a line, or the header; the last may be half one
            lines = file.read(LOOK_BYTES).decode(errors="ignore").splitlines()[1:-1]
            rows += [row for row in csv.reader(lines, delimiter=delimiter) if len(row) == columns]
    return rows


def _forget_rejects(connection: duckdb.DuckDBPyConnection) -> None:
    for table in ("file_reject_error", "file_reject_scan"):
        connection.execute(f"drop table if exists {table}")


def keep_rejects(connection: duckdb.DuckDBPyConnection) -> None:
    """Put what DuckDB's reader could not divide into columns into `file_reject`, a line of the file each."""
    connection.execute(
        "insert into file_reject select line, any_value(error_type::varchar), any_value(csv_line) "
        "from file_reject_error group by line order by line"
    )
