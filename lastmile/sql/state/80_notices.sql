-- One row per event of a notice in `event_table`, with what it says; read out of the payload once, as the outbox is asked often.
create or replace macro notice_events(event_table) as table
-- picked out first: what other events carry can't be read as this
with told as materialized (
    select * from query_table(event_table)
    where type between 'notification_deferred' and 'notification_sent' and source = 'tower'
)
select event_id, type, occurred_at, recorded_at, delivery_id, depot_id, actor,
    payload ->> 'notice_id' as notice_id, coalesce((payload ->> 'round')::integer, 1) as round,
    payload ->> 'template' as template, payload ->> 'audience' as audience, payload ->> 'channel' as channel,
    payload ->> 'to' as address, payload ->> 'name' as name, payload ->> 'language' as language,
    payload ->> 'subject' as subject, payload ->> 'body' as body, payload ->> 'change' as change,
    payload ->> 'because' as because, coalesce((payload ->> 'urgent')::boolean, false) as urgent, payload ->> 'zone' as zone,
    coalesce((payload ->> 'while_open')::boolean, false) as while_open, (payload ->> 'useful_until')::timestamptz as useful_until,
    (payload ->> 'expected_at')::timestamptz as expected_at, payload ->> 'words' as words,
    (payload ->> 'next_try_at')::timestamptz as next_try_at, coalesce((payload ->> 'tried')::boolean, false) as tried
from told where notice_id is not null;

-- The present, one row per event of a notice; merged by the append.
create table if not exists notice_event as from notice_events('event') limit 0;

-- One row per notice that the tower was asked to send from `since` on, as known at `known_at`: to whom, what, and what has
-- come of it. A notice that a person sends again starts a new round; only a receipt makes it
-- delivered.
create or replace macro notice_state(known_at, since) as table
with told as (
    select * from notice_event where recorded_at <= known_at and recorded_at >= since
),
asked as (
    select notice_id, delivery_id, depot_id, actor as asked_by, occurred_at as asked_at, template, audience, channel, address,
        name, language, subject, body, change, because, urgent, zone, while_open, useful_until, expected_at
    from told where type = 'notification_requested'
),
rounds as (
    select notice_id, max(round) as round from told group by notice_id
),
happened as (
    select told.notice_id, rounds.round,
        count(*) filter (told.round = rounds.round and type in ('notification_deferred', 'notification_sent')
                         or told.round = rounds.round and type = 'notification_failed' and tried) as tries,
        max(next_try_at) filter (type = 'notification_deferred' and told.round = rounds.round) as next_try_at,
        min(occurred_at) filter (type = 'notification_sent') as sent_at,
        min(occurred_at) filter (type = 'notification_delivered') as delivered_at,
        max(occurred_at) filter (type = 'notification_failed' and told.round = rounds.round) as failed_at,
        max(occurred_at) filter (type = 'notification_dropped' and told.round = rounds.round) as dropped_at,
        arg_max(words, (recorded_at, type <> 'notification_sent')) filter (type not in ('notification_requested', 'notification_retried')) as words,
        max(occurred_at) as last_at
    from told join rounds using (notice_id) group by told.notice_id, rounds.round
)
select asked.*, happened.* exclude (notice_id),
    case when delivered_at is not null then 'delivered'
         when failed_at is not null then 'failed'
         when dropped_at is not null then 'dropped'
         when sent_at is not null then 'sent'
         else 'waiting' end as state
from asked join happened using (notice_id);

-- One row per delivery and version of it that counts: where its recipient is told, as known at `known_at`.
create or replace macro recipient_address(known_at) as table
select delivery_id, email, language from booking
where recorded_at <= known_at and (import_id is null or import_id not in (select import_id from undone_import))
qualify row_number() over (partition by delivery_id order by recorded_at desc, booking_id desc) = 1;
