"""Signatures of webhooks: the tower's own scheme and those of the systems that it reads."""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass

TOLERANCE_SECONDS = 300
"""How far the time in a signature may lie from now; beyond it, a message that was overheard is worth nothing."""

OWN_HEADER = "lastmile-signature"


@dataclass(frozen=True)
class Scheme:
    """Which header carries the signature, what stands there for a body, and how a person is told of it."""

    header: str
    is_right: Callable[[str, str, bytes, float], bool]
    told: str


def sign(secret: str, body: bytes, at: int) -> str:
    """The value of the header Lastmile-Signature for a body sent at a Unix time in seconds."""
    return f"t={at},v1={_hex(secret.encode(), f'{at}.'.encode() + body, 'sha256')}"


def is_signed(scheme: str, secret: str, headers: Mapping[str, str], body: bytes, now: float) -> bool:
    """Whether a body carries a scheme's signature made with a secret; `now` in Unix seconds. Takes the same time if not."""
    known = SCHEMES[scheme]
    return known.is_right(secret, headers.get(known.header, ""), body, now)


def _own(secret: str, header: str, body: bytes, now: float) -> bool:
    parts = [part.strip().partition("=") for part in header.split(",")]
    at = next((value for name, _, value in parts if name == "t"), "")
    if not (at.isascii() and at.isdigit() and len(at) <= 12) or abs(now - int(at)) > TOLERANCE_SECONDS:
        return False
    right = _hex(secret.encode(), f"{at}.".encode() + body, "sha256")
    # several v1 may stand there while a secret is being changed
    return any([_same(value, right) for name, _, value in parts if name == "v1"])  # noqa: C419 (all of them, always)


def _easypost(secret: str, header: str, body: bytes, _: float) -> bool:
    """EasyPost: hexadecimal HMAC-SHA-256 of the body after a fixed word; the secret in NFKD. It signs no time."""
    key = unicodedata.normalize("NFKD", secret).encode()
    return _same(header, f"hmac-sha256-hex={_hex(key, body, 'sha256')}")


def _onfleet(secret: str, header: str, body: bytes, _: float) -> bool:
    """Onfleet (docs.onfleet.com/reference/secrets): hexadecimal HMAC-SHA-512; the secret is given in hexadecimal."""
    try:
        key = bytes.fromhex(secret)
    except ValueError:
        return False
    return _same(header, _hex(key, body, "sha512"))


def _hex(key: bytes, body: bytes, name: str) -> str:
    return hmac.new(key, body, getattr(hashlib, name)).hexdigest()


def _same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), right.encode())


SCHEMES: dict[str, Scheme] = {
    "own": Scheme(OWN_HEADER, _own, "Lastmile-Signature: t=<Unix time>,v1=<HMAC-SHA-256 of 't.body', hexadecimal>"),
    "easypost": Scheme("x-hmac-signature", _easypost, "X-Hmac-Signature, as EasyPost sends it"),
    "onfleet": Scheme("x-onfleet-signature", _onfleet, "X-Onfleet-Signature, as Onfleet sends it"),
}
"""Formats that sign in a way of their own by name; all others sign in the tower's own."""
