"""What is to be planned, as a value: stops, vehicles with their shifts, an instant, and how long driving takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from lastmile.model import Criticality, WindowSemantics
from lastmile.routing.travel import GreatCircleTravel, Travel, TravelMatrix

DEFAULT_TRAVEL = GreatCircleTravel()

Routes = Mapping[str, tuple[str, ...]]
"""The order of stop_ids for each vehicle_id; a vehicle that is not named drives nothing."""


@dataclass(frozen=True)
class Stop:
    """A place to visit once, with all that is handed over there.

    Times are epoch seconds, money is in the problem's currency. `opens` and `closes` bound what `semantics` names; a
    tolerance is already in them. With `price_per_late_minute` the window is soft, without it (None) it is hard. Nobody
    is early: a vehicle that comes before `opens` waits. `demand` is by dimension (kg, m3, pieces); a `pickup` fills the
    vehicle, a delivery empties it. A stop that is not `transferable` stays on the vehicle that holds its goods.
    `price_of_not_serving` None means that it is worth any vehicle's whole day. Nonsense in a stop never raises: it is
    told by `problems_of`, and the stop is left out of the plan with that reason.
    """

    stop_id: str
    lon: float | None
    lat: float | None
    delivery_ids: tuple[str, ...] = ()
    service_seconds: float = 0
    opens: float | None = None
    closes: float | None = None
    semantics: WindowSemantics = WindowSemantics.SERVICE_START
    price_per_late_minute: float | None = None
    demand: Mapping[str, float] = field(default_factory=dict)
    pickup: bool = False
    required_skills: frozenset[str] = frozenset()
    allowed_vehicles: frozenset[str] | None = None
    forbidden_vehicles: frozenset[str] = frozenset()
    price_of_not_serving: float | None = None
    criticality: Criticality = Criticality.ROUTINE
    transferable: bool = True
    present_vehicle_id: str | None = None
    present_position: int | None = None

    @property
    def serves_from(self) -> float:
        """The earliest start of service, epoch seconds; minus infinity without a window."""
        return -np.inf if self.opens is None else self.opens - self._service_inside

    @property
    def serves_until(self) -> float:
        """The latest start of service (or arrival) that keeps the promise, epoch seconds; infinity without a window."""
        return np.inf if self.closes is None else self.closes - self._service_inside

    @property
    def _service_inside(self) -> float:
        return self.service_seconds if self.semantics == WindowSemantics.SERVICE_END else 0


@dataclass(frozen=True)
class Break:
    """A pause that is still to be taken: it starts within [earliest, latest] (epoch seconds), never during service.

    It may interrupt driving. A route that is over by `latest`, or sets out after a break begun in time, needs none.
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

    It starts at (lon, lat), not before `available_from`. A vehicle `in_use` has its day paid, starts at
    `available_from` exactly and must still return when nothing is left to do; another one costs nothing until it sets
    out, as late as serves. Without an end position it ends at its last stop. `load_on_board` is what stays on board
    beyond the goods of this problem's stops. `loaded_stop_ids` are the stops whose goods are on it; once it has
    `departed`, it can bring no other goods. `committed_stop_ids` are its next stops in fixed order (being driven to, or
    frozen): they are served by it first, even after a hard window. A dimension without a capacity has no limit.
    """

    vehicle_id: str
    lon: float
    lat: float
    shift_start: float
    shift_end: float
    available_from: float | None = None
    max_overtime_seconds: float = 0
    end_lon: float | None = None
    end_lat: float | None = None
    capacity: Mapping[str, float] = field(default_factory=dict)
    load_on_board: Mapping[str, float] = field(default_factory=dict)
    skills: frozenset[str] = frozenset()
    pause: Break | None = None
    rates: Rates = Rates()
    in_use: bool = False
    departed: bool = False
    loaded_stop_ids: frozenset[str] = frozenset()
    committed_stop_ids: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not (-180 <= self.lon <= 180 and -90 <= self.lat <= 90):
            raise ValueError(f"vehicle {self.vehicle_id} has no valid position: lon {self.lon}, lat {self.lat}")
        if self.shift_end < self.shift_start:
            raise ValueError(f"the shift of vehicle {self.vehicle_id} ends before it starts")
        if (self.end_lon is None) != (self.end_lat is None):
            raise ValueError(f"vehicle {self.vehicle_id} has half an end position; give both end_lon and end_lat")
        if self.max_overtime_seconds < 0:
            raise ValueError(f"vehicle {self.vehicle_id} has a negative overtime limit")

    @property
    def ready_at(self) -> float:
        return self.shift_start if self.available_from is None else max(self.shift_start, self.available_from)

    @property
    def must_end_by(self) -> float:
        return self.shift_end + self.max_overtime_seconds

    @property
    def returns(self) -> bool:
        return self.end_lon is not None


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

    def __post_init__(self) -> None:
        object.__setattr__(self, "stops", tuple(self.stops))
        object.__setattr__(self, "vehicles", tuple(self.vehicles))
        _refuse_repeated("stop", [stop.stop_id for stop in self.stops])
        _refuse_repeated("vehicle", [vehicle.vehicle_id for vehicle in self.vehicles])
        committed = [stop_id for vehicle in self.vehicles for stop_id in vehicle.committed_stop_ids]
        _refuse_repeated("committed stop", committed)
        unknown = set(committed) - set(self.stop_index)
        if unknown:
            raise ValueError(
                f"vehicles are committed to stops that are not in the problem: {', '.join(sorted(unknown))}"
            )

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
        return {stop_id: vehicle.vehicle_id for vehicle in self.vehicles for stop_id in vehicle.loaded_stop_ids}

    @cached_property
    def committed_to(self) -> dict[str, str]:
        return {stop_id: vehicle.vehicle_id for vehicle in self.vehicles for stop_id in vehicle.committed_stop_ids}

    @cached_property
    def matrix(self) -> TravelMatrix:
        """Travel between all places: the stops, then each vehicle's start, then each vehicle's end."""
        lon, lat = self._places()
        ends = [vehicle.shift_end for vehicle in self.vehicles]
        matrix = self.travel.matrix(lon, lat, self.instant, max([self.instant, *ends]), self.zone)
        return matrix.without_way_to(self._open_ends())

    def start_of(self, vehicle: int) -> int:
        return len(self.stops) + vehicle

    def end_of(self, vehicle: int) -> int:
        return len(self.stops) + len(self.vehicles) + vehicle

    def ready_at(self, vehicle: int) -> float:
        """The first moment at which the vehicle may set out."""
        return max(self.instant, self.vehicles[vehicle].ready_at)

    @cached_property
    def dearest_day(self) -> float:
        """More than any one stop can cost to serve on time: the price of not serving where none is given."""
        days = [_whole_day(vehicle.rates, vehicle, self.instant) for vehicle in self.vehicles]
        return max([1_000.0, *days])

    def price_of_not_serving(self, stop: Stop) -> float:
        return self.dearest_day if stop.price_of_not_serving is None else stop.price_of_not_serving

    def plan_in_force(self) -> dict[str, tuple[str, ...]]:
        """The routes that the vehicles drive now: what they are committed to, then the present order."""
        rows = {vehicle.vehicle_id: list(vehicle.committed_stop_ids) for vehicle in self.vehicles}
        free = [
            stop for stop in self.stops if stop.present_vehicle_id in rows and stop.stop_id not in self.committed_to
        ]
        for stop in sorted(free, key=_present_order):
            rows[stop.present_vehicle_id].append(stop.stop_id)
        return {vehicle_id: tuple(stop_ids) for vehicle_id, stop_ids in rows.items()}

    def _places(self) -> tuple[np.ndarray, np.ndarray]:
        fleet = self.vehicles
        ends = [(v.end_lon, v.end_lat) if v.returns else (v.lon, v.lat) for v in fleet]
        known = [(s.lon, s.lat) if has_position(s) else (0.0, 0.0) for s in self.stops]
        places = np.array(known + [(v.lon, v.lat) for v in fleet] + ends, dtype=float).reshape(-1, 2)
        return places[:, 0], places[:, 1]

    def _open_ends(self) -> list[int]:
        return [self.end_of(index) for index, vehicle in enumerate(self.vehicles) if not vehicle.returns]


def has_position(stop: Stop) -> bool:
    """True where the stop has a longitude and a latitude on this planet."""
    if stop.lon is None or stop.lat is None:
        return False
    return -180 <= stop.lon <= 180 and -90 <= stop.lat <= 90


def _present_order(stop: Stop) -> tuple[float, str]:
    return (np.inf if stop.present_position is None else stop.present_position, stop.stop_id)


def _whole_day(rates: Rates, vehicle: VehicleShift, instant: float) -> float:
    hours = max(0.0, vehicle.must_end_by - max(instant, vehicle.ready_at)) / 3600
    return rates.per_day + rates.minimum + hours * (max(rates.per_hour, rates.per_overtime_hour) + 60 * rates.per_km)


def _refuse_repeated(what: str, ids: list[str]) -> None:
    repeated = sorted({one for one in ids if ids.count(one) > 1}) if len(set(ids)) < len(ids) else []
    if repeated:
        raise ValueError(f"each {what} may be named once; repeated: {', '.join(repeated)}")
