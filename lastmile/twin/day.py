"""One service day: what is to be delivered, the morning plan, and what the vehicles then did."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

import numpy as np
import pandas as pd

from lastmile.twin import causes, chance, city, demand, fleet, planning
from lastmile.twin.driving import NEVER, Assignment, Run, drive
from lastmile.twin.truth import Truth, released, truth_of

PLANNED_AT = 285.0  # 04:45, when the plan of the day is made; proposed then, approved ten minutes later
NOTICE_MINUTES = 3.0  # how long a new order takes to reach a driver
LONGEST_WAIT = 80.0  # minutes that a van waits at the dock for its goods
GIVEN_UP_AFTER = 3  # tries


@dataclass(frozen=True)
class NewOrders:
    """From minute `at` on vehicles (by number) drive these rows in order; `departs` is for those still at the depot."""

    at: float
    orders: dict[int, tuple[int, ...]]
    departs: dict[int, float]


@dataclass(frozen=True)
class Day:
    """A day as it stands in the morning, and what was ordered and broke since. Times are minutes of the day."""

    seed: int
    day: date
    deliveries: pd.DataFrame
    drafts: tuple[planning.Draft, ...]
    planned: dict[int, tuple[int, ...]]  # vehicle number -> rows of `deliveries` in planned order
    truth: Truth
    releases: pd.DataFrame
    changes: tuple[NewOrders, ...] = ()
    breakdowns: tuple[tuple[int, float], ...] = ()

    @cached_property
    def runs(self) -> dict[int, Run]:
        """What each vehicle did, by its number."""
        assignments = {vehicle.number: self._assignment(vehicle) for vehicle in fleet.vehicles()}
        for change in sorted(self.changes, key=lambda change: change.at):
            assignments = self._reordered(assignments, change)
        return {number: self._drive(assignment) for number, assignment in assignments.items()}

    @cached_property
    def cancellations(self) -> np.ndarray:
        """When customers cancelled, by row; NaN where the driver had set out to them before, or nobody cancelled."""
        cancelled = self.deliveries["cancelled"].to_numpy().copy()
        for run in self.runs.values():
            for visit in run.visits:
                if visit.set_off <= cancelled[visit.row]:
                    cancelled[visit.row] = np.nan
        return cancelled

    @cached_property
    def rows(self) -> dict[str, int]:
        """The row of each delivery."""
        return {delivery_id: row for row, delivery_id in enumerate(self.deliveries["delivery_id"])}

    def broken(self, number: int) -> float:
        """When a vehicle breaks down this day, NEVER if it does not."""
        at = [when for broken, when in self.breakdowns if broken == number]
        return min([_breaks_down(self.seed, self.day, number), *at])

    def _drive(self, assignment: Assignment) -> Run:
        return drive(assignment, self._tried, self.truth)

    @cached_property
    def _tried(self) -> list[int]:
        return self.deliveries["tries"].tolist()

    def _assignment(self, vehicle: fleet.Vehicle) -> Assignment:
        shift = planning.shift_of(self.seed, vehicle, self.day)
        order = self.planned.get(vehicle.number, ())
        return Assignment(
            order,
            self._departure(vehicle, order) if order else shift["departs"],
            shift["ends"],
            shift["break_from"],
            depot_place(vehicle),
            self.broken(vehicle.number),
        )

    def _departure(self, vehicle: fleet.Vehicle, order: tuple[int, ...]) -> float:
        """A van leaves when planned, or when the last of its goods is at the dock, if that is not too long to wait."""
        planned = next(draft.departs for draft in self.drafts if draft.vehicle.number == vehicle.number)
        delay = 4.0 * abs(float(chance.normal(self.seed, "departure", vehicle.number, self.day.toordinal()))) - 1.0
        staged = float(np.quantile(self.releases["staged"].to_numpy()[list(order)], 0.97)) + 10.0
        return planned + max(delay, min(staged - planned, LONGEST_WAIT))

    def _reordered(self, assignments: dict[int, Assignment], change: NewOrders) -> dict[int, Assignment]:
        """The assignments after new orders: what is done or being driven to stays, the rest is as ordered."""
        heard_at = change.at + NOTICE_MINUTES
        touched = set(change.orders) | self._holders(assignments, change)
        runs = {number: self._drive(assignments[number]) for number in touched}
        kept = {n: tuple(v.row for v in run.visits if v.set_off <= heard_at) for n, run in runs.items()}
        taken = {row for rows in kept.values() for row in rows} | _ordered_elsewhere(assignments, touched)
        changed = dict(assignments)
        for number in touched:
            more = tuple(row for row in dict.fromkeys(change.orders.get(number, ())) if row not in taken)
            changed[number] = _continued(
                assignments[number], runs[number], kept[number], more, heard_at, change, number
            )
        return changed

    @staticmethod
    def _holders(assignments: dict[int, Assignment], change: NewOrders) -> set[int]:
        """Vehicles of the depots that the change is about; without a new order they finish what they are doing."""
        depots = {fleet.vehicles()[number].depot_id for number in change.orders}
        return {number for number in assignments if fleet.vehicles()[number].depot_id in depots}


def _ordered_elsewhere(assignments: dict[int, Assignment], touched: set[int]) -> set[int]:
    return {row for number, assignment in assignments.items() if number not in touched for row in assignment.order}


def _continued(
    before: Assignment,
    run: Run,
    kept: tuple[int, ...],
    more: tuple[int, ...],
    heard_at: float,
    change: NewOrders,
    number: int,
) -> Assignment:
    if not run.departures or run.departures[0] > heard_at:
        departs = before.departs if before.order else max(before.departs, heard_at + 10.0)
        return replace(before, order=more, departs=max(departs, change.departs.get(number, 0.0)), recalls=())
    recalls = tuple((position, at) for position, at in before.recalls if position < len(kept))
    return replace(before, order=kept + more, recalls=(*recalls, (len(kept), heard_at)))


def open_day(seed: int, day: date, carried: pd.DataFrame | None) -> Day:
    """The morning of a day: new deliveries and those carried over, planned. Cancelled ones are left out of the plan."""
    new = demand.deliveries(seed, day)
    deliveries = new if carried is None or carried.empty else pd.concat([new, carried], ignore_index=True)
    drafts, planned = _plan(seed, day, deliveries)
    return Day(seed, day, deliveries, drafts, planned, truth_of(seed, day, deliveries), released(seed, day, deliveries))


def _plan(
    seed: int, day: date, deliveries: pd.DataFrame
) -> tuple[tuple[planning.Draft, ...], dict[int, tuple[int, ...]]]:
    wanted = deliveries[~(deliveries["cancelled"] <= PLANNED_AT)]
    drafts: list[planning.Draft] = []
    planned: dict[int, tuple[int, ...]] = {}
    for (depot_id, service), group in wanted.groupby(["depot_id", "service"], sort=True):
        vehicles = [v for v in fleet.vehicles() if v.depot_id == depot_id and v.service == service]
        for draft in planning.plan_group(seed, day, group, vehicles):
            if len(draft.order) > 2:
                draft.rows = tuple(int(group.index[place - 1]) for place in draft.order[1:-1])
                planned[draft.vehicle.number] = draft.rows
                drafts.append(draft)
    return tuple(drafts), planned


def carried_over(opened: Day) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What the next day inherits, and what goes back to the shipper.

    Goes back: refused, damaged, tried three times, and all that is still open on a Sunday evening, so that each week
    stands by itself and can be simulated from its Monday.
    """
    deliveries, tries, last = opened.deliveries, opened.deliveries["tries"].to_numpy().copy(), {}
    handed = set()
    for run in opened.runs.values():
        for visit in run.visits:
            tries[visit.row] += 1
            last[visit.row] = visit.reason
            if visit.reason in (None, "goods_missing_or_short"):
                handed.add(visit.row)
    open_rows = [row for row in range(len(deliveries)) if row not in handed and np.isnan(opened.cancellations[row])]
    spent = [
        row
        for row in open_rows
        if opened.day.weekday() == 6 or tries[row] >= GIVEN_UP_AFTER or last.get(row) in ("refused", "damaged")
    ]
    again = sorted(set(open_rows) - set(spent))
    return _promised_again(opened, again, tries), deliveries.iloc[spent]


