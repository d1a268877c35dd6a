"""The command that solves a routing instance from a file with any engine: solve."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from lastmile.commands.command import Command, say, say_json
from lastmile.routing import peers
from lastmile.routing.instances import Distances, Instance, KnownSolution, known_solution, read_instance

TRACE_LINES = 12


def _solve(given: argparse.Namespace) -> int:
    try:
        peers.require(given.engine)
    except peers.EngineMissing as error:
        sys.stderr.write(f"{error}\n")
        return 2
    instance = read_instance(given.file, given.distances)
    known = known_solution(given.file, instance)
    made = peers.run(given.engine, instance.problem, given.seconds, given.seed, given.cores)
    told = _told(instance, known, made, given)
    if given.json:
        say_json(told)
    else:
        _say(instance, told)
    return 0


def _told(
    instance: Instance, known: KnownSolution | None, made: peers.EngineRun, given: argparse.Namespace
) -> dict[str, Any]:
    gap = None if known is None or made.unserved else made.cost / known.cost - 1
    return {
        "instance": instance.name,
        "customers": instance.sheet.customers,
        "distances": instance.distances.value,
        "distances_words": instance.distances.words,
        "engine": made.engine,
        "seconds": given.seconds,
        "cores": given.cores,
        "seed": given.seed,
        "cost": made.cost,
        "distance": made.evaluation.distance_km,
        "vehicles": made.vehicles,
        "vehicles_available": len(instance.problem.vehicles),
        "unserved": list(made.evaluation.unserved),
        "first_plan_seconds": made.first_plan_seconds,
        "elapsed_seconds": made.elapsed_seconds,
        "trace": [[point.seconds, point.cost] for point in made.trace],
        "best_known": None if known is None else known.cost,
        "gap": gap,
        "notes": list(made.notes),
        "routes": {vehicle_id: list(row) for vehicle_id, row in made.routes.items() if row},
    }


def _say(instance: Instance, told: dict[str, Any]) -> None:
    first = told["first_plan_seconds"]
    say(instance.words)
    say(f"{told['engine']}, {told['elapsed_seconds']:.2f} s on {told['cores']} core(s), seed {told['seed']}")
    say(f"  cost        {told['cost']:,.1f}{_gap_words(told)}")
    say(f"  vehicles    {told['vehicles']} of {told['vehicles_available']}")
    say(f"  unserved    {len(told['unserved'])}")
    say(f"  first plan  {'none' if first is None else f'after {first:.2f} s'}")
    for seconds, cost in told["trace"][:: max(1, len(told["trace"]) // TRACE_LINES)]:
        say(f"    {seconds:6.2f} s  {cost:,.1f}")
    for note in told["notes"]:
        say(f"  {note}")


def _gap_words(told: dict[str, Any]) -> str:
    if told["best_known"] is None:
        return " (no .sol beside the file to compare with)"
    if told["gap"] is None:
        return f" (best known {told['best_known']:,.1f}, which serves all)"
    return f" ({told['gap']:+.2%} against the best known, {told['best_known']:,.1f})"


def _distances(text: str) -> Distances:
    try:
        return Distances(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(Distances)}") from None


def _more_than_zero(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not above zero")
    return number


def _cores(text: str) -> int:
    number = int(text)
    if not 1 <= number <= (os.cpu_count() or 1):
        raise argparse.ArgumentTypeError(f"this machine has {os.cpu_count()} cores")
    return number


def _solve_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="a VRPLIB (.vrp) or Solomon / Gehring–Homberger (.txt) file")
    parser.add_argument("--seconds", type=_more_than_zero, default=10, help="wall clock for the search (default 10)")
    parser.add_argument("--engine", choices=peers.ENGINES, default="ours", help="who solves it (default ours)")
    parser.add_argument("--cores", type=_cores, default=os.cpu_count() or 1, help="how many cores (default all)")
    parser.add_argument("--seed", type=int, default=1, help="the seed of the search (default 1)")
    parser.add_argument(
        "--distances",
        type=_distances,
        metavar="CONVENTION",
        help="dimacs: truncated to a tenth, times ten; rounded; plain; given: the file's own matrix. "
        "Default: what results on such files are published in",
    )


COMMANDS = (
    Command(
        "solve",
        "solve a routing instance from a file, by any engine",
        "Solves a VRPLIB or Solomon file with the tower's own engine, or with one of those it is measured against, and\n"
        "says what came out by one and the same evaluator; with the gap where a .sol file lies beside. Examples:\n"
        "  python -m lastmile solve R1_10_1.vrp --seconds 10\n"
        "  python -m lastmile solve RC1_4_1.txt --engine pyvrp --cores 2 --json",
        _solve_arguments,
        _solve,
        json=True,
    ),
)
