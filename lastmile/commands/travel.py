"""The command that says where travel times come from and how far off they are."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from lastmile import clock, queries
from lastmile.commands.command import Command, day, opened_store, records, say, say_json
from lastmile.errors import NotPossible
from lastmile.replanning.travel import driven_legs, fortnight_before, learned_by_hour, learned_travel, travel_for
from lastmile.store import Store

TRIED_PLACES = 5


def _travel(given: argparse.Namespace) -> int:
    with opened_store() as store:
        now = clock.resume(store).now()
        told = [
            _of_depot(store, depot, given.day or now.astimezone(ZoneInfo(depot.zone or "UTC")).date())
            for depot in _depots(store, given.depot).itertuples()
        ]
    if given.json:
        say_json([one | {"hours": records(one["hours"])} for one in told])
        return 0
    for one in told:
        say(f"{one['name']}: {one['words']}")
        say(f"  Now used: {one['source']}.")
        if given.depot and len(one["hours"]):
            say(one["hours"].to_string(index=False, float_format="{:.1f}".format))
    return 0


def _of_depot(store: Store, depot: Any, on: date) -> dict[str, Any]:
    dates = fortnight_before(on)
    learned = learned_travel(store, depot.depot_id, **dates)
    return {
        "depot_id": depot.depot_id,
        "name": depot.name,
        **dates,
        "words": learned.words,
        "legs": learned.legs,
        "misses": learned.misses and asdict(learned.misses),
        "default_misses": learned.default_misses and asdict(learned.default_misses),
        "source": _source(travel_for(learned), driven_legs(store, depot.depot_id, **dates), on, depot.zone or "UTC"),
        "hours": learned_by_hour(store, depot.depot_id, **dates),
    }


def _source(travel: Any, legs: pd.DataFrame, on: date, zone: str) -> str:
    """What a matrix of a few places is made by: a road network is really asked."""
    noon = pd.Timestamp(on, tz=zone).timestamp() + 12 * 3600
    lon, lat = (legs[name].to_numpy()[:TRIED_PLACES] for name in ("lon", "lat"))
    return travel.matrix(np.asarray(lon), np.asarray(lat), noon, noon + 3600, zone).source


def _depots(store: Store, name: str | None) -> pd.DataFrame:
    depots = queries.depots(store)
    found = depots if name is None else depots[(depots.depot_id == name) | (depots.name == name)]
    if found.empty:
        there = ", ".join(depots.depot_id) or "none: import routes or build the demo first"
        raise NotPossible(f"There is no such depot. There are: {there}.")
    return found


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--depot", help="its id or name, for its hours and zones too (default: a line for each depot)")
    parser.add_argument(
        "--day", type=day, help="the day that is planned; learned from the fortnight before (default: today)"
    )


COMMANDS = (
    Command(
        "travel",
        "where travel times come from, and how far off they are",
        "Learns travel times from the legs of the last fortnight, judges them on days that they were not learned from, beside\n"
        "the plain default, and asks the road network of LASTMILE_TRAVEL for a few places. Example:\n"
        "  python -m lastmile travel --depot Westhafen",
        _arguments,
        _travel,
        json=True,
    ),
)
