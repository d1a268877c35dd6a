"""Times learned from the operation itself: what its vans took between stops, by hour of the day, and at them, by service."""

from __future__ import annotations

from datetime import date, timedelta

from lastmile.routing import GreatCircleTravel
from lastmile.routing.travel import CIRCUITY, SETTING_OFF_SECONDS, SPEED_KMH_BY_HOUR
from lastmile.store import Store

DAYS = 14
LEAST_LEGS = 200
"""Fewer legs in an hour of the day than this say too little: the default speed stays."""


def learned_travel(store: Store, day: date) -> tuple[GreatCircleTravel, int]:
    """The travel model of the fortnight before a day, and the number of legs it was learned from (0: the default).

    A leg is what lies between leaving a stop and arriving at the next of the same route, both with a place. The speed of
    an hour is Σ kilometres ÷ Σ driving hours of its legs; circuity is Σ driven ÷ Σ great-circle kilometres of the routes.
    """
    legs = store.ask(
        _LEGS, day_from=day - timedelta(days=DAYS), day_to=day, setting_off_minutes=SETTING_OFF_SECONDS / 60
    )
    if legs.empty or legs.legs.sum() < LEAST_LEGS:
        return GreatCircleTravel(), 0
    circuity = _circuity(store, day)
    speeds = list(SPEED_KMH_BY_HOUR)
    for hour in legs[legs.legs >= LEAST_LEGS].itertuples():
        speeds[int(hour.hour)] = float(hour.straight_km) * circuity / float(hour.hours)
    return GreatCircleTravel(circuity=circuity, speed_kmh_by_hour=tuple(speeds)), int(legs.legs.sum())


def learned_service(store: Store, day: date) -> dict[str, float]:
    """Service → what its stops took ÷ what was planned for them, over the fortnight before a day; only where enough is known.

    A stop takes from the start of service (the arrival where that is not told) to leaving; over two hours holds a break.
    """
    found = store.ask(
        """
        select service, sum(minutes) / sum(service_minutes) as factor
        from (
            select service, service_minutes,
                minutes_between(coalesce(service_started_at, arrived_at), departed_stop_at) as minutes
            from delivery where day >= $day_from and day < $day_to and handed_over_at is not null and service_minutes > 0
        )
        where minutes between 0 and 120 group by service having count(*) >= $least
        """,
        day_from=day - timedelta(days=DAYS),
        day_to=day,
        least=LEAST_LEGS,
    )
    return dict(zip(found.service, found.factor, strict=True))


def _circuity(store: Store, day: date) -> float:
    found = store.value(_DRIVEN, day_from=day - timedelta(days=DAYS), day_to=day)
    return CIRCUITY if found is None or not 1 <= found <= 3 else float(found)


_PLACED = """
with placed as (
    select route_id, type, occurred_at, lon, lat,
        lead(type) over following as next_type, lead(occurred_at) over following as next_at,
        lead(lon) over following as next_lon, lead(lat) over following as next_lat
    from event
    where type in ('departed_stop', 'arrived', 'departed_depot', 'returned_to_depot') and route_id is not null
      and occurred_at >= $day_from::date::timestamptz and occurred_at < $day_to::date::timestamptz
      and (import_id is null or import_id not in (select import_id from undone_import))
    window following as (partition by route_id order by occurred_at, type)
),
leg as (
    select *, metres_between(lon, lat, next_lon, next_lat) / 1000 as straight_km,
        minutes_between(occurred_at, next_at) as minutes
    from placed where type in ('departed_stop', 'departed_depot') and next_type in ('arrived', 'returned_to_depot')
)
"""

# Legs under 200 m are parking; those slower than 8 km/h as the crow flies hold a break or a missing scan.
_LEGS = (
    _PLACED
    + """
select hour(occurred_at at time zone depot.zone) as hour, count(*) as legs, sum(straight_km) as straight_km,
    sum(minutes - $setting_off_minutes) / 60 as hours
from leg join route_run using (route_id) join vehicle using (vehicle_id) join depot using (depot_id)
where straight_km > 0.2 and minutes between 1 and 120 and straight_km / minutes > 8.0 / 60
group by 1 order by 1
"""
)

_DRIVEN = (
    _PLACED
    + """
select sum(driven_km) / sum(route_km) from (
    select route_id, any_value(driven_km) as driven_km, sum(straight_km) as route_km
    from leg join route_run using (route_id)
    group by route_id having bool_and(straight_km is not null) and any_value(driven_km) is not null
)
"""
)
