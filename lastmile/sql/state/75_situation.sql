-- One row per instant and delivery of the days asked of which something is left to say: what exception rules look at, each
-- fact only where it was on record at the instant. `instants` is a list, for one look at today or for every quarter of an
-- hour of a past day. The promise is the one given last. Facts older than eight days before the days asked are not looked for.
create or replace macro watched_delivery_at(instants, day_from, day_to) as table
with look as (
    select unnest(instants) as instant
),
concerned as (
    select distinct delivery_id from booking where day between day_from and day_to and recorded_at <= list_max(instants)
),
-- the versions of what was asked, each from when it was known until the next one was
version as (
    select *, window_due + to_microseconds((late_minutes * 60000000)::bigint) as promise_until,
        coalesce(lead(recorded_at) over (partition by delivery_id order by recorded_at, booking_id), 'infinity'::timestamptz) as known_until
    from booking semi join concerned using (delivery_id)
    where import_id is null or import_id not in (select import_id from undone_import)
),
fact as (
    select event_id, delivery_id, type, occurred_at, recorded_at, route_id, reason, lon, lat, payload
    from event semi join concerned using (delivery_id)
    where classifier = 'ACT' and recorded_at <= list_max(instants)
      and occurred_at >= day_from::timestamptz - interval 8 day and occurred_at < day_to::timestamptz + interval 3 day
      and type in ('released_to_warehouse', 'staged', 'loaded', 'arrived', 'delivered', 'partially_delivered', 'attempted',
                   'not_completed', 'refused', 'cancelled', 'returned_to_shipper')
      and (import_id is null or import_id not in (select import_id from undone_import))
      and event_id not in (select corrects from event where corrects is not null and recorded_at <= list_max(instants))
),
-- how each delivery stood after each thing that was told of it
happened as (
    select delivery_id, recorded_at as newest_at,
        coalesce(lead(recorded_at) over (partition by delivery_id order by recorded_at, event_id), 'infinity'::timestamptz) as newer_at,
        min(occurred_at) filter (type = 'released_to_warehouse') over told as released_at,
        min(occurred_at) filter (type = 'staged') over told as staged_at,
        max(occurred_at) filter (type = 'loaded') over told as loaded_at,
        arg_max(route_id, occurred_at) filter (type = 'loaded') over told as loaded_route_id,
        max(occurred_at) filter (type = 'arrived') over told as arrived_at,
        min(occurred_at) filter (is_handover(type)) over told as handed_over_at,
        min(recorded_at) filter (is_handover(type)) over told as handed_over_known_at,
        max(occurred_at) filter (is_failed_try(type)) over told as failed_at,
        arg_max(event_id, occurred_at) filter (is_failed_try(type)) over told as failed_id,
        arg_min(event_id, occurred_at) filter (is_handover(type)) over told as handover_id,
        min(occurred_at) filter (type = 'cancelled') over told as cancelled_at,
        max(occurred_at) filter (type = 'returned_to_shipper') over told as returned_at
    from fact
    window told as (partition by delivery_id order by recorded_at, event_id rows between unbounded preceding and current row)
),
force as (
    select plan_id, depot_id, day as plan_day, approved_at as force_from,
        coalesce(lead(approved_at) over (partition by depot_id, day order by version), 'infinity'::timestamptz) as force_until
    from plan_state(list_max(instants)) where approved_at is not null and day between day_from and day_to
),
planned as (
    select plan_day, force_from, force_until, route.route_id, route.vehicle_id, route.carrier_id as route_carrier_id, stop,
        planned_stop.delivery_id, arrive_at, departs_at
    from planned_stop join force using (plan_id) join route using (plan_id, route_id)
    where arrive_at between day_from::timestamptz - interval 2 day and day_to::timestamptz + interval 3 day
),
run as (
    select route_id,
        min(occurred_at) filter (type = 'departed_depot') as departed_at,
        min(recorded_at) filter (type = 'departed_depot') as departed_known_at,
        min(occurred_at) filter (type = 'vehicle_broke_down') as broke_at,
        min(recorded_at) filter (type = 'vehicle_broke_down') as broke_known_at
    from (
        select route_id, type, occurred_at, recorded_at from event
        where type in ('departed_depot', 'vehicle_broke_down') and classifier = 'ACT' and route_id is not null
          and recorded_at <= list_max(instants)
          and occurred_at >= day_from::timestamptz - interval 1 day and occurred_at < day_to::timestamptz + interval 3 day
          and (import_id is null or import_id not in (select import_id from undone_import))
          and event_id not in (select corrects from event where corrects is not null and recorded_at <= list_max(instants))
    ) group by route_id
),
-- seen at the stop by its van's positions, whatever was scanned
seen as (
    select route_id, delivery_id, min(entered_at) as entered_at, min(entered_known_at) as entered_known_at
    from inferred_visit_state(list_max(instants), day_from, day_to) group by route_id, delivery_id
),
asked as (
    select look.instant, version.* from look join version on version.recorded_at <= look.instant and look.instant < known_until
    where version.day between day_from and day_to
),
at_look as (
    select asked.instant, asked.delivery_id, asked.day, asked.depot_id, asked.carrier_id, asked.service, asked.criticality,
        asked.recipient, asked.site_id, asked.address, asked.lon, asked.lat, asked.penalty, asked.value, asked.currency,
        asked.proof, asked.recorded_at as booked_at, window_from, promise_until, early_minutes, release_due, asked.zone,
        happened.* exclude (delivery_id, newest_at, newer_at),
        planned.route_id, planned.vehicle_id, planned.stop, planned.arrive_at, planned.departs_at,
        greatest(asked.recorded_at, happened.newest_at) as told_at
    from asked left join happened on happened.delivery_id = asked.delivery_id and newest_at <= asked.instant and asked.instant < newer_at
    left join planned on planned.delivery_id = asked.delivery_id and force_from <= asked.instant and asked.instant < force_until
        and plan_day = asked.day
),
-- a failed try is unproven where the van was not seen at the site and nobody was met
tried as (
    select fact.event_id as failed_id, fact.recorded_at as failed_known_at, reason as failed_reason,
        not (type = 'refused' or coalesce((payload ->> 'contact') = 'true', false)
             or coalesce(metres_between(fact.lon, fact.lat, version.lon, version.lat) <= 250, false)) as unproven
    from fact left join (select delivery_id, any_value(lon) as lon, any_value(lat) as lat from version group by delivery_id) as version
        using (delivery_id)
    where is_failed_try(type)
),
handed as (
    select event_id as handover_id, coalesce(try_cast(payload -> 'proof' as varchar[]), []) as proof_given
    from fact where is_handover(type)
),
judged as (
    select at_look.*, failed_known_at, failed_reason, unproven,
        case when departed_known_at <= instant then departed_at end as departed_at,
        case when departed_known_at <= instant then departed_known_at end as departed_known_at,
        case when broke_known_at <= instant then broke_at end as broke_at,
        case when broke_known_at <= instant then broke_known_at end as broke_known_at,
        case when entered_known_at <= instant then entered_at end as seen_at,
        at_look.route_id is null and exists (from force where force.depot_id = at_look.depot_id and plan_day = at_look.day
            and force_from <= instant) as unplanned,
        handed_over_at is not null or cancelled_at is not null or returned_at is not null
            or coalesce(failed_at > booked_at and (departs_at is null or failed_at >= departs_at - interval 6 hour), false) as done,
        coalesce(len(proof) > 0 and not list_has_all(proof_given, proof), false) as proof_missing
    from at_look left join run using (route_id)
    left join seen on seen.route_id = at_look.route_id and seen.delivery_id = at_look.delivery_id
    left join tried using (failed_id) left join handed using (handover_id)
),
reached as (
    select instant, route_id, max(stop) as last_stop from judged where done and cancelled_at is null and route_id is not null
    group by instant, route_id
),
placed as (
    select judged.*, not done and coalesce(stop < last_stop, false) as passed
    from judged left join reached on reached.instant = judged.instant and reached.route_id = judged.route_id
)
select instant, delivery_id, day, depot_id, carrier_id, service, criticality, recipient, address, site_id,
    lon, lat, penalty, value, currency, zone, booked_at, window_from, promise_until, early_minutes, release_due, released_at,
    staged_at, loaded_at, loaded_route_id, arrived_at, handed_over_at, handed_over_known_at, failed_at, failed_known_at,
    failed_reason, if(failed_at is not null and unproven, failed_at, null) as unproven_at,
    if(failed_at is not null and unproven, failed_known_at, null) as unproven_known_at, cancelled_at, returned_at, proof_missing,
    done, passed, route_id, vehicle_id, stop, arrive_at, departs_at, departed_at, departed_known_at, broke_at, broke_known_at,
    seen_at, unplanned, told_at
