"""What writers share: what an import is, what was found to be new, and which rows on record count."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lastmile.ingest.mapping import Mapping

# rows of imports that were taken back count as not there, so the same file can be taken again
LIVE = "(import_id is null or import_id not in (select import_id from undone_import))"


@dataclass(frozen=True)
class Written:
    """How many rows each table gets, and how many rows of the file bring something new."""

    tables: dict[str, int]
    taken: int
    notes: dict[str, int]


@dataclass(frozen=True)
class Import:
    """What the written rows carry: the import's id, its mapping and its instant."""

    import_id: str
    mapping: Mapping
    now: datetime
