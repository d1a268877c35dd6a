"""Rows that come over HTTP: checked by the same catalogues as files, put on the disk, and taken into the ledger in batches."""

from lastmile.intake.checking import Judged, judge
from lastmile.intake.fields import KINDS, Kind, RowField
from lastmile.intake.quarantine import decide, quarantined, waiting
from lastmile.intake.queue import Busy, Intake, Outcome, Receipt, Sent
from lastmile.intake.receiving import scopes_of
from lastmile.intake.writing import take_in

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
    "take_in",
    "waiting",
]
