"""A database of a million deliveries and six million events, with plans, made by SQL in the ledger's own tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from lastmile import clock
from lastmile.store import DERIVED, Store

DELIVERIES = 1_000_000
DAYS = 365
LAST_DAY = datetime(2026, 3, 2, tzinfo=UTC)
NOON = LAST_DAY + timedelta(hours=12)

# Six events a delivery; what lies after noon of the last day has not happened yet.
CHAIN = [
    ("order_received", -24 * 60, False),
    ("released_to_warehouse", -8 * 60, False),
    ("loaded", -5 * 60, True),
    ("arrived", -8, True),
    ("delivered", -2, True),
    ("departed_stop", 0, True),
]


def make(path: Path, deliveries: int = DELIVERIES) -> Store:
    """A store with `deliveries` over 365 days that end on LAST_DAY, its clock held at noon; one in 20 late, one in 50 failed."""
    store = Store.open(path)
    a_day = deliveries // DAYS
    with store.write() as connection:
        connection.execute(
            """
            create or replace temp table made as
            select i, 'made:' || i as delivery_id, (i // $a_day) as day_number, i % $a_day as nth,
                $last_day::timestamptz - to_days(364 - (i // $a_day)::integer) as midnight,
                'depot ' || (i % $a_day // 70 % 3) as depot_id, 'carrier ' || (i % $a_day // 70 % 4) as carrier_id,
                'V' || lpad((i % $a_day // 70)::varchar, 3, '0') as vehicle_id,
                midnight + to_minutes(8 * 60 + (i % $a_day % 70) * 8) as served_at,
                hash(i) % 20 = 0 as late, hash(i) % 50 = 1 as failed,
                13.1 + (hash(i, 1) % 10000) / 10000.0 * 0.6 as lon, 52.35 + (hash(i, 2) % 10000) / 10000.0 * 0.3 as lat
            from range($deliveries) as numbers(i) where i // $a_day < 365
            """,
            {"a_day": a_day, "last_day": LAST_DAY, "deliveries": deliveries},
        )
        connection.execute(_BOOKINGS)
        for type, minutes, on_route in CHAIN:
            connection.execute(_EVENTS, {"type": type, "minutes": minutes, "on_route": on_route, "noon": NOON})
        connection.execute(
            "create or replace temp table sorted_event as from event order by recorded_at; delete from event; "
            "insert into event from sorted_event; drop table sorted_event"
        )
        for statement in _MASTER + _PLANS:
            connection.execute(statement)
    with store.write() as connection:
        for derived in DERIVED:
            connection.execute(f"delete from {derived.table}")
            connection.execute(f"insert into {derived.table} by name {derived.everything}")
    clock.save(store, clock.held(NOON), "bench")
    return store


_BOOKINGS = """
insert into booking by name
select stable_id('booking ' || i) as booking_id, midnight - interval 1 day as recorded_at, delivery_id, delivery_id as order_id,
    'delivery' as kind, 'made' as source, depot_id, carrier_id, ['parcels', 'medical', 'spares', 'construction'][i % 4 + 1] as service,
    'routine' as criticality, midnight::date as day, 'UTC' as zone, served_at - interval 1 hour as window_from,
    served_at + to_minutes(case when late then -15 else 60 end) as window_due, 'arrival' as window_semantics,
    0 as early_minutes, 0 as late_minutes, 'Recipient ' || i as recipient, 'Street ' || i % 5000 as address, 'area ' || i % 12 as area,
    lon, lat, 5.0 as weight_kg, 0.05 as volume_m3, 1 as pieces, 2 as lines, 3 as service_minutes, ['signature'] as proof,
    10.0 as penalty, 'EUR' as currency
from made
"""

_EVENTS = """
insert into event by name
select stable_id($type || ' ' || i) as event_id, case when failed and $type = 'delivered' then 'attempted' else $type end as type,
    'ACT' as classifier, served_at + to_minutes($minutes) as occurred_at, served_at + to_minutes($minutes + 1) as recorded_at,
    delivery_id, case when $on_route then midnight::date || ' ' || vehicle_id end as route_id,
    case when $on_route then vehicle_id end as vehicle_id, lon, lat, 10.0 as accuracy_m, 'made' as source, 'driver' as status_source,
    case when failed and $type = 'delivered' then 'recipient_unavailable' end as reason,
    case when $type = 'delivered' then '{"handed_to": "recipient", "proof": ["signature"], "lines_delivered": 2}' end::json as payload
from made where served_at + to_minutes($minutes + 1) <= $noon
"""

_MASTER = [
    """insert into depot by name select 'depot ' || n as depot_id, timestamptz '2020-01-01 00:00:00+00' as recorded_at,
    'Depot ' || n as name, 13.3 + n * 0.1 as lon, 52.5 as lat, 'UTC' as zone, 'EUR' as currency from range(3) as r(n)""",
    """insert into carrier by name select 'carrier ' || n as carrier_id, timestamptz '2020-01-01 00:00:00+00' as recorded_at,
    'Carrier ' || n as name, 'contractor' as kind from range(4) as r(n)""",
    """insert into rate_card by name select 'carrier ' || n as carrier_id, timestamptz '2020-01-01 00:00:00+00' as recorded_at,
    date '2020-01-01' as valid_from, 'EUR' as currency, 40 as per_day, 24 as per_hour, 36 as per_overtime_hour, 0.4 as per_km,
    0 as per_stop, 0 as minimum_per_route from range(4) as r(n)""",
    """insert into vehicle by name select distinct on (vehicle_id) vehicle_id, timestamptz '2020-01-01 00:00:00+00' as recorded_at,
    vehicle_id as name, depot_id, carrier_id, 'van' as kind, 900 as capacity_kg, 12 as capacity_m3 from made""",
    """insert into source by name select 'made' as source, timestamptz '2020-01-01 00:00:00+00' as recorded_at, 'Made' as name,
    'bench' as kind, 'arrival' as window_semantics, 'UTC' as zone, true as recorded_at_given""",
]

_PLANS = [
    """insert into plan by name select distinct depot_id || ' ' || midnight::date as plan_id, midnight as recorded_at, depot_id,
    midnight::date as day, 1 as version, 'planner' as made_by, 'made' as engine from made""",
    """insert into route by name select depot_id || ' ' || midnight::date as plan_id, midnight::date || ' ' || vehicle_id as route_id,
    depot_id, midnight::date as day, vehicle_id, any_value(carrier_id) as carrier_id, min(served_at) - interval 40 minute as departs_at,
    max(served_at) + interval 40 minute as returns_at, 90.0 as distance_km, 300.0 as drive_minutes
    from made group by depot_id, midnight, vehicle_id""",
    """insert into planned_stop by name select depot_id || ' ' || midnight::date as plan_id, midnight::date || ' ' || vehicle_id as route_id,
    (nth % 70)::integer as stop, delivery_id, served_at - interval 8 minute as arrive_at, served_at - interval 5 minute as service_at,
    served_at as depart_at, 1.2 as distance_km, 4.0 as drive_minutes from made""",
    """insert into event by name select stable_id('approved ' || plan_id) as event_id, 'plan_approved' as type, 'ACT' as classifier,
    recorded_at as occurred_at, recorded_at, depot_id, 'tower' as source, 'user' as status_source, 'planner' as actor,
    json_object('plan_id', plan_id, 'why', 'made')  as payload from plan""",
    """insert into event by name select stable_id(type || route.route_id) as event_id, type, 'ACT' as classifier,
    case when type = 'departed_depot' then departs_at else returns_at end as occurred_at, occurred_at as recorded_at,
    route_id, vehicle_id, depot_id, 'made' as source, 'driver' as status_source,
    case when type = 'returned_to_depot' then '{"distance_km": 92.5}' end::json as payload
    from route, (select unnest(['departed_depot', 'returned_to_depot']) as type) as types
    where case when type = 'departed_depot' then departs_at else returns_at end <= timestamptz '2026-03-02 12:00:00+00'""",
]
