"""The command line behind everything: python -m lastmile COMMAND --help."""

from __future__ import annotations

import argparse
import sys

from lastmile.commands import COMMANDS
from lastmile.errors import LastmileError

DESCRIPTION = """\
Lastmile: a control tower for last-mile delivery.

First steps:
  python -m lastmile serve                      open the tower on http://localhost:8501 (makes the demo where there is no data)
  python -m lastmile guess deliveries.csv       see how a file would be read
  python -m lastmile import deliveries.csv      take it in
  python -m lastmile kpi --by depot             what it says

The database is data/lastmile.duckdb, or the file that LASTMILE_DATABASE names. Only one process can hold it: while the
tower is running, use its pages."""


def parser() -> argparse.ArgumentParser:
    """The whole command line: one sub-command for each entry of COMMANDS."""
    top = argparse.ArgumentParser(
        prog="python -m lastmile", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in COMMANDS:
        sub = commands.add_parser(
            command.name,
            help=command.help,
            description=command.teaches,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.arguments(sub)
        if command.json:
            sub.add_argument("--json", action="store_true", help="print what a program would read")
        sub.set_defaults(run=command.run)
    return top


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0: done, 1: something is wrong and the message says what, 2: the call itself is off."""
    given = parser().parse_args(arguments)
    try:
        return given.run(given)
    except LastmileError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped. Nothing half done was kept.", file=sys.stderr)
        return 1
    except BrokenPipeError:
        return 0


if __name__ == "__main__":
    sys.exit(main())
