-- The id that a natural key always gets; equals model.stable_id. `joined` is concat_ws(chr(31), …) with '' for null.
create or replace macro stable_id(joined) as md5(joined)::uuid;

-- Metres between two places on a sphere of 6371.0088 km (IUGG mean radius); null when either is unknown.
create or replace macro metres_between(lon_a, lat_a, lon_b, lat_b) as
    2 * 6371008.8 * asin(sqrt(
        pow(sin(radians(lat_b - lat_a) / 2), 2)
        + cos(radians(lat_a)) * cos(radians(lat_b)) * pow(sin(radians(lon_b - lon_a) / 2), 2)));

-- Minutes from one instant to another; negative when the second comes first.
create or replace macro minutes_between(earlier, later) as (epoch_us(later) - epoch_us(earlier)) / 60000000.0;

-- True for the events that hand a delivery over.
create or replace macro is_handover(type) as type in ('delivered', 'partially_delivered');

-- True for the events that say a try to hand over has failed.
create or replace macro is_failed_try(type) as type in ('attempted', 'not_completed', 'refused');

-- True for the rules that warn of a broken promise; equals `predicts` in the catalogue of rules, which a test holds.
create or replace macro is_warning(rule) as
    rule in ('will_be_late', 'in_jeopardy', 'unplanned', 'failed_attempt', 'address_unresolvable');

-- Where an anchor instant lies against a promised window with its tolerances: early, on_time or late.
create or replace macro timeliness_of(anchor_at, window_from, window_due, early_minutes, late_minutes) as
    case when anchor_at is null then null
         when anchor_at > window_due + to_microseconds((late_minutes * 60000000)::bigint) then 'late'
         when anchor_at < window_from - to_microseconds((early_minutes * 60000000)::bigint) then 'early'
         else 'on_time' end;
