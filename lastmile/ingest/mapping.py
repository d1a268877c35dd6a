"""A mapping: which column of a file means what, in which unit, zone and order; a small TOML file."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

from lastmile.ingest.errors import BadMapping
from lastmile.ingest.fields import COLUMNS, EVENT_ENTRY, KINDS, PAYLOAD, REQUIRED, UNITS, Field
from lastmile.model import REASONS, Criticality, EventType, WindowSemantics

DATE_ORDERS = ("year_first", "day_first", "month_first")
ENCODINGS = ("utf-8", "utf-16", "latin-1", "cp1252")
NOTHING = "nothing"


@dataclass(frozen=True)
class Column:
    """Where a field comes from: a column, several joined by a space (`columns`), or the first that is filled (`any_of`).

    `minutes_after` names the column that a number of minutes is added to; `length` is that of a code that lost its zeros;
    `order` is that of coordinates in one cell.
    """

    columns: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()
    unit: str = ""
    minutes_after: str | None = None
    length: int | None = None
    order: str = "lat,lon"

    @property
    def names(self) -> tuple[str, ...]:
        """All columns that it reads."""
        return self.columns + self.any_of + ((self.minutes_after,) if self.minutes_after else ())


@dataclass(frozen=True)
class EventEntry:
    """One event that each row tells of: of a fixed `type`, or of the type that the status map gives for a column.

    `only_if` (column → words) lets it count only where a column says so.
    """

    columns: dict[str, Column]
    type: str | None = None
    payload: dict[str, Column] = field(default_factory=dict)
    only_if: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Mapping:
    """How one kind of file is read; made by `parse`, which says what is wrong where it can't be."""

    name: str
    kind: str
    source: str
    zone: str | None = None
    title: str = ""
    about: str = ""
    delivery_source: str | None = None
    date_order: str | None = None
    year: int | None = None
    decimal: str = "."
    delimiter: str | None = None
    encoding: str | None = None
    sheet: str | None = None
    skip_lines: int = 0
    records: str | None = None
    window_semantics: str | None = None
    early_minutes: float = 0.0
    late_minutes: float = 0.0
    swapped_coordinates: bool = False
    future: str = "refuse"
    line_items: bool = False
    fill_down: tuple[str, ...] = ()
    statuses_are_event_types: bool = False
    columns: dict[str, Column] = field(default_factory=dict)
    constants: dict[str, Any] = field(default_factory=dict)
    status: dict[str, str] = field(default_factory=dict)
    reason: dict[str, str] = field(default_factory=dict)
    words: dict[str, dict[str, str]] = field(default_factory=dict)
    drop: tuple[str, ...] = ()
    hash: tuple[str, ...] = ()
    events: tuple[EventEntry, ...] = ()
    recognise: tuple[str, ...] = ()
    text: str = ""

    @property
    def id_source(self) -> str:
        """The system whose delivery numbers the file uses."""
        return self.delivery_source or self.source

    @property
    def file_columns(self) -> tuple[str, ...]:
        """All columns of the file that the mapping reads, each once."""
        specs = [*self.columns.values()]
        for entry in self.events:
            specs += [*entry.columns.values(), *entry.payload.values()]
        names = [name for spec in specs for name in spec.names]
        names += [name for entry in self.events for name in entry.only_if]
        return tuple(dict.fromkeys(names + list(self.fill_down)))


_PLAIN = {
    "name": str, "title": str, "about": str, "kind": str, "source": str, "zone": str, "delivery_source": str,
    "date_order": str, "year": int, "decimal": str, "delimiter": str, "encoding": str, "sheet": str, "skip_lines": int,
    "records": str, "window_semantics": str, "early_minutes": float, "late_minutes": float, "swapped_coordinates": bool,
    "future": str, "line_items": bool, "statuses_are_event_types": bool,
}  # fmt: skip
_LISTS = ("fill_down", "recognise")
_TABLES = ("columns", "constants", "status", "reason", "words", "personal", "event")
_CHOICES = {
    "kind": KINDS,
    "date_order": DATE_ORDERS,
    "decimal": (".", ","),
    "encoding": ENCODINGS,
    "window_semantics": tuple(WindowSemantics),
    "future": ("refuse", "take"),
}


