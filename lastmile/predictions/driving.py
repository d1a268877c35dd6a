"""The rest of each route as it would go at learned paces: legs, breaks, waits for windows, services. All routes at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lastmile.predictions.model import Paces

NEAR_KM = 0.2
"""A van whose last fix lies within this of the stop that it has come to is still there."""

LEGS_OF_A_DAY = 40.0
"""A day's pace is drawn to a usual one as if so many usual legs had been driven on it."""

KEY = ["instant", "plan_id", "route_id"]
EARTH_KM = 6371.0088


@dataclass(frozen=True)
class Course:
    """A state in driving order with what becomes of it, in minutes after the instant: arrivals, starts of service, ends."""

    stops: pd.DataFrame
    arrives: np.ndarray
    starts: np.ndarray
    leaves: np.ndarray


def course(stops: pd.DataFrame, paces: Paces) -> Course:
    """Drive what is left of every route of a state; FIFO: nothing is reached before the stop ahead of it.

    All times in minutes after each row's instant.
    """
    stops = stops.sort_values([*KEY, "stop", "arrive_at", "delivery_id"], kind="stable", ignore_index=True)
    rows = _Rows.of(stops, paces)
    arrives, starts, leaves = (np.full(len(stops), np.nan) for _ in range(3))
    first = rows.nth == 0
    at = np.flatnonzero(first)
    now, rested = rows.set_off[at], rows.rested[at]
    for nth in range(int(rows.nth.max(initial=-1)) + 1):
        if nth:
            on = rows.length[at] > nth
            at, now, rested = at[on] + 1, now[on], rested[on]
        arrive, rested = _reach(rows, at, now, rested, nth)
        start = np.maximum(arrive, rows.opens[at])
        leave = np.where(rows.together[at], np.maximum(now, start), start + rows.work[at])
        leave = np.where(rows.here[at], np.maximum(leave, 0.0), leave)
        arrives[at], starts[at], leaves[at] = arrive, start, leave
        now = leave
    return Course(stops, arrives, starts, leaves)


def _reach(rows: _Rows, at: np.ndarray, now: np.ndarray, rested: np.ndarray, nth: int) -> tuple[np.ndarray, np.ndarray]:
    """Arrivals at the next stop of each route, and whether its break has been taken by then."""
    due = ~rested & (now >= rows.break_from[at]) & ~rows.together[at]
    arrive = now + np.where(rows.together[at], 0.0, rows.leg[at])
    pause = np.where(due, np.maximum(0.0, rows.pause[at] - np.maximum(0.0, rows.opens[at] - arrive)), 0.0)
    arrive = arrive + pause
    if nth == 0:
        arrive = np.where(rows.serving[at], rows.visited[at], arrive)
        seen = ~np.isnan(rows.from_fix[at]) & ~rows.serving[at] & ~due
        arrive = np.where(seen, rows.from_fix[at], arrive)
    return arrive, rested | due


@dataclass(frozen=True)
class _Rows:
    """What driving needs of each row, in minutes after its instant where it is a time."""

    nth: np.ndarray
    length: np.ndarray
    set_off: np.ndarray
    rested: np.ndarray
    leg: np.ndarray
    work: np.ndarray
    opens: np.ndarray
    together: np.ndarray
    serving: np.ndarray
    visited: np.ndarray
    here: np.ndarray
    break_from: np.ndarray
    pause: np.ndarray
    from_fix: np.ndarray

    @classmethod
    def of(cls, stops: pd.DataFrame, paces: Paces) -> _Rows:
        grouped = stops.groupby(KEY, sort=False)
        nth = grouped.cumcount().to_numpy()
        length = grouped.delivery_id.transform("size").to_numpy()
        last_free, prior_free = after(stops, "last_free_at"), after(stops, "prior_free_at")
        serving = stops.serving.to_numpy(dtype=bool) & (nth == 0)
        leg, work = leg_minutes(stops, paces), service_minutes(stops, paces)
        break_from, pause = _breaks(stops, nth)
        known = np.where(serving, last_free, prior_free)
        visited, fix = after(stops, "visited_at"), after(stops, "fix_at")
        away = _km(stops.fix_lon, stops.fix_lat, stops.lon, stops.lat)
        set_off = _set_off(stops, paces)
        return cls(
            nth, length, set_off,
            rested=np.nan_to_num(known, nan=-np.inf) >= break_from,
            leg=leg, work=work, opens=_opens(stops, paces),
            together=(nth > 0) & (stops.stop.to_numpy() == stops.stop.shift().to_numpy())
            & (stops.arrive_at == stops.arrive_at.shift()).to_numpy(),
            serving=serving, visited=visited,
            here=serving & ~((fix > visited) & (away > NEAR_KM)),
            break_from=break_from, pause=pause,
            from_fix=_from_fix(stops, paces, leg, away, fix, set_off),
        )  # fmt: skip


def after(stops: pd.DataFrame, column: str) -> np.ndarray:
    """An instant of each row in minutes after the row's own instant; NaN where it is not known."""
    return ((stops[column] - stops.instant) / pd.Timedelta(minutes=1)).to_numpy(dtype=float)


