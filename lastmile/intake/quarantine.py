"""Rows that came over HTTP and were not taken: kept whole, shown with what is wrong, sent again or discarded."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pyarrow as pa

from lastmile.store import Store

REPLAYED, DISCARDED = "replayed", "discarded"

_WAITING = (
    "from quarantined_row anti join (select row_id from quarantine_decision) as decided using (row_id) "
    "where $source is null or source = $source"
)


def waiting(store: Store, source: str | None = None) -> int:
    """How many rows wait for a decision."""
    return store.value(f"select count(*) {_WAITING}", source=source)


def quarantined(store: Store, source: str | None = None, most: int = 500) -> pd.DataFrame:
    """One row per row that waits, the latest first: row_id, received_at, source, format, problem in words, raw as text."""
    found = store.ask(
        "select row_id::varchar as row_id, received_at, source, credential_id, format, raw::varchar as raw, "
        f"problems::varchar as problems {_WAITING} order by received_at desc, row_id limit $most",
        source=source,
        most=most,
    )
    return found.assign(problem=[_in_words(json.loads(problems)) for problems in found.problems]).drop(
        columns="problems"
    )


def keep(store: Store, rows: pa.Table) -> None:
    """Put rows, as of tables.quarantined, into quarantine; one that is or was there already is not kept twice."""
    if not rows.num_rows:
        return
    with store.write(about_days=False, streamed=True) as connection:
        connection.register("incoming_rows", rows)
        connection.execute(
            "insert into quarantined_row by name select row_id::uuid as row_id, received_at, source, credential_id, format, "
            "raw::json as raw, problems::json as problems from incoming_rows as incoming "
            "anti join (select row_id::varchar as row_id from quarantined_row) as present using (row_id) "
            "qualify row_number() over (partition by row_id order by received_at) = 1"
        )
        connection.unregister("incoming_rows")


def decide(store: Store, row_ids: Iterable[str], outcome: str, actor: str) -> None:
    """Note that rows were replayed or discarded; they wait no more."""
    now = datetime.now(UTC)
    with store.write(about_days=False) as connection:
        connection.execute(
            "insert into quarantine_decision select unnest($ids::uuid[]), $now, $actor, $outcome",
            {"ids": list(row_ids), "now": now, "actor": actor, "outcome": outcome},
        )


def _in_words(problems: list[dict[str, Any]]) -> str:
    return "; ".join(
        f"{told['field']}: {told['problem']}" if told.get("field") else str(told["problem"]) for told in problems
    )
