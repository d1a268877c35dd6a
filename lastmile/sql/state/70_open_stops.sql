-- One row per instant and delivery on the plan in force then that was still to be reached or is being served, with what
-- was known of its van at that instant: what an arrival is predicted from. `instants` is a list; the same rows are made for
-- one instant of today and for every quarter of an hour of past weeks. Nothing recorded after an instant goes into its rows,
-- but for what a place's coordinates are. `visited_at` are arrivals at stops, told or inferred from positions.
create or replace macro open_stops_at(instants, day_from, day_to) as table
with force as (
    select plan_id, depot_id, day, version, approved_at as force_from,
        lead(approved_at) over (partition by depot_id, day order by version) as force_until
    from plan_state(list_max(instants)) where approved_at is not null and day between day_from and day_to
),
fact as (
    select route_id, delivery_id, type, occurred_at, recorded_at from event
    where type in ('departed_depot', 'arrived', 'delivered', 'partially_delivered', 'attempted', 'not_completed', 'refused',
                   'departed_stop', 'returned_to_depot', 'vehicle_broke_down')
      and route_id is not null and classifier = 'ACT' and recorded_at <= list_max(instants)
      and occurred_at >= day_from::timestamptz - interval 1 day and occurred_at < day_to::timestamptz + interval 2 day
      and (import_id is null or import_id not in (select import_id from undone_import))
      and event_id not in (select corrects from event where corrects is not null and recorded_at <= list_max(instants))
),
scanned as (
    select route_id, delivery_id,
        min(occurred_at) filter (type = 'arrived') as arrived_at, min(recorded_at) filter (type = 'arrived') as arrived_known_at,
        min(occurred_at) filter (is_handover(type) or is_failed_try(type)) as outcome_at,
        min(recorded_at) filter (is_handover(type) or is_failed_try(type)) as outcome_known_at,
        min(occurred_at) filter (type = 'departed_stop') as departed_at,
        min(recorded_at) filter (type = 'departed_stop') as departed_known_at
    from fact where delivery_id is not null group by route_id, delivery_id
),
run as (
    select route_id, min(occurred_at) filter (type = 'departed_depot') as out_at,
        min(recorded_at) filter (type = 'departed_depot') as out_known_at,
        max(occurred_at) filter (type = 'returned_to_depot') as back_at,
        max(recorded_at) filter (type = 'returned_to_depot') as back_known_at,
        min(occurred_at) filter (type = 'vehicle_broke_down') as broke_at,
        min(recorded_at) filter (type = 'vehicle_broke_down') as broke_known_at
    from fact group by route_id
),
known_shift as (
    select vehicle_id, day, max(ends_at) as shift_ends_at, arg_max(break_from, recorded_at) as break_from,
        arg_max(break_minutes, recorded_at) as break_minutes
    from shift where day between day_from and day_to and recorded_at <= list_max(instants) group by vehicle_id, day
),
promised as (
    select delivery_id, service, area, site_id, lon, lat, zone, cancelled_at from delivery where day between day_from - 4 and day_to + 1
),
-- the versions of a promise, each from when it was known until the next one was
promise as (
    select delivery_id, window_from, window_semantics, window_due + to_microseconds((late_minutes * 60000000)::bigint) as promise_until,
        recorded_at as promised_from,
        coalesce(lead(recorded_at) over (partition by delivery_id order by recorded_at, booking_id), 'infinity'::timestamptz) as promised_until
    from booking where day between day_from - 4 and day_to + 8
      and (import_id is null or import_id not in (select import_id from undone_import))
),
planned as (
    select force.plan_id, force.day, force.depot_id, force.version, force_from, coalesce(force_until, 'infinity'::timestamptz) as force_until,
        route.route_id, route.vehicle_id, coalesce(route.driver_id, route.vehicle_id) as driver_id, route.departs_at, route.returns_at,
        planned_stop.stop, planned_stop.delivery_id, planned_stop.arrive_at, planned_stop.service_at, planned_stop.depart_at,
        -- what lies between two stops beyond driving is a break
        greatest(0.0, minutes_between(coalesce(lag(planned_stop.depart_at) over ordered, route.departs_at), planned_stop.arrive_at)) as gap_minutes,
        planned_stop.drive_minutes,
        promised.* exclude (delivery_id),
        scanned.* exclude (route_id, delivery_id), seen.entered_at, seen.entered_known_at, seen.left_at as seen_left_at, seen.left_known_at,
        run.* exclude (route_id), shift_ends_at, break_from, break_minutes
    from planned_stop join force using (plan_id) join route using (plan_id, route_id)
    left join promised using (delivery_id)
    left join scanned on scanned.route_id = planned_stop.route_id and scanned.delivery_id = planned_stop.delivery_id
    left join inferred_visit_state(list_max(instants), day_from, day_to) as seen
        on seen.route_id = planned_stop.route_id and seen.delivery_id = planned_stop.delivery_id
    left join run on run.route_id = planned_stop.route_id
    left join known_shift on known_shift.vehicle_id = route.vehicle_id and known_shift.day = force.day
    where planned_stop.arrive_at between day_from::timestamptz - interval 2 day and day_to::timestamptz + interval 3 day
    window ordered as (partition by force.plan_id, route.route_id order by planned_stop.stop, arrive_at, planned_stop.delivery_id)
),
at_instant as materialized (
    select instant, planned.*, window_from, window_semantics, promise_until,
        outcome_known_at <= instant as done,
        coalesce(cancelled_at <= instant, false) as called_off,
        case when arrived_known_at <= instant then arrived_at when entered_known_at <= instant then entered_at
             when outcome_known_at <= instant then outcome_at end as visited_at,
        not coalesce(arrived_known_at <= instant, false) and not coalesce(outcome_known_at <= instant, false)
            and coalesce(entered_known_at <= instant, false) as visit_inferred,
        case when departed_known_at <= instant then departed_at
             when outcome_known_at <= instant then outcome_at
             when left_known_at <= instant then seen_left_at end as free_at,
        case when out_known_at <= instant then out_at end as left_depot_at
    -- by service day first: comparing all stops with all instants would grow with the square of the days
    from planned join (
        select instant, unnest([instant::date - 1, instant::date, instant::date + 1]) as asked_day
        from (select unnest(instants) as instant)
    ) as asked on asked_day = planned.day and instant >= force_from and instant < force_until
        and instant between departs_at - interval 2 hour and greatest(returns_at, departs_at) + interval 4 hour
    left join promise on promise.delivery_id = planned.delivery_id and promised_from <= instant and instant < promised_until
    where not coalesce(back_known_at <= instant and back_at > coalesce(out_at, back_at - interval 1 minute) and returns_at < instant, false)
      and not coalesce(broke_known_at <= instant, false)
),
-- a van that seems to have left more than three stops out is near a later one by chance
plausible as (
    select * replace (if(by_chance, null, visited_at) as visited_at, visit_inferred and not by_chance as visit_inferred,
                      if(by_chance, null, free_at) as free_at)
    from (
        select *, visit_inferred and count(*) over before - count(visited_at) over before > 3 as by_chance from at_instant
        window before as (partition by plan_id, route_id, instant order by stop, arrive_at, delivery_id
            rows between unbounded preceding and 1 preceding)
    )
),
route_known as (
    select *,
        max(stop) filter (visited_at is not null) over by_route as last_stop,
        max(free_at) over by_route as last_free_at,
        -- behind its plan at the stop it left last, or at its departure
        coalesce(arg_max(minutes_between(depart_at, free_at), free_at) over by_route,
            minutes_between(departs_at, left_depot_at), greatest(0, minutes_between(departs_at, instant))) as delay_minutes
    from plausible
    window by_route as (partition by plan_id, route_id, instant)
),
-- the legs that the day's vans have driven by then, beside their planned minutes: how the day goes so far
paced as (
    select *,
        sum(leg_minutes) over of_day as day_leg_minutes, sum(if(leg_minutes is null, null, drive_minutes)) over of_day as day_leg_planned,
        count(leg_minutes) over of_day as day_legs
    from (
        select *, case when leg > 0 and leg < 2.5 * drive_minutes + 5 then leg end as leg_minutes
        from (
            select *, case when not visit_inferred and gap_minutes - drive_minutes < 1 and drive_minutes > 0
                           then minutes_between(lag(free_at) over in_order, visited_at) end as leg
            from route_known
            window in_order as (partition by plan_id, route_id, instant order by stop, arrive_at, delivery_id)
        )
    )
    window of_day as (partition by instant, day)
),
before_last as materialized (
    select *, max(case when free_at < last_free_at then free_at end) over (partition by plan_id, route_id, instant) as prior_free_at
    from paced
),
remaining as (
    select *,
        -- being served: come, and not yet gone
        not coalesce(done, false) and visited_at is not null and free_at is null and visited_at >= coalesce(last_free_at, visited_at) as serving
    from before_last
    where not coalesce(done, false) and not called_off and free_at is null
      and stop >= coalesce(last_stop, stop)
),
heard as (
    -- only fixes that were news when they came
    select vehicle_id, occurred_at as fix_at, recorded_at as fix_known_at, lon as fix_lon, lat as fix_lat
    from position_state(list_max(instants), day_from, day_to) where verdict = 'kept'
    qualify occurred_at >= max(occurred_at) over (partition by vehicle_id order by recorded_at, occurred_at rows between unbounded preceding and current row)
)
select remaining.* exclude (arrived_known_at, outcome_known_at, departed_known_at, entered_at, entered_known_at, seen_left_at,
        left_known_at, out_at, out_known_at, back_at, back_known_at, broke_at, broke_known_at, force_from, force_until, called_off,
        done, free_at, by_chance, leg, leg_minutes, cancelled_at, arrived_at, outcome_at, departed_at, zone),
    date_diff('minute', timezone('UTC', instant), timezone(coalesce(zone, 'UTC'), instant)) as utc_offset_minutes,
    fix_at, fix_lon, fix_lat,
    -- what came of it, as is known by the last of the instants: for learning and judging only
    arrived_at as came_at, out_at as went_out_at
