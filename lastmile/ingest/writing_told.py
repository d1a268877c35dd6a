"""Writes bookings and events that the ledger does not have yet."""

from __future__ import annotations

import duckdb

from lastmile.ingest.bookings import BOOKING_COLUMNS, SUMMED
from lastmile.ingest.events import EVENT_COLUMNS
from lastmile.ingest.fields import BOOKED_KINDS
from lastmile.ingest.imported import LIVE, Import, Written
from lastmile.ingest.mapping import Mapping
from lastmile.ingest.validating import Checked

DEGREE_METRES = 111_200.0  # a degree of a great circle of metres_between, rounded up
FAST_KMH = 250.0  # no delivery vehicle covers ground faster; a position that says so is a jump


def find_new_told(connection: duckdb.DuckDBPyConnection, mapping: Mapping, checked: Checked) -> Written:
    """Mark bookings and events that the ledger has, and count those that it lacks."""
    booked = mapping.kind in BOOKED_KINDS
    notes: dict[str, int] = {}
    tables: dict[str, int] = {}
    if booked:
        _mark_several(connection)
        _join_line_items(connection, mapping)
        tables["booking"] = _mark_known_bookings(connection)
        notes |= _mark_corrections(connection)
    *told, any_told = _count_told(connection, checked)
    known = [_mark_known_events(connection, mapping, i) for i in range(checked.events)]
    if checked.events:
        tables["event"] = sum(told) - sum(known)
    taken = _count_taken_deliveries(connection, mapping, checked) if booked else any_told - sum(known)
    if mapping.kind == "positions":
        notes |= _jumps(connection)
    said = 0 if booked else checked.rows - checked.refused - any_told
    return Written(tables, taken, notes | ({"nothing_said": said} if said else {}))


def _told(i: int) -> str:
    """Where a row tells of its event `i`."""
    return f"(not refused and not is_empty and e{i}_occurred_at is not null and e{i}_type is not null)"


def _count_told(connection: duckdb.DuckDBPyConnection, checked: Checked) -> tuple[int, ...]:
    """How many rows tell of each event, and of any."""
    conditions = [_told(i) for i in range(checked.events)]
    conditions.append(" or ".join(conditions) or "false")
    counts = ", ".join(f"count(*) filter ({condition})" for condition in conditions)
    return connection.execute(f"select {counts} from checked").fetchone()


def _count_taken_deliveries(connection: duckdb.DuckDBPyConnection, mapping: Mapping, checked: Checked) -> int:
    """How many rows bring a new booking or a new event; each line of an order with a new one counts."""
    repeated = " and ".join(
        ["row_id in (from known_booking)"]
        + [f"(not {_told(i)} or row_id in (from known_event_{i}))" for i in range(checked.events)]
    )
    fresh = "from checked where not refused and not is_empty"
    if not mapping.line_items:
        return connection.execute(f"select count(*) filter (not ({repeated})) {fresh}").fetchone()[0]
    news = ["select row_id from booked where row_id not in (from known_booking)"]
    news += [
        f"select row_id from checked where {_told(i)} and row_id not in (from known_event_{i})"
        for i in range(checked.events)
    ]
    connection.execute(f"create or replace temp table new_order as {' union '.join(news)}")
    return connection.execute(
        f"select count(*) {fresh} and b_delivery_id in (select b_delivery_id from checked where row_id in (from new_order))"
    ).fetchone()[0]


def _mark_several(connection: duckdb.DuckDBPyConnection) -> None:
    """`several_row`: rows of deliveries that have more than one; only they can repeat or correct a row above them."""
    fresh = "from checked where not refused and not is_empty"
    connection.execute(
        f"create or replace temp table several_row as select row_id, b_delivery_id as delivery_id {fresh} "
        f"and b_delivery_id in (select b_delivery_id {fresh} group by 1 having count(*) > 1)"
    )


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
        "insert into known_booking with again as (select row_id, booking_id from booked where row_id in "
        "(select row_id from several_row)) select row_id from again join (select booking_id, min(row_id) as first from again "
        "group by booking_id having count(*) > 1) using (booking_id) where row_id > first and row_id not in (from known_booking)"
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
        "several as (select delivery_id from fresh semi join several_row using (row_id) group by delivery_id having count(*) > 1), "
        "corrected as (from fresh where delivery_id in (select delivery_id from latest union all from several)) "
        "select row_id, latest, row_number() over (partition by delivery_id order by row_id) - 1 as later "
        "from corrected left join latest using (delivery_id)"
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


