"""What re-optimizations came to: hindsight."""

from __future__ import annotations

import argparse
from datetime import timedelta
from zoneinfo import ZoneInfo

import pandas as pd

from lastmile import clock, queries
from lastmile.commands.command import Command, day, instant, opened_store, records, say, say_json
from lastmile.model import Scope
from lastmile.store import Store


def _hindsight(given: argparse.Namespace) -> int:
    with opened_store() as store:
        at = given.as_of or clock.resume(store).now()
        today = at.astimezone(_zone(store)).date()
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
    say(f"{'plan':<28} {'stops':>6} {'plan gain':>10} {'loss':>10} {'saving':>10}  came to")
    for row in found.itertuples():
        broken = f"{row.broken_before:.0f} → {row.broken_predicted:.0f} → {_told_number(row.broken_came_to)}"
        say(
            f"{row.plan_id:<28} {row.stops_covered:>6} {_told_number(row.plan_gain):>10} {_told_number(row.execution_loss):>10} "
            f"{_told_number(row.saving):>10}  {'over' if row.whole else 'running'}, promises broken {broken}"
        )
    over = found[found.saving.notna()]
    totals = (over.plan_gain.sum(), over.execution_loss.sum(), over.saving.sum())
    say(f"{f'all that are over (n {len(over)})':<35} " + " ".join(f"{_told_number(total):>10}" for total in totals))


def _told_number(value: float) -> str:
    return "…" if pd.isna(value) else f"{value:,.0f}"


def _zone(store: Store) -> ZoneInfo:
    zones = queries.depots(store).zone.dropna()
    return ZoneInfo(zones.mode().iloc[0] if len(zones) else "UTC")


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
        "Predicted against what came true, one line per approved re-optimization: plan gain (before − predicted), execution\n"
        "loss (came to − predicted), saving (gain − loss). While vans are out, money has no verdict.",
        _hindsight_arguments,
        _hindsight,
        json=True,
    ),
)
