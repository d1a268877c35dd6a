"""The scope of a question as SQL: its conditions and their parameters."""

from __future__ import annotations

from typing import Any

from lastmile.model import Scope

IN_SCOPE = (
    "(len($depots) = 0 or depot_id in (select unnest($depots))) "
    "and (len($carriers) = 0 or carrier_id in (select unnest($carriers)))"
)
SERVICE_IN_SCOPE = "(len($services) = 0 or service in (select unnest($services)))"


def of_scope(scope: Scope, *, services: bool = True) -> dict[str, Any]:
    """The parameters that the conditions of a scope read."""
    parameters: dict[str, Any] = {"depots": list(scope.depots), "carriers": list(scope.carriers)}
    return parameters | ({"services": list(scope.services)} if services else {})
