"""The HTTP routes beside the pages, as thin as pages: map data, health, and the door for other systems."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.routing import BaseRoute

from lastmile.api import asking, fallback, health, manual, map_data, receipts, sending
from lastmile.api.map_data import draw_basemap

__all__ = ["draw_basemap", "routes"]


def routes() -> Sequence[BaseRoute]:
    """All routes of the tower. What touches the database runs in threads or waits, and never holds up the pages."""
    door = [*health.ROUTES, *sending.ROUTES, *receipts.ROUTES, *asking.ROUTES, *manual.ROUTES]
    return [*door, *map_data.ROUTES, *fallback.routes(door)]
