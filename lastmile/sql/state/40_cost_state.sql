-- One row per delivery and route that tried it, in the order of the work: what the scans of that visit say.
-- `arrived_at` is the last arrival before the outcome, so that a second try on the same route starts anew.
create or replace macro visit_state(known_at, day_from, day_to) as table
with known_event as (
    select * from event
    where route_id is not null and delivery_id is not null and classifier = 'ACT' and recorded_at <= known_at
      and type in ('arrived', 'delivered', 'partially_delivered', 'attempted', 'not_completed', 'refused', 'departed_stop')
      and (day_from is null or occurred_at >= day_from::timestamptz - interval 1 day)
      and (day_to is null or occurred_at <= day_to::timestamptz + interval 3 day)
      and (import_id is null or import_id not in (select import_id from undone_import))
      and event_id not in (select corrects from event where corrects is not null and recorded_at <= known_at)
),
visited as (
    select route_id, delivery_id,
        max(occurred_at) filter (type = 'arrived') as last_arrived_at,
        max(occurred_at) filter (is_handover(type) or is_failed_try(type)) as outcome_at,
        bool_or(is_handover(type)) as handed_over,
        arg_max(try_cast(payload ->> 'service_started_at' as timestamptz), occurred_at)
            filter (is_handover(type) or is_failed_try(type)) as service_started_at,
        arg_max(actor, occurred_at) filter (is_handover(type) or is_failed_try(type)) as driver_id,
        arg_max(vehicle_id, occurred_at) filter (is_handover(type) or is_failed_try(type)) as vehicle_id,
        max(occurred_at) filter (type = 'departed_stop') as departed_stop_at
    from known_event group by route_id, delivery_id
)
select route_id, delivery_id, handed_over, outcome_at, service_started_at, driver_id, vehicle_id,
    least(coalesce(last_arrived_at, service_started_at, outcome_at), outcome_at) as arrived_at,
    last_arrived_at is not null as arrival_scanned,
    case when departed_stop_at >= outcome_at then departed_stop_at else outcome_at end as left_at
from visited where outcome_at is not null;

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
create or replace macro charge_state(known_at, day_from, day_to) as table
with known_charge as (
    select * from charge
    where recorded_at <= known_at and (import_id is null or import_id not in (select import_id from undone_import))
),
charged_visit as (
    select delivery_id,
        arg_max(route_id, (occurred_at, route_id)) as last_route,
        arg_max(route_id, (occurred_at, route_id)) filter (is_failed_try(type)) as last_failed_route
    from event
    where delivery_id in (select delivery_id from known_charge where route_id is null)
      and route_id is not null and classifier = 'ACT' and recorded_at <= known_at
      and (is_handover(type) or is_failed_try(type))
      and (import_id is null or import_id not in (select import_id from undone_import))
      and event_id not in (select corrects from event where corrects is not null and recorded_at <= known_at)
    group by delivery_id
)
select charge_id, kind, occurred_at, round(amount * 100)::bigint as cents, currency, delivery_id, carrier_id, assumed, source,
    coalesce(route_id, case when kind in ('rehandling', 'contact', 'penalty', 'claim', 'crew_idle')
        then last_failed_route end, last_route) as route_id
from known_charge left join charged_visit using (delivery_id);

