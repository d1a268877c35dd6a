"""Drafts times: the form that a column has, and UTC from the clocks of the mapping's zone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from lastmile.ingest.amounts import number_sql
from lastmile.ingest.drafting import NULL_WORDS, SHOWN, Draft
from lastmile.ingest.errors import BadMapping
from lastmile.ingest.fields import UNITS
from lastmile.ingest.mapping import Column
from lastmile.ingest.times import EPOCH_FROM, TimeForm, form_of, is_ambiguous, shifts


@dataclass(frozen=True)
class TimeValue:
    """Names of the columns that hold a time: as the file's clock shows it (null where UTC is given), and in UTC."""

    local: str
    utc: str


def time_value(draft: Draft, spec: Column | None) -> TimeValue | None:
    """Put a time, read with the form that its samples have; None where the file lacks the column."""
    if spec is None:
        return None
    key = (spec.columns, spec.any_of, spec.minutes_after)
    if key not in draft.times:
        found = _minutes_after(draft, spec) if spec.minutes_after else _written_time(draft, spec)
        if found is None:
            return None
        draft.times[key] = found
    return draft.times[key]


def _minutes_after(draft: Draft, spec: Column) -> TimeValue | None:
    base = time_value(draft, Column(columns=(spec.minutes_after,)))
    if base is None or draft.text(spec) is None:
        return None
    k = len(draft.times)
    minutes = draft.put(f"m{k}", number_sql(draft, draft.text(spec)))
    factor = draft.parameter(UNITS["min"].get(spec.unit or "min", 1.0) * 60_000_000)
    draft.problem("not_a_number", spec, f"({draft.text(spec)} is not null and {minutes} is null)", draft.text(spec))
    added = f"to_microseconds(({minutes} * {factor})::bigint)"
    local = draft.put(f"t{k}_later_local", f"{base.local} + {added}")
    return TimeValue(local, draft.put(f"t{k}_later", f"{base.utc} + {added}"))


def _written_time(draft: Draft, spec: Column) -> TimeValue | None:
    cells = [cell for name in spec.columns + spec.any_of if (cell := draft.cell(name))]
    if not cells or len(cells) < len(spec.columns):
        return None
    k = len(draft.times)
    if spec.any_of or len(cells) == 1:
        text, samples = f"coalesce({', '.join(cells)})" if len(cells) > 1 else cells[0], draft.samples(cells[0])
    else:
        text = draft.put(f"x{k}", "case when " + " and ".join(f"{c} is not null" for c in cells)
                        + f" then concat_ws(' ', {', '.join(cells)}) end")  # fmt: skip
        samples = _joined_samples(draft, cells)
    form = _form(draft, spec, samples)
    local, utc = _time_sql(draft, text, form)
    draft.put(f"t{k}_local", local)
    draft.put(f"t{k}_given", utc)
    _zoned(draft, spec, k, text, samples, form)
    return TimeValue(f"t{k}_local", f"t{k}_at")


def _joined_samples(draft: Draft, cells: list[str]) -> list[str]:
    known = " and ".join(f"lower(trim({cell})) not in (select unnest($words))" for cell in cells)
    rows = draft.connection.execute(
        f"select concat_ws(' ', {', '.join(f'trim({cell})' for cell in cells)}) from file_sample where {known}",
        {"words": list(NULL_WORDS)},
    ).fetchall()
    return [text for (text,) in rows][:SHOWN]


def _form(draft: Draft, spec: Column, samples: list[str]) -> TimeForm:
    label = draft.label(spec)
    if draft.mapping.date_order is None and is_ambiguous(samples):
        raise BadMapping(
            f"{draft.opened.path.name}, column {label}: dates such as {samples[0]!r} could be day/month or month/day. "
            'Say date_order = "day_first" or "month_first" in the mapping.'
        )
    form = form_of(samples, draft.mapping.date_order, draft.mapping.year)
    if form is None:
        raise BadMapping(
            f"{draft.opened.path.name}, column {label}: {samples[0]!r} is not a time of a known form. "
            "Check the mapping's column, date_order and year."
        )
    if form.prefix == "?":
        raise BadMapping(
            f"{draft.opened.path.name}, column {label}: times such as {samples[0]!r} carry no year. "
            "Say year = 2026 (or the right one) in the mapping."
        )
    return form


