"""Formats of other systems: each a pure function from the body of a message to rows of the tower's own kinds."""

from __future__ import annotations

from lastmile.adapters.adapted import Adapted, BadBody, Format, Unread
from lastmile.adapters.easypost import EASYPOST
from lastmile.adapters.epcis import EPCIS
from lastmile.adapters.epcis_document import epcis_document
from lastmile.adapters.onfleet import ONFLEET
from lastmile.adapters.traccar import TRACCAR, osmand
from lastmile.adapters.x12_214 import X12_214

FORMATS: dict[str, Format] = {format.key: format for format in (X12_214, EASYPOST, ONFLEET, EPCIS, TRACCAR)}

__all__ = ["FORMATS", "Adapted", "BadBody", "Format", "Unread", "epcis_document", "osmand"]
