"""The questions a page may ask; one frame each, its grain in the docstring. Times are UTC."""

from __future__ import annotations

from datetime import date, datetime

import pandas as pd

from lastmile.model import Scope
from lastmile.queries.scoped import IN_SCOPE, SERVICE_IN_SCOPE, of_scope
from lastmile.store import Store

# What there is


def depots(store: Store) -> pd.DataFrame:
    """One row per depot that master data or deliveries name: depot_id, name, zone, lon, lat, currency."""
    return store.ask(
        """
        with latest as (from depot qualify row_number() over (partition by depot_id order by recorded_at desc) = 1)
        select coalesce(latest.depot_id, named.depot_id) as depot_id, coalesce(latest.name, named.depot_id) as name,
            coalesce(latest.zone, named.zone) as zone, latest.lon, latest.lat, latest.currency
        from latest full join (
            select depot_id, mode(zone) as zone from delivery where depot_id is not null group by depot_id
        ) as named using (depot_id)
        order by name
        """
    )


def carriers(store: Store) -> pd.DataFrame:
    """One row per carrier that master data or deliveries name: carrier_id, name, kind."""
    return store.ask(
        """
        with latest as (from carrier qualify row_number() over (partition by carrier_id order by recorded_at desc) = 1)
        select coalesce(latest.carrier_id, named.carrier_id) as carrier_id,
            coalesce(latest.name, named.carrier_id) as name, latest.kind
        from latest full join (select distinct carrier_id from delivery where carrier_id is not null) as named
            using (carrier_id)
        order by name
        """
    )


def services(store: Store) -> list[str]:
    """The services that deliveries have, by name."""
    return store.ask("select distinct service from delivery where service is not null order by 1").service.tolist()


def days(store: Store) -> tuple[date, date] | None:
    """The first and the last service day on record; None in an empty database."""
    span = store.ask("select min(day) as first_day, max(day) as last_day, count(*) as n from delivery").iloc[0]
    return None if span.n == 0 or pd.isna(span.first_day) else (span.first_day.date(), span.last_day.date())


def days_served(store: Store, day_from: date, day_to: date) -> frozenset[date]:
    """The days of a span, both ends included, that are some delivery's service day."""
    found = store.ask(
        "select distinct day from delivery where day between $first and $last", first=day_from, last=day_to
    )
    return frozenset(found.day.dt.date)


def sources(store: Store, at: datetime) -> pd.DataFrame:
    """One row per source: its name, its events and the last of them recorded by `at`."""
    return store.ask(
        """
        with named as (from source qualify row_number() over (partition by source order by recorded_at desc) = 1),
        heard as (
            select source, count(*) as events, max(recorded_at) as last_recorded_at, max(occurred_at) as last_occurred_at
            from event where recorded_at <= $at
              and (import_id is null or import_id not in (select import_id from undone_import))
            group by source
        )
        select source, coalesce(named.name, if(source = 'tower', 'Decisions taken here', source)) as name, named.kind, coalesce(events, 0) as events,
            last_recorded_at, last_occurred_at, recorded_at_given
        from named full join heard using (source) order by name
        """,
        at=at,
    )


