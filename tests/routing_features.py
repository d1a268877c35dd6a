"""Every further feature of a problem, laid by chance over a random one."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lastmile.routing import (
    ChangeBudget,
    FairShare,
    Freedom,
    GreatCircleTravel,
    Pin,
    Policy,
    Problem,
    Stop,
    TravelMatrix,
    VehicleShift,
)

HOUR = 3600
PACES = (1.0, 1.4, 0.8)
"""How much longer a leg takes in each third of the day."""


@dataclass(frozen=True)
class ThirdsTravel:
    """Great-circle travel at a pace of its own in each third of the span."""

    def matrix(self, lon: np.ndarray, lat: np.ndarray, start: float, end: float, zone: str) -> TravelMatrix:
        plain = GreatCircleTravel().matrix(lon, lat, start, end, zone)
        seconds = np.stack([np.ceil(plain.mean * pace).astype(np.int32) for pace in PACES])
        third = (end - start) / 3
        return TravelMatrix(seconds, plain.km, (start + third, start + 2 * third), source="thirds of a day")


def enriched(problem: Problem, draw: random.Random) -> Problem:
    """The problem with windows, milestones, releases, pairs, pins, reloads, limits, a budget … wherever chance has it."""
    stops = _paired([_stop(draw, stop, problem.instant) for stop in problem.stops], problem, draw)
    fleet = [_vehicle(draw, vehicle, stops) for vehicle in problem.vehicles]
    with_trips = {vehicle.vehicle_id for vehicle in fleet if vehicle.max_reloads}
    return replace(
        problem,
        stops=tuple(
            _on_a_trip(draw, stop, problem) if stop.present_vehicle_id in with_trips else stop for stop in stops
        ),
        vehicles=tuple(fleet),
        policy=draw.choice(list(Policy)),
        freedom=draw.choice([Freedom.EVERYTHING, Freedom.EVERYTHING, Freedom.SEQUENCE, Freedom.TIMES]),
        budget=_budget(draw),
        fair_share=FairShare(draw.choice((4, 6, 8)), 12) if draw.random() < 0.4 else None,
        **({"travel": ThirdsTravel()} if draw.random() < 0.5 else {}),
    )


def _stop(draw: random.Random, stop: Stop, instant: float) -> Stop:
    more = {}
    if stop.closes is not None and draw.random() < 0.3:
        begins = stop.closes + draw.choice((1, 2)) * HOUR
        more["more_windows"] = ((begins, begins + HOUR),)
    if draw.random() < 0.25:
        more |= {"need_by": instant + draw.randrange(HOUR, 5 * HOUR, 900), "crew_price_per_minute": 2.0}
    if draw.random() < 0.25:
        more |= {"accepts_from": instant + draw.randrange(0, 3 * HOUR, 900), "price_per_early_minute": 0.4}
    if draw.random() < 0.2:
        more["released_at"] = instant + draw.randrange(-HOUR, 2 * HOUR, 900)
    if draw.random() < 0.1:
        more["allowed_vehicles"] = frozenset({"V0", "V1", "V2"})
    pinned = stop.present_vehicle_id is not None and draw.random() < 0.25
    return replace(stop, **more, pin=draw.choice(list(Pin)) if pinned else Pin.NONE)


def _paired(stops: Sequence[Stop], problem: Problem, draw: random.Random) -> list[Stop]:
    """About a quarter of the deliveries whose goods are nowhere yet are collected at a pickup or at another stop."""
    busy = set(problem.committed_to) | set(problem.holder)
    free = [i for i, stop in enumerate(stops) if stop.stop_id not in busy and stop.transferable]
    draw.shuffle(free)
    paired = list(stops)
    for collects, brings in zip(free[::8], free[1::8], strict=False):
        one, same = paired[collects], paired[brings]
        paired[collects] = replace(one, pickup=True, demand=same.demand, released_at=None)
        paired[brings] = replace(same, pickup=False, collected_at=one.stop_id, released_at=None)
    return paired


def _vehicle(draw: random.Random, vehicle: VehicleShift, stops: Sequence[Stop]) -> VehicleShift:
    pickups = {stop.stop_id for stop in stops if stop.pickup}
    more = {"service_pace": draw.choice((0.8, 1.0, 1.0, 1.25)), "loaded_stop_ids": vehicle.loaded_stop_ids - pickups}
    if draw.random() < 0.3:
        more |= {"max_route_seconds": draw.choice((5, 7)) * HOUR, "worked_seconds": 2 * HOUR if vehicle.in_use else 0}
    if draw.random() < 0.3:
        more |= {"max_route_km": draw.choice((60, 120)), "driven_km": 25 if vehicle.in_use else 0}
    if draw.random() < 0.5:
        more |= {"max_reloads": draw.choice((1, 2)), "reload_seconds": draw.choice((600, 1200))}
    if draw.random() < 0.3:
        more |= {"reload_lon": 11.62, "reload_lat": 48.16}
    return replace(vehicle, **more)


def _on_a_trip(draw: random.Random, stop: Stop, problem: Problem) -> Stop:
    """Some stops of a vehicle that may reload are on its second trip, if their goods are not on board already."""
    here = stop.stop_id in problem.committed_to or stop.stop_id in problem.holder
    return stop if here or draw.random() < 0.6 else replace(stop, present_trip=1)


def _budget(draw: random.Random) -> ChangeBudget:
    if draw.random() < 0.5:
        return ChangeBudget()
    return ChangeBudget(
        moved=draw.choice((None, 2, 6)),
        promises_broken=draw.choice((None, 1, 3)),
        goods_moved=draw.choice((None, 0, 2)),
        price_per_moved=draw.choice((0.0, 5.0)),
    )
