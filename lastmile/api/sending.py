"""What other systems send: rows of each kind, messages of each format, signed webhooks, positions of phones."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from lastmile import runtime
from lastmile.adapters import FORMATS, Format, osmand
from lastmile.api.access import admitted, admitted_by, connection_of, refuse_stranger, spend
from lastmile.api.answers import Declined, answer, later, told
from lastmile.api.bodies import body_of, json_of, worked_out
from lastmile.connections import Credential, TokenScope, is_signed
from lastmile.connections.signing import SCHEMES
from lastmile.door import Door
from lastmile.errors import LastmileError
from lastmile.intake import KINDS, Busy, Judged, Kind, Outcome, Receipt
from lastmile.intake.receiving import judged_adapted, judged_message, judged_rows

MOST_ROWS = 10_000
WAIT_SECONDS = 60


def _door() -> Door:
    return runtime.tower().door


def rows_of(kind: Kind) -> Route:
    """The route that takes rows of a kind: POST /api/v1/events, /orders, …"""

    async def take(request: Request) -> Response:
        door = _door()
        credential = admitted(request, door, kind.scope)
        connection, now = connection_of(door, credential), door.now()
        body = await body_of(request, ("application/json",))
        rows = await worked_out(
            body, lambda: judged_rows(kind, rows_in(json_of(body)), connection, now, door.present())
        )
        return await _taken(door, credential, rows, len(body), now)

    return Route(f"/api/v1/{kind.key}", told(kind.key, take), methods=["POST"])


def messages_of(format: Format) -> Route:
    """The route that takes messages of a format with a token: POST /api/v1/x12-214, /easypost, …"""

    async def take(request: Request) -> Response:
        door = _door()
        credential = admitted(request, door, *(KINDS[kind].scope for kind in format.kinds))
        return await _message(request, door, credential, format)

    return Route(f"/api/v1/{format.key}", told(format.key, take), methods=["POST"])


async def webhook(request: Request) -> Response:
    """A message that is signed instead of carrying a token; what is refused of it waits in quarantine, so it is a success."""
    door = _door()
    credential = door.register.webhook(request.path_params["webhook_id"])
    if credential is None:
        refuse_stranger(request, door)
        raise Declined(404, "There is no such webhook, or it was taken back.")
    request.state.source = credential.source
    spend(door.requests, credential.credential_id)
    format = credential.format or "events"
    body = await body_of(request, FORMATS[format].media_types if format in FORMATS else ("application/json",))
    scheme = format if format in SCHEMES else "own"
    if not is_signed(scheme, credential.signing_secret or "", request.headers, body, time.time()):
        refuse_stranger(request, door)
        raise Declined(401, f"The signature is missing, wrong or too old. Expected: {SCHEMES[scheme].told}.")
    connection, now = connection_of(door, credential), door.now()
    if format in FORMATS:
        rows, passed = await worked_out(
            body, lambda: judged_message(FORMATS[format], body, connection, now, door.present())
        )
    else:
        rows, passed = (
            await worked_out(
                body, lambda: judged_rows(KINDS[format], rows_in(json_of(body)), connection, now, door.present())
            ),
            0,
        )
    return await _taken(door, credential, rows, len(body), now, passed, mends=False)


async def webhook_check(request: Request) -> Response:
    """What Onfleet asks before it sends to a webhook: the word under `check`, once more."""
    door = _door()
    if door.register.webhook(request.path_params["webhook_id"]) is None:
        refuse_stranger(request, door)
        raise Declined(404, "There is no such webhook, or it was taken back.")
    word = request.query_params.get("check", "")
    if not re.fullmatch(r"[\w-]{1,128}", word, re.ASCII):
        raise Declined(400, "Ask with ?check=… of letters and digits.")
    return PlainTextResponse(word, headers={"x-content-type-options": "nosniff", "cache-control": "no-store"})


async def phone_position(request: Request) -> Response:
    """A position in the query of an OsmAnd request. The token stands in the path, as phones can't send headers."""
    door = _door()
    credential = admitted_by(request, door, request.path_params["token"], TokenScope.POSITIONS)
    connection, now = connection_of(door, credential), door.now()
    body = b""
    if request.method == "POST":
        body = await body_of(request, ("application/json", "application/x-www-form-urlencoded"))
    if body.lstrip().startswith(b"{"):  # the app from version 9 on
        adapted = FORMATS["traccar"].read(body, connection.zone)
    else:
        adapted = osmand(request.query_params)
    rows, passed = judged_adapted("traccar", adapted, connection, now, door.present())
    return await _taken(door, credential, rows, len(body) + len(request.url.query), now, passed)


