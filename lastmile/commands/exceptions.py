"""The command that shows the queue, and how good its warnings were."""

from __future__ import annotations

import argparse

from lastmile import clock, exceptions
from lastmile.commands.command import Command, Progress, day, instant, last_days, opened_store, records, say, say_json
from lastmile.exceptions.evaluating import LEAD_MINUTES, Evaluation, evaluate
from lastmile.model import Scope
from lastmile.store import Store

DAYS = 7
SHOWN = [
    "severity",
    "label",
    "subject_id",
    "words",
    "stops",
    "stake",
    "probability",
    "minutes_left",
    "owner_role",
    "owner",
    "state",
]


def _exceptions(given: argparse.Namespace) -> int:
    if given.define:
        say(exceptions.definitions())
        return 0
    with opened_store() as store:
        if given.evaluate:
            return _evaluate(store, given)
        at = given.at or clock.resume(store).now()
        found = exceptions.queue(store, at, Scope(depots=tuple(given.depot or ())))
    if given.json:
        say_json({"at": at, "exceptions": records(found)})
    else:
        say(
            found[SHOWN].to_string(index=False, float_format="{:,.2f}".format, na_rep="")
            if len(found)
            else "Nothing needs anybody."
        )
    return 0


def _evaluate(store: Store, given: argparse.Namespace) -> int:
    first, last = last_days(store, given.day_from, given.day_to, DAYS)
    found = evaluate(store, first, last, progress=Progress(given.json))
    if given.json:
        say_json(_as_record(found))
    else:
        say(told(found))
    return 0


def told(found: Evaluation) -> str:
    """An evaluation as text: the figures, by cause and by rule."""
    tables = [table.to_string(index=False, float_format="{:.2f}".format) for table in (found.by_cause, found.by_rule)]
    return "\n\n".join(
        [
            f"{found.day_from} to {found.day_to}: {found.promises:,} promises came to their end, {found.broken:,} were broken.\n"
            f"{found.announced:,} of them ({found.announced_share:.1%}) were announced {LEAD_MINUTES} minutes before or earlier; "
            f"for {found.standing:,} the warning still stood then.\n"
            f"{found.alarms:,} promises were warned of, {found.true_alarms:,} rightly: {found.false_per_true:.2f} false alarms "
            "for each true one.",
            *tables,
        ]
    )


def _as_record(found: Evaluation) -> dict:
    names = ("day_from", "day_to", "promises", "broken", "announced", "standing", "alarms", "true_alarms")
    return {name: getattr(found, name) for name in names} | {
        "announced_share": found.announced_share,
        "false_per_true": found.false_per_true,
        "by_cause": records(found.by_cause),
        "by_rule": records(found.by_rule),
    }


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--define", action="store_true", help="print what each rule means, as Markdown")
    parser.add_argument("--depot", action="append", metavar="DEPOT", help="only this one (again for more)")
    parser.add_argument("--at", type=instant, metavar="INSTANT", help="as known then, as 2026-11-23T14:00+01:00")
    parser.add_argument(
        "--evaluate", action="store_true", help="go through past days, and say how good the warnings were"
    )
    parser.add_argument(
        "--from", dest="day_from", type=day, metavar="DAY", help=f"with --evaluate; default: {DAYS} days up to the last"
    )
    parser.add_argument("--to", dest="day_to", type=day, metavar="DAY", help="default: yesterday by the tower's clock")


COMMANDS = (
    Command(
        "exceptions",
        "what needs somebody, and how good the warnings were",
        "Shows the queue of exceptions: one row for each root, the dearest and most urgent first. With --evaluate it goes through\n"
        "past days as they were known then, at every quarter of an hour, and holds what was announced against what came.",
        _arguments,
        _exceptions,
        json=True,
    ),
)