def connections(store: Store, at: datetime) -> pd.DataFrame:
    """One row per system that may send over HTTP: what it told up to `at`, in all and in the last 24 hours, and what waits.

    `latency_minutes` is the median from happening to being recorded of the last 24 hours' events, unknown without any;
    `credentials` counts tokens and webhooks that hold, `waiting` rows in quarantine.
    """
    return store.ask(
        """
        with known as (from connection qualify row_number() over (partition by source order by recorded_at desc) = 1),
        told as (
            select source, count(*) as events, max(recorded_at) as last_recorded_at, max(occurred_at) as last_occurred_at,
                count(*) filter (recorded_at > $at - interval 24 hour) as events_of_day,
                median(minutes_between(occurred_at, recorded_at))
                    filter (recorded_at > $at - interval 24 hour and classifier = 'ACT') as latency_minutes
            from event where recorded_at <= $at and source in (select source from known) group by source
        ),
        held as (
            select source, count(*) as credentials from credential anti join revoked_credential using (credential_id)
            group by source
        ),
        refused as (
            select source, count(*) as waiting from quarantined_row
            anti join (select row_id from quarantine_decision) as decided using (row_id) group by source
        )
        select known.source, known.name, known.zone, known.window_semantics,
            coalesce(nullif(known.delivery_source, ''), known.source) as numbers, last_recorded_at, last_occurred_at,
            coalesce(events, 0) as events, coalesce(events_of_day, 0) as events_of_day, latency_minutes,
            coalesce(credentials, 0) as credentials, coalesce(waiting, 0) as waiting
        from known left join told using (source) left join held using (source) left join refused using (source)
        order by known.source
        """,
        at=at,
    )


def last_recorded_at(store: Store, at: datetime) -> datetime | None:
    """When the last event that was known at `at` was recorded, decisions aside."""
    return store.value("select max(recorded_at) from event where recorded_at <= $at and source <> 'tower'", at=at)


def source_names(store: Store) -> dict[str, str]:
    """Source → its name, for those that have one."""
    rows = store.ask("from source qualify row_number() over (partition by source order by recorded_at desc) = 1")
    return {row.source: row.name for row in rows.itertuples() if pd.notna(row.name)}


def last_heard(store: Store, at: datetime) -> list[str]:
    """The sources that told of anything in the hour before the last event known at `at`, the most talkative first."""
    return store.ask(
        """
        with last as (select max(recorded_at) as recorded_at from event where recorded_at <= $at and source <> 'tower')
        select source from event, last
        where event.recorded_at between last.recorded_at - interval 1 hour and last.recorded_at and source <> 'tower'
        group by source order by count(*) desc, source
        """,
        at=at,
    ).source.tolist()


# The day as it runs


def stops(store: Store, at: datetime, day: date, scope: Scope, as_of: datetime | None = None) -> pd.DataFrame:
    """One row per delivery on the plans in force of a day, as it stands at `at`; see the macro stop_state."""
    return store.ask(
        f"from stop_state($at, $as_of::timestamptz, $day::date) where {IN_SCOPE} and {SERVICE_IN_SCOPE} "
        "order by route_id, stop, delivery_id",
        at=at,
        as_of=as_of,
        day=day,
        **of_scope(scope),
    )


def vehicles(store: Store, at: datetime, day: date, scope: Scope, as_of: datetime | None = None) -> pd.DataFrame:
    """One row per vehicle with a route that day: place, status, progress, delay; see the macro vehicle_state."""
    return store.ask(
        f"from vehicle_state($at, $as_of::timestamptz, $day::date) where {IN_SCOPE} order by vehicle",
        at=at,
        as_of=as_of,
        day=day,
        **of_scope(scope, services=False),
    )


def route_figures(store: Store, at: datetime, day: date, scope: Scope, as_of: datetime | None = None) -> pd.DataFrame:
    """One row per route of a day: the columns of `vehicles`, planned and driven km, load at departure ÷ capacity."""
    return store.ask(
        f"""
        with loads as (
            select route_id, sum(weight_kg) as planned_kg from stop_state($at, $as_of::timestamptz, $day::date)
            where plan_id is not null group by route_id
        ),
        lengths as (
            select plan_id, route_id, sum(distance_km) as stops_km from planned_stop group by plan_id, route_id
        )
        select vehicles.*, coalesce(route.distance_km, stops_km) as planned_km, runs.driven_km,
            planned_kg / nullif(capacity_kg, 0) as load_share
        from vehicle_state($at, $as_of::timestamptz, $day::date) as vehicles
        join route using (plan_id, route_id)
        left join loads on loads.route_id = vehicles.route_id
        left join lengths on lengths.plan_id = vehicles.plan_id and lengths.route_id = vehicles.route_id
        left join routes_at($as_of::timestamptz, $day::date, $day::date) as runs on runs.route_id = vehicles.route_id
        where {IN_SCOPE.replace("depot_id", "vehicles.depot_id").replace("carrier_id", "vehicles.carrier_id")}
        order by vehicles.vehicle_id
        """,
        at=at,
        as_of=as_of,
        day=day,
        **of_scope(scope, services=False),
    )


