-- The present, one row per event of an exception; merged by the append.
create table if not exists exception_event as from event limit 0;

-- One row per exception of the service days asked (null: all), as known at `known_at` and judged at that instant, so the
-- present is asked for with now: a snooze is over when its time is. What was said last counts for severity, money, root and
-- words. `acknowledged_at` is the first step that a person took, ever; a condition that came back is open all the same.
-- `steps` counts all that happened to it but changes of its figures: who decides says which number they saw.
-- `open_only`: without those that are over, most of a week's, most of whose payload is then not read (half the processor time).
create or replace macro exception_state(known_at, day_from, day_to, open_only) as table
with named as (  -- each payload is read once
    select *, json_extract_string(payload, ['exception_id', 'day', 'step']) as named from exception_event
    where recorded_at <= known_at and (day_from is null or occurred_at >= day_from::timestamptz - interval 2 day)
      and (import_id is null or import_id not in (select import_id from undone_import))
),
known as (
    select * exclude (named), named[1] as exception_id, coalesce(named[3]::integer, 0) as step from named
    where (day_from is null or named[2]::date >= day_from) and (day_to is null or named[2]::date <= day_to)
),
-- those whose last beginning is followed by no end
begun as (
    select exception_id from known
    where open_only and type in ('exception_detected', 'exception_reopened', 'exception_resolved', 'exception_cleared')
    group by exception_id
    having arg_max(type, (recorded_at, step, event_id)) in ('exception_detected', 'exception_reopened')
),
told as (
    select exception_id, type, occurred_at, recorded_at, delivery_id, route_id, vehicle_id, depot_id,
        actor, status_source = 'user' as by_person, payload,
        row_number() over (partition by exception_id order by recorded_at, step, event_id) as nth
    from known
    where not open_only or exception_id in (from begun)
),
-- from the last time on that it began, or began again
marked as (
    select *, nth > max(nth) filter (type in ('exception_detected', 'exception_reopened')) over (partition by exception_id) as since,
        -- a person takes a step with any of these; a comment is none
        by_person and type in ('exception_acknowledged', 'exception_assigned', 'exception_snoozed', 'exception_acted',
                               'exception_resolved') as is_step
    from told
),
folded as (
    select exception_id,
        any_value(delivery_id) as delivery_id, any_value(depot_id) as depot_id,
        arg_max(route_id, nth) as route_id, arg_max(vehicle_id, nth) as vehicle_id,
        arg_max_null(payload, nth) filter (payload ->> 'key' is not null) as said,
        min(occurred_at) filter (type = 'exception_detected') as detected_at,
        arg_min(payload, nth) filter (type = 'exception_detected') as first_said,
        min(occurred_at) filter (is_step) as acknowledged_at, arg_min(actor, nth) filter (is_step) as acknowledged_by,
        min(occurred_at) filter (type = 'exception_acted' and (payload ->> 'ok')::boolean) as first_action_at,
        arg_max_null(payload ->> 'owner', nth) filter (type in ('exception_assigned', 'exception_escalated')) as owner,
        arg_max(payload ->> 'owner_role', nth) filter (type = 'exception_escalated') as escalated_role,
        count(*) filter (type = 'exception_escalated') as escalations,
        max(occurred_at) filter (type = 'exception_escalated') as escalated_at,
        arg_max((payload ->> 'until')::timestamptz, nth) filter (type = 'exception_snoozed' and since) as snoozed_until,
        bool_or(is_step and since) as taken_up,
        max(occurred_at) filter (type = 'exception_resolved' and since) as closed_at,
        arg_max(payload ->> 'outcome', nth) filter (type = 'exception_resolved' and since) as closed_outcome,
        min(occurred_at) filter (type = 'exception_cleared' and since) as gone_at,
        arg_min(payload ->> 'outcome', nth) filter (type = 'exception_cleared' and since) as gone_outcome,
        count(*) filter (type = 'exception_reopened') as reopened,
        count(*) filter (type = 'exception_acted' and (payload ->> 'ok')::boolean) as actions,
        count(*) filter (type <> 'exception_changed') as steps,
        arg_max(type, nth) filter (type <> 'exception_changed') as last_step,
        arg_max(actor, nth) filter (type <> 'exception_changed') as last_actor,
        max(occurred_at) filter (type <> 'exception_changed') as last_step_at
    from marked group by exception_id
),
-- each payload is read once: column by column it took half as long again
read as (
    select * exclude (said, first_said),
        json_transform(said, '{"key": "varchar", "day": "varchar", "subject_kind": "varchar", "subject_id": "varchar",
            "carrier_id": "varchar", "service": "varchar", "recipient": "varchar", "source": "varchar", "root_id": "varchar",
            "severity": "varchar", "stake": "varchar", "currency": "varchar", "stake_assumed": "varchar",
            "probability": "varchar", "breach_at": "varchar", "owner_role": "varchar", "words": "varchar"}') as said,
        json_transform(first_said, '{"due_at": "varchar", "occurred_at": "varchar", "detectable_at": "varchar"}') as first_said
    from folded where said is not null and first_said is not null
)
select exception_id, said.key, said.day::date as day, said.subject_kind,
    said.subject_id, delivery_id, route_id, vehicle_id, depot_id, said.carrier_id,
    said.service, said.recipient, said.source, said.root_id,
    said.severity, said.stake::double as stake, said.currency,
    said.stake_assumed::boolean as stake_assumed, said.probability::double as probability,
    said.breach_at::timestamptz as breach_at, first_said.due_at::timestamptz as due_at,
    first_said.occurred_at::timestamptz as occurred_at, first_said.detectable_at::timestamptz as detectable_at,
    detected_at, acknowledged_at, acknowledged_by, coalesce(escalated_role, said.owner_role) as owner_role, owner,
    escalations, escalated_at, first_action_at, actions, snoozed_until, coalesce(closed_at, gone_at) as resolved_at, gone_at,
    coalesce(closed_outcome, gone_outcome) as outcome,
    case when closed_at is not null then 'resolved'
         when gone_at is not null then 'cleared'
         when snoozed_until > known_at then 'snoozed'
         when taken_up then 'acknowledged'
         else 'open' end as state,
    said.words, reopened, steps, last_step, last_actor, last_step_at
from read;
