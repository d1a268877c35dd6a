-- One row per re-optimization that was approved for the days asked: the instant that it looked at (`from_at`), when the
-- next one looked (`until_at`, null for the last of its day), what was predicted for the rest of the day by the plan in
-- force until then (`_before`) and by itself, and what the next one said that the rest would cost if this one stayed
-- (`rest_`). Money by the terms that were kept with the plan.
create or replace macro replan_window(as_of, day_from, day_to) as table
with approved as (
    select plan_id, depot_id, day, version, recorded_at as from_at, approved_at, made_by, decided_by, why, engine, currency, cost,
        distance_km, late_minutes, promises_broken, summary,
        (summary ->> 'cost_before')::double as cost_before,
        (summary ->> 'distance_km_before')::double as distance_km_before,
        (summary ->> 'late_minutes_before')::double as late_minutes_before,
        (summary ->> 'promises_broken_before')::double as promises_broken_before,
        (summary ->> 'stops_moved')::bigint as stops_moved,
        json_array_length(summary -> 'covered') as stops
    from plan_state(coalesce(as_of, 'infinity'::timestamptz))
    where approved_at is not null and (day_from is null or day >= day_from) and (day_to is null or day <= day_to)
),
followed as (
    select *, lead(from_at) over later as until_at, lead(cost_before) over later as rest_cost,
        lead(distance_km_before) over later as rest_km, lead(late_minutes_before) over later as rest_late_minutes,
        lead(promises_broken_before) over later as rest_promises_broken,
        lead(summary -> 'cost_parts_before') over later as rest_parts
    from approved window later as (partition by depot_id, day order by version)
)
from followed where cost_before is not null and stops is not null;

-- One row per stop that an approved re-optimization covered, with what came of it: kept, late, failed (tried in time, not
-- handed over), untried, unknown (a van was there, and no scan says what came of it), cancelled, or replanned (the next one
-- covers it, or it was open when that looked). A stop that was served before the plan looked, and whose scan came in later,
-- is judged like any other: the plan counted on it. `late_minutes` and money as they came true; the promise is the one that
-- the plan was judged by.
create or replace macro replan_stop(as_of, day_from, day_to) as table
with windows as (
    from replan_window(as_of, day_from, day_to)
),
covered as (
    select plan_id, depot_id, day, version, from_at, until_at,
        unnest(from_json(summary -> 'covered', '[{"stop_id": "VARCHAR", "deliveries": ["VARCHAR"], "until": "DOUBLE",
            "late_price": "DOUBLE", "failing": "DOUBLE", "need_by": "DOUBLE", "crew_price": "DOUBLE",
            "late_minutes": "DOUBLE"}]'), recursive := true)
    from windows
),
promised as (
    select *, lead(plan_id) over (partition by depot_id, day, delivery_id order by version) is not null as covered_again
    from (
        select * exclude (deliveries, until, need_by, late_minutes), unnest(deliveries) as delivery_id,
            to_timestamp(until) as promised_until, to_timestamp(need_by) as need_by, late_minutes as predicted_late_minutes
        from covered
    )
),
-- the routes of the plan, by which a try of the same day is told from one of an earlier day
of_plan as (
    select plan_id, route_id from route where plan_id in (select plan_id from windows)
),
visit as (
    from visits_at(as_of, day_from, day_to)
),
known as (
    select delivery_id, state, window_semantics, recipient
    from deliveries_at(as_of, (day_from - interval 30 day)::date, (day_to + interval 7 day)::date)
),
-- the first try after the instant that the plan looked at, else one before it that nobody had heard of by then
attempt as (
    select promised.plan_id, promised.delivery_id, visit.route_id, outcome_at, handed_over, arrived_at,
        coalesce(service_started_at, arrived_at) as served_at,
        case when outcome_at < from_at then outcome_at + interval 2 day else outcome_at end as turn
    from promised
    join visit on visit.delivery_id = promised.delivery_id and outcome_at < from_at + interval 20 hour
    left join of_plan on of_plan.plan_id = promised.plan_id and of_plan.route_id = visit.route_id
    where outcome_at >= from_at or of_plan.route_id is not null
),
tried as (
    select plan_id, delivery_id, arg_min(route_id, turn) as route_id, arg_min(outcome_at, turn) as outcome_at,
        arg_min(handed_over, turn) as handed_over, arg_min(arrived_at, turn) as arrived_at, arg_min(served_at, turn) as served_at
    from attempt group by plan_id, delivery_id
),
-- a van of the plan was there, as its scans say
seen as (
    select distinct of_plan.plan_id, event.delivery_id from event join of_plan using (route_id)
    where type in ('arrived', 'departed_stop') and classifier = 'ACT' and delivery_id is not null
      and recorded_at <= coalesce(as_of, 'infinity'::timestamptz)
      and (import_id is null or import_id not in (select import_id from undone_import))
),
each as (
    select promised.*, tried.route_id, outcome_at, coalesce(handed_over, false) as handed_over, served_at, state, recipient,
        case window_semantics when 'arrival' then arrived_at when 'service_end' then outcome_at else served_at end as anchor_at,
        tried.delivery_id is not null or seen.delivery_id is not null as was_there
    from promised
    left join tried using (plan_id, delivery_id)
    left join seen using (plan_id, delivery_id)
    left join known using (delivery_id)
),
stop as (
    select plan_id, stop_id, any_value(depot_id) as depot_id, any_value(day) as day, any_value(from_at) as from_at,
        any_value(until_at) as until_at, any_value(route_id) as route_id, any_value(recipient) as recipient,
        list_sort(list(delivery_id)) as delivery_ids, any_value(promised_until) as promised_until,
        any_value(predicted_late_minutes) as predicted_late_minutes, any_value(late_price) as late_price,
        any_value(failing) as failing, any_value(need_by) as need_by, any_value(crew_price) as crew_price,
        max(outcome_at) as outcome_at, min(served_at) as served_at, bool_and(outcome_at is not null) as visited,
        bool_and(handed_over) as handed_over, bool_and(state = 'cancelled') as cancelled, bool_and(was_there) as was_there,
        bool_or(covered_again) as covered_again,
        coalesce(greatest(0, max(minutes_between(promised_until, anchor_at))), 0) as minutes_late
    from each group by plan_id, stop_id
),
judged as (
    select *,
        case when covered_again then 'replanned'
             when visited and (until_at is null or outcome_at < until_at)
                 then case when minutes_late > 0 then 'late' when handed_over then 'kept' else 'failed' end
             when until_at is not null then 'replanned'
             when cancelled then 'cancelled'
             when was_there then 'unknown'
             else 'untried' end as outcome
    from stop
)
select plan_id, stop_id, depot_id, day, recipient, delivery_ids, route_id, promised_until, served_at, outcome_at, outcome,
    predicted_late_minutes,
    case when outcome in ('kept', 'late', 'failed') then minutes_late end as late_minutes,
    case when outcome in ('kept', 'late', 'failed') then minutes_late * coalesce(late_price, 0) else 0 end as lateness_cost,
    case when outcome in ('kept', 'late', 'failed')
         then coalesce(greatest(0, minutes_between(need_by, served_at)), 0) * coalesce(crew_price, 0) else 0 end as crew_cost,
    case when outcome = 'untried' then failing else 0 end as failing_cost
