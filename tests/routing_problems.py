"""Problems that the routing tests share: one tiny enough for pencil and paper, and random ones by seed."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from lastmile.model import WindowSemantics
from lastmile.routing import Break, GivenTravel, Problem, Rates, Stop, TravelMatrix, VehicleShift
from tests.routing_features import enriched

EIGHT = 1_750_000_000 // 86_400 * 86_400 + 8 * 3600
"""08:00 UTC of a day."""
HOUR, MINUTE = 3600, 60
DEPOT = (11.58, 48.14)


def on_a_line(stop_km: Sequence[float], vehicles: int = 1, start_km: float = 0, reloads: bool = False) -> GivenTravel:
    """Travel along one straight road at 60 km/h: a km takes a minute; vehicles start at `start_km` and end at 0.

    With `reloads` there is a place at 0 where each vehicle reloads.
    """
    at = np.array([*stop_km, *[start_km] * vehicles, *[0] * vehicles * (1 + reloads)], dtype=float)
    km = np.abs(at[:, None] - at[None, :])
    return GivenTravel(TravelMatrix(km * 60, km))


def van(vehicle_id: str = "V1", **fields: object) -> VehicleShift:
    """A van at the depot, 08:00 to 16:00, at 30 an hour, 45 an overtime hour, 0.50 a km, 40 a day."""
    rates = Rates(per_day=40, per_hour=30, per_overtime_hour=45, per_km=0.5)
    plain = VehicleShift(
        vehicle_id, *DEPOT, EIGHT, EIGHT + 8 * HOUR, end_lon=DEPOT[0], end_lat=DEPOT[1], rates=rates,
        capacity={"kg": 100}, max_overtime_seconds=HOUR,
    )  # fmt: skip
    return replace(plain, **fields)


def drop(stop_id: str = "S1", **fields: object) -> Stop:
    """A stop of ten minutes that asks for 10 kg, at any time."""
    plain = Stop(stop_id, *DEPOT, (f"D-{stop_id}",), 10 * MINUTE, demand={"kg": 10}, price_of_not_serving=500.0)
    return replace(plain, **fields)


def line(
    stops: Sequence[Stop],
    stop_km: Sequence[float],
    vehicles: Sequence[VehicleShift] = (),
    start_km: float = 0,
    **fields: object,
) -> Problem:
    """Stops along the straight road, at 08:00; `fields` are the problem's own."""
    fleet = tuple(vehicles) or (van(),)
    travel = on_a_line(stop_km, len(fleet), start_km, any(one.max_reloads for one in fleet))
    return Problem(**({"stops": tuple(stops), "vehicles": fleet, "instant": EIGHT, "travel": travel} | fields))


def random_problem(
    seed: int, stops: int = 24, vehicles: int = 5, midday: bool | None = None, rich: bool = False
) -> Problem:
    """A random operation, with `midday` under way at 11:00.

    Windows, skills, breaks, rate cards, pickups and commitments are in each; `rich` adds all else that a problem can
    say (tests/routing_features.py).
    """
    draw = random.Random(seed)
    midday = draw.random() < 0.6 if midday is None else midday
    instant = EIGHT + (3 * HOUR if midday else 0)
    plan = _poor_plan(draw, stops, vehicles)
    drops = [_random_stop(draw, f"S{i}", plan.get(i), midday, instant) for i in range(stops)]
    fleet = [_random_vehicle(draw, index, drops, midday, instant) for index in range(vehicles)]
    problem = Problem(tuple(drops), tuple(fleet), instant, zone="Europe/Berlin")
    return enriched(problem, random.Random(f"features of {seed}")) if rich else problem


def _poor_plan(draw: random.Random, stops: int, vehicles: int) -> Mapping[int, tuple[str, int]]:
    """Nine of ten stops on any vehicle in any order: a plan that leaves much to be gained."""
    routed = [i for i in range(stops) if draw.random() < 0.9]
    return {i: (f"V{draw.randrange(vehicles)}", draw.randrange(100)) for i in routed}


