"""Writes bookings and events that the ledger does not have yet."""

from __future__ import annotations

import duckdb

from lastmile.ingest.bookings import BOOKING_COLUMNS, SUMMED
from lastmile.ingest.events import EVENT_COLUMNS
from lastmile.ingest.fields import BOOKED_KINDS
from lastmile.ingest.imported import LIVE, Import, Written
from lastmile.ingest.mapping import Mapping
from lastmile.ingest.validating import Checked

FAST_KMH = 250.0  # no delivery vehicle covers ground faster; a position that says so is a jump


def find_new_told(connection: duckdb.DuckDBPyConnection, mapping: Mapping, checked: Checked) -> Written:
    """Mark bookings and events that the ledger has, and count those that it lacks."""
    notes: dict[str, int] = {}
    new_rows, tables = [], {}
    if mapping.kind in BOOKED_KINDS:
        _join_line_items(connection, mapping)
        tables["booking"] = _mark_known_bookings(connection)
        new_rows.append("select row_id from booked where row_id not in (select row_id from known_booking)")
        notes |= _mark_corrections(connection)
    for i in range(checked.events):
        known = _mark_known_events(connection, i)
        told = f"from checked where not refused and not is_empty and e{i}_occurred_at is not null and e{i}_type is not null"
        tables["event"] = tables.get("event", 0) + connection.execute(f"select count(*) {told}").fetchone()[0] - known
        new_rows.append(
            f"select row_id {told}" + (f" and row_id not in (select row_id from known_event_{i})" if known else "")
        )
    taken = _count_new_rows(connection, mapping, new_rows)
    if mapping.kind == "positions":
        notes |= _jumps(connection)
    said = checked.rows - checked.refused - _count_said(connection, mapping, checked)
    return Written(tables, taken, notes | ({"nothing_said": said} if said else {}))


def _count_new_rows(connection: duckdb.DuckDBPyConnection, mapping: Mapping, queries: list[str]) -> int:
    if not queries:
        return 0
    if mapping.line_items:
        connection.execute(f"create or replace temp table new_order as {' union '.join(queries)}")
        return connection.execute(
            "select count(*) from checked where not refused and not is_empty and b_delivery_id in "
            "(select b_delivery_id from checked where row_id in (from new_order))"
        ).fetchone()[0]
    if len(queries) == 1:
        return connection.execute(f"select count(*) from ({queries[0]})").fetchone()[0]
    return connection.execute(f"select count(*) from ({' union '.join(queries)})").fetchone()[0]


def _count_said(connection: duckdb.DuckDBPyConnection, mapping: Mapping, checked: Checked) -> int:
    if mapping.kind in BOOKED_KINDS:
        return checked.rows - checked.refused
    any_event = " or ".join(f"e{i}_occurred_at is not null and e{i}_type is not null" for i in range(checked.events))
    return connection.execute(
        f"select count(*) from checked where not refused and not is_empty and ({any_event or 'false'})"
    ).fetchone()[0]


def _join_line_items(connection: duckdb.DuckDBPyConnection, mapping: Mapping) -> None:
    """`booked`: one row per row of the file, or per order where the file has one row per line of an order."""
    booked = ", ".join(f"b_{name} as {name}" for name in BOOKING_COLUMNS)
    fresh = "from checked where not refused and not is_empty"
    if not mapping.line_items:
        connection.execute(f"create or replace temp view booked as select row_id, {booked} {fresh}")
        return
    joined = {name: f"arg_min(b_{name}, row_id)" for name in BOOKING_COLUMNS}
    joined |= {name: f"sum(b_{name})" for name in SUMMED} | {"lines": "count(*)::integer"}
    content = ", ".join(f"coalesce({joined[name]}::varchar, '')" for name in (*SUMMED, "lines"))
    joined["booking_id"] = f"md5(concat_ws(chr(31), arg_min(b_booking_id, row_id)::varchar, {content}))::uuid"
    columns = ", ".join(f"{sql} as {name}" for name, sql in joined.items())
    connection.execute("drop view if exists booked")
    connection.execute(
        f"create or replace temp table booked_order as select min(row_id) as row_id, {columns} {fresh} group by b_delivery_id"
    )
    connection.execute("create or replace temp view booked as from booked_order")


def _mark_known_bookings(connection: duckdb.DuckDBPyConnection) -> int:
    """`known_booking`: rows whose version the ledger, or an earlier row of the file, has; returns the number of new ones."""
    connection.execute(
        f"create or replace temp table known_booking as "
        f"select row_id from booked where booking_id in (select booking_id from booking where {LIVE})"
    )
    connection.execute(
        "insert into known_booking select row_id from booked join (select booking_id, min(row_id) as first from booked "
        "group by booking_id having count(*) > 1) using (booking_id) where row_id > first "
        "and row_id not in (from known_booking)"
    )
    return connection.execute("select (select count(*) from booked) - (select count(*) from known_booking)").fetchone()[
        0
    ]


