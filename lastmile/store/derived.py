"""The tables of the present: how each is made from the ledger by the macros of sql/state, anew or for what was touched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import duckdb

from lastmile.store.touching import MANY_TOUCHED, TOUCHED

PLAN_EVENTS = "from event where type between 'plan_approved' and 'plan_rejected'"
"""As a range, which the scan skips by: three times faster than a list at six million events."""
NOTICE_EVENTS = "from event where type between 'notification_deferred' and 'notification_sent'"
EXCEPTION_EVENTS = "from event where type between 'exception_acknowledged' and 'exception_snoozed'"


@dataclass(frozen=True)
class Derived:
    """A table of the present: `key` names what an append touches of it, `everything` and `touched` make its rows.

    `rows` are the tables that `touched` reads, made just before: by then the tables named earlier are up to date.
    """

    table: str
    key: str
    everything: str
    touched: str
    rows: Mapping[str, str] = field(default_factory=dict)

    @property
    def touched_keys(self) -> str:
        """The table of the keys that an append touches."""
        return f"touched_{self.key.removesuffix('_id')}"


DERIVED = (
    Derived(
        "delivery",
        "delivery_id",
        "from delivery_state('infinity'::timestamptz, 'event', 'booking', null, null)",
        "from delivery_state('infinity'::timestamptz, 'touched_delivery_event', 'touched_delivery_booking', null, null)",
        {
            "touched_delivery_event": "from event semi join touched_delivery using (delivery_id)",
            "touched_delivery_booking": "from booking semi join touched_delivery using (delivery_id)",
        },
    ),
    Derived(
        "route_run",
        "route_id",
        "from route_state('infinity'::timestamptz, 'event', null, null)",
        "from route_state('infinity'::timestamptz, 'touched_route_event', null, null)",
        {"touched_route_event": "from event semi join touched_route using (route_id)"},
    ),
    Derived(
        "route_visit",
        "route_id",
        "from visit_state('infinity'::timestamptz, 'event', null, null)",
        "from visit_state('infinity'::timestamptz, 'touched_route_event', null, null)",
    ),
    Derived(
        "plan_event",
        "event_id",
        PLAN_EVENTS,
        f"from ({PLAN_EVENTS}) semi join touched_event using (event_id)",
    ),
    Derived(
        "notice_event",
        "event_id",
        "from notice_events('event')",
        "from notice_events('touched_notice_event')",
        {"touched_notice_event": f"from ({NOTICE_EVENTS}) semi join touched_event using (event_id)"},
    ),
    Derived(
        "exception_event",
        "event_id",
        EXCEPTION_EVENTS,
        f"from ({EXCEPTION_EVENTS}) semi join touched_event using (event_id)",
    ),
    Derived(
        "route_drop",
        "route_id",
        "with routed_charge as (from charge_state('infinity'::timestamptz, 'charge', 'route_visit')) "
        "from route_drop_state('infinity'::timestamptz, 'route_run', 'route_visit', 'delivery', 'routed_charge', null, null)",
        "with routed_charge as (from charge_state('infinity'::timestamptz, 'touched_charge', 'touched_charge_visit')) "
        "from route_drop_state('infinity'::timestamptz, 'touched_run', 'touched_visit', 'touched_visited', 'routed_charge', "
        "null, null)",
        {
            "touched_run": "from route_run semi join touched_route using (route_id)",
            "touched_visit": "from route_visit semi join touched_route using (route_id)",
            # its columns by name: the whole width would take longer to read than all the rest
            "touched_visited": "select delivery_id, depot_id, carrier_id, service, criticality, area, zone, day, lon, lat, "
            "volume_m3, reason from delivery semi join touched_visit using (delivery_id)",
            "touched_charge": "from charge where route_id in (from touched_route) "
            "or route_id is null and delivery_id in (select delivery_id from touched_visit)",
            "touched_charge_visit": "from route_visit where delivery_id in (select delivery_id from touched_charge)",
        },
    ),
)


def touches_most(touched: Mapping[str, int], known: Mapping[str, int]) -> bool:
    """Whether a write touches so much that making all anew is quicker: a first big import, for one."""
    return any(touched[f"touched_{key}"] > max(MANY_TOUCHED, known[key] / 2) for key in known)


def make_anew(connection: duckdb.DuckDBPyConnection) -> None:
    """Empty each derived table and fill it from the ledger."""
    for derived in DERIVED:
        connection.execute(f"delete from {derived.table}")
        connection.execute(f"insert into {derived.table} by name {derived.everything}")


def merge(connection: duckdb.DuckDBPyConnection) -> None:
    """Bring the derived rows of what was touched up to date, inside the transaction of the append.

    In one call: between two, a thread waits for the interpreter, and where others compute, that is most of an append's time.
    """
    touched, known = _counted(connection)
    if touches_most(touched, known):
        make_anew(connection)
        return
    statements = [statement for derived in DERIVED if touched[derived.touched_keys] for statement in _merging(derived)]
    if statements:
        connection.execute("; ".join(statements))


def _merging(derived: Derived) -> list[str]:
    return [
        *(f"create or replace temp table {name} as {query}" for name, query in derived.rows.items()),
        f"create or replace temp table touched_state as {derived.touched}",
        f"delete from {derived.table} where {derived.key} in (from {derived.touched_keys})",
        f"insert into {derived.table} by name from touched_state",
    ]


def _counted(connection: duckdb.DuckDBPyConnection) -> tuple[dict[str, int], dict[str, int]]:
    """Rows of the tables of touched keys, and how many deliveries and routes there are."""
    known = {"delivery": "delivery", "route": "route_run"}
    counts = [f"(select count(*) from {table})" for table in (*TOUCHED, *known.values())]
    found = connection.execute(f"select {', '.join(counts)}").fetchone()
    return dict(zip(TOUCHED, found, strict=False)), dict(zip(known, found[len(TOUCHED) :], strict=True))
