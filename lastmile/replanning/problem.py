"""What is left of a depot's day at an instant, as a routing problem."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pandas as pd

from lastmile import queries
from lastmile.errors import NotPossible
from lastmile.model import Criticality, Scope, WindowSemantics
from lastmile.replanning.travel import fortnight_before, learned_service, learned_travel, travel_for
from lastmile.routing import Break, Problem, Rates, Stop, VehicleShift
from lastmile.routing.travel.learning import Learned
from lastmile.store import Store

DIMENSIONS = {"kg": "weight_kg", "m3": "volume_m3", "pieces": "pieces"}

PRICE_PER_LATE_MINUTE = {
    Criticality.ROUTINE: 0.5,
    Criticality.TIME_CRITICAL: 2.0,
    Criticality.REGULATED: 3.0,
    Criticality.MILESTONE: 4.0,
}
"""What a minute beyond the promise is taken to cost, in the depot's currency. An assumption, by criticality, that makes
a plan keep the dearer promise first; the penalty of the booking comes on top of it, spread over its first half hour."""

PENALTY_SPREAD_MINUTES = 30.0
DEFAULT_SERVICE_MINUTES = 4.0


@dataclass(frozen=True)
class OpenDay:
    """A depot's day at an instant: the problem, the plan it starts from, and which deliveries each stop serves."""

    problem: Problem
    depot_id: str
    day: date
    at: datetime
    parent_plan_id: str
    version: int
    stops: pd.DataFrame
    done: pd.DataFrame
    fleet: pd.DataFrame
    learned: Learned


def open_day(
    store: Store, depot_id: str, day: date, at: datetime, *, allow_transfers: bool, out_of_service: tuple[str, ...] = ()
) -> OpenDay:
    """What remains to be driven for a depot at an instant: executed stops and the one being driven to stay as they are.

    So does a stop that its van has passed without a scan: it is done and its scan is missing, or the driver knows why not.
    Goods on a van on the road stay on it unless `allow_transfers`. `out_of_service` names vehicles that drive no more,
    besides those that broke down. Raises NotPossible where no plan is in force.
    """
    plan = _plan_in_force(store, depot_id, day)
    stops = queries.stops(store, at, day, Scope(depots=(depot_id,)))
    stops = stops[stops.plan_id.notna()]
    fleet = _fleet(store, plan.plan_id, depot_id, day, at)
    broken = set(fleet.vehicle_id[fleet.broke_down_at.notna()]) | set(out_of_service)
    rows = pd.concat(
        [_details(store, stops[~stops.done & ~stops.passed]), _unplanned(store, depot_id, day, stops)],
        ignore_index=True,
    )
    rows = rows[rows.state != "cancelled"]
    rows["stop_id"] = _stop_ids(rows)
    committed = _committed(rows, broken)
    learned = learned_travel(store, depot_id, **fortnight_before(day))
    factors = rows.service.map(learned_service(store, day)).fillna(1.0)
    rows["service_minutes"] = rows.service_minutes.fillna(DEFAULT_SERVICE_MINUTES) * factors
    problem = Problem(
        stops=tuple(_stop(group, allow_transfers, broken) for _, group in rows.groupby("stop_id", sort=False)),
        vehicles=tuple(
            _vehicle(row, rows, committed, allow_transfers)
            for row in fleet.itertuples()
            if row.vehicle_id not in broken
        ),
        instant=at.timestamp(),
        travel=travel_for(learned),
        currency=fleet.currency.dropna().iloc[0] if fleet.currency.notna().any() else "EUR",
        zone=fleet.zone.dropna().iloc[0] if fleet.zone.notna().any() else "UTC",
    )
    version = store.value(
        "select max(version) from plan where depot_id = $depot and day = $day", depot=depot_id, day=day
    )
    return OpenDay(
        problem,
        depot_id,
        day,
        at,
        plan.plan_id,
        int(version) + 1,
        rows,
        stops[stops.done | stops.passed],
        fleet,
        learned,
    )


def _plan_in_force(store: Store, depot_id: str, day: date) -> Any:
    found = queries.plans(store, day, Scope(depots=(depot_id,)))
    found = found[found.in_force.fillna(False)] if len(found) else found
    if found.empty:
        raise NotPossible(f"No plan is in force for {depot_id} on {day:%d %b %Y}; there is nothing to re-optimize.")
    return next(found.itertuples())


