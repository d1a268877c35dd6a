"""Which of several equal vehicles drives which route: an engine does not mind, who drives does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from lastmile.routing.peers.numbers import Van
from lastmile.routing.problem import Problem, Routes


def named_alike(problem: Problem, vans: Sequence[Van], routes: Routes) -> dict[str, tuple[str, ...]]:
    """The same routes, among vehicles of one kind each with the one that most of its stops are on already."""
    now_on = {stop.stop_id: stop.present_vehicle_id for stop in problem.stops}
    kinds: dict[tuple, list[str]] = {}
    for van in vans:
        kinds.setdefault(van.kind, []).append(van.vehicle_id)
    named: dict[str, tuple[str, ...]] = {}
    for ids in kinds.values():
        named |= _named(ids, [row for row in (routes.get(one, ()) for one in ids) if row], now_on)
    return named


def _named(ids: list[str], rows: list[tuple[str, ...]], now_on: dict[str, str | None]) -> dict[str, tuple[str, ...]]:
    shared = [
        (count, -number, vehicle_id)
        for number, row in enumerate(rows)
        for vehicle_id, count in Counter(now_on[stop_id] for stop_id in row).items()
        if vehicle_id in ids
    ]
    named: dict[str, tuple[str, ...]] = {}
    left = dict(enumerate(rows))
    for _, negative, vehicle_id in sorted(shared, reverse=True):
        if vehicle_id not in named and -negative in left:
            named[vehicle_id] = left.pop(-negative)
    free = [vehicle_id for vehicle_id in ids if vehicle_id not in named]
    return named | dict(zip(free, left.values(), strict=False))
