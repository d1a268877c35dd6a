"""What became of notices, told by other systems: as JSON, or as the report that a mail server sent."""

from __future__ import annotations

from typing import Any

import anyio
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lastmile import runtime
from lastmile.api.access import admitted, spend
from lastmile.api.answers import Declined, answer, told
from lastmile.api.bodies import body_of, json_of
from lastmile.api.sending import rows_in
from lastmile.connections import TokenScope
from lastmile.notifications import bounces, receipts
from lastmile.notifications.receipts import Judged

REPORT = "message/rfc822"


async def take(request: Request) -> Response:
    """One receipt, a list of them, or a delivery status notification (RFC 3464) as the mail server sent it."""
    tower = runtime.tower()
    credential = admitted(request, tower.door, TokenScope.RECEIPTS)
    body = await body_of(request, ("application/json", REPORT))
    rows, passed_over = _read(request, body)
    spend(tower.door.rows, credential.credential_id, len(rows))
    now, present = tower.door.now(), tower.door.present()
    judged = await anyio.to_thread.run_sync(receipts.take, tower.store, rows, credential.source, now, present)
    return _answered(judged, passed_over)


def _read(request: Request, body: bytes) -> tuple[list[Any], int]:
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given == REPORT:
        return bounces.read_report(body)
    sent = rows_in(json_of(body))
    return (sent if isinstance(sent, list) else [sent]), 0


def _answered(judged: list[Judged], passed_over: int) -> Response:
    """202, or 422 where each was refused."""
    rows = [_row(number, one) for number, one in enumerate(judged)]
    counts = {
        outcome: sum(one.outcome == outcome for one in judged)
        for outcome in (receipts.TAKEN, receipts.REPEATED, receipts.REFUSED)
    }
    summary = {"received": len(judged)} | counts | {"passed_over": passed_over, "rows": rows}
    if judged and counts[receipts.REFUSED] == len(judged):
        first = judged[0]
        where = f"row 0, {first.field}: " if first.field else "row 0: "
        raise Declined(422, f"No receipt was taken. {where}{first.problem}; {first.remedy}.", **summary)
    return answer(summary, 202)


def _row(number: int, judged: Judged) -> dict[str, Any]:
    told: dict[str, Any] = {"row": number, "outcome": judged.outcome}
    if judged.problem:
        named = ("field", "value", "problem", "remedy")
        told["problems"] = [{name: getattr(judged, name) for name in named}]
    return told


ROUTES = [Route("/api/v1/notification-receipts", told("notification-receipts", take), methods=["POST"])]