def load(path: Path | str) -> Mapping:
    """The mapping in a TOML file; raises BadMapping with the file's name."""
    path = Path(path)
    try:
        return parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BadMapping(f"There is no mapping {path}.") from error
    except (BadMapping, UnicodeDecodeError) as error:
        raise BadMapping(f"{path.name}: {error}") from error


def parse(text: str) -> Mapping:
    """A mapping from TOML text; raises BadMapping naming the key and what is allowed."""
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadMapping(f"not valid TOML: {error}") from error
    _refuse_unknown(said, {*_PLAIN, *_LISTS, *_TABLES}, "the mapping")
    for key in ("name", "kind", "source"):
        if key not in said:
            raise BadMapping(f"{key} is missing; every mapping has name, kind and source")
    mapping = Mapping(
        **{key: _plain(key, said[key]) for key in _PLAIN if key in said},
        **{key: _texts(key, said[key]) for key in _LISTS if key in said},
        columns={name: _column(f"columns.{name}", spec) for name, spec in _table(said, "columns").items()},
        constants=_table(said, "constants"),
        status=_texts_table(said, "status"),
        reason=_texts_table(said, "reason"),
        words={key: _lowered(_texts_table(said["words"], key)) for key in _table(said, "words")},
        drop=_texts("personal.drop", _table(said, "personal").get("drop", [])),
        hash=_texts("personal.hash", _table(said, "personal").get("hash", [])),
        events=tuple(_event(number, entry) for number, entry in enumerate(said.get("event", []), 1)),
        text=text,
    )
    return _checked(mapping)


def _checked(mapping: Mapping) -> Mapping:
    for key, allowed in _CHOICES.items():
        value = getattr(mapping, key)
        if value is not None and value not in allowed:
            raise BadMapping(f"{key} = {value!r} is not known; use one of {', '.join(map(repr, map(str, allowed)))}")
    if mapping.zone is not None and mapping.zone not in available_timezones():
        raise BadMapping(f"zone = {mapping.zone!r} is not an IANA zone; use a name such as 'Europe/Berlin' or 'UTC'")
    _check_columns(mapping)
    _check_entries(mapping)
    _check_maps(mapping)
    return mapping


def _check_columns(mapping: Mapping) -> None:
    fields = COLUMNS[mapping.kind]
    payload = PAYLOAD if mapping.kind in ("events", "positions") else {}
    _refuse_unknown(mapping.columns, fields.keys() | payload.keys(), "columns")
    _refuse_unknown(mapping.constants, fields.keys() | payload.keys(), "constants")
    for name, spec in mapping.columns.items():
        _check_unit(f"columns.{name}", fields.get(name) or payload[name], spec)
    given = mapping.columns.keys() | mapping.constants.keys()
    missing = [name for name in REQUIRED[mapping.kind] if name not in given]
    if missing:
        raise BadMapping(f"columns.{missing[0]} is missing; a mapping of {mapping.kind} needs {', '.join(missing)}")
    criticality = mapping.constants.get("criticality")
    if criticality is not None and criticality not in tuple(Criticality):
        raise BadMapping(f"constants.criticality = {criticality!r}; use one of {', '.join(Criticality)}")
    if "window_due" in mapping.columns and mapping.window_semantics is None:
        raise BadMapping("window_semantics is missing; say what must fall inside the window: "
                         f"{', '.join(WindowSemantics)}")  # fmt: skip


def _check_entries(mapping: Mapping) -> None:
    if mapping.events and mapping.kind not in ("orders", "deliveries"):
        raise BadMapping(f"event: only mappings of orders and deliveries list events; {mapping.kind} use columns alone")
    for number, entry in enumerate(mapping.events, 1):
        where = f"event {number}"
        if (entry.type is None) == ("status" not in entry.columns):
            raise BadMapping(f"{where} needs either type (one of {', '.join(EventType)}) or status (a column)")
        if entry.type is not None and entry.type not in tuple(EventType):
            raise BadMapping(f"{where}: type = {entry.type!r} is not an event; use one of {', '.join(EventType)}")
        if "time" not in entry.columns:
            raise BadMapping(f"{where} needs time: the column that says when it happened")
        for name, spec in entry.columns.items():
            _check_unit(f"{where}.{name}", EVENT_ENTRY[name], spec)
        for name, spec in entry.payload.items():
            _check_unit(f"{where}.payload.{name}", PAYLOAD[name], spec)


