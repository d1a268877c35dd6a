"""The vehicles of a depot's running day: where each is, its shift, its room, its rates, and what it has done so far."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any

import pandas as pd

from lastmile.replanning.asked import Asked
from lastmile.routing import Break, Rates, VehicleShift
from lastmile.store import Store

DIMENSIONS = {"kg": "weight_kg", "m3": "volume_m3", "pieces": "pieces"}

PUT_IN_AFTER_MINUTES = 30
"""A vehicle without a shift that is put in can leave this much later: a driver is called, and it is loaded. Assumption."""

RELOADING_SECONDS = 600.0
"""Back at the depot for the goods of the next trip, from arriving to leaving. Assumption."""


def fleet_of(
    store: Store, plan_id: str, depot_id: str, day: date, at: datetime, put_in: Collection[str] = ()
) -> pd.DataFrame:
    """One row per vehicle of the plan in force, on standby or put in: place, shift, rates, capacities, skills, progress."""
    return store.ask(
        """
        with known_vehicle as (from vehicle qualify row_number() over (partition by vehicle_id order by recorded_at desc) = 1),
        known_driver as (from driver qualify row_number() over (partition by driver_id order by recorded_at desc) = 1),
        known_depot as (from depot qualify row_number() over (partition by depot_id order by recorded_at desc) = 1),
        card as (
            from rate_card where valid_from <= $day
            qualify row_number() over (partition by carrier_id order by valid_from desc, recorded_at desc) = 1
        ),
        known_shift as (
            from shift where day = $day qualify row_number() over (partition by vehicle_id, shift_id order by recorded_at desc) = 1
        ),
        -- the shift that a vehicle works now, else its next, else its last
        working as (
            select *, count(*) filter (where ends_at > $at) over (partition by vehicle_id) as shifts_to_work
            from known_shift
            qualify row_number() over (
                partition by vehicle_id
                order by ends_at <= $at, case when ends_at > $at then epoch(starts_at) else -epoch(starts_at) end
            ) = 1
        ),
        planned as (from route where plan_id = $plan_id and depot_id = $depot),
        -- vehicles of the depot without a route: those on a shift stand by, those that somebody puts in get one until
        -- the last of the day ends
        standing_by as (
            select known_vehicle.vehicle_id || '-' || strftime($day::date, '%Y%m%d') as route_id, known_vehicle.vehicle_id,
                working.driver_id, known_vehicle.carrier_id, known_vehicle.depot_id, working.shift_id,
                case when working.vehicle_id is null then $at + to_minutes($put_in_after) else greatest(working.starts_at, $at) end
                    as departs_at,
                coalesce(working.ends_at, greatest((select max(returns_at) from planned), $at + interval 1 hour)) as returns_at
            from known_vehicle left join working using (vehicle_id)
            where known_vehicle.depot_id = $depot
              and (working.vehicle_id is not null or known_vehicle.vehicle_id in (select unnest($put_in)))
              and known_vehicle.vehicle_id not in (select vehicle_id from planned)
        ),
        driving as (
            select route_id, vehicle_id, driver_id, carrier_id, depot_id, shift_id, departs_at, returns_at from planned
            union all by name from standing_by
        )
        select driving.route_id, driving.vehicle_id, driving.driver_id, driving.carrier_id, driving.shift_id, driving.departs_at,
            driving.returns_at, now_state.lon, now_state.lat, now_state.departed_at, now_state.broke_down_at,
            now_state.returned_at, known_depot.lon as depot_lon, known_depot.lat as depot_lat, known_depot.zone,
            known_depot.currency, known_vehicle.name, known_vehicle.capacity_kg, capacity_m3, capacity_pieces,
            list_distinct(coalesce(known_vehicle.skills, []) || coalesce(known_driver.skills, [])) as skills,
            working.starts_at, working.ends_at, working.break_minutes, working.break_from, working.break_due,
            working.overtime_minutes, working.shifts_to_work, per_day, per_hour, per_overtime_hour, per_km, per_stop, minimum_per_route,
            driving.route_id not in (select route_id from planned) as stands_by
        from driving
        left join vehicle_state($at, null, $day::date) as now_state using (route_id)
        left join known_vehicle on known_vehicle.vehicle_id = driving.vehicle_id
        left join known_driver on known_driver.driver_id = driving.driver_id
        left join known_depot on known_depot.depot_id = driving.depot_id
        left join card on card.carrier_id = driving.carrier_id
        left join working on working.vehicle_id = driving.vehicle_id
        order by driving.vehicle_id
        """,
        plan_id=plan_id,
        depot=depot_id,
        day=day,
        at=at,
        put_in=list(put_in),
        put_in_after=PUT_IN_AFTER_MINUTES,
    )


def progress_of(planned: pd.DataFrame, done: Collection[str]) -> pd.DataFrame:
    """Route → `stops` and `km` behind it: the legs to its finished stops, as long as they were planned."""
    behind = planned[planned.delivery_id.isin(done)]
    return behind.groupby("route_id").agg(stops=("stop", "nunique"), km=("distance_km", "sum"))


def vehicle_shift(
    row: Any,
    rows: pd.DataFrame,
    committed: Mapping[str, tuple[str, ...]],
    progress: pd.DataFrame,
    pace: float,
    asked: Asked,
    at: datetime,
) -> VehicleShift:
    """A row of `fleet_of` as the vehicle of a problem; `rows` are the open deliveries with their stop_id."""
    on_road = pd.notna(row.departed_at)
    place = (row.lon, row.lat) if on_road and pd.notna(row.lon) else (row.depot_lon, row.depot_lat)
    aboard = rows[(rows.vehicle_id == row.vehicle_id) & on_road]
    starts = row.departs_at if pd.isna(row.starts_at) else row.starts_at
    ends = row.returns_at if pd.isna(row.ends_at) else row.ends_at
    worked = max(0.0, (at - row.departed_at).total_seconds()) if on_road else 0.0
    stops, km = tuple(progress.loc[row.route_id]) if row.route_id in progress.index else (0, 0.0)
    return VehicleShift(
        vehicle_id=row.vehicle_id,
        lon=float(place[0]),
        lat=float(place[1]),
        shift_start=min(starts, ends).timestamp(),
        shift_end=ends.timestamp(),
        available_from=None if on_road else row.departs_at.timestamp(),
        max_overtime_seconds=60 * _number(row.overtime_minutes),
        worked_seconds=worked,
        driven_km=_number(km),
        end_lon=_or_none(row.depot_lon),
        end_lat=_or_none(row.depot_lat),
        capacity={
            name: float(getattr(row, f"capacity_{name}"))
            for name in DIMENSIONS
            if pd.notna(getattr(row, f"capacity_{name}"))
        },
        skills=frozenset(_listed(row.skills)),
        service_pace=pace,
        pauses=_pauses(row, at),
        rates=_rates(row, on_road, worked, int(stops), _number(km)),
        in_use=on_road,
        departed=on_road and not asked.goods_may_move,
        max_reloads=1 if on_road and asked.reloads and pd.notna(row.depot_lon) else 0,
        reload_seconds=RELOADING_SECONDS if asked.reloads else 0,
        loaded_stop_ids=frozenset(aboard.stop_id),
        committed_stop_ids=committed.get(row.vehicle_id, ()),
    )


def _rates(row: Any, on_road: bool, worked: float, stops: int, km: float) -> Rates:
    """The rate card; of its minimum a route on the road has filled up what it has cost so far."""
    prices = {name: _number(getattr(row, name)) for name in ("per_day", "per_hour", "per_km", "per_stop")}
    so_far = prices["per_day"] + prices["per_hour"] * worked / 3600 + prices["per_km"] * km + prices["per_stop"] * stops
    return Rates(
        **prices,
        per_overtime_hour=_number(row.per_overtime_hour),
        minimum=max(0.0, _number(row.minimum_per_route) - (so_far if on_road else 0.0)),
    )


def _pauses(row: Any, at: datetime) -> tuple[Break, ...]:
    """The break of the shift that is still to come, if it has one with a time; the ledger has a place for no second one.

    No source tells that a break was taken: on the road, one that was due by now counts as taken, as it had to be.
    """
    if pd.isna(row.break_from) or not _number(row.break_minutes):
        return ()
    if pd.notna(row.departed_at) and row.break_due <= at:
        return ()
    return (Break(60 * float(row.break_minutes), row.break_from.timestamp(), row.break_due.timestamp()),)


def _or_none(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)


def _number(value: Any) -> float:
    return 0.0 if pd.isna(value) else float(value)


def _listed(values: Any) -> list[str]:
    return [] if values is None or (isinstance(values, float) and pd.isna(values)) else list(values)
