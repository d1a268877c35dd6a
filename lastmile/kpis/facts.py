"""What is counted: one query per grain, giving the rows that KPIs are made from and the columns to split them by."""

from __future__ import annotations

from collections.abc import Sequence

from lastmile.kpis.checks import DELIVERY_CHECKS, EVENT_CHECKS, Check
from lastmile.kpis.fact import (
    CALENDAR,
    DELIVERIES,
    OF_A_DELIVERY,
    OF_A_ROUTE,
    PERIODS,
    SCOPE,
    SCOPE_OF_SERVICE,
    Fact,
)
from lastmile.kpis.notice_facts import NOTICE_FACTS
from lastmile.kpis.replanning_facts import REPLANNING_FACTS
from lastmile.kpis.response_facts import RESPONSE_FACTS

# What was told of an arrival: as it stood an hour before the van came, and by how much it had been moved about until then.
# A prediction of another day's try is none of this one.
ARRIVALS = """
with told as (
    select delivery_id, recorded_at as told_at, arrived_at,
        (payload ->> 'eta_at')::timestamptz as eta_at, (payload ->> 'eta_from')::timestamptz as eta_from,
        (payload ->> 'eta_until')::timestamptz as eta_until,
        abs(minutes_between(lag(eta_at) over (partition by delivery_id order by recorded_at), eta_at)) as moved_minutes
    from event join (select delivery_id, arrived_at from known_delivery) using (delivery_id)
    where event.type = 'eta_updated' and classifier = 'EST' and event.source = 'tower'
      and recorded_at <= coalesce($as_of::timestamptz, 'infinity'::timestamptz)
      and ($day_from is null or occurred_at >= $day_from::date::timestamptz - interval 60 day)
      and recorded_at between arrived_at - interval 18 hour and arrived_at
),
stood as (
    select delivery_id, count(*) as times_told, coalesce(sum(moved_minutes), 0) as moved_minutes,
        arg_max(eta_at, told_at) filter (told_at <= arrived_at - interval 1 hour) as eta_at,
        arg_max(eta_from, told_at) filter (told_at <= arrived_at - interval 1 hour) as eta_from,
        arg_max(eta_until, told_at) filter (told_at <= arrived_at - interval 1 hour) as eta_until
    from told group by delivery_id
)
select came.*, stood.* exclude (delivery_id), minutes_between(stood.eta_at, arrived_at) as miss_minutes,
    arrived_at between stood.eta_from and stood.eta_until as came_in_interval
from known_delivery as came left join stood using (delivery_id)
"""

# An order takes the day, depot and so on of its last delivery. Where one of its answers is missing the order is
# unknown, even if another is no: else only the failures would be left to make the rate.
_LAST = "(day, delivery_id)"
ORDERS = f"""
with answered as (
    select *, coalesce(order_id, delivery_id) as whole_order, state <> 'cancelled' as wanted,
        case when timeliness = 'on_time' then true
             when timeliness in ('early', 'late', 'failed') then false end as on_time,
        case when state in ('failed', 'returned') then false
             when state = 'delivered' then coalesce(lines_delivered >= lines, true)
             when state = 'partially_delivered' then coalesce(lines_delivered >= lines, false) end as in_full,
        case when handed_over_at is null then case when resolved then false end
             when documents_right is not null then documents_right
             when not list_contains(proof_required, 'documents') then true end as documents_fit,
        damaged_at is null and coalesce(reason, '') <> 'damaged' as undamaged
    from known_delivery
)
select whole_order as order_id, count(*) as deliveries,
    count(*) filter (wanted) as deliveries_wanted,
    coalesce(bool_or(not resolved and not overdue), false) as waiting,
    coalesce(bool_or(overdue), false) as overdue,
    coalesce(bool_or(window_due is null) filter (wanted), false) as no_promise,
    coalesce(bool_or(on_time is null or in_full is null) filter (wanted), false) as otif_open,
    coalesce(bool_or(documents_fit is null) filter (wanted), false) as documents_open,
    coalesce(bool_and(on_time and in_full) filter (wanted), false) as otif,
    coalesce(bool_and(on_time and in_full and documents_fit and undamaged) filter (wanted), false) as perfect,
    max(day) as day, {PERIODS.replace("day)", "max(day))")},
    {", ".join(f"arg_max({name}, {_LAST}) as {name}" for name in OF_A_DELIVERY if name not in CALENDAR)}
from answered group by whole_order
"""

