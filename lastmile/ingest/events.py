"""Drafts the events that a row tells of, and writes those that the ledger does not have."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from lastmile.ingest.amounts import number
from lastmile.ingest.drafting import Draft
from lastmile.ingest.fields import PAYLOAD
from lastmile.ingest.mapping import NOTHING, Column, EventEntry
from lastmile.ingest.placing import place
from lastmile.ingest.timing import TimeValue, time_value
from lastmile.ingest.wording import (
    constant_sql,
    flag_sql,
    id_sql,
    instant_sql,
    list_sql,
    mapped_sql,
    stable_id_sql,
    words_sql,
)
from lastmile.model import HANDOVERS, REASONS, EventType

CLOCKS_UNSET_BEFORE = datetime(2000, 1, 1, tzinfo=UTC)
EVENT_COLUMNS = (
    "event_id", "type", "classifier", "occurred_at", "recorded_at", "delivery_id", "route_id", "vehicle_id", "depot_id",
    "lon", "lat", "accuracy_m", "status_source", "reason", "actor", "payload",
)  # fmt: skip


@dataclass(frozen=True)
class EventTime:
    """When one of a row's events happened, and of what type it is where the mapping fixes that."""

    value: TimeValue
    type: str | None
    happened: str  # SQL name, in UTC; null where the row does not tell of this event


def draft_events(draft: Draft) -> list[EventTime]:
    """Put e0_…, e1_… for each event of the mapping whose time the file has; returns their times."""
    shared = _shared(draft)
    times: list[EventTime] = []
    for entry in _entries(draft):
        value = time_value(draft, entry.columns["time"])
        if value is None:
            continue
        times.append(_draft_event(draft, len(times), entry, value, shared))
    if draft.mapping.kind == "deliveries" and not _tells_outcome(draft, times):
        draft.absent.append("")  # stands for: no column says when a delivery was completed
    return times


def _tells_outcome(draft: Draft, times: list[EventTime]) -> bool:
    mapped = set(draft.mapping.status.values())
    return any(time.type in HANDOVERS or (time.type is None and mapped & set(HANDOVERS)) for time in times)


def _entries(draft: Draft) -> tuple[EventEntry, ...]:
    mapping = draft.mapping
    if mapping.kind in ("orders", "deliveries"):
        return mapping.events
    payload = {name: spec for name, spec in mapping.columns.items() if name in PAYLOAD}
    columns = {name: spec for name, spec in mapping.columns.items() if name not in PAYLOAD and name != "key"}
    return (EventEntry(columns, EventType.POSITION.value if mapping.kind == "positions" else None, payload),)


def _shared(draft: Draft) -> dict[str, str]:
    """The subjects that all events of a row share."""
    columns = draft.mapping.columns
    ids = {name: id_sql(draft, columns.get(name)) or constant_sql(draft, name) or "null::varchar"
           for name in ("route_id", "vehicle_id", "depot_id")}  # fmt: skip
    key = id_sql(draft, columns.get("key"))
    prefix = draft.parameter(f"{draft.mapping.id_source}:")
    ids["delivery_id"] = "null::varchar" if key is None else f"{prefix} || {key}"
    ids["actor"] = draft.text(columns.get("actor")) or constant_sql(draft, "actor") or "null::varchar"
    named = {name: draft.put(f"s_{name}", sql) for name, sql in ids.items()}
    if draft.mapping.kind in ("orders", "deliveries"):
        draft.problem("missing", columns["key"], f"({named['delivery_id']} is null)")
    return named