def _promised_again(opened: Day, rows: list[int], tries: np.ndarray) -> pd.DataFrame:
    """Tomorrow's second promise for the given rows: a window of the same service, chosen anew."""
    frame = opened.deliveries.iloc[rows].copy()
    frame["tries"], frame["carried"] = tries[rows], True
    start = 30.0 * np.floor(
        (540.0 + 330.0 * chance.uniform(opened.seed, "second slot", frame["key"], frame["tries"])) / 30.0
    )
    width = np.where(frame["service"] == "parcels", 240.0, 120.0)
    frame["window_from"], frame["window_due"] = start, start + width
    frame["site_closes"] = start + width + np.where(frame["service"] == "parcels", 600.0, 90.0)
    frame["cancelled"] = np.nan
    return frame


def _breaks_down(seed: int, day: date, number: int) -> float:
    if chance.uniform(seed, "breakdown", number, day.toordinal()) >= causes.BREAKDOWNS_PER_VEHICLE_DAY:
        return NEVER
    return float(570.0 + 330.0 * chance.uniform(seed, "breakdown when", number, day.toordinal()))


def depot_place(vehicle: fleet.Vehicle) -> tuple[float, float]:
    """Where a vehicle's depot lies, in km east and north of the middle of the city."""
    depot = next(depot for depot in city.DEPOTS if depot.depot_id == vehicle.depot_id)
    return float(city.x_km(depot.lon)), float(city.y_km(depot.lat))
