"""The query that counts: each distinct judgement of a row is made once, however many KPIs ask for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lastmile.kpis.checks import CHECKS, Check
from lastmile.kpis.definition import Kpi, Rule
from lastmile.kpis.facts import Fact


@dataclass(frozen=True)
class Places:
    """In which columns of the counted frame a KPI finds what it is made of."""

    included: str
    excluded: str
    unknown: str
    counts: str  # for a percentile: the ordered values
    out_of: str
    taken: str | None = None  # where a step is waited for: the ordered values of those that took it


@dataclass(frozen=True)
class Counting:
    """A query with one row per combination of the `by` columns, and where each KPI and check finds its part of it.

    Its columns but for those of `by` and the currencies are named after the fact: queries of several can be laid together.
    """

    fact: str
    sql: str
    places: dict[str, Places]
    checks: dict[str, tuple[str, str]]  # check: the columns of what applied and what passed


class _Columns:
    """SQL expressions with a name each, the same expression once."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._names: dict[str, str] = {}

    def name(self, expression: str) -> str:
        return self._names.setdefault(expression, f"{self._prefix}_{len(self._names)}")

    def selected(self) -> list[str]:
        return [f"{expression} as {name}" for expression, name in self._names.items()]


def counting(fact: Fact, kpis: Sequence[Kpi], by: tuple[str, ...]) -> Counting:
    """The query for KPIs that are made from the same fact."""
    rows, totals = _Columns(f"{fact.key}_row"), _Columns(f"{fact.key}_total")
    places = {kpi.key: _places(kpi, rows, totals, "times" if fact.summed else "1") for kpi in kpis}
    needed = dict.fromkeys(key for kpi in kpis for key in kpi.needs)
    checks = {key: _check_totals(CHECKS[key], rows, totals) for key in needed}
    money = ["currency"] if fact.in_money else []
    currencies = [f"list_sort(list(distinct {name}) filter ({name} is not null)) as currencies" for name in money]
    sql = f"""
        select {", ".join([*by, *currencies, *totals.selected()])} from (
            select {", ".join([*by, *money, *(["times"] if fact.summed else []), *rows.selected()])}
            from ({fact.summed(by) if fact.summed else fact.sql})
        ) {f"group by {', '.join(by)}" if by else ""}
        """
    return Counting(fact.key, sql, places, checks)


def judgement(kpi: Kpi) -> str:
    """SQL: 0 included, 1 excluded, 2 unknown; null where the row is not in question at all."""
    cases = [f"when not coalesce({kpi.among}, false) then null"] if kpi.among != "true" else []
    cases += [f"when {condition} then 1" for _, condition in kpi.excluded]
    cases += [f"when {condition} then 2" for _, condition in kpi.unknown]
    return f"(case {' '.join(cases)} else 0 end)" if cases else "0"


def reason_given(rules: Sequence[Rule]) -> str:
    """SQL: the words of the first rule that a row meets, else null."""
    cases = " ".join(f"when {condition} then '{_quoted(why)}'" for why, condition in rules)
    return f"case {cases} end" if cases else "null::varchar"


def _quoted(words: str) -> str:
    return words.replace("'", "''")


def _places(kpi: Kpi, rows: _Columns, totals: _Columns, times: str) -> Places:
    part = rows.name(judgement(kpi))
    number_of = "count(*)" if times == "1" else f"sum({times})"
    parts = (totals.name(f"coalesce({number_of} filter ({part} = {number}), 0)") for number in range(3))
    included, excluded, unknown = parts
    counted = rows.name(f"({kpi.counts})::double")
    if kpi.percentile is not None:
        values = totals.name(f"list_sort(list({counted}) filter ({part} = 0))")
        return Places(included, excluded, unknown, values, included, _taken(kpi, part, counted, rows, totals))
    counts = totals.name(f"sum({counted}) filter ({part} = 0)")
    out_of = (
        included
        if kpi.out_of == "1"
        else totals.name(f"sum({rows.name(f'({kpi.out_of})::double')}) filter ({part} = 0)")
    )
    return Places(included, excluded, unknown, counts, out_of)


def _taken(kpi: Kpi, part: str, counted: str, rows: _Columns, totals: _Columns) -> str | None:
    if kpi.waits_for is None:
        return None
    taken = rows.name(f"coalesce({kpi.waits_for.taken}, false)")
    return totals.name(f"list_sort(list({counted}) filter ({part} = 0 and {taken}))")


def _check_totals(check: Check, rows: _Columns, totals: _Columns) -> tuple[str, str]:
    passed = f"({check.applies}) and ({check.passes})"
    if check.weight == "1":
        return totals.name(f"count({rows.name(_if(check.applies, 'true'))})"), totals.name(
            f"count({rows.name(_if(passed, 'true'))})"
        )
    return (
        totals.name(f"sum({rows.name(_if(check.applies, f'({check.weight})::double'))})"),
        totals.name(f"coalesce(sum({rows.name(_if(passed, f'({check.passed_weight or check.weight})::double'))}), 0)"),
    )


def _if(condition: str, value: str) -> str:
    return f"(case when {condition} then {value} end)"