def _draft_event(draft: Draft, i: int, entry: EventEntry, time: TimeValue, shared: dict[str, str]) -> EventTime:
    def put(name: str, sql: str) -> str:
        return draft.put(f"e{i}_{name}", sql)

    columns = entry.columns
    subject = shared | _own_subjects(draft, i, columns)
    status = draft.text(columns.get("status"))
    kind = _type(draft, i, entry, status)
    happened = draft.put(f"h{i}", _happened(draft, entry, time, kind))
    classifier = (
        words_sql(draft, "classifier", columns.get("classifier")) or constant_sql(draft, "classifier") or "'ACT'"
    )
    classifier = draft.put(f"k{i}", f"coalesce({classifier}, 'ACT')")
    recorded = time_value(draft, columns.get("recorded_at") or draft.mapping.columns.get("recorded_at"))
    lon, lat = place(draft, f"e{i}", columns)
    reason, reason_text = _reason(draft, i, columns.get("reason"))
    put("type", kind)
    put("classifier", classifier)
    put("occurred_at", instant_sql(happened))
    put("recorded_at", instant_sql(f"coalesce({recorded.utc}, {happened})" if recorded else happened))
    for name in ("delivery_id", "route_id", "vehicle_id", "depot_id", "actor"):
        put(name, subject[name])
    put("lon", lon)
    put("lat", lat)
    put("accuracy_m", number(draft, f"accuracy_{i}", columns.get("accuracy_m"), "m"))
    put("status_source", _status_source(draft, columns))
    put("reason", reason)
    put("payload", _payload(draft, i, entry, kind, status, reason_text))
    put("event_id", _event_id(draft, columns, subject, kind, classifier, happened))
    _event_problems(draft, entry, happened, classifier, subject, recorded)
    return EventTime(time, entry.type, happened)


def _own_subjects(draft: Draft, i: int, columns: dict[str, Column]) -> dict[str, str]:
    if draft.mapping.kind in ("events", "positions"):
        return {}
    own = {name: id_sql(draft, columns[name]) for name in ("route_id", "vehicle_id", "depot_id") if name in columns}
    if "actor" in columns:
        own["actor"] = draft.text(columns["actor"])
    return {name: draft.put(f"s{i}_{name}", sql) for name, sql in own.items() if sql is not None}


def _type(draft: Draft, i: int, entry: EventEntry, status: str | None) -> str:
    """The event's type: fixed, or what the status map says; a status that it does not know is `unmapped`."""
    if entry.type is not None:
        return f"'{EventType(entry.type).value}'"
    if status is None:
        return "null::varchar"
    known = {word.lower(): meaning for word, meaning in draft.mapping.status.items()}
    if draft.mapping.statuses_are_event_types:
        known = {event.value: event.value for event in EventType} | known
    meaning = draft.put(f"meaning{i}", _status_sql(draft, status, known))
    draft.note("unmapped", entry.columns["status"], f"({status} is not null and {meaning} is null)")
    return draft.put(f"type{i}", f"case when {status} is null or {meaning} = '{NOTHING}' then null "
                                          f"else coalesce({meaning}, 'unmapped') end")  # fmt: skip


def _status_sql(draft: Draft, status: str, known: dict[str, str]) -> str:
    same = tuple(word for word, meaning in known.items() if word == meaning)
    other = {word: meaning for word, meaning in known.items() if word != meaning}
    mapped = mapped_sql(draft, status, other)
    return f"case when {draft.one_of(status, same)} then {status} else {mapped} end" if same else mapped


def _happened(draft: Draft, entry: EventEntry, time: TimeValue, kind: str) -> str:
    conditions = [f"{kind} is not null"] if entry.type is None else []
    for name, words in entry.only_if.items():
        cell = draft.cell(name)
        conditions.append("false" if cell is None else draft.one_of(f"lower({cell})", words))
    return f"case when {' and '.join(conditions)} then {time.utc} end" if conditions else time.utc


def _status_source(draft: Draft, columns: dict[str, Column]) -> str:
    said = words_sql(draft, "status_source", columns.get("status_source")) or constant_sql(draft, "status_source")
    return f"coalesce({said}, 'import')" if said else "'import'"


def _reason(draft: Draft, i: int, spec: Column | None) -> tuple[str, str | None]:
    """The reason's key and, where the map does not know it, the text that stands in the file."""
    text = draft.text(spec)
    if text is None:
        return "null::varchar", None
    known = {key: key for key in REASONS} | {word.lower(): meaning for word, meaning in draft.mapping.reason.items()}
    meaning = draft.put(f"reason{i}", _status_sql(draft, text, known))
    unknown = f"({text} is not null and {meaning} is null)"
    draft.note("unmapped_reason", spec, unknown)
    value = f"case when {text} is null or {meaning} = '{NOTHING}' then null else coalesce({meaning}, 'other') end"
    return value, f"case when {unknown} then {text} end"


