"""Webhooks: a notice as signed JSON to another system, whose answer 2xx is the receipt."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from lastmile.connections import sign
from lastmile.connections.signing import OWN_HEADER
from lastmile.notifications.channel import TIMEOUT_SECONDS, Came, Notice, Tried
from lastmile.notifications.filling import one_line

LATER = (408, 425, 429)
"""Answers below 500 that ask to come again: too slow, too early, too many."""
MOST_BYTES = 2_000


def secret_of(master: str, address: str) -> str:
    """The secret that notices to one address are signed with: each receiver has its own, and can't sign as another."""
    return hmac.new(master.encode(), f"notices to {address}".encode(), hashlib.sha256).hexdigest()


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


class Webhooks:
    """Notices by POST, one a request; `secret` gives the master secret at first use."""

    missing: str | None = None

    def __init__(self, secret: Callable[[], str], timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._secret, self._timeout = secret, timeout_seconds
        # no proxy of the environment: what goes to a system of the house stays in the house
        self._opener = urllib.request.build_opener(_NoRedirect, urllib.request.ProxyHandler({}))

    def where(self, notice: Notice) -> str:
        return urlsplit(notice.address).netloc

    def send(self, notice: Notice) -> Tried:
        """One try: DELIVERED where the receiver answers 2xx, which it does once it has taken the notice for good."""
        body = body_of(notice)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Lastmile",
            OWN_HEADER.title(): sign(secret_of(self._secret(), notice.address), body, int(time.time())),
            "Idempotency-Key": notice.notice_id,
        }
        request = urllib.request.Request(notice.address, body, headers, method="POST")  # noqa: S310 (http and https only, checked when it was registered)
        try:
            with self._opener.open(request, timeout=self._timeout) as answer:
                return Tried(Came.DELIVERED, f"{self.where(notice)} answered {answer.status}")
        except urllib.error.HTTPError as answer:
            return self._declined(notice, answer)
        except (OSError, http.client.HTTPException, ValueError) as error:
            why = one_line(str(getattr(error, "reason", None) or error) or type(error).__name__)
            return Tried(Came.DEFERRED, f"{self.where(notice)} could not be reached: {why}", unreachable=True)

    def close(self) -> None:
        """Nothing is kept open."""

    def _declined(self, notice: Notice, answer: urllib.error.HTTPError) -> Tried:
        with answer:
            said = one_line(answer.read(MOST_BYTES).decode("utf-8", "replace"))
        words = f"{self.where(notice)} answered {answer.code}{f': {said}' if said else ''}"
        if 300 <= answer.code < 400:
            return Tried(Came.REFUSED, f"{words}. A redirect is not followed: register the address it leads to")
        if answer.code >= 500 or answer.code in LATER:
            return Tried(Came.DEFERRED, words, unreachable=True, again_after=_asked(answer.headers.get("Retry-After")))
        return Tried(Came.REFUSED, words)


def body_of(notice: Notice) -> bytes:
    """The JSON that is posted and signed."""
    return json.dumps(
        {
            "notice_id": notice.notice_id,
            "template": notice.template,
            "audience": notice.audience,
            "name": notice.name,
            "language": notice.language,
            "subject": notice.subject,
            "text": notice.body,
            "change": notice.change,
            "delivery_id": notice.delivery_id,
            "asked_at": notice.asked_at.isoformat(),
        },
        ensure_ascii=False,
    ).encode()


def _asked(retry_after: str | None) -> timedelta | None:
    """How long a receiver wants to be left alone; only seconds are understood, a date is passed over."""
    said = (retry_after or "").strip()
    return timedelta(seconds=int(said)) if said.isascii() and said.isdigit() and len(said) < 7 else None
