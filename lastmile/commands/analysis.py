"""Commands that ask and act on what is on record: kpi, reoptimize, export."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from lastmile import clock, decisions, exporting, kpis, queries, routing
from lastmile.commands.command import Command, Progress, day, instant, opened_store, say, say_json
from lastmile.errors import NotPossible
from lastmile.model import Scope
from lastmile.replanning import open_day, proposal_of
from lastmile.store import IDENTITIES, MASTER_KEYS, Store

EXPORTABLE = ("delivery", "route_run", *IDENTITIES, *MASTER_KEYS, "quarantine", "import_run")
WHO = "command line"


def _kpi(given: argparse.Namespace) -> int:
    if given.define:
        say(kpis.definitions())
        return 0
    with opened_store() as store:
        found = kpis.measure(
            store,
            given.kpi or list(kpis.CATALOGUE),
            day_from=given.day_from,
            day_to=given.day_to,
            by=tuple(given.by or ()),
            as_of=given.as_of,
            scope=Scope(tuple(given.depot or ()), tuple(given.carrier or ()), tuple(given.service or ())),
        )
    if given.json:
        say_json(kpis.to_records(found))
    else:
        say(kpis.table(found) if len(found) else "No KPI has a row here.")
    return 0


def _kpi_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--define", action="store_true", help="print what each KPI means, as Markdown, and measure nothing"
    )
    parser.add_argument("--kpi", action="append", metavar="KEY", help="only this one (again for more); default: all")
    parser.add_argument("--from", dest="day_from", type=day, metavar="DAY", help="first service day, as 2026-11-01")
    parser.add_argument("--to", dest="day_to", type=day, metavar="DAY", help="last service day")
    parser.add_argument(
        "--by", action="append", metavar="COLUMN", help="split by day, depot, carrier, service … (again for more)"
    )
    parser.add_argument("--as-of", type=instant, metavar="INSTANT", help="as known then, as 2026-11-23T14:00+01:00")
    for name in ("depot", "carrier", "service"):
        parser.add_argument(f"--{name}", action="append", help=f"only this {name} (again for more)")


def _reoptimize(given: argparse.Namespace) -> int:
    with opened_store() as store:
        depot_id = _depot(store, given.depot)
        at = given.at or clock.resume(store).now()
        zone = ZoneInfo(queries.depots(store).set_index("depot_id").zone.get(depot_id, "UTC"))
        start = open_day(
            store,
            depot_id,
            at.astimezone(zone).date(),
            at,
            allow_transfers=given.transfers,
            out_of_service=tuple(given.out or ()),
        )
        solution = routing.solve(start.problem, given.seconds, given.seed, progress=_told(given))
        proposal = proposal_of(store, start, solution, WHO)
        decisions.propose_plan(store, proposal.tables, WHO, at)
        if given.approve:
            decisions.approve_plan(store, proposal.plan_id, WHO, given.approve, at)
    change = proposal.comparison
    told = {
        "plan_id": proposal.plan_id,
        "decision": "approved" if given.approve else "proposed",
        "open_stops": len(start.problem.stops),
        "cost": [change.cost.before, change.cost.after],
        "currency": change.currency,
        "distance_km": [change.distance_km.before, change.distance_km.after],
        "late_minutes": [change.late_minutes.before, change.late_minutes.after],
        "promises_broken": [change.promises_broken.before, change.promises_broken.after],
        "stops_moved": len(change.moved),
        "not_served": {stop_id: reason.words for stop_id, reason in solution.reasons.items()},
    }
    if given.json:
        say_json(told)
        return 0
    say(
        f"{proposal.plan_id}: {told['decision']}, {told['open_stops']} open stops, {told['stops_moved']} change vehicle"
    )
    for label, pair, unit in (
        ("cost", told["cost"], change.currency),
        ("distance", told["distance_km"], "km"),
        ("late", told["late_minutes"], "min"),
        ("promises broken", told["promises_broken"], ""),
    ):
        say(f"  {label:<16} {pair[0]:>10,.1f} → {pair[1]:>10,.1f} {unit}")
    for stop_id, why in told["not_served"].items():
        say(f"  not served: {stop_id}: {why}")
    return 0


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
        "--out", action="append", metavar="VEHICLE", help="a vehicle that drives no more (again for more)"
    )
    parser.add_argument("--transfers", action="store_true", help="goods may change vans on the road")
    parser.add_argument("--approve", metavar="WHY", help="approve the proposal at once, and say why")


def _export(given: argparse.Namespace) -> int:
    with opened_store() as store:
        frame = store.ask(f"from {given.what}")
    content = exporting.csv_bytes(frame)
    if given.file is None:
        sys.stdout.buffer.write(content)
    else:
        given.file.write_bytes(content)
        say(f"{len(frame):,} rows of {given.what} in {given.file}")
    return 0


def _export_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=EXPORTABLE, metavar="TABLE", help=f"one of {', '.join(EXPORTABLE)}")
    parser.add_argument("file", nargs="?", type=Path, help="where to (default: standard output)")


COMMANDS = (
    Command(
        "kpi",
        "the KPIs of a period, at any grain",
        "Measures the KPIs of the catalogue from the ledger. Examples:\n"
        "  python -m lastmile kpi --from 2026-11-01 --to 2026-11-22 --by depot --by service\n"
        "  python -m lastmile kpi --kpi on_time_rate --by day --json",
        _kpi_arguments,
        _kpi,
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
    Command(
        "export",
        "write a table as CSV",
        "Writes a table of the database as CSV; cells that a spreadsheet would run as a formula are neutralized.",
        _export_arguments,
        _export,
    ),
)
