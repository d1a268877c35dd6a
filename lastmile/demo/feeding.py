"""The live feed of the simulated operation while the tower runs."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from lastmile.demo.following import plan_tables
from lastmile.demo.keys import BREAKDOWNS, KEY
from lastmile.jobs import Background
from lastmile.store import Store
from lastmile.twin import LiveOperation
from lastmile.twin import clock as twin_clock

PLANNER = "planner"

log = logging.getLogger(__name__)


class LiveFeed(Background):
    """Appends what the simulated operation records as the tower's clock passes; its vehicles follow approved plans."""

    def __init__(self, store: Store, seed: int, at: datetime, now: Callable[[], datetime], every: float = 1.0) -> None:
        super().__init__("simulated feed")
        self._store = store
        self._now = now
        self._every = every
        self._operation = LiveOperation(seed, at=at)
        self._since = twin_clock.week_began(at)
        self._followed: set[str] = set()
        self._breakdowns_left = list(store.setting(BREAKDOWNS, []))

    @classmethod
    def of(cls, store: Store, now: Callable[[], datetime]) -> LiveFeed | None:
        """The feed of a database that holds the demo, from the last thing on record; None for any other."""
        demo = store.setting(KEY)
        if demo is None:
            return None
        last = store.value(
            "select max(recorded_at) from event where source <> 'tower' and recorded_at <= $now "
            "and source not in (select source from connection)",
            now=now(),
        )
        return cls(store, demo["seed"], last or now(), now)

    def step(self) -> dict[str, int]:
        """Append what has been recorded up to now; rows taken by table."""
        self._repeat_breakdowns()
        self._follow_approved_plans()
        return self._store.append(self._operation.events_until(self._now()), streamed=True)

    def _run(self) -> None:
        while not self._stopped.wait(self._every):
            try:
                self.step()
            except Exception:
                log.exception("The simulated feed missed a step; it tries again")

    def _follow_approved_plans(self) -> None:
        approved = self._store.ask(
            "select plan_id, depot_id, day, approved_at from plan_state('infinity'::timestamptz) "
            "where approved_at is not null and made_by <> $planner and approved_at >= $since order by approved_at",
            planner=PLANNER,
            since=self._since,
        )
        for plan in approved.itertuples():
            if plan.plan_id not in self._followed:
                self._operation.follow(plan_tables(self._store, plan.plan_id), plan.approved_at.to_pydatetime())
                self._followed.add(plan.plan_id)

    def break_down(self, vehicle_id: str) -> None:
        """Let a vehicle break down now: its remaining stops stay open until a plan moves them."""
        at = self._now()
        self._operation.break_down(vehicle_id, at)
        ordered = self._store.setting(BREAKDOWNS, [])
        self._store.set_setting(BREAKDOWNS, [*ordered, [vehicle_id, at.isoformat()]], "demo")

    def _repeat_breakdowns(self) -> None:
        """After a restart: what was ordered before it, so that the operation goes on as it was."""
        while self._breakdowns_left:
            vehicle_id, at = self._breakdowns_left.pop(0)
            if datetime.fromisoformat(at) >= self._since:
                self._operation.break_down(vehicle_id, datetime.fromisoformat(at))
