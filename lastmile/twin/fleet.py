"""Who drives: carriers, rate cards, vehicles, drivers, and the systems that report."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache

import numpy as np
import pandas as pd

from lastmile.twin import chance
from lastmile.twin.city import DEPOTS
from lastmile.twin.clock import ZONE

FOUNDED = datetime(2020, 1, 1, tzinfo=UTC)
CURRENCY = "EUR"
STANDBY = "standby"


@dataclass(frozen=True)
class Carrier:
    """A carrier, its system, and its prices in EUR: vehicle and day, hour, overtime hour, km, stop, least per route."""

    carrier_id: str
    name: str
    kind: str
    source: str
    prices: tuple[float, float, float, float, float, float]


@dataclass(frozen=True)
class VehicleKind:
    """A kind of vehicle: capacity in kg, m3 and pieces, skills, and when its shifts start (minutes of the day)."""

    kind: str
    kg: float
    m3: float
    pieces: float
    skills: tuple[str, ...]
    departs: tuple[float, ...]
    shift_minutes: float


@dataclass(frozen=True)
class Vehicle:
    """A vehicle with the driver who has it on most days; `number` tells it from all others."""

    number: int
    vehicle_id: str
    driver_id: str
    depot_id: str
    carrier_id: str
    service: str
    departs: float
    kind: VehicleKind

    @property
    def standby(self) -> bool:
        return self.service == STANDBY


CARRIERS = {
    carrier.carrier_id: carrier
    for carrier in (
        Carrier("own", "Own fleet", "own", "telematics", (68.0, 24.5, 34.0, 0.27, 0.0, 0.0)),
        Carrier("havel", "Havel Kurier", "contractor", "havel", (40.0, 29.0, 38.0, 0.34, 0.0, 210.0)),
        Carrier("barnim", "Barnim Transporte", "contractor", "barnim", (30.0, 21.5, 26.0, 0.29, 0.35, 180.0)),
        Carrier("panke", "Panke Logistik (3PL)", "third_party", "panke", (0.0, 0.0, 0.0, 0.0, 3.95, 160.0)),
    )
}

KINDS = {
    "parcels": VehicleKind("van", 1200, 11.0, 160, ("two_person",), (525, 560, 540, 550, 510), 640),
    "field_spares": VehicleKind("small van", 700, 4.5, 80, ("express",), (405, 550, 435, 565), 600),
    "medical": VehicleKind("cooled van", 600, 4.0, 90, ("cold_chain",), (390, 480, 420, 540), 600),
    "construction": VehicleKind(
        "truck 12 t", 5200, 34.0, 60, ("tail_lift", "crane", "two_person"), (370, 385, 400, 410), 600
    ),
    STANDBY: VehicleKind("van", 1000, 9.0, 120, ("express", "cold_chain"), (540,), 600),
}

ROSTER = {
    ("GRB", "parcels"): ("barnim", "barnim", "own", "panke", "panke"),
    ("GRB", "field_spares"): ("own", "own", "havel", "havel"),
    ("GRB", "medical"): ("own", "own", "own"),
    ("GRB", "construction"): ("own", "havel", "havel"),
    ("GRB", STANDBY): ("own",),
    ("WHF", "parcels"): ("own", "own", "panke", "panke", "barnim"),
    ("WHF", "field_spares"): ("own", "own", "havel", "barnim"),
    ("WHF", "medical"): ("own", "own", "own", "own"),
    ("WHF", "construction"): ("own", "havel", "havel", "havel"),
    ("WHF", STANDBY): ("own",),
    ("MRZ", "parcels"): ("own", "own", "barnim", "barnim", "panke", "panke"),
    ("MRZ", "field_spares"): ("own", "havel", "havel", "barnim"),
    ("MRZ", "medical"): ("own", "own", "havel"),
    ("MRZ", "construction"): ("own", "own", "havel", "havel"),
    ("MRZ", STANDBY): ("own",),
}

SOURCES = (
    ("wms", "Warehouse and order system", "wms"),
    ("telematics", "Telematics of the own fleet", "telematics"),
    ("havel", "Havel Kurier, dispatch system", "carrier"),
    ("barnim", "Barnim Transporte, driver app", "carrier"),
    ("panke", "Panke Logistik, status feed", "carrier"),
    ("planning", "Morning planning", "planning"),
    ("billing", "Invoices, claims and call centre", "billing"),
)


@cache
def vehicles() -> tuple[Vehicle, ...]:
    """All vehicles, numbered through; the first of each list is the first to drive on a thin day."""
    fleet: list[Vehicle] = []
    for (depot_id, service), carriers in ROSTER.items():
        kind = KINDS[service]
        for place, carrier_id in enumerate(carriers):
            number = sum(vehicle.depot_id == depot_id for vehicle in fleet) + 1
            departs = kind.departs[place % len(kind.departs)]
            fleet.append(
                Vehicle(
                    len(fleet), f"{depot_id}-{number:02d}", f"D-{depot_id}-{number:02d}", depot_id, carrier_id, service,
                    float(departs), kind,
                )
            )  # fmt: skip
    return tuple(fleet)


def driver_of(seed: int, vehicle: Vehicle, day: date) -> str:
    """Who drives a vehicle on a day: its own driver, or every eighth day or so a relief driver of the same carrier."""
    if chance.uniform(seed, "relief", vehicle.number, day.toordinal()) < 0.12:
        return relief_driver(vehicle)
    return vehicle.driver_id


def relief_driver(vehicle: Vehicle) -> str:
    """The relief driver who knows a vehicle."""
    return f"R{vehicle.driver_id[1:]}"


def master() -> dict[str, pd.DataFrame]:
    """Depots, carriers, rate cards, vehicles, drivers and sources; one row each."""
    return {
        "depot": _frame({**_names(depot), "opens": "03:00", "closes": "22:30"} for depot in DEPOTS),
        "carrier": _frame(
            {"carrier_id": carrier.carrier_id, "name": carrier.name, "kind": carrier.kind}
            for carrier in CARRIERS.values()
        ),
        "rate_card": _frame(_rate_card(carrier) for carrier in CARRIERS.values()),
        "vehicle": _frame(_vehicle_row(vehicle) for vehicle in vehicles()),
        "driver": _frame(row for vehicle in vehicles() for row in _driver_rows(vehicle)),
        "source": _frame(
            {
                "source": source,
                "name": name,
                "kind": kind,
                "window_semantics": "service_start",
                "zone": ZONE,
                "recorded_at_given": True,
            }
            for source, name, kind in SOURCES
        ),
    }


def _frame(rows) -> pd.DataFrame:
    frame = pd.DataFrame(list(rows))
    frame.insert(1, "recorded_at", pd.Timestamp(FOUNDED))
    return frame


def _names(depot) -> dict[str, object]:
    return {
        "depot_id": depot.depot_id,
        "name": depot.name,
        "lon": depot.lon,
        "lat": depot.lat,
        "zone": ZONE,
        "currency": CURRENCY,
    }


def _rate_card(carrier: Carrier) -> dict[str, object]:
    prices = ("per_day", "per_hour", "per_overtime_hour", "per_km", "per_stop", "minimum_per_route")
    named = dict(zip(prices, carrier.prices, strict=True))
    return {"carrier_id": carrier.carrier_id, "valid_from": FOUNDED.date(), "currency": CURRENCY} | named


def _vehicle_row(vehicle: Vehicle) -> dict[str, object]:
    kind = vehicle.kind
    return {
        "vehicle_id": vehicle.vehicle_id,
        "name": f"{kind.kind} {vehicle.vehicle_id}" + (" (standby)" if vehicle.standby else ""),
        "depot_id": vehicle.depot_id,
        "carrier_id": vehicle.carrier_id,
        "kind": kind.kind,
        "capacity_kg": float(kind.kg),
        "capacity_m3": float(kind.m3),
        "capacity_pieces": float(kind.pieces),
        "skills": list(kind.skills),
    }


def _driver_rows(vehicle: Vehicle) -> list[dict[str, object]]:
    def row(driver_id: str, name: str) -> dict[str, object]:
        return {
            "driver_id": driver_id,
            "name": name,
            "depot_id": vehicle.depot_id,
            "carrier_id": vehicle.carrier_id,
            "skills": ["cold_chain_trained"] if vehicle.service == "medical" else ["driver"],
        }

    own = row(vehicle.driver_id, f"Driver {vehicle.vehicle_id}")
    return [own, row(relief_driver(vehicle), f"Relief driver {vehicle.vehicle_id}")]


def numbers(service: str, depot_id: str) -> np.ndarray:
    """The numbers of a depot's vehicles for a service."""
    return np.array([v.number for v in vehicles() if v.service == service and v.depot_id == depot_id])


def number_of(vehicle_id: str) -> int:
    """The number of a vehicle by its id. Raises ValueError where the operation has no such vehicle."""
    for vehicle in vehicles():
        if vehicle.vehicle_id == vehicle_id:
            return vehicle.number
    raise ValueError(f"The simulated operation has no vehicle {vehicle_id}; its vehicles are named like GRB-01.")
