"""Checks every row of `file_row` under a mapping, in the database: fields in `checked`, what is refused marked there.

`checked` has one row per row of the file (row_id, refused, is_empty, noted, and the fields of its kind); `refused_row`
one per refused row, whole, with its problems.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import duckdb

from lastmile.ingest.bookings import BOOKING_COLUMNS, draft_booking
from lastmile.ingest.drafting import TOTALS, Condition, Draft
from lastmile.ingest.errors import UnreadableFile
from lastmile.ingest.events import EVENT_COLUMNS, draft_events
from lastmile.ingest.fields import BOOKED_KINDS, EVENT_KINDS, REQUIRED
from lastmile.ingest.mapping import Mapping
from lastmile.ingest.masters import draft_milestone, draft_routes, draft_vehicle
from lastmile.ingest.opened import Opened, count_rejects
from lastmile.ingest.problems import PROBLEMS
from lastmile.ingest.reading_csv import keep_rejects


@dataclass(frozen=True)
class Checked:
    """What the check left in the database: `columns` of `checked`, how many events a row may tell of, and the counts."""

    columns: tuple[str, ...]
    events: int
    rows: int
    refused: int
    empty: int
    notes: dict[str, int]
    absent: tuple[str, ...]
    recorded_given: bool


def check(connection: duckdb.DuckDBPyConnection, opened: Opened, mapping: Mapping, now: datetime) -> Checked:
    """Check all rows; `now` is the instant of the import. Raises BadMapping or UnreadableFile where no row can be read."""
    draft = Draft(connection, opened, mapping, now)
    _refuse_without_columns(opened, mapping)
    columns, events = _draft_kind(draft)
    _strange_rows(draft)
    _make_checked(draft, columns)
    if opened.streamed and keep_rejects(connection, opened.path, opened.streamed):
        _make_checked(draft, columns)
    if mapping.line_items:
        _refuse_broken_orders(connection)
    _make_refused(connection, draft)
    return _counted(connection, draft, tuple(columns), events)


def _draft_kind(draft: Draft) -> tuple[list[str], int]:
    kind = draft.mapping.kind
    columns: list[str] = []
    events = 0
    if kind in EVENT_KINDS:
        times = draft_events(draft)
        events = len(times)
        columns += [f"e{i}_{name}" for i in range(events) for name in EVENT_COLUMNS]
        if kind in BOOKED_KINDS:
            draft_booking(draft, times)
            columns += [f"b_{name}" for name in BOOKING_COLUMNS]
    elif kind == "routes":
        columns += draft_routes(draft)
    else:
        columns += draft_vehicle(draft) if kind == "vehicles" else draft_milestone(draft)
    return columns, events


def _refuse_without_columns(opened: Opened, mapping: Mapping) -> None:
    """Refuse a file that lacks the columns without which no row of its kind means anything."""
    for name in REQUIRED[mapping.kind]:
        spec = mapping.columns.get(name)
        if spec is not None and not any(opened.position(column) is not None for column in spec.columns + spec.any_of):
            shown = ", ".join(opened.header[:12]) + (", …" if len(opened.header) > 12 else "")
            raise UnreadableFile(
                f"{opened.path.name} has no column {' or '.join(map(repr, spec.columns + spec.any_of))}, which mapping "
                f"{mapping.name} reads as {name}. The file has: {shown}. Choose another mapping, or change this one."
            )


def _strange_rows(draft: Draft) -> None:
    """Recognise the header repeated half way and totals rows, by the column that identifies a row."""
    first = next((name for name in REQUIRED[draft.mapping.kind] if name in draft.mapping.columns), None)
    if first is None:
        return
    spec = draft.mapping.columns[first]
    cell = draft.text(spec)
    names = tuple(name for name in spec.columns + spec.any_of)
    draft.problems.insert(0, Condition("header_repeated", draft.label(spec), f"({draft.one_of(cell, names)})", cell))
    # all of these words begin with a letter from G on, and comparing texts is quicker than making small letters of them
    total = f"({cell} >= 'G' and {draft.one_of(f'lower({cell})', TOTALS)})"
    draft.problems.insert(1, Condition("totals_row", draft.label(spec), total, cell))


def _make_checked(draft: Draft, columns: list[str]) -> None:
    """`checked_row` holds every value once; the view `checked` gives it under each name that it has.

    What is the same in all rows stands in `checked_constant`, in its only row. A payload of one value is made by the view.
    """
    origins = {name: draft.origin(name) for name in columns}
    constant = {origin: draft.columns[origin] for origin in origins.values() if draft.is_constant(origin)}
    late = {name: value for name in columns if name.endswith("_payload") and (value := draft.only_column(name))}
    stored = dict.fromkeys(
        origin for name, origin in origins.items() if origin not in constant and name not in late
    ) | dict.fromkeys(late.values())
    # in a `case`, a test that failed already saves the next one its rows; a bare `or` computes all of them
    refused = f"case when is_empty then false when {' or '.join(problem.sql for problem in draft.problems)} then true else false end"
    noted = " + ".join(
        f"case when {note.sql} then {1 << place}::bigint else 0 end" for place, note in enumerate(draft.notes[:62])
    )
    # what is refused is kept whole; of an order of several lines, one may be refused for another
    whole = "true" if draft.mapping.line_items else "refused"
    raw, cells = ", ".join(f"r{i}" for i in range(len(draft.opened.header))), ", ".join(draft.cleaned)
    draft.execute(
        f"create or replace table checked_row as {draft.steps()}, judged as (select *, {refused} as refused from said) "
        f"select is_empty, refused, ({noted or '0'})::bigint as noted, case when {whole} then [{raw}] end as raw, "
        f"case when {whole} then [{cells}] end as cells, {', '.join(stored)} from judged"
    )
    once = ", ".join(f"{sql} as {name}" for name, sql in constant.items())
    draft.execute(f"create or replace table checked_constant as select true as is_only{', ' * bool(once)}{once}")
    named = ", ".join(
        f"{draft.columns[name] if name in late else origin} as {name}" for name, origin in origins.items()
    )
    draft.execute(
        f"create or replace view checked as select checked_row.rowid as row_id, is_empty, refused, noted, {named} "
        "from checked_row, checked_constant"
    )


def _refuse_broken_orders(connection: duckdb.DuckDBPyConnection) -> None:
    """Where one line of an order is refused, the others wait with it: half an order would count as a whole one."""
    connection.execute(
        "create or replace table broken_order as "
        "select distinct b_delivery_id as delivery_id from checked where refused and b_delivery_id is not null"
    )
    connection.execute(
        "update checked_row set refused = true where not refused and s_delivery_id in (select delivery_id from broken_order)"
    )


def _make_refused(connection: duckdb.DuckDBPyConnection, draft: Draft) -> None:
    """`refused_row`: row_number in the file, the row as JSON and a JSON list of {column, value, problem, remedy}."""
    connection.execute(
        "create or replace table refused_row (row_number bigint, raw json, problems json, kinds varchar[])"
    )
    if connection.execute("select 1 from checked where refused limit 1").fetchone():
        _keep_refused(connection, draft)
    _keep_rejected(connection, draft)


def _keep_refused(connection: duckdb.DuckDBPyConnection, draft: Draft) -> None:
    tests = ", ".join(_named_problem(draft, problem) for problem in _by_gravity(draft.problems))
    whole = ", ".join(f"{draft.parameter(name)}, raw[{i}]" for i, name in enumerate(draft.opened.header, 1))
    first_row = draft.parameter(draft.opened.first_row)
    otherwise = _named_problem(draft, Condition("other_line_refused", "", "true"))
    connection.execute(
        "create or replace table refused_cell as select rowid as row_id, raw, cells from checked_row where refused"
    )
    draft.execute(
        f"insert into refused_row {draft.steps_again('refused_cell', 'cells')}, "
        f"judged as (select row_id, list_filter([{tests}], lambda x: x is not null) as found from said), "
        f"known as (select row_id, case when len(found) = 0 then [{otherwise}] else found end as found from judged), "
        f"whole as (select row_id, json_object({whole}) as raw from refused_cell), "
        "reject as (select line - row_number() over (order by line) as ahead from file_reject) "
        f"select row_id + {first_row} + (select count(*) from reject where ahead < row_id + {first_row}), raw, "
        "to_json(list_transform(found, lambda x: struct_pack("
        '"column" := x."column", value := x.value, problem := x.says, remedy := x.remedy))), '
        "list_transform(found, lambda x: x.kind) from known join whole using (row_id) order by row_id"
    )


def _by_gravity(problems: list[Condition]) -> list[Condition]:
    """A repeated header or a totals row explains all else that is wrong with it, so it stands first."""
    return sorted(problems, key=lambda problem: problem.key not in ("header_repeated", "totals_row"))


def _named_problem(draft: Draft, condition: Condition) -> str:
    problem = PROBLEMS[condition.key]
    fields = {"kind": problem.key, "column": condition.column, "says": problem.says, "remedy": problem.remedy}
    packed = ", ".join(f'"{name}" := {draft.parameter(value)}::varchar' for name, value in fields.items())
    return f"case when {condition.sql} then struct_pack({packed}, value := ({condition.value})::varchar) end"


def _keep_rejected(connection: duckdb.DuckDBPyConnection, draft: Draft) -> None:
    problem = PROBLEMS["columns"]
    personal = bool(draft.mapping.drop or draft.mapping.hash)
    withheld = "withheld: the row can't be divided into columns, and some of them are personal"
    connection.execute(
        "insert into refused_row select line, json_object('row as it stands', case when $personal then $withheld else text end), "
        "json_array(json_object('column', null, 'value', problem, 'problem', $says, 'remedy', $remedy)), [$key] "
        "from file_reject",
        {
            "personal": personal,
            "withheld": withheld,
            "says": problem.says,
            "remedy": problem.remedy,
            "key": problem.key,
        },
    )


def _counted(connection: duckdb.DuckDBPyConnection, draft: Draft, columns: tuple[str, ...], events: int) -> Checked:
    rows, refused, empty = connection.execute(
        "select count(*) filter (not is_empty), count(*) filter (refused), count(*) filter (is_empty) from checked"
    ).fetchone()
    bits = dict(enumerate(draft.notes[:62]))
    notes: dict[str, int] = {"empty_row": empty} if empty else {}
    if bits:
        counts = ", ".join(f"count(*) filter (noted & {1 << place} <> 0)" for place in bits)
        found = connection.execute(
            f"select {counts} from checked where noted <> 0 and not refused and not is_empty"
        ).fetchone()
        for place, count in enumerate(found):
            if count:
                notes[bits[place].key] = notes.get(bits[place].key, 0) + count
    rejected = count_rejects(connection)
    given = "recorded_at" in draft.mapping.columns or any(
        "recorded_at" in entry.columns for entry in draft.mapping.events
    )
    return Checked(columns, events, rows + rejected, refused + rejected, empty, notes, tuple(draft.absent), given)
