"""X12 214, Transportation Carrier Shipment Status Message (004010): one event for each AT7 segment.

Statuses are element 1650, reasons element 1651, time codes element 623. Delivery numbers are B10-02, the shipper's own
number of the shipment, else B10-01, the carrier's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from lastmile.adapters.adapted import Adapted, BadBody, Format, Unread

STATUSES = {
    "XB": "order_received",
    "L1": "loaded", "AM": "loaded", "CP": "loaded",
    "AF": "departed_depot", "P1": "departed_depot",
    "X6": "en_route_to_stop",
    "X2": "eta_updated", "AG": "eta_updated",
    "X1": "arrived", "X5": "arrived", "S1": "arrived",
    "AJ": "attempted", "AH": "attempted",
    "D1": "delivered", "CB": "delivered",
    "PA": "partially_delivered",
    "AP": "not_completed",
    "A7": "refused",
    "A9": "damaged",
    "CD": "departed_stop",
    "A3": "returned_to_shipper",
    "SD": "delayed",
    "CA": "cancelled",
}  # fmt: skip
"""Element 1650 → event, as in the vocabulary; any other code is kept as unmapped."""

ESTIMATES = ("X2", "AG")
NORMAL = ("NS", "")
"""Element 1651 NS, normal status: no reason at all."""

ZONES = {"E": ("America/New_York", -5), "C": ("America/Chicago", -6), "M": ("America/Denver", -7),
         "P": ("America/Los_Angeles", -8), "A": ("America/Halifax", -4), "N": ("America/St_Johns", -3.5),
         "H": ("Pacific/Honolulu", -10), "T": ("America/Anchorage", -9)}  # fmt: skip
"""First letter of a time code → IANA zone for …T, and the standard offset in hours for …S; …D is an hour more."""


@dataclass(frozen=True)
class _Marks:
    """What divides an interchange, as its ISA segment says."""

    element: str
    segment: str


def read(body: bytes, zone: str) -> Adapted:
    """The events of an interchange, or of bare ST … SE messages; times without a code are on the clocks of `zone`.

    A message whose segment count (SE-01) is wrong has lost something: it is left unread, whole. Raises BadBody.
    """
    text = _decoded(body)
    marks = _marks(text)
    segments = [segment.strip("\r\n \t") for segment in text.split(marks.segment)]
    messages = _messages([segment for segment in segments if segment], marks)
    if not messages:
        raise BadBody("There is no message ST*214 … SE in this; an X12 214 interchange is expected.")
    adapted = Adapted()
    for message in messages:
        _read_message(adapted, message, marks, zone)
    return adapted


def _decoded(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        return body.decode("latin-1").strip()


def _marks(text: str) -> _Marks:
    """ISA is of fixed length: its 4th character divides elements, its 106th ends segments. A bare message: * and ~."""
    if text.startswith("ISA"):
        if len(text) < 106:
            raise BadBody("The ISA segment is cut short: it has 106 characters.")
        end = text[105]
        return _Marks(text[3], end if not end.isalnum() else "~")
    if not text.startswith("ST"):
        raise BadBody("This begins neither with ISA nor with ST; an X12 214 interchange is expected.")
    return _Marks(text[2:3], "~" if "~" in text else "\n")


def _messages(segments: list[str], marks: _Marks) -> list[list[str]]:
    """The segments of each message, ST to SE."""
    messages: list[list[str]] = []
    inside = False
    for segment in segments:
        name = segment.split(marks.element, 1)[0]
        if name == "ST":
            inside = segment.split(marks.element)[1:2] == ["214"]
            if inside:
                messages.append([])
        if inside:
            messages[-1].append(segment)
        inside = inside and name != "SE"
    return messages


def _read_message(adapted: Adapted, message: list[str], marks: _Marks, zone: str) -> None:
    split = [[part.strip() for part in segment.split(marks.element)] for segment in message]
    raw = "\n".join(marks.element.join(parts) for parts in split).replace(marks.element, "*")
    counted = split[-1][1] if split[-1][0] == "SE" and len(split[-1]) > 1 else ""
    if not counted.isdigit() or int(counted) != len(split):
        adapted.unread.append(Unread(raw, "SE-01", counted or None))
        return
    number, vehicle, place = None, None, ""
    found: list[dict[str, str | None]] = []
    for parts in split:
        name, said = parts[0], [*parts[1:], *[""] * 8]
        if name == "B10":
            number = said[1] or said[0] or None
        elif name == "MS2":
            vehicle = said[1] or None
        elif name == "MS1":
            place = ", ".join(word for word in said[:3] if word)
            if found:
                found[-1]["why"] = place or None
        elif name == "AT7":
            found.append(_event(said, zone))
    for event in found:
        adapted.add("events", delivery_id=number, vehicle_id=vehicle, status_source="carrier", **event)
    if not found:
        adapted.unread.append(Unread(raw, "AT7", None))


def _event(said: list[str], zone: str) -> dict[str, str | None]:
    """AT7: status and reason, or (03, 04) those of an appointment, then date, time and time code."""
    status, reason = (said[0], said[1]) if said[0] else (said[2], said[3])
    return {
        "event": STATUSES.get(status, status or None),
        "reason": None if reason in NORMAL else reason,
        "classifier": "EST" if status in ESTIMATES else None,
        "occurred_at": _instant(said[4], said[5], said[6], zone),
    }


def _instant(day: str, time: str, code: str, zone: str) -> str | None:
    """Date (CCYYMMDD or YYMMDD), time (HHMM or HHMMSS, at most hundredths) and time code as an instant."""
    if not re.fullmatch(r"\d{6}|\d{8}", day) or not re.fullmatch(r"(\d{4}|\d{6,8})?", time):
        return f"{day} {time} {code}".strip() or None
    day = day if len(day) == 8 else f"20{day}"
    try:
        local = datetime.strptime(f"{day}{(time[:6] or '0000').ljust(6, '0')}", "%Y%m%d%H%M%S")  # noqa: DTZ007 (zone next)
    except ValueError:
        return f"{day} {time} {code}".strip()
    return local.replace(tzinfo=_zone(code, zone)).astimezone(UTC).isoformat()


def _zone(code: str, zone: str) -> tzinfo:
    """Element 623: UT and GM, …T for a zone with its summer time, …S and …D for a fixed offset; LT and none: local."""
    if code in ("UT", "GM"):
        return UTC
    name, hours = ZONES.get(code[:1], (None, None))
    if name and code[1:] == "T":
        return ZoneInfo(name)
    if name and code[1:] in ("S", "D"):
        return timezone(timedelta(hours=hours + (code[1:] == "D")))
    return ZoneInfo(zone)


X12_214 = Format(
    "x12-214",
    "X12 214",
    "Shipment status messages of carriers: an interchange, or bare ST … SE messages. Delivery numbers are B10-02.",
    ("events",),
    read,
    ("application/edi-x12", "text/plain", "application/octet-stream"),
    "ST*214*0001~B10*CARRIER-77*D-1001*CPCC~LX*1~AT7*D1*NS***20260302*0918*CT~MS1*CHICAGO*IL*US~SE*6*0001~",
)
