"""What re-optimizations came to: hindsight."""

from __future__ import annotations

import argparse
from datetime import timedelta

import pandas as pd

from lastmile import clock, queries
from lastmile.commands.command import Command, day, instant, opened_store, records, say, say_json
from lastmile.model import Scope

PARTS = {"driving": "driving", "lateness": "lateness", "crew": "crews", "not_served": "not served"}
"""What a rest of a day is paid for, as `replan_result` names it, and in words."""


def _hindsight(given: argparse.Namespace) -> int:
    with opened_store() as store:
        at = given.as_of or clock.resume(store).now()
        today = clock.day_at(store, at)
        day_to = given.day_to or today
        found = queries.replannings(
            store,
            Scope(tuple(given.depot or ())),
            today,
            given.as_of,
            day_from=given.day_from or day_to - timedelta(weeks=4),
            day_to=day_to,
        )
    if given.json:
        say_json(records(found))
    elif found.empty:
        say("No re-optimization was approved for these days.")
    else:
        _say_hindsight(found)
    return 0


def _say_hindsight(found: pd.DataFrame) -> None:
    say(f"{'plan':<28} {'stops':>6} {'predicted':>10} {'loss':>10} {'came true':>10}  because")
    for row in found.itertuples():
        say(
            f"{row.plan_id:<28} {row.stops_covered:>6} {_told_number(row.plan_gain):>10} {_told_number(row.execution_loss):>10} "
            f"{_told_number(row.saving):>10}  {row.why}{'' if row.whole else ' (running)'}"
        )
    over = found[found.saving.notna()]
    totals = (over.plan_gain.sum(), over.execution_loss.sum(), over.saving.sum())
    say(f"{f'all that are over (n {len(over)})':<35} " + " ".join(f"{_told_number(total):>10}" for total in totals))
    if len(over):
        say("paid for, predicted → came to: " + ", ".join(_part(over, *part) for part in PARTS.items()))


def _part(over: pd.DataFrame, part: str, label: str) -> str:
    predicted, came_to = (over[f"{part}_{which}"].sum() for which in ("predicted", "came_to"))
    return f"{label} {_told_number(predicted)} → {_told_number(came_to)}"


def _told_number(value: float) -> str:
    return "…" if pd.isna(value) else f"{value:,.0f}"


def _hindsight_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--from", dest="day_from", type=day, metavar="DAY", help="first day (default: four weeks before)"
    )
    parser.add_argument("--to", dest="day_to", type=day, metavar="DAY", help="last day (default: today)")
    parser.add_argument("--depot", action="append", help="only this depot, by id (again for more)")
    parser.add_argument("--as-of", type=instant, metavar="INSTANT", help="as known then, as 2026-11-23T14:00+01:00")


COMMANDS = (
    Command(
        "hindsight",
        "what approved re-optimizations came to",
        "Predicted against what came true, one line per approved re-optimization: predicted saving (plan gain: before −\n"
        "predicted), execution loss (came to − predicted), what came true (gain − loss). While vans are out, money has no\n"
        "verdict. The sums by day and depot: python -m lastmile kpi --kpi replanning_saving --by day --by depot",
        _hindsight_arguments,
        _hindsight,
        json=True,
    ),
)
