"""What an action of the playbook changes in what was promised: new versions of bookings, and the notices that tell of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from lastmile.decisions import events_frame
from lastmile.errors import NotPossible
from lastmile.model import stable_id
from lastmile.notifications.asking import REQUESTED, customer_requests
from lastmile.store import Store

SUNDAY = 6


def bookings_now(store: Store, delivery_ids: Sequence[str]) -> pd.DataFrame:
    """One row per delivery that is still to be handed over: the columns of its last booking, and `expected_from`,
    `expected_until`, `expected_at` of its last prediction."""
    return store.ask(
        """
        with latest as (
            from booking where delivery_id in (select unnest($ids))
              and (import_id is null or import_id not in (select import_id from undone_import))
            qualify row_number() over (partition by delivery_id order by recorded_at desc, booking_id desc) = 1
        ),
        told as (
            select delivery_id, arg_max((payload ->> 'eta_at')::timestamptz, recorded_at) as expected_at,
                arg_max((payload ->> 'eta_from')::timestamptz, recorded_at) as expected_from,
                arg_max((payload ->> 'eta_until')::timestamptz, recorded_at) as expected_until
            from event where type = 'eta_updated' and classifier = 'EST' and source = 'tower' and delivery_id in (select unnest($ids))
            group by delivery_id
        )
        select latest.*, told.* exclude (delivery_id) from latest left join told using (delivery_id)
        where delivery_id in (select delivery_id from delivery where delivery_id in (select unnest($ids))
            and state not in ('delivered', 'partially_delivered', 'cancelled', 'returned'))
        """,
        ids=list(delivery_ids),
    )


def change_promise(
    store: Store, rows: pd.DataFrame, windows: Mapping[str, tuple[datetime, datetime]], change: str, actor: str, at: datetime
) -> str:  # fmt: skip
    """Promise other windows and tell the customers, in one write: both or neither. Returns what was done, in words."""
    changed = rows[rows.delivery_id.isin(list(windows))]
    late = [id for id, (_, due) in windows.items() if due <= at]
    if late:
        raise NotPossible(f"The new window of {late[0]} has passed already.")
    fresh = changed.assign(
        window_from=[windows[id][0] for id in changed.delivery_id],
        window_due=[windows[id][1] for id in changed.delivery_id],
    )
    told = _put(store, fresh, "promise_changed", change, actor, at, expected=windows)
    return f"{_many(len(fresh))} promised anew, {told}"


def reattempt(store: Store, rows: pd.DataFrame, change: str, actor: str, at: datetime) -> str:
    """Promise the same window of the next working day, and tell the customers."""
    days = {row.delivery_id: next_working_day(at, row.zone) for row in rows.itertuples()}
    moved = [_moved(row, days[row.delivery_id]) for row in rows.itertuples()]
    fresh = rows.assign(
        day=[days[id] for id in rows.delivery_id],
        window_from=[one[0] for one in moved],
        window_due=[one[1] for one in moved],
    )
    told = _put(store, fresh, "reattempt_tomorrow", change, actor, at, new_day=days)
    return f"{_many(len(fresh))} booked for {min(days.values()):%d %b}, {told}"


def hand_to_carrier(store: Store, rows: pd.DataFrame, carrier_id: str, at: datetime) -> str:
    """Give deliveries to another carrier; NotPossible for one that is not known, or that has them already."""
    known = store.value("select count(*) from carrier where carrier_id = $carrier", carrier=carrier_id)
    if not known:
        raise NotPossible(f"There is no carrier {carrier_id!r}.")
    others = rows[rows.carrier_id != carrier_id]
    if others.empty:
        raise NotPossible(f"{carrier_id} has it already.")
    store.append({"booking": _versions(others.assign(carrier_id=carrier_id), at)})
    return f"{_many(len(others))} handed to {carrier_id}"


def next_working_day(at: datetime, zone: str) -> date:
    """The day after, on the clocks of a zone; Monday after a Saturday."""
    day = at.astimezone(ZoneInfo(zone)).date() + timedelta(days=1)
    return day + timedelta(days=1) if day.weekday() == SUNDAY else day


def _moved(row: Any, day: date) -> tuple[Any, Any]:
    """The same times of the clock on another day."""
    if pd.isna(row.window_due):
        return row.window_from, row.window_due
    zone = ZoneInfo(row.zone)

    def then(at: Any) -> Any:
        return (
            None
            if pd.isna(at)
            else pd.Timestamp(datetime.combine(day, at.astimezone(zone).time(), zone)).tz_convert("UTC")
        )

    return then(row.window_from), then(row.window_due)


def _put(store: Store, fresh: pd.DataFrame, template: str, change: str, actor: str, at: datetime, **facts: Any) -> str:
    asked = customer_requests(store, fresh.delivery_id.tolist(), template, change, actor, at, **facts)
    events = [one.event for one in asked if one.event is not None]
    batch = {"booking": _versions(fresh, at)}
    store.append(batch | {"event": events_frame(events)} if events else batch)
    untold = [one for one in asked if one.outcome != REQUESTED]
    if not untold:
        return "customers are told"
    return f"{len(events)} told; {len(untold)} not: {untold[0].words.lower()}"


def _versions(rows: pd.DataFrame, at: datetime) -> pd.DataFrame:
    """The rows as new versions of their bookings."""
    columns = [name for name in rows if name not in ("expected_at", "expected_from", "expected_until", "import_id")]
    ids = [str(stable_id("booking of the tower", id, at.isoformat())) for id in rows.delivery_id]
    return rows[columns].assign(booking_id=ids, recorded_at=pd.Timestamp(at))


def _many(count: int) -> str:
    return f"{count:,} {'delivery' if count == 1 else 'deliveries'}"
