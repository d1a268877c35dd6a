-- One row per delivery, as known at `known_at`, for service days in [day_from, day_to] (null: no bound).
-- `event_table` and `booking_table` name the tables to read: the whole ledger, or the part of it that an append touched.
create or replace macro delivery_state(known_at, event_table, booking_table, day_from, day_to) as table
with undone as (
    select import_id from undone_import
),
-- the scope first, so that all that follows sees only its rows; any version in it counts, the promise decides below
in_days as (
    select delivery_id from query_table(booking_table)
    where (day_from is null or day >= day_from) and (day_to is null or day <= day_to)
      -- without bounds nothing is looked up here, and an empty list costs nothing
      and (day_from is not null or day_to is not null)
),
known_booking as (
    select * from query_table(booking_table)
    where recorded_at <= known_at
      and ((day_from is null and day_to is null) or delivery_id in (from in_days))
      and (import_id is null or import_id not in (from undone))
),
changed as (
    select delivery_id from known_booking group by delivery_id having count(*) > 1
),
-- what was first promised never moves; a revision stands beside it
first_promise as (
    select delivery_id, window_from, window_due, window_semantics, early_minutes, late_minutes, day
    from known_booking semi join changed using (delivery_id)
    where window_due is not null
    qualify row_number() over (partition by delivery_id order by recorded_at, booking_id) = 1
),
latest as (
    select * from known_booking anti join changed using (delivery_id)
    union all by name
    select * from known_booking semi join changed using (delivery_id)
    qualify row_number() over (partition by delivery_id order by recorded_at desc, booking_id desc) = 1
),
booked as (
    select latest.* exclude (window_from, window_due, window_semantics, early_minutes, late_minutes, day, recorded_at, proof),
        latest.recorded_at as booked_at,
        coalesce(first_promise.day, latest.day) as day,
        coalesce(first_promise.window_from, latest.window_from) as window_from,
        coalesce(first_promise.window_due, latest.window_due) as window_due,
        coalesce(first_promise.window_semantics, latest.window_semantics) as window_semantics,
        coalesce(first_promise.early_minutes, latest.early_minutes) as early_minutes,
        coalesce(first_promise.late_minutes, latest.late_minutes) as late_minutes,
        case when first_promise.window_due <> latest.window_due then latest.window_from end as revised_from,
        case when first_promise.window_due <> latest.window_due then latest.window_due end as revised_due,
        latest.proof as proof_required
    from latest left join first_promise using (delivery_id)
    where (day_from is null or coalesce(first_promise.day, latest.day) >= day_from)
      and (day_to is null or coalesce(first_promise.day, latest.day) <= day_to)
),
retracted as (
    select corrects from query_table(event_table) where corrects is not null and recorded_at <= known_at
),
scoped_event as materialized (
    select delivery_id, type, occurred_at, route_id, vehicle_id, lon, lat, reason, actor, payload, event_id, import_id
    from query_table(event_table)
    where delivery_id is not null
      and classifier = 'ACT'
      and recorded_at <= known_at
      and type not in ('position', 'condition_reading', 'eta_updated')
      -- what was told or noticed about a delivery is no news of where it stands
      and not type between 'notification_deferred' and 'notification_sent'
      and not type between 'exception_acknowledged' and 'exception_snoozed'
      and ((day_from is null and day_to is null) or delivery_id in
          (select delivery_id from booked where day_from is not null or day_to is not null))
),
known_event as (
    select * exclude (import_id) from scoped_event
    where (import_id is null or import_id not in (from undone))
      and event_id not in (from retracted)
),
happened as (
    select delivery_id,
        min(occurred_at) filter (type = 'order_received') as received_at,
        min(occurred_at) filter (type = 'released_to_warehouse') as released_at,
        min(occurred_at) filter (type = 'picked') as picked_at,
        min(occurred_at) filter (type = 'packed') as packed_at,
        min(occurred_at) filter (type = 'staged') as staged_at,
        min(occurred_at) filter (type = 'loaded') as first_loaded_at,
        max(occurred_at) filter (type = 'loaded') as loaded_at,
        min(occurred_at) filter (type = 'arrived') as first_arrived_at,
        max(occurred_at) filter (type = 'arrived') as arrived_at,
        max(occurred_at) filter (type = 'departed_stop') as departed_stop_at,
        min(occurred_at) filter (is_handover(type)) as handed_over_at,
        arg_min(type, occurred_at) filter (is_handover(type)) as handover_type,
        arg_min(payload, occurred_at) filter (is_handover(type)) as handover_payload,
        arg_min(lon, occurred_at) filter (is_handover(type)) as handover_lon,
        arg_min(lat, occurred_at) filter (is_handover(type)) as handover_lat,
        arg_max(actor, occurred_at) filter (is_handover(type) or is_failed_try(type)) as driver_id,
        count(*) filter (is_handover(type) or is_failed_try(type)) as attempts,
        count(*) filter (is_failed_try(type)) as failed_tries,
        min(occurred_at) filter (is_failed_try(type)) as first_failed_at,
        max(occurred_at) filter (is_failed_try(type)) as last_failed_at,
        arg_max(reason, occurred_at) filter (is_failed_try(type) and reason is not null) as failure_reason,
        arg_max(reason, occurred_at) filter (reason is not null) as last_reason,
        min(occurred_at) filter (type = 'cancelled') as cancelled_at,
        max(occurred_at) filter (type = 'returned_to_shipper') as returned_at,
        min(occurred_at) filter (type = 'damaged') as damaged_at,
        arg_max(route_id, occurred_at) filter (route_id is not null) as route_id,
        arg_max(vehicle_id, occurred_at) filter (vehicle_id is not null) as vehicle_id,
        count(*) filter (type = 'unmapped') as unmapped_events,
        min(occurred_at) as first_event_at,
        max(occurred_at) as last_event_at,
        count(*) as events
    from known_event group by delivery_id
),
-- a failed try is genuine when the van stood at the site, or the recipient was met or spoken to
failed_try as (
    select known_event.delivery_id, known_event.occurred_at,
        coalesce(metres_between(known_event.lon, known_event.lat, booked.lon, booked.lat) <= 250, false)
        or coalesce((known_event.payload ->> 'contact') = 'true', false)
        or known_event.type = 'refused' as genuine
    from known_event left join booked using (delivery_id)
    where is_failed_try(known_event.type)
),
evidence as (
    select delivery_id,
        count(*) filter (not genuine) as tries_without_evidence,
        arg_min(genuine, occurred_at) as first_failed_genuine
    from failed_try group by delivery_id
),
joined as (
    select booked.* exclude (delivery_id, route_id, vehicle_id),
        coalesce(booked.delivery_id, happened.delivery_id) as delivery_id,
        happened.* exclude (delivery_id),
        coalesce(evidence.tries_without_evidence, 0) as tries_without_evidence,
        evidence.first_failed_genuine,
        try_cast(handover_payload ->> 'service_started_at' as timestamptz) as service_started_at,
        handover_payload ->> 'handed_to' as handed_to,
        try_cast(handover_payload ->> 'lines_delivered' as integer) as lines_delivered,
        try_cast(handover_payload -> 'proof' as varchar[]) as proof_given,
        try_cast(handover_payload ->> 'documents_right' as boolean) as documents_right,
        metres_between(handover_lon, handover_lat, booked.lon, booked.lat) as handover_distance_m
    from (select *, null::varchar as route_id, null::varchar as vehicle_id from booked) as booked
    full join happened using (delivery_id)
    left join evidence on evidence.delivery_id = happened.delivery_id
),
judged as (
    select *,
        case when handed_over_at is not null then handover_type
             when returned_at is not null then 'returned'
             when cancelled_at is not null then 'cancelled'
             when failed_tries > 0 and coalesce(loaded_at <= last_failed_at, true) then 'failed'
             when loaded_at is not null or arrived_at is not null then 'loaded'
             when staged_at is not null then 'staged'
             when picked_at is not null then 'picked'
             when released_at is not null then 'released'
             else 'received' end as state,
        case window_semantics
             when 'arrival' then case when handed_over_at is not null then arrived_at end
             when 'service_start' then service_started_at
             when 'service_end' then handed_over_at end as anchor_at
    from joined
)
select
    delivery_id, order_id, coalesce(kind, 'delivery') as kind, source, depot_id, carrier_id, service,
    coalesce(criticality, 'routine') as criticality,
    coalesce(day, (first_event_at at time zone coalesce(zone, 'UTC'))::date) as day, coalesce(zone, 'UTC') as zone,
    window_from, window_due, revised_from, revised_due, window_semantics, early_minutes, late_minutes, release_due,
    site_id, recipient, address, area, lon, lat, weight_kg, volume_m3, pieces, lines, service_minutes, skills,
    proof_required, penalty, value, currency, notes, booked_at,
    received_at, released_at, picked_at, packed_at, staged_at, first_loaded_at, loaded_at, first_arrived_at, arrived_at,
    service_started_at, handed_over_at, departed_stop_at, cancelled_at, returned_at, damaged_at, last_failed_at,
    route_id, vehicle_id, driver_id,
    coalesce(attempts, 0) as attempts, coalesce(failed_tries, 0) as failed_tries, tries_without_evidence,
    -- what came of attempt 1: handed_over, failed (genuinely), unproven (failed-coded, no evidence), null while open
    case when coalesce(attempts, 0) = 0 then null
         when first_failed_at is null or handed_over_at < first_failed_at then 'handed_over'
         when first_failed_genuine then 'failed'
         else 'unproven' end as first_try,
    state, coalesce(failure_reason, last_reason) as reason,
    state in ('delivered', 'partially_delivered', 'returned', 'cancelled', 'failed') as resolved,
    anchor_at,
    case when state = 'cancelled' then 'excluded'
         when window_due is null then 'no_promise'
         when state in ('returned', 'failed') then 'failed'
         when handed_over_at is null then 'open'
         when anchor_at is null then 'unknown'
         else timeliness_of(anchor_at, window_from, window_due, early_minutes, late_minutes) end as timeliness,
    case when state = 'cancelled' then 'excluded'
         when window_due is null then 'no_promise'
         when state in ('returned', 'failed') then 'failed'
         when handed_over_at is null then 'open'
         when anchor_at is null then 'unknown'
         else timeliness_of(anchor_at, coalesce(revised_from, window_from), coalesce(revised_due, window_due),
                            early_minutes, late_minutes) end as revised_timeliness,
    case when anchor_at is not null and window_due is not null then minutes_between(window_due, anchor_at) end as minutes_after_due,
    handed_to, lines_delivered, proof_given, documents_right,
    case when handed_over_at is null or proof_required is null then null
         else coalesce(list_has_all(proof_given, proof_required), len(proof_required) = 0) end as proof_complete,
    handover_distance_m, coalesce(unmapped_events, 0) as unmapped_events, last_event_at, coalesce(events, 0) as events
from judged;

-- The present, one row per delivery; merged by the macro above for what each append touched.
create table if not exists delivery as
    from delivery_state('infinity'::timestamptz, 'event', 'booking', null, null) limit 0;
