"""What the systems hold beside events: bookings, shifts, the morning plan."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd

from lastmile.twin import chance, city, clock, fleet, planning
from lastmile.twin.day import PLANNED_AT, Day
from lastmile.twin.demand import NUMBERS_OF, RECIPIENTS, SERVICES
from lastmile.twin.rows import EventRows, ids_of, payload
from lastmile.twin.scans import CLOSING_AT, proof_asked, route_id

APPROVED_AFTER = 10.0  # minutes from proposal to approval


def plan_id(depot_id: str, day, version: int) -> str:
    """The id of a plan version of a depot and day, as the morning planning numbers them."""
    return f"{depot_id}-{day:%Y%m%d}-{version}"


def bookings(opened: Day) -> pd.DataFrame:
    """One row per promise: first ones, second ones after a failed day, and changes of carrier by the morning plan."""
    deliveries = opened.deliveries
    again = CLOSING_AT - clock.DAY_MINUTES + 5.0 + 30.0 * chance.uniform(opened.seed, "again at", deliveries["key"])
    promised = np.where(deliveries["carried"], again, deliveries["ordered"] + 2.0)
    first = _booking_rows(opened, deliveries, promised)
    moved, carriers = _reassigned(opened)
    second = deliveries.iloc[moved].assign(carrier_id=carriers)
    return pd.concat([first, _booking_rows(opened, second, np.full(len(moved), PLANNED_AT + APPROVED_AFTER))],
                     ignore_index=True)  # fmt: skip


def _reassigned(opened: Day) -> tuple[list[int], list[str]]:
    """Rows that the plan gives to another carrier than they were booked with."""
    booked = opened.deliveries["carrier_id"].tolist()
    found = [
        (row, fleet.vehicles()[number].carrier_id)
        for number, order in opened.planned.items()
        for row in order
        if booked[row] != fleet.vehicles()[number].carrier_id
    ]
    return [row for row, _ in found], [carrier for _, carrier in found]


def _booking_rows(opened: Day, deliveries: pd.DataFrame, recorded: np.ndarray) -> pd.DataFrame:
    service = [SERVICES[key] for key in deliveries["service"]]
    areas = [city.AREAS[number] for number in deliveries["area_number"]]
    kept = ["delivery_id", "order_id", "depot_id", "carrier_id", "service", "early_minutes", "late_minutes", "site_id",
            "lon", "lat", "weight_kg", "volume_m3", "pieces", "lines", "service_minutes", "value"]  # fmt: skip
    frame = deliveries[kept].reset_index(drop=True)
    recorded_us = clock.micros(opened.day, recorded)
    frame.insert(0, "booking_id", ids_of("booking", frame["delivery_id"].tolist(), recorded_us.tolist()))
    frame.insert(1, "recorded_at", clock.times(recorded_us))
    frame["kind"], frame["source"], frame["zone"], frame["currency"] = (
        "delivery",
        NUMBERS_OF,
        clock.ZONE,
        fleet.CURRENCY,
    )
    frame["day"], frame["window_semantics"] = opened.day, "service_start"
    for column in ("window_from", "window_due", "release_due"):
        frame[column] = clock.times(clock.micros(opened.day, deliveries[column].to_numpy()))
    frame["criticality"] = [s.criticality for s in service]
    frame["penalty"] = [s.penalty for s in service]
    frame["area"] = [area.name for area in areas]
    frame["address"] = _addresses(deliveries, areas)
    frame["recipient"] = _recipients(opened.seed, deliveries)
    frame["email"], frame["language"] = _told_by(opened.seed, deliveries, frame["recipient"])
    frame["skills"] = _skills(deliveries)
    frame["proof"] = [proof_asked(*said) for said in zip(deliveries["service"], deliveries["value"], strict=True)]
    frame["notes"] = _notes(deliveries)
    return frame


def _addresses(deliveries: pd.DataFrame, areas: list[city.Area]) -> list[str]:
    """Street and number; sites on works land have a gate, and no number."""
    streets = city.streets()
    names, land = streets["street"].tolist(), streets["land"].tolist()
    return [
        names[street]
        + (f", gate {1 + house % 6}" if land[street] == "works" else f" {house}")
        + f", {area.postcode} Berlin"
        for street, house, area in zip(deliveries["street"], deliveries["house"], areas, strict=True)
    ]


def _recipients(seed: int, deliveries: pd.DataFrame) -> list[str]:
    names = city.streets()["street"].tolist()
    draws = chance.uniform(seed, "recipient", deliveries["street"].to_numpy(), deliveries["house"].to_numpy())
    found = []
    for service, street, draw in zip(deliveries["service"], deliveries["street"], draws, strict=True):
        kinds = RECIPIENTS[service]
        found.append(f"{kinds[int(draw * len(kinds))]} {names[street]}")
    return found


def _told_by(seed: int, deliveries: pd.DataFrame, recipients: pd.Series) -> tuple[list[str | None], list[str]]:
    """An address of a reserved domain (RFC 2606) for nine recipients of ten, and a language: mail to them reaches nobody."""
    draws = chance.uniform(seed, "told by", deliveries["street"].to_numpy(), deliveries["house"].to_numpy())
    emails: list[str | None] = []
    for recipient, house, draw in zip(recipients, deliveries["house"], draws, strict=True):
        plain = recipient.lower().translate(str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"}))
        name = ".".join("".join(sign if sign.isascii() and sign.isalnum() else " " for sign in plain).split())
        emails.append(f"{name}.{house}@example.{'org' if draw < 0.3 else 'com'}" if draw < 0.9 else None)
    return emails, ["en" if draw % 0.1 < 0.02 else "de" for draw in draws]


def _skills(deliveries: pd.DataFrame) -> list[list[str]]:
    """What the service always needs, and for some loads a crane or a second person."""
    found = []
    for service, draw in zip(deliveries["service"], deliveries["special"], strict=True):
        needed = list(SERVICES[service].skills)
        if service == "construction" and draw < 0.2:
            needed.append("crane")
        if service == "parcels" and draw < 0.02:
            needed.append("two_person")
        found.append(needed)
    return found


def _notes(deliveries: pd.DataFrame) -> pd.Series:
    closes = deliveries["site_closes"].to_numpy()
    shut = [f"site closes {int(at) // 60:02d}:{int(at) % 60:02d}" for at in closes]
    notes = [
        said if service == "construction" else None for said, service in zip(shut, deliveries["service"], strict=True)
    ]
    return pd.Series(notes, dtype=object)


def shifts(opened: Day) -> pd.DataFrame:
    """One row per vehicle on duty: those with a route, and the standby van of each depot; known with the plan."""
    rows = []
    for vehicle in fleet.vehicles():
        if vehicle.number in opened.planned or vehicle.standby:
            shift = planning.shift_of(opened.seed, vehicle, opened.day)
            rows.append((vehicle.vehicle_id, fleet.driver_of(opened.seed, vehicle, opened.day), *shift.values()))
    names = ["vehicle_id", "driver_id", "starts", "ends", "departs", "break_minutes", "break_from", "break_due"]
    frame = pd.DataFrame(rows, columns=names)
    frame.insert(0, "shift_id", [shift_id(vehicle, opened.day) for vehicle in frame["vehicle_id"]])
    frame.insert(1, "recorded_at", clock.times(clock.micros(opened.day, np.full(len(frame), PLANNED_AT - 1.0))))
    frame["day"] = opened.day
    frame["overtime_minutes"] = planning.OVERTIME_MINUTES
    for old, new in (
        ("starts", "starts_at"),
        ("ends", "ends_at"),
        ("break_from", "break_from"),
        ("break_due", "break_due"),
    ):
        frame[new] = clock.times(clock.micros(opened.day, frame.pop(old).to_numpy()))
    return frame.drop(columns="departs")


def shift_id(vehicle_id: str, day) -> str:
    """The id of a vehicle's shift on a day."""
    return f"S-{vehicle_id}-{day:%Y%m%d}"


