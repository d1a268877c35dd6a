"""A first guess of a mapping, from a file's header and its first rows, with reasons, for a person to review."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from lastmile.ingest.drafting import NULL_WORDS
from lastmile.ingest.errors import BadMapping
from lastmile.ingest.fields import COLUMNS, KINDS, PAYLOAD, REQUIRED, UNITS, Field
from lastmile.ingest.mapping import Column, EventEntry, Mapping, parse
from lastmile.ingest.mapping_text import dump
from lastmile.ingest.opened import Opened
from lastmile.ingest.reading import read_file
from lastmile.ingest.shipped import mappings, recognised
from lastmile.ingest.times import TimeForm, date_order_of, form_of, is_ambiguous
from lastmile.model import EventType

SAMPLE_ROWS = 2000
# what a column's name says happened; "updated at" is deliberately nowhere: it is not a completion
HAPPENINGS: dict[str, tuple[str, ...]] = {
    EventType.ORDER_RECEIVED: ("ordered at", "order time", "created at", "accept time", "accepted at", "order date"),
    EventType.LOADED: ("loaded at", "load time"),
    EventType.DEPARTED_DEPOT: ("departed depot at", "out for delivery at", "dispatched at"),
    EventType.ARRIVED: ("arrived at", "arrival time", "actual arrival", "actual arrival time", "arrival"),
    EventType.DELIVERED: ("delivered at", "delivery time", "completed at", "completion time", "pickup time", "picked up at",
                          "actual delivery", "delivered"),
    EventType.NOT_COMPLETED: ("failed at", "failure time"),
    EventType.DEPARTED_STOP: ("departed at", "departure time", "actual departure", "actual departure time"),
}  # fmt: skip
UNIT_WORDS = {
    "lb": "lb", "lbs": "lb", "pounds": "lb", "kg": "kg", "g": "g", "kn": "kn", "knots": "kn", "mph": "mph", "kmh": "km/h",
    "mi": "mi", "miles": "mi", "km": "km", "m": "m", "sec": "s", "secs": "s", "seconds": "s", "s": "s", "min": "min",
    "mins": "min", "minutes": "min", "h": "h", "hours": "h", "fahrenheit": "F", "f": "F", "celsius": "C", "ft": "ft",
}  # fmt: skip
PERSONAL_DROP = ("password", "passwort", "pin", "ssn", "birth", "iban", "card number")
PERSONAL_HASH = ("phone", "mobile", "email", "e mail", "telephone")


@dataclass(frozen=True)
class Finding:
    """One decision of the guess: which field a column was taken for, how sure that is (0 to 1) and why."""

    field: str
    column: str
    confidence: float
    why: str


@dataclass(frozen=True)
class Guess:
    """A mapping to review: its TOML `text`, the mapping where that is complete, and what a person must still say.

    `missing` says what keeps the mapping from being complete.
    """

    text: str
    mapping: Mapping | None
    confidence: float
    findings: tuple[Finding, ...]
    questions: tuple[str, ...]
    known: str | None = None
    missing: str | None = None


def guess(connection: duckdb.DuckDBPyConnection, file: Path | str, known: dict[str, Mapping] | None = None) -> Guess:
    """The mapping that fits a file: a shipped one where its columns are recognised, else one made from names and values.

    Raises UnreadableFile where the file can't be read at all.
    """
    known = mappings() if known is None else known
    opened = read_file(connection, file, rows=SAMPLE_ROWS)
    found = recognised(opened.header, known)
    if found is not None:
        why = f"all of {', '.join(found.recognise)} are there"
        return Guess(found.text, found, 1.0, (Finding("", "", 1.0, why),), (), found.name)
    return _made(opened, _samples(connection, opened))


def _samples(connection: duckdb.DuckDBPyConnection, opened: Opened) -> dict[str, list[str]]:
    """The filled cells of the first rows, by column."""
    rows = connection.execute("from file_row limit $n", {"n": SAMPLE_ROWS}).fetchall()
    cells = zip(*rows, strict=True) if rows else [()] * len(opened.header)
    return {
        name: [text.strip() for text in column if text is not None and text.strip().lower() not in NULL_WORDS]
        for name, column in zip(opened.header, cells, strict=True)
    }


def _made(opened: Opened, samples: dict[str, list[str]]) -> Guess:
    events = _events(samples)
    kind = _kind(list(samples), events)
    personal = {column for column in samples if _is_personal(column, PERSONAL_DROP + PERSONAL_HASH)}
    findings = _fields(kind, samples, {column for column, _ in events} | personal)
    columns = {finding.field: _column(kind, finding) for finding in findings}
    questions: list[str] = []
    mapping = Mapping(
        name=re.sub(r"\W+", "_", opened.path.stem.lower()).strip("_") or "new",
        kind=kind,
        source=re.sub(r"\W+", "_", opened.path.stem.lower()).strip("_") or "new",
        columns=columns,
        events=tuple(EventEntry({"time": Column((column,))}, event.value) for column, event in events)
        if kind in ("orders", "deliveries")
        else (),
        decimal="," if _decimal_comma(columns, samples) else ".",
        window_semantics="service_end" if "window_due" in columns else None,
        drop=tuple(name for name in samples if _is_personal(name, PERSONAL_DROP)),
        hash=tuple(name for name in samples if _is_personal(name, PERSONAL_HASH)),
    )
    mapping = _with_times(mapping, samples, questions)
    mapping = _with_statuses(mapping, samples, questions)
    mapping = _with_coordinates(mapping, samples, questions)
    if mapping.window_semantics:
        questions.append(
            "window_semantics: must arrival, service_start or service_end fall inside the window? Assumed: service_end."
        )
    if mapping.drop or mapping.hash:
        questions.append(
            f"personal: {', '.join(mapping.drop + mapping.hash)} look personal; dropped or hashed at import."
        )
    return _judged(opened, mapping, findings, questions)


def _judged(opened: Opened, mapping: Mapping, findings: list[Finding], questions: list[str]) -> Guess:
    text = dump(mapping)
    missing = [name for name in REQUIRED[mapping.kind] if name not in mapping.columns]
    confidence = sum(finding.confidence for finding in findings) / max(1, len(findings)) * (0.3 if missing else 1.0)
    try:
        whole = parse(text)
    except BadMapping as error:
        told = str(error) if findings else _nothing_known(opened)
        return Guess(text, None, confidence, tuple(findings), tuple(questions), missing=told)
    return Guess(text, whole, confidence, tuple(findings), tuple(questions))


def _nothing_known(opened: Opened) -> str:
    shown = ", ".join(map(repr, opened.header[:8])) + (", …" if len(opened.header) > 8 else "")
    return (
        f"No column of {opened.path.name} is known by its name ({shown}), so it does not look like {', '.join(KINDS)}. "
        "If it is the right file, say in the mapping what its columns are; else choose another one."
    )


def words_of(header: str) -> str:
    """A column's name in lower case, its words divided by single spaces: `PickupGPS_lng` is `pickup gps lng`."""
    divided = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", header)
    return re.sub(r"[^a-z0-9#]+", " ", divided.lower()).strip()