OF_A_DROP = tuple(name for name in OF_A_DELIVERY if name != "source")
AS_DIMENSIONS = "depot_id as depot, carrier_id as carrier, driver_id as driver, vehicle_id as vehicle"
# A route that was not seen back may be on the road yet, until well after its planned return.
ON_THE_ROAD = (
    "coalesce(not_seen_back and $cutoff::timestamptz < planned_returns_at + interval 4 hour, false) as on_the_road"
)

DROPS = f"""
select *, {PERIODS}, hour(outcome_at at time zone zone) as hour, {ON_THE_ROAD}
from (
    select *, {AS_DIMENSIONS} from drop_cost($as_of::timestamptz, $day_from::date, $day_to::date)
)
where {SCOPE} and {SCOPE_OF_SERVICE}
"""

_LOADS = ", ".join(f"peak_{unit} / nullif(capacity_{unit}, 0) as load_{unit}" for unit in ("kg", "m3", "pieces"))
_UNKNOWN_LOAD = " or ".join(f"peak_{unit} is null and capacity_{unit} > 0" for unit in ("kg", "m3", "pieces"))
ROUTES = f"""
with routes as (
    select days.*, {AS_DIMENSIONS}, {PERIODS}, {ON_THE_ROAD},
        greatest(0, on_road_minutes - wait_minutes - coalesce(break_minutes, 0)) as active_minutes,
        minutes_between(planned_departs_at, planned_returns_at) as planned_minutes
    from route_day($as_of::timestamptz, $day_from::date, $day_to::date) as days
)
select routes.*, loads.* exclude (route_id), {_LOADS},
    {_UNKNOWN_LOAD} or coalesce(capacity_kg, capacity_m3, capacity_pieces) is null as load_unknown,
    greatest(load_kg, load_m3, load_pieces) as load_binding,
    case when not load_unknown then
        case load_binding when load_kg then 'weight' when load_m3 then 'volume' else 'pieces' end end as binds
from routes left join route_load($as_of::timestamptz, $day_from::date, $day_to::date) as loads using (route_id)
where {SCOPE} and (len($services) = 0 or list_has_any(services, $services::varchar[]))
"""

# Events count to the service day of their delivery, within 60 days of it; those of no delivery to their own day at the
# depot (or in UTC).
# A source that does not say when it recorded a scan has no latency.
EVENTS = f"""
with named as (
    select source, recorded_at_given from source
    qualify row_number() over (partition by source order by recorded_at desc) = 1
),
home as (
    select depot_id as home_depot, zone as home_zone from depot
    qualify row_number() over (partition by depot_id order by recorded_at desc) = 1
),
van as (
    select vehicle_id as van, depot_id as van_depot, carrier_id as van_carrier from vehicle
    qualify row_number() over (partition by vehicle_id order by recorded_at desc) = 1
),
retracted as (
    select corrects from event
    where corrects is not null and recorded_at <= coalesce($as_of::timestamptz, 'infinity'::timestamptz)
),
placed as (
    select event_id, type, occurred_at, recorded_at, event.source, event.reason, event.delivery_id, route_id,
        event.lon, event.lat,
        coalesce(recorded_at_given, true) as recorded_at_given,
        coalesce(known.day, (occurred_at at time zone coalesce(home_zone, 'UTC'))::date) as day,
        coalesce(known.zone, home_zone, 'UTC') as zone,
        coalesce(event.depot_id, known.depot_id, van_depot) as depot,
        coalesce(known.carrier_id, van_carrier) as carrier,
        service, criticality, area, coalesce(actor, known.driver_id) as driver,
        coalesce(event.vehicle_id, known.vehicle_id) as vehicle
    from (
        select * from event
        where ($day_from is null or occurred_at >= $day_from::date::timestamptz - interval 60 day)
          and ($day_to is null or occurred_at <= $day_to::date::timestamptz + interval 60 day)
    ) as event
    left join (
        select delivery_id, day, zone, depot_id, carrier_id, service, criticality, area, driver_id, vehicle_id
        from deliveries_at($as_of::timestamptz, $day_from::date, $day_to::date)
    ) as known on known.delivery_id = event.delivery_id
    left join named on named.source = event.source
    left join van on van = event.vehicle_id
    left join home on home_depot = coalesce(event.depot_id, van_depot)
    where classifier = 'ACT' and event.source <> 'tower'
      and (known.delivery_id is not null or event.delivery_id is null)
      and recorded_at <= coalesce($as_of::timestamptz, 'infinity'::timestamptz)
      and (import_id is null or import_id not in (select import_id from undone_import))
      and event_id not in (from retracted)
)
select *, {PERIODS}, hour(occurred_at at time zone zone) as hour,
    is_failed_try(type) as failed_try, type in ('position', 'condition_reading') as reading,
    case when recorded_at_given then minutes_between(occurred_at, recorded_at) end as latency_minutes
from placed
where ($day_from is null or day >= $day_from::date) and ($day_to is null or day <= $day_to::date)
  and {SCOPE} and {SCOPE_OF_SERVICE}
"""

