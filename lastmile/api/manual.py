"""The documentation of the routes: for programs as OpenAPI, for people as one plain page."""

from __future__ import annotations

import json
from functools import cache
from html import escape
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lastmile.adapters import FORMATS
from lastmile.api.document import document
from lastmile.intake import KINDS, Kind

STYLE = """body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}
table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.3rem .6rem .3rem 0;border-bottom:1px solid #8885}
pre{overflow-x:auto;padding:.8rem;background:#8882;border-radius:6px}code{font-size:.92em}h2{margin-top:2.5rem}"""
KEPT = {"cache-control": "public, max-age=300"}


def openapi(_: Request) -> Response:
    """The OpenAPI document. Open to all: it says nothing of anybody's data."""
    return Response(_document(), media_type="application/json", headers=KEPT)


def page(_: Request) -> Response:
    """One page for people; it needs no script and nothing from elsewhere."""
    policy = {"content-security-policy": "default-src 'none'; style-src 'unsafe-inline'"}
    return Response(_page(), media_type="text/html", headers=KEPT | policy)


@cache
def _document() -> bytes:
    return json.dumps(document(), ensure_ascii=False, default=str).encode()


@cache
def _page() -> bytes:
    said = document()
    parts = [
        "<!doctype html><html lang='en'><meta charset='utf-8'><meta name='viewport' content='width=device-width'>",
        f"<title>Lastmile for other systems</title><style>{STYLE}</style><h1>Lastmile for other systems</h1>",
        *(f"<p>{_words(text)}</p>" for text in said["info"]["description"].split("\n\n")),
        "<p>For programs: <a href='/api/v1/openapi.json'>/api/v1/openapi.json</a> (OpenAPI 3.1).</p>",
        "<h2>All routes</h2><table><tr><th>Route<th>What it does<th>Needs",
        *(_route(path, method, told) for path, routes in said["paths"].items() for method, told in routes.items()),
        "</table>",
        *(_kind(kind) for kind in KINDS.values()),
        "<h2>Messages of other systems</h2>",
        *(
            f"<h3>{escape(format.title)}</h3><p>{_words(format.told)}</p><pre>{escape(format.example)}</pre>"
            for format in FORMATS.values()
        ),
    ]
    return "".join(parts).encode()


def _route(path: str, method: str, told: dict[str, Any]) -> str:
    open_to_all = told.get("security") == []
    needs = "nothing, or what it carries itself" if open_to_all else told.get("description", "").rpartition("Needs ")[2]
    return f"<tr><td><code>{method.upper()} {escape(path)}</code><td>{_words(told['summary'])}<td>{_words(needs)}"


def _kind(kind: Kind) -> str:
    example = {field.name: field.example for field in kind.fields.values() if field.example is not None}
    rows = "".join(
        f"<tr><td><code>{field.name}</code>{'*' if field.required else ''}<td>{field.type}<td>{escape(field.meaning)}"
        for field in kind.fields.values()
    )
    title = escape(kind.key.replace("-", " ").capitalize())
    shown = escape(json.dumps(example, indent=1, ensure_ascii=False))
    return f"<h2>{title}</h2><p>{_words(kind.told)} * is needed.</p><pre>{shown}</pre><table>{rows}</table>"


def _words(text: str) -> str:
    """Text as HTML, what stands between backticks as code."""
    pieces = escape(text).split("`")
    return "".join(f"<code>{piece}</code>" if place % 2 else piece for place, piece in enumerate(pieces))


ROUTES = [
    Route("/api", page),
    Route("/api/v1/openapi.json", openapi),
]