def _random_stop(
    draw: random.Random, stop_id: str, place: tuple[str, int] | None, midday: bool, instant: float
) -> Stop:
    opens = instant + draw.randrange(0, 5 * HOUR, 900)
    windowed, hard = draw.random() < 0.6, draw.random() < 0.25
    return Stop(
        stop_id,
        DEPOT[0] + draw.uniform(-0.2, 0.2),
        DEPOT[1] + draw.uniform(-0.12, 0.12),
        (f"D-{stop_id}",),
        service_seconds=draw.randrange(120, 1200),
        opens=opens if windowed else None,
        closes=opens + draw.choice((1, 2, 4)) * HOUR if windowed else None,
        semantics=draw.choice(list(WindowSemantics)),
        price_per_late_minute=None if hard else draw.choice((0.2, 1.0, 3.0)),
        demand={"kg": draw.randrange(1, 60), "pieces": draw.randrange(1, 4)},
        pickup=draw.random() < 0.15,
        required_skills=frozenset({"cold"}) if draw.random() < 0.2 else frozenset(),
        forbidden_vehicles=frozenset({"V0"}) if draw.random() < 0.1 else frozenset(),
        price_of_not_serving=draw.choice((15.0, 150.0, 600.0, None)),
        transferable=not (midday and place and draw.random() < 0.3),
        present_vehicle_id=place[0] if place else None,
        present_position=place[1] if place else None,
    )


def _random_vehicle(
    draw: random.Random, index: int, stops: Sequence[Stop], midday: bool, instant: float
) -> VehicleShift:
    vehicle_id = f"V{index}"
    mine = sorted((s for s in stops if s.present_vehicle_id == vehicle_id), key=lambda s: s.present_position)
    returns = draw.random() < 0.8
    under_way = midday and draw.random() < 0.8
    pauses = _random_pauses(draw)
    return VehicleShift(
        vehicle_id,
        DEPOT[0] + (draw.uniform(-0.1, 0.1) if under_way else 0),
        DEPOT[1] + (draw.uniform(-0.1, 0.1) if under_way else 0),
        EIGHT,
        EIGHT + draw.choice((7, 8, 9)) * HOUR,
        available_from=instant + draw.randrange(0, 1800) if under_way else None,
        max_overtime_seconds=draw.choice((0, HOUR, 2 * HOUR)),
        end_lon=DEPOT[0] if returns else None,
        end_lat=DEPOT[1] if returns else None,
        capacity={"kg": draw.choice((150, 300, 500))} | ({"pieces": 25} if draw.random() < 0.5 else {}),
        load_on_board={"kg": 20} if under_way else {},
        skills=frozenset({"cold"}) if index % 2 else frozenset(),
        pauses=pauses,
        rates=Rates(draw.choice((40, 90)), draw.choice((18, 30)), 45, draw.choice((0.3, 0.6)), 1.5, minimum=25),
        in_use=under_way,
        departed=under_way and draw.random() < 0.3,
        loaded_stop_ids=frozenset(s.stop_id for s in mine if not s.pickup) if under_way else frozenset(),
        committed_stop_ids=tuple(s.stop_id for s in mine[:1]) if under_way and draw.random() < 0.5 else (),
    )  # fmt: skip


def _random_pauses(draw: random.Random) -> tuple[Break, ...]:
    """No break to three, in the morning, at noon and in the afternoon; what is behind a vehicle under way is overdue."""
    spans = [(900, 1.25, draw.choice((2.0, 3.75))), (1800, 3.5, 5.5), (900, draw.choice((4.0, 5.75)), 6.5)]
    taken = sorted(draw.sample(range(3), draw.choice((0, 1, 1, 2, 2, 3))))
    return tuple(Break(spans[i][0], EIGHT + spans[i][1] * HOUR, EIGHT + spans[i][2] * HOUR) for i in taken)
