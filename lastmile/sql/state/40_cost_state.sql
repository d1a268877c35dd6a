-- One row per plan version in force (of an approved plan) that has routes on the days asked.
create or replace macro routes_in_force(known_at, day_from, day_to) as table
select route.* from route
where plan_id in (
    select plan_id from plan_state(known_at)
    where in_force and (day_from is null or day >= day_from) and (day_to is null or day <= day_to)
)
qualify row_number() over (partition by route_id order by day desc, plan_id) = 1;

-- One row per charge that was known, with the visit that it belongs to: the route it names; else the last failed visit
-- of its delivery for what failures cost, its last visit for the rest; without a visit it stands alone.
-- `charge_table` and `visit_table` name the charges to look at and all visits of their deliveries.
create or replace macro charge_state(known_at, charge_table, visit_table) as table
with known_charge as (
    select * from query_table(charge_table)
    where recorded_at <= known_at and (import_id is null or import_id not in (select import_id from undone_import))
),
charged_visit as (
    select delivery_id,
        arg_max(route_id, (outcome_at, route_id)) as last_route,
        arg_max(route_id, (failed_at, route_id)) filter (failed_at is not null) as last_failed_route
    from query_table(visit_table)
    where delivery_id in (select delivery_id from known_charge where route_id is null)
    group by delivery_id
)
select charge_id, kind, occurred_at, round(amount * 100)::bigint as cents, currency, delivery_id, carrier_id, assumed, source,
    coalesce(route_id, case when kind in ('rehandling', 'contact', 'penalty', 'claim', 'crew_idle')
        then last_failed_route end, last_route) as route_id
from known_charge left join charged_visit using (delivery_id);

-- One row per charge as above, of the days asked (its own day in UTC), as known at `as_of` or now.
create or replace macro charges_at(as_of, day_from, day_to) as table
with dated_charge as (
    from charge
    where (day_from is null or (occurred_at at time zone 'UTC')::date >= day_from)
      and (day_to is null or (occurred_at at time zone 'UTC')::date <= day_to)
),
charged_event as (
    from event where as_of is not null and delivery_id in (select delivery_id from dated_charge where route_id is null)
),
charged_call as (
    select * from route_visit where as_of is null
    union all by name
    from visit_state(as_of, 'charged_event', null, null)
)
from charge_state(coalesce(as_of, 'infinity'::timestamptz), 'dated_charge', 'charged_call');