def plan_tables(opened: Day) -> dict[str, pd.DataFrame]:
    """The morning plan of each depot, version 1: tables plan, route and planned_stop."""
    recorded = clock.times(clock.micros(opened.day, np.array([PLANNED_AT])))[0]
    stops = _planned_stops(opened)
    routes = _routes(opened, stops)
    return {
        "plan": _plans(opened, routes, stops, recorded),
        "route": routes.drop(columns="late_minutes"),
        "planned_stop": stops.drop(columns=["late_minutes", "vehicle"]),
    }


def _planned_stops(opened: Day) -> pd.DataFrame:
    """One row per delivery of a route; deliveries to one site, one after the other, share a stop."""
    drafts = opened.drafts
    rows = np.array([row for draft in drafts for row in draft.rows], dtype=np.int64)
    vehicles = np.repeat(np.array([d.vehicle.number for d in drafts], dtype=np.int64), [len(d.rows) for d in drafts])
    starts = _flat(draft.starts[1:-1] for draft in drafts)
    deliveries = opened.deliveries.iloc[rows]
    by_number = fleet.vehicles()
    columns = {
        "plan_id": [plan_id(by_number[number].depot_id, opened.day, 1) for number in vehicles],
        "route_id": [route_id(by_number[number].vehicle_id, opened.day) for number in vehicles],
        "stop": _stop_numbers(vehicles, deliveries["site_id"].to_numpy()),
        "delivery_id": deliveries["delivery_id"].to_numpy(),
        "distance_km": np.round(_flat(draft.leg_km[:-1] for draft in drafts), 3),
        "drive_minutes": np.round(_flat(draft.leg_minutes[:-1] for draft in drafts), 2),
        "late_minutes": np.maximum(starts - (deliveries["window_due"] + deliveries["late_minutes"]).to_numpy(), 0.0),
        "vehicle": vehicles,
    }
    instants = {
        "arrive_at": _flat(draft.arrives[1:-1] for draft in drafts),
        "service_at": starts,
        "depart_at": _flat(draft.leaves[1:-1] for draft in drafts),
    }
    return pd.DataFrame(columns | {name: clock.times(clock.micros(opened.day, at)) for name, at in instants.items()})