def _stop_ids(rows: pd.DataFrame) -> list[str]:
    """Deliveries that a route serves at one stop stay together, but where they were promised different windows."""
    ids = [row.delivery_id if pd.isna(row.stop) else f"{row.route_id} · {int(row.stop)}" for row in rows.itertuples()]
    windows = rows.assign(id=ids).groupby("id")[["window_from", "window_due"]].nunique(dropna=False).max(axis=1)
    return [
        f"{id} · {delivery_id}" if windows[id] > 1 else id
        for id, delivery_id in zip(ids, rows.delivery_id, strict=True)
    ]


def _details(store: Store, stops: pd.DataFrame) -> pd.DataFrame:
    """Open stops with what only the delivery knows: volume, pieces, skills, service time."""
    details = store.ask(
        "select delivery_id, volume_m3, pieces, skills, service_minutes from delivery "
        "where delivery_id in (select unnest($ids))",
        ids=stops.delivery_id.tolist(),
    )
    return stops.merge(details, on="delivery_id", how="left")


def _unplanned(store: Store, depot_id: str, day: date, planned: pd.DataFrame) -> pd.DataFrame:
    """Deliveries of the depot and day that no route of the plan in force holds, such as urgent orders."""
    return store.ask(
        """
        select delivery_id, depot_id, carrier_id, service, criticality, recipient, address, lon, lat, weight_kg, volume_m3,
            pieces, skills, service_minutes, state, window_from, window_due, window_semantics, late_minutes, penalty
        from delivery
        where depot_id = $depot and day = $day and not resolved and kind = 'delivery'
          and delivery_id not in (select unnest($planned))
        """,
        depot=depot_id,
        day=day,
        planned=planned.delivery_id.tolist(),
    ).assign(route_id=None, vehicle_id=None, stop=float("nan"), arrived_at=pd.NaT, loaded_at=pd.NaT, departed_at=pd.NaT)


