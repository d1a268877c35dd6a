"""Writes routes as plans: each file that says something new makes the next version of its depot's day."""

from __future__ import annotations

import duckdb

from lastmile.ingest.imported import Import, Written

FRESH = "from checked where not refused and not is_empty"


def find_new_routes(connection: duckdb.DuckDBPyConnection) -> Written:
    """A row is new where no plan on record has this stop so; a depot's day with a new row becomes a new plan version."""
    # rows that may say a stop twice: usually none, and numbering these alone saves sorting the file
    connection.execute(
        f"create or replace temp table several_stop as select row_id, r_depot_id, r_day, r_route_id, r_delivery_id, r_arrive_at "
        f"{FRESH} and (r_route_id, r_delivery_id) in (select (r_route_id, r_delivery_id) {FRESH} group by 1 having count(*) > 1)"
    )
    connection.execute(
        f"create or replace temp table new_row as select row_id {FRESH} "
        "and not exists (select 1 from planned_stop join route using (plan_id, route_id) "
        "where planned_stop.route_id = r_route_id and delivery_id = r_delivery_id and arrive_at = r_arrive_at "
        "and route.vehicle_id = r_vehicle_id and route.depot_id = r_depot_id "
        "and (planned_stop.import_id is null or planned_stop.import_id not in (select import_id from undone_import))) "
        "and row_id not in (select row_id from several_stop "
        "qualify row_number() over (partition by r_route_id, r_delivery_id, r_arrive_at order by row_id) > 1)"
    )
    connection.execute(
        "create or replace temp table new_plan as select distinct r_depot_id as depot_id, r_day as day from checked "
        "where row_id in (from new_row)"
    )
    taken = connection.execute("select count(*) from new_row").fetchone()[0]
    plans = connection.execute("select count(*) from new_plan").fetchone()[0]
    return Written({"plan": plans, "planned_stop": taken}, taken, {})


def _mark_plan_stops(connection: duckdb.DuckDBPyConnection, import_id: str) -> None:
    """`plan_stop`: the stops of the new plans, the last word about each; `stop_place`: where a stop without a number stands."""
    connection.execute(
        "create or replace temp table known_plan as select *, md5(concat_ws(chr(31), $import_id, depot_id, day::varchar)) as plan_id "
        "from new_plan",
        {"import_id": import_id},
    )
    connection.execute(
        "create or replace temp table superseded_stop as select row_id from several_stop "
        "qualify row_number() over (partition by r_depot_id, r_day, r_route_id, r_delivery_id order by row_id desc) > 1"
    )
    connection.execute(
        "create or replace temp view plan_stop as select * from checked join known_plan on depot_id = r_depot_id and day = r_day "
        "where not refused and not is_empty and row_id not in (from superseded_stop)"
    )
    connection.execute(
        "create or replace temp table stop_place as select row_id, row_number() over "
        "(partition by r_depot_id, r_day, r_route_id order by r_stop nulls last, r_arrive_at, row_id) as place "
        "from plan_stop where r_route_id in (select r_route_id from plan_stop where r_stop is null)"
    )


def write_routes(connection: duckdb.DuckDBPyConnection, imported: Import) -> dict[str, int]:
    """Insert a plan with its routes and stops for each depot and day that has a new row, and its approval."""
    parameters = {"import_id": imported.import_id}
    _mark_plan_stops(connection, imported.import_id)
    recorded = "coalesce(min(r_departs_at), min(r_arrive_at))"
    plans = connection.execute(
        f"insert into plan by name select plan_id, {recorded} as recorded_at, r_depot_id as depot_id, r_day as day, "
        "1 + coalesce((select max(version) from plan where plan.depot_id = r_depot_id and plan.day = r_day), 0) as version, "
        "$source as made_by, 'imported' as engine, $import_id as import_id from plan_stop group by plan_id, r_depot_id, r_day",
        parameters | {"source": imported.mapping.source},
    ).fetchone()[0]
    routes = connection.execute(
        "insert into route by name select plan_id, r_route_id as route_id, r_depot_id as depot_id, r_day as day, "
        "any_value(r_vehicle_id) as vehicle_id, any_value(r_driver_id) as driver_id, any_value(r_carrier_id) as carrier_id, "
        "coalesce(min(r_departs_at), min(r_arrive_at)) as departs_at, coalesce(max(r_returns_at), max(r_depart_at)) as returns_at, "
        "sum(r_distance_km) as distance_km, sum(r_drive_minutes) as drive_minutes, $import_id as import_id "
        "from plan_stop group by plan_id, r_route_id, r_depot_id, r_day",
        parameters,
    ).fetchone()[0]
    stops = connection.execute(
        "insert into planned_stop by name select plan_id, r_route_id as route_id, coalesce(r_stop, place)::integer as stop, "
        "r_delivery_id as delivery_id, r_arrive_at as arrive_at, r_service_at as service_at, r_depart_at as depart_at, "
        "r_distance_km as distance_km, r_drive_minutes as drive_minutes, $import_id as import_id "
        "from plan_stop left join stop_place using (row_id)",
        parameters,
    ).fetchone()[0]
    return {"plan": plans, "route": routes, "planned_stop": stops, "event": _approve(connection, imported)}


def _approve(connection: duckdb.DuckDBPyConnection, imported: Import) -> int:
    """An imported plan was in force where it was made: its approval is on record from its start."""
    return connection.execute(
        "insert into event by name select md5(concat_ws(chr(31), $source, plan_id, 'plan_approved'))::uuid as event_id, "
        "'plan_approved' as type, 'ACT' as classifier, recorded_at as occurred_at, recorded_at, depot_id, "
        "$source as source, $source as actor, 'import' as status_source, json_object('plan_id', plan_id, 'why', 'imported') as payload, "
        "$import_id as import_id from plan where import_id = $import_id",
        {"source": imported.mapping.source, "import_id": imported.import_id},
    ).fetchone()[0]
