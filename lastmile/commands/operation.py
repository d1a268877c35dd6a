"""Commands that run the tower and look after its database: serve, demo, doctor, backup."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from lastmile import demo, doctor
from lastmile.commands.command import Command, Progress, instant, opened_store, records, say, say_json
from lastmile.errors import LastmileError
from lastmile.routing import workers
from lastmile.runtime import database_path

ROOT = Path(__file__).parents[2]


def _serve(given: argparse.Namespace) -> int:
    if not database_path().exists() and not given.empty:
        say("There is no database yet: building the demo operation (28 days of deliveries in Berlin).")
        _build(demo.SEED, demo.DAYS, given.speed, None, quiet=False)
    with opened_store():  # migrates, and says at once where another tower holds the file
        pass
    say(f"The tower is on http://localhost:{given.port} (stop it with Ctrl+C).")
    sys.stdout.flush()
    os.chdir(ROOT)
    arguments = [
        "-m",
        "streamlit",
        "run",
        "app.py",
        "--server.port",
        str(given.port),
        "--server.address",
        given.address,
    ]
    workers.shared().dismiss()  # what built the demo would be left behind
    os.execv(sys.executable, [sys.executable, *arguments])  # noqa: S606 (the same interpreter, our own arguments)


def _serve_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=8501, help="where the tower listens (default 8501)")
    parser.add_argument(
        "--address", default="localhost", help="who may reach it: localhost (default), or 0.0.0.0 for a team"
    )
    parser.add_argument("--speed", type=float, default=demo.SPEED, help="how fast the demo's clock runs (default 1)")
    parser.add_argument("--empty", action="store_true", help="start with an empty database instead of the demo")


def _demo(given: argparse.Namespace) -> int:
    if database_path().exists():
        if not given.replace:
            raise LastmileError(
                f"{database_path()} exists. Add --replace to build the demo in its place (a backup is kept)."
            )
        _put_aside(database_path())
    counts = _build(given.seed, given.days, given.speed, given.until, quiet=given.json)
    if given.json:
        say_json({"database": str(database_path()), "rows": counts})
    else:
        say(
            f"{counts.get('booking', 0):,} deliveries, {counts.get('event', 0):,} events in {database_path()}. Next: make run"
        )
    return 0


def _build(seed: int, days: int, speed: float, until: datetime | None, *, quiet: bool) -> dict[str, int]:
    """Build beside and move into place, so that a build that was stopped leaves nothing half done."""
    final = database_path()
    building = final.with_suffix(".building.duckdb")
    building.unlink(missing_ok=True)
    with opened_store(building) as store:
        counts = demo.build(store, seed=seed, days=days, speed=speed, until=until, progress=Progress(quiet))
        store.cursor().execute("checkpoint")
    building.replace(final)
    return counts


def _put_aside(path: Path) -> None:
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    with opened_store() as store:
        store.backup(path.parent / "backups" / f"{path.stem}.{stamp}.duckdb")
    path.unlink()
    path.with_suffix(".duckdb.wal").unlink(missing_ok=True)


def _demo_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=int, default=demo.SEED, help="the same seed makes the same operation")
    parser.add_argument("--days", type=int, default=demo.DAYS, help="days of history before today (default 28)")
    parser.add_argument(
        "--speed", type=float, default=demo.SPEED, help="how fast its clock runs when served (default 1)"
    )
    parser.add_argument(
        "--until", type=instant, help="where history ends and the live day begins (default: now, in daytime)"
    )
    parser.add_argument(
        "--replace", action="store_true", help="put the present database aside first (a backup is kept)"
    )


def _doctor(given: argparse.Namespace) -> int:
    if given.rebuild:
        with opened_store() as store:
            store.rebuild()
    findings = doctor.examine(database_path())
    if given.json:
        say_json([vars(finding) for finding in findings])
    else:
        for finding in findings:
            say(f"{'ok  ' if finding.ok else 'LOOK'}  {finding.what:<24} {finding.found}")
            if not finding.ok:
                say(f"      {'':<24} → {finding.remedy}")
    return 0 if all(finding.ok for finding in findings) else 1


def _doctor_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rebuild", action="store_true", help="make the derived tables anew from the ledger first")


def _backup(given: argparse.Namespace) -> int:
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    target = given.file or database_path().parent / "backups" / f"{database_path().stem}.{stamp}.duckdb"
    with opened_store() as store:
        store.backup(target)
        counts = store.ask("select source, count(*) as events from event group by source order by source")
    if given.json:
        say_json({"file": str(target), "bytes": target.stat().st_size, "sources": records(counts)})
    else:
        say(f"Saved {int(counts.events.sum()):,} events to {target} ({target.stat().st_size / 1e6:.1f} MB).")
    return 0


def _backup_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file", nargs="?", type=Path, help="where to (default: data/backups, with the time in its name)"
    )


COMMANDS = (
    Command(
        "serve",
        "open the tower in a browser",
        "Serves the tower. Where there is no database, the demo operation is built first, within a minute.",
        _serve_arguments,
        _serve,
    ),
    Command(
        "demo",
        "build the simulated operation",
        "Builds a simulated last-mile operation in Berlin: three depots, four services, 28 days of history, today running\n"
        "live when the tower is served. Its failures have causes; the tower is there to find them.",
        _demo_arguments,
        _demo,
        json=True,
    ),
    Command(
        "doctor",
        "check the installation and the database, and say what to do",
        "Looks at Python, the libraries, free disk, the schema, the derived tables and each source. Exit status 1 where\n"
        "something needs a look.",
        _doctor_arguments,
        _doctor,
        json=True,
    ),
    Command(
        "backup",
        "save a copy of the database",
        "Copies the whole database to one file, from which a tower can be started by naming it in LASTMILE_DATABASE.",
        _backup_arguments,
        _backup,
        json=True,
    ),
)
