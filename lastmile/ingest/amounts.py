"""Drafts numbers: with the mapping's decimal sign, in the ledger's units."""

from __future__ import annotations

import re

from lastmile.ingest.drafting import Draft
from lastmile.ingest.fields import UNITS
from lastmile.ingest.mapping import Column


def number(draft: Draft, name: str, spec: Column | None, stored_unit: str = "", signed: bool = False) -> str:
    """Put a number field, in its stored unit, and its problems; returns its SQL name."""
    text = draft.text(spec)
    if text is None:
        return "null::double"
    raw = draft.put(f"n_{name}", number_sql(draft, text))
    factor = UNITS[stored_unit].get(spec.unit or stored_unit, 1.0)
    shown = raw if factor == 1.0 else f"{raw} * {draft.parameter(factor)}"
    if spec.unit == "F":
        shown = f"({raw} - 32) / 1.8"
    draft.problem("not_a_number", spec, f"({text} is not null and {raw} is null)", text)
    if not signed:
        draft.problem("negative", spec, f"({raw} < 0)", text)
    return draft.put(f"f_{name}", shown)


def number_sql(draft: Draft, text: str) -> str:
    """Read a number with the mapping's decimal sign; thousands may be grouped by the other sign or by spaces."""
    grouped, decimal = (",", ".") if draft.mapping.decimal == "." else (".", ",")
    pattern = draft.parameter(rf"[-+]?\d{{1,3}}([{grouped} ’']\d{{3}})+({re.escape(decimal)}\d+)?")
    plain = f"regexp_replace({text}, {draft.parameter(f'[{grouped} ’' + chr(39) + ']')}, '', 'g')"
    if decimal == ",":
        bare = f"case when strpos({text}, '.') = 0 then try_cast(replace({text}, ',', '.') as double) end"
        many = f"try_cast(replace({plain}, ',', '.') as double)"
        # 48.137 under a decimal comma: a dot that does not group thousands is a decimal point after all
        either = f"case when regexp_full_match({text}, {pattern}) then {many} else try_cast({text} as double) end"
        return _finite(draft, f"coalesce({bare}, {either})")
    many = f"case when regexp_full_match({text}, {pattern}) then try_cast({plain} as double) end"
    return _finite(draft, f"coalesce(try_cast({text} as double), {many})")


def _finite(draft: Draft, number: str) -> str:
    """DuckDB reads `nan` and `inf` as numbers; here they are none."""
    name = draft.put(f"d{len(draft.columns)}", number)
    return f"case when isfinite({name}) then {name} end"
