"""The open deliveries of a depot's running day as stops: when, what, who, and what it costs to fail them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd

from lastmile.model import Criticality, WindowSemantics
from lastmile.replanning.asked import Act, Asked, ByHand
from lastmile.replanning.experience import ANOTHER_TRY, STAGING_MINUTES, Experience
from lastmile.replanning.fleet import DIMENSIONS
from lastmile.routing import Pin, Stop
from lastmile.store import Store

PRICE_PER_LATE_MINUTE = {
    Criticality.ROUTINE: 0.5,
    Criticality.TIME_CRITICAL: 2.0,
    Criticality.REGULATED: 3.0,
    Criticality.MILESTONE: 4.0,
}
"""What a minute beyond the promise is taken to cost, in the depot's currency. An assumption, by criticality, that makes
a plan keep the dearer promise first; the penalty of the booking comes on top of it, spread over its first half hour.
A milestone whose crew is on record is priced by its crew, and beyond the promise like routine."""

PENALTY_SPREAD_MINUTES = 30.0
DEFAULT_SERVICE_MINUTES = 4.0

CREW_HOURS_LOST = 4.0
"""What a crew loses whose goods do not come at all: half a working day. Assumption."""

PINS = {Act.KEEP_VEHICLE: Pin.VEHICLE, Act.KEEP_ORDER: Pin.ORDER, Act.KEEP_BOTH: Pin.BOTH}


def open_rows(
    store: Store, depot_id: str, day: date, stops: pd.DataFrame, experience: Experience, at: datetime
) -> pd.DataFrame:
    """One row per delivery that is still to be served, on the plan in force or on none, with its stop_id.

    `stops` are the day's rows of stop_state. What only the delivery knows stands beside: volume, pieces, skills, service
    minutes (as they take, not as planned), when its goods are at the dock, and need_by and crew_per_minute of the milestone
    that waits for it today. A crew that waited for it on an earlier day has gone, and what was promised for after the need-by
    is not what a crew waits for.
    """
    mine = stops[stops.plan_id.notna()]
    planned = mine[~mine.done & ~mine.passed]
    unplanned = stops[stops.plan_id.isna() & ~stops.done & (stops.depot_id == depot_id)]
    rows = pd.concat([planned, unplanned], ignore_index=True)
    rows = rows[(rows.state != "cancelled")].merge(_details(store, rows.delivery_id.tolist(), day), on="delivery_id")
    rows = rows[rows.plan_id.notna() | (rows.kind == "delivery")].reset_index(drop=True)
    rows["stop_id"] = _stop_ids(rows)
    factors = rows.service.map(dict(experience.service)).fillna(1.0)
    rows["service_minutes"] = rows.service_minutes.fillna(DEFAULT_SERVICE_MINUTES) * factors
    rows["promised_until"] = rows.window_due + pd.to_timedelta(rows.late_minutes.fillna(0), unit="min")
    rows.loc[rows.window_due > rows.need_by, ["need_by", "crew_per_minute"]] = None
    rows["at_dock"] = _at_dock(rows, experience, at)
    return rows


def _details(store: Store, delivery_ids: list[str], day: date) -> pd.DataFrame:
    return store.ask(
        """
        with known_milestone as (
            from milestone qualify row_number() over (partition by milestone_id order by recorded_at desc) = 1
        ),
        waiting as (
            select delivery_id, min(need_by) as need_by, sum(crew_size * crew_rate / 60) as crew_per_minute
            from (select distinct milestone_id, delivery_id from milestone_delivery) join known_milestone using (milestone_id)
            where (need_by at time zone zone)::date >= $day group by delivery_id
        )
        select delivery_id, kind, volume_m3, pieces, skills, service_minutes, release_due, released_at, staged_at,
            arrived_at, need_by, crew_per_minute
        from delivery left join waiting using (delivery_id)
        where delivery_id in (select unnest($ids))
        """,
        ids=delivery_ids,
        day=day,
    )


def _stop_ids(rows: pd.DataFrame) -> list[str]:
    """What a route does at one stop stays together, but where windows differ, or goods are both brought and collected."""
    ids = [row.delivery_id if pd.isna(row.stop) else f"{row.route_id} · {int(row.stop)}" for row in rows.itertuples()]
    kinds = rows.assign(id=ids).groupby("id")[["window_from", "window_due", "kind"]].nunique(dropna=False).max(axis=1)
    return [
        f"{id} · {delivery_id}" if kinds[id] > 1 else id for id, delivery_id in zip(ids, rows.delivery_id, strict=True)
    ]


Members = Sequence[Any]
"""The rows of `open_rows` that one stop serves, as named tuples."""


def by_stop(rows: pd.DataFrame) -> dict[str, Members]:
    """The rows of each stop, by stop_id, in their order."""
    found: dict[str, list[Any]] = {}
    for row in rows.itertuples():
        found.setdefault(row.stop_id, []).append(row)
    return found


def stop_of(members: Members, asked: Asked, stranded: bool, decided: Mapping[str, ByHand]) -> Stop:
    """The deliveries of one stop as a stop; `decided` is what a person decided by hand, by delivery."""
    first = members[0]
    by_hand = next((decided[one.delivery_id] for one in members if one.delivery_id in decided), None)
    planned = pd.notna(first.stop) and not stranded
    return Stop(
        stop_id=first.stop_id,
        lon=_or_none(first.lon),
        lat=_or_none(first.lat),
        delivery_ids=tuple(one.delivery_id for one in members),
        service_seconds=60 * sum(one.service_minutes for one in members),
        opens=_bound(max, (one.window_from for one in members)),
        closes=_bound(min, (one.promised_until for one in members)),
        semantics=WindowSemantics(first.window_semantics or WindowSemantics.SERVICE_START),
        price_per_late_minute=late_price(members),
        need_by=_bound(min, (one.need_by for one in members)),
        crew_price_per_minute=_crew(members),
        pickup=first.kind == "pickup",
        demand={name: sum(_known(getattr(one, column)) for one in members) for name, column in DIMENSIONS.items()},
        released_at=_bound(max, (one.at_dock for one in members)),
        required_skills=frozenset(skill for one in members for skill in _listed(one.skills)),
        criticality=Criticality(first.criticality or Criticality.ROUTINE),
        transferable=asked.goods_may_move or not planned or pd.isna(first.departed_at),
        allowed_vehicles=frozenset({by_hand.vehicle_id}) if by_hand and by_hand.act == Act.ON_VEHICLE else None,
        pin=PINS.get(by_hand.act, Pin.NONE) if by_hand and planned else Pin.NONE,
        present_vehicle_id=first.vehicle_id if planned else None,
        present_position=int(first.stop) if pd.notna(first.stop) else None,
    )


def late_price(members: Members) -> float:
    """What a minute beyond the promise of these deliveries is taken to cost, in the depot's currency."""
    return _price_by_criticality(members) + max(_known(one.penalty) for one in members) / PENALTY_SPREAD_MINUTES


