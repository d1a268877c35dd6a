"""An exception in words: what and whom it is about, whose it is, and how much time is left."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pandas as pd

from lastmile.ui import format, palette

STATE_ICONS = {
    "open": "radio_button_unchecked",
    "acknowledged": "front_hand",
    "snoozed": "snooze",
    "resolved": "task_alt",
    "cleared": "done",
}
STATE_WORDS = {"acknowledged": "taken up", "cleared": "over by itself"}


def subject(row: Any) -> str:
    """Whom or what an exception is about: the recipient, the van, the depot, the source."""
    if row.subject_kind == "delivery":
        return str(row.recipient if format.known(row.recipient) else row.subject_id)
    return str(row.subject_id)


def what(row: Any) -> str:
    """ "Vehicle broke down · WHF-11, 14 stops"."""
    stops = f", {format.count(int(row.stops), 'stop')}" if row.stops else ""
    return f"{row.label} · {subject(row)}{stops}"


def sentence(row: Any) -> str:
    """What is so, as the rule said it last; a full sentence."""
    words = str(row.words).strip() if format.known(row.words) else str(row.label)
    return f"{words[:1].upper()}{words[1:].rstrip('.')}."


def owner(row: Any) -> str:
    """The person who has it, else the role that should take it."""
    if format.known(row.owner):
        return str(row.owner)
    return str(row.owner_role) if format.known(row.owner_role) else format.UNKNOWN


def due(row: Any, at: datetime) -> str:
    """Until somebody must act: "12 min left", "due now", "7 min overdue", or that somebody has; a dash for what is closed."""
    if row.state in ("resolved", "cleared") or not format.known(row.due_at):
        return "–"
    if row.state == "snoozed":
        return "put off"
    if format.known(row.first_action_at):
        return "acted on"
    left = (row.due_at - pd.Timestamp(at)).total_seconds() / 60
    if abs(left) < 1:
        return "due now"
    return f"{format.minutes(left)} left" if left > 0 else f"{format.minutes(-left)} overdue"


def is_overdue(row: Any, at: datetime) -> bool:
    """Past its due time and nothing done yet, whoever has it."""
    waits = row.state in ("open", "acknowledged") and not format.known(row.first_action_at)
    return waits and format.known(row.due_at) and row.due_at <= pd.Timestamp(at)


def stake(row: Any, decimals: int = 0) -> str:
    """Money at stake; "unknown" where nobody gave any, and marked where it is assumed."""
    assumed = " (assumed)" if format.known(row.stake_assumed) and row.stake_assumed else ""
    currency = row.currency if format.known(row.currency) else "EUR"
    return f"{format.money(row.stake, currency, decimals)}{assumed if format.known(row.stake) else ''}"


def state(row: Any, zone: str) -> str:
    """The state with the word that explains it: until when it is put off, what came of it."""
    word = STATE_WORDS.get(row.state, row.state)
    if row.state == "snoozed":
        return f"put off until {format.clock(row.snoozed_until, zone)}"
    if row.state in ("resolved", "cleared") and format.known(row.outcome):
        return f"{word}: {row.outcome}"
    return word


def state_badge(row: Any, zone: str) -> str:
    """The state as Markdown for a label; grey, as it is no status of the delivery."""
    return f":gray-badge[:material/{STATE_ICONS.get(row.state, 'help')}: {state(row, zone)}]"


def severity_badge(row: Any) -> str:
    """How bad it is, as Markdown for a coloured label."""
    return palette.badge(row.severity)
