"""Engines side by side: python -m bench.routing [--quick], or make bench-routing.

Every engine gets the same problem, wall clock and cores, by turns in one run; what it returns is judged by the program's
own evaluator. Adds a dated table to docs/routing-benchmarks.md (not with --quick).
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from bench.routing.cases import QUICK_MIDDAY, QUICK_STATIC, USUAL, Case, midday_case, static_case
from bench.routing.measuring import best_known, measure
from bench.routing.references import LONG_ENGINES, keep, known_references, search_long
from bench.routing.table import tables
from lastmile.routing.peers import ENGINES

TABLE = Path(__file__).parents[2] / "docs" / "routing-benchmarks.md"


def arguments() -> argparse.ArgumentParser:
    """What can be chosen of a run."""
    parser = argparse.ArgumentParser(prog="python -m bench.routing", description=__doc__.split("\n\n")[0])
    parser.add_argument(
        "--quick", action="store_true", help="few instances, 1 and 3 s: about three minutes; no table kept"
    )
    parser.add_argument("--seconds", type=float, nargs="+", help="time limits (default 1 3 10; with --quick 1 3)")
    parser.add_argument(
        "--instances", nargs="+", metavar="NAME", help="such as urban-300-1, RC1-400-2, or .vrp and .txt files"
    )
    parser.add_argument("--kind", choices=("static", "mid-day"), help="only this kind (default both)")
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument(
        "--day-seeds",
        type=int,
        nargs="+",
        default=[1],
        help="of the mid-day cases: other breakdowns, other urgent orders",
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[1], help="of the engines; figures are means over them")
    parser.add_argument("--cores", type=int, default=min(2, os.cpu_count() or 1), help="for each engine (default 2)")
    parser.add_argument("--write", action=argparse.BooleanOptionalAction, help=f"add the tables to {TABLE.name}")
    parser.add_argument(
        "--references",
        action="store_true",
        help="instead: a minute for each engine and case, the best kept as reference",
    )
    return parser


def main(given: argparse.Namespace) -> None:
    """Measure, print, and keep the table."""
    if given.references:
        engines = tuple(given.engines) if given.engines != list(ENGINES) else LONG_ENGINES
        search_long(given.instances or list(USUAL), given.cores, engines)
        return
    busy = _load()
    seconds = given.seconds or ([1, 3] if given.quick else [1, 3, 10])
    found = list(measure(_cases(given), given.engines, seconds, given.seeds, given.cores))
    best = best_known(found, known_references(), given.cores)
    text = f"{_heading(given.cores, busy)}\n\n{tables(found, best)}"
    print(text)
    if given.write or (given.write is None and not given.quick):
        keep([one for one in best.values() if (one.case, one.kind) in known_references()])
        with TABLE.open("a", encoding="utf-8") as kept:
            kept.write(f"\n{text}")


def _load() -> float | None:
    """How many processes wanted a core in the last minute, where the system says so."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def _heading(cores: int, busy: float | None) -> str:
    """The day and the machine; what else it had to do tells how far times can be trusted."""
    load = "" if busy is None else f", load {busy:.1f} on {os.cpu_count()} cores before the run"
    return f"## {date.today():%Y-%m-%d}, {cores} cores for each engine, Python {platform.python_version()}{load}"  # noqa: DTZ011


def _cases(given: argparse.Namespace) -> Iterable[Case]:
    static = given.instances or (QUICK_STATIC if given.quick else USUAL)
    under_way = given.instances or (QUICK_MIDDAY if given.quick else USUAL)
    if given.kind != "mid-day":
        yield from map(static_case, static)
    if given.kind != "static":
        yield from (midday_case(name, seed) for name in under_way for seed in given.day_seeds)


if __name__ == "__main__":
    sys.exit(main(arguments().parse_args()))
