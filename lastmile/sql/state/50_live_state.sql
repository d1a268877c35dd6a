-- One row per delivery of a day, on the plan in force or on none, as it stands at `instant`: executed, or expected from
-- the plan and the present delay of its route. `as_of` null reads the present, else what was known then. The window is
-- the one that was promised last: what a dispatcher can still keep. KPIs judge by the first promise.
create or replace macro stop_state(instant, as_of, for_day) as table
with in_force as (
    select plan_id, version, approved_at from plan_state(coalesce(as_of, 'infinity'::timestamptz))
    where in_force and day = for_day
),
planned as (
    select planned_stop.*, in_force.version, in_force.approved_at, route.depot_id as route_depot_id, route.vehicle_id as route_vehicle_id,
        route.driver_id as route_driver_id, route.carrier_id as route_carrier_id, route.departs_at, route.returns_at
    from planned_stop join route using (plan_id, route_id) join in_force using (plan_id)
    -- not needed for the answer: lets the scan skip what other days planned
    where arrive_at between for_day::timestamptz - interval 2 day and for_day::timestamptz + interval 3 day
),
-- as known then, only the deliveries of the day and those on its plans are put together, not all of the days around it
concerned as (
    select delivery_id from planned where as_of is not null
    union
    select delivery_id from booking where as_of is not null and day = for_day
),
concerned_booking as (
    from booking semi join concerned using (delivery_id)
),
concerned_event as (
    from event semi join concerned using (delivery_id)
    union all by name
    from event where corrects is not null and delivery_id is null
),
known_delivery as (
    select * from delivery where as_of is null and day between for_day - 3 and for_day + 1
    union all by name
    select * from delivery_state(as_of, 'concerned_event', 'concerned_booking', for_day - 3, for_day + 1) where as_of is not null
),
happened as (
    select delivery_id, day, depot_id as booked_depot_id, vehicle_id as actual_vehicle_id, state, resolved,
        revised_timeliness as timeliness, handed_over_at, last_failed_at, cancelled_at, loaded_at, arrived_at,
        departed_stop_at, recipient, address, area, site_id, service, criticality, carrier_id, attempts,
        case when revised_due is null then window_from else revised_from end as window_from,
        coalesce(revised_due, window_due) as window_due, revised_due is not null as revised, window_semantics,
        early_minutes, late_minutes, lon, lat, penalty, currency, reason, weight_kg
    from known_delivery
),
joined as (
    select planned.* exclude (delivery_id), happened.* exclude (delivery_id),
        coalesce(planned.delivery_id, happened.delivery_id) as delivery_id,
        runs.departed_at, runs.returned_at, runs.broke_down_at,
        -- the try that belongs to today's plan: an outcome from the planned departure on
        coalesce(handed_over_at, last_failed_at, cancelled_at) as outcome_at,
        coalesce(resolved, false) and (departs_at is null
            or coalesce(handed_over_at, last_failed_at, cancelled_at, returns_at) >= departs_at - interval 6 hour) as done,
        done and state <> 'cancelled' as visited
    from planned
    full join happened using (delivery_id)
    left join routes_at(as_of, for_day, for_day) as runs on runs.route_id = planned.route_id
    where planned.plan_id is not null or (happened.day = for_day and happened.state <> 'cancelled')
),
-- how far a route lies behind its plan: at the last stop finished since the plan came into force, else at its departure;
-- a re-optimized plan is timed from where the vans were, so that at first nothing lies behind it
delay as (
    select route_id,
        coalesce(
            arg_max(minutes_between(depart_at, greatest(coalesce(departed_stop_at, outcome_at), outcome_at)), outcome_at)
                filter (visited and (version = 1 or outcome_at >= approved_at)),
            any_value(case when version > 1 and departed_at is not null then 0
                           when departed_at is not null then minutes_between(departs_at, departed_at)
                           else greatest(0, minutes_between(departs_at, instant)) end)
        ) as delay_minutes
    from joined group by route_id
),
progress as (
    select *, max(stop) filter (visited) over (partition by route_id) as last_visited from joined
),
waits as (
    select progress.*, delay_minutes,
        -- the van has finished a later stop: what this one lacks is a scan, or it was left out
        not done and coalesce(stop < last_visited, false) as passed,
        coalesce(sum(case when not done and not coalesce(stop < last_visited, false)
                     then greatest(0, minutes_between(arrive_at, service_at)) else 0 end)
            over (partition by route_id order by stop, delivery_id rows between unbounded preceding and 1 preceding), 0) as waited_before
    from progress left join delay using (route_id)
),
expected as (
    select *,
        case when not done and not passed and broke_down_at is null and plan_id is not null
             then arrive_at + to_microseconds((60000000 *
                 (case when delay_minutes > 0 then greatest(0, delay_minutes - waited_before) else delay_minutes end))::bigint)
        end as expected_at
    from waits
),
reached as (
    -- what should have been reached and has no scan may be reached now at the earliest
    select *, case when expected_at is not null then greatest(instant, expected_at) end as eta_at,
        case when expected_at < instant then minutes_between(expected_at, instant) else 0 end as unscanned_minutes
    from expected
),
anchored as (
    select *,
        case window_semantics
            when 'arrival' then eta_at
            when 'service_end' then greatest(eta_at, window_from) + (depart_at - service_at)
            else greatest(eta_at, coalesce(window_from, eta_at)) end as expected_anchor_at,
        window_due + to_microseconds((late_minutes * 60000000)::bigint) as promise_until
    from reached
)
select delivery_id, plan_id, route_id, stop, coalesce(route_vehicle_id, actual_vehicle_id) as vehicle_id,
    route_driver_id as driver_id, coalesce(route_depot_id, booked_depot_id) as depot_id, coalesce(carrier_id, route_carrier_id) as carrier_id,
    service, criticality, recipient, address, area, site_id, lon, lat, weight_kg,
    state, done, reason, arrive_at, service_at, depart_at, outcome_at, eta_at, expected_anchor_at, unscanned_minutes, passed, delay_minutes,
    window_from, window_due, revised, attempts, window_semantics, late_minutes, penalty, currency, departed_at, broke_down_at, loaded_at,
    case when state = 'cancelled' then 'idle'
         when done and timeliness in ('on_time', 'early') then 'on time'
         when done and timeliness in ('late', 'failed') then 'late'
         when window_due is null then 'unknown'
         when done or passed then 'unknown'
         when instant > promise_until then 'late'
         when broke_down_at is not null then 'at risk'
         when eta_at is null then 'unknown'
         -- five minutes of slack are less than the error of any ETA
         when expected_anchor_at > promise_until - interval 5 minute then 'at risk'
         else 'on time' end as status,
    case when done and timeliness in ('late') then minutes_between(window_due, outcome_at)
         when not done then minutes_between(window_due, greatest(expected_anchor_at, instant)) end as minutes_over