def _mark_corrections(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """`correction`: new versions of a delivery that has one already, in the ledger or above in the file, in file order."""
    connection.execute(
        "create or replace temp table correction as "
        "with fresh as (select row_id, delivery_id from booked where row_id not in (from known_booking)), "
        f"latest as (select delivery_id, max(recorded_at) as latest from booking where {LIVE} "
        "and delivery_id in (select delivery_id from fresh) group by delivery_id), "
        "several as (select delivery_id from fresh group by delivery_id having count(*) > 1) "
        "select row_id, latest, row_number() over (partition by delivery_id order by row_id) - 1 as later "
        "from fresh left join latest using (delivery_id) "
        "where latest is not null or delivery_id in (from several)"
    )
    count = connection.execute("select count(*) from correction where latest is not null or later > 0").fetchone()[0]
    return {"corrections": count} if count else {}


def write_told(connection: duckdb.DuckDBPyConnection, imported: Import, checked: Checked) -> dict[str, int]:
    """Insert the bookings and events that are new; returns the number of rows by table."""
    tables = {}
    if imported.mapping.kind in BOOKED_KINDS:
        tables["booking"] = _write_bookings(connection, imported)
    tables["event"] = sum(_write_events(connection, imported, i) for i in range(checked.events))
    return tables


def _write_bookings(connection: duckdb.DuckDBPyConnection, imported: Import) -> int:
    mapping = imported.mapping
    given = "recorded_at" in mapping.columns
    # what the file gives no time for became known after the version before it
    after = "booked.recorded_at" if given else (
        "greatest(booked.recorded_at, coalesce(correction.latest + to_microseconds(1), booked.recorded_at))"
    )  # fmt: skip
    columns = ", ".join(name for name in BOOKING_COLUMNS if name != "recorded_at")
    return connection.execute(
        f"insert into booking by name select booked.* exclude (row_id, recorded_at), "
        f"{after} + to_microseconds(coalesce(correction.later, 0)) as recorded_at, "
        "$source as source, $zone as zone, case when window_due is not null then $semantics end as window_semantics, "
        "$early as early_minutes, $late as late_minutes, $import_id as import_id "
        f"from (select row_id, recorded_at, {columns} from booked) as booked left join correction using (row_id) "
        "where row_id not in (from known_booking)",
        {
            "source": mapping.source,
            "zone": mapping.zone or "UTC",
            "semantics": mapping.window_semantics,
            "early": mapping.early_minutes,
            "late": mapping.late_minutes,
            "import_id": imported.import_id,
        },
    ).fetchone()[0]


def _mark_known_events(connection: duckdb.DuckDBPyConnection, i: int) -> int:
    """`known_event_<i>`: rows whose event the ledger, or an earlier row, has; returns their number."""
    told = f"from checked where not refused and not is_empty and e{i}_occurred_at is not null and e{i}_type is not null"
    connection.execute(
        f"create or replace temp table known_event_{i} as select row_id {told} "
        f"and e{i}_event_id in (select event_id from event where {LIVE})"
    )
    connection.execute(
        f"insert into known_event_{i} with told as (select row_id, e{i}_event_id as event_id {told}) "
        "select row_id from told join (select event_id, min(row_id) as first from told group by event_id "
        f"having count(*) > 1) using (event_id) where row_id > first and row_id not in (from known_event_{i})"
    )
    return connection.execute(f"select count(*) from known_event_{i}").fetchone()[0]


def _write_events(connection: duckdb.DuckDBPyConnection, imported: Import, i: int) -> int:
    columns = ", ".join(f"e{i}_{name} as {name}" for name in EVENT_COLUMNS)
    known = connection.execute(f"select 1 from known_event_{i} limit 1").fetchone()
    return connection.execute(
        f"insert into event by name select {columns}, $source as source, $import_id as import_id from checked "
        f"where not refused and not is_empty and e{i}_occurred_at is not null and e{i}_type is not null"
        + (f" and row_id not in (from known_event_{i})" if known else ""),
        {"source": imported.mapping.source, "import_id": imported.import_id},
    ).fetchone()[0]


def _jumps(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Positions that no vehicle can have driven to from the one before; kept, and counted."""
    count = connection.execute(
        "with step as (select metres_between(lag(e0_lon) over vehicle, lag(e0_lat) over vehicle, e0_lon, e0_lat) as metres, "
        "epoch_us(e0_occurred_at) - epoch_us(lag(e0_occurred_at) over vehicle) as micros from checked "
        "where not refused and not is_empty and e0_lon is not null "
        "window vehicle as (partition by e0_vehicle_id order by e0_occurred_at)) "
        "select count(*) from step where micros > 0 and metres * 3600000.0 / micros > $fast",
        {"fast": FAST_KMH},
    ).fetchone()[0]
    return {"jumps": count} if count else {}
