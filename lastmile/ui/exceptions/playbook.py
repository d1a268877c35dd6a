"""The playbook's actions as buttons."""

from __future__ import annotations

from typing import Any

from lastmile.ui.exceptions.deeds import Deed


def deeds_of(row: Any) -> list[Deed]:
    """What the rule's playbook says to do about an exception, the first the one to try first."""
    return []
