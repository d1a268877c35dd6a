"""Times learned from the operation itself: what its vans took between stops, by zone and hour, and at them, by service."""

from __future__ import annotations

import os
from datetime import date, timedelta
from typing import Any

import pandas as pd

from lastmile import queries
from lastmile.errors import NotPossible
from lastmile.routing.travel import CIRCUITY, Travel
from lastmile.routing.travel.choosing import travel_from
from lastmile.routing.travel.learning import Learned, by_hour_and_zone, learned
from lastmile.store import Store

SERVICE = "LASTMILE_TRAVEL"
SERVICE_KEY = "LASTMILE_TRAVEL_KEY"
SERVICE_TABLE = "LASTMILE_TRAVEL_TABLE"
"""The settings: which road network is asked, with which key, and how many places wide a request may be."""

DAYS = 14
NEAR_DEPOT_KM = 60.0
"""Legs that begin further from a depot than this are driven in other streets: nothing is learned from them for it."""

LEAST_STOPS = 200
"""Fewer stops of a service than this say too little about how long it takes."""


def fortnight_before(day: date) -> dict[str, date]:
    """The days that are learned from: the first and the last."""
    return {"day_from": day - timedelta(days=DAYS), "day_to": day - timedelta(days=1)}


def travel_for(model: Learned) -> Travel:
    """What is used for planning: the road network of the settings, with what was learned behind it, or the latter alone.

    Raises NotPossible where the setting can't be read.
    """
    setting, key, table = (os.environ.get(name, "") for name in (SERVICE, SERVICE_KEY, SERVICE_TABLE))
    try:
        return travel_from(setting, model.travel, key, table)
    except ValueError as error:
        raise NotPossible(f"The setting {SERVICE} can't be used: {error}.") from None


def learned_travel(store: Store, depot_id: str, *, day_from: date, day_to: date) -> Learned:
    """The travel model that the legs around a depot teach, with its misses on the last days, which it did not see."""
    legs = driven_legs(store, depot_id, day_from=day_from, day_to=day_to)
    return learned(legs, _circuity(store, depot_id, day_from, day_to))


def learned_by_hour(store: Store, depot_id: str, *, day_from: date, day_to: date) -> pd.DataFrame:
    """The rows behind a learned model: one per local hour and zone, with n legs, km/h and minutes that a leg is missed by."""
    legs = driven_legs(store, depot_id, day_from=day_from, day_to=day_to)
    found = learned(legs, _circuity(store, depot_id, day_from, day_to))
    return by_hour_and_zone(found, legs) if len(legs) else pd.DataFrame()


def driven_legs(store: Store, depot_id: str, *, day_from: date, day_to: date) -> pd.DataFrame:
    """One row per leg around a depot: day, hour (local, of leaving), lon, lat, next_lon, next_lat, straight_km, minutes.

    A leg lies between leaving a place and arriving at the next of the same route, both with a position. One under 200 m is
    parking, one slower than 8 km/h as the crow flies holds a break or a missing scan: both are left out.
    """
    return store.ask(
        _LEGS
        + """
        select day, hour, lon, lat, next_lon, next_lat, straight_km, minutes
        from leg where straight_km > 0.2 and minutes between 1 and 120 and straight_km / minutes > 8.0 / 60
        order by day, route_id, occurred_at
        """,
        **_around(store, depot_id, day_from, day_to),
    )


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
            from delivery where day between $day_from and $day_to and handed_over_at is not null and service_minutes > 0
        )
        where minutes between 0 and 120 group by service having count(*) >= $least
        """,
        **fortnight_before(day),
        least=LEAST_STOPS,
    )
    return dict(zip(found.service, found.factor, strict=True))


def _circuity(store: Store, depot_id: str, day_from: date, day_to: date) -> float:
    """Σ driven ÷ Σ great-circle kilometres of the routes that are known whole; the default where that makes no sense."""
    found = store.value(
        _LEGS
        + """
        select sum(driven_km) / sum(route_km) from (
            select route_id, any_value(driven_km) as driven_km, sum(straight_km) as route_km
            from leg join route_run using (route_id)
            group by route_id having bool_and(straight_km is not null) and any_value(driven_km) is not null
        )
        """,
        **_around(store, depot_id, day_from, day_to),
    )
    return CIRCUITY if found is None or not 1 <= found <= 3 else float(found)


def _around(store: Store, depot_id: str, day_from: date, day_to: date) -> dict[str, Any]:
    """The parameters of `_LEGS`; a depot without a place learns from all legs."""
    depots = queries.depots(store).set_index("depot_id")
    known = depots.loc[depot_id] if depot_id in depots.index else None
    placed = known is not None and pd.notna(known.lon)
    return {
        "zone": known.zone if known is not None and pd.notna(known.zone) else "UTC",
        "depot_lon": float(known.lon) if placed else None,
        "depot_lat": float(known.lat) if placed else None,
        "within_km": NEAR_DEPOT_KM,
        "day_from": day_from,
        "day_to": day_to,
    }


_LEGS = """
with placed as (
    select route_id, type, occurred_at, lon, lat,
        lead(type) over following as next_type, lead(occurred_at) over following as next_at,
        lead(lon) over following as next_lon, lead(lat) over following as next_lat
    from event
    where type in ('departed_stop', 'arrived', 'departed_depot', 'returned_to_depot') and route_id is not null
      and occurred_at >= timezone($zone, $day_from::timestamp)
      and occurred_at < timezone($zone, $day_to::timestamp + interval 1 day)
      and (import_id is null or import_id not in (select import_id from undone_import))
    window following as (partition by route_id order by occurred_at, type)
),
leg as (
    select *, (occurred_at at time zone $zone)::date as day, hour(occurred_at at time zone $zone) as hour,
        metres_between(lon, lat, next_lon, next_lat) / 1000 as straight_km, minutes_between(occurred_at, next_at) as minutes
    from placed
    where type in ('departed_stop', 'departed_depot') and next_type in ('arrived', 'returned_to_depot')
      and ($depot_lon is null or metres_between(lon, lat, $depot_lon, $depot_lat) <= 1000 * $within_km)
)
"""
