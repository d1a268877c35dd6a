"""What some new rows touch: deliveries, routes, events of plans, notices and exceptions whose derived rows must follow, and the service days."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

import duckdb

MANY_TOUCHED = 10_000

_NOTICES = "type between 'notification_deferred' and 'notification_sent'"
_EXCEPTIONS = "type between 'exception_acknowledged' and 'exception_snoozed'"
# telemetry, notices and exceptions don't say where deliveries and routes stand
_TELLING = f"type not in ('position', 'condition_reading', 'eta_updated') and not {_NOTICES} and not {_EXCEPTIONS}"
_SAME_PLAN = "select route_id from route semi join ({plans}) using (depot_id, day)"

DELIVERIES = {
    "event": f"select delivery_id from {{event}} where delivery_id is not null and {_TELLING}",
    "booking": "select delivery_id from {booking}",
}
EVENTS = {
    "event": "select event_id from {event} where type between 'plan_approved' and 'plan_rejected' "
    f"or {_NOTICES} or {_EXCEPTIONS}"
}
# A route's cost takes in its scans, what it carried, its plan, shift, prices and charges. Rather one too many than one
# too few; any version of a plan may take the routes of its depot and day out of force.
ROUTES = {
    "event": f"select route_id from {{event}} where route_id is not null and {_TELLING} "
    "union select route_id from route_visit semi join touched_delivery using (delivery_id) union "
    + _SAME_PLAN.format(
        plans="from plan where plan_id in (select payload ->> 'plan_id' from {event} "
        "where type between 'plan_approved' and 'plan_rejected')"
    ),
    "booking": "select route_id from route_visit semi join touched_delivery using (delivery_id)",
    "charge": "select route_id from {charge} where route_id is not null "
    "union select route_id from route_visit where delivery_id in (select delivery_id from {charge} where route_id is null)",
    "plan": _SAME_PLAN.format(plans="from {plan}"),
    "route": "select route_id from {route}",
    "planned_stop": "select route_id from {planned_stop}",
    "shift": "select route_id from route semi join {shift} using (vehicle_id, day) "
    "union select route_id from route_run join {shift} as shifts using (vehicle_id) "
    "where first_event_at::date between day - 2 and day + 2",
    "vehicle": "select route_id from route semi join {vehicle} using (vehicle_id) "
    "union select route_id from route_run semi join {vehicle} using (vehicle_id)",
    "depot": "select route_id from route_drop semi join {depot} using (depot_id)",
    "rate_card": "select route_id from route_drop join {rate_card} as cards using (carrier_id) where day >= valid_from",
}
TOUCHED = {
    "touched_delivery": ("delivery_id", "delivery", DELIVERIES),
    "touched_event": ("event_id", "event", EVENTS),
    "touched_route": ("route_id", "route_run", ROUTES),
}


def touch(connection: duckdb.DuckDBPyConnection, new_rows: Mapping[str, str]) -> None:
    """Note what new rows touch, for the merge that follows: a table of ids each for deliveries, events of plans, notices and exceptions, and routes.

    `new_rows`: table → the relation that holds its new rows (of our own, by name).
    """
    statements = []
    for name, (key, table, queries) in TOUCHED.items():
        nothing = f"select {key} from {table} limit 0"
        parts = [query.format(**new_rows) for of, query in queries.items() if of in new_rows]
        text = f"select distinct {key} from ({' union all '.join([f'({part})' for part in [nothing, *parts]])})"
        statements.append(f"create or replace temp table {name} as {text}")
    connection.execute("; ".join(statements))  # in one call, see derived.merge


# The days that rows of these tables are about; a row of any other table may concern every day.
OF_A_DAY = {
    "event": "select day from delivery semi join touched_delivery using (delivery_id) "
    f"union select day from delivery semi join (from incoming_event where {_NOTICES}) using (delivery_id) "
    "union select day from route semi join touched_route using (route_id) "
    "union select plan.day from plan join incoming_event on plan.plan_id = (incoming_event.payload ->> 'plan_id') "
    "where type between 'plan_approved' and 'plan_rejected' "
    f"union select try_cast(payload ->> 'day' as date) from incoming_event where {_EXCEPTIONS}",
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
