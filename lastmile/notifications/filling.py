"""From a text and facts to what is sent: times on the clocks of the place, everything else as one plain line."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from lastmile.errors import NotPossible
from lastmile.notifications.templates import Template

MOST_OF_A_VALUE = 200
BETWEEN = {"en": "between {} and {}", "de": "zwischen {} und {} Uhr"}
INSTANT = {"en": "%d %b %H:%M %Z", "de": "%d.%m. %H:%M %Z"}
DAY = {"en": "%d %B %Y", "de": "%d.%m.%Y"}
UNKNOWN = {"en": "without a fixed time", "de": "ohne feste Zeit"}


def filled(template: Template, facts: Mapping[str, Any], zone: str) -> tuple[str, str]:
    """Subject and text of a notice; raises NotPossible naming the facts that are missing."""
    missing = sorted(name for name in template.named if name not in facts)
    if missing:
        raise NotPossible(f"{template.kind} needs {', '.join(missing)}.")
    said = {name: in_words(facts[name], template.language, zone) for name in template.named}
    return one_line(template.subject.format_map(said)), template.text.format_map(said)


def in_words(value: Any, language: str, zone: str) -> str:
    """A fact as it stands in a text: an instant or a pair of them on the zone's clocks, a day, or plain text."""
    if isinstance(value, tuple) and len(value) == 2:
        if not all(isinstance(one, datetime) for one in value):
            return UNKNOWN[language]
        return BETWEEN[language].format(*(clock_time(one, zone) for one in value))
    if isinstance(value, datetime):
        return value.astimezone(ZoneInfo(zone)).strftime(INSTANT[language])
    if isinstance(value, date):
        return value.strftime(DAY[language])
    return one_line(UNKNOWN[language] if value is None else str(value))


def one_line(text: str) -> str:
    """Text without line breaks and other control or direction characters, cut at 200: a name can't become a header or a second text."""
    plain = "".join(" " if unicodedata.category(sign) in ("Cc", "Cf", "Zl", "Zp") else sign for sign in text)
    plain = re.sub(r"\s+", " ", plain).strip()
    return plain if len(plain) <= MOST_OF_A_VALUE else plain[: MOST_OF_A_VALUE - 1] + "…"


def clock_time(at: datetime, zone: str) -> str:
    """Hours and minutes on the clocks of a zone."""
    return f"{at.astimezone(ZoneInfo(zone)):%H:%M}"
