-- One row per delivery of the service days asked: as known at `as_of`, or as it stands now where `as_of` is null.
-- Only one side is ever read: the other is pruned before it runs.
create or replace macro deliveries_at(as_of, day_from, day_to) as table
select * from delivery
where as_of is null and (day_from is null or day >= day_from) and (day_to is null or day <= day_to)
union all by name
select * from delivery_state(as_of, 'event', 'booking', day_from, day_to)
where as_of is not null and (day_from is null or day >= day_from) and (day_to is null or day <= day_to);

-- One row per route that had its first event about the days asked (a day to either side, for the zones of the clock).
create or replace macro routes_at(as_of, day_from, day_to) as table
select * from route_run
where as_of is null and (day_from is null or first_event_at >= day_from::timestamptz - interval 1 day)
  and (day_to is null or first_event_at <= day_to::timestamptz + interval 2 day)
union all by name
select * from route_state(as_of, 'event', day_from, day_to) where as_of is not null;

-- One row per delivery and route that tried it about the days asked, as known at `as_of` or now.
create or replace macro visits_at(as_of, day_from, day_to) as table
select * from route_visit
where as_of is null and (day_from is null or outcome_at >= day_from::timestamptz - interval 1 day)
  and (day_to is null or outcome_at <= day_to::timestamptz + interval 3 day)
union all by name
select * from visit_state(as_of, 'event', day_from, day_to) where as_of is not null;