-- One row per route that ran: its plan in force, its shift and what its scans say. Minutes and kilometres, no money.
-- `run_table`, `visit_table` and `delivery_table` name the routes, all their visits and the deliveries visited.
create or replace macro route_day_state(known_at, run_table, visit_table, delivery_table, day_from, day_to) as table
with planned as (
    from routes_in_force(known_at, day_from, day_to) semi join query_table(run_table) using (route_id)
),
visit as (
    from query_table(visit_table)
),
known_delivery as (
    select delivery_id, depot_id, carrier_id, service, zone from query_table(delivery_table)
),
stop_of as (
    select plan_id, route_id, delivery_id, stop from planned_stop semi join planned using (plan_id, route_id)
),
at_stop as (
    select route_id, coalesce(stop::varchar, visit.delivery_id) as stop_key, count(*) as deliveries,
        count(*) filter (handed_over) as handed_over,
        greatest(0, minutes_between(min(arrived_at), min(service_started_at))) as wait_minutes,
        bool_and(arrival_scanned) and count(service_started_at) > 0 as wait_known
    from visit left join stop_of using (route_id, delivery_id)
    group by route_id, stop_key
),
stopped as (
    select route_id, sum(deliveries)::bigint as deliveries_tried, sum(handed_over)::bigint as deliveries_handed_over,
        count(*) as stops, count(*) filter (handed_over > 0) as stops_completed,
        case when bool_and(wait_known) then sum(wait_minutes) end as wait_minutes
    from at_stop group by route_id
),
-- ordered, so that of two equally frequent the same one is taken each time
carried as (
    select route_id,
        mode(depot_id order by depot_id) as depot_id, mode(carrier_id order by carrier_id) as carrier_id,
        mode(zone order by zone) as zone, mode(driver_id order by driver_id) as driver_id,
        list_sort(list(distinct service) filter (service is not null)) as services
    from visit left join known_delivery using (delivery_id) group by route_id
),
latest_vehicle as (
    from vehicle where import_id is null or import_id not in (select import_id from undone_import)
    qualify row_number() over (partition by vehicle_id order by recorded_at desc) = 1
),
latest_depot as (
    from depot where import_id is null or import_id not in (select import_id from undone_import)
    qualify row_number() over (partition by depot_id order by recorded_at desc) = 1
),
latest_shift as (
    select vehicle_id, day, starts_at, ends_at, break_minutes from shift
    where import_id is null or import_id not in (select import_id from undone_import)
    qualify row_number() over (partition by vehicle_id, day order by recorded_at desc, shift_id) = 1
),
run as (
    select routes.route_id,
        coalesce(planned.vehicle_id, routes.vehicle_id) as vehicle_id,
        coalesce(routes.driver_id, carried.driver_id, planned.driver_id) as driver_id,
        coalesce(planned.depot_id, carried.depot_id, latest_vehicle.depot_id) as depot_id,
        coalesce(planned.carrier_id, latest_vehicle.carrier_id, carried.carrier_id) as carrier_id,
        coalesce(latest_depot.zone, carried.zone, 'UTC') as zone,
        latest_depot.lon as depot_lon, latest_depot.lat as depot_lat, latest_depot.currency as depot_currency,
        planned.plan_id, planned.departs_at as planned_departs_at, planned.returns_at as planned_returns_at,
        planned.distance_km as planned_km, planned.day as planned_day,
        routes.departed_at, routes.returned_at, routes.broke_down_at, routes.first_event_at, routes.last_event_at, routes.driven_km,
        latest_vehicle.capacity_kg, latest_vehicle.capacity_m3, latest_vehicle.capacity_pieces,
        coalesce(stopped.deliveries_tried, 0) as deliveries_tried,
        coalesce(stopped.deliveries_handed_over, 0) as deliveries_handed_over,
        coalesce(stopped.stops, 0) as stops, coalesce(stopped.stops_completed, 0) as stops_completed,
        stopped.wait_minutes, coalesce(carried.services, []) as services
    from query_table(run_table) as routes
    left join planned using (route_id)
    left join stopped using (route_id)
    left join carried using (route_id)
    left join latest_vehicle on latest_vehicle.vehicle_id = coalesce(planned.vehicle_id, routes.vehicle_id)
    left join latest_depot on latest_depot.depot_id = coalesce(planned.depot_id, carried.depot_id, latest_vehicle.depot_id)
),
dated as (
    select *, coalesce(planned_day, (first_event_at at time zone zone)::date) as day from run
)
select dated.* exclude (planned_day),
    latest_shift.starts_at as shift_starts_at, latest_shift.ends_at as shift_ends_at, latest_shift.break_minutes,
    coalesce(departed_at, first_event_at) as on_road_from,
    coalesce(returned_at, last_event_at) as on_road_to,
    minutes_between(coalesce(departed_at, first_event_at), coalesce(returned_at, last_event_at)) as on_road_minutes,
    -- a driver is paid from the start of the shift, or from an earlier departure
    least(latest_shift.starts_at, coalesce(departed_at, first_event_at)) as paid_from,
    minutes_between(least(latest_shift.starts_at, coalesce(departed_at, first_event_at)), coalesce(returned_at, last_event_at)) as paid_minutes,
    coalesce(greatest(0, minutes_between(latest_shift.ends_at, coalesce(returned_at, last_event_at))), 0) as overtime_minutes,
    returned_at is null and planned_returns_at is not null as not_seen_back
from dated left join latest_shift using (vehicle_id, day)
where (day_from is null or day >= day_from) and (day_to is null or day <= day_to);

-- One row per route that ran on the days asked, as above, as known at `as_of` or now.
create or replace macro route_day(as_of, day_from, day_to) as table
with known_run as (
    from routes_at(as_of, day_from, day_to)
),
known_visit as (
    from visits_at(as_of, day_from, day_to)
),
visited_delivery as (
    -- a visit of the days asked may serve a delivery of the month before
    from deliveries_at(as_of, (day_from - interval 30 day)::date, (day_to + interval 7 day)::date)
)
from route_day_state(coalesce(as_of, 'infinity'::timestamptz), 'known_run', 'known_visit', 'visited_delivery', day_from, day_to);

