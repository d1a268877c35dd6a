"""Reads JSON lines and JSON arrays; the paths of their values become columns, such as `destination.address.city`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import duckdb

from lastmile.ingest.errors import UnreadableFile
from lastmile.ingest.opened import Opened, Reading, keep_rows, refuse_without_rows

SAMPLE_RECORDS = 2000
ONE_DOCUMENT = 64 << 20  # bytes of the largest object that is looked into


def read_json(
    connection: duckdb.DuckDBPyConnection, path: Path, text: Path, reading: Reading, rows: int | None
) -> Opened:
    """Put the records of `text` (the file, or its copy in UTF-8) into `file_row`, broken lines into `file_reject`."""
    with text.open(encoding="utf-8-sig") as file:
        start = file.read(4096).lstrip()
    if start.startswith("[") or reading.records:
        _json_array(connection, path, text, reading)
    else:
        _json_lines(connection, text)
        _one_document(connection, path, text)
    header = _json_header(connection, reading)
    if not header:
        raise UnreadableFile(
            f"{path.name} holds no JSON objects; one object a line, or an array of objects, is needed."
        )
    paths = {f"p{i}": _json_path(name) for i, name in enumerate(header)}
    columns = ", ".join(f"json_extract_string(record, $p{i}) as c{i}" for i in range(len(header)))
    connection.execute(
        f"create or replace table json_column as select {columns} from json_record order by rowid", paths
    )
    keep_rows(connection, connection.table("json_column"), header, reading, rows)
    connection.execute("drop table json_column; drop table json_record")
    refuse_without_rows(connection, path)
    return Opened(path, "json", header, 1)


def _json_lines(connection: duckdb.DuckDBPyConnection, text: Path) -> None:
    relation = connection.read_csv(
        str(text), header=False, sep="\x01", quotechar="", escapechar="", columns={"line": "VARCHAR"}, auto_detect=False,
        max_line_size=64 << 20,
    )  # fmt: skip
    connection.register("incoming_file", relation)
    connection.execute("create or replace table json_line as select line from incoming_file")
    connection.unregister("incoming_file")
    connection.execute(
        "insert into file_reject select rowid + 1, 'NOT JSON', line from json_line "
        "where line is not null and not case when json_valid(line) then json_type(line) = 'OBJECT' else false end"
    )
    connection.execute(
        "create or replace table json_record as select line::json as record from json_line "
        "where case when json_valid(line) then json_type(line) = 'OBJECT' else false end order by rowid"
    )
    connection.execute("drop table json_line")


def _one_document(connection: duckdb.DuckDBPyConnection, path: Path, text: Path) -> None:
    """A single object over several lines is one record; raises UnreadableFile where its records lie in a list inside it."""
    if connection.execute("select 1 from json_record limit 1").fetchone() or text.stat().st_size > ONE_DOCUMENT:
        return
    try:
        document = json.loads(text.read_text(encoding="utf-8-sig"))
    except ValueError:
        return
    if not isinstance(document, dict):
        return
    inside = {name: value for name, value in document.items() if isinstance(value, list) and value}
    lists = [f"{name} ({len(value)})" for name, value in inside.items() if isinstance(value[0], dict)]
    if lists:
        raise UnreadableFile(
            f"{path.name} is one JSON document whose rows lie in a list inside it: {', '.join(lists)}. "
            f'Say records = "{lists[0].split(" (")[0]}" in the mapping and import with it.'
        )
    connection.execute("delete from file_reject")
    connection.execute("insert into json_record values ($document::json)", {"document": json.dumps(document)})


def _json_array(connection: duckdb.DuckDBPyConnection, path: Path, text: Path, reading: Reading) -> None:
    try:
        if reading.records:
            connection.execute(
                "create or replace table json_record as "
                "select unnest(json_extract(content::json, $records)::json[]) as record from read_text($path)",
                {"path": str(text), "records": f"{_json_path(reading.records)}[*]"},
            )
        else:
            connection.execute(
                "create or replace table json_record as select json as record from "
                "read_json_objects($path, format = 'array', maximum_object_size = 67108864)",
                {"path": str(text)},
            )
    except duckdb.Error as error:
        raise UnreadableFile(f"{path.name} is not valid JSON: {str(error).splitlines()[0]}") from error


def _json_header(connection: duckdb.DuckDBPyConnection, reading: Reading) -> tuple[str, ...]:
    """The paths of all values in the first records, such as `destination.address.city`, and those that a mapping names."""
    sample = connection.execute(
        "select record from json_record where json_type(record) = 'OBJECT' limit $n", {"n": SAMPLE_RECORDS}
    ).fetchall()
    names: dict[str, None] = {}
    for (record,) in sample:
        names |= dict.fromkeys(_paths(json.loads(record)))
    return tuple(names | dict.fromkeys(reading.wanted)) if names else ()


def _paths(record: dict[str, object], prefix: str = "") -> Iterator[str]:
    for key, value in record.items():
        if isinstance(value, dict) and value:
            yield from _paths(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def _json_path(name: str) -> str:
    steps = ("[" + step + "]" if step.isdigit() else '."' + step.replace('"', '\\"') + '"' for step in name.split("."))
    return "$" + "".join(steps)