def _any(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    return bool(connection.execute(f"select exists (from {table})").fetchone()[0])


def _but(connection: duckdb.DuckDBPyConnection, known: str) -> str:
    """Leaves out the rows that are known; where none is, nothing: only a plan without a join is written by all threads."""
    return f" and row_id not in (from {known})" if _any(connection, known) else ""


def _write_bookings(connection: duckdb.DuckDBPyConnection, imported: Import) -> int:
    mapping = imported.mapping
    columns = ", ".join(name for name in BOOKING_COLUMNS if name != "recorded_at")
    return connection.execute(
        f"insert into booking by name select {columns}, {_became_known(connection, mapping)} as recorded_at, "
        "$source as source, $zone as zone, case when window_due is not null then $semantics end as window_semantics, "
        "$early as early_minutes, $late as late_minutes, $import_id as import_id "
        f"from booked {'left join correction using (row_id) ' if _any(connection, 'correction') else ''}"
        f"where true{_but(connection, 'known_booking')}",
        {
            "source": mapping.source,
            "zone": mapping.zone or "UTC",
            "semantics": mapping.window_semantics,
            "early": mapping.early_minutes,
            "late": mapping.late_minutes,
            "import_id": imported.import_id,
        },
    ).fetchone()[0]


def _became_known(connection: duckdb.DuckDBPyConnection, mapping: Mapping) -> str:
    """When a version became known; where a file gives no time for it, after the version before it."""
    if not _any(connection, "correction"):
        return "booked.recorded_at"
    after = "booked.recorded_at"
    if "recorded_at" not in mapping.columns:
        after = f"greatest({after}, coalesce(correction.latest + to_microseconds(1), {after}))"
    return f"{after} + to_microseconds(coalesce(correction.later, 0))"


def _mark_known_events(connection: duckdb.DuckDBPyConnection, mapping: Mapping, i: int) -> int:
    """`known_event_<i>`: rows whose event the ledger, or an earlier row, has; returns their number."""
    named = any("event_key" in entry.columns for entry in mapping.events) or "event_key" in mapping.columns
    told = f"(select row_id, e{i}_event_id as event_id, e{i}_occurred_at as occurred_at from checked where {_told(i)})"
    # an id that the file does not give says when it happened, so only that stretch of the ledger can hold it
    stretch = (
        ""
        if named
        else f" and occurred_at between (select min(occurred_at) from {told}) and (select max(occurred_at) from {told})"
    )
    connection.execute(
        f"create or replace temp table known_event_{i} as select row_id from {told} "
        f"where event_id in (select event_id from event where {LIVE}{stretch})"
    )
    again = "" if named or mapping.kind not in BOOKED_KINDS else " where row_id in (select row_id from several_row)"
    connection.execute(
        f"create or replace temp table again_event as select event_id from {told}{again} group by event_id having count(*) > 1"
    )
    if _any(connection, "again_event"):
        connection.execute(
            f"insert into known_event_{i} with again as (from {told} semi join again_event using (event_id)) "
            "select row_id from again join (select event_id, min(row_id) as first from again group by event_id) "
            f"using (event_id) where row_id > first and row_id not in (from known_event_{i})"
        )
    return connection.execute(f"select count(*) from known_event_{i}").fetchone()[0]


def _write_events(connection: duckdb.DuckDBPyConnection, imported: Import, i: int) -> int:
    columns = ", ".join(f"e{i}_{name} as {name}" for name in EVENT_COLUMNS)
    return connection.execute(
        f"insert into event by name select {columns}, $source as source, $import_id as import_id from checked "
        f"where {_told(i)}{_but(connection, f'known_event_{i}')}",
        {"source": imported.mapping.source, "import_id": imported.import_id},
    ).fetchone()[0]


def _jumps(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Positions that no vehicle can have driven to from the one before; kept, and counted."""
    count = connection.execute(
        "with step as (select e0_lon as lon, e0_lat as lat, lag(e0_lon) over vehicle as lon_before, "
        "lag(e0_lat) over vehicle as lat_before, "
        "epoch_us(e0_occurred_at) - epoch_us(lag(e0_occurred_at) over vehicle) as micros from checked "
        "where not refused and not is_empty and e0_lon is not null "
        "window vehicle as (partition by e0_vehicle_id order by e0_occurred_at)) "
        # no way is longer than the one along a meridian and a parallel: what that clears needs no trigonometry
        "select count(*) from step where micros > 0 "
        "and (abs(lon - lon_before) + abs(lat - lat_before)) * $degree * 3600000.0 > micros * $fast "
        "and metres_between(lon_before, lat_before, lon, lat) * 3600000.0 / micros > $fast",
        {"fast": FAST_KMH, "degree": DEGREE_METRES},
    ).fetchone()[0]
    return {"jumps": count} if count else {}