from placed
where not done or proof_missing or failed_at > booked_at and handed_over_at is null and cancelled_at is null and returned_at is null;

-- One row per instant and route of a plan in force, of the days asked: where its van was and how it stood, as known then.
create or replace macro watched_vehicle_at(instants, day_from, day_to) as table
with look as (
    select unnest(instants) as instant
),
force as (
    select plan_id, depot_id, day, approved_at as force_from,
        coalesce(lead(approved_at) over (partition by depot_id, day order by version), 'infinity'::timestamptz) as force_until
    from plan_state(list_max(instants)) where approved_at is not null and day between day_from and day_to
),
known_shift as (
    select vehicle_id, day, max(ends_at) as shift_ends_at, arg_max(overtime_minutes, recorded_at) as overtime_minutes,
        arg_max(break_from, recorded_at) as break_from, arg_max(break_minutes, recorded_at) as break_minutes
    from shift where day between day_from and day_to and recorded_at <= list_max(instants) group by vehicle_id, day
),
known_depot as (
    from depot qualify row_number() over (partition by depot_id order by recorded_at desc) = 1
),
routes as (
    select look.instant, force.day, force.depot_id, route.route_id, route.vehicle_id, route.carrier_id, departs_at, returns_at,
        known_shift.* exclude (vehicle_id, day), known_depot.lon as depot_lon, known_depot.lat as depot_lat
    from look join force on force_from <= look.instant and look.instant < force_until
    join route on route.plan_id = force.plan_id
    left join known_shift on known_shift.vehicle_id = route.vehicle_id and known_shift.day = force.day
    left join known_depot on known_depot.depot_id = force.depot_id
),
fact as (
    select route_id, vehicle_id, delivery_id, type, occurred_at, recorded_at, lon, lat, accuracy_m, source, payload from event
    where vehicle_id is not null and classifier = 'ACT' and recorded_at <= list_max(instants)
      and type not between 'exception_acknowledged' and 'exception_snoozed'
      and occurred_at >= list_min(instants) - interval 18 hour and occurred_at <= list_max(instants)
      and (import_id is null or import_id not in (select import_id from undone_import))
),
run as (
    select instant, route_id,
        min(occurred_at) filter (type = 'departed_depot') as departed_at,
        min(recorded_at) filter (type = 'departed_depot') as departed_known_at,
        min(occurred_at) filter (type = 'vehicle_broke_down') as broke_at,
        min(recorded_at) filter (type = 'vehicle_broke_down') as broke_known_at,
        max(occurred_at) filter (type = 'returned_to_depot') as back_at,
        arg_max(lon, occurred_at) filter (type in ('departed_depot', 'arrived', 'departed_stop', 'delivered') and lon is not null) as last_lon,
        arg_max(lat, occurred_at) filter (type in ('departed_depot', 'arrived', 'departed_stop', 'delivered') and lon is not null) as last_lat,
        max(occurred_at) filter (delivery_id is not null and type <> 'loaded') as worked_at
    from look join (from fact where route_id is not null and type not in ('position', 'condition_reading')) on recorded_at <= instant
    group by instant, route_id
),
fix as (
    select look.instant, vehicle_id, occurred_at, fact.recorded_at, lon, lat, source
    from look join fact on fact.recorded_at <= look.instant and occurred_at > look.instant - interval 3 hour
    where lon is not null and coalesce(accuracy_m, 0) <= 100
),
latest as (
    select instant, vehicle_id, max(occurred_at) as signal_at, arg_max(lon, occurred_at) as lon, arg_max(lat, occurred_at) as lat,
        arg_max(source, occurred_at) as source, max(recorded_at) as newest_at
    from fix group by instant, vehicle_id
),
stand as (
    select fix.instant, fix.vehicle_id, max(occurred_at) filter (away) as away_at, min(occurred_at) as first_at,
        min(occurred_at) filter (not away) as near_at
    from (
        select fix.*, metres_between(fix.lon, fix.lat, latest.lon, latest.lat) > 150 as away
        from fix join latest on latest.instant = fix.instant and latest.vehicle_id = fix.vehicle_id
    ) as fix group by fix.instant, fix.vehicle_id
),
still as (
    select fix.instant, fix.vehicle_id, min(occurred_at) as still_since
    from fix join stand on stand.instant = fix.instant and stand.vehicle_id = fix.vehicle_id
    where away_at is null or occurred_at > away_at
    group by fix.instant, fix.vehicle_id
),
reading as (
    select instant, vehicle_id, arg_max(try_cast(payload ->> 'celsius' as double), occurred_at) as celsius,
        max(occurred_at) as celsius_at, arg_max(fact.recorded_at, occurred_at) as celsius_known_at
    from look join fact on fact.recorded_at <= look.instant and occurred_at > look.instant - interval 3 hour
    where type = 'condition_reading' group by instant, vehicle_id
)
select routes.*, run.* exclude (instant, route_id), latest.signal_at, latest.lon, latest.lat, latest.source, latest.newest_at,
    still_since, celsius, celsius_at, celsius_known_at
