"""Before and after of a re-plan: whose expected time moves by enough to be told, and the notices about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import pandas as pd

from lastmile.model import Event
from lastmile.notifications import outbox, settings
from lastmile.notifications.addresses import is_email, recipients
from lastmile.notifications.asking import REQUESTED, customer_requests
from lastmile.store import Store

TEMPLATE = "promise_changed"


class Move(StrEnum):
    """What a re-plan means for a delivery's expected time."""

    MOVED = "moved"
    SAME = "as expected"
    LEFT_OUT = "not in the new plan"
    NEW = "new in the plan"


@dataclass(frozen=True)
class Telling:
    """Who is told of a plan: `moves` has a row per delivery; those that moved, by whether there is an address for them."""

    moves: pd.DataFrame
    threshold_minutes: float
    with_address: tuple[str, ...]
    without_address: tuple[str, ...]

    @property
    def left_out(self) -> int:
        """Deliveries that the plan in force serves and the new one does not: nobody is told before somebody decides on them."""
        return int((self.moves.move == Move.LEFT_OUT).sum())


def moves(before: Mapping[str, datetime], after: Mapping[str, datetime], threshold_minutes: float) -> pd.DataFrame:
    """One row per delivery of two plans: delivery_id, before_at, after_at, moved_minutes (later is positive), move.

    `before` and `after` are the expected instants by delivery. It has moved where that is by more than the threshold.
    """
    rows = []
    for delivery_id in dict.fromkeys([*before, *after]):
        was, will = before.get(delivery_id), after.get(delivery_id)
        minutes = None if was is None or will is None else (will - was).total_seconds() / 60
        if minutes is None:
            move = Move.LEFT_OUT if will is None else Move.NEW
        else:
            move = Move.MOVED if abs(minutes) > threshold_minutes else Move.SAME
        rows.append((delivery_id, was, will, minutes, move))
    return pd.DataFrame(rows, columns=["delivery_id", "before_at", "after_at", "moved_minutes", "move"])


def who_is_told(store: Store, parent_plan_id: str, planned: pd.DataFrame, open_ids: list[str], at: datetime) -> Telling:
    """Whom a plan would be told to: `planned` are its stops (delivery_id, service_at), `open_ids` the deliveries it decides on.

    What counts as before is what the recipient was told last, else the plan that it was made from.
    """
    threshold = settings.load(store).threshold_minutes
    found = store.ask(
        "select delivery_id, service_at from planned_stop where plan_id = $plan and delivery_id in (select unnest($ids))",
        plan=parent_plan_id,
        ids=open_ids,
    )
    before = _instants(found) | outbox.told_arrivals(store, open_ids, at)
    after = _instants(planned[planned.delivery_id.isin(open_ids)])
    found_moves = moves(before, after, threshold)
    moved = found_moves.delivery_id[found_moves.move == Move.MOVED].tolist()
    known = {row.delivery_id for row in recipients(store, moved).itertuples() if is_email(_text(row.email))}
    return Telling(
        found_moves,
        threshold,
        tuple(one for one in moved if one in known),
        tuple(one for one in moved if one not in known),
    )


def notices_of(store: Store, plan_id: str, telling: Telling, actor: str, at: datetime) -> list[Event]:
    """The requests for notices about a plan, to be put on record with its approval."""
    after = telling.moves.set_index("delivery_id").after_at
    because = f"plan {plan_id}: expected time moved by more than {telling.threshold_minutes:g} minutes"
    asked = customer_requests(
        store,
        telling.with_address,
        TEMPLATE,
        f"plan {plan_id}",
        actor,
        at,
        expected={delivery_id: after[delivery_id].to_pydatetime() for delivery_id in telling.with_address},
        because=because,
    )
    return [one.event for one in asked if one.outcome == REQUESTED and one.event is not None]


def _instants(stops: pd.DataFrame) -> dict[str, datetime]:
    return {row.delivery_id: pd.Timestamp(row.service_at).to_pydatetime() for row in stops.itertuples(index=False)}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
