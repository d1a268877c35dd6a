-- One row per position told of a vehicle about the days asked, as known at `known_at`. None is dropped: `verdict` says which
-- may be used: kept | future (its clock runs ahead by more than a minute) | duplicate (the same fix told before) |
-- inaccurate (off by more than 100 m) | jump (faster than 150 km/h from the fix before it, and on to the fix after it).
create or replace macro position_state(known_at, day_from, day_to) as table
with told as (
    select event_id, vehicle_id, route_id, occurred_at, recorded_at, lon, lat, accuracy_m,
        try_cast(payload ->> 'speed_kmh' as double) as speed_kmh,
        coalesce(recorded_at < max(recorded_at) over (partition by vehicle_id order by occurred_at, recorded_at
            rows between unbounded preceding and 1 preceding), false) as overtook,
        row_number() over (partition by vehicle_id, occurred_at order by recorded_at, event_id) as nth
    from event
    where type = 'position' and vehicle_id is not null and lon is not null and lat is not null and recorded_at <= known_at
      and occurred_at >= day_from::timestamptz - interval 1 day and occurred_at < day_to::timestamptz + interval 2 day
      and (import_id is null or import_id not in (select import_id from undone_import))
      and event_id not in (select corrects from event where corrects is not null and recorded_at <= known_at)
),
sorted_out as (
    select *, case when occurred_at > recorded_at + interval 1 minute then 'future'
                   when nth > 1 then 'duplicate'
                   when accuracy_m > 100 then 'inaccurate' end as refused
    from told
),
chained as (
    select *, metres_between(lon, lat, lag(lon) over chain, lag(lat) over chain)
            / nullif(epoch_us(occurred_at) - epoch_us(lag(occurred_at) over chain), 0) * 3600000 as kmh_from,
        metres_between(lon, lat, lead(lon) over chain, lead(lat) over chain)
            / nullif(epoch_us(lead(occurred_at) over chain) - epoch_us(occurred_at), 0) * 3600000 as kmh_on
    from sorted_out
    window chain as (partition by vehicle_id, refused is null order by occurred_at)
)
select event_id, vehicle_id, route_id, occurred_at, recorded_at, lon, lat, accuracy_m, speed_kmh,
    -- a later fix was on record before it
    recorded_at > min(recorded_at) over (partition by vehicle_id order by occurred_at
        rows between 1 following and unbounded following) as out_of_order,
    -- the last fix is held back until the next one bears it out; so is the first
    coalesce(refused, case when coalesce(kmh_from, 1e9) > 150 and coalesce(kmh_on, 1e9) > 150
                            and (kmh_from is not null or kmh_on is not null) then 'jump' else 'kept' end) as verdict
from chained;

-- One row per delivery and route that a van was seen at by its positions alone, as known at `known_at`: the geofence. A stop
-- is entered within 120 m and left beyond 200 m, so that a receiver's noise does not end a visit; driving by is none:
-- a fix inside must be slower than 5 km/h, or the fixes inside span 90 seconds.
create or replace macro inferred_visit_state(known_at, day_from, day_to) as table
with fix as (
    select vehicle_id, occurred_at, recorded_at, lon, lat, speed_kmh,
        row_number() over (partition by vehicle_id order by occurred_at) as nth,
        lead(occurred_at) over (partition by vehicle_id order by occurred_at) as next_at,
        lead(recorded_at) over (partition by vehicle_id order by occurred_at) as next_known_at
    from position_state(known_at, day_from, day_to) where verdict = 'kept'
),
place as (
    select route.route_id, route.vehicle_id, route.departs_at, delivery_id, min(stop) as stop, any_value(delivery.lon) as lon,
        any_value(delivery.lat) as lat
    from planned_stop join route using (plan_id, route_id) join delivery using (delivery_id)
    where route.day between day_from and day_to and delivery.lat is not null
      and arrive_at between day_from::timestamptz - interval 2 day and day_to::timestamptz + interval 3 day
    group by route.route_id, route.vehicle_id, route.departs_at, delivery_id
),
near as (
    select route_id, delivery_id, stop, fix.* exclude (lon, lat), metres_between(fix.lon, fix.lat, place.lon, place.lat) as metres
    from fix join place using (vehicle_id)
    where fix.occurred_at between departs_at - interval 2 hour and departs_at + interval 18 hour
      -- 200 m are at most so many degrees of latitude: cheap, and enough to skip most pairs
      and abs(fix.lat - place.lat) < 0.0019
),
-- where stops lie close together, a van stands at the nearest of them; of those that it can't be told from, at the first
nearest as (
    select *, metres <= 120 and metres <= min(metres) over (partition by route_id, nth) + 25 as may_be from near where metres <= 200
),
standing as (
    select *, may_be and stop = min(stop) filter (may_be) over (partition by route_id, nth) as inside from nearest
),
run as (
    select *, nth - row_number() over (partition by route_id, delivery_id order by nth) as island from standing
),
timed as (
    select *, min(occurred_at) filter (inside) over (partition by route_id, delivery_id, island) as came_at from run
),
visit as (
    select route_id, delivery_id, any_value(vehicle_id) as vehicle_id,
        min(occurred_at) filter (inside) as entered_at,
        arg_min(recorded_at, occurred_at) filter (inside and coalesce(speed_kmh <= 5, false)) as slow_known_at,
        min(recorded_at) filter (inside and occurred_at >= came_at + interval 90 second) as stayed_known_at,
        arg_max_null(next_at, nth) as left_at, arg_max_null(next_known_at, nth) as left_known_at
    from timed group by route_id, delivery_id, island
)
select route_id, delivery_id, vehicle_id, entered_at, least(slow_known_at, stayed_known_at) as entered_known_at,
    left_at, left_known_at, 'inferred' as status_source
from visit where slow_known_at is not null or stayed_known_at is not null
qualify row_number() over (partition by route_id, delivery_id order by entered_at) = 1;
