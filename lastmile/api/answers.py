"""What is answered: plain JSON, and for all that is declined a problem document (RFC 9457) in words."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime
from typing import Any

import pandas as pd
from starlette.requests import Request
from starlette.responses import Response

from lastmile import runtime
from lastmile.errors import LastmileError
from lastmile.metrics import NOBODY

PROBLEM = "application/problem+json"
TITLES = {
    400: "Can't be read",
    401: "Not known here",
    403: "Not allowed",
    404: "Not found",
    405: "Not that way",
    408: "Too slow",
    413: "Too large",
    415: "Not that format",
    422: "Not taken",
    429: "Too many",
    503: "Not now",
}

log = logging.getLogger(__name__)


class Declined(Exception):
    """A request that is not served: the status, what to tell, headers, and what else the problem document holds."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None, **more: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        self.more = more


def later(status: int, detail: str, seconds: int) -> Declined:
    """Declined for now, with when to come again."""
    return Declined(status, f"{detail} Try again in {seconds} s.", {"retry-after": str(seconds)})


def answer(content: Any, status: int = 200, media_type: str = "application/json") -> Response:
    """A value as JSON: instants in ISO 8601, missing ones as null; not to be kept by anybody on the way."""
    body = json.dumps(content, default=_plain, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Response(body.encode(), status, {"cache-control": "no-store"}, media_type)


def problem(declined: Declined) -> Response:
    """The problem document of what was declined."""
    told = {"title": TITLES[declined.status], "status": declined.status, "detail": declined.detail} | declined.more
    response = answer(told, declined.status, PROBLEM)
    response.headers.update(declined.headers)
    return response


def plain(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame as plain values, missing ones as None, service days as dates."""
    rows = [{name: _known(value) for name, value in row.items()} for row in frame.to_dict("records")]
    return [row | ({"day": row["day"].date()} if isinstance(row.get("day"), datetime) else {}) for row in rows]


def told(route: str, handle: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """An async handler whose refusals are told and whose answers are counted under a route's name."""

    async def handler(request: Request) -> Response:
        started = time.monotonic()
        try:
            response, detail = await handle(request), None
        except Exception as error:
            response, detail = _declined(error)
        return _counted(request, route, started, response, detail)

    return handler


def told_in_thread(route: str, handle: Callable[[Request], Response]) -> Callable[[Request], Response]:
    """The same for a plain handler, which runs in a thread because it asks the database."""

    def handler(request: Request) -> Response:
        started = time.monotonic()
        try:
            response, detail = handle(request), None
        except Exception as error:
            response, detail = _declined(error)
        return _counted(request, route, started, response, detail)

    return handler


def _declined(error: Exception) -> tuple[Response, str]:
    if isinstance(error, Declined):
        return problem(error), error.detail
    if isinstance(error, LastmileError):
        return problem(Declined(400, str(error))), str(error)
    log.error("A request could not be answered", exc_info=error)
    return problem(later(503, "The tower could not answer; its log says why.", 5)), str(error)


def _counted(request: Request, route: str, started: float, response: Response, detail: str | None) -> Response:
    seconds, source = time.monotonic() - started, getattr(request.state, "source", NOBODY)
    runtime.tower().door.metrics.answered(route, response.status_code, seconds, source, detail)
    return response


def _known(value: Any) -> Any:
    if value is None or isinstance(value, list | tuple | dict | str):
        return value
    if hasattr(value, "tolist"):  # arrays of lists, and numbers of numpy
        value = value.tolist()
        return value if isinstance(value, list) else _known(value)
    return None if pd.isna(value) else value


def _plain(value: Any) -> Any:
    if isinstance(value, pd.Timestamp | datetime | date):
        return value.isoformat()
    return str(value)
