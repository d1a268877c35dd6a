"""What is counted of notices: each one that was asked for, and each recipient that was told."""

from __future__ import annotations

from lastmile.kpis.fact import OF_A_DELIVERY, PERIODS, SCOPE, SCOPE_OF_SERVICE, Fact

_NOTICES = """notice_state(coalesce($as_of::timestamptz, 'infinity'::timestamptz),
    coalesce($day_from::date::timestamptz - interval 60 day, '-infinity'::timestamptz))"""
# A notice counts to the service day of its delivery; one to staff about no delivery to the day on which it was asked for.
NOTICES = f"""
select *, {PERIODS}, hour(coalesce(sent_at, asked_at) at time zone zone) as hour
from (
    select notice.* exclude (depot_id), coalesce(known.day, (asked_at at time zone notice.zone)::date) as day,
        coalesce(notice.depot_id, known.depot_id) as depot, carrier_id as carrier, service, criticality, area,
        driver_id as driver, vehicle_id as vehicle, reason, source
    from {_NOTICES} as notice left join (
        select delivery_id, day, depot_id, carrier_id, service, criticality, area, driver_id, vehicle_id, reason, source
        from deliveries_at($as_of::timestamptz, $day_from::date, $day_to::date)
    ) as known using (delivery_id)
    where audience <> 'test' and (known.delivery_id is not null or notice.delivery_id is null)
)
where ($day_from is null or day >= $day_from::date) and ($day_to is null or day <= $day_to::date)
  and {SCOPE} and {SCOPE_OF_SERVICE}
"""
# Only what a recipient said after the first notice is an answer to it.
RECIPIENTS = f"""
with told as (
    select delivery_id, min(sent_at) as told_at, count(*) as notices
    from {_NOTICES} where audience = 'customer' and sent_at is not null group by delivery_id
),
answered as (
    select delivery_id, arg_max(type, (occurred_at, recorded_at)) as answer, max(occurred_at) as answered_at
    from event join told using (delivery_id)
    where type between 'recipient_confirmed' and 'recipient_rescheduled' and classifier = 'ACT' and occurred_at >= told_at
      and recorded_at <= coalesce($as_of::timestamptz, 'infinity'::timestamptz)
      and (import_id is null or import_id not in (select import_id from undone_import))
      and event_id not in (select corrects from event where corrects is not null
                           and recorded_at <= coalesce($as_of::timestamptz, 'infinity'::timestamptz))
    group by delivery_id
)
select * from known_delivery join told using (delivery_id) left join answered using (delivery_id)
"""

NOTICE_FACTS = (
    Fact(
        "notice",
        "one row per notice that was asked for",
        ("notice_id",),
        (*OF_A_DELIVERY, "channel", "audience", "template"),
        ("delivery_id", "state", "asked_at", "sent_at", "delivered_at", "words"),
        NOTICES,
    ),
    Fact(
        "recipient",
        "one row per delivery whose recipient was sent a notice",
        ("delivery_id",),
        OF_A_DELIVERY,
        ("notices", "told_at", "answer", "answered_at", "state"),
        RECIPIENTS,
    ),
)
