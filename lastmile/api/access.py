"""Who asks, and whether he may: tokens, signatures, and how often."""

from __future__ import annotations

from starlette.requests import Request

from lastmile.api.answers import Declined, later
from lastmile.connections import Buckets, Connection, Credential, TokenScope, TooMany
from lastmile.door import Door
from lastmile.errors import NotPossible

ASK_FOR_TOKEN = {"www-authenticate": 'Bearer realm="lastmile"'}


def admitted(request: Request, door: Door, *scopes: TokenScope, limit: Buckets | None = None) -> Credential:
    """The credential of a request's bearer token, which must have all the scopes. Raises Declined: 401, 403 or 429."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Declined(401, "Send a token: Authorization: Bearer lm_…", ASK_FOR_TOKEN)
    return admitted_by(request, door, token.strip(), *scopes, limit=limit)


def admitted_by(
    request: Request, door: Door, token: str, *scopes: TokenScope, limit: Buckets | None = None
) -> Credential:
    """The same for a token that stands elsewhere than in the header."""
    credential = door.register.token(token)
    if credential is None:
        refuse_stranger(request, door)
        raise Declined(401, "This token is not known here, or was taken back.", ASK_FOR_TOKEN)
    request.state.source = credential.source
    missing = [scope.value for scope in scopes if not credential.allows(scope)]
    if missing:
        raise Declined(403, f"This token may not do that; it lacks the scope {', '.join(missing)}.")
    spend(limit or door.requests, credential.credential_id)
    return credential


def refuse_stranger(request: Request, door: Door) -> None:
    """Count a wrong credential of an address; raises Declined 429 where it shows too many."""
    spend(door.strangers, request.client.host if request.client else "unknown")


def spend(buckets: Buckets, key: str, amount: float = 1.0) -> None:
    """Take from a bucket; raises Declined 429 with when to come again."""
    try:
        buckets.spend(key, amount)
    except TooMany as error:
        raise later(429, "That is more than is allowed in so short a time.", error.retry_after) from error


def connection_of(door: Door, credential: Credential) -> Connection:
    """The connection that a credential belongs to."""
    try:
        return door.register.connection(credential.source)
    except NotPossible as error:
        raise Declined(403, str(error)) from error
