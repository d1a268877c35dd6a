"""What the systems tell of a day: scans of goods and stops, by source, with its latency and its gaps."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from lastmile.twin import causes, chance, clock, fleet
from lastmile.twin.day import Day, depot_place
from lastmile.twin.demand import SERVICES
from lastmile.twin.driving import PARTIAL
from lastmile.twin.rows import EventRows, jittered, payload

CLOSING_AT = 1322.0  # 22:02: what was not tried is told, second promises and charges follow
PLACES = ("recipient", "neighbour", "safe_place", "locker")
NOT_COMPLETED = (
    "cannot_locate",
    "documents_missing",
    "no_access_or_equipment",
    "weather",
    "appointment_missing_or_moved",
)


def route_id(vehicle_id: str, day: date) -> str:
    """The id of a vehicle's route on a day, the same in every plan version."""
    return f"{vehicle_id}-{day:%Y%m%d}"


def visits_of(opened: Day) -> pd.DataFrame:
    """One row per try of the day, with the vehicle that made it; times in minutes, places in km."""
    rows = [(number, *visit) for number, run in opened.runs.items() for visit in run.visits]
    names = [
        "vehicle",
        "row",
        "attempt",
        "set_off",
        "arrives",
        "starts",
        "ends",
        "leaves",
        "x",
        "y",
        "km",
        "reason",
        "genuine",
    ]
    frame = pd.DataFrame(rows, columns=names)
    frame["reason"] = pd.Series([row[names.index("reason")] for row in rows], dtype=object)  # None stays None
    return frame


def add_upstream(rows: EventRows, opened: Day) -> None:
    """Order, release, pick, pack and stage of each delivery, and cancellations, as the warehouse system tells them."""
    deliveries, releases = opened.deliveries, opened.releases
    stages = {
        "order_received": np.where(deliveries["carried"], np.nan, deliveries["ordered"]),
        "released_to_warehouse": releases["released"],
        "picked": releases["picked"],
        "packed": releases["packed"],
        "staged": releases["staged"],
    }
    gone = deliveries["cancelled"].fillna(np.inf).to_numpy()
    for type, minutes in stages.items():
        minutes = np.where(np.asarray(minutes) < gone, minutes, np.nan)
        _add_warehouse(rows, type, opened, np.asarray(minutes, dtype=float))
    _add_warehouse(rows, "cancelled", opened, opened.cancellations, reason="customer_requested_change")


def _add_warehouse(rows: EventRows, type: str, opened: Day, minutes: np.ndarray, **said: object) -> None:
    deliveries = opened.deliveries
    rows.add_scans(
        type,
        minutes,
        np.full(len(deliveries), "wms", dtype=object),
        deliveries["key"].to_numpy(),
        deliveries["tries"].to_numpy(),
        loss=0.0 if type in ("order_received", "cancelled") else 1.0,
        delivery_id=deliveries["delivery_id"],
        depot_id=deliveries["depot_id"],
        status_source="system",
        payload="{}",
        **said,
    )


def add_stops(rows: EventRows, opened: Day, visits: pd.DataFrame) -> None:
    """Arrival, outcome and departure of each try, as the carriers' systems tell them."""
    if visits.empty:
        return
    said = _who(opened, visits)
    lon, lat = jittered(opened.seed, "stop", visits["x"], visits["y"], said["keys"], said["tries"])
    there = {"lon": lon, "lat": lat, "accuracy_m": 5.0 + 15.0 * chance.uniform(opened.seed, "accuracy", said["keys"])}
    genuine = visits["genuine"].to_numpy()
    at_stop = np.where(genuine, visits["arrives"], np.nan)
    rows.add_scans("arrived", at_stop, status_source="geofence", payload="{}", **said, **there)
    rows.add_scans("departed_stop", np.where(genuine, visits["leaves"], np.nan), status_source="geofence", payload="{}",
                   **said, **there)  # fmt: skip
    outcomes = _outcomes(visits)
    bodies = _payloads(opened, visits, said)
    for type in ("delivered", "partially_delivered", "attempted", "not_completed", "refused"):
        ends = np.where(outcomes == type, visits["ends"], np.nan)
        rows.add_scans(type, ends, loss=0.1, status_source="driver", reason=visits["reason"].to_numpy(), payload=bodies,
                       **said, **there)  # fmt: skip
    damaged = np.where(visits["reason"] == "damaged", visits["ends"] - 1.0, np.nan)
    rows.add_scans(
        "damaged", damaged, loss=0.0, status_source="driver", reason="damaged", payload="{}", **said, **there
    )


