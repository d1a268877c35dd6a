"""Imports a file: a preview that writes nothing, and the import, in one transaction; what is not taken goes to quarantine."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pandas as pd

from lastmile.errors import DiskFull
from lastmile.ingest.errors import ImportCancelled
from lastmile.ingest.imported import Import, Written
from lastmile.ingest.mapping import Mapping
from lastmile.ingest.opened import Opened, Reading
from lastmile.ingest.problems import NOTES
from lastmile.ingest.reading import read_file
from lastmile.ingest.recorded import unfolded
from lastmile.ingest.scratch import scratch
from lastmile.ingest.validating import Checked, check
from lastmile.ingest.writing import find_new, write
from lastmile.model import stable_id
from lastmile.store import Store

# what an import needs on the disk, in sizes of its file: the ledger's rows, their log, and room to sort (measured 2.6)
DISK_PER_BYTE = 4
DISK_AT_LEAST = 64 << 20
EXAMPLES = 5
NAMED = 30  # columns in a note
PREVIEW_ROWS = 1000

Progress = Callable[[float, str], None]
Cancelled = Callable[[], bool]


@dataclass(frozen=True)
class ProblemGroup:
    """One kind of problem: how many rows have it, in which column, what to do, and a few of the rows."""

    problem: str
    column: str | None
    remedy: str
    rows: int
    examples: tuple[tuple[int, str | None], ...]  # (row number in the file, value)


@dataclass(frozen=True)
class Preview:
    """What an import would do; `rows_read` = taken + repeated + refused. `examples` shows rows as they would be taken."""

    rows_read: int
    rows_taken: int
    rows_repeated: int
    rows_refused: int
    tables: dict[str, int]
    problems: tuple[ProblemGroup, ...]
    notes: tuple[str, ...]
    examples: pd.DataFrame
    refused: pd.DataFrame
    whole_file: bool


@dataclass(frozen=True)
class ImportResult:
    """What an import did; `rows_read` = taken + repeated + refused, exactly."""

    import_id: str
    rows_read: int
    rows_taken: int
    rows_repeated: int
    rows_refused: int
    tables: dict[str, int]
    problems: tuple[ProblemGroup, ...]
    notes: tuple[str, ...] = field(default=())


def preview(store: Store, file: Path | str, mapping: Mapping, rows: int | None = PREVIEW_ROWS) -> Preview:
    """What importing the first `rows` rows (None: all) would take and refuse; writes nothing."""
    with scratch(store) as place:
        connection = place.connection
        opened = read_file(connection, file, Reading.of(mapping), rows)
        checked = check(connection, opened, mapping, datetime.now(UTC))
        place.see_both(connection)
        found = find_new(connection, mapping, checked)
        read = connection.execute("select count(*) from file_row").fetchone()[0]
        return Preview(
            rows_read=checked.rows,
            rows_taken=found.taken,
            rows_repeated=checked.rows - checked.refused - found.taken,
            rows_refused=checked.refused,
            tables=found.tables,
            problems=_problem_groups(connection),
            notes=_notes(opened, mapping, checked, found),
            examples=_examples(connection, checked),
            refused=_refused_rows(connection),
            whole_file=rows is None or read < rows,
        )


def run_import(
    store: Store,
    file: Path | str,
    mapping: Mapping,
    actor: str,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> ImportResult:
    """Import a file in one transaction. The same file again changes nothing: all its rows count as repeated.

    Raises UnreadableFile or BadMapping where no row can be read, DiskFull where the import would not fit, and
    ImportCancelled where `cancelled` says so; nothing is written then.
    """
    file = Path(file)
    started = datetime.now(UTC)

    def step(share: float, text: str) -> None:
        if cancelled is not None and cancelled():
            raise ImportCancelled(f"The import of {file.name} was stopped; nothing of it was written.")
        if progress is not None:
            progress(share, text)

    step(0.0, f"Looking at {file.name}")
    if file.is_file():
        refuse_without_room(store.path, file.stat().st_size)
    sha256 = _sha256(file) if file.is_file() else ""
    import_id = str(stable_id(sha256, mapping.name, mapping.text, started.isoformat()))
    imported = Import(import_id, mapping, started)
    with scratch(store) as place:
        step(0.05, "Reading the file")
        opened = read_file(place.connection, file, Reading.of(mapping))
        step(0.3, "Checking the rows")
        checked = check(place.connection, opened, mapping, started)
        with store.write() as connection:
            place.see_both(connection)
            step(0.55, "Looking for what is new")
            result = take(connection, imported, opened, checked, step)
            _record_run(connection, imported, file, sha256, actor, result)
            step(0.9, "Bringing the deliveries up to date")
            store.merge_touched(connection, import_id)
    if progress is not None:
        progress(1.0, "Done")
    return result


def take(
    connection: duckdb.DuckDBPyConnection,
    imported: Import,
    opened: Opened,
    checked: Checked,
    step: Progress,
) -> ImportResult:
    """Write what a checked file has that is new, and what it has that is refused, in the caller's transaction."""
    mapping = imported.mapping
    found = find_new(connection, mapping, checked)
    step(0.65, "Writing")
    tables = write(connection, imported, checked)
    connection.execute(
        "insert into quarantine select $import_id, row_number, raw, problems from refused_row",
        {"import_id": imported.import_id},
    )
    _describe_source(connection, mapping, checked, imported.now)
    return ImportResult(
        import_id=imported.import_id,
        rows_read=checked.rows,
        rows_taken=found.taken,
        rows_repeated=checked.rows - checked.refused - found.taken,
        rows_refused=checked.refused,
        tables=tables,
        problems=_problem_groups(connection),
        notes=_notes(opened, mapping, checked, found),
    )


