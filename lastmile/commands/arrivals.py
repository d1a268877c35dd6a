"""The command that says how good predicted arrivals have been."""

from __future__ import annotations

import argparse

from lastmile import predictions
from lastmile.commands.command import Command, day, last_days, opened_store, records, say, say_json

DAYS = 3


def _eta(given: argparse.Namespace) -> int:
    with opened_store() as store:
        first, last = last_days(store, given.day_from, given.day_to, DAYS)
        model, rows = predictions.judged(store, first, last)
    figures = predictions.by_horizon(rows, "predicted_minutes_out" if given.by_predicted else "minutes_out")
    coverage = float(rows.covered.mean()) if len(rows) else None
    volatility = predictions.volatility(rows) if len(rows) else None
    if given.json:
        told = {"from": first, "to": last, "model": model.words, "n": len(rows), "coverage": coverage}
        say_json(told | {"volatility_minutes": volatility, "horizons": records(figures)})
        return 0
    say(f"{model.words} Judged on {first} to {last}, which were not learned from: {len(rows):,} predictions.")
    if len(figures):
        say(figures.to_string(index=False, float_format="{:.2f}".format, na_rep=""))
        say(f"{coverage:.1%} came in the interval of 80 %; a prediction moved by {volatility:.0f} min a stop in all.")
    return 0


def _eta_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--from", dest="day_from", type=day, metavar="DAY", help=f"default: {DAYS} days up to the last")
    parser.add_argument("--to", dest="day_to", type=day, metavar="DAY", help="default: yesterday by the tower's clock")
    parser.add_argument("--by-predicted", action="store_true", help="horizons by the predicted time to arrival")


COMMANDS = (
    Command(
        "eta",
        "how good predicted arrivals have been",
        "Predicts arrivals of past days as known at every quarter of an hour, from what the fortnight before them teaches, and\n"
        "compares them with what came: bias, MAE, P90, shares within 10, 15 and 30 minutes, coverage of the interval, beside\n"
        "the plan and the plan moved by the present delay.",
        _eta_arguments,
        _eta,
        json=True,
    ),
)
