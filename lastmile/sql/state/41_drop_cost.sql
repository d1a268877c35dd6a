-- One row per visit with its share of its route's cost in cents, and one row for a route without a visit (`delivery_id`
-- null), which bears its cost itself. Per route the cents add up to route_cost_state, whose parameters these are.
-- Direct: its minutes on site, its stop fee, its own charges. Half of each adjoining arc is its travel; the
-- way out, the way back and what has no place (vehicle, minimum, other charges, other minutes) go by volume, or by equal
-- shares where a volume of the route is unknown. Kilometres are shared by crow-fly arcs in the order driven.
-- Parts are rounded to a millionth, so that the same ledger gives the same rows however its sums are summed.
create or replace macro route_drop_state(known_at, run_table, visit_table, delivery_table, charge_table, day_from, day_to) as table
with routes as (
    from route_cost_state(known_at, run_table, visit_table, delivery_table, charge_table, day_from, day_to)
),
stop_of as (
    select plan_id, route_id, delivery_id, stop from planned_stop semi join routes using (plan_id, route_id)
),
visit as (
    select visits.*, coalesce(stop::varchar, visits.delivery_id) as stop_key, depot_lon, depot_lat,
        known.lon, known.lat, known.volume_m3, known.day as delivery_day, known.depot_id as delivery_depot_id,
        known.service, known.criticality, known.area, known.reason
    from query_table(visit_table) as visits
    join routes using (route_id)
    left join stop_of on stop_of.route_id = visits.route_id and stop_of.delivery_id = visits.delivery_id
    left join query_table(delivery_table) as known on known.delivery_id = visits.delivery_id
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
own_charge as (
    select route_id, delivery_id, sum(cents)::bigint as own_charge_cents,
        coalesce(sum(cents) filter (kind in ('rehandling', 'contact', 'penalty', 'claim', 'crew_idle')), 0)::bigint as failure_cents,
        coalesce(sum(cents) filter (assumed), 0)::bigint as own_assumed_cents
    from query_table(charge_table) join visit using (route_id, delivery_id) group by route_id, delivery_id
),
direct as (
    select visit.route_id, visit.delivery_id, volume_m3, together,
        (minutes_on_site + (minutes_in + minutes_out) / 2) / together as own_minutes,
        (metres_in + metres_out) / 2 / together as own_metres,
        stem_metres / together as own_stem_metres,
        coalesce(own_charge_cents, 0) as own_charge_cents, coalesce(failure_cents, 0) as failure_cents,
        coalesce(own_assumed_cents, 0) as own_assumed_cents
    from visit join arcs using (route_id, stop_key) left join own_charge using (route_id, delivery_id)
),
-- by groups and not by windows: half the time
of_route as (
    select route_id, count(*) as visits, count(volume_m3) = count(*) and sum(volume_m3) > 0 as by_volume,
        sum(volume_m3) as volume, sum(own_minutes) as minutes, sum(own_metres) as metres, sum(own_stem_metres) as stem_metres,
        sum(own_charge_cents)::bigint as own_charges, sum(own_assumed_cents)::bigint as own_assumed
    from direct group by route_id
),
weighed as (
    select direct.*, of_route.* exclude (route_id, visits, by_volume, volume),
        case when by_volume then volume_m3 / volume else 1.0 / visits end as volume_share
    from direct join of_route using (route_id)
),
-- minutes and metres by what is the visit's own and its share of what is no visit's own
shared as (
    select weighed.*, total_cents, km_assumed, assumed_charge_cents,
        (coalesce(time_cents, 0) + coalesce(overtime_cents, 0))
            * coalesce((own_minutes + volume_share * greatest(0, paid_minutes - minutes)) / nullif(greatest(minutes, paid_minutes), 0),
                       volume_share) as time_part,
        coalesce(distance_cents, 0)
            * coalesce((own_metres + volume_share * stem_metres) / nullif(metres + stem_metres, 0), volume_share) as distance_part,
        coalesce(stop_cents, 0) / stops::double / together as stop_part,
        (coalesce(vehicle_cents, 0) + minimum_cents + charge_cents - own_charges) * volume_share as fixed_part
    from weighed join routes using (route_id)
),
-- a ten-millionth of a cent is taken for noise of the summation, so that equal shares are ranked by their id
whole as (
    select *, floor(time_part + distance_part + stop_part + fixed_part + 1e-7)::bigint as whole_cents,
        round(time_part + distance_part + stop_part + fixed_part - whole_cents, 6) as remainder
    from shared
),
-- largest remainder: each gets its whole cents, the cents left over go to the largest fractions
dropped as (
    select *,
        whole_cents + own_charge_cents
            + (row_number() over (partition by route_id order by remainder desc, delivery_id)
               <= total_cents - own_charges - sum(whole_cents) over (partition by route_id))::bigint as cents
    from whole
)
select dropped.route_id, dropped.delivery_id, 'visit' as kind, day, delivery_day, coalesce(routes.depot_id, delivery_depot_id) as depot_id,
    carrier_id, coalesce(visit.driver_id, routes.driver_id) as driver_id, coalesce(visit.vehicle_id, routes.vehicle_id) as vehicle_id,
    service, criticality, area, reason, currency, handed_over, outcome_at, zone, 1.0 / together as stop_share,
    case when dropped.total_cents is not null then cents end as cents,
    failure_cents, own_charge_cents,
    round(case when dropped.km_assumed then distance_part else 0 end + own_assumed_cents
        + (dropped.assumed_charge_cents - own_assumed) * volume_share, 6) as assumed_cents,
    round(time_part, 6) as time_part, round(distance_part, 6) as distance_part, round(stop_part, 6) as stop_part,
    round(fixed_part, 6) as fixed_part, round(own_minutes, 6) as own_minutes, round(volume_share, 9) as volume_share, cost_unknown_why,
    not_seen_back, planned_returns_at
from dropped join visit using (route_id, delivery_id) join routes using (route_id)
union all by name
select route_id, null as delivery_id, 'route' as kind, day, depot_id, carrier_id, driver_id, vehicle_id, currency, false as handed_over,
    zone, 0 as stop_share, total_cents as cents, 0 as failure_cents, 0 as own_charge_cents, round(assumed_cents, 6) as assumed_cents,
    cost_unknown_why, not_seen_back, planned_returns_at
from routes anti join visit using (route_id);

-- The present, one row per visit and per route without one; made by the macro above for the routes that an append touched.
create table if not exists route_drop as
    with routed_charge as (
        from charge_state('infinity'::timestamptz, 'charge', 'route_visit')
    )
    from route_drop_state('infinity'::timestamptz, 'route_run', 'route_visit', 'delivery', 'routed_charge', null, null) limit 0;

-- One row per visit or route without one on the days asked, with its cost, as known at `as_of` or now; and one row for each
-- charge without a route that ran (`charge_id`; dated by its own day in UTC).
create or replace macro drop_cost(as_of, day_from, day_to) as table
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
),
lone_charge as (
    from charges_at(as_of, day_from, day_to)
    where route_id is null or route_id not in (select route_id from routes_at(as_of, null, null))
)
select * from route_drop
where as_of is null and (day_from is null or day >= day_from) and (day_to is null or day <= day_to)
union all by name
select * from route_drop_state(as_of, 'known_run', 'known_visit', 'visited_delivery', 'routed_charge', day_from, day_to)
where as_of is not null
union all by name
select charges.route_id, delivery_id, charge_id, 'charge' as kind, (occurred_at at time zone 'UTC')::date as day,
    depot_id, coalesce(charges.carrier_id, known.carrier_id) as carrier_id, driver_id, vehicle_id, service, criticality, area, reason,
    charges.currency, false as handed_over, zone, 0 as stop_share, cents,
    case when charges.kind in ('rehandling', 'contact', 'penalty', 'claim', 'crew_idle') then cents else 0 end as failure_cents,
    cents as own_charge_cents, case when assumed then cents else 0 end as assumed_cents
from lone_charge as charges left join visited_delivery as known using (delivery_id);
