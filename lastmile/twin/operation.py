"""The simulated operation as its systems tell it: master data, days, 28 days of history."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

import pandas as pd

from lastmile.twin import clock, fleet
from lastmile.twin.charges import charges
from lastmile.twin.day import Day, NewOrders, carried_over, open_day
from lastmile.twin.milestones import milestones
from lastmile.twin.occasions import Decider
from lastmile.twin.rows import EventRows
from lastmile.twin.scans import add_loading, add_returns, add_routes, add_stops, add_untried, add_upstream, visits_of
from lastmile.twin.sensors import add_positions, add_readings
from lastmile.twin.tables import add_plan_events, bookings, plan_tables, shifts

Batch = dict[str, pd.DataFrame]
HISTORY_STEP = 5
LIVE_STEP = 1


class Operation:
    """One simulated operation; the same seed is the same operation.

    Days of a week are simulated from its Monday on, since each takes over what the day before left open.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._days: dict[date, Day] = {}
        self._left: dict[date, tuple[pd.DataFrame, pd.DataFrame]] = {}
        self._changed: set[date] = set()

    def master(self) -> Batch:
        """Tables depot, carrier, rate_card, vehicle, driver and source."""
        return fleet.master()

    def opened(self, day: date) -> Day:
        """A day as planned in its morning, with what the days before left open."""
        if day not in self._days:
            self._days[day] = (
                open_day(self.seed, day, self.left(day - timedelta(days=1))[0])
                if any(clock.week_start(day) <= changed < day for changed in self._changed)
                else untouched_day(self.seed, day)
            )
        return self._days[day]

    def left(self, day: date) -> tuple[pd.DataFrame, pd.DataFrame]:
        """What a day passes on to the next, and what it gives back to the shippers."""
        if day not in self._left:
            touched = any(clock.week_start(day) <= changed <= day for changed in self._changed)
            self._left[day] = carried_over(self.opened(day)) if touched else untouched_rest(self.seed, day)
        return self._left[day]

    def day(self, day: date) -> Batch:
        """What is known before the vans leave: bookings, milestones, shifts, the plan (version 1), upstream events."""
        opened = self.opened(day)
        rows = EventRows(self.seed, day)
        _add_before(rows, opened)
        return _held(opened) | {"event": rows.frame()}

    def drive(self, day: date, step_minutes: int = HISTORY_STEP) -> Batch:
        """What happened: events from loading to return, positions every `step_minutes`, and charges."""
        opened = self.opened(day)
        visits = visits_of(opened)
        rows = EventRows(self.seed, day)
        self._add_after(rows, opened, visits, step_minutes)
        return {"event": rows.frame(), "charge": charges(opened, visits)}

    def whole(self, day: date, step_minutes: int = HISTORY_STEP) -> Batch:
        """`day` and `drive` in one."""
        opened = self.opened(day)
        visits = visits_of(opened)
        rows = EventRows(self.seed, day)
        _add_before(rows, opened)
        self._add_after(rows, opened, visits, step_minutes)
        return _held(opened) | {"event": rows.frame(), "charge": charges(opened, visits)}

    def replace(self, changed: Day) -> None:
        """Take a changed day for the one that was; the days after it are forgotten, and made anew when asked for."""
        self._changed.add(changed.day)
        self._days = {day: opened for day, opened in self._days.items() if day < changed.day} | {changed.day: changed}
        self._left = {day: left for day, left in self._left.items() if day < changed.day}

    def follow(self, plan_tables: Mapping[str, pd.DataFrame], decided_at: datetime) -> list[date]:
        """Let vehicles drive the order of a plan version from an instant on; the days that it is about.

        `plan_tables` and what becomes of the rest: as of `LiveOperation.follow`. Raises ValueError where a route's vehicle is
        not of this operation.
        """
        days = []
        for day, routes in plan_tables["route"].groupby("day", sort=True):
            opened = self.opened(pd.Timestamp(day).date())
            orders, departs = _orders(opened, routes, plan_tables["planned_stop"])
            at = clock.minutes_at(opened.day, decided_at)
            self.replace(replace(opened, changes=(*opened.changes, NewOrders(at, orders, departs))))
            days.append(opened.day)
        return days

    def forget_before(self, day: date) -> None:
        """Drop what was simulated before a day, to save memory."""
        self._days = {known: opened for known, opened in self._days.items() if known >= day}
        self._left = {known: left for known, left in self._left.items() if known >= day}

    def _add_after(self, rows: EventRows, opened: Day, visits: pd.DataFrame, step_minutes: int) -> None:
        add_loading(rows, opened)
        add_routes(rows, opened)
        add_stops(rows, opened, visits)
        add_untried(rows, opened, visits)
        add_returns(rows, opened, self.left(opened.day)[1])
        add_positions(rows, opened, step_minutes)
        add_readings(rows, opened)


