"""What answers questions about the ledger: the store itself, or a snapshot of it."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd


class Answering(ABC):
    """Answers questions. `at` is the tower's instant that its answers are of; None where they are of the present.

    `version` counts committed writes, so that a cache can use it as a key; `deeds` those among them that did not only bring
    what a feed or another system told, as they do every second.
    """

    path: Path
    version: int
    deeds: int
    version_of_all: int
    """The version of what may change any day, also one long past: an import, master data, a setting."""
    at: datetime | None = None
    _version_of_day: Mapping[date, int]

    @abstractmethod
    def cursor(self) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        """A connection for one question."""

    def ask(self, sql: str, **parameters: Any) -> pd.DataFrame:
        """The answer to one question, times in UTC."""
        with self.cursor() as cursor:
            return cursor.execute(sql, parameters or None).df()

    def value(self, sql: str, **parameters: Any) -> Any:
        """The first column of the first row, None where there is no row."""
        with self.cursor() as cursor:
            row = cursor.execute(sql, parameters or None).fetchone()
        return None if row is None else row[0]

    def setting(self, key: str, default: Any = None) -> Any:
        """The last value that was set for a key."""
        text = self.value("select arg_max(value, recorded_at)::varchar from setting where key = $key", key=key)
        return default if text is None else json.loads(text)

    def version_of(self, day_from: date | None, day_to: date | None) -> int:
        """The version of what is known about some service days: it grows only with writes that may change them."""
        within = [
            version
            for day, version in self._version_of_day.items()
            if (day_from is None or day >= day_from) and (day_to is None or day <= day_to)
        ]
        return max([self.version_of_all, *within])