async def _message(request: Request, door: Door, credential: Credential, format: Format) -> Response:
    connection, now = connection_of(door, credential), door.now()
    body = await body_of(request, format.media_types)
    rows, passed = await worked_out(body, lambda: judged_message(format, body, connection, now, door.present()))
    return await _taken(door, credential, rows, len(body), now, passed)


def rows_in(sent: Any) -> Any:
    """The rows as they were sent; refused as a whole where there are none or too many."""
    if isinstance(sent, list) and not sent:
        raise Declined(400, "There is no row in this list.")
    if not isinstance(sent, list | dict):
        raise Declined(400, "An object, or a list of objects, is expected.")
    if isinstance(sent, list) and len(sent) > MOST_ROWS:
        raise Declined(413, f"These are {len(sent):,} rows; send at most {MOST_ROWS:,} at once.")
    return sent


async def _taken(
    door: Door,
    credential: Credential,
    rows: Sequence[Judged],
    size: int,
    now: datetime,
    passed_over: int = 0,
    mends: bool = True,
) -> Response:
    """The answer once all rows are on the disk: 202, or 422 where each was refused and the sender can mend them."""
    if not rows:
        return answer(_summary(Receipt(()), rows, passed_over), 202)
    if len(rows) > MOST_ROWS:
        raise Declined(413, f"These are {len(rows):,} rows; send at most {MOST_ROWS:,} at once.")
    spend(door.rows, credential.credential_id, len(rows))
    try:
        receipt = door.send(credential, connection_of(door, credential), rows, size, now)
        done = await asyncio.wait_for(asyncio.wrap_future(receipt), WAIT_SECONDS)
    except Busy as error:
        raise later(503, str(error), error.retry_after) from error
    except TimeoutError as error:
        raise later(503, "It was not on the disk in time; sending it again does no harm.", 10) from error
    except LastmileError as error:
        raise later(503, str(error), 60) from error
    summary = _summary(done, rows, passed_over)
    if mends and done.count(Outcome.REFUSED) == len(rows):
        first = rows[0].problems[0]
        where = f"row 0, {first['field']}: " if first["field"] else "row 0: "
        raise Declined(422, f"No row was taken. {where}{first['problem']}; {first['remedy']}.", **summary)
    return answer(summary, 202)


def _summary(receipt: Receipt, rows: Sequence[Judged], passed_over: int) -> dict[str, Any]:
    """Counts, and the outcome of each row in the order in which they were sent."""
    outcomes = []
    for number, (row, outcome) in enumerate(zip(rows, receipt.outcomes, strict=True)):
        told: dict[str, Any] = {"row": number, "outcome": outcome.value}
        if row.problems:
            told["problems"] = list(row.problems)
        if row.notes:
            told["notes"] = list(row.notes)
        outcomes.append(told)
    counts = {outcome.value: receipt.count(outcome) for outcome in Outcome}
    return {"received": len(rows)} | counts | {"passed_over": passed_over, "rows": outcomes}


ROUTES = [
    *(rows_of(kind) for kind in KINDS.values()),
    *(messages_of(format) for format in FORMATS.values()),
    Route("/api/v1/webhooks/{webhook_id}", told("webhooks", webhook), methods=["POST"]),
    Route("/api/v1/webhooks/{webhook_id}", told("webhooks", webhook_check), methods=["GET"]),
    Route("/api/v1/osmand/{token}", told("osmand", phone_position), methods=["GET", "POST"]),
]
