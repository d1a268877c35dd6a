"""The playbook's actions as buttons: what each asks, and doing it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from lastmile import queries
from lastmile.errors import NotPossible
from lastmile.exceptions.actions import ACTIONS, Action, perform
from lastmile.ui import format
from lastmile.ui.desk import Desk
from lastmile.ui.exceptions import deeds
from lastmile.ui.exceptions.deeds import A_WORD, WHY, Deed, Field

ICONS = {
    "reoptimize_first": "auto_fix_high",
    "reoptimize_depot": "auto_fix_high",
    "reoptimize_without": "auto_fix_high",
    "move_to_vehicle": "move_down",
    "change_promise": "edit_calendar",
    "call_list": "list_alt",
    "reattempt": "event_repeat",
    "hand_to_carrier": "handshake",
    "escalate": "arrow_upward",
    "call_driver": "call",
    "call_depot": "call",
    "call_carrier": "call",
    "quarantine": "pan_tool",
}
SPAN = re.compile(r"(\d{1,2}):(\d\d)\s*[-–]\s*(\d{1,2}):(\d\d)")


def deeds_of(row: Any) -> list[Deed]:
    """What the rule's playbook says to do about an exception, the first the one to try first."""
    return [DEEDS[key] for key in row.playbook if key in DEEDS]


def _vehicle(desk: Desk, found: Sequence[Any]) -> Field:
    """The vans of its depot that have a route today, but for its own."""
    depots = {row.depot_id for row in found}
    vehicles = desk.ask(queries.vehicles, desk.at, desk.day, desk.view.scope, desk.view.as_of)
    there = vehicles[vehicles.depot_id.isin(depots) & ~vehicles.vehicle_id.isin({row.vehicle_id for row in found})]
    return Field(
        "vehicle_id", "Which van", {row.vehicle_id: f"{row.vehicle_id} ({row.status})" for row in there.itertuples()}
    )


def _carrier(desk: Desk, found: Sequence[Any]) -> Field:  # noqa: ARG001
    return Field("carrier_id", "Which carrier", dict(desk.view.choices.carriers))


def _window(desk: Desk, found: Sequence[Any]) -> Field:  # noqa: ARG001
    return Field("window", "New window", placeholder="13:00–15:00; empty: as it is expected now", wanted=False)


def _why(desk: Desk, found: Sequence[Any]) -> Field:  # noqa: ARG001
    return replace(A_WORD, label="What came of it")


ASKS = {"vehicle_id": _vehicle, "carrier_id": _carrier, "window": _window, "why": _why}


def _deed(action: Action) -> Deed:
    def ask(desk: Desk, found: Sequence[Any]) -> tuple[Field, ...]:
        return tuple(ASKS[name](desk, found) for name in action.asks)

    def do(desk: Desk, seen: Mapping[str, int], said: Mapping[str, Any]) -> pd.DataFrame:
        given = {name: said.get(name) for name in action.asks if name != WHY}
        if "window" in given:
            given["window"] = window(given["window"], desk)
        return perform(
            desk.store, action.key, seen, desk.view.actor, desk.tower.now(), why=said.get(WHY) or "",
            begin=desk.tower.begin, **given,
        )  # fmt: skip

    return Deed(
        action.key, action.label, ICONS.get(action.key, "play_arrow"), action.meaning, do,
        asks=ask if action.asks else None, opens=action.opens,
    )  # fmt: skip


def window(text: str | None, desk: Desk) -> tuple[datetime, datetime] | None:
    """ "13:00–15:00" on the desk's day and clocks as two instants; None where nothing is said."""
    if not (text or "").strip():
        return None
    told = SPAN.fullmatch(text.strip())
    if told is None or int(told[1]) > 23 or int(told[3]) > 23 or int(told[2]) > 59 or int(told[4]) > 59:
        raise NotPossible("Say the new window as two times, such as 13:00–15:00, or leave it empty.")
    zone = ZoneInfo(desk.zone)
    start = datetime.combine(desk.day, time(int(told[1]), int(told[2])), zone)
    end = datetime.combine(desk.day, time(int(told[3]), int(told[4])), zone)
    if end <= start or end <= desk.tower.now():
        raise NotPossible(
            f"The new window must end after it begins, and after now ({format.clock(desk.tower.now(), desk.zone)})."
        )
    return start, end


DEEDS = {key: _deed(action) for key, action in ACTIONS.items()} | {"comment": deeds.COMMENT}
