"""From the ledger to a situation: what was known of a day at one instant, or at each quarter of an hour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd

from lastmile import kpis
from lastmile.exceptions.settings import Settings, load
from lastmile.exceptions.situation import NOTICE_COLUMNS, SOURCE_COLUMNS, Situation, empty
from lastmile.store import Store

COST_DAYS = 28
PREDICTED = ["eta_at", "eta_from", "eta_until", "chance_late", "shifted_at"]


@dataclass(frozen=True)
class Taught:
    """What earlier days say about one: it is the same all day, so it is asked for once."""

    usual_silence: pd.DataFrame = field(default_factory=pd.DataFrame)
    sites: pd.DataFrame = field(default_factory=pd.DataFrame)
    milestones: pd.DataFrame = field(default_factory=pd.DataFrame)
    redelivery: dict[str, float] = field(default_factory=dict)


def taught_before(store: Store, day: date, redelivery: dict[str, float] | None = None) -> Taught:
    """What is known about a day from those before it; `redelivery` where that was asked for already."""
    return Taught(
        store.ask("from usual_silence($day::date)", day=day),
        store.ask("from taught_site($day::date, $day::date)", day=day),
        milestones_of(store, day),
        redelivery_cost(store, day) if redelivery is None else redelivery,
    )


def milestones_of(store: Store, day: date) -> pd.DataFrame:
    """One row per milestone about a day and delivery that it needs."""
    return store.ask(
        """
        with latest as (from milestone qualify row_number() over (partition by milestone_id order by recorded_at desc) = 1)
        select milestone_id, name, project, need_by, crew_size, crew_rate, currency, delivery_id
        from milestone_delivery join latest using (milestone_id)
        where need_by between $day::date::timestamptz - interval 2 day and $day::date::timestamptz + interval 4 day
          and (milestone_delivery.import_id is null or milestone_delivery.import_id not in (select import_id from undone_import))
        """,
        day=day,
    )


def redelivery_cost(store: Store, day: date) -> dict[str, float]:
    """Service → what a failed drop has cost in the four weeks before a day, by the KPI failed_delivery_cost."""
    found = kpis.measure(
        store, ["failed_delivery_cost"], day_from=day - timedelta(days=COST_DAYS), day_to=day - timedelta(days=1), by=("service",)
    )  # fmt: skip
    known = found[found.value.notna() & (found.n > 0)] if len(found) else found
    return {} if known.empty else dict(zip(known.service, known.value.astype(float), strict=True))


def gather(
    store: Store,
    instants: Sequence[datetime],
    day: date,
    predicted: pd.DataFrame | None,
    taught: Taught,
    *,
    step: timedelta,
    settings: Settings | None = None,
    days_before: int = 0,
) -> Situation:
    """The situation of a day at some instants, in order. `predicted`: as of predictions.predict for the same instants.

    `days_before`: so many days before it are looked at too, for what they have left open.
    """
    span = {"instants": list(instants), "day_from": day - timedelta(days=days_before), "day_to": day}
    deliveries = store.ask("from watched_delivery_at($instants::timestamptz[], $day_from::date, $day_to::date)", **span)
    vehicles = store.ask("from watched_vehicle_at($instants::timestamptz[], $day_to::date, $day_to::date)",
                         instants=span["instants"], day_to=day)  # fmt: skip
    deliveries = _as_days(_newest(_predicted(deliveries, predicted), vehicles))
    vehicles = _as_days(_on_the_way(vehicles, deliveries))
    return Situation(
        deliveries,
        vehicles,
        milestones=taught.milestones,
        sources=sources_of(store, span["instants"], vehicles, taught.usual_silence),
        sites=taught.sites,
        notices=failed_notices(store, instants[-1]),
        ends=ends_of(store, span["day_from"], day, instants[-1]),
        redelivery=taught.redelivery,
        settings=settings or load(store),
        step=step,
    )


def _as_days(frame: pd.DataFrame) -> pd.DataFrame:
    """Days as such; texts as plain objects, of which rows are picked several times faster."""
    texts = {name: frame[name].astype(object) for name in frame.select_dtypes("str")}
    return frame.assign(day=pd.to_datetime(frame["day"]), **texts)


def _predicted(deliveries: pd.DataFrame, predicted: pd.DataFrame | None) -> pd.DataFrame:
    if predicted is None or predicted.empty:
        nothing = pd.Series(pd.NaT, index=deliveries.index, dtype="datetime64[us, UTC]")
        return deliveries.assign(**dict.fromkeys(PREDICTED, nothing)).assign(chance_late=np.nan)
    told = predicted.drop_duplicates(["instant", "delivery_id"])[["instant", "delivery_id", *PREDICTED]]
    return deliveries.merge(told, on=["instant", "delivery_id"], how="left")


def _newest(deliveries: pd.DataFrame, vehicles: pd.DataFrame) -> pd.DataFrame:
    """With the newest fact of a delivery: its own, or its van's."""
    of_van = vehicles.drop_duplicates(["instant", "route_id"])[["instant", "route_id", "newest_at"]]
    joined = deliveries.merge(of_van, on=["instant", "route_id"], how="left")
    return joined.assign(newest_at=joined[["newest_at", "told_at"]].max(axis=1)).drop(columns="told_at")


