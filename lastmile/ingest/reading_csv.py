"""Reads CSV: one row of text a row of the file, by DuckDB's own reader; what can't be divided into columns is kept whole.

A file in UTF-8 is streamed: no copy of its text is made, each of its rows is read as it is checked.
"""

from __future__ import annotations

import csv
import io
import re
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import duckdb
import pyarrow as pa

from lastmile.ingest.errors import UnreadableFile
from lastmile.ingest.opened import (
    SAMPLE_ROWS,
    Csv,
    Opened,
    Reading,
    header_of,
    keep_rows,
    kept_columns,
    refuse_without_rows,
)

DELIMITERS = (",", ";", "\t", "|")
SAMPLE_BYTES = 256 * 1024
LOOKS = 16  # places all over a streamed file where a few rows are looked at beforehand
LOOK_BYTES = 32 * 1024
REJECT_CUT = 10_000  # DuckDB keeps so much of a line that it refuses
READ_AGAIN = 10
csv.field_size_limit(SAMPLE_BYTES)  # Python's own limit is shorter than some cells


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
    if re.match(r"\s*<(!doctype|html|\?xml)", sample, re.IGNORECASE):
        raise UnreadableFile(
            f"{path.name} is a web page or XML, not a table; a page that asks to sign in is sometimes saved instead of the "
            "export. Download it again as CSV, JSON lines, Parquet or Excel."
        )
    delimiter = reading.delimiter or delimiter_of("\n".join(lines))
    header = header_of(next(csv.reader(io.StringIO("\n".join(lines)), delimiter=delimiter)), path)
    file = Csv(text, delimiter, header, reading, rows)
    streamed = rows is None and text == path and not reading.in_order and not set(header) & set(reading.hash)
    if streamed:
        _stream_rows(connection, path, file)
    else:
        keep_rows(connection, _relation(connection, file), header, reading, rows)
        keep_rejects(connection, path, file)
        refuse_without_rows(connection, path)
    return Opened(path, "csv", header, reading.skip_lines + 2, file if streamed else None)


def _relation(connection: duckdb.DuckDBPyConnection, file: Csv) -> duckdb.DuckDBPyRelation:
    """The file as a relation of texts; what it refuses is told in file_reject_error, anew with each call."""
    for table in ("file_reject_error", "file_reject_scan"):
        connection.execute(f"drop table if exists {table}")
    return connection.read_csv(
        str(file.text), header=True, skiprows=file.reading.skip_lines, sep=file.delimiter, quotechar='"', escapechar='"',
        columns={f"c{i}": "VARCHAR" for i in range(len(file.header))}, auto_detect=False, store_rejects=True,
        rejects_table="file_reject_error", rejects_scan="file_reject_scan", rejects_limit=0,
    )  # fmt: skip


def _stream_rows(connection: duckdb.DuckDBPyConnection, path: Path, file: Csv) -> None:
    """`file_row` as a view that reads the file, and `file_sample` from the first rows and from all over it."""
    kept = kept_columns(file.header, file.reading)
    connection.register("incoming_file", _relation(connection, file))
    connection.execute("drop table if exists file_row")
    connection.execute(f"create or replace temp view file_row as select {kept} from incoming_file")
    connection.execute(f"create or replace table file_sample as from file_row limit {SAMPLE_ROWS}")
    if not connection.execute("select 1 from file_reject_error limit 1").fetchone():
        refuse_without_rows(connection, path, "file_sample")
    if path.stat().st_size > LOOKS * LOOK_BYTES:
        seen = _rows_all_over(path, len(file.header), file.delimiter)
        columns = {f"c{i}": pa.array([row[i] for row in seen], pa.string()) for i in range(len(file.header))}
        connection.register("incoming_sample", pa.table(columns))
        connection.execute(f"insert into file_sample select {kept} from incoming_sample")
        connection.unregister("incoming_sample")
    connection.execute("delete from file_reject_error")  # reading all of it will find them again


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


# What can't be divided into columns


def keep_rejects(connection: duckdb.DuckDBPyConnection, path: Path, file: Csv) -> bool:
    """Put what DuckDB's reader could not divide into columns into `file_reject`, a line of the file each.

    A quote that opens and never closes swallows the lines after it, of which the reader keeps a piece. Such a line is set
    aside by itself and the file read again, into the table `file_row`; True tells that. Raises UnreadableFile where new
    ones turn up again and again.
    """
    aside: dict[int, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(READ_AGAIN + 1):
            places = _swallowing(connection)
            if not places:
                break
            if number == READ_AGAIN:
                lines = ", ".join(f"{line:,}" for line in sorted(aside)[:5])
                raise UnreadableFile(
                    f"{path.name}: quotes open and never close{f', first in lines {lines}' if lines else ''}, so its rows can't be "
                    "told apart. Correct these lines, or export it again with texts in double quotes; nothing was written."
                )
            rest = Path(folder) / f"{number}.csv"
            aside |= _set_aside(file.text, rest, places)
            file = replace(file, text=rest)
            connection.execute("drop view if exists temp.file_row")
            keep_rows(connection, _relation(connection, file), file.header, file.reading, file.rows)
    connection.execute(
        "insert into file_reject select line, any_value(error_type::varchar), any_value(csv_line) "
        "from file_reject_error group by line order by line"
    )
    if aside:
        lines = pa.table({"line": list(aside), "text": list(aside.values())})
        connection.register("incoming_reject", lines)
        connection.execute("insert into file_reject select line, 'UNQUOTED VALUE', text from incoming_reject")
        connection.unregister("incoming_reject")
    return bool(aside)


def _swallowing(connection: duckdb.DuckDBPyConnection) -> list[int]:
    """A byte within each line of which the reader has kept a piece only. (Where it says the line begins can be a line early.)"""
    rows = connection.execute(
        "select distinct byte_position - 1 from file_reject_error where error_type in "
        "('UNQUOTED VALUE', 'LINE SIZE OVER MAXIMUM') or length(csv_line) >= $cut order by 1",
        {"cut": REJECT_CUT},
    ).fetchall()
    return [place for (place,) in rows]


def _set_aside(old: Path, new: Path, places: list[int]) -> dict[int, str]:
    """Copy a file with the lines at these places emptied; returns them by their number."""
    aside, number = {}, 1
    with old.open("rb") as source, new.open("wb") as target:
        starts = sorted({_line_start(source, place) for place in places})
        source.seek(0)
        for start in starts:
            while source.tell() < start and (chunk := source.read(min(1 << 20, start - source.tell()))):
                number += chunk.count(b"\n")
                target.write(chunk)
            line = source.readline()
            aside[number] = line.decode(errors="replace").rstrip("\r\n")
            number += 1
            target.write(b"\n")
        shutil.copyfileobj(source, target, 1 << 20)
    return aside


def _line_start(source: BinaryIO, place: int) -> int:
    """Where the line begins that a byte lies in."""
    while place > 0:
        step = min(1 << 16, place)
        source.seek(place - step)
        found = source.read(step).rfind(b"\n")
        if found >= 0:
            return place - step + found + 1
        place -= step
    return 0