# A position is out of order when one that the vehicle had later reached the ledger before it.
POSITIONS = """
select *, coalesce(occurred_at < max(occurred_at) over heard_before, false) as overtaken
from known_event where type = 'position'
window heard_before as (
    partition by vehicle order by recorded_at, occurred_at rows between unbounded preceding and 1 preceding)
"""

STAGES = {
    "released": "released_at", "picked": "picked_at", "packed": "packed_at", "staged": "staged_at",
    "loaded": "first_loaded_at", "arrived": "first_arrived_at", "departed_stop": "departed_stop_at",
}  # fmt: skip
_STAGES = ", ".join(f"{{stage: '{stage}', scanned: {column} is not null}}" for stage, column in STAGES.items())
# A stage is expected of a depot and source when any of their deliveries in question has it scanned.
SCANS = f"""
select *, bool_or(scanned) over (partition by depot, source, stage) as stage_in_use
from (
    select delivery_id, {", ".join(OF_A_DELIVERY)}, unnest([{_STAGES}], recursive := true)
    from known_delivery where attempts > 0
)
"""

IMPORTS = f"""
select import_id, file, mapping, source, rows_read, rows_taken, rows_repeated, rows_refused,
    (finished_at at time zone 'UTC')::date as day, {PERIODS.replace("day)", "(finished_at at time zone 'UTC')::date)")}
from import_run
where finished_at <= coalesce($as_of::timestamptz, 'infinity'::timestamptz)
  and import_id not in (select import_id from undone_import)
  and ($day_from is null or (finished_at at time zone 'UTC')::date >= $day_from::date)
  and ($day_to is null or (finished_at at time zone 'UTC')::date <= $day_to::date)
"""


_CHECKED = (
    ("delivery_id", "known_delivery", DELIVERY_CHECKS),
    (
        "event_id::varchar",
        "(select *, count(*) over (partition by delivery_id, route_id, vehicle, type, occurred_at) as tellings from known_event)",
        EVENT_CHECKS,
    ),
)
"""What checks are made of: the column that names a record, the records, the checks."""


def _answers(checks: Sequence[Check], asked: str, passed: str) -> str:
    """The answers of checks side by side as rows: `asked` and `passed` say what of each is taken."""
    structs = (
        f"{{check_key: '{check.key}', field: '{check.field}', dimension: '{check.dimension}', "
        f"asked: {asked.format(check.applies)}, passed: {passed.format(f'({check.applies}) and ({check.passes})')}}}"
        for check in checks
    )
    return f"[{', '.join(structs)}]"


ANSWERS = " union all by name ".join(
    f"""
    select * from (
        select {record} as record, {", ".join(OF_A_DELIVERY)},
            unnest({_answers(checks, "coalesce({}, false)::int", "coalesce({}, false)::int")}, recursive := true)
        from {records}
    ) where asked = 1
    """
    for record, records, checks in _CHECKED
)