def _events(samples: dict[str, list[str]]) -> list[tuple[str, EventType]]:
    """Columns whose name says what happened and whose values are times."""
    found = []
    for column, values in samples.items():
        event = next((event for event, names in HAPPENINGS.items() if words_of(column) in names), None)
        if event is not None and _time_form(values) is not None and values:
            found.append((column, EventType(event)))
    return found


def _kind(header: list[str], events: list[tuple[str, EventType]]) -> str:
    """The kind whose fields the header names best; deliveries where rows tell of outcomes, orders where they don't."""
    names = {words_of(column) for column in header}
    scores = {kind: _score(kind, names) for kind in KINDS if kind not in ("orders", "deliveries")}
    scores["orders"] = _score("orders", names)
    best = max(scores, key=scores.__getitem__)
    outcomes = any(event != EventType.ORDER_RECEIVED for _, event in events)
    return "deliveries" if outcomes and best in ("orders", "events", "routes") else best


def _score(kind: str, names: set[str]) -> float:
    fields = COLUMNS[kind]
    found = {name for name, field in fields.items() if _matches(field, names)}
    needed = REQUIRED[kind]
    speed = kind == "positions" and bool(names & {"speed", "speed kmh", "speed kn", "course", "fix time"})
    speed_needed = 0.0 if kind != "positions" or speed else -0.5
    return sum(name in found for name in needed) / len(needed) + len(found) / 40 + 0.3 * speed + speed_needed


def _matches(field: Field, names: set[str]) -> bool:
    return field.name.replace("_", " ") in names or bool(names & set(field.headers))