def _price_by_criticality(members: Members) -> float:
    classes = [Criticality(one.criticality or Criticality.ROUTINE) for one in members]
    if _crew(members):
        classes = [Criticality.ROUTINE if one == Criticality.MILESTONE else one for one in classes]
    return max(PRICE_PER_LATE_MINUTE[one] for one in classes)


def price_of_failing(members: Members, experience: Experience, day_ends: float) -> float:
    """What not serving these deliveries today costs: another try, the penalties, and half a day of the crew that waits.

    Besides, it is late by at least as much as if it were served when the last shift may end (epoch seconds): each minute
    of that at its price by criticality, the penalty being owed once.
    """
    tries = max(experience.another_try.get(one.service, ANOTHER_TRY) for one in members)
    until = _bound(min, (one.promised_until for one in members))
    late = 0.0 if until is None else max(0.0, day_ends - until) / 60 * _price_by_criticality(members)
    return tries + sum(_known(one.penalty) for one in members) + _crew(members) * 60 * CREW_HOURS_LOST + late


def _crew(members: Members) -> float:
    """What the crew that waits for these deliveries costs a minute; 0 where none does."""
    return max(_known(one.crew_per_minute) for one in members)


def _at_dock(rows: pd.DataFrame, experience: Experience, at: datetime) -> pd.Series:
    """When goods that are on their way through the warehouse are expected at the dock; NaT where they are there, or loaded."""
    now = pd.Timestamp(at)
    waiting = rows.staged_at.isna() & rows.loaded_at.isna() & (rows.released_at.notna() | rows.release_due.notna())
    released = rows.released_at.fillna(rows.release_due.clip(lower=now))
    usual = pd.to_timedelta(rows.service.map(dict(experience.staging)).fillna(STAGING_MINUTES), unit="min")
    return (released + usual).clip(lower=now).where(waiting)


def committed_stops(
    rows: pd.DataFrame, asked: Asked, broken: set[str], first_on: Mapping[str, list[str]], at: datetime
) -> dict[str, tuple[str, ...]]:
    """Vehicle → the stops that it serves first, in this order.

    The stop that a van on the road is at or drives to, then what a person wants first, then what is expected to be
    reached within the freeze time.
    """
    until = pd.Timestamp(at) + timedelta(minutes=asked.freeze_minutes)
    wanted = {stop_id for stop_ids in first_on.values() for stop_id in stop_ids}
    found: dict[str, tuple[str, ...]] = {}
    planned = rows[rows.stop.notna() & ~rows.vehicle_id.isin(list(broken))].sort_values(["vehicle_id", "stop"])
    for vehicle_id, mine in planned.groupby("vehicle_id", sort=False):
        each = mine.drop_duplicates("stop_id")
        driving = each.stop_id.tolist()[:1] if pd.notna(each.departed_at.iloc[0]) else []
        soon = each.stop_id[(each.eta_at <= until).cummin()].tolist() if asked.freeze_minutes else []
        frozen = [stop_id for stop_id in soon if stop_id not in driving and stop_id not in wanted]
        found[vehicle_id] = (*driving, *(one for one in first_on.get(vehicle_id, ()) if one not in driving), *frozen)
    found |= {vehicle_id: tuple(ids) for vehicle_id, ids in first_on.items() if vehicle_id not in found}
    taken = {one for vehicle_id in first_on for one in first_on[vehicle_id]}
    return {v: tuple(s for s in ids if s not in taken or s in first_on.get(v, ())) for v, ids in found.items() if ids}


def _bound(choose: Callable[[list[float]], float], instants: Iterable[Any]) -> float | None:
    """The first or last of the instants that are known, in epoch seconds; None where none is."""
    known = [instant.timestamp() for instant in instants if pd.notna(instant)]
    return choose(known) if known else None


def _known(value: Any) -> float:
    return 0.0 if pd.isna(value) else float(value)


def _or_none(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)


def _listed(values: Any) -> list[str]:
    return [] if values is None or values is pd.NA or (isinstance(values, float) and pd.isna(values)) else list(values)