def _fleet(store: Store, plan_id: str, depot_id: str, day: date, at: datetime) -> pd.DataFrame:
    """One row per vehicle of the plan in force and on standby: place, shift, rates, capacities, skills and progress."""
    return store.ask(
        """
        with known_vehicle as (from vehicle qualify row_number() over (partition by vehicle_id order by recorded_at desc) = 1),
        known_driver as (from driver qualify row_number() over (partition by driver_id order by recorded_at desc) = 1),
        known_depot as (from depot qualify row_number() over (partition by depot_id order by recorded_at desc) = 1),
        card as (
            from rate_card where valid_from <= $day
            qualify row_number() over (partition by carrier_id order by valid_from desc, recorded_at desc) = 1
        ),
        working as (from shift where day = $day qualify row_number() over (partition by vehicle_id order by recorded_at desc) = 1),
        -- the routes of the plan, and the vehicles that stand by: of the depot, on a shift, without a route
        standing_by as (
            select known_vehicle.vehicle_id || '-' || strftime($day::date, '%Y%m%d') as route_id, known_vehicle.vehicle_id,
                working.driver_id, known_vehicle.carrier_id, known_vehicle.depot_id, working.shift_id,
                greatest(working.starts_at, $at) as departs_at, working.ends_at as returns_at
            from known_vehicle join working using (vehicle_id)
            where known_vehicle.depot_id = $depot
              and known_vehicle.vehicle_id not in (select vehicle_id from route where plan_id = $plan_id)
        ),
        driving as (
            select route_id, vehicle_id, driver_id, carrier_id, depot_id, shift_id, departs_at, returns_at
            from route where plan_id = $plan_id and depot_id = $depot
            union all by name from standing_by
        )
        select driving.route_id, driving.vehicle_id, driving.driver_id, driving.carrier_id, driving.shift_id, driving.departs_at,
            driving.returns_at, now_state.lon, now_state.lat, now_state.departed_at, now_state.broke_down_at,
            now_state.returned_at, known_depot.lon as depot_lon, known_depot.lat as depot_lat, known_depot.zone,
            known_depot.currency, known_vehicle.capacity_kg, capacity_m3, capacity_pieces,
            list_distinct(coalesce(known_vehicle.skills, []) || coalesce(known_driver.skills, [])) as skills,
            working.starts_at, working.ends_at, working.break_minutes, working.break_from, working.break_due,
            working.overtime_minutes, per_day, per_hour, per_overtime_hour, per_km, per_stop, minimum_per_route
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
    )


def _committed(rows: pd.DataFrame, broken: set[str]) -> dict[str, str]:
    """The stop that each van on the road is at or drives to."""
    driving = rows[rows.departed_at.notna() & rows.stop.notna() & ~rows.vehicle_id.isin(list(broken))]
    nearest = driving.sort_values("stop").drop_duplicates("vehicle_id")
    return dict(zip(nearest.vehicle_id, nearest.stop_id, strict=True))


def _stop(group: pd.DataFrame, allow_transfers: bool, broken: set[str]) -> Stop:
    first = group.iloc[0]
    opens, closes = group.window_from.max(), (group.window_due + _minutes(group.late_minutes)).min()
    stranded = first.vehicle_id in broken
    planned = pd.notna(first.stop)
    return Stop(
        stop_id=first.stop_id,
        lon=_or_none(first.lon),
        lat=_or_none(first.lat),
        delivery_ids=tuple(group.delivery_id),
        service_seconds=60 * float(group.service_minutes.sum()),
        opens=_epoch(opens),
        closes=_epoch(closes),
        semantics=WindowSemantics(first.window_semantics or WindowSemantics.SERVICE_START),
        price_per_late_minute=_late_price(group),
        demand={name: float(group[column].fillna(0).sum()) for name, column in DIMENSIONS.items()},
        required_skills=frozenset(skill for skills in group.skills for skill in _listed(skills)),
        criticality=Criticality(first.criticality or Criticality.ROUTINE),
        transferable=allow_transfers or stranded or not planned or pd.isna(first.departed_at),
        present_vehicle_id=first.vehicle_id if planned and not stranded else None,
        present_position=int(first.stop) if planned else None,
    )


def _late_price(group: pd.DataFrame) -> float:
    criticality = [Criticality(value or Criticality.ROUTINE) for value in group.criticality]
    penalty = float(group.penalty.fillna(0).max())
    return max(PRICE_PER_LATE_MINUTE[one] for one in criticality) + penalty / PENALTY_SPREAD_MINUTES


def _vehicle(row: Any, rows: pd.DataFrame, committed: dict[str, str], allow_transfers: bool) -> VehicleShift:
    on_road = pd.notna(row.departed_at)
    place = (row.lon, row.lat) if on_road and pd.notna(row.lon) else (row.depot_lon, row.depot_lat)
    aboard = rows[(rows.vehicle_id == row.vehicle_id) & on_road]
    starts = row.departs_at if pd.isna(row.starts_at) else row.starts_at
    ends = row.returns_at if pd.isna(row.ends_at) else row.ends_at
    return VehicleShift(
        vehicle_id=row.vehicle_id,
        lon=float(place[0]),
        lat=float(place[1]),
        shift_start=starts.timestamp(),
        shift_end=ends.timestamp(),
        available_from=None if on_road else row.departs_at.timestamp(),
        max_overtime_seconds=60 * _number(row.overtime_minutes),
        end_lon=_or_none(row.depot_lon),
        end_lat=_or_none(row.depot_lat),
        capacity={
            name: float(getattr(row, f"capacity_{name}"))
            for name in DIMENSIONS
            if pd.notna(getattr(row, f"capacity_{name}"))
        },
        skills=frozenset(_listed(row.skills)),
        pause=_pause(row),
        rates=Rates(
            per_day=_number(row.per_day),
            per_hour=_number(row.per_hour),
            per_overtime_hour=_number(row.per_overtime_hour),
            per_km=_number(row.per_km),
            per_stop=_number(row.per_stop),
        ),
        in_use=on_road,
        departed=on_road and not allow_transfers,
        loaded_stop_ids=frozenset() if allow_transfers else frozenset(aboard.stop_id),
        committed_stop_ids=(committed[row.vehicle_id],) if row.vehicle_id in committed else (),
    )


def _pause(row: Any) -> Break | None:
    """The break, where it lies wholly ahead or its span is open; a break whose latest start has passed counts as taken."""
    if pd.isna(row.break_from) or not _number(row.break_minutes):
        return None
    return Break(60 * float(row.break_minutes), row.break_from.timestamp(), row.break_due.timestamp())


def _minutes(values: pd.Series) -> pd.Series:
    return pd.to_timedelta(values.fillna(0), unit="min")


def _epoch(instant: Any) -> float | None:
    return None if pd.isna(instant) else instant.timestamp()


def _or_none(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)


def _number(value: Any) -> float:
    return 0.0 if pd.isna(value) else float(value)


def _listed(values: Any) -> list[str]:
    return [] if values is None or (isinstance(values, float) and pd.isna(values)) else list(values)
