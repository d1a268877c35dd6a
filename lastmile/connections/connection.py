"""A system that may send or ask, and what its times and numbers mean."""

from __future__ import annotations

import re
from dataclasses import dataclass
from zoneinfo import available_timezones

from lastmile.errors import NotPossible
from lastmile.model import WindowSemantics

RESERVED = ("tower", "lastmile", "system")
"""Sources under which the tower itself writes: decisions, imports taken back, settings."""

_SOURCE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}")


@dataclass(frozen=True)
class Connection:
    """One system by its `source`; `delivery_source` is the system whose delivery numbers it uses.

    Raises NotPossible where its source is no plain word or is one of the tower's own, or its zone is unknown.
    """

    source: str
    name: str
    zone: str = "UTC"
    window_semantics: str = WindowSemantics.SERVICE_START.value
    delivery_source: str = ""

    def __post_init__(self) -> None:
        if not _SOURCE.fullmatch(self.source):
            raise NotPossible(
                f"{self.source!r} can't name a source. Use small letters, digits, and . _ - between them, such as erp or "
                "carrier-north."
            )
        if self.source in RESERVED:
            raise NotPossible(f"{self.source!r} is the tower's own source. Choose another name.")
        if self.zone not in available_timezones():
            raise NotPossible(f"{self.zone!r} is no IANA zone. Use a name such as Europe/Berlin or UTC.")
        if self.window_semantics not in tuple(WindowSemantics):
            raise NotPossible(f"A window is about {', '.join(WindowSemantics)}; not {self.window_semantics!r}.")
        if self.delivery_source and not _SOURCE.fullmatch(self.delivery_source):
            raise NotPossible(
                f"{self.delivery_source!r} can't name the source of delivery numbers; use one such as erp."
            )

    @property
    def numbers(self) -> str:
        """The system whose delivery numbers it uses: itself where none is named."""
        return self.delivery_source or self.source
