"""Commands that bring files in: guess, import."""

from __future__ import annotations

import argparse
import getpass
from pathlib import Path

from lastmile import clock, ingest
from lastmile.commands.command import Command, Progress, opened_store, records, say, say_json
from lastmile.ingest import Guess, ImportResult, Mapping, Preview
from lastmile.store import Store


def _guess(given: argparse.Namespace) -> int:
    with opened_store() as store:
        guessed = _guessed(store, given.file)
        preview = ingest.preview(store, given.file, guessed.mapping) if guessed.mapping is not None else None
    if given.json:
        say_json(
            {
                "mapping": guessed.text,
                "known": guessed.known,
                "confidence": guessed.confidence,
                "columns": [vars(finding) for finding in guessed.findings],
                "missing": guessed.missing,
                "questions": list(guessed.questions),
                "preview": None if preview is None else _counts(preview),
            }
        )
        return 0 if guessed.mapping is not None else 1
    sure = f"recognised as {guessed.known}" if guessed.known else f"a first guess, {guessed.confidence:.0%} sure"
    say(f"# {given.file.name}: {sure}")
    say(guessed.text)
    for question in filter(None, (guessed.missing, *guessed.questions)):
        say(f"? {question}")
    if preview is not None:
        _say_counts(preview)
    say("Save the text above as a .toml file, change what is wrong, and import with --mapping FILE.toml.")
    return 0 if guessed.mapping is not None else 1


def _guess_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="CSV, TSV, Excel, JSON lines, JSON or Parquet")


def _import(given: argparse.Namespace) -> int:
    with opened_store() as store:
        if given.undo:
            ingest.undo_import(store, given.undo, getpass.getuser(), given.why or "taken back on the command line")
            say(f"Import {given.undo} was taken back: its rows stay on record and count for nothing.")
            return 0
        results = {file: _one(store, file, given) for file in given.files}
        now = clock.hold_at_end_of_data(store, getpass.getuser())
    if given.json:
        say_json({"files": {str(file): _counts(result) for file, result in results.items()}, "clock": now.now()})
    elif given.files and not given.preview:
        say(f"The tower's clock: {now.mode}, {now.now():%Y-%m-%d %H:%M} UTC.")
    return 0 if given.files else 2


def _one(store: Store, file: Path, given: argparse.Namespace) -> ImportResult | Preview:
    mapping = _mapping(store, file, given.mapping)
    if given.preview:
        found: ImportResult | Preview = ingest.preview(store, file, mapping, None)
    else:
        bar = Progress(quiet=given.json)
        found = ingest.run_import(
            store, file, mapping, getpass.getuser(), lambda share, told: bar(round(share * 100), 100, told)
        )
    if not given.json:
        say(f"{file.name}, read as {mapping.name}:")
        _say_counts(found)
    return found


def _mapping(store: Store, file: Path, name: str | None) -> Mapping:
    if name is not None:
        return ingest.named(name)
    guessed = _guessed(store, file)
    if guessed.missing and not guessed.findings:
        raise ingest.BadMapping(f"{guessed.missing} The first guess: python -m lastmile guess {file}")
    if guessed.known is None or guessed.mapping is None:
        raise ingest.BadMapping(
            f"{file.name} is no export that is known by its columns. See the first guess with: python -m lastmile guess "
            f"{file}, and import with --mapping."
        )
    return guessed.mapping


def _guessed(store: Store, file: Path) -> Guess:
    with store.cursor() as connection:
        return ingest.guess(connection, file)


def _counts(found: ImportResult | Preview) -> dict:
    told = {name: getattr(found, name) for name in ("rows_read", "rows_taken", "rows_repeated", "rows_refused")}
    told |= {"tables": found.tables, "notes": list(found.notes), "problems": [vars(one) for one in found.problems]}
    if isinstance(found, ingest.ImportResult):
        return {"import_id": found.import_id} | told
    return told | {"refused": records(found.refused)}


def _say_counts(found: ImportResult | Preview) -> None:
    rows = "row" if found.rows_read == 1 else "rows"
    say(
        f"  {found.rows_read:,} {rows} read = {found.rows_taken:,} taken + {found.rows_repeated:,} repeated "
        f"+ {found.rows_refused:,} refused"
    )
    for note in found.notes:
        say(f"  note: {note}")
    for problem in found.problems:
        where = f"column {problem.column}, " if problem.column else ""
        rows = ", ".join(str(row) for row, _ in problem.examples)
        more = " …" if problem.rows > len(problem.examples) else ""
        say(f"  refused: {where}rows {rows}{more} ({problem.rows:,}): {problem.problem}; {problem.remedy}")
    if isinstance(found, ingest.ImportResult):
        say(f"  to take it back: python -m lastmile import --undo {found.import_id}")


def _import_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="*", type=Path, help="CSV, TSV, Excel, JSON lines, JSON or Parquet")
    parser.add_argument("--mapping", help="a name in data/mappings, or a path to a .toml file (default: recognised)")
    parser.add_argument("--preview", action="store_true", help="only say what would be taken and refused")
    parser.add_argument("--undo", metavar="IMPORT", help="take an import back, by its id")
    parser.add_argument("--why", help="why it is taken back")


COMMANDS = (
    Command(
        "import",
        "bring files in",
        "Reads files into the ledger. Rows that can't be taken go to quarantine, whole, with the reason; the same file\n"
        "twice changes nothing. Examples:\n"
        "  python -m lastmile import data/templates/orders.csv\n"
        "  python -m lastmile import export.csv --mapping optimoroute --preview",
        _import_arguments,
        _import,
        json=True,
    ),
    Command(
        "guess",
        "see how a file would be read",
        "Prints the mapping that fits a file: a known one, or a first guess to review, with a preview. Writes nothing.",
        _guess_arguments,
        _guess,
        json=True,
    ),
)