def _who(opened: Day, visits: pd.DataFrame) -> dict[str, np.ndarray]:
    """Delivery, route, vehicle, driver and system of each try."""
    at, number = visits["row"].to_numpy(), visits["vehicle"].to_numpy()
    by_number = {vehicle.number: vehicle for vehicle in fleet.vehicles()}

    def of_vehicle(value) -> np.ndarray:
        said = np.array([value(vehicle) for vehicle in by_number.values()], dtype=object)
        return said[number]

    return {
        "keys": opened.deliveries["key"].to_numpy()[at],
        "tries": visits["attempt"].to_numpy(),
        "delivery_id": opened.deliveries["delivery_id"].to_numpy(dtype=object)[at],
        "depot_id": opened.deliveries["depot_id"].to_numpy(dtype=object)[at],
        "route_id": of_vehicle(lambda vehicle: route_id(vehicle.vehicle_id, opened.day)),
        "vehicle_id": of_vehicle(lambda vehicle: vehicle.vehicle_id),
        "actor": of_vehicle(lambda vehicle: fleet.driver_of(opened.seed, vehicle, opened.day)),
        "sources": of_vehicle(lambda vehicle: fleet.CARRIERS[vehicle.carrier_id].source),
    }


def _outcomes(visits: pd.DataFrame) -> np.ndarray:
    reason = visits["reason"]
    return np.select(
        [
            reason.isna(),
            reason == PARTIAL,
            reason.isin(("refused", "damaged", "payment")),
            reason.isin(NOT_COMPLETED),
        ],
        ["delivered", "partially_delivered", "refused", "not_completed"],
        "attempted",
    )


def _payloads(opened: Day, visits: pd.DataFrame, said: dict[str, np.ndarray]) -> np.ndarray:
    """What the driver noted: start of service, then what was handed over and to whom, or whether anyone was met."""
    keys, tries = said["keys"], said["tries"]

    def draw(purpose: str) -> np.ndarray:
        return chance.uniform(opened.seed, purpose, keys, tries)

    deliveries = opened.deliveries.iloc[visits["row"]]
    started = clock.times(clock.micros(opened.day, visits["starts"].to_numpy())).strftime("%Y-%m-%dT%H:%M:%SZ")
    silent = (said["sources"] == causes.LATE_SCANS_SOURCE) & (draw("no start") < 0.04)
    taken_by = _taken_by(deliveries["service"].to_numpy(), draw("taken by"))
    proofs = _proofs(deliveries, said["actor"], draw("proof"), draw("broken proof"))
    right = draw("documents right") >= 0.008
    met = draw("met") < 0.45
    bodies = []
    columns = (started, silent, visits["reason"], taken_by, deliveries["lines"], proofs, right, met, visits["genuine"])
    for start, no_start, reason, whom, lines, proof, documents, contact, genuine in zip(*columns, strict=True):
        noted = {} if no_start else {"service_started_at": start}
        if reason is None or reason == PARTIAL:
            handed = lines if reason is None else max(lines - 1, 0)
            noted |= {
                "handed_to": whom,
                "lines_delivered": int(handed),
                "proof": proof,
                "documents_right": bool(documents),
            }
        else:
            noted["contact"] = bool(genuine and (contact or reason in ("refused", "payment", "damaged")))
        bodies.append(payload(**noted))
    return np.array(bodies, dtype=object)


def _taken_by(service: np.ndarray, draws: np.ndarray) -> np.ndarray:
    places = np.array(PLACES, dtype=object)[np.searchsorted((0.82, 0.93, 0.98), draws, side="right")]
    return np.where(service == "parcels", places, "recipient")


def _proofs(deliveries: pd.DataFrame, actors: np.ndarray, draws: np.ndarray, broken: np.ndarray) -> list[list[str]]:
    """The proof that was given: all that was asked for, less a part of it now and then, and often with one driver."""
    given = []
    for service, value, actor, draw, fails in zip(
        deliveries["service"], deliveries["value"], actors, draws, broken, strict=True
    ):
        asked = proof_asked(service, value)
        lost = draw < 0.012 or (actor == causes.BROKEN_PROOF_DRIVER and fails < causes.BROKEN_PROOF_SHARE)
        given.append(asked[:-1] if lost else asked)
    return given


def proof_asked(service: str, value: float) -> list[str]:
    """What a complete proof of a delivery needs; a dear parcel is signed for."""
    dear = service == "parcels" and value > 180.0
    return [*SERVICES[service].proof, "signature"] if dear else list(SERVICES[service].proof)


