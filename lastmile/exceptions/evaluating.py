"""How good the warnings are: past days gone through as known then, each promise beside what became of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from lastmile import predictions
from lastmile.exceptions.catalogue import CATALOGUE
from lastmile.exceptions.following import Step
from lastmile.exceptions.replaying import replay
from lastmile.exceptions.settings import Settings
from lastmile.model import EventType
from lastmile.store import Store

LEAD_MINUTES = 20
"""A warning that comes later leaves too little time to do anything."""

RAISED = (EventType.EXCEPTION_DETECTED, EventType.EXCEPTION_REOPENED)
PREDICTING = tuple(key for key, rule in CATALOGUE.items() if rule.predicts)


@dataclass(frozen=True)
class Evaluation:
    """Of some days: the promises whose end came, those broken, and what was announced.

    `announced`: broken ones with a warning at least LEAD_MINUTES before their end; `standing`: those whose warning still stood
    then; `alarms`: promises with a warning before their end, whatever came; `true_alarms`: those of them that were broken.
    `by_cause` and `by_rule` are tables of the same.
    """

    day_from: date
    day_to: date
    promises: int
    broken: int
    announced: int
    standing: int
    alarms: int
    true_alarms: int
    by_cause: pd.DataFrame
    by_rule: pd.DataFrame

    @property
    def announced_share(self) -> float:
        return self.announced / self.broken if self.broken else float("nan")

    @property
    def false_per_true(self) -> float:
        """False alarms for each true one."""
        return (self.alarms - self.true_alarms) / self.true_alarms if self.true_alarms else float("nan")


def evaluate(
    store: Store,
    day_from: date,
    day_to: date,
    *,
    settings: Settings | None = None,
    learn: Callable[[Store, date], predictions.Model] = predictions.learned_before,
    progress: Callable[[int, int, str], None] | None = None,
) -> Evaluation:
    """Replay some days, with the settings in force or others, and hold what was announced against what came."""
    told = [
        warning
        for replayed in replay(store, day_from, day_to, settings=settings, learn=learn, progress=progress)
        for step in replayed.steps
        if (warning := _warning(step, replayed.day))
    ]
    columns = ["day", "delivery_id", "key", "raised", "at"]
    return judged(promises(store, day_from, day_to), pd.DataFrame(told, columns=columns), day_from, day_to)


def promises(store: Store, day_from: date, day_to: date) -> pd.DataFrame:
    """One row per promise of some days that stood when its end came: delivery_id, day, until, broken, failed_at, failed_known_at.

    A promise is broken where what must fall inside its window had not happened by its end with its tolerance; one that was
    cancelled before is none. A delivery promised anew has a row for each.
    """
    found = store.ask(
        """
        with version as (
            select delivery_id, day, window_due + to_microseconds((late_minutes * 60000000)::bigint) as until, window_semantics,
                recorded_at as promised_at,
                coalesce(lead(recorded_at) over (partition by delivery_id order by recorded_at, booking_id), 'infinity'::timestamptz) as replaced_at
            from booking where import_id is null or import_id not in (select import_id from undone_import)
        ),
        tried as (
            select delivery_id, occurred_at, recorded_at from event
            where is_failed_try(type) and classifier = 'ACT' and (import_id is null or import_id not in (select import_id from undone_import))
        ),
        failed as (
            select version.delivery_id, promised_at, min(occurred_at) as failed_at, min(tried.recorded_at) as failed_known_at
            from version join tried on tried.delivery_id = version.delivery_id and occurred_at >= promised_at and occurred_at < replaced_at
            group by all
        )
        select version.delivery_id, version.day, until, failed_at, failed_known_at, handed_over_at,
            case version.window_semantics when 'arrival' then if(handed_over_at is null, null, arrived_at)
                when 'service_start' then coalesce(service_started_at, handed_over_at) else handed_over_at end as anchor_at
        from version join delivery using (delivery_id) left join failed using (delivery_id, promised_at)
        where version.day between $day_from::date and $day_to::date and until is not null and until < replaced_at
          and not coalesce(cancelled_at <= until, false)
        """,
        day_from=day_from,
        day_to=day_to,
    )
    return found.assign(broken=~(found.anchor_at <= found.until), day=pd.to_datetime(found.day))


def judged(promised: pd.DataFrame, warnings: pd.DataFrame, day_from: date, day_to: date) -> Evaluation:
    """Promises, as of `promises`, against the warnings of predicting rules: day, delivery_id, key, raised (else cleared), at."""
    warned = promised.merge(warnings.assign(day=pd.to_datetime(warnings.day)), on=["day", "delivery_id"], how="inner")
    warned = warned[warned["at"] <= warned.until]
    early = warned["at"] <= warned.until - pd.Timedelta(minutes=LEAD_MINUTES)
    raised = warned.raised.astype(bool)
    of_promise = ["day", "delivery_id"]

    def those(rows: pd.DataFrame) -> pd.Series:
        known = pd.MultiIndex.from_frame(rows[of_promise])
        return pd.Series(pd.MultiIndex.from_frame(promised[of_promise]).isin(known), index=promised.index)

    last = warned[early].sort_values("at", kind="stable").drop_duplicates([*of_promise, "key"], keep="last")
    marks = promised.assign(
        alarm=those(warned[raised]),
        announced=those(warned[early & raised]),
        standing=those(last[last.raised.astype(bool)]),
    )
    broken = marks[marks.broken]
    return Evaluation(
        day_from, day_to, len(marks), len(broken), int(broken.announced.sum()), int(broken.standing.sum()),
        int(marks.alarm.sum()), int(broken.alarm.sum()), _by_cause(broken), _by_rule(warned[raised], len(broken)),
    )  # fmt: skip


def _by_cause(broken: pd.DataFrame) -> pd.DataFrame:
    """Broken promises by what could be known of them: n, announced and its share."""
    lead = pd.Timedelta(minutes=LEAD_MINUTES)
    failed = broken.failed_at <= broken.until
    cause = np.select(
        [failed & (broken.failed_known_at <= broken.until - lead), failed & (broken.failed_at <= broken.until - lead), failed,
         broken.handed_over_at.isna() & broken.failed_at.isna()],
        ["a try failed, known 20 minutes before", "a try failed, its scan came later", "a try failed in the last 20 minutes",
         "no outcome on record"],
        "came late",
    )  # fmt: skip
    table = broken.assign(cause=cause).groupby("cause").announced.agg(n="size", announced="sum").reset_index()
    return table.assign(share=table.announced / table.n).sort_values("n", ascending=False, ignore_index=True)


def _by_rule(raised: pd.DataFrame, broken: int) -> pd.DataFrame:
    """One row per predicting rule: promises warned of, of them broken and kept, median minutes before the end."""
    first = raised.sort_values("at", kind="stable").drop_duplicates(["day", "delivery_id", "key"])
    first = first.assign(lead=(first.until - first["at"]) / pd.Timedelta(minutes=1))
    table = (
        first.groupby("key")
        .agg(warned=("broken", "size"), true=("broken", "sum"), lead_minutes=("lead", "median"))
        .reset_index()
    )
    table = table.assign(
        false=table.warned - table.true, precision=table.true / table.warned, of_broken=table.true / max(broken, 1)
    )
    return table[["key", "warned", "true", "false", "precision", "of_broken", "lead_minutes"]]


def _warning(step: Step, day: date) -> tuple | None:
    kept = step.exception
    if kept.key not in PREDICTING or step.type not in (*RAISED, EventType.EXCEPTION_CLEARED):
        return None
    return day, step.place.get("delivery_id"), kept.key, step.type in RAISED, step.at