# Beforehand


def refuse_without_room(database: Path, file_bytes: int, free_bytes: int | None = None) -> None:
    """Raises DiskFull, with figures, where the database's disk has less room than an import of this size needs."""
    need = max(DISK_AT_LEAST, DISK_PER_BYTE * file_bytes)
    folder = database.parent if database.parent.exists() else Path.cwd()
    free = shutil.disk_usage(folder).free if free_bytes is None else free_bytes
    if free < need:
        raise DiskFull(
            f"This import needs about {_megabytes(need)} on the disk of {database}; {_megabytes(free)} are free. "
            f"Free {_megabytes(need - free)} and try again; nothing was written."
        )


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


# Afterwards


def _describe_source(connection: duckdb.DuckDBPyConnection, mapping: Mapping, checked: Checked, now: datetime) -> None:
    row = {
        "source": mapping.source,
        "name": mapping.title or mapping.source,
        "kind": "file",
        "semantics": mapping.window_semantics,
        "zone": mapping.zone,
        "given": checked.recorded_given,
        "now": now,
    }
    connection.execute(
        "insert into source by name select $source as source, $now::timestamptz as recorded_at, $name as name, $kind as kind, "
        "$semantics as window_semantics, $zone as zone, $given as recorded_at_given where not exists ("
        "select 1 from (from source where source = $source qualify row_number() over (order by recorded_at desc) = 1) as latest "
        "where name = $name and kind = $kind and window_semantics is not distinct from $semantics "
        "and zone is not distinct from $zone and recorded_at_given = $given)",
        row,
    )


def _record_run(
    connection: duckdb.DuckDBPyConnection, imported: Import, file: Path, sha256: str, actor: str, result: ImportResult
) -> None:
    mapping = imported.mapping
    connection.execute(
        "insert into import_run by name select $import_id as import_id, $started::timestamptz as started_at, "
        "$finished::timestamptz as finished_at, $actor as actor, $file as file, $sha256 as file_sha256, $mapping as mapping, "
        "$text as mapping_text, $source as source, $kind as kind, $read as rows_read, $taken as rows_taken, "
        "$repeated as rows_repeated, $refused as rows_refused, $notes::json as notes",
        {
            "import_id": imported.import_id,
            "started": imported.now,
            "finished": datetime.now(UTC),
            "actor": actor,
            "file": file.name,
            "sha256": sha256,
            "mapping": mapping.name,
            "text": mapping.text,
            "source": mapping.source,
            "kind": mapping.kind,
            "read": result.rows_read,
            "taken": result.rows_taken,
            "repeated": result.rows_repeated,
            "refused": result.rows_refused,
            "notes": json.dumps(result.notes),
        },
    )


def _notes(opened: Opened, mapping: Mapping, checked: Checked, found: Written) -> tuple[str, ...]:
    counted = checked.notes | found.notes
    notes = [f"{count:,} rows: {NOTES[key].says}." for key, count in counted.items()]
    if absent := [repr(name) for name in checked.absent if name]:
        notes.append(f"{NOTES['absent_column'].says}: {_listed(absent)}.")
    if "" in checked.absent:
        notes.append(f"{mapping.name}: {NOTES['no_completion_time'].says}.")
    if unused := _unused(opened, mapping):
        notes.append(f"Columns that the mapping does not use: {_listed(unused)}.")
    if mapping.drop or mapping.hash:
        gone = [f"dropped {name}" for name in mapping.drop] + [f"hashed {name}" for name in mapping.hash]
        notes.append(f"Personal data: {', '.join(gone)}.")
    return tuple(notes)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _unused(opened: Opened, mapping: Mapping) -> list[str]:
    used = {opened.position(name) for name in (*mapping.file_columns, *mapping.drop)}
    return [name for place, name in enumerate(opened.header) if place not in used]


def _problem_groups(connection: duckdb.DuckDBPyConnection) -> tuple[ProblemGroup, ...]:
    rows = connection.execute(
        'with problem as (select row_number, unnest(from_json(problems, \'[{"column":"VARCHAR","value":"VARCHAR",'
        '"problem":"VARCHAR","remedy":"VARCHAR"}]\')) as p from refused_row) '
        'select p.problem, p."column", any_value(p.remedy), count(*) as rows, '
        "list((row_number, p.value) order by row_number)[:$examples] from problem group by 1, 2 order by rows desc, 1, 2",
        {"examples": EXAMPLES},
    ).fetchall()
    return tuple(
        ProblemGroup(problem, column, remedy, count, tuple(map(tuple, some)))
        for problem, column, remedy, count, some in rows
    )


def _refused_rows(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    frame = connection.execute(
        "select row_number, raw::varchar as raw, problems::varchar as problems from refused_row order by row_number limit $n",
        {"n": EXAMPLES * 10},
    ).df()
    return unfolded(frame)


def _examples(connection: duckdb.DuckDBPyConnection, checked: Checked) -> pd.DataFrame:
    """The first rows as they would be taken; fields that the mapping does not fill are left out."""
    frame = connection.execute(
        f"select {', '.join(checked.columns)} from checked where not refused and not is_empty order by row_id limit $n",
        {"n": EXAMPLES},
    ).df()
    filled = frame.dropna(axis="columns", how="all")
    return filled[[name for name in filled if not name.endswith(("event_id", "booking_id"))]]
