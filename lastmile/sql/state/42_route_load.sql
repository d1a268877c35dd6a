-- One row per route with visits: how full it was at its fullest, and how its stops were driven against the plan in force.
-- Load counts down from what it tried to deliver; a failed delivery stays on board, a pickup comes aboard when it succeeds.
-- A dimension is null where one of its deliveries does not tell it.
create or replace macro route_load(as_of, day_from, day_to) as table
with planned as (
    select route_id, stop, delivery_id, planned_stop.distance_km, routes.distance_km as route_km
    from planned_stop join routes_in_force(coalesce(as_of, 'infinity'::timestamptz), day_from, day_to) as routes using (plan_id, route_id)
),
visit as (
    select visits.route_id, visits.delivery_id, visits.arrived_at, outcome_at, handed_over, weight_kg, volume_m3, pieces, stop,
        coalesce(kind, 'delivery') = 'pickup' as pickup,
        case when not handed_over then 0 when kind = 'pickup' then 1 else -1 end as change
    from visits_at(as_of, day_from, day_to) as visits
    left join deliveries_at(as_of, (day_from - interval 30 day)::date, (day_to + interval 7 day)::date) as known
        on known.delivery_id = visits.delivery_id
    left join planned on planned.route_id = visits.route_id and planned.delivery_id = visits.delivery_id
),
running as (
    select *,
        sum(change * weight_kg) over work as kg_change, sum(change * volume_m3) over work as m3_change,
        sum(change * pieces) over work as pieces_change
    from visit window work as (partition by route_id order by outcome_at, delivery_id)
),
peak as (
    select route_id,
        case when count(weight_kg) = count(*)
             then coalesce(sum(weight_kg) filter (not pickup), 0) + greatest(0, max(kg_change)) end as peak_kg,
        case when count(volume_m3) = count(*)
             then coalesce(sum(volume_m3) filter (not pickup), 0) + greatest(0, max(m3_change)) end as peak_m3,
        case when count(pieces) = count(*)
             then coalesce(sum(pieces) filter (not pickup), 0) + greatest(0, max(pieces_change)) end as peak_pieces,
        count(*) = count(stop) as all_planned
    from running group by route_id
),
driven_stop as (
    select route_id, stop, min(arrived_at) as arrived_at, sum(change)::bigint as change,
        count(*) filter (not pickup) as to_deliver
    from visit where stop is not null group by route_id, stop
),
-- the longest run of stops that kept the planned order: the others are the fewest that would have to be moved
-- (Schensted 1961; here by the piles of patience sorting, Fredman 1975)
sequence as (
    select route_id, count(*) as planned_stops_driven,
        len(list_reduce(list([stop] order by arrived_at, stop),
            lambda piles, card: list_filter(piles, lambda top: top < card[1]) || card
                || piles[len(list_filter(piles, lambda top: top < card[1])) + 2:])) as stops_in_order
    from driven_stop group by route_id
),
-- arcs of the plan, known to be those driven only where every planned stop was driven in its order
planned_arc as (
    select route_id, stop, max(distance_km) as arc_km, any_value(route_km) as route_km
    from planned group by route_id, stop
),
aboard as (
    select planned_arc.*, driven_stop.stop is not null as driven,
        sum(to_deliver) over (partition by planned_arc.route_id)
            + coalesce(sum(change) over (partition by planned_arc.route_id order by planned_arc.stop
                rows between unbounded preceding and 1 preceding), 0) as aboard_before,
        sum(to_deliver) over (partition by planned_arc.route_id) + sum(change) over (partition by planned_arc.route_id) as aboard_at_end
    from planned_arc left join driven_stop using (route_id, stop)
),
loaded as (
    select route_id,
        case when bool_and(driven) and count(arc_km) = count(*) and any_value(route_km) > 0
             then coalesce(sum(arc_km) filter (aboard_before > 0), 0)
                + case when any_value(aboard_at_end) > 0 then greatest(0, any_value(route_km) - sum(arc_km)) else 0 end end as loaded_km,
        any_value(route_km) as arcs_km
    from aboard group by route_id
)
select route_id, peak_kg, peak_m3, peak_pieces, planned_stops_driven, stops_in_order,
    case when all_planned and stops_in_order = planned_stops_driven then loaded_km end as loaded_km, arcs_km
from peak left join sequence using (route_id) left join loaded using (route_id);