from judged;

-- One row per vehicle that an approved re-optimization counted on and that drove in its time: what it cost from the
-- instant that the plan looked at (or its own departure) until the next one looked (or its return), by its rate card.
-- Kilometres are the driven ones by the share of the crow-fly legs in that time; without a return, those legs × 1.35.
create or replace macro replan_route(as_of, day_from, day_to) as table
with windows as (
    from replan_window(as_of, day_from, day_to)
),
run as (
    select windows.plan_id, windows.depot_id, windows.day, windows.from_at, windows.until_at, route.route_id, route.vehicle_id,
        route.carrier_id, runs.departed_at, runs.returned_at, runs.last_event_at, runs.driven_km,
        greatest(windows.from_at, runs.departed_at) as paid_from,
        greatest(windows.from_at, runs.departed_at, least(coalesce(until_at, 'infinity'::timestamptz),
            coalesce(returned_at, last_event_at))) as paid_to
    from windows
    join route using (plan_id)
    join routes_at(as_of, day_from, day_to) as runs using (route_id)
    where runs.departed_at is not null and runs.departed_at < coalesce(until_at, 'infinity'::timestamptz)
      and (returned_at is null or returned_at > windows.from_at)
      and list_contains(from_json(windows.summary -> 'vehicles', '["VARCHAR"]'), route.vehicle_id)
),
placed as (
    select route_id, occurred_at, lon, lat, lead(occurred_at) over driven as next_at, lead(lon) over driven as next_lon,
        lead(lat) over driven as next_lat
    from event
    where route_id in (select route_id from run) and lon is not null and classifier = 'ACT'
      and type in ('departed_depot', 'arrived', 'departed_stop', 'returned_to_depot')
      and recorded_at <= coalesce(as_of, 'infinity'::timestamptz)
      and (import_id is null or import_id not in (select import_id from undone_import))
    window driven as (partition by route_id order by occurred_at, type)
),
leg as (
    select route_id, occurred_at, next_at, metres_between(lon, lat, next_lon, next_lat) as metres from placed where next_at is not null
),
length as (
    select plan_id, run.route_id, sum(metres) as whole_metres,
        sum(metres * greatest(0, minutes_between(greatest(occurred_at, from_at), least(next_at, coalesce(until_at, next_at))))
            / greatest(minutes_between(occurred_at, next_at), 1e-6)) as metres
    from run join leg using (route_id) group by plan_id, run.route_id
),
visited as (
    select run.plan_id, run.route_id, count(distinct coalesce(planned_stop.stop::varchar, visit.delivery_id)) as stops
    from run
    join visits_at(as_of, day_from, day_to) as visit
        on visit.route_id = run.route_id and outcome_at >= from_at and outcome_at < coalesce(until_at, 'infinity'::timestamptz)
    left join planned_stop on planned_stop.plan_id = run.plan_id and planned_stop.route_id = run.route_id
        and planned_stop.delivery_id = visit.delivery_id
    group by run.plan_id, run.route_id
),
visited_in_all as (
    select route_id, count(*) as stops from visits_at(as_of, day_from, day_to)
    where route_id in (select route_id from run) group by route_id
),
card as (
    from rate_card where import_id is null or import_id not in (select import_id from undone_import)
    qualify row_number() over (partition by carrier_id, valid_from order by recorded_at desc) = 1
),
working as (
    from shift where import_id is null or import_id not in (select import_id from undone_import)
    qualify row_number() over (partition by vehicle_id, day order by recorded_at desc, shift_id) = 1
),
priced as (
    select run.*, card.* exclude (carrier_id, recorded_at, valid_from, currency, import_id),
        minutes_between(paid_from, paid_to) as paid_minutes,
        coalesce(greatest(0, minutes_between(greatest(working.ends_at, paid_from), paid_to)), 0) as overtime_minutes,
        case when driven_km is null then 1.35 * metres / 1000 else driven_km * metres / nullif(whole_metres, 0) end as km,
        coalesce(driven_km, 1.35 * whole_metres / 1000) as whole_km,
        driven_km is null as km_estimated, coalesce(visited.stops, 0) as stops, coalesce(visited_in_all.stops, 0) as whole_stops
    from run
    left join working on working.vehicle_id = run.vehicle_id and working.day = run.day
    left join card on card.carrier_id = run.carrier_id and card.valid_from <= run.day
    left join length using (plan_id, route_id)
    left join visited on visited.plan_id = run.plan_id and visited.route_id = run.route_id
    left join visited_in_all on visited_in_all.route_id = run.route_id
    qualify row_number() over (partition by run.plan_id, run.route_id order by card.valid_from desc nulls last) = 1
)
select plan_id, route_id, vehicle_id, depot_id, day, departed_at, returned_at, paid_from, paid_to, paid_minutes, overtime_minutes, km,
    km_estimated, stops,
    case when departed_at >= from_at then per_day else 0 end
        + per_hour * (paid_minutes - overtime_minutes) / 60 + per_overtime_hour * overtime_minutes / 60
        + per_km * coalesce(km, 0) + per_stop * stops
        -- what the whole route lacks of its minimum is owed at its end
        + case when until_at is null then greatest(0, minimum_per_route - per_day
            - per_hour * minutes_between(departed_at, paid_to) / 60 - per_km * coalesce(whole_km, 0) - per_stop * whole_stops)
          else 0 end as cost