from anchored;

-- One row per vehicle with a route on the plan in force of a day: where it is, how far it has come, how late it is.
create or replace macro vehicle_state(instant, as_of, for_day) as table
with stops as (
    from stop_state(instant, as_of, for_day)
),
progress as (
    select route_id, any_value(plan_id) as plan_id, any_value(vehicle_id) as vehicle_id, any_value(driver_id) as driver_id,
        any_value(depot_id) as depot_id, any_value(carrier_id) as carrier_id, any_value(departed_at) as departed_at,
        any_value(broke_down_at) as broke_down_at,
        count(*) as deliveries, count(*) filter (done) as deliveries_done, any_value(delay_minutes) as delay_minutes,
        count(*) filter (not done and status = 'late') as open_late,
        count(*) filter (not done and status = 'at risk') as open_at_risk,
        count(*) filter (passed) as deliveries_passed,
        arg_min(delivery_id, stop) filter (not done and not passed) as next_delivery_id,
        arg_min(recipient, stop) filter (not done and not passed) as next_recipient,
        arg_min(eta_at, stop) filter (not done and not passed) as next_eta_at,
        arg_min(window_due, stop) filter (not done and not passed) as next_due_at
    from stops where plan_id is not null group by route_id
),
-- any scan with a place tells where the van was, as good as a position does
signal as (
    select vehicle_id, arg_max(lon, occurred_at) as lon, arg_max(lat, occurred_at) as lat,
        max(occurred_at) as signal_at
    from event
    where vehicle_id is not null and lon is not null
      and occurred_at between instant - interval 18 hour and instant and recorded_at <= instant
      and (import_id is null or import_id not in (select import_id from undone_import))
    group by vehicle_id
),
known_vehicle as (
    from vehicle qualify row_number() over (partition by vehicle_id order by recorded_at desc) = 1
),
known_depot as (
    from depot qualify row_number() over (partition by depot_id order by recorded_at desc) = 1
)
select progress.*, known_vehicle.name as vehicle, known_vehicle.kind, known_vehicle.capacity_kg,
    route.departs_at, route.returns_at, runs.returned_at,
    coalesce(signal.lon, known_depot.lon) as lon, coalesce(signal.lat, known_depot.lat) as lat, signal_at,
    minutes_between(signal_at, instant) as signal_age_minutes,
    case when runs.returned_at is not null or progress.departed_at is null and instant < route.departs_at then 'idle'
         when progress.broke_down_at is not null then 'late'
         when progress.departed_at is not null and coalesce(minutes_between(signal_at, instant), 999) > 20 then 'unknown'
         when open_late > 0 then 'late'
         when open_at_risk > 0 then 'at risk'
         when deliveries = deliveries_done then 'idle'
         else 'on time' end as status
from progress
join route using (plan_id, route_id)
left join known_vehicle on known_vehicle.vehicle_id = progress.vehicle_id
left join known_depot on known_depot.depot_id = progress.depot_id
left join signal on signal.vehicle_id = progress.vehicle_id
left join routes_at(as_of, for_day, for_day) as runs on runs.route_id = progress.route_id;
