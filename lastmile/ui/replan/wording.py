"""Stops as people call them: sentences of the routing name them by id."""

from __future__ import annotations

import re

from lastmile.replanning import OpenDay


def named(start: OpenDay, words: str) -> str:
    """A sentence with each stop's recipient in the place of its id."""
    ids = sorted((id for id in start.labels if id in words), key=len, reverse=True)
    if not ids:
        return words
    return re.sub("|".join(map(re.escape, ids)), lambda found: str(start.labels[found.group()]), words)