from priced;

-- One part of the money that was kept with a plan, by its name; 0 where it is not told.
create or replace macro cost_of_part(parts, name) as coalesce((parts ->> name)::double, 0);

-- One row per approved re-optimization with what came true. plan_gain = before − predicted; execution_loss = (what the rest
-- of the day came to) − predicted; saving = plan_gain − execution_loss. Where another one followed, what the rest came to is
-- what was spent until then and what the rest was expected to cost then (an estimate). Predicted and came to are told by what
-- is paid for, too: lateness, waiting crews, stops not served, and all else as driving (vehicles, drivers, km, stops). Not `whole` while vans are out or
-- stops are open on `today`: then what came true counts what is known so far, and money has no verdict (null).
create or replace macro replan_result(as_of, day_from, day_to, today) as table
with came as (
    select plan_id, count(*) as stops_covered, count(*) filter (outcome in ('kept', 'late', 'failed')) as stops_visited,
        count(*) filter (outcome = 'kept') as kept, count(*) filter (outcome = 'late') as late,
        count(*) filter (outcome = 'failed') as failed, count(*) filter (outcome = 'untried') as untried,
        count(*) filter (outcome = 'cancelled') as cancelled, count(*) filter (outcome = 'unknown') as unknown, count(*) filter (outcome = 'replanned') as replanned,
        coalesce(sum(late_minutes), 0) as late_minutes,
        sum(predicted_late_minutes) filter (outcome in ('kept', 'late', 'failed')) as predicted_late_minutes_of_visited,
        count(*) filter (predicted_late_minutes > 0 and outcome in ('kept', 'late', 'failed')) as predicted_late_of_visited,
        sum(lateness_cost) as lateness_cost, sum(crew_cost) as crew_cost, sum(failing_cost) as failing_cost
    from replan_stop(as_of, day_from, day_to) group by plan_id
),
driven as (
    select plan_id, sum(km) as km, sum(cost) as cost,
        bool_or(cost is null) as cost_unknown, count(*) filter (km_estimated) as km_estimated
    from replan_route(as_of, day_from, day_to) group by plan_id
),
-- vehicles that the plan counts on and that are not back, or have not left yet
awaited as (
    select windows.plan_id, count(*) as vehicles from replan_window(as_of, day_from, day_to) as windows
    join route using (plan_id)
    left join routes_at(as_of, day_from, day_to) as runs using (route_id)
    where runs.returned_at is null and list_contains(from_json(windows.summary -> 'vehicles', '["VARCHAR"]'), route.vehicle_id)
    group by windows.plan_id
),
joined as (
    select windows.* exclude (late_minutes, stops), windows.late_minutes as predicted_late_minutes, came.* exclude (plan_id),
        driven.* exclude (plan_id, cost), driven.cost as driven_cost,
        until_at is not null or windows.day < today or awaited.vehicles is null as whole,
        cost_of_part(summary -> 'cost_parts', 'lateness') as lateness_predicted,
        cost_of_part(summary -> 'cost_parts', 'crew_idle') as crew_predicted,
        cost_of_part(summary -> 'cost_parts', 'not_served') as not_served_predicted,
        lateness_cost + cost_of_part(rest_parts, 'lateness') as lateness_came_to,
        crew_cost + cost_of_part(rest_parts, 'crew_idle') as crew_came_to,
        failing_cost + cost_of_part(rest_parts, 'not_served') as not_served_came_to
    from replan_window(as_of, day_from, day_to) as windows
    left join came using (plan_id) left join driven using (plan_id) left join awaited using (plan_id)
),
summed as (
    select *, case when whole and not coalesce(cost_unknown, true) and (until_at is null or rest_cost is not null)
        then driven_cost + lateness_cost + crew_cost + failing_cost + coalesce(rest_cost, 0) end as came_to
    from joined
)
select plan_id, depot_id, day, version, from_at, until_at, approved_at, made_by, decided_by, why, engine, currency, whole,
    stops_covered, stops_moved, stops_visited, kept, late, failed, untried, unknown, cancelled, replanned, km_estimated,
    cost_before, cost as cost_predicted, came_to as cost_came_to, cost_before - cost as plan_gain, came_to - cost as execution_loss,
    cost_before - came_to as saving, until_at is not null as rest_is_estimated,
    cost - lateness_predicted - crew_predicted - not_served_predicted as driving_predicted,
    came_to - lateness_came_to - crew_came_to - not_served_came_to as driving_came_to,
    lateness_predicted, case when came_to is not null then lateness_came_to end as lateness_came_to,
    crew_predicted, case when came_to is not null then crew_came_to end as crew_came_to,
    not_served_predicted, case when came_to is not null then not_served_came_to end as not_served_came_to,
    distance_km_before as km_before, distance_km as km_predicted, case when whole then km + coalesce(rest_km, 0) end as km_came_to,
    late_minutes_before, predicted_late_minutes as late_minutes_predicted,
    case when whole then late_minutes + coalesce(rest_late_minutes, 0) end as late_minutes_came_to,
    promises_broken_before as broken_before, promises_broken as broken_predicted,
    case when whole then late + untried + coalesce(rest_promises_broken, 0) end as broken_came_to,
    late_minutes as late_minutes_so_far, predicted_late_minutes_of_visited, late as late_so_far, predicted_late_of_visited
from summed;
