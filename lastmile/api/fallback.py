"""What is answered under /api where no route fits: in words, and never the page that Streamlit shows for any address."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route

from lastmile.api import paths  # noqa: F401 (registers what `any` means in a path)
from lastmile.api.answers import Declined, problem

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE", "QUERY"]


def routes(known: Sequence[BaseRoute]) -> list[Route]:
    """Routes for the rest of /api: 405 with what is allowed where the path is known, else 404."""

    async def decline(request: Request) -> Response:
        fits = [route for route in known if route.matches(request.scope)[0] is not Match.NONE]
        allowed = sorted({method for route in fits if isinstance(route, Route) for method in route.methods or ()})
        if allowed:
            told = f"This is not for {request.method}; use {' or '.join(allowed)}."
            return problem(Declined(405, told, {"allow": ", ".join(allowed)}))
        return problem(
            Declined(404, "There is nothing here. The documentation is at /api, for programs at /api/v1/openapi.json.")
        )

    return [Route("/api/{rest:any}", decline, methods=METHODS)]