def _on_the_way(vehicles: pd.DataFrame, deliveries: pd.DataFrame) -> pd.DataFrame:
    """With what a van still has to do: how many deliveries, the next of them and where, when the last is expected."""
    ahead = deliveries[deliveries.route_id.notna() & ~deliveries.done & ~deliveries.passed]
    ahead = ahead.sort_values(["instant", "route_id", "stop", "delivery_id"], kind="stable")
    by_route = ahead.groupby(["instant", "route_id"], sort=False)
    rest = by_route.agg(
        open_deliveries=("delivery_id", "size"), next_delivery_id=("delivery_id", "first"), next_lon=("lon", "first"),
        next_lat=("lat", "first"), last_eta_at=("eta_at", "max"),
    ).reset_index()  # fmt: skip
    joined = vehicles.merge(rest, on=["instant", "route_id"], how="left")
    return joined.assign(open_deliveries=joined.open_deliveries.fillna(0).astype(int))


def sources_of(
    store: Store, instants: Sequence[datetime], vehicles: pd.DataFrame, usual_silence: pd.DataFrame
) -> pd.DataFrame:
    """One row per instant and source: when it was heard last, how long it is usually silent then, and its vans that are out."""
    heard = store.ask("from heard_at($instants::timestamptz[])", instants=list(instants))
    if heard.empty or usual_silence.empty:
        return empty(SOURCE_COLUMNS)
    out = vehicles[vehicles.departed_at.notna() & vehicles.back_at.isna() & vehicles.source.notna()]
    counts = out.groupby(["instant", "source"]).size().rename("vehicles_out").reset_index()
    heard = heard.assign(hour_of_day=heard.instant.dt.hour)
    joined = heard.merge(usual_silence, on=["source", "hour_of_day"], how="left").merge(
        counts, on=["instant", "source"], how="left"
    )
    return joined.assign(vehicles_out=joined.vehicles_out.fillna(0).astype(int))[SOURCE_COLUMNS]


def failed_notices(store: Store, at: datetime) -> pd.DataFrame:
    """One row per delivery whose last notice to its customer has failed, as known at an instant."""
    found = store.ask(
        "select delivery_id, failed_at, template as told from notice_state($at, $at - interval 3 day) where audience = 'customer' and delivery_id is not null "
        "qualify row_number() over (partition by delivery_id order by asked_at desc) = 1 and state = 'failed'",
        at=at,
    )
    return found if len(found) else empty(NOTICE_COLUMNS)


def ends_of(store: Store, day_from: date, day_to: date, at: datetime) -> pd.DataFrame:
    """One row per delivery of some days that is over, as known at an instant: how, and when by what its promise is judged by."""
    return store.ask(
        """
        select delivery_id,
            case when bool_or(is_handover(type)) then 'handed_over' when bool_or(type = 'cancelled') then 'cancelled' else 'returned' end as how,
            coalesce(min(case when window_semantics = 'arrival' then arrived_at when window_semantics = 'service_start' then started_at end),
                min(occurred_at)) as anchor_at,
            min(recorded_at) as known_at
        from (
            select event.delivery_id, type, event.occurred_at, event.recorded_at, known.window_semantics, known.arrived_at,
                try_cast(payload ->> 'service_started_at' as timestamptz) as started_at
            from event join delivery as known on known.delivery_id = event.delivery_id
            where type in ('delivered', 'partially_delivered', 'cancelled', 'returned_to_shipper') and classifier = 'ACT'
              and event.recorded_at <= $at and event.occurred_at >= $day_from::date::timestamptz - interval 8 day
              and known.day between $day_from::date - 4 and $day_to::date
              and (import_id is null or import_id not in (select import_id from undone_import))
        ) group by delivery_id
        """,
        at=at,
        day_from=day_from,
        day_to=day_to,
    )
