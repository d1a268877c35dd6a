"""Files of any common kind as one table of text columns, `file_row`, a row of the file each, in file order.

Its columns are c0, c1, …; the header stands beside them. CSV goes through DuckDB's own reader (reading_csv), and the rows
which that refuses are kept whole in `file_reject`.
"""

from __future__ import annotations

import codecs
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa

from lastmile.ingest.errors import UnreadableFile
from lastmile.ingest.opened import Opened, Reading, header_of, keep_rows, refuse_without_rows
from lastmile.ingest.reading_csv import SAMPLE_BYTES, read_csv
from lastmile.ingest.reading_json import read_json

BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
NO_TEXT = bytes(byte for byte in range(32) if byte not in b"\t\n\f\r")
EXCEL = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")


def read_file(
    connection: duckdb.DuckDBPyConnection, path: Path | str, reading: Reading | None = None, rows: int | None = None
) -> Opened:
    """Put a file's rows (the first `rows`, or all) into `file_row` and `file_reject`.

    Raises UnreadableFile, naming the file and the remedy, for what is empty, binary, without rows or not such a file.
    """
    path, reading = Path(path), reading or Reading()
    if not path.is_file():
        raise UnreadableFile(f"There is no file {path}.")
    if path.stat().st_size == 0:
        raise UnreadableFile(f"{path.name} is empty: it has no header and no row. Export it again.")
    connection.execute("create or replace table file_reject (line bigint, problem varchar, text varchar)")
    suffix = path.suffix.lower()
    with path.open("rb") as file:
        start = file.read(4)
    if start == b"PAR1":
        return _read_parquet(connection, path, reading, rows)
    if suffix in EXCEL:
        return _read_excel(connection, path, reading, rows)
    if start[:2] == b"PK" or start == b"\xd0\xcf\x11\xe0":
        raise UnreadableFile(f"{path.name} is an archive or a workbook; name workbooks .xlsx, unpack archives first.")
    with _as_utf8(path, reading) as text:
        if suffix in (".json", ".jsonl", ".ndjson", ".geojson"):
            return read_json(connection, path, text, reading, rows)
        return read_csv(connection, path, text, reading, rows)


# Text and its encoding


def encoding_of(start: bytes, name: str) -> str:
    """The encoding that a file's first bytes speak of; raises UnreadableFile where they are no text."""
    for mark, encoding in BOMS:
        if start.startswith(mark):
            return encoding
    if start.count(b"\x00") > len(start) / 4:
        return "utf-16-le" if start[1:2] == b"\x00" else "utf-16-be"
    strange = len(start) - len(start.translate(None, NO_TEXT))
    if strange > len(start) / 100:
        raise UnreadableFile(
            f"{name} is not a text file: it holds bytes that no text has. Export it as CSV, JSON lines, Parquet or Excel."
        )
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return "cp1252" if not set(start) & {0x81, 0x8D, 0x8F, 0x90, 0x9D} else "latin-1"
    return "utf-8"


@contextmanager
def _as_utf8(path: Path, reading: Reading) -> Iterator[Path]:
    """The file itself where it is UTF-8, else a copy in UTF-8 that lives as long as it is read."""
    with path.open("rb") as file:
        start = file.read(SAMPLE_BYTES)
    found = encoding_of(start, path.name)
    encoding = reading.encoding if reading.encoding and not found.startswith("utf-16") else found
    if encoding in ("utf-8", "utf-8-sig") and _is_utf8(path):
        yield path
        return
    if encoding == "utf-8":
        encoding = "cp1252"
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        with (
            path.open(encoding=encoding, errors="replace", newline="") as old,
            copy.open("w", encoding="utf-8", newline="") as new,
        ):
            while chunk := old.read(1 << 20):
                new.write(chunk)
        yield copy


def _is_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        try:
            while chunk := file.read(1 << 20):
                decoder.decode(chunk)
        except UnicodeDecodeError:
            return False
    return True


# Parquet and Excel


def _read_parquet(connection: duckdb.DuckDBPyConnection, path: Path, reading: Reading, rows: int | None) -> Opened:
    try:
        relation = connection.read_parquet(str(path))
    except duckdb.Error as error:
        raise UnreadableFile(f"{path.name} is not a whole Parquet file: {str(error).splitlines()[0]}") from error
    header = header_of(relation.columns, path)
    columns = [f"#{i + 1}::varchar as c{i}" for i in range(len(header))]
    connection.register("incoming_parquet", relation)
    named = connection.sql(f"select {', '.join(columns)} from incoming_parquet")
    keep_rows(connection, named, header, reading, rows)
    connection.unregister("incoming_parquet")
    refuse_without_rows(connection, path)
    return Opened(path, "parquet", header, 1)


def _read_excel(connection: duckdb.DuckDBPyConnection, path: Path, reading: Reading, rows: int | None) -> Opened:
    table = _sheet(path, reading)
    while table and not any(cell not in ("", None) for cell in table[0]):
        table = table[1:]
    if not table:
        raise UnreadableFile(f"{path.name} has an empty sheet; choose another one with `sheet` in the mapping.")
    header = header_of([_cell(cell) or "" for cell in table[0]], path)
    body = table[1:] if rows is None else table[1 : rows + 1]
    columns = {f"c{i}": pa.array([_cell(row[i]) for row in body], pa.string()) for i in range(len(header))}
    keep_rows(connection, connection.from_arrow(pa.table(columns)), header, reading, rows)
    refuse_without_rows(connection, path)
    return Opened(path, "excel", header, reading.skip_lines + 2)


def _sheet(path: Path, reading: Reading) -> list[list[object]]:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        workbook = CalamineWorkbook.from_path(str(path))
    except (CalamineError, OSError) as error:
        raise UnreadableFile(f"{path.name} is not a workbook that can be opened: {error}") from error
    names = workbook.sheet_names
    if reading.sheet is not None and reading.sheet not in names:
        raise UnreadableFile(f"{path.name} has no sheet {reading.sheet!r}; it has {', '.join(names)}.")
    sheet = workbook.get_sheet_by_name(reading.sheet or names[0])
    return sheet.to_python(skip_empty_area=False)[reading.skip_lines :]


def _cell(value: object) -> str | None:
    """A workbook's cell as the text that a person sees: whole numbers without a point, times in ISO form."""
    if value is None or value == "":
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