from remaining
asof left join heard on heard.vehicle_id = remaining.vehicle_id and heard.fix_known_at <= remaining.instant;

-- One row per visit about the days asked that its plan foresaw: what its leg and its service took, beside what was planned.
-- `leg_minutes` only where the stop before it on the plan was the one before it on the road, and no break was planned between.
create or replace macro learned_stop(known_at, day_from, day_to) as table
with visited as (
    select route_id, delivery_id, arrived_at, arrival_scanned, service_started_at, left_at,
        lag(delivery_id) over ordered as prior_delivery_id, lag(left_at) over ordered as prior_left_at
    from visits_at(known_at, day_from, day_to)
    window ordered as (partition by route_id order by outcome_at)
),
in_force as (
    select plan_id, day, depot_id from plan_state(coalesce(known_at, 'infinity'::timestamptz)) where in_force and day between day_from and day_to
),
planned as (
    select route.route_id, in_force.day, planned_stop.delivery_id, arrive_at, service_at, depart_at, planned_stop.drive_minutes,
        coalesce(route.driver_id, route.vehicle_id) as driver_id,
        lag(planned_stop.delivery_id) over ordered as planned_prior_id,
        minutes_between(lag(depart_at) over ordered, arrive_at) as gap_minutes
    from planned_stop join route using (plan_id, route_id) join in_force using (plan_id)
    where arrive_at between day_from::timestamptz - interval 2 day and day_to::timestamptz + interval 3 day
    window ordered as (partition by plan_id, route.route_id order by stop, arrive_at, planned_stop.delivery_id)
)
select planned.day, planned.route_id, planned.delivery_id, planned.driver_id, service, area, site_id,
    -- an hour of the day on the clocks of the depot
    hour(timezone(coalesce(zone, 'UTC'), prior_left_at)) as leave_hour,
    case when prior_delivery_id = planned_prior_id and arrival_scanned and gap_minutes - coalesce(drive_minutes, gap_minutes) < 1
         then minutes_between(prior_left_at, visited.arrived_at) end as leg_minutes,
    coalesce(drive_minutes, gap_minutes) as planned_leg_minutes,
    minutes_between(coalesce(visited.service_started_at, visited.arrived_at), left_at) as service_minutes,
    minutes_between(service_at, depart_at) as planned_service_minutes,
    case when visited.arrived_at < window_from - interval 5 minute then minutes_between(visited.service_started_at, window_from) end as early_start_minutes,
    metres_between(delivery.lon, delivery.lat, lag(delivery.lon) over by_plan, lag(delivery.lat) over by_plan) / 1000 as straight_km
from planned join visited using (route_id, delivery_id) join delivery using (delivery_id)
window by_plan as (partition by planned.route_id order by planned.arrive_at, planned.delivery_id);
