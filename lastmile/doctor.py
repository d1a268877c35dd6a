"""Checks the installation and the database, and says what to do."""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from lastmile.errors import LastmileError
from lastmile.intake import journal
from lastmile.store import DERIVED, Store

ROOT = Path(__file__).parents[1]
ENOUGH_FREE_BYTES = 1_000_000_000


@dataclass(frozen=True)
class Finding:
    """One thing that was checked: `ok`, what was found, and what to do where it is not well."""

    what: str
    ok: bool
    found: str
    remedy: str = ""


def examine(path: Path) -> list[Finding]:
    """All findings about the installation and the database at `path`; never raises for what it finds."""
    findings = [_python(), *_libraries(), _disk(path)]
    if not path.exists():
        return [
            *findings,
            Finding("database", False, f"{path} is not there", "Make one with: make run, or import a file"),
        ]
    try:
        store = Store.open(path)
    except LastmileError as error:
        return [*findings, Finding("database", False, str(error), "See the sentence before")]
    try:
        return findings + _database(store)
    finally:
        store.close()


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding("Python", sys.version_info >= (3, 11), version, "Install Python 3.11 or newer")


def _libraries() -> list[Finding]:
    pins = re.findall(r"^([A-Za-z0-9_-]+)==([^\s#]+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    wrong = [f"{name} {_installed(name)} (pinned {pin})" for name, pin in pins if _installed(name) != pin]
    found = f"{len(pins)} as pinned" if not wrong else ", ".join(wrong)
    return [Finding("libraries", not wrong, found, "Run: make run (it installs requirements.txt)")]


def _installed(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "missing"


def _disk(path: Path) -> Finding:
    folder = next(parent for parent in [path.parent, *path.parent.parents] if parent.exists())
    free = shutil.disk_usage(folder).free
    return Finding("free disk", free > ENOUGH_FREE_BYTES, f"{free / 1e9:.1f} GB", "Free at least 1 GB")


def _database(store: Store) -> list[Finding]:
    size = store.path.stat().st_size / 1e6
    findings = [
        Finding("database", True, f"{store.path}, {size:.1f} MB"),
        Finding("schema", True, f"version {store.schema_version()}"),
    ]
    findings += [_derived(store, derived.table, derived.everything) for derived in DERIVED]
    counts = store.ask(
        "select source, count(*) as n, max(recorded_at) as last from event group by source order by source"
    )
    findings += [
        Finding(f"source {row.source}", True, f"{row.n:,} events, last {row.last:%Y-%m-%d %H:%M} UTC")
        for row in counts.itertuples()
    ]
    held = store.value("select count(*) from quarantine")
    findings.append(Finding("quarantine", True, f"{held:,} rows held" if held else "empty"))
    findings.append(_accepted(store))
    repeated = store.value(
        "select count(*) - count(distinct event_id) from event "
        "where import_id is null or import_id not in (select import_id from undone_import)"
    )
    findings.append(
        Finding("event ids", repeated == 0, f"{repeated} repeated", "Report this: the ledger should refuse repeats")
    )
    return findings


def _accepted(store: Store) -> Finding:
    """Whether all that was answered for over HTTP is in the ledger."""
    aside = [path.name for path in journal.aside(store.path)]
    if aside:
        told = f"Report this with the tower's log: the ledger did not take what is in {', '.join(aside)}"
        return Finding("accepted rows", False, f"{len(aside)} set aside", told)
    waiting = len(journal.files(store.path))
    return Finding(
        "accepted rows", True, f"{waiting} waiting, taken in at the next start" if waiting else "all in the ledger"
    )


def _derived(store: Store, table: str, everything: str) -> Finding:
    """Whether a derived table says the same as the ledger."""
    differing = store.value(
        f"select count(*) from ((from {table} except from ({everything})) union all (from ({everything}) except from {table}))"
    )
    return Finding(
        f"table {table}",
        differing == 0,
        f"{differing} rows differ from the ledger",
        "Run: python -m lastmile doctor --rebuild",
    )
