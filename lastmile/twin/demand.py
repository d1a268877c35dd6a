"""What customers ask for: the deliveries of a day, with their sites, windows and loads."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from functools import cache

import numpy as np
import pandas as pd

from lastmile.twin import causes, chance, city, fleet

NUMBERS_OF = "wms"
"""The source that books the deliveries, and whose numbers all sources of the operation use."""

DAY_KEYS = 10_000
WEEK = (1.05, 1.0, 0.98, 1.02, 1.09, 0.72, 0.5)


@dataclass(frozen=True)
class Service:
    """A kind of delivery: its volume on a working day, promise, load, proof, and what a broken promise costs (EUR).

    Times are minutes of the day, `sites` 0 means any address; `kg` and `m3` are medians, `pieces` and `lines` most.
    `quiet_weekend` scales its weekends, `per_route` is how many a vehicle usually takes.
    """

    key: str
    criticality: str
    volume: int
    sites: int
    starts: tuple[float, float, float]  # first and last start of a window, and their grid, minutes of the day
    widths: tuple[float, ...]
    tolerance: tuple[float, float]
    release_due: float
    service_minutes: float
    kg: float
    m3: float
    pieces: int
    lines: int
    skills: tuple[str, ...]
    proof: tuple[str, ...]
    penalty: float
    value: float
    quiet_weekend: float
    per_route: float


SERVICES = {
    service.key: service
    for service in (
        Service("parcels", "routine", 800, 0, (540, 930, 30), (120, 180, 240, 240, 240), (15, 15), 90, 2.3,
                4.0, 0.022, 1, 1, (), ("photo",), 4.0, 70.0, 1.0, 62),
        Service("field_spares", "time_critical", 180, 320, (450, 1020, 30), (60,), (10, 10), 60, 9.0,
                9.0, 0.05, 2, 2, (), ("signature",), 45.0, 900.0, 0.8, 15.5),
        Service("medical", "regulated", 140, 240, (450, 960, 30), (60, 120, 120), (10, 10), 75, 7.5,
                6.0, 0.04, 2, 3, ("cold_chain",), ("signature", "temperature", "documents"), 80.0, 1400.0, 0.9, 15),
        Service("construction", "milestone", 80, 95, (420, 840, 30), (90, 120), (20, 15), -60, 26.0,
                340.0, 2.1, 4, 4, ("tail_lift",), ("signature", "photo"), 160.0, 3200.0, 0.5, 7.5),
    )
}  # fmt: skip
SERVICE_KEYS = tuple(SERVICES)
RECIPIENTS = {
    "parcels": ("Household", "Household", "Household", "Shop", "Office"),
    "field_spares": ("Service desk", "Data centre", "Workshop", "Branch office", "Ticket machine depot", "Print shop"),
    "medical": ("Pharmacy", "Practice", "Clinic ward", "Laboratory", "Dialysis centre"),
    "construction": ("Construction site", "Site office", "Refurbishment", "Civil works"),
}


def deliveries(seed: int, day: date) -> pd.DataFrame:
    """One row per delivery first promised for `day`; all times are minutes of that day, places km from the centre."""
    parts, serial = [], 0
    for number, service in enumerate(SERVICES.values()):
        count = _volume(seed, day, number, service)
        keys = day.toordinal() * DAY_KEYS + serial + np.arange(count)
        parts.append(_deliveries_of(seed, service, number, keys))
        serial += count
    frame = pd.concat(parts, ignore_index=True)
    frame["tries"] = 0
    frame["carried"] = False
    return frame


def delivery_ids(keys: np.ndarray) -> list[str]:
    """The ids of deliveries by key: the warehouse's own numbers, of the service day and a serial number, as an import or the
    door would name them; so other systems that use its numbers can tell of them."""
    days = {
        ordinal: f"{NUMBERS_OF}:L{date.fromordinal(ordinal):%y%m%d}-" for ordinal in set((keys // DAY_KEYS).tolist())
    }
    return [f"{days[key // DAY_KEYS]}{key % DAY_KEYS + 1:04d}" for key in keys.tolist()]


def _volume(seed: int, day: date, number: int, service: Service) -> int:
    noise = math.exp(0.04 * float(chance.normal(seed, "volume", day.toordinal(), number)))
    quiet = service.quiet_weekend if day.weekday() >= 5 else 1.0
    return round(service.volume * WEEK[day.weekday()] * quiet * noise)


def _deliveries_of(seed: int, service: Service, number: int, keys: np.ndarray) -> pd.DataFrame:
    def draw(purpose: str) -> np.ndarray:
        return chance.uniform(seed, purpose, keys)

    frame = _sites(seed, service, number, keys)
    frame.insert(0, "key", keys)
    frame["delivery_id"] = delivery_ids(keys)
    frame["order_id"] = frame["delivery_id"].str.replace(f"{NUMBERS_OF}:L", "O", regex=False)
    frame["service"] = service.key
    frame["service_number"] = number
    frame["window_from"], frame["window_due"] = _windows(seed, service, keys, frame["street"].to_numpy())
    frame["site_opens"] = np.minimum(frame["window_from"] - 30, 420.0)
    frame["site_closes"] = _closing(service, frame["window_due"].to_numpy(), draw("closing"))
    frame["early_minutes"], frame["late_minutes"] = service.tolerance
    frame["release_due"] = service.release_due
    frame["service_minutes"] = np.round(service.service_minutes * (0.75 + 0.5 * draw("work")), 1)
    size = np.exp(0.45 * chance.normal(seed, "size", keys))
    frame["weight_kg"] = np.round(np.minimum(service.kg * size, 3.2 * service.kg), 2)
    frame["volume_m3"] = np.round(np.minimum(service.m3 * size, 3.2 * service.m3), 4)
    frame["pieces"] = (1 + np.floor(draw("pieces") * service.pieces)).astype(float)
    frame["lines"] = (1 + np.floor(draw("lines") * service.lines)).astype(int)
    frame["value"] = np.round(service.value * np.exp(0.6 * chance.normal(seed, "value", keys)), 2)
    frame["special"] = draw("special equipment")
    frame["ordered"] = -1020.0 + 760.0 * draw("ordered") ** 0.8
    frame["cancelled"] = np.where(draw("cancels") < 0.009, -240.0 + 900.0 * draw("cancelled when"), np.nan)
    return frame


def _sites(seed: int, service: Service, number: int, keys: np.ndarray) -> pd.DataFrame:
    """Where each delivery goes: business customers come back to known sites, households are anywhere."""
    who = np.floor(chance.uniform(seed, "site", keys) * service.sites).astype(np.int64) if service.sites else keys
    weights = np.array([area.business if service.sites else area.residents for area in city.AREAS])
    spread = (who + 0.5) / service.sites if service.sites else chance.uniform(seed, "area", who)
    areas = chance.pick(spread, weights)
    town, works = _streets_by_area()
    industrial = chance.uniform(seed, "land", who, number) < (0.5 if service.key == "construction" else 0.08)
    streets = np.empty(len(keys), dtype=np.int64)
    spot = chance.uniform(seed, "street", who, number)
    for area in range(len(city.AREAS)):
        for chosen, found in ((town, ~industrial), (works, industrial)):
            mask = (areas == area) & found
            streets[mask] = chosen[area][np.floor(spot[mask] * len(chosen[area])).astype(int)]
    numbers = 1 + np.floor(chance.uniform(seed, "house", who, number) * 160).astype(np.int64)
    return _placed(seed, service, number, areas, streets, numbers)


def _placed(
    seed: int, service: Service, number: int, areas: np.ndarray, streets: np.ndarray, numbers: np.ndarray
) -> pd.DataFrame:
    ends = city.streets()
    along, at = numbers / 162.0, (streets, numbers)
    lon = ends["lon_from"].to_numpy()[streets] * (1 - along) + ends["lon_to"].to_numpy()[streets] * along
    lat = ends["lat_from"].to_numpy()[streets] * (1 - along) + ends["lat_to"].to_numpy()[streets] * along
    true_x = city.x_km(lon) + 0.09 * chance.normal(seed, "set back x", *at)
    true_y = city.y_km(lat) + 0.09 * chance.normal(seed, "set back y", *at)
    bad_share = np.where(areas == city.AREA_NAMES.index(causes.BAD_ADDRESS_AREA), causes.BAD_ADDRESS_SHARE, 0.006)
    bad = chance.uniform(seed, "bad address", *at) < bad_share
    off, turn = 0.5 + 1.3 * chance.uniform(seed, "off by", *at), 2 * np.pi * chance.uniform(seed, "off to", *at)
    lon, lat = city.lon_lat(
        true_x + np.where(bad, off * np.cos(turn), 0), true_y + np.where(bad, off * np.sin(turn), 0)
    )
    frame = pd.DataFrame({"area_number": areas, "street": streets, "house": numbers, "bad_address": bad})
    frame["true_x"], frame["true_y"], frame["lon"], frame["lat"] = true_x, true_y, lon, lat
    frame["x"], frame["y"] = city.x_km(lon), city.y_km(lat)
    frame["site_id"] = [f"S{number}-{s:03d}-{h:03d}" for s, h in zip(streets, numbers, strict=True)]
    frame["depot_id"] = [city.AREAS[a].depot_id for a in areas]
    within = chance.uniform(seed, "round", streets, numbers if service.sites else numbers > 80)
    frame["round_at"] = _rounds(service.key)[areas] + _round_widths(service.key)[areas] * within
    frame["carrier_id"] = _carriers(service, areas, frame["round_at"].to_numpy())
    return frame


def _carriers(service: Service, areas: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Whose round a site belongs to: the depot's rounds divide its areas by bearing, in proportion to demand."""
    carriers = np.empty(len(areas), dtype=object)
    for depot in city.DEPOTS:
        mine = np.array([area.depot_id == depot.depot_id for area in city.AREAS])[areas]
        roster = np.array(fleet.ROSTER[depot.depot_id, service.key], dtype=object)
        carriers[mine] = roster[np.minimum((share[mine] * len(roster)).astype(int), len(roster) - 1)]
    return carriers


