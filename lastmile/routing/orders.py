"""What the order of a route must keep: reloads, goods collected before they are brought, and pinned orders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lastmile.routing.loads import trips_of
from lastmile.routing.obstacles import Cause
from lastmile.routing.terms import Terms

Broken = tuple[Cause, float, int | None]
"""What is broken, by how much (a count), and at which stop."""


def check_order(terms: Terms, vehicle: int, stops: Sequence[int]) -> list[Broken]:
    """All that the order of stops on this vehicle breaks; -1 among stops is a reload."""
    return [
        *_too_many_reloads(terms, vehicle, stops),
        *_goods_not_on_board(terms, vehicle, stops),
        *_pairs_broken(terms, stops),
        *_pins_broken(terms, stops),
    ]


def _too_many_reloads(terms: Terms, vehicle: int, stops: Sequence[int]) -> Iterator[Broken]:
    reloads = sum(stop < 0 for stop in stops)
    if reloads > terms.reloads[vehicle]:
        yield Cause.RELOADS, reloads - terms.reloads[vehicle], None


def _goods_not_on_board(terms: Terms, vehicle: int, stops: Sequence[int]) -> Iterator[Broken]:
    """A vehicle on the road has only what was loaded on it until it reloads."""
    shift = terms.problem.vehicles[vehicle]
    if not shift.departed or not shift.max_reloads:  # without reloads it is barred from such stops altogether
        return
    committed = len(shift.committed_stop_ids)
    for stop in next(trips_of(stops))[committed:]:
        if terms.from_depot[stop] and not terms.on_board[vehicle, stop]:
            yield Cause.GOODS_ELSEWHERE, 1, stop


def _pairs_broken(terms: Terms, stops: Sequence[int]) -> Iterator[Broken]:
    """A commitment to half a pair is a fact and breaks nothing: what can't be brought is taken home."""
    for trip in trips_of(stops):
        seen = set()
        for stop in trip:
            if terms.brings_from[stop] >= 0 and terms.brings_from[stop] not in seen and not terms.committed[stop]:
                yield Cause.PAIR, 1, stop
            seen.add(stop)
        for stop in trip:
            if terms.collects[stop] >= 0 and terms.collects[stop] not in seen and not terms.committed[stop]:
                yield Cause.PAIR, 1, stop


def _pins_broken(terms: Terms, stops: Sequence[int]) -> Iterator[Broken]:
    latest: dict[int, int] = {}
    for stop in stops:
        rank = terms.pinned_rank[stop] if stop >= 0 else -1
        if rank < 0:
            continue
        group = terms.present_vehicle[stop]
        if rank < latest.get(group, -1):
            yield Cause.ORDER, 1, stop
        latest[group] = max(rank, latest.get(group, -1))