from routes
left join run on run.instant = routes.instant and run.route_id = routes.route_id
left join latest on latest.instant = routes.instant and latest.vehicle_id = routes.vehicle_id
left join still on still.instant = routes.instant and still.vehicle_id = routes.vehicle_id
left join reading on reading.instant = routes.instant and reading.vehicle_id = routes.vehicle_id;

-- One row per source and hour of the day (UTC): the silence that eight days of ten of the fortnight before a day did not
-- exceed at that hour, in minutes. Sources that told on fewer than three of those days have none.
create or replace macro usual_silence(before_day) as table
with told as (
    select distinct source, date_trunc('minute', recorded_at) as told_at from event
    where recorded_at >= before_day::timestamptz - interval 14 day and recorded_at < before_day::timestamptz
      and source <> 'tower' and classifier = 'ACT'
      and (import_id is null or import_id not in (select import_id from undone_import))
),
pause as (
    select source, told_at, lead(told_at, 1, before_day::timestamptz) over (partition by source order by told_at) as next_at from told
),
by_hour as (
    select source, told_at, next_at, unnest(range(date_trunc('hour', told_at), next_at, interval 1 hour)) as in_hour from pause
),
worst as (
    select source, in_hour::date as day, hour(in_hour) as hour_of_day, max(minutes_between(told_at, next_at)) as minutes
    from by_hour group by all
)
select source, hour_of_day, quantile_cont(minutes, 0.8) as usual_minutes
from worst group by source, hour_of_day having count(distinct day) >= 3;

-- One row per instant and source: when it was last heard of, as known then, within the two days before.
create or replace macro heard_at(instants) as table
select instant, source, max(told_at) as heard_at
from (select unnest(instants) as instant) as look join (
    select source, date_trunc('minute', recorded_at) as told_minute, max(recorded_at) as told_at from event
    where recorded_at > list_min(instants) - interval 2 day and recorded_at <= list_max(instants) and source <> 'tower'
      and (import_id is null or import_id not in (select import_id from undone_import))
    group by all
) on told_at <= instant
group by instant, source;

-- One row per site of the days asked that earlier days teach something about: handovers there, how far off its place they
-- were in metres (median), and tries that failed for its address.
create or replace macro taught_site(day_from, day_to) as table
select site_id, count(handed_over_at) as handovers, median(handover_distance_m) as off_m,
    count(*) filter (failed_tries > 0 and reason in ('address_wrong_or_incomplete', 'cannot_locate')) as address_failures
from delivery
where site_id in (select site_id from booking where day between day_from and day_to)
  and coalesce(handed_over_at, last_failed_at) < day_from::timestamptz
group by site_id;
