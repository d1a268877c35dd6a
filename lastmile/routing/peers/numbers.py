"""A problem as plain whole numbers, the way PyVRP and VROOM want it: places, jobs, kinds of vehicles.

What they can't say is refused before.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lastmile.routing.obstacles import problems_of
from lastmile.routing.peers.saying import refuse_unsaid
from lastmile.routing.problem import Problem
from lastmile.routing.timing import RouteTimer

FINE = 1_000
"""Units of cost per unit of money where the problem's own costs are not whole numbers already."""

LOAD = 1_000
"""Units of load per kg, m3 or piece where demands are not whole numbers already."""

NEVER = 2**40
"""Later than any end of a shift, and more than any vehicle holds."""


@dataclass(frozen=True)
class Job:
    """A stop: its place, load by dimension, the span in which service starts, its length, the price of leaving it out.

    A stop that a vehicle is committed to is reached from one place alone, `after`: where that vehicle then is.
    """

    stop_id: str
    place: int
    load: tuple[int, ...]
    opens: int
    closes: int
    service: int
    price: int
    after: int | None


@dataclass(frozen=True)
class Van:
    """A vehicle: where it starts and ends (places), from when, until when, how much it holds."""

    vehicle_id: str
    start: int
    end: int
    ready: int
    due: int
    room: tuple[int, ...]

    @property
    def kind(self) -> tuple:
        """Vehicles of one kind are the same to an engine."""
        return (self.start, self.end, self.ready, self.due, self.room)


@dataclass(frozen=True)
class Numbers:
    """The whole problem: costs and durations between places (n × n), jobs at the first places, then vans' places.

    Durations and times are whole seconds since the problem's instant. Legs that only a committed stop's own vehicle may
    drive are `forbidden` (true where nobody may).
    """

    costs: np.ndarray
    durations: np.ndarray
    forbidden: np.ndarray
    jobs: tuple[Job, ...]
    vans: tuple[Van, ...]
    positions: np.ndarray

    @property
    def prohibitive(self) -> int:
        """A cost above whatever a plan could save."""
        return int(10 * max(self.costs.max(initial=1), max((job.price for job in self.jobs), default=1)))


def numbers_of(problem: Problem) -> Numbers:
    """The problem in whole numbers; raises NotSaid."""
    refuse_unsaid(problem)
    timer = RouteTimer(problem)
    impossible = problems_of(problem)
    stops = [index for index, stop in enumerate(problem.stops) if stop.stop_id not in impossible]
    places, starts, ends = _places(problem, stops)
    pairs = np.ix_(places, places)
    km = problem.matrix.km[pairs].astype(float) * _per_km(problem)
    scale = 1 if np.array_equal(km, np.rint(km)) else FINE
    before = _before_committed(problem, starts, stops)
    jobs = tuple(_job(timer, stop, number, scale, before) for number, stop in enumerate(stops))
    return Numbers(
        costs=np.rint(km * scale).astype(np.int64),
        durations=problem.matrix.mean[pairs].astype(np.int64),
        forbidden=_forbidden(len(places), jobs),
        jobs=jobs,
        vans=tuple(_van(timer, v, starts[v], ends[v]) for v in range(len(problem.vehicles))),
        positions=_positions(problem, places),
    )


def _per_km(problem: Problem) -> float:
    return next((vehicle.rates.per_km for vehicle in problem.vehicles), 1.0)


def _places(problem: Problem, stops: list[int]) -> tuple[np.ndarray, list[int], list[int]]:
    """The problem's places without repeats, and the number of each vehicle's start and end among them.

    Two places of vehicles are one where every leg to and from every stop is the same; a vehicle that is committed to a
    next stop has its start to itself.
    """
    places, known = list(stops), {}

    def number(place: int, alone: bool) -> int:
        key = place if alone else _legs(problem, place, stops)
        if key not in known:
            known[key] = len(places)
            places.append(place)
        return known[key]

    fleet = range(len(problem.vehicles))
    starts = [number(problem.start_of(v), bool(problem.vehicles[v].committed_stop_ids)) for v in fleet]
    ends = [number(problem.end_of(v), False) for v in fleet]
    return np.array(places, dtype=int), starts, ends


def _legs(problem: Problem, place: int, stops: list[int]) -> bytes:
    matrix = problem.matrix
    return b"".join(
        legs.tobytes()
        for of_unit in (matrix.km, matrix.mean)
        for legs in (of_unit[place, stops], of_unit[stops, place])
    )


def _before_committed(problem: Problem, starts: list[int], stops: list[int]) -> dict[int, int]:
    """For each committed stop, the place from where its vehicle comes to it."""
    number = {stop: place for place, stop in enumerate(stops)}
    before = {}
    for vehicle, start in zip(problem.vehicles, starts, strict=True):
        comes_from = start
        for stop_id in vehicle.committed_stop_ids:
            stop = problem.stop_index[stop_id]
            before[stop], comes_from = comes_from, number[stop]
    return before


def _forbidden(places: int, jobs: tuple[Job, ...]) -> np.ndarray:
    forbidden = np.zeros((places, places), dtype=bool)
    for job in jobs:
        if job.after is not None:
            forbidden[:, job.place] = True
            forbidden[[job.after, job.place], job.place] = False
    return forbidden


def _job(timer: RouteTimer, stop: int, place: int, scale: int, before: dict[int, int]) -> Job:
    problem = timer.problem
    facts = problem.stops[stop]
    since = problem.instant
    hard = timer.terms.late_price[stop] is None
    opens = max(0, math.ceil(timer.terms.opens[stop] - since)) if timer.terms.opens[stop] > since else 0
    closes = math.floor(timer.terms.closes[stop] - since) if hard and math.isfinite(timer.terms.closes[stop]) else NEVER
    return Job(
        stop_id=facts.stop_id,
        place=place,
        load=tuple(_load(facts.demand.get(name, 0), math.ceil) for name in problem.dimensions),
        opens=opens,
        closes=closes,
        service=math.ceil(facts.service_seconds),
        price=round(problem.price_of_not_serving(facts) * scale),
        after=before.get(stop),
    )


def _van(timer: RouteTimer, vehicle: int, start: int, end: int) -> Van:
    since = timer.problem.instant
    ready = math.ceil(timer.terms.ready[vehicle] - since)
    return Van(
        vehicle_id=timer.problem.vehicles[vehicle].vehicle_id,
        start=start,
        end=end,
        ready=ready,
        due=max(ready, math.floor(timer.terms.must_end[vehicle] - since)),
        room=tuple(_load(timer.terms.room[vehicle][name], math.floor) for name in timer.problem.dimensions),
    )


def _load(amount: float, rounded: type[math.floor]) -> int:
    return NEVER if math.isinf(amount) else int(rounded(round(amount * LOAD, 3)))


def _positions(problem: Problem, places: np.ndarray) -> np.ndarray:
    """Longitude and latitude of each place; used by engines for display alone."""
    count = len(problem.stops)
    fleet = problem.vehicles
    known = {index: (stop.lon or 0.0, stop.lat or 0.0) for index, stop in enumerate(problem.stops)}
    known |= {count + v: (vehicle.lon, vehicle.lat) for v, vehicle in enumerate(fleet)}
    known |= {
        count + len(fleet) + v: (vehicle.end_lon or 0.0, vehicle.end_lat or 0.0) for v, vehicle in enumerate(fleet)
    }
    return np.array([known[int(place)] for place in places], dtype=float).reshape(-1, 2)