def answers_summed(by: Sequence[str]) -> str:
    """The answers, counted by check and `by`: a day's deliveries and events give hundreds of thousands."""
    split = [f"{name}, " for name in by if name in OF_A_DELIVERY]
    counted = [_answers(checks, "count(*) filter ({})", "count(*) filter ({})") for _, _, checks in _CHECKED]
    return " union all by name ".join(
        f"""
        select *, asked as times from (
            select {"".join(split)}unnest(answers, recursive := true)
            from (select {"".join(split)}{answers} as answers from {records} {"group by all" if split else ""})
        ) where asked > 0
        """
        for answers, (_, records, _) in zip(counted, _CHECKED, strict=True)
    )


RELATIONS = {"known_delivery": f"not materialized ({DELIVERIES})", "known_event": f"({EVENTS})"}
"""What facts are made from, as a CTE each. A delivery's columns are many, and reading those needed again is quicker than keeping
all; events are read once, whatever is asked of them (DuckDB keeps what several read)."""


def with_relations(sql: str) -> str:
    """A question with the relations that it names before it."""
    used = [f"{name} as {relation}" for name, relation in RELATIONS.items() if name in sql]
    return f"with {', '.join(used)} {sql}" if used else sql


FACTS = {
    fact.key: fact
    for fact in (
        Fact(
            "delivery",
            "one row per delivery",
            ("delivery_id",),
            OF_A_DELIVERY,
            ("order_id", "state", "window_from", "window_due", "handed_over_at", "timeliness", "minutes_after_due"),
            "from known_delivery",
        ),
        Fact(
            "arrival",
            "one row per delivery, with what was told of its arrival",
            ("delivery_id",),
            OF_A_DELIVERY,
            ("arrived_at", "eta_at", "eta_from", "eta_until", "miss_minutes", "times_told", "moved_minutes"),
            ARRIVALS,
        ),
        Fact(
            "order",
            "one row per order, with the day and place of its last delivery",
            ("order_id",),
            OF_A_DELIVERY,
            ("deliveries",),
            ORDERS,
        ),
        Fact(
            "drop",
            "one row per visit of a route to a delivery, and one per cost that no visit carries",
            ("kind", "route_id", "delivery_id", "charge_id"),
            OF_A_DROP,
            ("outcome_at", "handed_over", "cents", "assumed_cents", "failure_cents", "currency", "cost_unknown_why"),
            DROPS,
            in_money=True,
        ),
        Fact(
            "route",
            "one row per route that ran",
            ("route_id",),
            OF_A_ROUTE,
            (
                "on_road_from",
                "on_road_to",
                "paid_minutes",
                "on_road_minutes",
                "wait_minutes",
                "stops",
                "stops_completed",
                "load_kg",
                "load_m3",
                "load_pieces",
                "binds",
                "driven_km",
                "planned_km",
            ),
            ROUTES,
        ),
        Fact(
            "event",
            "one row per event",
            ("event_id",),
            OF_A_DELIVERY,
            ("delivery_id", "type", "occurred_at", "recorded_at", "latency_minutes"),
            "from known_event",
        ),
        Fact(
            "position",
            "one row per position of a vehicle",
            ("event_id",),
            OF_A_DELIVERY,
            ("occurred_at", "recorded_at"),
            POSITIONS,
        ),
        Fact(
            "scan",
            "one row per tried delivery and stage of the work",
            ("delivery_id", "stage"),
            (*OF_A_DELIVERY, "stage"),
            (),
            SCANS,
        ),
        Fact(
            "check",
            "one row per delivery or event and check that applies to it",
            ("record", "check_key"),
            (*OF_A_DELIVERY, "field", "dimension", "check_key"),
            (),
            ANSWERS,
            summed=answers_summed,
        ),
        *NOTICE_FACTS,
        *RESPONSE_FACTS,
        *REPLANNING_FACTS,
        Fact(
            "import",
            "one row per import",
            ("import_id",),
            (*CALENDAR, "source"),
            ("file", "rows_read", "rows_taken", "rows_repeated", "rows_refused"),
            IMPORTS,
        ),
    )
}
