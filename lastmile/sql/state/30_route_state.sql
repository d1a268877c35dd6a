-- One row per thing that happened to a plan: the rows of the ledger, apart, since a question about plans would otherwise
-- read through every scan.
create table if not exists plan_event as from event limit 0;

-- One row per plan version that was proposed or decided, as known at `known_at`.
create or replace macro plan_decision_state(known_at) as table
select payload ->> 'plan_id' as plan_id,
    min(recorded_at) filter (type = 'plan_proposed') as proposed_at,
    min(recorded_at) filter (type = 'plan_approved') as approved_at,
    min(recorded_at) filter (type = 'plan_rejected') as rejected_at,
    arg_max(actor, recorded_at) filter (type in ('plan_approved', 'plan_rejected')) as decided_by,
    arg_max(payload ->> 'why', recorded_at) filter (type in ('plan_approved', 'plan_rejected')) as why
from plan_event
where recorded_at <= known_at and (import_id is null or import_id not in (select import_id from undone_import))
group by 1;

-- One row per plan version, with what was decided about it, as known at `known_at`.
create or replace macro plan_state(known_at) as table
select plan.*, proposed_at, approved_at, rejected_at, decided_by, why,
    case when approved_at is not null then 'approved' when rejected_at is not null then 'rejected' else 'proposed' end as decision,
    approved_at is not null and version = max(version) filter (approved_at is not null)
        over (partition by depot_id, day) as in_force
from plan left join plan_decision_state(known_at) using (plan_id)
where recorded_at <= known_at
  and (plan.import_id is null or plan.import_id not in (select import_id from undone_import));

-- One row per route that drives or has driven, as known at `known_at`: what its own scans say.
create or replace macro route_state(known_at, event_table, day_from, day_to) as table
with known_event as (
    select * from query_table(event_table)
    where route_id is not null and classifier = 'ACT' and recorded_at <= known_at
      and type in ('departed_depot', 'arrived', 'delivered', 'partially_delivered', 'attempted', 'not_completed', 'refused',
                   'departed_stop', 'returned_to_depot', 'vehicle_broke_down')
      and (day_from is null or occurred_at >= day_from::timestamptz - interval 1 day)
      and (day_to is null or occurred_at <= day_to::timestamptz + interval 2 day)
      and (import_id is null or import_id not in (select import_id from undone_import))
      and event_id not in (select corrects from query_table(event_table) where corrects is not null and recorded_at <= known_at)
)
select route_id,
    arg_max(vehicle_id, occurred_at) filter (vehicle_id is not null) as vehicle_id,
    arg_max(actor, occurred_at) filter (actor is not null) as driver_id,
    min(occurred_at) filter (type = 'departed_depot') as departed_at,
    max(occurred_at) filter (type = 'returned_to_depot') as returned_at,
    max(occurred_at) filter (type = 'vehicle_broke_down') as broke_down_at,
    min(occurred_at) as first_event_at,
    max(occurred_at) as last_event_at,
    count(distinct delivery_id) filter (is_handover(type) or is_failed_try(type)) as deliveries_tried,
    count(distinct delivery_id) filter (is_handover(type)) as deliveries_handed_over,
    max(try_cast(payload ->> 'distance_km' as double)) filter (type = 'returned_to_depot') as driven_km
from known_event
group by route_id;

-- The present, one row per route; merged by the macro above for what each append touched.
create table if not exists route_run as from route_state('infinity'::timestamptz, 'event', null, null) limit 0;

-- One row per delivery and route that tried it, in the order of the work: what the scans of that visit say.
-- `arrived_at` is the last arrival before the outcome, so that a second try on the same route starts anew.
create or replace macro visit_state(known_at, event_table, day_from, day_to) as table
with known_event as (
    select * from query_table(event_table)
    where route_id is not null and delivery_id is not null and classifier = 'ACT' and recorded_at <= known_at
      and type in ('arrived', 'delivered', 'partially_delivered', 'attempted', 'not_completed', 'refused', 'departed_stop')
      and (day_from is null or occurred_at >= day_from::timestamptz - interval 1 day)
      and (day_to is null or occurred_at <= day_to::timestamptz + interval 3 day)
      and (import_id is null or import_id not in (select import_id from undone_import))
      and event_id not in (select corrects from query_table(event_table) where corrects is not null and recorded_at <= known_at)
),
visited as (
    select route_id, delivery_id,
        max(occurred_at) filter (type = 'arrived') as last_arrived_at,
        max(occurred_at) filter (is_handover(type) or is_failed_try(type)) as outcome_at,
        max(occurred_at) filter (is_failed_try(type)) as failed_at,
        bool_or(is_handover(type)) as handed_over,
        arg_max(try_cast(payload ->> 'service_started_at' as timestamptz), occurred_at)
            filter (is_handover(type) or is_failed_try(type)) as service_started_at,
        arg_max(actor, occurred_at) filter (is_handover(type) or is_failed_try(type)) as driver_id,
        arg_max(vehicle_id, occurred_at) filter (is_handover(type) or is_failed_try(type)) as vehicle_id,
        max(occurred_at) filter (type = 'departed_stop') as departed_stop_at
    from known_event group by route_id, delivery_id
)
select route_id, delivery_id, handed_over, outcome_at, failed_at, service_started_at, driver_id, vehicle_id,
    least(coalesce(last_arrived_at, service_started_at, outcome_at), outcome_at) as arrived_at,
    last_arrived_at is not null as arrival_scanned,
    case when departed_stop_at >= outcome_at then departed_stop_at else outcome_at end as left_at
from visited where outcome_at is not null;

-- The present, one row per delivery and route that tried it; merged by the macro above for what each append touched.
create table if not exists route_visit as from visit_state('infinity'::timestamptz, 'event', null, null) limit 0;
