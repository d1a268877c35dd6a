"""From catalogue entries to figures: one query a fact, read once for all the KPIs that are made from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pandas as pd

from lastmile import clock
from lastmile.errors import NotPossible
from lastmile.kpis.catalogue import find
from lastmile.kpis.counting import Counting, counting, reason_given
from lastmile.kpis.definition import Kpi
from lastmile.kpis.facts import FACTS, Fact, with_relations
from lastmile.kpis.figures import FIGURE_COLUMNS, figures
from lastmile.kpis.targets import with_targets
from lastmile.model import Scope
from lastmile.store import Store

EVERYTHING = Scope()


@dataclass(frozen=True)
class Question:
    """Which rows are asked about: service days (both included), the scope, as known when (None: in the present)."""

    day_from: date | None
    day_to: date | None
    as_of: datetime | None
    scope: Scope

    def parameters(self, store: Store, sql: str) -> dict[str, Any]:
        """Those that a query reads."""
        cutoff = self.as_of or clock.instant_of(store)
        every = {
            "as_of": self.as_of,
            "day_from": self.day_from,
            "day_to": self.day_to,
            "cutoff": cutoff,
            "today": clock.day_at(store, cutoff) if "$today" in sql else None,
            "depots": list(self.scope.depots),
            "carriers": list(self.scope.carriers),
            "services": list(self.scope.services),
        }
        return {name: value for name, value in every.items() if f"${name}" in sql}


def measure(
    store: Store,
    keys: Sequence[str],
    *,
    day_from: date | None = None,
    day_to: date | None = None,
    by: Sequence[str] = (),
    as_of: datetime | None = None,
    scope: Scope = EVERYTHING,
) -> pd.DataFrame:
    """One row per combination of the `by` columns and KPI; see `figures.FIGURE_COLUMNS` for the columns.

    Shares are 0 to 1; times are in minutes. Raises NotPossible for an unknown key and a split that a KPI can't have.
    """
    question = Question(day_from, day_to, as_of, scope)
    kpis = [find(key) for key in dict.fromkeys(keys)]
    members = _by_fact(kpis, by)
    plans = [counting(fact, of_fact, tuple(by)) for fact, of_fact in members]
    counted = _counted(store, question, plans)
    parts = [
        figures(of_fact, tuple(by), plan, counted[plan.fact]) for (_, of_fact), plan in zip(members, plans, strict=True)
    ]
    found = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=[*by, *FIGURE_COLUMNS])
    if by:
        found = found[found.total > 0]  # a check that a field doesn't have is no figure of it
    found = found.assign(reliable_until=reliable_until(store, question))
    order = {kpi.key: place for place, kpi in enumerate(kpis)}
    found = found.sort_values([*by, "key"], key=lambda c: c.map(order) if c.name == "key" else c, ignore_index=True)
    return with_targets(store, found, {kpi.key: kpi for kpi in kpis}, question.day_to, as_of)


def rows_behind(
    store: Store,
    key: str,
    *,
    day_from: date | None = None,
    day_to: date | None = None,
    as_of: datetime | None = None,
    scope: Scope = EVERYTHING,
) -> pd.DataFrame:
    """One row per counted thing behind a figure (its fact's grain), with what it did to it.

    `part` is numerator, denominator (counted, but not in the numerator), excluded or unknown, and `why` says so for the
    last two; `counts` and `out_of` are what the row adds to numerator and denominator, `value` is its measured value.
    """
    kpi = find(key)
    fact = FACTS[kpi.fact]
    columns = [*fact.identity, *fact.dimensions, *fact.shown]
    return _ask(
        store,
        Question(day_from, day_to, as_of, scope),
        f"""
        select * exclude (excluded_why, unknown_why, counted, counted_of, in_numerator),
            case when excluded_why is not null then 'excluded' when unknown_why is not null then 'unknown'
                 when in_numerator then 'numerator' else 'denominator' end as part,
            coalesce(excluded_why, unknown_why) as why,
            case when part in ('numerator', 'denominator') then counted end as counts,
            case when part in ('numerator', 'denominator') then counted_of end as out_of
        from (
            select {", ".join(dict.fromkeys(columns))},
                {reason_given(kpi.excluded)} as excluded_why, {reason_given(kpi.unknown)} as unknown_why,
                ({kpi.counts})::double as counted, ({kpi.out_of})::double as counted_of,
                coalesce({kpi.in_numerator}, false) as in_numerator
            from ({fact.sql}) where {kpi.among}
        ) order by part, {", ".join(fact.identity)}
        """,
    )


def reliable_until(store: Store, question: Question) -> pd.Timestamp | None:
    """Up to when every source of what is asked has reported: the earliest of their last recorded events."""
    scope = question.scope
    scoped = bool(scope.depots or scope.carriers or scope.services)
    found = _ask(store, question, _LAST_HEARD.format(in_scope=_EVENTS_IN_SCOPE if scoped else ""))
    return found.reliable_until[0]


_LAST_HEARD = """
select min(last_recorded_at) as reliable_until from (
    select max(recorded_at) as last_recorded_at from event
    where recorded_at <= coalesce($as_of::timestamptz, 'infinity'::timestamptz)
      and classifier = 'ACT' and source <> 'tower' and delivery_id is not null
      and ($day_from is null or occurred_at >= $day_from::date::timestamptz - interval 1 day)
      and ($day_to is null or occurred_at < $day_to::date::timestamptz + interval 2 day)
      and (import_id is null or import_id not in (select import_id from undone_import))
      {in_scope}
    group by source
)
"""
_EVENTS_IN_SCOPE = "and delivery_id in (select delivery_id from known_delivery)"


def _counted(store: Store, question: Question, plans: Sequence[Counting]) -> dict[str, pd.DataFrame]:
    """What each plan counts, by fact: those that read the events all in one query, which then reads them once."""
    together = [plan for plan in plans if "known_event" in plan.sql]
    alone = [plan for plan in plans if plan not in together]
    found = {plan.fact: _ask(store, question, plan.sql) for plan in alone}
    if together:
        laid = " union all by name ".join(
            f"select '{plan.fact}' as counted_fact, * from ({plan.sql})" for plan in together
        )
        rows = _ask(store, question, f"select * from ({laid})")
        found |= {plan.fact: rows[rows.counted_fact == plan.fact].reset_index(drop=True) for plan in together}
    return found


def _by_fact(kpis: Sequence[Kpi], by: Sequence[str]) -> list[tuple[Fact, list[Kpi]]]:
    groups: dict[str, list[Kpi]] = {}
    for kpi in kpis:
        groups.setdefault(kpi.fact, []).append(kpi)
    for name, members in groups.items():
        wrong = [column for column in by if column not in FACTS[name].dimensions]
        if wrong:
            raise NotPossible(
                f"{members[0].label} can't be split by {', '.join(wrong)}: it is counted by {name}. "
                f"It can be split by {', '.join(FACTS[name].dimensions)}."
            )
    return [(FACTS[name], members) for name, members in groups.items()]


def _ask(store: Store, question: Question, sql: str) -> pd.DataFrame:
    sql = with_relations(sql)
    return store.ask(sql, **question.parameters(store, sql))
