"""What a day costs beyond the rate cards: tolls, calls, handling again, penalties, claims, idle crews, invoices."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lastmile.twin import clock, fleet
from lastmile.twin.day import Day
from lastmile.twin.demand import SERVICES
from lastmile.twin.driving import PARTIAL
from lastmile.twin.milestones import CREW_RATE, crew_sizes
from lastmile.twin.rows import ids_of
from lastmile.twin.scans import CLOSING_AT, route_id

TOLL_PER_KM = 0.198  # trucks of 12 t on the part of their way that is tolled
TOLLED_SHARE = 0.35
CALL = 1.35
HANDLING_AGAIN = 3.1
SURCHARGE_PER_STOP = 0.28  # the 3PL's invoice: fuel and bulky goods, beyond its price per stop
CLAIM_SHARE_OF_VALUE = 0.6
CREW_WAITS_AT_MOST = 240.0
BILLED_AT = CLOSING_AT + 20.0


def charges(opened: Day, visits: pd.DataFrame) -> pd.DataFrame:
    """One row per amount that the day's invoices, claims and calls came to; recorded at closing."""
    parts = [*_of_routes(opened), *_of_tries(opened, visits), *_of_promises(opened, visits)]
    frame = pd.DataFrame(parts, columns=["kind", "amount", "at", "delivery_id", "route_id", "carrier_id"])
    frame = frame[frame["amount"] > 0].reset_index(drop=True)
    occurred = clock.micros(opened.day, frame.pop("at").to_numpy(dtype=float))
    subject = frame["delivery_id"].fillna(frame["route_id"])
    frame.insert(0, "charge_id", ids_of("charge", frame["kind"].tolist(), subject.tolist(), occurred.tolist()))
    frame.insert(
        1, "recorded_at", clock.times(np.maximum(clock.micros(opened.day, np.full(len(frame), BILLED_AT)), occurred))
    )
    frame.insert(2, "occurred_at", clock.times(occurred))
    frame["amount"] = frame["amount"].astype(float).round(2)
    frame["currency"], frame["assumed"], frame["source"] = fleet.CURRENCY, False, "billing"
    return frame


def _of_routes(opened: Day) -> list[tuple]:
    found = []
    for number, run in opened.runs.items():
        vehicle = fleet.vehicles()[number]
        said = (None, route_id(vehicle.vehicle_id, opened.day), vehicle.carrier_id)
        if vehicle.service == "construction" and run.visits:
            found.append(("toll", run.km * TOLLED_SHARE * TOLL_PER_KM, run.last_at, *said))
        if fleet.CARRIERS[vehicle.carrier_id].kind == "third_party" and run.visits:
            found.append(("third_party", len(run.visits) * SURCHARGE_PER_STOP, BILLED_AT, *said))
    return found


def _of_tries(opened: Day, visits: pd.DataFrame) -> list[tuple]:
    """Each failed try: a call to the recipient, and the goods handled again."""
    found = []
    for visit in visits[visits["reason"].notna() & (visits["reason"] != PARTIAL)].itertuples():
        said = _said(opened, visit)
        found.append(("contact", CALL, visit.ends, *said))
        found.append(("rehandling", HANDLING_AGAIN, visit.leaves, *said))
    return found


def _of_promises(opened: Day, visits: pd.DataFrame) -> list[tuple]:
    """Penalties for broken promises, claims for damage, and crews that stood idle, on a delivery's first day."""
    found = []
    deliveries = opened.deliveries.iloc[visits["row"]].reset_index(drop=True)
    after = visits["starts"].to_numpy() - deliveries["window_due"].to_numpy()
    late = after > deliveries["late_minutes"].to_numpy()
    waits = (deliveries["service"] == "construction").to_numpy() & (after > 0)
    damaged = (visits["reason"] == "damaged").to_numpy()
    told = ~deliveries["carried"].to_numpy() & (late | waits | damaged)
    crews = crew_sizes(opened.seed, deliveries["site_id"])
    for at in np.flatnonzero(told).tolist():
        visit, said = visits.iloc[at], _said(opened, visits.iloc[at])
        if late[at]:
            found.append(("penalty", SERVICES[deliveries["service"].iat[at]].penalty, visit.starts, *said))
        if damaged[at]:
            found.append(("claim", CLAIM_SHARE_OF_VALUE * deliveries["value"].iat[at], BILLED_AT, *said))
        if waits[at]:
            idle = crews[at] * CREW_RATE * min(after[at], CREW_WAITS_AT_MOST) / 60.0
            found.append(("crew_idle", idle, visit.starts, *said))
    return found


def _said(opened: Day, visit) -> tuple[str, str, str]:
    vehicle = fleet.vehicles()[visit.vehicle]
    return (
        opened.deliveries["delivery_id"].iat[visit.row],
        route_id(vehicle.vehicle_id, opened.day),
        vehicle.carrier_id,
    )
