"""Frames in: what makes a row new in each table, and the statement that takes only new ones."""

from __future__ import annotations

import json
from collections.abc import Mapping

import duckdb
import pandas as pd
import pyarrow as pa

from lastmile.errors import BadBatch

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


def columns_of(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    """Column name → type of a table that can be appended to; raises BadBatch for any other."""
    if table not in IDENTITIES | MASTER_KEYS:
        raise BadBatch(f"There is no table {table} to append to; there are {', '.join(IDENTITIES | MASTER_KEYS)}.")
    return {row[0]: row[1] for row in connection.execute(f"describe {table}").fetchall()}


def insert_new(table: str, columns: Mapping[str, str]) -> str:
    """The statement that takes the incoming rows that `table` does not have; only names of our own schema in it."""
    if table in IDENTITIES:
        key = ", ".join(IDENTITIES[table])
        return (
            f"insert into {table} by name select incoming.* from incoming_{table} as incoming anti join (select {key} from {table} "
            # not needed for the answer: of a long ledger only what may be there already is taken into the join
            f"semi join incoming_{table} using ({key}) where import_id is null or import_id not in (select import_id from undone_import)) as present using ({key}) "
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


def as_arrow(table: str, frame: Frame) -> pa.Table:
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
