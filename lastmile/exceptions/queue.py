"""The queue: what needs somebody, the dearest and most urgent first, one row for each root."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd

from lastmile.exceptions.catalogue import CATALOGUE
from lastmile.model import Scope
from lastmile.store import Store

LOOKS_BACK = timedelta(days=7)
"""Exceptions of older service days are not in the queue; Response still counts them."""

OPEN = ("open", "acknowledged", "snoozed")
HALVES_EVERY_MINUTES = 60.0
HALVES_AFTER_MINUTES = 180.0

QUEUE = [
    "exception_id", "key", "label", "severity", "subject_kind", "subject_id", "words", "stops", "stake", "expected_loss",
    "currency", "stake_assumed", "probability", "urgency", "rank", "breach_at", "due_at", "overdue", "minutes_left",
    "owner_role", "owner", "state", "snoozed_until", "detected_at", "age_minutes", "acknowledged_at", "acknowledged_by",
    "first_action_at", "actions", "escalations", "delivery_id", "route_id", "vehicle_id", "depot_id", "carrier_id", "service",
    "recipient", "source", "day", "root_id", "playbook", "why", "steps", "outcome", "resolved_at", "occurred_at", "detectable_at",
]  # fmt: skip


def exceptions(
    store: Store,
    at: datetime,
    *,
    day_from: date | None = None,
    day_to: date | None = None,
    scope: Scope | None = None,
    open_only: bool = False,
) -> pd.DataFrame:
    """One row per exception of some service days as it stands at `at`, those that are over left out with `open_only`: the
    columns of macro exception_state."""
    scope = scope or Scope()
    return store.ask(
        """
        from exception_state($at, $day_from::date, $day_to::date, $open_only)
        where (len($depots) = 0 or depot_id is null or depot_id in (select unnest($depots)))
          and (len($carriers) = 0 or carrier_id is null or carrier_id in (select unnest($carriers)))
          and (len($services) = 0 or service is null or service in (select unnest($services)))
        """,
        at=at, day_from=day_from, day_to=day_to, open_only=open_only,
        depots=list(scope.depots), carriers=list(scope.carriers), services=list(scope.services),
    )  # fmt: skip


def beside(store: Store, exception_id: str, at: datetime) -> pd.DataFrame:
    """One row per exception of the service day that one is of, itself among them, as `exceptions`; none where it is unknown."""
    day = store.value(
        "select any_value((payload ->> 'day')::date) from exception_event "
        "where (payload ->> 'exception_id') = $exception_id",
        exception_id=exception_id,
    )
    found = exceptions(store, at, day_from=day, day_to=day) if day else exceptions(store, at, day_from=date.max)
    return found if exception_id in set(found.exception_id) else found.head(0)


def queue(store: Store, at: datetime, scope: Scope | None = None, *, snoozed: bool = False) -> pd.DataFrame:
    """One row per open root, columns QUEUE, the highest `rank` first; see `ranked`. `snoozed`: with those put off for now."""
    found = exceptions(store, at, day_from=at.date() - LOOKS_BACK, scope=scope, open_only=True)
    wanted = OPEN if snoozed else OPEN[:2]
    return grouped(ranked(found[found.state.isin(wanted)], at))


def children(store: Store, exception_id: str, at: datetime) -> pd.DataFrame:
    """One row per open exception that a root explains, columns QUEUE, the highest rank first."""
    found = ranked(exceptions(store, at, day_from=at.date() - LOOKS_BACK, open_only=True), at)
    mine = found[(found.root_id == exception_id) & found.state.isin(OPEN)]
    return mine.assign(stops=0).sort_values(["rank", "exception_id"], ascending=[False, True])[QUEUE]


def ranked(found: pd.DataFrame, at: datetime) -> pd.DataFrame:
    """Exceptions with what is said of them in the catalogue, `expected_loss` = stake × probability, `urgency` and `rank`.

    urgency = ½ ^ (minutes left ÷ 60) up to the breach, or to the due time where nothing is to be broken: 1 at it, ½ an hour
    before, ¼ two hours before; ½ ^ (minutes past ÷ 180) after it, since what is broken can be mended, yet no more be saved.
    rank = stake × probability × urgency, in money.
    """
    until = found.breach_at.fillna(found.due_at)
    left = (until - pd.Timestamp(at)) / pd.Timedelta(minutes=1)
    loss = found.stake.fillna(0.0) * found.probability.fillna(1.0)
    halves = left.clip(lower=0) / HALVES_EVERY_MINUTES - left.clip(upper=0) / HALVES_AFTER_MINUTES
    urgency = np.power(0.5, halves.fillna(0.0).astype(float))
    open_ones = found.state.isin(OPEN)
    return found.assign(
        label=[CATALOGUE[key].label if key in CATALOGUE else key for key in found.key],
        playbook=[CATALOGUE[key].playbook if key in CATALOGUE else () for key in found.key],
        why=[CATALOGUE[key].why if key in CATALOGUE else "" for key in found.key],
        stops=0,
        expected_loss=loss,
        urgency=urgency,
        rank=loss * urgency,
        minutes_left=left,
        overdue=open_ones & (found.due_at <= pd.Timestamp(at)) & found.acknowledged_at.isna(),
        age_minutes=(pd.Timestamp(at) - found.detected_at) / pd.Timedelta(minutes=1),
    )


def grouped(found: pd.DataFrame) -> pd.DataFrame:
    """One row per root: its own figures and those of what it explains together; `stops` counts the latter.

    Its breach is the first of all, its rank the sum; what explains nothing, or whose root is over, stands for itself.
    """
    if found.empty:
        return found.reindex(columns=QUEUE)
    there = found.root_id.where(found.root_id.isin(found.exception_id)).fillna(found.exception_id)
    own = found.exception_id == there
    sums = found.groupby(there)[["stake", "expected_loss", "rank"]].sum(min_count=1)
    assumed = found.stake_assumed.astype("boolean").fillna(False).astype(bool).groupby(there).any()
    firsts = found.groupby(there)[["breach_at", "minutes_left"]].min()
    stops = (~own).groupby(there).sum()
    currency = found.groupby(there).currency.first()
    head = found[own].set_index("exception_id", drop=False).rename_axis(None)
    head = head.assign(**sums, **firsts, stake_assumed=assumed, stops=stops, currency=head.currency.fillna(currency))
    head = head.sort_values(["rank", "due_at", "exception_id"], ascending=[False, True, True], kind="stable")
    return head[QUEUE].reset_index(drop=True)
