"""What boxes in the vans tell: positions, and temperatures of the cooled ones."""

from __future__ import annotations

import numpy as np

from lastmile.twin import chance, city, fleet
from lastmile.twin.day import Day
from lastmile.twin.driving import Run
from lastmile.twin.rows import EventRows, jittered
from lastmile.twin.scans import route_id

READING_MINUTES = 15
STANDS_MINUTES = 45.0  # a broken van goes on telling where it stands until it is towed
FAULTS_PER_VEHICLE_DAY = 0.02
SET_CELSIUS = 4.8


def add_positions(rows: EventRows, opened: Day, step_minutes: int) -> None:
    """Where each van was, every `step_minutes`; the ticks of a longer step are among those of a shorter one."""
    parts = [_track(number, run, step_minutes) for number, run in opened.runs.items() if run.trace]
    if not parts:
        return
    number, at, x, y, speed = (np.concatenate(column) for column in zip(*parts, strict=True))
    vehicles = np.array([_said(opened, vehicle) for vehicle in fleet.vehicles()], dtype=object)[number]
    ordinal, minute = opened.day.toordinal(), at.astype(np.int64)
    lon, lat = jittered(opened.seed, "position", x, y, number, ordinal, minute)
    draws = chance.uniform(opened.seed, "position latency", number, ordinal, minute)
    slow = vehicles[:, 3] == "barnim"
    rows.add(
        "position",
        at,
        np.where(slow, 1.0 + 6.0 * draws, 0.05 + 0.5 * draws),
        route_id=vehicles[:, 0],
        vehicle_id=vehicles[:, 1],
        depot_id=vehicles[:, 2],
        source=vehicles[:, 3],
        status_source="api",
        lon=lon,
        lat=lat,
        accuracy_m=np.round(4.0 + 12.0 * draws, 1),
        payload=np.array([f'{{"speed_kmh": {kmh:.1f}}}' for kmh in speed], dtype=object),
    )


def _track(number: int, run: Run, step: int) -> tuple[np.ndarray, ...]:
    times, x, y = (np.array(column) for column in zip(*run.trace, strict=True))
    last = times[-1] + (STANDS_MINUTES if run.broke < float("inf") else 0.0)
    at = np.arange(np.ceil(times[0] / step) * step, last, step)
    x_at, y_at = np.interp(at, times, x), np.interp(at, times, y)
    moved = np.hypot(np.interp(at + 0.25, times, x) - np.interp(at - 0.25, times, x),
                     np.interp(at + 0.25, times, y) - np.interp(at - 0.25, times, y))  # fmt: skip
    return np.full(len(at), number), at, x_at, y_at, np.minimum(moved * city.DETOUR * 120.0, 95.0)


def add_readings(rows: EventRows, opened: Day) -> None:
    """Temperatures of the cooled vans every quarter of an hour; now and then the cooling fails for an hour or so."""
    for number, run in opened.runs.items():
        vehicle = fleet.vehicles()[number]
        if vehicle.service != "medical" or not run.trace:
            continue
        at = np.arange(np.ceil(run.trace[0][0] / READING_MINUTES) * READING_MINUTES, run.trace[-1][0], READING_MINUTES)
        celsius = _celsius(opened, number, at)
        route, vehicle_id, depot_id, source = _said(opened, vehicle)
        rows.add("condition_reading", at, 0.7, route_id=route, vehicle_id=vehicle_id, depot_id=depot_id, source=source,
                 status_source="api",
                 payload=np.array([f'{{"celsius": {value:.1f}}}' for value in celsius], dtype=object))  # fmt: skip


def _celsius(opened: Day, number: int, at: np.ndarray) -> np.ndarray:
    ordinal, seed = opened.day.toordinal(), opened.seed
    celsius = SET_CELSIUS + 0.5 * chance.normal(seed, "celsius", number, ordinal, at.astype(np.int64))
    if chance.uniform(seed, "cooling", number, ordinal) < FAULTS_PER_VEHICLE_DAY:
        begins = 540.0 + 300.0 * float(chance.uniform(seed, "cooling fails", number, ordinal))
        lasts = 40.0 + 60.0 * float(chance.uniform(seed, "cooling fails for", number, ordinal))
        celsius += 6.5 * np.exp(-(((at - begins - lasts / 2) / (lasts / 2)) ** 2))
    return np.clip(celsius, 2.4, 13.0)


def _said(opened: Day, vehicle: fleet.Vehicle) -> tuple[str, str, str, str]:
    source = fleet.CARRIERS[vehicle.carrier_id].source
    return route_id(vehicle.vehicle_id, opened.day), vehicle.vehicle_id, vehicle.depot_id, source
