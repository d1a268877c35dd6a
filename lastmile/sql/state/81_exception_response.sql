-- One row per exception of the service days asked (null: all) that stands for itself (what a root explains is counted with the
-- root), as known at `known_at`: how long each step of its handling took, in minutes since it was detected. A step that was not
-- taken has the minutes for which it was waited for, until the exception was over or until `known_at`: censored, not forgotten.
create or replace macro exception_response(known_at, day_from, day_to) as table
with known as (
    from exception_state(known_at, day_from, day_to, false)
),
own as (
    select * from known where root_id is null or root_id not in (select exception_id from known)
)
select exception_id, key as rule, is_warning(key) as warns, day, depot_id as depot, carrier_id as carrier, service, severity,
    owner_role, coalesce(owner, acknowledged_by) as owner, subject_kind, subject_id, recipient, words, stake, state, outcome,
    breach_at, detected_at, probability,
    case when detectable_at is not null then greatest(0, minutes_between(detectable_at, detected_at)) end as detect_minutes,
    minutes_between(detected_at, coalesce(acknowledged_at, resolved_at, known_at)) as acknowledge_minutes,
    acknowledged_at is not null as acknowledged,
    minutes_between(detected_at, coalesce(first_action_at, resolved_at, known_at)) as act_minutes,
    first_action_at is not null as acted,
    minutes_between(detected_at, coalesce(resolved_at, known_at)) as resolve_minutes,
    resolved_at is not null as resolved
from own;

-- One row per warning of a broken promise on a delivery whose promise has come to its end at `known_at`, of the service days
-- asked (null: all), as known at `as_of` (null: now): whether it was broken. `intervened`: somebody acted on it or on its root,
-- or a plan of its depot and day was approved between the warning and the breach; what then became of the promise says nothing
-- about the warning.
create or replace macro warning_result(as_of, known_at, day_from, day_to) as table
with known as (
    from exception_state(known_at, day_from, day_to, false)
),
changed as (
    select depot_id, day, approved_at from plan_state(known_at) where approved_at is not null and version > 1
),
-- a delivery may have been put off, or brought forward, since it was warned of
delivered as (
    select delivery_id, case window_semantics when 'arrival' then if(handed_over_at is null, null, arrived_at)
            when 'service_start' then coalesce(service_started_at, handed_over_at) else handed_over_at end as kept_at, cancelled_at
    from deliveries_at(as_of, day_from - 8, day_to + 8)
)
select known.exception_id, known.key as rule, known.day, known.delivery_id, known.depot_id as depot,
    known.carrier_id as carrier, known.service, known.severity, known.owner_role,
    coalesce(known.owner, known.acknowledged_by) as owner, known.recipient, known.words, known.detected_at, known.breach_at,
    not coalesce(kept_at <= known.breach_at, false) as broken,
    known.actions > 0 or coalesce(root.actions > 0, false)
        or exists (from changed where changed.depot_id = known.depot_id and changed.day = known.day
            and approved_at between known.detected_at and known.breach_at) as intervened
from known left join known as root on root.exception_id = known.root_id
join delivered on delivered.delivery_id = known.delivery_id
where is_warning(known.key) and known.breach_at <= known_at and not coalesce(cancelled_at <= known.breach_at, false);
