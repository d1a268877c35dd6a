"""What can be wrong with a row that comes over HTTP: the import's problems, and those that only JSON can have."""

from __future__ import annotations

import json
from typing import Any

from lastmile.ingest.problems import NOTES as FILE_NOTES
from lastmile.ingest.problems import PROBLEMS as FILE_PROBLEMS
from lastmile.ingest.problems import Problem

SHOWN = 200

PROBLEMS: dict[str, Problem] = {
    key: FILE_PROBLEMS[key]
    for key in ("missing", "clock_unset", "negative", "swapped", "off_globe", "scientific_id", "window_backwards", "no_subject")
} | {
    problem.key: problem
    for problem in (
        Problem("not_an_object", "this is not an object", "send each row as {\"field\": value, …}"),
        Problem("unknown_field", "this field is not known here", "leave it out, or use one of the fields of the documentation"),
        Problem("not_a_text", "this is not a text of letters and digits", "send a text in quotes, without control characters"),
        Problem("too_long", "this is too long", "shorten it: ids to 200 characters, texts to 2,000, lists to 100 parts"),
        Problem("not_a_time", "this is not an instant of the years 2000 to 2099",
                "write it in quotes as 2026-03-02T09:18:00+01:00 or 2026-03-02T08:18:00Z"),
        Problem("no_zone", "this time has no offset", "add Z or the offset, as in 2026-03-02T09:18:00+01:00"),
        Problem("not_a_date", "this is not a day of the years 2000 to 2099", "write it in quotes as 2026-03-02"),
        Problem("not_a_number", "this is not a number", "send a number without quotes, as 12.5"),
        Problem("not_whole", "this is not a whole number", "send a number without decimals, as 3"),
        Problem("too_large", "this number is larger than any that is meant", "check the unit and the number"),
        Problem("not_a_flag", "this is neither true nor false", "send true or false without quotes"),
        Problem("not_a_list", "this is not a list of texts", "send [\"signature\", \"photo\"]"),
        Problem("unknown_word", "this word is not known here", "use one of the words of the documentation"),
        Problem("future", "this lies more than a day ahead: a clock was wrong", "correct the time"),
        Problem("reserved", "decisions are made in the tower, by people", "send what happened, not what was decided"),
        Problem("corrects_nothing", "a correction names what it corrects", "give the event_key of the wrong event in corrects"),
        Problem("status_unreadable", "this message could not be read", "compare it with the format's specification"),
    )
}  # fmt: skip
NOTES = {key: FILE_NOTES[key].says for key in ("unmapped", "unmapped_reason", "unknown_place")}


def problem(key: str, field: str | None, value: Any = None) -> dict[str, Any]:
    """One problem of a row as it is told: field, value as text (shortened), what is wrong, what to do."""
    known = PROBLEMS[key]
    return {"field": _shown(field), "value": _shown(value), "problem": known.says, "remedy": known.remedy}


def _shown(value: Any) -> str | None:
    """A value as a short text that any reader takes."""
    if value is None:
        return None
    try:
        text = value if isinstance(value, str) else json.dumps(value, default=str)
    except (RecursionError, ValueError):
        text = "this can't be shown"
    return text[:SHOWN].encode("utf-8", "replace").decode()
