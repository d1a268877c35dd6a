"""Rows that come over HTTP: checked by the same catalogues as files, queued, and written in batches by one thread."""

from lastmile.intake.checking import Judged, judge
from lastmile.intake.fields import KINDS, Kind, RowField
from lastmile.intake.quarantine import decide, quarantined, waiting
from lastmile.intake.queue import Busy, Intake, Outcome, Receipt, Sent
from lastmile.intake.receiving import scopes_of

__all__ = [
    "KINDS",
    "Busy",
    "Intake",
    "Judged",
    "Kind",
    "Outcome",
    "Receipt",
    "RowField",
    "Sent",
    "decide",
    "judge",
    "quarantined",
    "scopes_of",
    "waiting",
]