def depot_vehicles(store: Store, depot_id: str, day: date) -> pd.DataFrame:
    """One row per vehicle of a depot: vehicle_id, name, and whether it has a shift that day."""
    return store.ask(
        """
        with latest as (from vehicle qualify row_number() over (partition by vehicle_id order by recorded_at desc) = 1)
        select vehicle_id, name, vehicle_id in (select vehicle_id from shift where day = $day) as on_shift
        from latest where depot_id = $depot order by vehicle_id
        """,
        depot=depot_id,
        day=day,
    )


def plans(store: Store, day: date, scope: Scope, as_of: datetime | None = None) -> pd.DataFrame:
    """One row per plan version of a day, newest first, with its decision."""
    return store.ask(
        "from plan_state(coalesce($as_of::timestamptz, 'infinity'::timestamptz)) where day = $day "
        "and (len($depots) = 0 or depot_id in (select unnest($depots))) order by depot_id, version desc",
        as_of=as_of,
        day=day,
        depots=list(scope.depots),
    )


def replannings(
    store: Store, scope: Scope, today: date, as_of: datetime | None = None, *, day_from: date, day_to: date
) -> pd.DataFrame:
    """One row per approved re-optimization, newest first: predicted against what came true; see the macro replan_result."""
    return store.ask(
        "from replan_result($as_of::timestamptz, $day_from::date, $day_to::date, $today::date) "
        "where (len($depots) = 0 or depot_id in (select unnest($depots))) order by day desc, depot_id, version desc",
        as_of=as_of,
        day_from=day_from,
        day_to=day_to,
        today=today,
        depots=list(scope.depots),
    )


def replanned_stops(store: Store, plan_id: str, day: date, as_of: datetime | None = None) -> pd.DataFrame:
    """One row per stop that a re-optimization covered, with what came of it; see the macro replan_stop."""
    return store.ask(
        "from replan_stop($as_of::timestamptz, $day::date, $day::date) where plan_id = $plan_id order by stop_id",
        as_of=as_of,
        day=day,
        plan_id=plan_id,
    )


def planned_stop_rows(store: Store, plan_id: str) -> pd.DataFrame:
    """The rows of table planned_stop of one plan version, as they are."""
    return store.ask("from planned_stop where plan_id = $plan_id order by route_id, stop, delivery_id", plan_id=plan_id)


# Deliveries


def delivery(store: Store, delivery_id: str, as_of: datetime | None = None) -> pd.Series | None:
    """One delivery with all that is known of it; None where there is none."""
    day = store.value("select day from delivery where delivery_id = $delivery_id", delivery_id=delivery_id)
    found = store.ask(
        "from deliveries_at($as_of::timestamptz, $day::date, $day::date) where delivery_id = $delivery_id",
        as_of=as_of,
        day=day,
        delivery_id=delivery_id,
    )
    return None if found.empty else found.iloc[0]


def delivery_events(store: Store, delivery_id: str, as_of: datetime | None = None) -> pd.DataFrame:
    """One row per event of a delivery in order of time, with its latency in minutes where its source tells it."""
    return store.ask(
        """
        with named as (from source qualify row_number() over (partition by source order by recorded_at desc) = 1)
        select event_id::varchar as event_id, occurred_at, recorded_at, type, classifier, reason, event.source,
            status_source, actor, route_id, vehicle_id, lon, lat, payload::varchar as payload,
            case when coalesce(recorded_at_given, true) then minutes_between(occurred_at, recorded_at) end as latency_minutes,
            corrects is not null as is_correction,
            event_id in (select corrects from event where corrects is not null) as is_corrected
        from event left join (select source, recorded_at_given from named) as named using (source)
        where delivery_id = $delivery_id and recorded_at <= coalesce($as_of::timestamptz, 'infinity'::timestamptz)
          and (import_id is null or import_id not in (select import_id from undone_import))
        order by occurred_at, recorded_at
        """,
        delivery_id=delivery_id,
        as_of=as_of,
    )