-- One row per route that ran: the parts of its cost in cents, from the rate card in force on its day and its charges.
-- Without a rate card a route costs what its charges say; without either its cost is unknown (null).
create or replace macro route_cost_state(known_at, run_table, visit_table, delivery_table, charge_table, day_from, day_to) as table
with runs as (
    from route_day_state(known_at, run_table, visit_table, delivery_table, day_from, day_to)
),
card as (
    from rate_card
    where recorded_at <= known_at
      and (import_id is null or import_id not in (select import_id from undone_import))
    qualify row_number() over (partition by carrier_id, valid_from order by recorded_at desc) = 1
),
priced as (
    select runs.*, coalesce(card.currency, depot_currency) as currency, card.carrier_id is not null as has_rate_card,
        coalesce(driven_km, planned_km) as km, driven_km is null and planned_km is not null as km_assumed,
        round(100 * per_day)::bigint as vehicle_cents,
        round(100 * per_hour * greatest(0, paid_minutes - overtime_minutes) / 60)::bigint as time_cents,
        round(100 * per_overtime_hour * overtime_minutes / 60)::bigint as overtime_cents,
        case when per_km = 0 then 0 else round(100 * per_km * coalesce(driven_km, planned_km)) end::bigint as distance_cents,
        round(100 * per_stop)::bigint * stops as stop_cents,
        round(100 * minimum_per_route)::bigint as least_cents
    from runs asof left join card on runs.carrier_id = card.carrier_id and runs.day >= card.valid_from
),
charged as (
    select route_id, sum(cents)::bigint as charge_cents, coalesce(sum(cents) filter (assumed), 0)::bigint as assumed_charge_cents,
        min(currency) as charge_currency, count(distinct currency) as charge_currencies,
        bool_or(kind in ('contractor', 'third_party')) as invoiced
    from query_table(charge_table)
    where route_id is not null group by route_id
),
summed as (
    select priced.*,
        coalesce(vehicle_cents, 0) + coalesce(time_cents, 0) + coalesce(overtime_cents, 0) + coalesce(distance_cents, 0)
            + coalesce(stop_cents, 0) as card_cents,
        coalesce(charge_cents, 0) as charge_cents, coalesce(assumed_charge_cents, 0) as assumed_charge_cents,
        coalesce(charge_currencies > 1 or charge_currency <> currency, false) as mixed_currencies,
        coalesce(invoiced, false) as invoiced, charge_currency
    from priced left join charged using (route_id)
)
select * exclude (least_cents, invoiced, charge_currency, depot_currency, currency),
    coalesce(currency, charge_currency) as currency,
    greatest(0, coalesce(least_cents, 0) - card_cents) as minimum_cents,
    case when mixed_currencies or not has_rate_card and not invoiced or has_rate_card and distance_cents is null then null
         else card_cents + greatest(0, coalesce(least_cents, 0) - card_cents) + charge_cents end as total_cents,
    case when km_assumed then coalesce(distance_cents, 0) else 0 end + assumed_charge_cents as assumed_cents,
    case when mixed_currencies then 'its charges are in another currency than its rate card'
         when not has_rate_card and not invoiced then 'its carrier has no rate card in force that day'
         when has_rate_card and distance_cents is null then 'neither driven nor planned distance is known' end as cost_unknown_why
from summed;

-- One row per route that ran on the days asked: the parts of its cost as above, as known at `as_of` or now.
create or replace macro route_cost(as_of, day_from, day_to) as table
with known_run as (
    from routes_at(as_of, day_from, day_to)
),
known_visit as (
    from visits_at(as_of, day_from, day_to)
),
visited_delivery as (
    from deliveries_at(as_of, (day_from - interval 30 day)::date, (day_to + interval 7 day)::date)
),
routed_charge as (
    from charges_at(as_of, null, null)
)
from route_cost_state(coalesce(as_of, 'infinity'::timestamptz), 'known_run', 'known_visit', 'visited_delivery', 'routed_charge',
    day_from, day_to);