-- One row per route that ran: its plan in force, its shift and what its scans say. Minutes and kilometres, no money.
create or replace macro route_day(as_of, day_from, day_to) as table
with planned as (
    from routes_in_force(coalesce(as_of, 'infinity'::timestamptz), day_from, day_to)
),
visit as (
    from visit_state(coalesce(as_of, 'infinity'::timestamptz), day_from, day_to)
),
known_delivery as (
    select delivery_id, depot_id, carrier_id, service, zone, day
    -- a visit of the days asked may serve a delivery of the month before
    from deliveries_at(as_of, (day_from - interval 30 day)::date, (day_to + interval 7 day)::date)
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
    from routes_at(as_of, day_from, day_to) as routes
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

-- One row per route that ran: the parts of its cost in cents, from the rate card in force on its day and its charges.
-- Without a rate card a route costs what its charges say; without either its cost is unknown (null).
create or replace macro route_cost(as_of, day_from, day_to) as table
with runs as (
    from route_day(as_of, day_from, day_to)
),
card as (
    from rate_card
    where recorded_at <= coalesce(as_of, 'infinity'::timestamptz)
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
    from charge_state(coalesce(as_of, 'infinity'::timestamptz), day_from, day_to)
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

-- One row per visit with its share of its route's cost in cents, and one row for each cost that no visit can carry: a
-- route without a visit (`delivery_id` null), a charge without a route that ran (dated by its own day in UTC). Per route the cents add up to
-- route_cost. Direct: its minutes on site, its stop fee, its own charges. Half of each adjoining arc is its travel; the
-- way out, the way back and what has no place (vehicle, minimum, other charges, other minutes) go by volume, or by equal
-- shares where a volume of the route is unknown. Kilometres are shared by crow-fly arcs in the order driven.
create or replace macro drop_cost(as_of, day_from, day_to) as table
with routes as (
    from route_cost(as_of, day_from, day_to)
),
charges as (
    from charge_state(coalesce(as_of, 'infinity'::timestamptz), day_from, day_to)
),
stop_of as (
    select plan_id, route_id, delivery_id, stop from planned_stop
    where (plan_id, route_id) in (select (plan_id, route_id) from routes)
),
visit as (
    select visits.*, coalesce(stop::varchar, visits.delivery_id) as stop_key, routes.departed_at, routes.returned_at, depot_lon, depot_lat,
        known.lon, known.lat, known.volume_m3, known.day as delivery_day, known.depot_id as delivery_depot_id,
        known.service, known.criticality, known.area, known.reason
    from visit_state(coalesce(as_of, 'infinity'::timestamptz), day_from, day_to) as visits
    join routes using (route_id)
    left join stop_of on stop_of.route_id = visits.route_id and stop_of.delivery_id = visits.delivery_id
    left join deliveries_at(as_of, (day_from - interval 30 day)::date, (day_to + interval 7 day)::date) as known
        on known.delivery_id = visits.delivery_id
),
stops as (
    select route_id, stop_key, count(*) as together, min(arrived_at) as arrived_at, max(left_at) as left_at,
        avg(lon) as lon, avg(lat) as lat, any_value(depot_lon) as depot_lon, any_value(depot_lat) as depot_lat
    from visit group by route_id, stop_key
),
arcs as (
    select route_id, stop_key, together,
        greatest(0, minutes_between(arrived_at, left_at)) as minutes_on_site,
        coalesce(greatest(0, minutes_between(lag(left_at) over driven, arrived_at)), 0) as minutes_in,
        coalesce(greatest(0, minutes_between(left_at, lead(arrived_at) over driven)), 0) as minutes_out,
        coalesce(metres_between(lag(lon) over driven, lag(lat) over driven, lon, lat), 0) as metres_in,
        coalesce(metres_between(lon, lat, lead(lon) over driven, lead(lat) over driven), 0) as metres_out,
        case when lag(stop_key) over driven is null then coalesce(metres_between(depot_lon, depot_lat, lon, lat), 0) else 0 end
            + case when lead(stop_key) over driven is null then coalesce(metres_between(lon, lat, depot_lon, depot_lat), 0) else 0 end
            as stem_metres
    from stops window driven as (partition by route_id order by arrived_at, stop_key)
),
direct as (
    select visit.*,
        arcs.together,
        (minutes_on_site + (minutes_in + minutes_out) / 2) / arcs.together as own_minutes,
        (metres_in + metres_out) / 2 / arcs.together as own_metres,
        sum(stem_metres / arcs.together) over (partition by visit.route_id) as stem_metres,
        case when count(*) over (partition by visit.route_id) = count(volume_m3) over (partition by visit.route_id)
                and sum(volume_m3) over (partition by visit.route_id) > 0
             then volume_m3 / sum(volume_m3) over (partition by visit.route_id)
             else 1.0 / count(*) over (partition by visit.route_id) end as volume_share
    from visit join arcs using (route_id, stop_key)
),
own_charge as (
    select route_id, delivery_id, sum(cents)::bigint as own_charge_cents,
        coalesce(sum(cents) filter (kind in ('rehandling', 'contact', 'penalty', 'claim', 'crew_idle')), 0)::bigint as failure_cents,
        coalesce(sum(cents) filter (assumed), 0)::bigint as own_assumed_cents
    from charges join direct using (route_id, delivery_id) group by route_id, delivery_id
),
-- what is shared out, and the weight of each visit in minutes and metres
weighed as (
    select direct.*, routes.* exclude (route_id, driver_id, vehicle_id, departed_at, returned_at, depot_lon, depot_lat, stops),
        routes.driver_id as route_driver_id, routes.vehicle_id as route_vehicle_id, routes.stops,
        coalesce(own_charge_cents, 0) as own_charge_cents, coalesce(failure_cents, 0) as failure_cents,
        coalesce(own_assumed_cents, 0) as own_assumed_cents,
        own_minutes + volume_share * greatest(0, paid_minutes - sum(own_minutes) over of_route) as minutes_weight,
        own_metres + volume_share * stem_metres as metres_weight,
        sum(coalesce(own_charge_cents, 0)) over of_route as own_charges_of_route
    from direct join routes using (route_id) left join own_charge using (route_id, delivery_id)
    window of_route as (partition by route_id)
),
shared as (
    select *,
        (coalesce(time_cents, 0) + coalesce(overtime_cents, 0))
            * coalesce(minutes_weight / nullif(sum(minutes_weight) over of_route, 0), volume_share) as time_part,
        coalesce(distance_cents, 0) * coalesce(metres_weight / nullif(sum(metres_weight) over of_route, 0), volume_share) as distance_part,
        coalesce(stop_cents, 0) / stops::double / together as stop_part,
        (coalesce(vehicle_cents, 0) + minimum_cents + charge_cents - own_charges_of_route) * volume_share as fixed_part
    from weighed window of_route as (partition by route_id)
),
-- largest remainder: each gets its whole cents, the cents left over go to the largest fractions; a ten-millionth of a
-- cent is taken for noise of the summation, so that equal shares are ranked by their id
whole as (
    select *, floor(time_part + distance_part + stop_part + fixed_part + 1e-7)::bigint as whole_cents,
        round(time_part + distance_part + stop_part + fixed_part - whole_cents, 6) as remainder
    from shared
),
dropped as (
    select *,
        whole_cents + own_charge_cents
            + (row_number() over (partition by route_id order by remainder desc, delivery_id)
               <= total_cents - own_charges_of_route - sum(whole_cents) over (partition by route_id))::bigint as cents
    from whole
)
select route_id, delivery_id, 'visit' as kind, day, delivery_day, coalesce(depot_id, delivery_depot_id) as depot_id, carrier_id,
    coalesce(driver_id, route_driver_id) as driver_id, coalesce(vehicle_id, route_vehicle_id) as vehicle_id,
    service, criticality, area, reason, currency, handed_over, outcome_at, zone, 1.0 / together as stop_share,
    case when total_cents is not null then cents end as cents,
    failure_cents, own_charge_cents,
    case when km_assumed then distance_part else 0 end + own_assumed_cents
        + (assumed_charge_cents - sum(own_assumed_cents) over (partition by route_id)) * volume_share as assumed_cents,
    time_part, distance_part, stop_part, fixed_part, own_minutes, volume_share, cost_unknown_why,
    not_seen_back, planned_returns_at
from dropped
union all by name
select route_id, null as delivery_id, 'route' as kind, day, depot_id, carrier_id, driver_id, vehicle_id, currency, false as handed_over,
    zone, 0 as stop_share, total_cents as cents, 0 as failure_cents, 0 as own_charge_cents, assumed_cents, cost_unknown_why,
    not_seen_back, planned_returns_at
from routes where route_id not in (select route_id from visit)
union all by name
select charges.route_id, delivery_id, charge_id, 'charge' as kind, (occurred_at at time zone 'UTC')::date as day,
    depot_id, coalesce(charges.carrier_id, known.carrier_id) as carrier_id, driver_id, vehicle_id, service, criticality, area, reason,
    charges.currency, false as handed_over, zone, 0 as stop_share, cents,
    case when charges.kind in ('rehandling', 'contact', 'penalty', 'claim', 'crew_idle') then cents else 0 end as failure_cents,
    cents as own_charge_cents, case when assumed then cents else 0 end as assumed_cents
from charges
left join deliveries_at(as_of, (day_from - interval 30 day)::date, (day_to + interval 7 day)::date) as known using (delivery_id)
where (charges.route_id is null or charges.route_id not in (select route_id from routes_at(as_of, null, null)))
  and (day_from is null or (occurred_at at time zone 'UTC')::date >= day_from)
  and (day_to is null or (occurred_at at time zone 'UTC')::date <= day_to);