def _check_maps(mapping: Mapping) -> None:
    for word, event in mapping.status.items():
        if event not in (*EventType, NOTHING):
            raise BadMapping(
                f"status.{word!r} = {event!r} is not an event; use '{NOTHING}' or one of {', '.join(EventType)}"
            )
    for word, reason in mapping.reason.items():
        if reason not in (*REASONS, NOTHING):
            raise BadMapping(
                f"reason.{word!r} = {reason!r} is not a reason; use '{NOTHING}' or one of {', '.join(REASONS)}"
            )


def _check_unit(where: str, target: Field, spec: Column) -> None:
    allowed = UNITS["min" if spec.minutes_after else target.unit]
    if spec.unit and spec.unit not in allowed:
        raise BadMapping(f"{where}: unit = {spec.unit!r} is not known; use one of {', '.join(allowed) or 'no unit'}")
    if spec.minutes_after and target.type != "time":
        raise BadMapping(f"{where}: minutes_after is for times; {target.name} is a {target.type}")
    if spec.order not in ("lat,lon", "lon,lat"):
        raise BadMapping(f"{where}: order = {spec.order!r}; use 'lat,lon' or 'lon,lat'")


def _event(number: int, said: Any) -> EventEntry:
    where = f"event {number}"
    if not isinstance(said, dict):
        raise BadMapping(f"{where} must be a table, written [[event]]")
    _refuse_unknown(said, {"type", "payload", "only_if", *EVENT_ENTRY}, where)
    _refuse_unknown(said.get("payload", {}), PAYLOAD.keys(), f"{where}.payload")
    return EventEntry(
        columns={name: _column(f"{where}.{name}", said[name]) for name in EVENT_ENTRY if name in said},
        type=said.get("type"),
        payload={name: _column(f"{where}.payload.{name}", spec) for name, spec in said.get("payload", {}).items()},
        only_if={
            name: tuple(
                word.lower() for word in _texts(f"{where}.only_if", [words] if isinstance(words, str) else words)
            )
            for name, words in said.get("only_if", {}).items()
        },
    )


def _column(where: str, said: Any) -> Column:
    if isinstance(said, str):
        return Column(columns=(said,))
    if not isinstance(said, dict):
        raise BadMapping(f"{where} must be a column's name or a table such as {{ column = 'Weight', unit = 'lb' }}")
    _refuse_unknown(said, {"column", "columns", "any_of", "unit", "minutes_after", "length", "order"}, where)
    if sum(key in said for key in ("column", "columns", "any_of")) != 1:
        raise BadMapping(f"{where} needs exactly one of column, columns (joined) and any_of (the first that is filled)")
    joined = (said["column"],) if "column" in said else _texts(f"{where}.columns", said.get("columns", []))
    rest = {key: said[key] for key in ("unit", "minutes_after", "length", "order") if key in said}
    return Column(columns=joined, any_of=_texts(f"{where}.any_of", said.get("any_of", [])), **rest)


def _plain(key: str, value: Any) -> Any:
    wanted = _PLAIN[key]
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
        raise BadMapping(f"{key} = {value!r} must be {'text' if wanted is str else f'of type {wanted.__name__}'}")
    return value


def _texts(key: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise BadMapping(f"{key} must be a list of texts")
    return tuple(value)


def _table(said: dict[str, Any], key: str) -> dict[str, Any]:
    value = said.get(key, {})
    if not isinstance(value, dict):
        raise BadMapping(f"{key} must be a table, written [{key}]")
    return value


def _texts_table(said: dict[str, Any], key: str) -> dict[str, str]:
    table = _table(said, key)
    if not all(isinstance(value, str) for value in table.values()):
        raise BadMapping(f"{key} must map texts to texts")
    return table


def _lowered(table: dict[str, str]) -> dict[str, str]:
    return {word.lower(): meaning for word, meaning in table.items()}


def _refuse_unknown(said: Any, allowed: Any, where: str) -> None:
    unknown = sorted(set(said) - set(allowed))
    if unknown:
        raise BadMapping(f"{where}: {unknown[0]!r} is not known; allowed are {', '.join(sorted(allowed))}")
