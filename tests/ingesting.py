"""A small file and a mapping in, what the check says out: the bench on which the hazards of real files are tested."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from lastmile.ingest.mapping import Mapping, parse
from lastmile.ingest.opened import Reading
from lastmile.ingest.reading import read_file
from lastmile.ingest.validating import Checked, check

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
ORDERS = """
name = "shop"
kind = "orders"
source = "shop"
zone = "Europe/Berlin"
window_semantics = "service_end"
[columns]
key = "id"
"""
TOLD = """
name = "scans"
kind = "events"
source = "scans"
zone = "Europe/Berlin"
statuses_are_event_types = true
[columns]
key = "id"
status = "event"
time = "at"
"""


@dataclass(frozen=True)
class Seen:
    """What a check left: the rows that would be taken (as dicts), those refused with their problems, and the counts."""

    rows: list[dict]
    refused: list[tuple[int, dict, list[dict]]]
    checked: Checked
    mapping: Mapping

    @property
    def kinds(self) -> list[str]:
        """The problems of the refused rows, in words, in file order."""
        return [problem["problem"] for _, _, problems in self.refused for problem in problems]


def seen(path: Path, mapping: Mapping | str, now: datetime = NOW) -> Seen:
    """Check a file with a mapping (or its TOML text) on an empty database of its own."""
    mapping = parse(mapping) if isinstance(mapping, str) else mapping
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        opened = read_file(connection, path, Reading.of(mapping))
        checked = check(connection, opened, mapping, now)
        taken = connection.execute("from checked where not refused and not is_empty order by row_id")
        names = [column[0] for column in taken.description]
        rows = [dict(zip(names, row, strict=True)) for row in taken.fetchall()]
        refused = connection.execute("select row_number, raw, problems from refused_row order by row_number").fetchall()
        return Seen(rows, [(n, json.loads(raw), json.loads(p)) for n, raw, p in refused], checked, mapping)


def written(folder: Path, text: str, name: str = "file.csv", encoding: str = "utf-8") -> Path:
    """A file of some text."""
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def columns(**said: str) -> str:
    """Lines of a mapping's [columns]: field = column, or a TOML value that starts with a brace."""
    return "".join(
        f"{field} = {value if value.startswith('{') else json.dumps(value)}\n" for field, value in said.items()
    )


def utc(text: str) -> datetime:
    """A time in UTC from its ISO text."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
