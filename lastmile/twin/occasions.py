"""When somebody of the simulated operation would re-optimize, told from what could be seen by then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

import numpy as np
import pandas as pd

from lastmile.twin import chance, city, clock, fleet
from lastmile.twin.day import Day
from lastmile.twin.driving import NEVER, Run

LOOKS_FROM, LOOKS_UNTIL = 860.0, 900.0  # between 14:20 and 15:00, when breaks are over and the afternoon can be changed
TOO_LATE = 930.0  # half past three
HEARS_OF_A_BREAKDOWN_AFTER = (6.0, 14.0)  # minutes; the driver's word is on record after two
WORTH_MOVING = 5  # stops that a broken vehicle has left
BEHIND = 15  # stops that the present delays would make late
LEFT_LATE = 20.0  # minutes


@dataclass(frozen=True)
class Occasion:
    """A depot and an instant at which somebody looks what a re-optimization would bring; `seen` is what made them look."""

    depot_id: str
    day: date
    at: datetime
    seen: str


class Decider(Protocol):
    """Who decides about plans while history is told: the ledger holds what was known at the occasion when asked."""

    def occasion(self, opened: Day) -> Occasion | None:
        """When a day is looked at, if at all."""

    def plan(self, occasion: Occasion) -> Mapping[str, pd.DataFrame] | None:
        """The rows of the plan version that comes into force then; None where the plan in force stays."""


def occasion(opened: Day) -> Occasion | None:
    """The first of a day: a vehicle that broke down with stops left, or the depot most behind in the early afternoon.

    Only what has happened by then is looked at. None where all goes well, or nothing can be changed any more.
    """
    found = [*_breakdowns(opened), *_behind(opened)]
    at, depot_id, seen = min(found, default=(NEVER, "", ""))
    if at >= TOO_LATE:
        return None
    instant = clock.times(clock.micros(opened.day, np.array([at])))[0].to_pydatetime()
    return Occasion(depot_id, opened.day, instant, seen)


def _breakdowns(opened: Day) -> list[tuple[float, str, str]]:
    soonest, latest = HEARS_OF_A_BREAKDOWN_AFTER
    found = []
    for number, order in opened.planned.items():
        run, vehicle = opened.runs[number], fleet.vehicles()[number]
        if run.broke < NEVER and len(order) - len(run.visits) >= WORTH_MOVING:
            wait = soonest + (latest - soonest) * _draw(opened, "hears of a breakdown", number)
            found.append((run.broke + wait, vehicle.depot_id, f"{vehicle.vehicle_id} is down"))
    return found


def _behind(opened: Day) -> list[tuple[float, str, str]]:
    at = LOOKS_FROM + (LOOKS_UNTIL - LOOKS_FROM) * _draw(opened, "looks at")
    late = {depot.depot_id: expected_late(opened, depot.depot_id, at) for depot in city.DEPOTS}
    depot_id = max(late, key=late.__getitem__)
    return [(at, depot_id, _why_behind(opened, depot_id))] if late[depot_id] >= BEHIND else []


def expected_late(opened: Day, depot_id: str, at: float) -> int:
    """How many stops of a depot would be late at a minute of the day if each van kept the delay that it has by then."""
    due = (opened.deliveries["window_due"] + opened.deliveries["late_minutes"]).to_numpy()
    count = 0
    for draft in opened.drafts:
        if draft.vehicle.depot_id == depot_id:
            planned = dict(zip(draft.rows, draft.starts[1:-1], strict=True))
            delay, tried = _delay(opened.runs[draft.vehicle.number], planned, at)
            count += sum(start + delay > due[row] for row, start in planned.items() if row not in tried)
    return count


def _delay(run: Run, planned: Mapping[int, float], at: float) -> tuple[float, set[int]]:
    """Minutes behind plan at the last stop that a van has reached (never less than 0), and the rows it has reached."""
    reached = [visit for visit in run.visits if visit.starts <= at and visit.row in planned]
    delay = max(0.0, reached[-1].starts - planned[reached[-1].row]) if reached else 0.0
    return delay, {visit.row for visit in reached}


def _why_behind(opened: Day, depot_id: str) -> str:
    held = sum(
        opened.runs[draft.vehicle.number].departures[:1] > [draft.departs + LEFT_LATE]
        for draft in opened.drafts
        if draft.vehicle.depot_id == depot_id
    )
    return f"{held} vans left late" if held > 1 else "Vans are behind"


def _draw(opened: Day, purpose: str, *keys: int) -> float:
    return float(chance.uniform(opened.seed, purpose, opened.day.toordinal(), *keys))
