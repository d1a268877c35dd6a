"""Whether the tower lives and takes rows, for whoever starts and watches it; and its counters, for those with a token."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lastmile import runtime
from lastmile.api.access import admitted
from lastmile.api.answers import told_in_thread
from lastmile.connections import TokenScope
from lastmile.metrics import MEDIA_TYPE


def healthz(_: Request) -> Response:
    """200 while the ledger can be read, else 503; says no more than that."""
    try:
        runtime.store().value("select 1")
    except Exception:
        return JSONResponse({"status": "the ledger can't be read"}, status_code=503)
    return JSONResponse({"status": "ok"})


def readyz(_: Request) -> Response:
    """200 while rows would be taken now, else 503: the queue is full, or the tower is stopping."""
    try:
        is_open = runtime.tower().door.intake.is_open
    except Exception:
        is_open = False
    return JSONResponse({"status": "ok" if is_open else "not taking rows now"}, 200 if is_open else 503)


def metrics(request: Request) -> Response:
    """Counters in the text format of Prometheus; they name sources, so a token with the scope `metrics` is asked for."""
    door = runtime.tower().door
    admitted(request, door, TokenScope.METRICS, limit=door.questions)
    return Response(door.metrics.text(), media_type=MEDIA_TYPE)


ROUTES = [
    Route("/healthz", healthz),
    Route("/readyz", readyz),
    Route("/metrics", told_in_thread("metrics", metrics)),
]