def _payload(draft: Draft, i: int, entry: EventEntry, kind: str, status: str | None, reason_text: str | None) -> str:
    parts = {name: _payload_value(draft, i, name, spec) for name, spec in entry.payload.items()}
    if status is not None:
        parts["status"] = f"case when {kind} = 'unmapped' then {status} end"
    parts["reason"] = reason_text
    known = {name: draft.put(f"pay{i}_{name}", sql) for name, sql in parts.items() if sql is not None}
    if not known:
        return "null::json"
    return _object_sql(known)


def _object_sql(known: dict[str, str]) -> str:
    """A JSON object of those values that are not null; null where none is. Whole ones are made in one go, which is quicker."""
    whole = ", ".join(f"'{name}', {sql}" for name, sql in known.items())
    pairs = ", ".join(
        f"case when {sql} is not null then '\"{name}\":' || to_json({sql})::varchar end" for name, sql in known.items()
    )
    return (
        f"case when {' and '.join(f'{sql} is not null' for sql in known.values())} then json_object({whole}) "
        f"when {' or '.join(f'{sql} is not null' for sql in known.values())} then ('{{' || concat_ws(',', {pairs}) || '}}')::json end"
    )


def _payload_value(draft: Draft, i: int, name: str, spec: Column) -> str | None:
    """A payload value; null where the cell is empty, None where the file has no such column."""
    target = PAYLOAD[name]
    if target.type == "number":
        return number(draft, f"pay{i}_{name}_number", spec, target.unit, signed=target.unit == "C")
    if target.type == "time":
        value = time_value(draft, spec)
        return None if value is None else f"strftime({value.utc}, '%Y-%m-%dT%H:%M:%S.%fZ')"
    return {"list": list_sql, "flag": flag_sql}.get(target.type, Draft.text)(draft, spec)


def _event_id(
    draft: Draft, columns: dict[str, Column], subject: dict[str, str], kind: str, classifier: str, happened: str
) -> str:
    """As model.Event.event_id: from the event's own key, else from what happened to whom and when."""
    source = draft.parameter(draft.mapping.source)
    whom = ", ".join(subject[name] for name in ("delivery_id", "route_id", "vehicle_id", "depot_id"))
    said = stable_id_sql(source, f"coalesce({whom})", kind, classifier, f"epoch_us({happened})")
    key = draft.text(columns.get("event_key"))
    return said if key is None else f"case when {key} is null then {said} else {stable_id_sql(source, key)} end"


def _event_problems(
    draft: Draft, entry: EventEntry, happened: str, classifier: str, subject: dict[str, str], recorded: TimeValue | None
) -> None:
    spec = entry.columns["time"]
    shown = f"{happened}::varchar || ' UTC'"
    draft.problem(
        "clock_unset", spec, f"({happened} < {draft.parameter(CLOCKS_UNSET_BEFORE.replace(tzinfo=None))})", shown
    )
    if draft.mapping.future == "refuse":
        latest = draft.parameter((draft.now + timedelta(days=1)).replace(tzinfo=None))
        draft.problem("future", spec, f"({happened} > {latest} and {classifier} = 'ACT')", shown)
    if recorded is not None:
        draft.note("recorded_before", spec, f"({recorded.utc} < {happened} and {classifier} = 'ACT')")
    if draft.mapping.kind in ("events", "positions"):
        whom = ", ".join(subject[name] for name in ("delivery_id", "route_id", "vehicle_id", "depot_id"))
        draft.problem("missing", spec, f"({draft.text(spec)} is null)")
        draft.problem("no_subject", "", f"(coalesce({whom}) is null)")
        if "status" in entry.columns:
            draft.problem("missing", entry.columns["status"], f"({draft.text(entry.columns['status'])} is null)")
    elif "status" in entry.columns:
        draft.note(
            "status_without_time", spec, f"({draft.text(entry.columns['status'])} is not null and {happened} is null)"
        )
