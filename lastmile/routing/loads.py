"""What a vehicle carries along a route, trip by trip, and where that is more than it has room for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lastmile.routing.terms import Terms

LOAD_TOLERANCE = 1e-6
"""Sums of decimal loads differ from the limit by rounding alone up to this."""


def check_loads(terms: Terms, vehicle: int, stops: Sequence[int]) -> tuple[dict[str, float], dict[str, float]]:
    """(largest load by dimension, excess over the room by dimension where there is one); -1 among stops is a reload."""
    aboard = terms.problem.vehicles[vehicle].load_on_board
    peaks, too_much = {}, {}
    for name in terms.problem.dimensions:
        peak = max(peak_of_trip(terms, name, trip) for trip in trips_of(stops))
        peaks[name] = peak + aboard.get(name, 0)
        if peak > terms.room[vehicle][name] + LOAD_TOLERANCE:
            too_much[name] = peak - terms.room[vehicle][name]
    return peaks, too_much


def trips_of(stops: Sequence[int]) -> Iterator[list[int]]:
    """The stops of each trip, parted at the reloads."""
    trip: list[int] = []
    for stop in stops:
        if stop < 0:
            yield trip
            trip = []
        else:
            trip.append(stop)
    yield trip


def peak_of_trip(terms: Terms, name: str, stops: Sequence[int]) -> float:
    """The most that is on board at once: what the depot loaded, less what was delivered, plus what was picked up."""
    demand, facts = terms.demand[name], terms.problem.stops
    load = peak = sum(demand[stop] for stop in stops if terms.from_depot[stop])
    if load == sum(demand[stop] for stop in stops):
        return peak
    for stop in stops:
        load += demand[stop] if facts[stop].pickup else -demand[stop]
        peak = max(peak, load)
    return peak
