"""Writes vehicles and milestones; the last word about each counts."""

from __future__ import annotations

import duckdb

from lastmile.ingest.imported import LIVE, Import, Written
from lastmile.ingest.mapping import Mapping

_MASTER = {
    "vehicles": ("vehicle", "v", "vehicle_id"),
    "milestones": ("milestone", "m", "milestone_id"),
}


def find_new_masters(connection: duckdb.DuckDBPyConnection, mapping: Mapping) -> Written:
    """Mark in `new_row` the rows that say something else than the last word on record."""
    table, prefix, key = _MASTER[mapping.kind]
    columns = _master_columns(connection, table, prefix)
    same = " and ".join(f"latest.{name} is not distinct from fresh.{prefix}_{name}" for name in columns)
    connection.execute(
        f"create or replace temp table new_row as select row_id from checked as fresh where not refused and not is_empty "
        f"and not exists (select 1 from (select * from {table} where {LIVE} "
        f"qualify row_number() over (partition by {key} order by recorded_at desc) = 1) as latest where {same})"
    )
    said = ", ".join(f"{prefix}_{name}" for name in columns)
    connection.execute(
        "delete from new_row where row_id in (select row_id from checked where row_id in (from new_row) "
        f"qualify row_number() over (partition by {said} order by row_id) > 1)"
    )
    if table == "milestone":
        connection.execute(
            f"insert into new_row {_NEW_NEEDS.format(columns='distinct row_id')} and row_id not in (from new_row)"
        )
    taken = connection.execute("select count(*) from new_row").fetchone()[0]
    return Written({table: taken}, taken, {})


def _master_columns(connection: duckdb.DuckDBPyConnection, table: str, prefix: str) -> list[str]:
    checked = {row[0] for row in connection.execute("describe checked").fetchall()}
    return [row[0] for row in connection.execute(f"describe {table}").fetchall() if f"{prefix}_{row[0]}" in checked]


_NEEDS = (
    "(select row_id, m_milestone_id as milestone_id, unnest(m_deliveries) as delivery_id from checked "
    "where not refused and not is_empty)"
)
_NEW_NEEDS = (
    f"select {{columns}} from {_NEEDS} as need where not exists (select 1 from milestone_delivery as known "
    f"where known.milestone_id = need.milestone_id and known.delivery_id = need.delivery_id and {LIVE})"
)


def write_masters(connection: duckdb.DuckDBPyConnection, imported: Import) -> dict[str, int]:
    """Insert the marked rows; returns the number of rows by table."""
    table, prefix, _ = _MASTER[imported.mapping.kind]
    parameters = {"now": imported.now, "import_id": imported.import_id}
    tables = {}
    if table == "milestone":
        tables["milestone_delivery"] = connection.execute(
            "insert into milestone_delivery by name "
            + _NEW_NEEDS.format(columns="distinct milestone_id, delivery_id, $now::timestamptz as recorded_at, "
                                        "$import_id as import_id"),
            parameters,
        ).fetchone()[0]  # fmt: skip
        parameters = parameters | {"zone": imported.mapping.zone or "UTC"}
    columns = ", ".join(f"{prefix}_{name} as {name}" for name in _master_columns(connection, table, prefix))
    zone = ", $zone as zone" if table == "milestone" else ""
    # a later row of the same file is the later word
    tables[table] = connection.execute(
        f"insert into {table} by name select {columns}, $now::timestamptz + to_microseconds(row_id) as recorded_at, "
        f"$import_id as import_id{zone} from checked where row_id in (from new_row)",
        parameters,
    ).fetchone()[0]
    return tables