@lru_cache(maxsize=10)
def untouched_day(seed: int, day: date) -> Day:
    """A day of a week in which nobody has changed anything; remembered, since a restart asks for it again."""
    return open_day(seed, day, None if day.weekday() == 0 else untouched_rest(seed, day - timedelta(days=1))[0])


@lru_cache(maxsize=10)
def untouched_rest(seed: int, day: date) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What an untouched day passes on and gives back."""
    return carried_over(untouched_day(seed, day))


def _add_before(rows: EventRows, opened: Day) -> None:
    add_upstream(rows, opened)
    add_plan_events(rows, opened)


def _held(opened: Day) -> Batch:
    return {"booking": bookings(opened), "shift": shifts(opened)} | milestones(opened) | plan_tables(opened)


def known_by(batch: Batch, until: datetime, after: datetime | None = None) -> Batch:
    """The rows of a batch recorded up to an instant (and after another); routes and stops go with their plan."""
    known: Batch = {}
    for table, frame in batch.items():
        if "recorded_at" in frame.columns:
            mask = frame["recorded_at"] <= pd.Timestamp(until)
            if after is not None:
                mask &= frame["recorded_at"] > pd.Timestamp(after)
            known[table] = frame if mask.all() else frame[mask].reset_index(drop=True)
    for table in ("route", "planned_stop"):
        if table in batch:
            known[table] = batch[table] if len(known["plan"]) else batch[table].iloc[:0]
    return known


def _orders(
    opened: Day, routes: pd.DataFrame, stops: pd.DataFrame
) -> tuple[dict[int, tuple[int, ...]], dict[int, float]]:
    by = [column for column in ("route_id", "stop", "service_at", "arrive_at") if column in stops.columns]
    ordered = stops.sort_values(by, kind="stable").groupby("route_id", sort=False)["delivery_id"].agg(list).to_dict()
    orders: dict[int, tuple[int, ...]] = {}
    departs: dict[int, float] = {}
    for route in routes.itertuples():
        number = fleet.number_of(route.vehicle_id)
        found = (opened.rows.get(delivery_id) for delivery_id in ordered.get(route.route_id, ()))
        orders[number] = tuple(row for row in found if row is not None)
        departs[number] = clock.minutes_at(opened.day, route.departs_at) if pd.notna(route.departs_at) else 0.0
    return orders, departs


def history(
    seed: int,
    days: int = 28,
    until: datetime | None = None,
    progress: Callable[[float, str], None] | None = None,
    decider: Decider | None = None,
) -> Iterator[Batch]:
    """The operation up to an instant with a zone (default: now): master data, then day by day, oldest first.

    Yields 1 + days + 2 batches: master, `days` whole days, today up to `until`, and what is known of tomorrow. Rows
    that were recorded after `until` are left out. The first day's batch also tells the story so far of the deliveries
    that it inherits. `progress` is told the share done and a sentence. The week is simulated from its Monday, so that
    `LiveOperation` goes on from the same state.

    A `decider` may put another plan in force on whole days after the first: such a day comes in two batches, the second
    after it was asked, and vehicles drive as it said.
    """
    until = until or datetime.now(UTC)
    operation = Operation(seed)
    today = clock.service_day(until)
    first = today - timedelta(days=days)
    yield operation.master()
    for number in range(days + 2):
        day = first + timedelta(days=number)
        if progress:
            progress(number / (days + 2), f"Simulating {day:%A %d %B %Y}")
        if number == 0:
            yield known_by(_with_inherited(operation, day, operation.whole(day)), until)
        else:
            yield from _told(operation, day, until, decider if day < today else None)
        operation.forget_before(day)
    if progress:
        progress(1.0, "The operation stands")


def _told(operation: Operation, day: date, until: datetime, decider: Decider | None) -> Iterator[Batch]:
    """A day in one batch, or in two where somebody is asked about its plan in between."""
    occasion = decider.occasion(operation.opened(day)) if decider else None
    batch = operation.whole(day)
    if occasion is None:
        yield known_by(batch, until)
        return
    yield known_by(batch, occasion.at)
    plan = decider.plan(occasion)
    if plan is not None:
        operation.follow(plan, occasion.at)
        batch = operation.whole(day)
    yield known_by(batch, until, after=occasion.at)


def _with_inherited(operation: Operation, day: date, batch: Batch) -> Batch:
    """A first day with what was booked and told before of the deliveries that the days before passed on."""
    opened = operation.opened(day)
    inherited = set(opened.deliveries.loc[opened.deliveries["carried"], "delivery_id"])
    parts, earlier = [batch], day
    while inherited and earlier.weekday() != 0:
        earlier -= timedelta(days=1)
        told = operation.whole(earlier)
        parts.append({t: told[t][told[t]["delivery_id"].isin(inherited)] for t in ("booking", "event", "charge")})
    if len(parts) == 1:
        return batch
    joined = {
        t: pd.concat([part[t] for part in reversed(parts)], ignore_index=True) for t in ("booking", "event", "charge")
    }
    return batch | joined
