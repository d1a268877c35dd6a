"""Today, running: what becomes known as the clock passes, new orders to the vans, breakdowns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta

import pandas as pd

from lastmile.twin import clock, fleet
from lastmile.twin.operation import LIVE_STEP, Batch, Operation, known_by
from lastmile.twin.scans import route_id

LAST_SCANS_AT = 570.0  # half past nine: all that yesterday's systems send late has come in


class LiveOperation:
    """The operation from an instant on; what it tells depends on the seed and the orders, never on who asks when.

    After a restart, make it anew with `at` the ledger's last recorded instant, and give it again, through `follow` and
    `break_down`, what was approved and what broke since Monday: the future is then the same, with the same ids.
    """

    def __init__(self, seed: int, at: datetime) -> None:
        clock.instant_us(at)
        self.seed = seed
        self.position = at
        self._operation = Operation(seed)
        self._told: dict[date, Batch] = {}

    def events_until(self, instant: datetime) -> Batch:
        """What was recorded after the last call (or `at`) and up to `instant`, of all tables, in order of recording.

        An instant before the last one gives empty tables. Positions come every minute.
        """
        clock.instant_us(instant)
        parts = [known_by(self._batch(day), instant, after=self.position) for day in self._days(instant)]
        self.position = max(self.position, instant)
        self._forget()
        return _joined(parts)

    def follow(self, plan_tables: Mapping[str, pd.DataFrame], decided_at: datetime) -> None:
        """From `decided_at` on (drivers hear of it three minutes later) vehicles drive the order of a plan version.

        `plan_tables` has `planned_stop` (route_id, stop, delivery_id; service_at where deliveries share a stop) and
        `route` (route_id, vehicle_id, depot_id, day, departs_at) of one plan. What is done or being driven to stays.
        Deliveries of the depot that the plan leaves out are not served today. Call it before asking for events beyond
        `decided_at`. Raises ValueError where a route's vehicle is not of this operation.
        """
        self._tell_anew(self._operation.follow(plan_tables, decided_at))

    def break_down(self, vehicle_id: str, at: datetime) -> None:
        """A vehicle breaks down at an instant; what it has left stays open unless a plan moves it.

        Raises ValueError where there is no such vehicle.
        """
        number = fleet.number_of(vehicle_id)
        opened = self._operation.opened(clock.service_day(at))
        when = clock.minutes_at(opened.day, at)
        self._operation.replace(replace(opened, breakdowns=(*opened.breakdowns, (number, when))))
        self._tell_anew([opened.day])

    def _tell_anew(self, changed: list[date]) -> None:
        self._told = {day: batch for day, batch in self._told.items() if day < min(changed, default=date.max)}

    def _batch(self, day: date) -> Batch:
        if day not in self._told:
            self._told[day] = self._operation.whole(day, LIVE_STEP)
        return self._told[day]

    def _days(self, instant: datetime) -> list[date]:
        """The days that may still tell something: yesterday while its late scans come in, to tomorrow."""
        first, last = self._first_day(), clock.service_day(instant) + timedelta(days=1)
        return [first + timedelta(days=number) for number in range((last - first).days + 1)]

    def _first_day(self) -> date:
        today = clock.service_day(self.position)
        waiting = clock.minutes_at(today, self.position) < LAST_SCANS_AT
        return today - timedelta(days=1) if waiting else today

    def _forget(self) -> None:
        """Keep the days of this week, from which later ones follow, and those that still tell something."""
        first = self._first_day()
        self._told = {day: batch for day, batch in self._told.items() if day >= first}
        self._operation.forget_before(clock.week_start(first))


def _joined(parts: list[Batch]) -> Batch:
    tables = {table for part in parts for table in part}
    joined = {}
    for table in sorted(tables):
        frames = [part[table] for part in parts if len(part.get(table, ()))]
        frame = pd.concat(frames, ignore_index=True) if frames else parts[0][table].iloc[:0]
        by = [column for column in ("recorded_at", "event_id") if column in frame.columns]
        joined[table] = frame.sort_values(by, kind="stable").reset_index(drop=True) if by else frame
    return joined


__all__ = ["LiveOperation", "route_id"]