def delivery_sightings(store: Store, delivery_id: str, as_of: datetime | None = None) -> pd.DataFrame:
    """One row per route whose van was seen at a delivery's address by its positions alone: entered_at, left_at, vehicle_id.

    `entered_known_at` is when that could first be told; a van that is still there has no `left_at`.
    """
    days = store.ask(
        "select min(day) as day_from, max(day) as day_to from planned_stop join route using (plan_id, route_id) "
        "where delivery_id = $delivery_id",
        delivery_id=delivery_id,
    ).iloc[0]
    return store.ask(
        """
        select entered_at, entered_known_at, left_at, vehicle_id
        from inferred_visit_state(coalesce($as_of::timestamptz, 'infinity'::timestamptz), $day_from::date, $day_to::date)
        where delivery_id = $delivery_id order by entered_at
        """,
        delivery_id=delivery_id,
        as_of=as_of,
        day_from=None if pd.isna(days.day_from) else days.day_from,
        day_to=None if pd.isna(days.day_to) else days.day_to,
    )


def delivery_promises(store: Store, delivery_id: str, as_of: datetime | None = None) -> pd.DataFrame:
    """One row per version of what was asked for a delivery, the first promise first."""
    return store.ask(
        """
        select recorded_at, window_from, window_due, window_semantics, address, recipient, source
        from booking where delivery_id = $delivery_id
          and recorded_at <= coalesce($as_of::timestamptz, 'infinity'::timestamptz)
          and (import_id is null or import_id not in (select import_id from undone_import))
        order by recorded_at
        """,
        delivery_id=delivery_id,
        as_of=as_of,
    )


def delivery_charges(store: Store, delivery_id: str, as_of: datetime | None = None) -> pd.DataFrame:
    """One row per charge that names a delivery."""
    return store.ask(
        """
        select occurred_at, kind, amount, currency, assumed, source from charge
        where delivery_id = $delivery_id and recorded_at <= coalesce($as_of::timestamptz, 'infinity'::timestamptz)
          and (import_id is null or import_id not in (select import_id from undone_import))
        order by occurred_at
        """,
        delivery_id=delivery_id,
        as_of=as_of,
    )


def delivery_cost(store: Store, delivery_id: str, as_of: datetime | None = None) -> pd.Series | None:
    """What one delivery has cost, all its tries together: `cost` in `currency`, None where its route has none yet."""
    day = store.value("select day from delivery where delivery_id = $delivery_id", delivery_id=delivery_id)
    found = store.ask(
        "select sum(cents) / 100 as cost, any_value(currency) as currency "
        "from drop_cost($as_of::timestamptz, $day::date, ($day::date + interval 7 day)::date) "
        "where delivery_id = $delivery_id having sum(cents) is not null",
        as_of=as_of,
        day=day,
        delivery_id=delivery_id,
    )
    return None if found.empty else found.iloc[0]


# Imports


def imported_days(store: Store, import_id: str) -> tuple[date, date] | None:
    """The first and last service day that an import's deliveries have; None where it brought none."""
    span = store.ask(
        """
        select min(day) as first_day, max(day) as last_day from delivery where delivery_id in (
            select delivery_id from booking where import_id = $import_id
            union select delivery_id from event where import_id = $import_id)
        """,
        import_id=import_id,
    ).iloc[0]
    return None if pd.isna(span.first_day) else (span.first_day.date(), span.last_day.date())
