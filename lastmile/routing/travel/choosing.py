"""Which travel times are used, by one setting."""

from __future__ import annotations

from lastmile.routing.travel.great_circle import GreatCircleTravel
from lastmile.routing.travel.matrix import Travel
from lastmile.routing.travel.service import KINDS, ServiceTravel


def travel_from(setting: str, otherwise: GreatCircleTravel, key: str | None = None, table: str | None = None) -> Travel:
    """What a setting such as `osrm:http://localhost:5000` names; `otherwise` where it is empty, and behind the service.

    `table` is the width of a request that the server allows. Raises ValueError where the setting can't be read.
    """
    if not setting.strip():
        return otherwise
    kind, _, address = setting.strip().partition(":")
    if kind.lower() not in KINDS or not address:
        known = ", ".join(f"{name}:http://…" for name in KINDS)
        raise ValueError(f"{setting!r} names no travel service; write it as one of {known}")
    if table and not table.strip().isdecimal():
        raise ValueError(f"{table!r} is no number of places")
    return ServiceTravel(kind.lower(), address, otherwise, key or None, int(table) if table else None)
