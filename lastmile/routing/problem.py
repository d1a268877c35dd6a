"""What is to be planned, as a value: stops, vehicles with their shifts, an instant, travel, and what may change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from functools import cached_property

import numpy as np

from lastmile.routing.shifts import Rates, VehicleShift
from lastmile.routing.stops import Pin, Stop, has_position
from lastmile.routing.travel import GreatCircleTravel, Travel, TravelMatrix

DEFAULT_TRAVEL = GreatCircleTravel()

RELOAD = "(reload)"
"""Stands in a route where the vehicle goes back for the goods of its next trip."""

Routes = Mapping[str, tuple[str, ...]]
"""The order of stop_ids, with RELOAD between trips, for each vehicle_id; a vehicle that is not named drives nothing."""


class Policy(StrEnum):
    """What gives way where not everything can be done: the least valuable stops, or windows and the ends of shifts."""

    DROP_LEAST_VALUABLE = "drop_least_valuable"
    SERVE_ALL = "serve_all"


class Freedom(StrEnum):
    """What of the plan in force may change: when things happen, in which order too, or everything.

    Stops that no vehicle has yet may go anywhere at each level.
    """

    TIMES = "times"
    SEQUENCE = "sequence"
    EVERYTHING = "everything"


@dataclass(frozen=True)
class ChangeBudget:
    """How much a new plan may differ from the plan in force; None is no limit.

    `moved`: stops that change vehicle. `promises_broken`: promises that the plan in force keeps and the new one breaks.
    `goods_moved`: stops whose goods are on one vehicle and would have to be handed over to another. `price_per_moved`
    is what one change of vehicle is worth avoiding, in the problem's currency; it is part of the cost.
    """

    moved: int | None = None
    promises_broken: int | None = None
    goods_moved: int | None = None
    price_per_moved: float = 0

    def __post_init__(self) -> None:
        limits = [one for one in (self.moved, self.promises_broken, self.goods_moved) if one is not None]
        if min([*limits, self.price_per_moved]) < 0:
            raise ValueError(f"a change budget has no negative limit or price: {self}")

    @property
    def limited(self) -> bool:
        return not (self.moved is None and self.promises_broken is None and self.goods_moved is None)


@dataclass(frozen=True)
class FairShare:
    """Balancing: each hour that a vehicle works beyond `hours` costs `price_per_hour` on top of its rate card."""

    hours: float
    price_per_hour: float


@dataclass(frozen=True)
class Whole:
    """What a problem that is a part of a larger one must know of the rest.

    `elsewhere`: vehicles of other parts that the plan in force has stops of this part on, or that hold their goods.
    `holder`: those goods' stops → vehicle. `order`: places in the plan in force of the stops whose vehicle is elsewhere.
    `kept`: stops whose promise the whole plan in force keeps; None where each vehicle is together with its stops, so that
    the part can tell, but for the `unkept`: stops of vehicles that have half a pair whose other half is in another part.
    """

    elsewhere: tuple[str, ...] = ()
    holder: Mapping[str, str] = field(default_factory=dict)
    order: Mapping[str, int] = field(default_factory=dict)
    kept: frozenset[str] | None = None
    unkept: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Problem:
    """All that a plan depends on, at an instant (epoch seconds) before which nothing starts.

    Raises ValueError where two stops or two vehicles share an id, or a plan in force can't be read.
    """

    stops: tuple[Stop, ...]
    vehicles: tuple[VehicleShift, ...]
    instant: float
    travel: Travel = DEFAULT_TRAVEL
    currency: str = "EUR"
    zone: str = "UTC"
    policy: Policy = Policy.DROP_LEAST_VALUABLE
    freedom: Freedom = Freedom.EVERYTHING
    budget: ChangeBudget = ChangeBudget()
    fair_share: FairShare | None = None
    whole: Whole = Whole()

    def __post_init__(self) -> None:
        object.__setattr__(self, "stops", tuple(self.stops))
        object.__setattr__(self, "vehicles", tuple(self.vehicles))
        _refuse_repeated("stop", [stop.stop_id for stop in self.stops])
        _refuse_repeated("vehicle", [vehicle.vehicle_id for vehicle in self.vehicles])
        committed = [stop_id for vehicle in self.vehicles for stop_id in vehicle.committed_stop_ids]
        _refuse_repeated("committed stop", committed)
        _refuse_repeated("collecting stop", [stop.collected_at for stop in self.stops if stop.collected_at])
        unknown = set(committed) - set(self.stop_index)
        if unknown:
            raise ValueError(
                f"vehicles are committed to stops that are not in the problem: {', '.join(sorted(unknown))}"
            )
        if RELOAD in self.stop_index:
            raise ValueError(f"no stop may have the id {RELOAD}, which marks a reload in a route")

    def __getstate__(self) -> dict[str, object]:
        """Another process is sent what the problem is, not what was derived from it."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    @cached_property
    def stop_index(self) -> dict[str, int]:
        return {stop.stop_id: index for index, stop in enumerate(self.stops)}

    @cached_property
    def vehicle_index(self) -> dict[str, int]:
        return {vehicle.vehicle_id: index for index, vehicle in enumerate(self.vehicles)}

    @cached_property
    def dimensions(self) -> tuple[str, ...]:
        """The dimensions in which some stop asks for room, in alphabetical order."""
        return tuple(sorted({name for stop in self.stops for name, amount in stop.demand.items() if amount}))

    @cached_property
    def holder(self) -> dict[str, str]:
        """The vehicle that each stop's goods are on, where they are on one."""
        here = {stop_id: vehicle.vehicle_id for vehicle in self.vehicles for stop_id in vehicle.loaded_stop_ids}
        return {**self.whole.holder, **here}

    @cached_property
    def numbers_of_vehicles(self) -> dict[str, int]:
        """Vehicle → its index, or for one of another part a number beyond all indexes."""
        beyond = enumerate(self.whole.elsewhere, len(self.vehicles))
        return {**{vehicle_id: number for number, vehicle_id in beyond}, **self.vehicle_index}

    @cached_property
    def committed_to(self) -> dict[str, str]:
        return {stop_id: vehicle.vehicle_id for vehicle in self.vehicles for stop_id in vehicle.committed_stop_ids}

    @cached_property
    def collected_for(self) -> dict[str, str]:
        """Pickup where goods are collected → delivery that they are brought to, both in this problem."""
        pairs = {stop.collected_at: stop.stop_id for stop in self.stops if stop.collected_at and not stop.pickup}
        pickups = {stop.stop_id for stop in self.stops if stop.pickup}
        return {collected: brought for collected, brought in pairs.items() if collected in pickups}

    def pin_of(self, stop: Stop) -> Pin:
        """What of the stop's place must stay, by its own pin and the freedom of the whole plan."""
        if stop.present_vehicle_id is None:
            return Pin.NONE
        if self.freedom == Freedom.TIMES:
            return Pin.BOTH
        if self.freedom == Freedom.SEQUENCE:
            return Pin.BOTH if stop.pin.holds_order else Pin.VEHICLE
        return stop.pin

    @cached_property
    def matrix(self) -> TravelMatrix:
        """Travel between all places: the stops, each vehicle's start, its end, and where vehicles reload that place."""
        lon, lat = self._places()
        ends = [vehicle.shift_end for vehicle in self.vehicles]
        matrix = self.travel.matrix(lon, lat, self.instant, max([self.instant, *ends]), self.zone)
        return matrix.without_way_to(self._open_ends())

    @cached_property
    def has_reloads(self) -> bool:
        return any(vehicle.max_reloads for vehicle in self.vehicles)

    def start_of(self, vehicle: int) -> int:
        return len(self.stops) + vehicle

    def end_of(self, vehicle: int) -> int:
        return len(self.stops) + len(self.vehicles) + vehicle

    def reload_of(self, vehicle: int) -> int:
        return len(self.stops) + 2 * len(self.vehicles) + vehicle

    def ready_at(self, vehicle: int) -> float:
        """The first moment at which the vehicle may set out."""
        return max(self.instant, self.vehicles[vehicle].ready_at)

    @cached_property
    def dearest_day(self) -> float:
        """More than any one stop can cost to serve on time: the price of not serving where none is given."""
        days = [_whole_day(vehicle.rates, vehicle, self.instant) for vehicle in self.vehicles]
        return max([1_000.0, *days])

    def price_of_not_serving(self, stop: Stop) -> float:
        """What leaving a stop out costs; where the price is missing or no number, as much as any vehicle's day."""
        price = stop.price_of_not_serving
        return price if price is not None and 0 <= price < np.inf else self.dearest_day

    def plan_in_force(self) -> dict[str, tuple[str, ...]]:
        """The routes that the vehicles drive now: what they are committed to, then the present order, trip by trip."""
        rows = {vehicle.vehicle_id: list(vehicle.committed_stop_ids) for vehicle in self.vehicles}
        free = [
            stop for stop in self.stops if stop.present_vehicle_id in rows and stop.stop_id not in self.committed_to
        ]
        trips = dict.fromkeys(rows, 0)
        for stop in sorted(free, key=_present_order):
            row, trip = rows[stop.present_vehicle_id], trips[stop.present_vehicle_id]
            row.extend([RELOAD] * (stop.present_trip - trip))
            row.append(stop.stop_id)
            trips[stop.present_vehicle_id] = max(trip, stop.present_trip)
        return {vehicle_id: tuple(stop_ids) for vehicle_id, stop_ids in rows.items()}

    def _places(self) -> tuple[np.ndarray, np.ndarray]:
        fleet = self.vehicles
        known = [(s.lon, s.lat) if has_position(s) else (0.0, 0.0) for s in self.stops]
        reloads = [v.reload_place for v in fleet] if self.has_reloads else []
        places = [*known, *[(v.lon, v.lat) for v in fleet], *[v.end_place for v in fleet], *reloads]
        table = np.array(places, dtype=float).reshape(-1, 2)
        return table[:, 0], table[:, 1]

    def _open_ends(self) -> list[int]:
        return [self.end_of(index) for index, vehicle in enumerate(self.vehicles) if not vehicle.returns]


def _present_order(stop: Stop) -> tuple[int, float, str]:
    return (stop.present_trip, np.inf if stop.present_position is None else stop.present_position, stop.stop_id)


def _whole_day(rates: Rates, vehicle: VehicleShift, instant: float) -> float:
    hours = max(0.0, vehicle.must_end_by - max(instant, vehicle.ready_at)) / 3600
    return rates.per_day + rates.minimum + hours * (max(rates.per_hour, rates.per_overtime_hour) + 60 * rates.per_km)


def _refuse_repeated(what: str, ids: list[str]) -> None:
    repeated = sorted({one for one in ids if ids.count(one) > 1}) if len(set(ids)) < len(ids) else []
    if repeated:
        raise ValueError(f"each {what} may be named once; repeated: {', '.join(repeated)}")
