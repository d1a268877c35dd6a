"""Tokens and webhooks: what they allow, how a token is made, hashed and told from another."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

PREFIX = "lm"
"""Each token starts with it, so that scanners find one that was published by mistake."""

SECRET_BYTES = 32


class TokenScope(StrEnum):
    """What a credential may do."""

    EVENTS = "events:write"
    ORDERS = "orders:write"
    POSITIONS = "positions:write"
    READINGS = "readings:write"
    RECEIPTS = "receipts:write"
    READ = "read"
    METRICS = "metrics"


class Kind(StrEnum):
    """How a credential is shown: a token in each request, or a signature made with a shared secret."""

    TOKEN = "token"  # noqa: S105 (a word, no secret)
    WEBHOOK = "webhook"


@dataclass(frozen=True)
class Credential:
    """One token or webhook; the secret of a token is nowhere, only its hash."""

    credential_id: str
    source: str
    kind: Kind
    label: str
    scopes: frozenset[TokenScope]
    made_at: datetime
    format: str | None = None
    sha256: str | None = None
    signing_secret: str | None = None

    def allows(self, scope: TokenScope) -> bool:
        return scope in self.scopes


@dataclass(frozen=True)
class Made:
    """A credential just made, with the secret that is shown this once."""

    credential: Credential
    secret: str


def new_token() -> tuple[str, str]:
    """An id and a token that carries it: `lm_<id>_<256 random bits>`."""
    credential_id = secrets.token_hex(6)
    return credential_id, f"{PREFIX}_{credential_id}_{secrets.token_urlsafe(SECRET_BYTES)}"


def token_hash(token: str) -> str:
    """SHA-256 in hexadecimal. Salt and a slow hash guard secrets that can be guessed; 256 random bits can't be."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def id_in(token: str) -> str | None:
    """The id that a token carries; None where it has not the shape of one."""
    parts = token.split("_", 2)
    return parts[1] if len(parts) == 3 and parts[0] == PREFIX else None


def is_token_of(token: str, credential: Credential) -> bool:
    """Whether a token is that of a credential; takes the same time whatever it is."""
    return hmac.compare_digest(token_hash(token), credential.sha256 or "")
