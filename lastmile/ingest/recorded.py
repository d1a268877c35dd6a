"""Imports on record: what there is, taking one back, and the rows that were not taken, to be mended and sent again."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pandas as pd

from lastmile import exporting
from lastmile.errors import NotPossible
from lastmile.model import EventType, stable_id
from lastmile.store import Store


def undo_import(store: Store, import_id: str, actor: str, why: str) -> None:
    """Take an import back: its rows stay on record and count for nothing, at any time; the file can be imported again.

    Raises NotPossible where there is no such import or it was taken back already.
    """
    known = store.value("select file from import_run where import_id = $import_id", import_id=import_id)
    if known is None:
        raise NotPossible(f"There is no import {import_id}.")
    if store.value("select 1 from undone_import where import_id = $import_id", import_id=import_id):
        raise NotPossible(f"The import of {known} was taken back already.")
    now = datetime.now(UTC)
    with store.write() as connection:
        connection.execute(
            "insert into undone_import values ($import_id, $now, $actor, $why)",
            {"import_id": import_id, "now": now, "actor": actor, "why": why},
        )
        connection.execute(
            "insert into event by name select $event_id::uuid as event_id, $type as type, 'ACT' as classifier, "
            "$now::timestamptz as occurred_at, $now::timestamptz as recorded_at, 'lastmile' as source, 'user' as status_source, "
            "$actor as actor, $payload::json as payload",
            {
                "event_id": str(stable_id("lastmile", "import_undone", import_id)),
                "type": EventType.IMPORT_UNDONE.value,
                "now": now,
                "actor": actor,
                "payload": json.dumps({"import_id": import_id, "file": known, "why": why}),
            },
        )
        store.merge_touched(connection, import_id)


def imports(store: Store) -> pd.DataFrame:
    """One row per import, the latest first, with whether and by whom it was taken back."""
    return store.ask(
        "select import_run.* exclude (mapping_text), undone_at, undone_import.actor as undone_by, why as undone_why "
        "from import_run left join undone_import using (import_id) order by started_at desc"
    )


def quarantined(store: Store, import_id: str) -> pd.DataFrame:
    """One row per row that an import did not take: its number in the file, what was wrong (in words), and its cells."""
    frame = store.ask(
        "select row_number, raw::varchar as raw, problems::varchar as problems from quarantine "
        "where import_id = $import_id order by row_number",
        import_id=import_id,
    )
    return unfolded(frame)


def quarantine_csv(store: Store, import_id: str) -> bytes:
    """The refused rows as a CSV file with the file's own columns, to be mended and sent again with the same mapping.

    Two columns stand before the file's own: the row's number and what is wrong; imports pass over them.
    """
    return exporting.csv_bytes(quarantined(store, import_id))


def unfolded(frame: pd.DataFrame) -> pd.DataFrame:
    """JSON rows as columns: row_number, problem, and the cells of the file as text."""
    cells = pd.DataFrame([json.loads(raw) for raw in frame["raw"]], dtype="object", index=frame.index)
    said = [_in_words(json.loads(problems)) for problems in frame["problems"]]
    cells = cells.rename(columns={name: f"{name} (of the file)" for name in ("row_number", "problem") if name in cells})
    return pd.concat(
        [frame[["row_number"]], pd.Series(said, index=frame.index, name="problem", dtype="object"), cells], axis=1
    )


def _in_words(problems: list[dict[str, str | None]]) -> str:
    return "; ".join(
        (f"{problem['column']}: " if problem["column"] else "")
        + (f"{problem['value']} – " if problem["value"] else "")
        + f"{problem['problem']} ({problem['remedy']})"
        for problem in problems
    )