def _flat(parts) -> np.ndarray:
    return np.array([value for part in parts for value in part], dtype=float)


def _stop_numbers(vehicles: np.ndarray, sites: np.ndarray) -> np.ndarray:
    if not len(vehicles):
        return np.zeros(0, dtype=np.int64)
    new_route = np.append(True, vehicles[1:] != vehicles[:-1])
    new_stop = new_route | np.append(True, sites[1:] != sites[:-1])
    counted = np.cumsum(new_stop)
    before = np.maximum.accumulate(np.where(new_route, counted - 1, 0))
    return counted - before


def _routes(opened: Day, stops: pd.DataFrame) -> pd.DataFrame:
    late = stops.groupby("vehicle")["late_minutes"].sum().to_dict()
    rows = []
    for draft in opened.drafts:
        vehicle, km = draft.vehicle, float(np.sum(draft.leg_km))
        rows.append(
            {
                "plan_id": plan_id(vehicle.depot_id, opened.day, 1),
                "route_id": route_id(vehicle.vehicle_id, opened.day),
                "depot_id": vehicle.depot_id,
                "day": opened.day,
                "vehicle_id": vehicle.vehicle_id,
                "driver_id": fleet.driver_of(opened.seed, vehicle, opened.day),
                "carrier_id": vehicle.carrier_id,
                "shift_id": shift_id(vehicle.vehicle_id, opened.day),
                "departs_at": draft.departs,
                "returns_at": draft.arrives[-1],
                "distance_km": round(km, 2),
                "drive_minutes": round(float(np.sum(draft.leg_minutes)), 1),
                "cost": round(_cost(draft, km), 2),
                "late_minutes": late.get(vehicle.number, 0.0),
            }
        )
    frame = pd.DataFrame(rows)
    for column in ("departs_at", "returns_at"):
        frame[column] = clock.times(clock.micros(opened.day, frame[column].to_numpy()))
    return frame


def _cost(draft: planning.Draft, km: float) -> float:
    """What a route costs by its carrier's rate card, in EUR."""
    per_day, per_hour, per_overtime, per_km, per_stop, least = fleet.CARRIERS[draft.vehicle.carrier_id].prices
    hours = (draft.arrives[-1] - draft.departs + planning.LOADING_MINUTES) / 60.0
    overtime = max(0.0, draft.arrives[-1] - draft.ends) / 60.0
    cost = per_day + per_hour * (hours - overtime) + per_overtime * overtime + per_km * km + per_stop * len(draft.rows)
    return max(least, cost)


def _plans(opened: Day, routes: pd.DataFrame, stops: pd.DataFrame, recorded: pd.Timestamp) -> pd.DataFrame:
    rows = []
    for depot in city.DEPOTS:
        mine = routes[routes["depot_id"] == depot.depot_id]
        late = stops.loc[stops["plan_id"] == plan_id(depot.depot_id, opened.day, 1), "late_minutes"]
        rows.append(
            {
                "plan_id": plan_id(depot.depot_id, opened.day, 1),
                "recorded_at": recorded,
                "depot_id": depot.depot_id,
                "day": opened.day,
                "version": 1,
                "made_by": "planner",
                "engine": "morning insertion",
                "cost": round(float(mine["cost"].sum()), 2),
                "currency": fleet.CURRENCY,
                "distance_km": round(float(mine["distance_km"].sum()), 1),
                "late_minutes": round(float(late.sum()), 1),
                "promises_broken": int((late > 0).sum()),
                "unserved": json.dumps(_unserved(opened, depot.depot_id)),
                "summary": payload(routes=len(mine), deliveries=len(late)),
            }
        )
    return pd.DataFrame(rows)


def _unserved(opened: Day, depot_id: str) -> list[dict[str, str]]:
    planned = {row for order in opened.planned.values() for row in order}
    wanted = opened.deliveries[opened.deliveries["depot_id"] == depot_id]
    wanted = wanted[~(wanted["cancelled"] <= PLANNED_AT)]
    return [
        {"delivery_id": wanted.at[row, "delivery_id"], "reason": "no_capacity"}
        for row in wanted.index
        if row not in planned
    ]


def add_plan_events(rows: EventRows, opened: Day) -> None:
    """The planner proposes the plan of each depot, and approves it ten minutes later."""
    for depot in city.DEPOTS:
        told = payload(plan_id=plan_id(depot.depot_id, opened.day, 1), why="morning plan")
        for type, at in (("plan_proposed", PLANNED_AT), ("plan_approved", PLANNED_AT + APPROVED_AFTER)):
            rows.add(type, [at], depot_id=depot.depot_id, source="planning", status_source="user", actor="planner",
                     payload=told)  # fmt: skip
