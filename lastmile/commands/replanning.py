"""Commands that change the day: reoptimize, and what re-optimizations came to."""

from __future__ import annotations

import argparse
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from lastmile import clock, decisions, queries, routing
from lastmile.commands.command import Command, Progress, day, instant, opened_store, records, say, say_json
from lastmile.errors import NotPossible
from lastmile.model import Scope
from lastmile.replanning import Act, Asked, ByHand, Proposal, approve, open_day, proposal_of
from lastmile.routing import ChangeBudget, Freedom, Policy
from lastmile.store import Store

WHO = "command line"


def _reoptimize(given: argparse.Namespace) -> int:
    with opened_store() as store:
        depot_id = _depot(store, given.depot)
        at = given.at or clock.resume(store).now()
        zone = ZoneInfo(queries.depots(store).set_index("depot_id").zone.get(depot_id, "UTC"))
        start = open_day(store, depot_id, at.astimezone(zone).date(), at, _asked(given))
        solution = routing.solve(start.problem, given.seconds, given.seed, progress=_told(given))
        proposal = proposal_of(store, start, solution, WHO)
        decisions.propose_plan(store, proposal.tables, WHO, at)
        if given.approve:
            approve(store, proposal, proposal, WHO, given.approve, at, tell_customers=given.tell_customers)
    told = _as_record(proposal, "approved" if given.approve else "proposed")
    if given.json:
        say_json(told)
    else:
        _say(told)
    return 0


def _asked(given: argparse.Namespace) -> Asked:
    out = [ByHand(Act.VEHICLE_OUT, vehicle_id, by=WHO) for vehicle_id in given.out or ()]
    put_in = [ByHand(Act.VEHICLE_IN, vehicle_id, by=WHO) for vehicle_id in given.put_in or ()]
    goods = given.most_handed_over if given.most_handed_over is not None else None if given.transfers else 0
    return Asked(
        freedom=Freedom(given.free),
        freeze_minutes=given.freeze,
        budget=ChangeBudget(given.most_moved, given.most_broken, goods),
        policy=Policy.SERVE_ALL if given.serve_all else Policy.DROP_LEAST_VALUABLE,
        by_hand=(*out, *put_in),
        seconds=given.seconds,
    )


def _as_record(proposal: Proposal, decision: str) -> dict[str, Any]:
    change = proposal.comparison
    return {
        "plan_id": proposal.plan_id,
        "decision": decision,
        "asked": list(proposal.open_day.asked.words),
        "open_stops": len(proposal.open_day.problem.stops),
        "cost": [proposal.money.before, proposal.money.after],
        "currency": change.currency,
        "distance_km": [change.distance_km.before, change.distance_km.after],
        "late_minutes": [change.late_minutes.before, change.late_minutes.after],
        "promises_broken": [change.promises_broken.before, change.promises_broken.after],
        "stops_moved": len(change.moved),
        "not_served": {stop_id: reason.words for stop_id, reason in proposal.reasons.items()},
        "breaks": [violation.words for violation in change.after.violations],
        "travel": proposal.open_day.problem.matrix.source,
    }


def _say(told: dict[str, Any]) -> None:
    say(f"{told['plan_id']}: {told['decision']}, {told['open_stops']} open stops, {told['stops_moved']} change vehicle")
    say(f"  asked: {'; '.join(told['asked'])}")
    for label, pair, unit in (
        ("cost", told["cost"], told["currency"]),
        ("distance", told["distance_km"], "km"),
        ("late", told["late_minutes"], "min"),
        ("promises broken", told["promises_broken"], ""),
    ):
        say(f"  {label:<16} {pair[0]:>10,.1f} → {pair[1]:>10,.1f} {unit}")
    for words in told["breaks"]:
        say(f"  breaks: {words}")
    for stop_id, why in told["not_served"].items():
        say(f"  not served: {stop_id}: {why}")
    say(f"  travel times: {told['travel']}")


def _told(given: argparse.Namespace) -> Any:
    bar = Progress(quiet=given.json)
    total = max(1, round(given.seconds * 10))

    def tell(progress: routing.Progress) -> None:
        bar(
            min(total, round(progress.elapsed_seconds * 10)), total, f"{progress.phase}, cost {progress.best_cost:,.0f}"
        )

    return tell


def _depot(store: Store, name: str | None) -> str:
    """The depot that is meant, by id or name; the only one where none is named."""
    depots = queries.depots(store)
    found = depots if name is None else depots[(depots.depot_id == name) | (depots.name == name)]
    if len(found) == 1:
        return found.depot_id.iloc[0]
    there = ", ".join(depots.depot_id) or "none: import routes or build the demo first"
    raise NotPossible(f"Name one depot with --depot. There are: {there}.")


def _reoptimize_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--depot", help="its id or name; not needed where there is only one")
    parser.add_argument("--at", type=instant, help="the instant to start from (default: now by the tower's clock)")
    parser.add_argument("--seconds", type=float, default=10, help="how long to search (default 10)")
    parser.add_argument("--seed", type=int, default=1, help="the seed of the search")
    parser.add_argument(
        "--free",
        choices=[str(one) for one in Freedom],
        default="everything",
        help="what may change (default everything)",
    )
    parser.add_argument("--freeze", type=float, default=0, metavar="MINUTES", help="what is reached by then stays")
    parser.add_argument("--most-moved", type=int, metavar="N", help="at most so many stops change vehicle")
    parser.add_argument("--most-broken", type=int, metavar="N", help="at most so many kept promises are broken")
    parser.add_argument("--most-handed-over", type=int, metavar="N", help="at most so many stops' goods change vans")
    parser.add_argument("--transfers", action="store_true", help="any goods may change vans on the road")
    parser.add_argument(
        "--serve-all", action="store_true", help="serve all and say what it breaks, instead of leaving out"
    )
    parser.add_argument(
        "--out", action="append", metavar="VEHICLE", help="a vehicle that drives no more (again for more)"
    )
    parser.add_argument("--put-in", action="append", metavar="VEHICLE", help="a vehicle to put in (again for more)")
    parser.add_argument("--approve", metavar="WHY", help="approve the proposal at once, and say why")
    parser.add_argument(
        "--tell-customers", action="store_true", help="on approval, tell those whose expected time moves (see notices)"
    )


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
    Command(
        "reoptimize",
        "re-optimize what remains of a depot's day",
        "Re-solves what is not executed from the vehicles' present places, and puts the result on record as a proposal.\n"
        "Approve it on the Routes page, or at once with --approve.",
        _reoptimize_arguments,
        _reoptimize,
        json=True,
    ),
)
