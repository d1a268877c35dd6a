"""Re-optimizing a depot's day, or that of all depots, from the command line: reoptimize."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from lastmile import clock, decisions, queries, routing
from lastmile.commands.command import Command, Progress, instant, opened_store, say, say_json
from lastmile.errors import NotPossible
from lastmile.replanning import Act, Asked, ByHand, OpenDay, Proposal, approve, open_day, proposal_of
from lastmile.routing import ChangeBudget, Freedom, Policy, workers
from lastmile.store import Store

WHO = "command line"
ALL = "all"


def _reoptimize(given: argparse.Namespace) -> int:
    if given.depot == ALL and (given.out or given.put_in):
        raise NotPossible("--out and --put-in are about vehicles of one depot: name it with --depot.")
    workers.shared().warm()  # while the day is read
    with opened_store() as store:
        at = given.at or clock.resume(store).now()
        days, refused = _open_days(store, given, at)
        with _interrupts() as stopped:
            solutions = _solved(days, given, stopped)
        if stopped.is_set():
            raise KeyboardInterrupt
        made = [_recorded(store, days[depot_id], solutions[depot_id], given, at) for depot_id in days]
    _tell([_as_record(one, "approved" if given.approve else "proposed") for one in made], refused, given)
    return 1 if refused else 0


def _open_days(store: Store, given: argparse.Namespace, at: datetime) -> tuple[dict[str, OpenDay], dict[str, str]]:
    """What remains of the day of each depot that is meant, and why not where that can't be told."""
    zones, days, refused = queries.depots(store).set_index("depot_id").zone, {}, {}
    for depot_id in _depots(store, given.depot):
        today = at.astimezone(ZoneInfo(zones.get(depot_id, "UTC"))).date()
        try:
            days[depot_id] = open_day(store, depot_id, today, at, _asked(given))
        except NotPossible as error:
            if given.depot != ALL:
                raise
            refused[depot_id] = str(error)
    return days, refused


def _solved(
    days: Mapping[str, OpenDay], given: argparse.Namespace, stopped: threading.Event
) -> dict[str, routing.Solution]:
    """A plan for each depot: one by all cores, several beside each other."""
    bars = _Bars(list(days), given)
    problems = {depot_id: one.problem for depot_id, one in days.items()}
    if len(problems) != 1:
        return routing.solve_many(problems, given.seconds, given.seed, bars, lambda _: stopped.is_set())
    [(depot_id, problem)] = problems.items()
    return {
        depot_id: routing.solve(
            problem, given.seconds, given.seed, lambda told: bars(depot_id, told), cancelled=stopped.is_set
        )
    }


@contextmanager
def _interrupts() -> Iterator[threading.Event]:
    """Ctrl-C sets the event, so that a search can end by itself; a second one ends the program at once."""
    stopped, before = threading.Event(), signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread():
        yield stopped
        return

    def stop(*_: object) -> None:
        stopped.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, stop)
    try:
        yield stopped
    finally:
        signal.signal(signal.SIGINT, before)


def _recorded(
    store: Store, start: OpenDay, solution: routing.Solution, given: argparse.Namespace, at: datetime
) -> Proposal:
    """The proposal on record, and in force where somebody said why."""
    proposal = proposal_of(store, start, solution, WHO)
    decisions.propose_plan(store, proposal.tables, WHO, at)
    if given.approve:
        approve(store, proposal, proposal, WHO, given.approve, at, tell_customers=given.tell_customers)
    return proposal


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
        "depot_id": proposal.open_day.depot_id,
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
        "notes": list(proposal.solution.notes),
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
    for note in told["notes"]:
        say(f"  {note}")
    say(f"  travel times: {told['travel']}")


def _tell(told: list[dict[str, Any]], refused: Mapping[str, str], given: argparse.Namespace) -> None:
    if given.json:
        left_out = [{"depot_id": depot_id, "refused": words} for depot_id, words in refused.items()]
        say_json([*told, *left_out] if given.depot == ALL else told[0])
        return
    for one in told:
        _say(one)
    for depot_id, words in refused.items():
        sys.stderr.write(f"{depot_id}: {words}\n")


class _Bars:
    """How far the search of each depot is: one line that moves for one depot, a line for each stage of each of several."""

    def __init__(self, depot_ids: list[str], given: argparse.Namespace) -> None:
        self._bar = Progress(quiet=given.json)
        self._total = max(1, round(given.seconds * 10))
        self._of_many = len(depot_ids) > 1
        self._quiet, self._lock = given.json, threading.Lock()
        self._stages = dict.fromkeys(depot_ids, "")

    def __call__(self, depot_id: str, told: routing.Progress) -> None:
        if self._of_many:
            self._tell_stage(depot_id, told)
            return
        done = min(self._total, round(told.elapsed_seconds * 10))
        self._bar(done, self._total, f"{told.phase}, cost {told.best_cost:,.0f}")

    def _tell_stage(self, depot_id: str, told: routing.Progress) -> None:
        with self._lock:
            if self._quiet or self._stages[depot_id] == told.phase:
                return
            self._stages[depot_id] = told.phase
            cost = f"cost {told.best_cost:,.0f}"
            sys.stderr.write(f"{depot_id:<8} {told.elapsed_seconds:6.1f} s  {told.phase}, {cost}\n")
            sys.stderr.flush()


def _depots(store: Store, name: str | None) -> list[str]:
    """The depots that are meant: all of them, one by id or name, or the only one where none is named."""
    depots = queries.depots(store)
    found = depots if name in (None, ALL) else depots[(depots.depot_id == name) | (depots.name == name)]
    if len(found) == 1 or (name == ALL and len(found)):
        return found.depot_id.to_list()
    there = ", ".join(depots.depot_id) or "none: import routes or build the demo first"
    raise NotPossible(f"Name one depot with --depot, or {ALL}. There are: {there}.")


def _reoptimize_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--depot", help=f"its id or name, or {ALL}; not needed where there is only one")
    parser.add_argument("--at", type=instant, help="the instant to start from (default: now by the tower's clock)")
    parser.add_argument("--seconds", type=float, default=10, help="how long to search for each depot (default 10)")
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


COMMANDS = (
    Command(
        "reoptimize",
        "re-optimize what remains of a depot's day, or of all depots' days",
        "Re-solves what is not executed from the vehicles' present places, and puts the result on record as a proposal.\n"
        "Approve it on the Routes page, or at once with --approve. With --depot all, every depot gets a proposal of its own,\n"
        "as many searched at once as there are cores; one that has no plan in force is told, and the exit status is 1. Ctrl-C\n"
        "ends the search, and nothing is proposed. Examples:\n"
        "  python -m lastmile reoptimize --depot Westhafen --seconds 5\n"
        "  python -m lastmile reoptimize --depot all --json",
        _reoptimize_arguments,
        _reoptimize,
        json=True,
    ),
)