def leg_minutes(stops: pd.DataFrame, paces: Paces) -> np.ndarray:
    """What the leg to each stop takes: planned driving at the learned pace of the hour that it is planned for, and area."""
    planned = stops.drive_minutes.fillna(stops.gap_minutes).to_numpy(dtype=float)
    minutes_of_day = stops.arrive_at.dt.hour * 60 + stops.arrive_at.dt.minute + stops.utc_offset_minutes
    late = stops.delay_minutes.fillna(0.0).clip(-60, 240)
    hour = ((minutes_of_day - planned + late) // 60 % 24).fillna(12).astype(int)
    by_hour, by_area = _of(paces.leg_by_hour, hour), _of(paces.leg_by_area, stops.area)
    return planned * paces.leg * by_hour * by_area * pace_of_day(stops, paces)


def pace_of_day(stops: pd.DataFrame, paces: Paces) -> np.ndarray:
    """How slow this day's legs have been so far, against a usual day's by the same hour, drawn to 1 while they are few."""
    usual = _of(paces.day_so_far, stops.instant.dt.hour)
    taken = (stops.day_leg_minutes / stops.day_leg_planned).to_numpy(dtype=float) / usual
    legs = stops.day_legs.to_numpy(dtype=float)
    return np.where(legs > 0, (np.nan_to_num(taken, nan=1.0) * legs + LEGS_OF_A_DAY) / (legs + LEGS_OF_A_DAY), 1.0)


def service_minutes(stops: pd.DataFrame, paces: Paces) -> np.ndarray:
    """What each service takes: as planned, times the learned factors of service, driver and site."""
    planned = ((stops.depart_at - stops.service_at) / pd.Timedelta(minutes=1)).to_numpy(dtype=float)
    return (
        planned
        * _of(paces.service, stops.service)
        * _of(paces.service_by_driver, stops.driver_id)
        * _of(paces.service_by_site, stops.site_id)
    )


def _of(factors: object, keys: pd.Series) -> np.ndarray:
    """The factor of each key; 1 where none was learned."""
    codes, known = pd.factorize(keys)
    values = np.array([factors.get(key, 1.0) for key in known] + [1.0])
    return values[codes]


def _opens(stops: pd.DataFrame, paces: Paces) -> np.ndarray:
    """When service may begin: where the plan waits, or where the window is for its start; less what drivers begin before."""
    planned_wait = (stops.service_at - stops.arrive_at) > pd.Timedelta(seconds=30)
    begins = stops.window_semantics == "service_start"
    opens = stops.window_from.where(begins, stops.service_at.where(planned_wait))
    codes, known = pd.factorize(stops.service)
    early = np.array([paces.opening.get(key, 0.0) for key in known] + [0.0])[codes]
    minutes = ((opens - stops.instant) / pd.Timedelta(minutes=1)).to_numpy(dtype=float)
    return np.nan_to_num(minutes - early, nan=-np.inf)


def _breaks(stops: pd.DataFrame, nth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """From when a break is taken, and how long it is: by the shift, or where the plan has one. Without either, never."""
    planned = (stops.gap_minutes - stops.drive_minutes).fillna(0.0).to_numpy(dtype=float)
    begins = after(stops, "break_from")
    pause = stops.break_minutes.to_numpy(dtype=float)
    told = ~np.isnan(begins) & ~np.isnan(pause)
    planned_begins = np.where(
        planned >= 5.0, ((stops.arrive_at - stops.instant) / pd.Timedelta(minutes=1)).to_numpy(dtype=float), np.inf
    )
    route = np.cumsum(nth == 0) - 1
    earliest = np.full(int(route[-1]) + 1 if len(route) else 0, np.inf)
    longest = np.zeros(len(earliest))
    np.minimum.at(earliest, route, planned_begins - planned - 10.0)
    np.maximum.at(longest, route, np.where(planned >= 5.0, planned, 0.0))
    return np.where(told, begins, earliest[route]), np.where(told, pause, longest[route])


def _set_off(stops: pd.DataFrame, paces: Paces) -> np.ndarray:
    """When the van left the place it was last known to leave; from the depot as planned or, overdue, in a while."""
    left, out = after(stops, "last_free_at"), after(stops, "left_depot_at")
    planned = after(stops, "departs_at") + paces.late_start
    from_depot = np.where(planned > 0.0, planned, paces.overdue_rest)
    return np.where(~np.isnan(left), left, np.where(~np.isnan(out), out, from_depot))


def _from_fix(
    stops: pd.DataFrame, paces: Paces, leg: np.ndarray, away: np.ndarray, fix: np.ndarray, set_off: np.ndarray
) -> np.ndarray:
    """Arrival at the next stop by where the van was seen since it set off; NaN where it was not."""
    planned = stops.drive_minutes.fillna(stops.gap_minutes).to_numpy(dtype=float)
    pace = np.divide(leg, planned, out=np.ones(len(leg)), where=planned > 0)
    left = np.minimum(leg, away * paces.minutes_per_km * pace)
    on_road = stops.left_depot_at.notna().to_numpy() | stops.last_free_at.notna().to_numpy()
    return np.where(on_road & (fix > set_off) & ~np.isnan(away), fix + left, np.nan)


def _km(lon_a: pd.Series, lat_a: pd.Series, lon_b: pd.Series, lat_b: pd.Series) -> np.ndarray:
    """Great-circle kilometres over short distances, on a sphere of 6371.0088 km (IUGG mean radius)."""
    lat_a, lat_b = np.radians(lat_a.to_numpy(dtype=float)), np.radians(lat_b.to_numpy(dtype=float))
    x = np.radians(lon_b.to_numpy(dtype=float) - lon_a.to_numpy(dtype=float)) * np.cos((lat_a + lat_b) / 2)
    return EARTH_KM * np.hypot(x, lat_b - lat_a)
