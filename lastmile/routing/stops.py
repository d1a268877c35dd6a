"""A stop to plan: where, what is handed over, when it may be served, and what it costs when that is not kept."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from lastmile.model import Criticality, WindowSemantics

Window = tuple[float, float]
"""From and until, epoch seconds."""


class Pin(StrEnum):
    """What of a stop's place in the plan in force must stay as it is."""

    NONE = "none"
    VEHICLE = "vehicle"
    ORDER = "order"
    BOTH = "both"

    @property
    def holds_vehicle(self) -> bool:
        return self in (Pin.VEHICLE, Pin.BOTH)

    @property
    def holds_order(self) -> bool:
        return self in (Pin.ORDER, Pin.BOTH)


@dataclass(frozen=True)
class Stop:
    """A place to visit once, with all that is handed over there.

    Times are epoch seconds, money is in the problem's currency.

    When: `opens` and `closes` bound what `semantics` names, a tolerance is already in them; `more_windows` are other
    spans that are as good. Between two windows nobody is served: a vehicle waits for the next. With
    `price_per_late_minute` the end of the last window is soft, without it (None) hard. Nobody is early: a vehicle that
    comes before `opens` waits. A milestone has `need_by`, the latest start of service that keeps its crew at work, with
    `crew_price_per_minute` beyond it; and `accepts_from`, before which service costs `price_per_early_minute`
    (storage, double handling): nobody waits for that.

    What: `demand` is by dimension (kg, m3, pieces); a `pickup` fills the vehicle, a delivery empties it. Goods that are
    `collected_at` another stop of the problem, a pickup, are brought from there by the same vehicle on the same trip.
    Goods that are not at the depot before `released_at` can't leave it earlier. Service takes `service_seconds` × the
    pace of the driver.

    Who: skills, `allowed_vehicles` (None: any) and `forbidden_vehicles`. A stop that is not `transferable` stays on the
    vehicle that holds its goods. `pin` keeps its vehicle, its order among the pinned stops of that vehicle, or both.
    `present_vehicle_id`, `present_trip` and `present_position` say where the plan in force has it.

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
    more_windows: tuple[Window, ...] = ()
    semantics: WindowSemantics = WindowSemantics.SERVICE_START
    price_per_late_minute: float | None = None
    need_by: float | None = None
    crew_price_per_minute: float = 0
    accepts_from: float | None = None
    price_per_early_minute: float = 0
    demand: Mapping[str, float] = field(default_factory=dict)
    pickup: bool = False
    collected_at: str | None = None
    released_at: float | None = None
    required_skills: frozenset[str] = frozenset()
    allowed_vehicles: frozenset[str] | None = None
    forbidden_vehicles: frozenset[str] = frozenset()
    price_of_not_serving: float | None = None
    criticality: Criticality = Criticality.ROUTINE
    transferable: bool = True
    pin: Pin = Pin.NONE
    present_vehicle_id: str | None = None
    present_trip: int = 0
    present_position: int | None = None

    @property
    def windows(self) -> tuple[Window, ...]:
        """All windows in order, open sides infinite, those that overlap made one; none where any time is as good."""
        if self.opens is None and self.closes is None and not self.more_windows:
            return ()
        first = (-math.inf if self.opens is None else self.opens, math.inf if self.closes is None else self.closes)
        return _merged(sorted((first, *self.more_windows)))

    @property
    def last_closes(self) -> float | None:
        """The end of the last window, by which the promise is judged; None where there is none."""
        return self.windows[-1][1] if self.windows and self.windows[-1][1] != math.inf else None


def _merged(windows: list[Window]) -> tuple[Window, ...]:
    """Windows by their start, one for those that overlap; one that ends before it starts is left for people to see."""
    found = windows[:1]
    for opens, closes in windows[1:]:
        last_opens, last_closes = found[-1]
        if last_opens <= opens <= last_closes and opens <= closes:
            found[-1] = (last_opens, max(last_closes, closes))
        else:
            found.append((opens, closes))
    return tuple(found)


def has_position(stop: Stop) -> bool:
    """True where the stop has a longitude and a latitude on this planet."""
    if stop.lon is None or stop.lat is None:
        return False
    return -180 <= stop.lon <= 180 and -90 <= stop.lat <= 90
