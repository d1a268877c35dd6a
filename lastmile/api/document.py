"""The OpenAPI 3.1 document of the routes for other systems, made from the catalogues that serve them."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from lastmile import kpis
from lastmile.adapters import FORMATS, Format
from lastmile.api.answers import PROBLEM
from lastmile.api.asking import EPCIS_TYPE
from lastmile.api.bodies import MOST_BYTES
from lastmile.api.receipts import REPORT
from lastmile.api.schemas import SHAPES, Schema
from lastmile.api.sending import MOST_ROWS
from lastmile.connections import TokenScope
from lastmile.intake import KINDS, Kind

VERSION = "1.1.0"
A_REPORT = """Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example.com
Original-Envelope-Id: 6f1d2a3b-0c4e-4d5f-8a6b-7c8d9e0f1a2b

Final-Recipient: rfc822; recipient@example.org
Action: delivered
Status: 2.1.5

--b--
"""
ABOUT = f"""Events, orders, positions and condition readings in; deliveries, KPIs and exceptions out.

Send a token made on the page Connections: `Authorization: Bearer lm_…`. Rows are sent one or up to {MOST_ROWS:,} at once, at most
{MOST_BYTES >> 20} MiB. An answer 202 means that all rows are on the disk; each row has its outcome. What was sent once may be sent
again: it counts as repeated. Refused rows wait in quarantine, whole. On 429 and 503, come again after the seconds in Retry-After."""
DECLINED = {
    400: "The request can't be read.",
    401: "No credential, or one that is not known here.",
    403: "The token lacks a scope.",
    404: "There is no such thing.",
    408: "The body did not come in time.",
    413: f"More than {MOST_BYTES >> 20} MiB or {MOST_ROWS:,} rows.",
    415: "Another media type than is documented, or a content-encoding.",
    422: "No row was taken; each says which field is wrong and what to do.",
    429: "More than is allowed in so short a time; come again after Retry-After seconds.",
    503: "The tower can't take or answer now; come again after Retry-After seconds.",
}


@cache
def document() -> Schema:
    """The whole document."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Lastmile", "version": VERSION, "description": ABOUT},
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "security": [{"token": []}],
        "tags": [{"name": name} for name in ("rows", "formats", "questions", "watching")],
        "paths": _rows() | _receipts_of_notices() | _formats() | _phones() | _webhooks() | _questions() | _watching(),
        "components": {
            "schemas": SHAPES,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "lm_<id>_<secret>"}},
        },
    }


def _rows() -> Schema:
    return {f"/api/v1/{kind.key}": {"post": _sending(kind)} for kind in KINDS.values()}


def _sending(kind: Kind) -> Schema:
    one = {"$ref": f"#/components/schemas/{kind.key}"}
    several = {"type": "array", "minItems": 1, "maxItems": MOST_ROWS, "items": one}
    return {
        "operationId": f"send_{kind.key.replace('-', '_')}",
        "tags": ["rows"],
        "summary": f"Send {kind.key.replace('-', ' ')}, one or many",
        "description": f"{kind.told} Needs the scope `{kind.scope}`.",
        "requestBody": {"required": True, "content": {"application/json": {"schema": {"oneOf": [one, several]}}}},
        "responses": _receipt() | _declined(400, 401, 403, 408, 413, 415, 422, 429, 503),
    }


def _receipts_of_notices() -> Schema:
    one = {"$ref": "#/components/schemas/NoticeReceipt"}
    several = {"type": "array", "minItems": 1, "maxItems": MOST_ROWS, "items": one}
    report = {"schema": {"type": "string"}, "example": A_REPORT}
    return {
        "/api/v1/notification-receipts": {
            "post": {
                "operationId": "send_notification_receipts",
                "tags": ["rows"],
                "summary": "Say what became of notices",
                "description": "Receipts of notices that the tower has sent, or the delivery status notification (RFC 3464) that a "
                f"mail server sent. Only a receipt makes a notice delivered. Needs the scope `{TokenScope.RECEIPTS}`.",
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"oneOf": [one, several]}}} | {REPORT: report},
                },
                "responses": _receipt() | _declined(400, 401, 403, 408, 413, 415, 422, 429, 503),
            }
        }
    }


def _formats() -> Schema:
    return {f"/api/v1/{format.key}": {"post": _message(format)} for format in FORMATS.values()}


def _message(format: Format) -> Schema:
    is_json = any("json" in name for name in format.media_types)
    example = json.loads(format.example) if is_json else format.example
    schema: Schema = {} if is_json else {"type": "string"}
    scopes = " and ".join(f"`{KINDS[kind].scope}`" for kind in format.kinds)
    return {
        "operationId": f"send_{format.key.replace('-', '_')}",
        "tags": ["formats"],
        "summary": f"Send messages of {format.title}",
        "description": f"{format.told} Needs the scopes {scopes}.",
        "requestBody": {
            "required": True,
            "content": {name: {"schema": schema, "example": example} for name in format.media_types},
        },
        "responses": _receipt() | _declined(400, 401, 403, 408, 413, 415, 422, 429, 503),
    }


def _phones() -> Schema:
    names = {
        "id": "The vehicle: the device's own identifier.",
        "lat": "Latitude, degrees.",
        "lon": "Longitude, degrees.",
        "timestamp": "Epoch seconds or milliseconds, or ISO 8601.",
        "speed": "Speed, knots.",
        "accuracy": "Accuracy, metres.",
    }
    operation = {
        "operationId": "send_phone_position",
        "tags": ["formats"],
        "summary": "Send a phone's position (OsmAnd, Traccar Client)",
        "description": "The token stands in the path, because phones can't send headers: give it the one scope "
        f"`{TokenScope.POSITIONS}`.",
        "security": [],
        "parameters": [_path("token", "A token."), *(_query(name, told) for name, told in names.items())],
        "responses": _receipt() | _declined(400, 401, 403, 404, 413, 422, 429, 503),
    }
    return {"/api/v1/osmand/{token}": {"get": operation}}


