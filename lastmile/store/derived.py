"""The tables of the present: what an append touches, and how they are merged or made anew by the macros of sql/state."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import duckdb

MANY_TOUCHED = 10_000


@dataclass(frozen=True)
class Derived:
    """A table of the present: `key` names its grain, `state` the query that makes it from all or from what was touched."""

    table: str
    key: str
    everything: str
    touched: str


DERIVED = (
    Derived(
        "delivery",
        "delivery_id",
        "from delivery_state('infinity'::timestamptz, 'event', 'booking', null, null)",
        "from delivery_state('infinity'::timestamptz, 'touched_event', 'touched_booking', null, null)",
    ),
    Derived(
        "route_run",
        "route_id",
        "from route_state('infinity'::timestamptz, 'event', null, null)",
        "from route_state('infinity'::timestamptz, 'touched_route_event', null, null)",
    ),
    Derived(
        "plan_decision",
        "plan_id",
        "from plan_decision_state('infinity'::timestamptz, 'event')",
        "from plan_decision_state('infinity'::timestamptz, 'touched_plan_event')",
    ),
)


# The days that rows of these tables are about; a row of any other table may concern every day.
OF_A_DAY = {
    "event": "select day from delivery semi join touched_delivery using (delivery_id) "
    "union select day from route semi join touched_route using (route_id) "
    "union select day from plan semi join touched_plan using (plan_id)",
    "booking": "select day from incoming_booking union select day from delivery semi join touched_delivery using (delivery_id)",
    "charge": "select day from delivery semi join incoming_charge using (delivery_id) "
    "union select day from route semi join incoming_charge using (route_id) "
    "union select occurred_at::date from incoming_charge",
    "shift": "select day from incoming_shift",
    "plan": "select day from incoming_plan",
    "route": "select day from incoming_route",
    "planned_stop": "select day from plan semi join incoming_planned_stop using (plan_id)",
    "milestone": "select need_by::date from incoming_milestone",
    "milestone_delivery": "select day from delivery semi join incoming_milestone_delivery using (delivery_id)",
}


def days_of(connection: duckdb.DuckDBPyConnection, tables: Iterable[str]) -> list[date]:
    """The service days that the incoming rows of some tables are about."""
    queries = " union ".join(OF_A_DAY[table] for table in tables)
    return [row[0] for row in connection.execute(queries).fetchall() if row[0] is not None]


def touches_most(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether a write touches so much that making all anew is quicker: a first big import, for one."""
    touched = connection.execute("select count(*) from touched_delivery").fetchone()[0]
    known = connection.execute("select count(*) from delivery").fetchone()[0]
    return touched > max(MANY_TOUCHED, known / 2)


def make_anew(connection: duckdb.DuckDBPyConnection) -> None:
    """Empty each derived table and fill it from the ledger."""
    for derived in DERIVED:
        connection.execute(f"delete from {derived.table}")
        connection.execute(f"insert into {derived.table} by name {derived.everything}")


TOUCHED = {
    "touched_delivery": "select delivery_id from {events} union select delivery_id from {bookings}",
    "touched_route": "select distinct route_id from {events}",
    "touched_plan": "select distinct payload ->> 'plan_id' as plan_id from (from {events}) where type like 'plan_%'",
}
TOUCHED_ROWS = {
    "touched_event": "from event semi join touched_delivery using (delivery_id)",
    "touched_booking": "from booking semi join touched_delivery using (delivery_id)",
    "touched_route_event": "from event semi join touched_route using (route_id)",
    "touched_plan_event": "from event where type between 'plan_approved' and 'plan_rejected' "
    "and (payload ->> 'plan_id') in (from touched_plan)",
}


def touch(connection: duckdb.DuckDBPyConnection, events: str, bookings: str, **parameters: str) -> None:
    """Note what some new events and bookings (relations of our own, by name) touch, for the merge that follows."""
    for name, query in TOUCHED.items():
        text = query.format(events=events, bookings=bookings)
        used = {key: value for key, value in parameters.items() if f"${key}" in text}
        connection.execute(f"create or replace temp table {name} as {text}", used or None)


def merge(connection: duckdb.DuckDBPyConnection) -> None:
    """Bring the derived rows of what was touched up to date, inside the transaction of the append."""
    if touches_most(connection):
        make_anew(connection)
        return
    for name, query in TOUCHED_ROWS.items():
        connection.execute(f"create or replace temp table {name} as {query}")
    for derived in DERIVED:
        connection.execute(f"create or replace temp table touched_state as {derived.touched}")
        connection.execute(
            f"delete from {derived.table} where {derived.key} in (from touched_{derived.key.removesuffix('_id')}) "
            f"and {derived.key} not in (select {derived.key} from touched_state)"
        )
        connection.execute(
            f"merge into {derived.table} using touched_state using ({derived.key}) "
            "when matched then update when not matched then insert"
        )