@cache
def _rounds(service: str) -> np.ndarray:
    """Where each area begins in its depot's circle of demand, from 0 to 1."""
    begins = np.zeros(len(city.AREAS))
    for depot in city.DEPOTS:
        at = 0.0
        for area in sorted(_areas_of(depot), key=lambda area: _bearing(depot, area)):
            begins[area] = at
            at += _round_widths(service)[area]
    return begins


@cache
def _round_widths(service: str) -> np.ndarray:
    """Each area's part of its depot's demand."""
    weights = np.array([area.residents if service == "parcels" else area.business for area in city.AREAS], dtype=float)
    for depot in city.DEPOTS:
        weights[_areas_of(depot)] /= weights[_areas_of(depot)].sum()
    return weights


def _areas_of(depot: city.Depot) -> list[int]:
    return [number for number, area in enumerate(city.AREAS) if area.depot_id == depot.depot_id]


def _bearing(depot: city.Depot, area: int) -> float:
    ends = city.streets()[city.streets()["area"] == city.AREAS[area].name]
    lon, lat = ends["lon_from"].mean(), ends["lat_from"].mean()
    return math.atan2(float(city.y_km(lat) - city.y_km(depot.lat)), float(city.x_km(lon) - city.x_km(depot.lon)))


@cache
def _streets_by_area() -> tuple[list[np.ndarray], list[np.ndarray]]:
    table = city.streets()
    return tuple(
        [np.flatnonzero((table["area"] == area.name) & (table["land"] == land)) for area in city.AREAS]
        for land in ("town", "works")
    )


def _windows(seed: int, service: Service, keys: np.ndarray, streets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Promised windows; most households take the slot that their street is offered cheaply."""
    first, last, grid = service.starts
    chosen = chance.uniform(seed, "slot", keys)
    width = np.array(service.widths)[np.floor(chance.uniform(seed, "width", keys) * len(service.widths)).astype(int)]
    if service.key == "parcels":
        offered = chance.uniform(seed, "offered slot", streets)
        chosen = np.where(chance.uniform(seed, "takes offer", keys) < 0.9, offered, chosen)
    start = first + grid * np.floor(chosen * ((last - first) / grid + 1))
    return start, np.minimum(start + width, 1140.0)


def _closing(service: Service, due: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """When a site turns a late van away: a household never does that, a construction site soon."""
    patience = {"parcels": (600, 0), "field_spares": (90, 240), "medical": (45, 120), "construction": (25, 90)}
    least, more = patience[service.key]
    return due + least + more * draws