def _fields(kind: str, samples: dict[str, list[str]], told: set[str]) -> list[Finding]:
    """For each field the first column that fits by name, each column once; the field's own name is surest."""
    fields = COLUMNS[kind] | (PAYLOAD if kind in ("events", "positions") else {})
    free = {column: words_of(column) for column in samples if column not in told}
    findings = []
    for name, field in fields.items():
        own = name.replace("_", " ")
        for rank, wanted in enumerate((own, *field.headers)):
            column = next((column for column, words in free.items() if words == wanted), None)
            if column is not None and _plausible(field, samples[column]):
                findings.append(Finding(name, column, 0.95 if rank == 0 else 0.8, f"its name reads {wanted!r}"))
                del free[column]
                break
    return findings


def _plausible(field: Field, values: list[str]) -> bool:
    if field.type == "number" and values:
        return sum(bool(re.search(r"\d", text)) for text in values) > len(values) / 2
    if field.type in ("time", "date") and values:
        return _time_form(values) is not None
    return True


def _time_form(values: list[str]) -> TimeForm | None:
    return form_of(values, date_order_of(values), None, least=0.5) if values else TimeForm("iso")


def _column(kind: str, finding: Finding) -> Column:
    field = (COLUMNS[kind] | PAYLOAD)[finding.field]
    unit = next((UNIT_WORDS[word] for word in reversed(words_of(finding.column).split()) if word in UNIT_WORDS), "")
    return Column((finding.column,), unit=unit if unit in UNITS[field.unit] and unit != field.unit else "")


def _decimal_comma(columns: dict[str, Column], samples: dict[str, list[str]]) -> bool:
    numbers = [text for name in ("lon", "lat", "weight_kg", "volume_m3", "value") if name in columns
               for text in samples[columns[name].columns[0]]]  # fmt: skip
    return bool(numbers) and sum(bool(re.fullmatch(r"-?\d+,\d+", text)) for text in numbers) > len(numbers) / 2


def _with_times(mapping: Mapping, samples: dict[str, list[str]], questions: list[str]) -> Mapping:
    """Date order and year as the values tell; what they don't tell becomes a question."""
    fields = COLUMNS[mapping.kind]
    specs = [spec for name, spec in mapping.columns.items() if name in fields and fields[name].type in ("time", "date")]
    names = [name for spec in (*specs, *(entry.columns["time"] for entry in mapping.events)) for name in spec.columns]
    values = [text for name in names for text in samples[name]]
    forms = [_time_form(samples[name]) for name in names if samples[name]]
    order = date_order_of(values)
    if is_ambiguous(values):
        questions.append("date_order: the dates could be day/month or month/day; say day_first or month_first.")
    if any(form and form.prefix == "?" for form in forms):
        questions.append("year: times carry no year; say which.")
        order = order or "month_first"
    if values and not all(re.search(r"(Z|[+-]\d\d:?\d\d|\d{10,13})$", text[8:] or text) for text in values[:50]):
        questions.append("zone: times carry no zone; say where the file was written, such as Europe/Berlin.")
    return replace(mapping, date_order=order)


def _with_statuses(mapping: Mapping, samples: dict[str, list[str]], questions: list[str]) -> Mapping:
    spec = mapping.columns.get("status")
    if spec is None:
        return mapping
    words = sorted(set(samples[spec.columns[0]]))[:20]
    known = {word for word in words if word.lower() in tuple(EventType)}
    unknown = [word for word in words if word not in known]
    if unknown:
        questions.append(f"status: say what these mean, or they stay unmapped: {', '.join(unknown)}")
    return replace(mapping, statuses_are_event_types=bool(known))


def _with_coordinates(mapping: Mapping, samples: dict[str, list[str]], questions: list[str]) -> Mapping:
    if not {"lon", "lat"} <= mapping.columns.keys():
        return mapping
    lats = [
        float(text.replace(",", "."))
        for text in samples[mapping.columns["lat"].columns[0]]
        if re.fullmatch(r"-?\d+([.,]\d+)?", text)
    ]
    if lats and sum(90 < abs(lat) <= 180 for lat in lats) > len(lats) / 2:
        questions.append(
            "swapped_coordinates: lat holds values above 90, so lon and lat look swapped; they will be exchanged."
        )
        return replace(mapping, swapped_coordinates=True)
    return mapping


def _is_personal(column: str, words: tuple[str, ...]) -> bool:
    name = f" {words_of(column)} "
    return any(f" {word} " in name for word in words)
