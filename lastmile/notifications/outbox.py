"""The outbox: every notice that was asked for with where it stands, what is due, and the decision to try one again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pandas as pd

from lastmile.decisions import events_frame
from lastmile.errors import NotPossible
from lastmile.model import EventType
from lastmile.notifications.happening import notice_event
from lastmile.store import Store

WAITING, SENT, DELIVERED, FAILED, DROPPED = "waiting", "sent", "delivered", "failed", "dropped"
STATES = {
    WAITING: "not sent yet",
    SENT: "taken on by the mail server; whether it arrived is not known",
    DELIVERED: "a receipt says that it arrived",
    FAILED: "not sent, or come back, for good",
    DROPPED: "not sent: it would have come too late",
}
AGES = timedelta(days=30)
"""So far back the outbox looks; what is older is in the ledger."""
FOREVER = datetime(9999, 1, 1, tzinfo=UTC)
_WITH_DELIVERY = """
    select notice.*, delivery.resolved, delivery.state as delivery_state
    from notice_state($at::timestamptz, $since::timestamptz) as notice left join delivery using (delivery_id)
"""


def notices(store: Store, at: datetime, state: str | None = None, most: int = 500) -> pd.DataFrame:
    """One row per notice of the last 30 days as known at an instant, the latest asked first: what was said to whom, and its state."""
    return store.ask(
        "select * from notice_state($at::timestamptz, $since::timestamptz) where ($state is null or state = $state) "
        "order by asked_at desc, notice_id limit $most",
        at=at,
        since=at - AGES,
        state=state,
        most=most,
    )


def counts(store: Store, at: datetime) -> dict[str, int]:
    """How many notices of the last 30 days stand in each state, tests of the way aside."""
    found = store.ask(
        "select state, count(*) as n from notice_state($at::timestamptz, $since::timestamptz) where audience <> 'test' group by state",
        at=at,
        since=at - AGES,
    )
    return dict.fromkeys(STATES, 0) | dict(zip(found.state, found.n, strict=True))


def waiting(store: Store, at: datetime) -> pd.DataFrame:
    """One row per notice that is still to be sent, urgent ones first, with the state of its delivery."""
    return store.ask(
        f"{_WITH_DELIVERY} where notice.state = 'waiting' and audience <> 'test' "
        "order by urgent desc, coalesce(next_try_at, asked_at), notice_id",
        at=at,
        since=at - AGES,
    )


def named(store: Store, notice_ids: Sequence[str]) -> pd.DataFrame:
    """One row per notice of some ids, as it stands now."""
    return store.ask(
        f"{_WITH_DELIVERY} where notice_id in (select unnest($ids))",
        at=FOREVER,
        since=datetime(1, 1, 1, tzinfo=UTC),
        ids=list(notice_ids),
    )


def told_arrivals(store: Store, delivery_ids: Sequence[str], at: datetime) -> dict[str, datetime]:
    """What the recipients of some deliveries were told last about the expected arrival, by delivery."""
    found = store.ask(
        "select delivery_id, arg_max(expected_at, asked_at) as expected_at "
        "from notice_state($at::timestamptz, $since::timestamptz) "
        "where expected_at is not null and state in ('waiting', 'sent', 'delivered') and delivery_id in (select unnest($ids)) "
        "group by delivery_id",
        at=at,
        since=at - AGES,
        ids=list(delivery_ids),
    )
    return {row.delivery_id: row.expected_at.to_pydatetime() for row in found.itertuples(index=False)}


def retry(store: Store, notice_id: str, actor: str, at: datetime) -> None:
    """Try a notice again that failed before it was sent, as a decision of a person; raises NotPossible for any other."""
    found = named(store, [notice_id])
    if found.empty:
        raise NotPossible(f"There is no notice {notice_id}.")
    [row] = found.itertuples(index=False)
    if row.state != FAILED or pd.notna(row.sent_at):
        raise NotPossible(
            f"This notice can't be sent again: it is {row.state}. Only one that failed before it was sent can."
        )
    again = notice_event(row, EventType.NOTIFICATION_RETRIED, at, "retried", actor, round=int(row.round) + 1)
    store.append({"event": events_frame([again])})