def _webhooks() -> Schema:
    known = _path("webhook_id", "The webhook's id, as the page Connections gives it.")
    return {
        "/api/v1/webhooks/{webhook_id}": {
            "post": {
                "operationId": "send_signed",
                "tags": ["formats"],
                "summary": "Send a signed message in the webhook's format",
                "description": "Signed in the way of its format; all but EasyPost and Onfleet in the tower's own: the header "
                "`Lastmile-Signature: t=<Unix seconds>,v1=<hexadecimal HMAC-SHA-256 of 't.body'>`, at most five minutes old. "
                "Refused rows wait in quarantine, and the answer is 202 all the same.",
                "security": [],
                "parameters": [known],
                "requestBody": {"required": True, "content": {"application/json": {"schema": {}}}},
                "responses": _receipt() | _declined(400, 401, 404, 408, 413, 415, 429, 503),
            },
            "get": {
                "operationId": "check_webhook",
                "tags": ["formats"],
                "summary": "Say a word again, as Onfleet asks before it sends",
                "security": [],
                "parameters": [known, _query("check", "The word.")],
                "responses": {
                    "200": {"description": "The word.", "content": {"text/plain": {"schema": {"type": "string"}}}}
                }
                | _declined(400, 404, 429, 503),
            },
        }
    }


def _questions() -> Schema:
    scope = [
        _query(name, f"Only this {name}; again for more.", several=True) for name in ("depot", "carrier", "service")
    ]
    instant = {"type": "string", "format": "date-time"}
    day = {"type": "string", "format": "date"}
    delivery_id = _path(
        "delivery_id", "The tower's id: the source of the number, a colon, the number, as in erp:D-1001."
    )
    as_of = _query("as_of", "As known then; a + in it is sent as %2B.", instant)
    return {
        "/api/v1/deliveries/{delivery_id}": {
            "get": _asking("delivery", "One delivery with its history", "Delivery", [delivery_id, as_of], 404)
        },
        "/api/v1/epcis/{delivery_id}": {
            "get": _asking(
                "delivery_epcis", "One delivery's events as GS1 EPCIS 2.0", "EpcisDocument", [delivery_id], 404,
                media_type=EPCIS_TYPE,
            )
        },
        "/api/v1/kpis": {
            "get": _asking(
                "kpis",
                "KPIs of a period, the last 28 days where none is said",
                "Figures",
                [
                    _query("kpi", "Which; again for more.", {"type": "string", "enum": list(kpis.CATALOGUE)}, True) | {"required": True},
                    _query("from", "First service day.", day),
                    _query("to", "Last service day.", day),
                    _query("by", "Split by day, depot, carrier, service …; again for more.", several=True),
                    *scope,
                    as_of,
                ],
            )
        },
        "/api/v1/exceptions": {
            "get": _asking("exceptions", "What needs somebody, the dearest and most urgent first", "Exceptions", scope)
        },
    }  # fmt: skip


def _asking(
    name: str, summary: str, shape: str, parameters: list[Schema], *more: int, media_type: str = "application/json"
) -> Schema:
    content = {media_type: {"schema": {"$ref": f"#/components/schemas/{shape}"}}}
    return {
        "operationId": name,
        "tags": ["questions"],
        "summary": summary,
        "description": f"Needs the scope `{TokenScope.READ}`.",
        "parameters": parameters,
        "responses": {"200": {"description": summary, "content": content}} | _declined(400, 401, 403, *more, 429, 503),
    }


def _watching() -> Schema:
    status = {"application/json": {"schema": {"$ref": "#/components/schemas/Status"}}}
    text = {"200": {"description": "Counters.", "content": {"text/plain": {"schema": {"type": "string"}}}}}
    open_to_all = {"tags": ["watching"], "security": []}
    both = {"200": {"description": "Yes.", "content": status}, "503": {"description": "No.", "content": status}}
    return {
        "/healthz": {
            "get": {"operationId": "healthz", "summary": "Is the ledger readable?", "responses": both} | open_to_all
        },
        "/readyz": {
            "get": {"operationId": "readyz", "summary": "Would rows be taken now?", "responses": both} | open_to_all
        },
        "/metrics": {
            "get": {
                "operationId": "metrics",
                "tags": ["watching"],
                "summary": "Counters in the text format of Prometheus",
                "description": f"They name sources and how much they send. Needs the scope `{TokenScope.METRICS}`.",
                "responses": text | _declined(401, 403, 429, 503),
            }
        },
    }


def _receipt() -> Schema:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Receipt"}}}
    return {"202": {"description": "On the disk; the outcome of each row.", "content": content}}


def _declined(*statuses: int) -> Schema:
    content = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    wait = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait.", "required": True}}
    return {
        str(status): {"description": DECLINED[status], "content": content}
        | ({"headers": wait} if status in (429, 503) else {})
        for status in statuses
    }


def _path(name: str, told: str) -> Schema:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": told,
        "schema": {"type": "string", "minLength": 1},
    }


def _query(name: str, told: str, schema: Any = None, several: bool = False) -> Schema:
    one = schema or {"type": "string"}
    return {
        "name": name,
        "in": "query",
        "description": told,
        "schema": {"type": "array", "items": one} if several else one,
    }