def add_loading(rows: EventRows, opened: Day) -> None:
    """Loading scans in reverse order of the stops, in the half hour before the van leaves."""
    vehicles, found, minutes = [], [], []
    for number, order in opened.planned.items():
        departures = opened.runs[number].departures
        if departures:
            before = np.linspace(4.0, 26.0, len(order))
            vehicles += [number] * len(order)
            found += order
            minutes += (departures[0] - before).tolist()
    if not found:
        return
    visits = pd.DataFrame({"vehicle": vehicles, "row": found, "attempt": opened.deliveries["tries"].to_numpy()[found]})
    loaded = np.where(opened.deliveries["cancelled"].to_numpy()[found] < minutes, np.nan, minutes)
    rows.add_scans("loaded", loaded, status_source="driver", payload="{}", **_who(opened, visits))


def add_routes(rows: EventRows, opened: Day) -> None:
    """Departures, returns and breakdowns of vehicles, and a word of delay where the dock held a van up."""
    for number, run in opened.runs.items():
        vehicle = fleet.vehicles()[number]
        said = _of_route(opened, vehicle)
        home = {"lon": _depot(vehicle).lon, "lat": _depot(vehicle).lat, "accuracy_m": 30.0}
        rows.add("departed_depot", run.departures, 1.0, payload="{}", status_source="geofence", **said, **home)
        for at, km in run.returns:
            driven = payload(distance_km=round(km, 2))
            rows.add("returned_to_depot", [at], 1.0, payload=driven, status_source="geofence", **said, **home)
        if run.broke < float("inf"):
            x, y = run.trace[-1][1:] if run.trace else depot_place(vehicle)
            lon, lat = jittered(opened.seed, "broke", [x], [y], number)
            rows.add("vehicle_broke_down", [run.broke], 2.0, payload="{}", reason="vehicle_breakdown",
                     status_source="driver", lon=lon, lat=lat, accuracy_m=10.0, **said)  # fmt: skip
        _add_dock_delay(rows, opened, number, said)


def _add_dock_delay(rows: EventRows, opened: Day, number: int, said: dict[str, object]) -> None:
    planned = [draft.departs for draft in opened.drafts if draft.vehicle.number == number]
    departures = opened.runs[number].departures
    if planned and departures and departures[0] - planned[0] > 20.0:
        minutes = round(departures[0] - planned[0])
        rows.add("delayed", [departures[0]], 1.0, reason="late_release", payload=payload(minutes=minutes),
                 status_source="system", **said)  # fmt: skip


def add_untried(rows: EventRows, opened: Day, visits: pd.DataFrame) -> None:
    """At closing, a word of delay for each delivery that nobody tried, with the reason."""
    tried = set(visits["row"])
    open_rows = [
        row for row in range(len(opened.deliveries)) if row not in tried and np.isnan(opened.cancellations[row])
    ]
    if not open_rows:
        return
    on = {row: number for number, order in opened.planned.items() for row in order}
    reasons = [_why_untried(opened, on.get(row)) for row in open_rows]
    untried = opened.deliveries.iloc[open_rows]
    rows.add(
        "delayed",
        np.full(len(open_rows), CLOSING_AT),
        0.5,
        delivery_id=untried["delivery_id"],
        depot_id=untried["depot_id"],
        source="wms",
        status_source="system",
        reason=np.array(reasons, dtype=object),
        payload="{}",
    )


def _why_untried(opened: Day, number: int | None) -> str:
    if number is None:
        return "no_capacity"
    return "vehicle_breakdown" if opened.runs[number].broke < float("inf") else "out_of_time"


def add_returns(rows: EventRows, opened: Day, spent: pd.DataFrame) -> None:
    """The next morning, what is given up goes back to the shipper."""
    if len(spent):
        at = 1440.0 + 420.0 + 60.0 * chance.uniform(opened.seed, "sent back", spent["key"].to_numpy())
        said = {"delivery_id": spent["delivery_id"], "depot_id": spent["depot_id"], "source": "wms"}
        rows.add("returned_to_shipper", at, 1.0, status_source="system", payload="{}", **said)


def _of_route(opened: Day, vehicle: fleet.Vehicle) -> dict[str, object]:
    return {
        "route_id": route_id(vehicle.vehicle_id, opened.day),
        "vehicle_id": vehicle.vehicle_id,
        "depot_id": vehicle.depot_id,
        "actor": fleet.driver_of(opened.seed, vehicle, opened.day),
        "source": fleet.CARRIERS[vehicle.carrier_id].source,
    }


def _depot(vehicle: fleet.Vehicle):
    return next(depot for depot in fleet.DEPOTS if depot.depot_id == vehicle.depot_id)
