"""A vehicle with its driver for the rest of a shift: time, room, what is on it, and what it costs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise


@dataclass(frozen=True)
class Break:
    """A pause that is still to be taken: it starts within [earliest, latest] (epoch seconds), never during service.

    It may interrupt driving. A route that is over by `latest`, or sets out after a break begun in time, needs none.
    Several are taken one after another in the order of the shift, each whole.
    """

    seconds: float
    earliest: float
    latest: float

    def __post_init__(self) -> None:
        if self.seconds <= 0 or self.latest < self.earliest:
            raise ValueError(f"a break needs a length and an earliest start before its latest: {self}")


@dataclass(frozen=True)
class Rates:
    """What a vehicle costs by its rate card, in the problem's currency; `minimum` is for what is still to be driven."""

    per_day: float = 0
    per_hour: float = 0
    per_overtime_hour: float = 0
    per_km: float = 0
    per_stop: float = 0
    minimum: float = 0

    def __post_init__(self) -> None:
        if min(self.per_day, self.per_hour, self.per_overtime_hour, self.per_km, self.per_stop, self.minimum) < 0:
            raise ValueError(f"a rate card has no negative price: {self}")


@dataclass(frozen=True)
class VehicleShift:
    """One vehicle with its driver for the rest of one shift; times are epoch seconds.

    It starts at (lon, lat), not before `available_from`. A vehicle `in_use` has its day paid, is paid from
    `available_from` on and must still return when nothing is left to do; another one costs nothing until it sets out,
    as late as serves. Without an end position it ends at its last stop. After the shift's end, overtime up to
    `max_overtime_seconds`. `max_route_seconds` and `max_route_km` bound the whole route, `worked_seconds` and
    `driven_km` of which are behind it. `service_pace` is what this driver's stops take over the usual (1.1: a tenth
    longer). `pauses` are the breaks that are still to be taken, in time order.

    `load_on_board` is what stays on board beyond the goods of this problem's stops. `loaded_stop_ids` are the stops
    whose goods are on it; once it has `departed`, it can bring no other goods, but on a trip after one of its
    `max_reloads`: back at (reload_lon, reload_lat), where it ends or else starts, for `reload_seconds`, it is emptied of
    what it picked up and takes the goods of its next trip. `committed_stop_ids` are its next stops in fixed order
    (being driven to, or frozen): they are served by it first, even after a hard window. A dimension without a capacity
    has no limit. Where all must be served, a shift may go on for `beyond_overtime_seconds` after its last overtime, each hour
    at `per_hour_beyond` more than its rate.
    """

    vehicle_id: str
    lon: float
    lat: float
    shift_start: float
    shift_end: float
    available_from: float | None = None
    max_overtime_seconds: float = 0
    beyond_overtime_seconds: float = 0
    per_hour_beyond: float = 0
    max_route_seconds: float | None = None
    max_route_km: float | None = None
    worked_seconds: float = 0
    driven_km: float = 0
    end_lon: float | None = None
    end_lat: float | None = None
    capacity: Mapping[str, float] = field(default_factory=dict)
    load_on_board: Mapping[str, float] = field(default_factory=dict)
    skills: frozenset[str] = frozenset()
    service_pace: float = 1.0
    pauses: tuple[Break, ...] = ()
    rates: Rates = Rates()
    in_use: bool = False
    departed: bool = False
    max_reloads: int = 0
    reload_seconds: float = 0
    reload_lon: float | None = None
    reload_lat: float | None = None
    loaded_stop_ids: frozenset[str] = frozenset()
    committed_stop_ids: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not (-180 <= self.lon <= 180 and -90 <= self.lat <= 90):
            raise ValueError(f"vehicle {self.vehicle_id} has no valid position: lon {self.lon}, lat {self.lat}")
        if self.shift_end < self.shift_start:
            raise ValueError(f"the shift of vehicle {self.vehicle_id} ends before it starts")
        for what, lon, lat in (("end", self.end_lon, self.end_lat), ("reload", self.reload_lon, self.reload_lat)):
            if (lon is None) != (lat is None):
                raise ValueError(f"vehicle {self.vehicle_id} has half a position; give both {what}_lon and {what}_lat")
        if min(self.max_overtime_seconds, self.beyond_overtime_seconds, self.per_hour_beyond) < 0:
            raise ValueError(f"vehicle {self.vehicle_id} has a negative overtime limit")
        if not 0 < self.service_pace < 100:
            raise ValueError(f"vehicle {self.vehicle_id} has no valid service pace: {self.service_pace}")
        if min(self.max_reloads, self.reload_seconds, self.worked_seconds, self.driven_km) < 0:
            raise ValueError(f"vehicle {self.vehicle_id} has a negative count, time or distance")
        _refuse_overlap(self.vehicle_id, self.pauses)

    @property
    def ready_at(self) -> float:
        return self.shift_start if self.available_from is None else max(self.shift_start, self.available_from)

    @property
    def must_end_by(self) -> float:
        return self.overtime_ends + self.beyond_overtime_seconds

    @property
    def overtime_ends(self) -> float:
        return self.shift_end + self.max_overtime_seconds

    @property
    def returns(self) -> bool:
        return self.end_lon is not None

    @property
    def end_place(self) -> tuple[float, float]:
        return (self.end_lon, self.end_lat) if self.returns else (self.lon, self.lat)

    @property
    def reload_place(self) -> tuple[float, float]:
        return self.end_place if self.reload_lon is None else (self.reload_lon, self.reload_lat)


def _refuse_overlap(vehicle_id: str, pauses: Sequence[Break]) -> None:
    """Raise ValueError where breaks are out of order, or one must have begun before those before it can be over."""
    ends = -math.inf
    for number, (before, pause) in enumerate(pairwise(pauses), 2):
        if pause.earliest < before.earliest or pause.latest < before.latest:
            raise ValueError(
                f"the breaks of vehicle {vehicle_id} are not in time order: break {number} comes too early"
            )
        ends = max(ends, before.earliest) + before.seconds
        if pause.latest < ends:
            raise ValueError(
                f"vehicle {vehicle_id} can't take all its breaks: break {number} must begin before the one before it can end"
            )
