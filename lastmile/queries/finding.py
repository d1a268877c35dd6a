"""Deliveries that hold a text, for who looks for one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import pandas as pd

from lastmile.model import Scope
from lastmile.queries.scoped import IN_SCOPE, SERVICE_IN_SCOPE, of_scope
from lastmile.store import Store


def find_deliveries(
    store: Store,
    text: str,
    day_from: date | None,
    day_to: date | None,
    scope: Scope,
    as_of: datetime | None = None,
    limit: int = 500,
    urgent: Sequence[str] = (),
) -> pd.DataFrame:
    """One row per delivery whose ids, recipient, address, vehicle or driver hold the text.

    Those that are `urgent` come first, in that order; then what moved last; orders that are not booked yet come last.
    """
    return store.ask(
        f"""
        select delivery_id, order_id, recipient, address, service, depot_id, carrier_id, day, window_from, window_due,
            state, timeliness, minutes_after_due, handed_over_at, attempts, reason, vehicle_id, zone, booked_at
        from deliveries_at($as_of::timestamptz, $day_from::date, $day_to::date)
        where {IN_SCOPE} and {SERVICE_IN_SCOPE}
          and ($text = '' or contains(lower(concat_ws(' ', delivery_id, order_id, recipient, address, area, vehicle_id,
               driver_id, state, reason, timeliness)), lower($text)))
        order by nullif(list_position($urgent::varchar[], delivery_id), 0) nulls last, booked_at is null,
            last_event_at desc nulls last, delivery_id
        limit $limit
        """,
        urgent=list(urgent),
        as_of=as_of,
        day_from=day_from,
        day_to=day_to,
        text=text.strip(),
        limit=limit,
        **of_scope(scope),
    )
