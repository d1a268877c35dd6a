"""Bodies of requests: read up to a limit, within a time, and within what all together may hold in memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

import anyio
from starlette.requests import ClientDisconnect, Request

from lastmile.api.answers import Declined, later

MOST_BYTES = 8 << 20
MOST_BYTES_AT_ONCE = 64 << 20
MOST_SECONDS = 30
LARGE_BYTES = 16 << 10
"""From this size on, a body is parsed and checked in a thread: some milliseconds, in which pages would stand still."""

Result = TypeVar("Result")
_reserved = 0


async def body_of(request: Request, media_types: tuple[str, ...]) -> bytes:
    """The body of a request in one of some media types. Raises Declined: 400, 408, 413, 415 or 503."""
    global _reserved  # one event loop serves all requests, so a plain number will do
    _check_type(request, media_types)
    size = _announced(request)
    if _reserved + size > MOST_BYTES_AT_ONCE:
        raise later(503, "More is coming in than fits into memory.", 1)
    _reserved += size
    try:
        with anyio.fail_after(MOST_SECONDS):
            return await _read(request)
    except TimeoutError as error:
        raise Declined(408, f"The body did not come within {MOST_SECONDS} s.") from error
    except ClientDisconnect as error:
        raise Declined(400, "The sender hung up before the body was whole.") from error
    finally:
        _reserved -= size


def json_of(body: bytes) -> Any:
    """The JSON value of a body. Raises Declined 400."""
    try:
        return json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Declined(400, f"The body is not JSON: {str(error)[:200] or 'it is nested too deeply'}.") from error


async def worked_out(body: bytes, work: Callable[[], Result]) -> Result:
    """What some work on a body gives: done at once where it is small, in one of two threads where not."""
    if len(body) < LARGE_BYTES:
        return work()
    return await anyio.to_thread.run_sync(work, limiter=_threads())


@cache
def _threads() -> anyio.CapacityLimiter:
    return anyio.CapacityLimiter(2)


def _check_type(request: Request, media_types: tuple[str, ...]) -> None:
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given and given not in media_types:
        raise Declined(415, f"Send {' or '.join(media_types)}, not {given[:100]}.")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Declined(415, "Send the body as it is, without content-encoding.")


def _announced(request: Request) -> int:
    """How large a body says it is; one that does not say counts as the largest."""
    said = request.headers.get("content-length", "")
    size = int(said) if said.isascii() and said.isdigit() and len(said) < 19 else MOST_BYTES
    if size > MOST_BYTES:
        raise Declined(413, f"The body is larger than {MOST_BYTES >> 20} MiB; send it in parts.")
    return size


async def _read(request: Request) -> bytes:
    parts = bytearray()
    async for part in request.stream():
        parts += part
        if len(parts) > MOST_BYTES:
            raise Declined(413, f"The body is larger than {MOST_BYTES >> 20} MiB; send it in parts.")
    return bytes(parts)


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")
