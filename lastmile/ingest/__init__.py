"""Files in: readers, mappings, validation, quarantine."""

from lastmile.ingest.errors import BadMapping, ImportCancelled, UnreadableFile
from lastmile.ingest.guessing import Finding, Guess, guess
from lastmile.ingest.importing import (
    ImportResult,
    Preview,
    ProblemGroup,
    preview,
    run_import,
)
from lastmile.ingest.mapping import Mapping, load, parse
from lastmile.ingest.mapping_text import dump, save
from lastmile.ingest.recorded import imports, quarantine_csv, quarantined, undo_import
from lastmile.ingest.shipped import keep, mappings, named

__all__ = [
    "BadMapping",
    "Finding",
    "Guess",
    "ImportCancelled",
    "ImportResult",
    "Mapping",
    "Preview",
    "ProblemGroup",
    "UnreadableFile",
    "dump",
    "guess",
    "imports",
    "keep",
    "load",
    "mappings",
    "named",
    "parse",
    "preview",
    "quarantine_csv",
    "quarantined",
    "run_import",
    "save",
    "undo_import",
]