def _time_sql(draft: Draft, text: str, form: TimeForm) -> tuple[str, str]:
    """SQL for the clock's time (null where an offset or an epoch is given) and for UTC (null where not)."""
    if form.kind == "number":
        number = f"try_cast({text} as double)"
        serial = (
            f"case when {number} between 1 and 200000 then "
            f"timestamp '1899-12-30' + to_microseconds(round({number} * 86400)::bigint * 1000000) end"
        )
        micros = (
            f"case when {number} >= 1e14 then {number} when {number} >= 1e11 then {number} * 1e3 "
            f"when {number} >= {EPOCH_FROM} then {number} * 1e6 end"
        )
        return serial, f"make_timestamp(({micros})::bigint)"
    iso = f"try_cast({text} as timestamp)"
    # DuckDB wants seconds and a colon before it reads an offset: 08:00Z, +0200
    whole = (
        f"try_cast(regexp_replace(regexp_replace({text}, '([T ]\\d{{1,2}}:\\d\\d) ?(Z|[+-].*)$', '\\1:00\\2'), "
        f"'([+-]\\d\\d)(\\d\\d)$', '\\1:\\2') as timestamptz)"
    )
    if form.kind == "iso":
        # the usual 2026-03-01 10:00:00 has 19 bytes and no offset
        given = draft.put(
            f"z{len(draft.times)}",
            f"case when suffix({text}, 'Z') then true when strlen({text}) = 19 and {text}[17] = ':' then false else "
            f"suffix({text}, 'UTC') or suffix({text}, 'GMT') or strpos(substr({text}, 11), '+') > 0 or "
            f"strpos(substr({text}, 12), '-') > 0 end",
        )
        # a plain timestamp passes over offsets, so it is right for Z, and five times quicker
        return (
            f"case when {given} then null else {iso} end",
            f"case when suffix({text}, 'Z') then coalesce({iso}, {whole}::timestamp) "
            f"when {given} then coalesce(try_cast({text} as timestamptz), {whole})::timestamp end",
        )
    written = f"{draft.parameter(form.prefix)} || {text}" if form.prefix else text
    first, others = form.patterns[0], list(form.patterns[1:])
    if first == "%Y-%m-%d %H:%M:%S":
        usual = f"try_cast({written} as timestamp)"
    else:
        usual = f"try_strptime({written}, {draft.parameter(first)})"
    rest = f"try_strptime({written}, {draft.parameter(others)})"
    last = "" if form.prefix else f", {iso}"
    return f"coalesce({usual}, {rest}{last})", "null::timestamp"


def _zoned(draft: Draft, spec: Column, k: int, text: str, samples: list[str], form: TimeForm) -> None:
    local, given = f"t{k}_local", f"t{k}_given"
    draft.problem("not_a_time", spec, f"({text} is not null and {local} is null and {given} is null)", text)
    if draft.mapping.zone is None:
        _refuse_without_zone(draft, spec, samples, form)
        draft.problem("no_zone", spec, f"({local} is not null)", text)
        draft.put(f"t{k}_at", given)
        return
    years = [int(match[0]) for text in samples if (match := re.search(r"(19|20)\d\d", text))]
    years = years or [draft.mapping.year or draft.now.year]
    known = shifts(draft.mapping.zone, min(years) - 1, max(years) + 1)
    draft.put(f"t{k}_at", f"coalesce({given}, {local} - {_offset(draft, local, known)})")
    for shift in known[1:]:
        kind = "skipped_hour" if shift.change > timedelta(0) else "repeated_hour"
        start, end = sorted((shift.local_from, shift.local_from - shift.change if kind == "skipped_hour"
                             else shift.local_from + shift.change))  # fmt: skip
        within = f"({local} >= {draft.parameter(start)} and {local} < {draft.parameter(end)})"
        (draft.problem if kind == "skipped_hour" else draft.note)(kind, spec, within, text)


def _offset(draft: Draft, local: str, known: Any) -> str:
    if len(known) == 1:
        return draft.parameter(known[0].offset)
    cases = " ".join(
        f"when {local} >= {draft.parameter(shift.local_from)} then {draft.parameter(shift.offset)}"
        for shift in reversed(known[1:])
    )
    return f"case {cases} else {draft.parameter(known[0].offset)} end"


def _refuse_without_zone(draft: Draft, spec: Column, samples: list[str], form: TimeForm) -> None:
    if not samples or (form.kind == "number" and float(samples[0]) >= EPOCH_FROM):
        return
    offset = re.compile(r"(Z|[+-]\d{2}:?(\d{2})?)$")
    if form.kind != "iso" or not any(offset.search(text[10:]) for text in samples):
        raise BadMapping(
            f"{draft.opened.path.name}, column {draft.label(spec)}: times such as {samples[0]!r} carry no zone. "
            'Say zone = "Europe/Berlin" (or where the file was written) in the mapping.'
        )
