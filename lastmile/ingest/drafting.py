"""Drafts the query that checks a file: SQL made from a mapping's structure, every value a parameter.

The query runs in steps, each a `select *, …` over the one before: first the cleaned columns (null words gone), then every
further column in the step after the last one that it reads. (Naming a column in the step that makes it would have DuckDB
copy its expression, which doubles with each use.)
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import duckdb

from lastmile.ingest.mapping import Column, Mapping
from lastmile.ingest.opened import Opened

NULL_WORDS = ("", "none", "n/a", "na", "-", "--", "nan", "null", "nil", "#n/a", "0000-00-00", "0000-00-00 00:00:00")
TRUE_WORDS = ("true", "yes", "y", "1", "t", "ja", "oui", "si")
FALSE_WORDS = ("false", "no", "n", "0", "f", "nein", "non")
TOTALS = ("total", "totals", "total:", "grand total", "subtotal", "sum", "summe", "gesamt", "gesamtsumme", "totale")
SHOWN = 2000


@dataclass(frozen=True)
class Condition:
    """A test that a row may meet: `key` of a problem or note, the column to blame, the SQL that is true then."""

    key: str
    column: str
    sql: str
    value: str = "null"


@dataclass
class Draft:
    """Collects the columns, parameters and conditions for one file and mapping."""

    connection: duckdb.DuckDBPyConnection
    opened: Opened
    mapping: Mapping
    now: datetime
    cleaned: dict[str, str] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)
    problems: list[Condition] = field(default_factory=list)
    notes: list[Condition] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    times: dict[Any, Any] = field(default_factory=dict)  # kept by timing

    # Parameters and columns

    def parameter(self, value: Any) -> str:
        """The placeholder for a value; the same value gets the same one."""
        for name, known in self.parameters.items():
            if type(known) is type(value) and known == value:
                return f"${name}"
        name = f"p{len(self.parameters)}"
        self.parameters[name] = value
        return f"${name}"

    def put(self, name: str, sql: str) -> str:
        """Add a column to the query and return its name."""
        self.columns[name] = sql
        return name

    def one_of(self, sql: str, words: tuple[str, ...]) -> str:
        """True where a text is one of some words. (DuckDB turns a longer IN into a join, ten times slower than this.)"""
        if len(words) == 1:
            return f"{sql} = {self.parameter(words[0])}"
        return f"list_contains({self.parameter(list(words))}, {sql})"

    # Columns

    def has(self, name: str) -> bool:
        return self.opened.position(name) is not None

    def cell(self, name: str) -> str | None:
        """The cleaned column of a header, null words gone and outer spaces cut; None where the file has no such column."""
        place = self.opened.position(name)
        if place is None:
            if name not in self.absent:
                self.absent.append(name)
            return None
        raw = f"c{place}"
        words = self.one_of(f"lower(trim({raw}))", NULL_WORDS)
        # null words start with n or N and have at most four letters, or with 0000, - and no digit, or #: all else that has
        # no outer spaces stands as it is, and comparing texts is ten times quicker than trimming them
        plain = (
            f"({raw} >= '0' and {raw} < '0000' or {raw} >= '0001' and {raw} < 'N' or {raw} >= 'O' and {raw} < 'n' "
            f"or {raw} >= 'o' or {raw} >= '-.' and {raw} < '-:' or {raw} >= 'A' and strlen({raw}) > 4) "
            f"and not suffix({raw}, ' ')"
        )
        self.cleaned[raw] = f"case when {plain} then {raw} when {words} then null else trim({raw}) end"
        return raw

    def text(self, spec: Column | None, joiner: str = " ") -> str | None:
        """SQL for a field's text; None where the file has none of its columns."""
        if spec is None:
            return None
        cells = [cell for name in spec.columns + spec.any_of if (cell := self.cell(name))]
        if not cells:
            return None
        if len(cells) == 1:
            return cells[0]
        if spec.any_of:
            return f"coalesce({', '.join(cells)})"
        return f"concat_ws({self.parameter(joiner)}, {', '.join(cells)})"

    def label(self, spec: Column) -> str:
        """How to name a field's column to a person."""
        return " + ".join(spec.columns) or " / ".join(spec.any_of)

    def samples(self, cell: str) -> list[str]:
        """Some of the texts of a column that are not null words."""
        place = re.fullmatch(r"c\d+", cell)[0]
        rows = self.connection.execute(
            f"select trim({place}) from file_sample where lower(trim({place})) not in (select unnest($words))",
            {"words": list(NULL_WORDS)},
        ).fetchall()
        return [text for (text,) in rows][:SHOWN]

    # Conditions

    def problem(self, key: str, column: Column | str, sql: str, value: str = "null") -> None:
        """Refuse rows where the condition holds."""
        condition = Condition(key, column if isinstance(column, str) else self.label(column), sql, value)
        if condition not in self.problems:
            self.problems.append(condition)

    def note(self, key: str, column: Column | str, sql: str, value: str = "null") -> None:
        """Count rows where the condition holds."""
        condition = Condition(key, column if isinstance(column, str) else self.label(column), sql, value)
        if condition not in self.notes:
            self.notes.append(condition)

    # The query

    def execute(self, sql: str) -> duckdb.DuckDBPyConnection:
        """Run a statement with those of the parameters that it names; DuckDB refuses others."""
        named = set(re.findall(r"\$(p\d+)\b", sql))
        return self.connection.execute(sql, {name: value for name, value in self.parameters.items() if name in named})

    def steps(self) -> str:
        """The common table expressions that end in `said`, one row per row of the file with every column.

        The cells as they stand in the file go along as r0, r1, …
        """
        cleaned = ", ".join(f"{sql} as {name}" for name, sql in self.cleaned.items())
        every = range(len(self.opened.header))
        empty, raw = " and ".join(f"c{i} is null" for i in every), ", ".join(f"c{i} as r{i}" for i in every)
        down = [f"c{self.opened.position(name)}" for name in self.mapping.fill_down if self.has(name)]
        place = "rowid as file_place, " if down else ""
        parts = [f"cleaned as (select {place}({empty}) as is_empty, {raw}, {cleaned} from file_row)"]
        if down:
            filled = ", ".join(f"last_value({cell} ignore nulls) over (order by file_place) as {cell}" for cell in down)
            parts.append(f"filled as (select * replace ({filled}) from cleaned)")
        return self._stepwise(parts, "filled" if down else "cleaned")

    def steps_again(self, table: str, cells: str) -> str:
        """The same for a table that holds cleaned cells as a list, in the order of `cleaned`, and the row's number."""
        cleaned = ", ".join(f"{cells}[{place}] as {name}" for place, name in enumerate(self.cleaned, 1))
        return self._stepwise([f"cleaned as (select row_id, {cleaned} from {table})"], "cleaned")

    def _stepwise(self, parts: list[str], before: str) -> str:
        for number, names in enumerate(self._levels(), 1):
            added = ", ".join(f"{self.columns[name]} as {name}" for name in names)
            parts.append(f"step{number} as (select *, {added} from {before})")
            before = f"step{number}"
        return f"with {', '.join(parts)}, said as (from {before})"

    def origin(self, name: str) -> str:
        """The column whose value another one merely repeats: it names it, or is made in the very same way."""
        sql = self.columns.get(name, "")
        if sql in self.columns:
            return self.origin(sql)
        return next((other for other, same in self.columns.items() if same == sql), name)

    def is_constant(self, name: str) -> bool:
        """Whether a column says the same in every row: its SQL reads no cell and no other column."""
        if name not in self.columns:
            return False
        words = self._words(self.columns[name])
        return not words & self.columns.keys() and not words & self.cleaned.keys()

    def only_column(self, name: str) -> str | None:
        """The one column that a column is made from; None where it reads a parameter, a cell, or more than one."""
        sql = self.columns[name]
        read = self._words(sql) & (self.columns.keys() | self.cleaned.keys())
        return next(iter(read)) if len(read) == 1 and read <= self.columns.keys() and "$" not in sql else None

    @staticmethod
    def _words(sql: str) -> set[str]:
        """The names in a piece of SQL, parameters and texts aside."""
        return set(re.findall(r"\b[a-z_]\w*\b", re.sub(r"\$\w+|'[^']*'", "", sql)))

    def _levels(self) -> list[list[str]]:
        """The columns in steps, each after all that it reads."""
        level: dict[str, int] = {}

        def level_of(name: str) -> int:
            if name not in level:
                read = set(re.findall(r"\b[a-z_]\w*\b", self.columns[name])) & self.columns.keys() - {name}
                level[name] = 1 + max(map(level_of, read), default=-1)
            return level[name]

        steps: list[list[str]] = [[] for _ in range(1 + max(map(level_of, self.columns), default=-1))]
        for name in self.columns:
            steps[level[name]].append(name)
        return steps
