"""Drafts rows of vehicles, milestones and routes."""

from __future__ import annotations

from lastmile.ingest.amounts import number
from lastmile.ingest.drafting import Draft
from lastmile.ingest.fields import COLUMNS, REQUIRED
from lastmile.ingest.timing import time_value
from lastmile.ingest.wording import constant_sql, id_sql, instant_sql, list_sql, local_date

_EMPTY = {"id": "varchar", "text": "varchar", "number": "double", "whole": "integer", "list": "varchar[]", "time": "timestamptz",
          "date": "date"}  # fmt: skip
VEHICLE_COLUMNS = (
    "vehicle_id",
    "name",
    "depot_id",
    "carrier_id",
    "kind",
    "capacity_kg",
    "capacity_m3",
    "capacity_pieces",
    "skills",
)
MILESTONE_COLUMNS = (
    "milestone_id",
    "project",
    "name",
    "need_by",
    "crew_size",
    "crew_rate",
    "currency",
    "float_days",
    "deliveries",
)
ROUTE_COLUMNS = (
    "route_id", "vehicle_id", "depot_id", "carrier_id", "driver_id", "day", "stop", "delivery_id", "arrive_at", "service_at",
    "depart_at", "departs_at", "returns_at", "distance_km", "drive_minutes",
)  # fmt: skip


def draft_vehicle(draft: Draft) -> list[str]:
    """Put v_… for each column of a vehicle; its name is its id where the file gives none."""
    said = {name: _field(draft, name) for name in VEHICLE_COLUMNS}
    said["name"] = f"coalesce({said['name']}, {said['vehicle_id']})"
    return _put(draft, "v", said)


def draft_milestone(draft: Draft) -> list[str]:
    """Put m_… for each column of a milestone and the deliveries that it needs."""
    said = {name: _field(draft, name) for name in MILESTONE_COLUMNS}
    said["name"] = f"coalesce({said['name']}, {said['milestone_id']})"
    prefix = draft.parameter(f"{draft.mapping.id_source}:")
    said["deliveries"] = f"list_transform({said['deliveries']}, lambda x: {prefix} || x)"
    return _put(draft, "m", said)


def draft_routes(draft: Draft) -> list[str]:
    """Put r_… for each column of a planned stop and of its route."""
    said = {name: _field(draft, "key" if name == "delivery_id" else name) for name in ROUTE_COLUMNS}
    said["delivery_id"] = f"{draft.parameter(f'{draft.mapping.id_source}:')} || {said['delivery_id']}"
    arrive = time_value(draft, draft.mapping.columns["arrive_at"])
    if "day" not in draft.mapping.columns and arrive is not None:
        said["day"] = local_date(draft, arrive)
    said["service_at"] = f"coalesce({said['service_at']}, {said['arrive_at']})"
    said["depart_at"] = f"coalesce({said['depart_at']}, {said['service_at']})"
    return _put(draft, "r", said)


def _put(draft: Draft, prefix: str, said: dict[str, str]) -> list[str]:
    names = [draft.put(f"{prefix}_{name}", sql) for name, sql in said.items()]
    for name in REQUIRED[draft.mapping.kind]:
        column = "delivery_id" if name == "key" else name
        label = draft.label(draft.mapping.columns[name]) if name in draft.mapping.columns else name
        draft.problem("missing", label, f"({prefix}_{column} is null)")
    return names


def _field(draft: Draft, name: str) -> str:
    target = COLUMNS[draft.mapping.kind][name]
    spec = draft.mapping.columns.get(name)
    sql = constant_sql(draft, name) if spec is None else None
    if spec is not None and target.type in ("number", "whole"):
        amount = number(draft, name, spec, target.unit)
        sql = f"round({amount})::integer" if target.type == "whole" else amount
    elif spec is not None and target.type in ("time", "date"):
        value = time_value(draft, spec)
        sql = None if value is None else instant_sql(value.utc) if target.type == "time" else local_date(draft, value)
    elif spec is not None:
        sql = {"id": id_sql, "list": list_sql}.get(target.type, Draft.text)(draft, spec)
    return f"null::{_EMPTY[target.type]}" if sql is None else sql
