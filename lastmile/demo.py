"""The simulated operation as a source like any other: its history, and its live feed while the tower runs."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pandas as pd

from lastmile import clock as clocks
from lastmile.exceptions import settings
from lastmile.exceptions.replaying import Replayed, put_on_record, replay
from lastmile.model import EventType, StatusSource, stable_id
from lastmile.store import Store
from lastmile.twin import LiveOperation, Operation, dispatchers, history
from lastmile.twin.clock import ZONE

KEY = "demo"
BREAKDOWNS = "demo_breakdowns"
REMEMBERED = timedelta(days=7)
"""The simulated operation takes over open deliveries from day to day within a week."""

SEED = 7
DAYS = 28
SPEED = 1.0
PLANNER = "planner"
WATCHED_DAYS = 2
"""So many days, today among them, have their exceptions when the demo is built; the running tower goes through the others."""
SATURDAY = 5

log = logging.getLogger(__name__)


def start_instant(real_now: datetime) -> datetime:
    """Where the demo's clock starts: now while most vans are out in its city, else its last late morning of a working day.

    History ends there; a tower that is first started at night would otherwise show an operation asleep.
    """
    local = real_now.astimezone(ZoneInfo(ZONE))
    busy = time(9) <= local.time() <= time(17, 30) and local.weekday() < SATURDAY
    if busy:
        return real_now
    day = local.date() if local.time() > time(17, 30) else local.date() - timedelta(days=1)
    day -= timedelta(days=max(0, day.weekday() - SATURDAY + 1))
    return datetime.combine(day, time(11, 15), ZoneInfo(ZONE)).astimezone(UTC)


def build(
    store: Store,
    *,
    seed: int = SEED,
    days: int = DAYS,
    speed: float = SPEED,
    until: datetime | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> dict[str, int]:
    """Fill a database with the operation's history up to `until` and set the clock there; rows taken by table.

    The same seed and instant always give the same ledger; a second build of it adds nothing.
    """
    until = until or start_instant(datetime.now(UTC))
    taken: dict[str, int] = {}
    _add(taken, store.append(Operation(seed).master()))
    for done, batch in enumerate(history(seed, days=days, until=until), start=1):
        _add(taken, store.append(batch))
        if progress is not None:
            progress(done, days + 1, f"day {done} of {days + 1}")
    watch_past(store, until, days)
    store.set_setting(KEY, {"seed": seed, "until": until.isoformat(), "days": days}, "system")
    clocks.save(store, clocks.simulated(until, speed), "system")
    return taken


def watch_past(store: Store, until: datetime, days: int) -> None:
    """Put the exceptions of the last days on record, up to an instant, with what the simulated dispatchers did about them."""
    today = until.astimezone(ZoneInfo(ZONE)).date()
    for replayed in replay(store, today - timedelta(days=min(days, WATCHED_DAYS - 1)), today, until=until):
        put_on_record(store, replayed)
        answer_past(store, replayed, until)


def answer_past(store: Store, replayed: Replayed, until: datetime | None = None) -> None:
    """What the simulated dispatchers did about a past day's exceptions, up to an instant, as decisions of people."""
    rows = [row for row in (_step_row(step) for step in replayed.steps) if row is not None]
    limits, seed = settings.load(store), int((store.setting(KEY) or {}).get("seed", SEED))
    waits = dict.fromkeys(("medium", "high"), limits["escalate_open_minutes"])
    waits["critical"] = limits["escalate_critical_minutes"]
    answers = dispatchers.answers(seed, pd.DataFrame(rows, columns=dispatchers.STEPS), waits)
    if until is not None:
        answers = answers[answers["at"] <= pd.Timestamp(until)]
    if len(answers):
        store.append(
            {"event": pd.DataFrame([_answer_row(row, replayed) for row in answers.itertuples()])}, streamed=True
        )


def _step_row(step: object) -> dict | None:
    if step.type not in (EventType.EXCEPTION_DETECTED, EventType.EXCEPTION_CLEARED):
        return None
    kept, said = step.exception, dict.fromkeys(("severity", "root_id", "owner_role", "due_at"))
    if step.type == EventType.EXCEPTION_DETECTED:
        said = {name: step.said[name] for name in said}
    return {"exception_id": kept.exception_id, "key": kept.key, "type": str(step.type), "at": step.at, **said}


def _answer_row(row: object, replayed: Replayed) -> dict:
    payload = {"exception_id": row.exception_id, "day": f"{replayed.day:%Y-%m-%d}", "step": row.step, **row.said}
    return {
        "event_id": str(stable_id("tower", f"{row.type} {row.exception_id} {row.step} {row.at.isoformat()}")),
        "type": row.type,
        "classifier": "ACT",
        "occurred_at": row.at,
        "recorded_at": row.at,
        "source": "tower",
        "status_source": str(StatusSource.SYSTEM if row.actor == "tower" else StatusSource.USER),
        "actor": row.actor,
        "payload": json.dumps(payload),
    }


def _add(totals: dict[str, int], more: dict[str, int]) -> None:
    for table, count in more.items():
        totals[table] = totals.get(table, 0) + count


class LiveFeed:
    """Appends what the simulated operation records as the tower's clock passes; its vehicles follow approved plans."""

    def __init__(self, store: Store, seed: int, at: datetime, now: Callable[[], datetime], every: float = 1.0) -> None:
        self._store = store
        self._now = now
        self._every = every
        self._operation = LiveOperation(seed, at=at)
        self._followed: set[str] = set()
        self._breakdowns_left = list(store.setting(BREAKDOWNS, []))
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="simulated feed", daemon=True)

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

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ask the feed to stop and wait until its last batch is in."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(timeout=30)

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
            since=self._now() - REMEMBERED,
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
            if datetime.fromisoformat(at) > self._now() - REMEMBERED:
                self._operation.break_down(vehicle_id, datetime.fromisoformat(at))


def plan_tables(store: Store, plan_id: str) -> dict:
    """The rows of a plan version by table: plan, route, planned_stop."""
    return {
        table: store.ask(f"from {table} where plan_id = $plan_id", plan_id=plan_id)
        for table in ("plan", "route", "planned_stop")
    }
