"""What each command of the command line is made of."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from lastmile import clock
from lastmile.intake import take_in
from lastmile.runtime import database_path
from lastmile.store import Store


@dataclass(frozen=True)
class Command:
    """One command: its name, a line of help, a text that teaches, its arguments, and what it does."""

    name: str
    help: str
    teaches: str
    arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]
    json: bool = False


@contextmanager
def opened_store(path: Path | None = None) -> Iterator[Store]:
    """The database of this installation, or the one at `path`, with all that was accepted for it; closed at the end."""
    store = Store.open(path or database_path())
    try:
        take_in(store)
        yield store
    finally:
        store.close()


def last_days(store: Store, day_from: date | None, day_to: date | None, days: int) -> tuple[date, date]:
    """The days asked for; up to yesterday by the clocks that the pages go by, and so many, where they are not given."""
    last = day_to or clock.day_at(store, clock.resume(store).now()) - timedelta(days=1)
    return day_from or last - timedelta(days=days - 1), last


def say(text: str) -> None:
    """A line for a person."""
    sys.stdout.write(f"{text}\n")


def say_json(value: Any) -> None:
    """One JSON document; missing values are null, times ISO 8601."""
    sys.stdout.write(json.dumps(value, indent=2, default=_plain, ensure_ascii=False) + "\n")


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame as plain values, missing ones as None."""
    plain = frame.astype(object).where(frame.notna(), None)
    return plain.to_dict("records")


def day(text: str) -> date:
    """A day as YYYY-MM-DD."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day; write it as 2026-11-23") from None


def instant(text: str) -> datetime:
    """An instant as ISO 8601; one without a zone counts as UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not an instant; write it as 2026-11-23T14:00+01:00") from None
    return found if found.tzinfo else datetime.fromisoformat(f"{text}+00:00")


class Progress:
    """One line on a terminal that moves; plain lines elsewhere, and nothing with `quiet`."""

    def __init__(self, quiet: bool = False) -> None:
        self._quiet = quiet
        self._moving = sys.stderr.isatty()

    def __call__(self, done: int, total: int, what: str) -> None:
        if self._quiet:
            return
        share = done / total if total else 1
        if self._moving:
            filled = round(30 * share)
            end = "\n" if done >= total else ""
            sys.stderr.write(f"\r{'█' * filled}{'░' * (30 - filled)} {share:4.0%}  {what:<40}{end}")
        elif done == total or done % max(1, total // 4) == 0:
            sys.stderr.write(f"{share:4.0%}  {what}\n")
        sys.stderr.flush()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date | pd.Timestamp):
        return value.isoformat()
    if hasattr(value, "tolist"):
        return value.tolist()
    return str(value)
