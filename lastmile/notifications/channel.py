"""What every way to a person has in common: what is sent, and what came of a try."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

TIMEOUT_SECONDS = 15.0


class Came(StrEnum):
    """What came of a try: taken on by the next system, acknowledged by the receiver, to be tried again, or refused for good."""

    SENT = "sent"
    DELIVERED = "delivered"
    DEFERRED = "deferred"
    REFUSED = "refused"


@dataclass(frozen=True)
class Tried:
    """One try: what came of it, in words what the other side said, and when it wants to be asked again.

    `unreachable`: it is the other side as a whole that can't take anything now, not this one notice.
    """

    came: Came
    words: str
    unreachable: bool = False
    again_after: timedelta | None = None


@dataclass(frozen=True)
class Notice:
    """What is sent. `notice_id` stays the same over all tries, so that who gets it twice can tell."""

    notice_id: str
    template: str
    audience: str
    address: str
    name: str
    language: str
    subject: str
    body: str
    change: str
    asked_at: datetime
    delivery_id: str | None = None


class Channel(Protocol):
    """A way to people. `missing` says what is to be set up before it can be used; None where nothing is."""

    @property
    def missing(self) -> str | None: ...

    def where(self, notice: Notice) -> str:
        """The system that would take a notice, as host or host:port."""
        ...

    def send(self, notice: Notice) -> Tried:
        """One try; never raises for what the other side does."""
        ...

    def close(self) -> None:
        """Let go of what was kept open between two notices."""
        ...


def on_this_machine(host: str) -> bool:
    """Whether a host, or host:port, is this machine itself."""
    name = host.rsplit(":", 1)[0] if host.count(":") == 1 else host
    name = name.strip("[]").lower()
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"
