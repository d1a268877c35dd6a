-- One row per exception of the service days asked that stands for itself (what a root explains is counted with the root), as
-- known at `known_at`: how long each step of its handling took, in minutes since it was detected. A step that was not taken
-- has the minutes for which it was waited for, until the exception was over or until `known_at`: censored, not forgotten.
create or replace macro exception_response(known_at, day_from, day_to) as table
with known as (
    from exception_state(known_at, day_from, day_to)
),
own as (
    select * from known where root_id is null or root_id not in (select exception_id from known)
)
select exception_id, key, day, depot_id, carrier_id, service, severity, owner_role, coalesce(owner, acknowledged_by) as owner,
    state, outcome, breach_at, detected_at, probability,
    greatest(0, minutes_between(detectable_at, detected_at)) as detect_minutes,
    minutes_between(detected_at, coalesce(acknowledged_at, resolved_at, known_at)) as acknowledge_minutes,
    acknowledged_at is not null as acknowledged,
    minutes_between(detected_at, coalesce(first_action_at, resolved_at, known_at)) as act_minutes,
    first_action_at is not null as acted,
    minutes_between(detected_at, coalesce(resolved_at, known_at)) as resolve_minutes,
    resolved_at is not null as resolved
from own;

-- One row per warning of a broken promise on a delivery whose promise has come to its end, of the service days asked, as known
-- at `known_at`: whether it was broken. `intervened`: somebody acted on it or on its root, or a plan of its depot and day was
-- approved between the warning and the breach; what then became of the promise says nothing about the warning.
-- `predicting` lists the keys of the rules that warn.
create or replace macro warning_result(known_at, day_from, day_to, predicting) as table
with known as (
    from exception_state(known_at, day_from, day_to)
),
changed as (
    select depot_id, day, approved_at from plan_state(known_at) where approved_at is not null and version > 1
),
delivered as (
    select delivery_id, state, case window_semantics when 'arrival' then if(handed_over_at is null, null, arrived_at)
            when 'service_start' then coalesce(service_started_at, handed_over_at) else handed_over_at end as kept_at, cancelled_at
    from delivery where day between day_from - 8 and day_to
)
select known.exception_id, known.key, known.day, known.delivery_id, known.depot_id, known.carrier_id, known.service,
    known.owner_role, coalesce(known.owner, known.acknowledged_by) as owner, known.detected_at, known.breach_at,
    not coalesce(kept_at <= known.breach_at, false) as broken,
    known.actions > 0 or coalesce(root.actions > 0, false)
        or exists (from changed where changed.depot_id = known.depot_id and changed.day = known.day
            and approved_at between known.detected_at and known.breach_at) as intervened
from known left join known as root on root.exception_id = known.root_id
join delivered on delivered.delivery_id = known.delivery_id
where known.key in (select unnest(predicting)) and known.breach_at <= known_at
  and not coalesce(cancelled_at <= known.breach_at, false);
