"""Commands that ask what is on record: kpi, export."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lastmile import exporting, kpis
from lastmile.commands.command import Command, day, instant, opened_store, say, say_json
from lastmile.model import Scope
from lastmile.store import IDENTITIES, MASTER_KEYS

EXPORTABLE = ("delivery", "route_run", *IDENTITIES, *MASTER_KEYS, "quarantine", "import_run")


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
        "export",
        "write a table as CSV",
        "Writes a table of the database as CSV; cells that a spreadsheet would run as a formula are neutralized.",
        _export_arguments,
        _export,
    ),
)
