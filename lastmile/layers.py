"""Map layers that a browser fetches by a signed link, so that a page need not send them again on every tick."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from itsdangerous import BadSignature, Signer

Provider = Callable[[Mapping[str, str]], dict[str, Any]]

_SIGNATURE = "sig"
_signer = Signer(os.environ.get("LASTMILE_SECRET") or os.urandom(32), salt="lastmile.layers")
_providers: dict[str, Provider] = {}


def provide(name: str, provider: Provider) -> None:
    """Register who answers for the layer `name`: parameters in (all text), one GeoJSON FeatureCollection out.

    A provider runs in a worker thread, and may ask the database. The last one registered counts.
    """
    _providers[name] = provider


def link(name: str, **parameters: object) -> str:
    """The signed path of a layer. Name the data's version among the parameters: browsers keep the answer a minute."""
    query = urlencode(sorted((key, str(value)) for key, value in parameters.items() if value is not None))
    signature = _signer.get_signature(_signed_text(name, query)).decode()
    return f"/layers/{name}.geojson?{query}{'&' if query else ''}{_SIGNATURE}={signature}"


def answer(name: str, parameters: Mapping[str, str]) -> dict[str, Any]:
    """The layer that a link names; PermissionError where the signature is wrong, KeyError where nobody provides it."""
    given = dict(parameters)
    signature = given.pop(_SIGNATURE, "")
    try:
        _signer.unsign(f"{_signed_text(name, urlencode(sorted(given.items())))}.{signature}")
    except BadSignature:
        raise PermissionError(name) from None
    return _providers[name](given)


def _signed_text(name: str, query: str) -> str:
    return f"{name}?{query}"
