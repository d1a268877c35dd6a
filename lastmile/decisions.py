"""The only way a person changes anything: each decision is an event, with who and why."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pandas as pd

from lastmile.errors import NotPossible
from lastmile.model import Event, EventType, StatusSource
from lastmile.store import Batch, Store

SOURCE = "tower"

one_at_a_time = threading.Lock()
"""One decision at a time: what is checked still holds when it is written, so that the second of two people is told."""


def events_frame(events: list[Event]) -> pd.DataFrame:
    """Events as rows of the table `event`."""
    return pd.DataFrame(
        [
            {
                "event_id": event.event_id,
                "type": str(event.type),
                "classifier": str(event.classifier),
                "occurred_at": event.occurred_at,
                "recorded_at": event.recorded_at,
                "delivery_id": event.delivery_id,
                "route_id": event.route_id,
                "vehicle_id": event.vehicle_id,
                "depot_id": event.depot_id,
                "lon": event.lon,
                "lat": event.lat,
                "accuracy_m": event.accuracy_m,
                "source": event.source,
                "status_source": str(event.status_source),
                "reason": event.reason,
                "actor": event.actor,
                "payload": event.payload or None,
                "corrects": event.corrects,
            }
            for event in events
        ]
    )


def decision(
    type: EventType, at: datetime, actor: str, *, key: str, depot_id: str | None = None, **payload: Any
) -> Event:
    """An event that records what a person decided; `key` makes the same decision the same event."""
    return Event(
        type=type,
        occurred_at=at,
        recorded_at=at,
        source=SOURCE,
        depot_id=depot_id,
        status_source=StatusSource.USER,
        actor=actor,
        payload=payload,
        key=key,
    )


def propose_plan(store: Store, plan_tables: Mapping[str, pd.DataFrame], actor: str, at: datetime) -> str:
    """Put a plan version on record as a proposal and return its plan_id."""
    plan = plan_tables["plan"].iloc[0]
    proposal = decision(
        EventType.PLAN_PROPOSED, at, actor, key=f"proposed {plan.plan_id}", depot_id=plan.depot_id, plan_id=plan.plan_id
    )
    batch: Batch = {**plan_tables, "event": events_frame([proposal])}
    store.append(batch)
    return plan.plan_id


def approve_plan(store: Store, plan_id: str, actor: str, why: str, at: datetime, notices: Sequence[Event] = ()) -> None:
    """Put a proposed plan in force; `notices` are asked for in the same step, or not at all.

    Raises NotPossible where it was decided before, or where the plan it was made from is no longer in force.
    """
    with one_at_a_time:
        plan = _undecided(store, plan_id)
        _refuse_other_parent(store, plan)
        _decide(store, EventType.PLAN_APPROVED, plan, actor, why, at, notices)


def approve_instead(
    store: Store,
    plan_tables: Mapping[str, pd.DataFrame],
    instead_of: str,
    actor: str,
    why: str,
    at: datetime,
    told: str = "approved instead",
    notices: Sequence[Event] = (),
) -> None:
    """Put another plan in force than the one that was proposed: it is recorded, the proposed one rejected in its favour.

    `told` is what is kept with the rejected one, after the id of the other; `notices` as of `approve_plan`.

    Raises NotPossible where the proposed one was decided before, or another plan has come into force since.
    """
    refuse_silence(why)
    with one_at_a_time:
        proposed = _undecided(store, instead_of)
        _refuse_other_parent(store, proposed)
        plan_id = propose_plan(store, plan_tables, actor, at)
        _decide(store, EventType.PLAN_REJECTED, proposed, actor, f"{plan_id}: {told}", at)
        _decide(store, EventType.PLAN_APPROVED, _undecided(store, plan_id), actor, why, at, notices)


def reject_plan(store: Store, plan_id: str, actor: str, why: str, at: datetime) -> None:
    """Put a proposed plan aside; it stays on record. Raises NotPossible where it was decided before."""
    with one_at_a_time:
        _decide(store, EventType.PLAN_REJECTED, _undecided(store, plan_id), actor, why, at)


def refuse_decided(store: Store, plan_id: str) -> None:
    """Raises NotPossible where a plan was decided already, and says by whom."""
    _undecided(store, plan_id)


def _refuse_other_parent(store: Store, plan: Any) -> None:
    in_force = store.value(
        "select plan_id from plan_state('infinity'::timestamptz) where depot_id = $depot and day = $day and in_force",
        depot=plan.depot_id,
        day=plan.day,
    )
    if in_force != plan.parent_plan_id:
        raise NotPossible(
            "Another plan has come into force since this one was made. Re-optimize again from the plan in force."
        )


def refuse_silence(why: str) -> None:
    """Raises NotPossible where nobody says why."""
    if not why.strip():
        raise NotPossible("Say in a word why: it is kept with the decision.")


def _undecided(store: Store, plan_id: str) -> Any:
    found = store.ask("from plan_state('infinity'::timestamptz) where plan_id = $plan_id", plan_id=plan_id)
    if found.empty:
        raise NotPossible(f"There is no plan {plan_id}.")
    plan = next(found.itertuples())
    if plan.decision != "proposed":
        raise NotPossible(f"This plan was {plan.decision} by {plan.decided_by} already: {plan.why}.")
    return plan


def _decide(
    store: Store,
    type: EventType,
    plan: Any,
    actor: str,
    why: str,
    at: datetime,
    notices: Sequence[Event] = (),
) -> None:
    refuse_silence(why)
    store.append(
        {
            "event": events_frame(
                [
                    decision(
                        type,
                        at,
                        actor,
                        key=f"decided {plan.plan_id}",
                        depot_id=plan.depot_id,
                        plan_id=plan.plan_id,
                        why=why.strip(),
                    ),
                    *notices,
                ]
            )
        }
    )
