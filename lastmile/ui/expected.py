"""The running day as pages show it: stops and vehicles with predicted arrivals where there are any."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pandas as pd

from lastmile import queries, runtime
from lastmile.exceptions import settings
from lastmile.model import Scope
from lastmile.outlook import Expected
from lastmile.predictions import stops_by_prediction, vehicles_by_prediction
from lastmile.store import Store
from lastmile.ui.desk import Desk


def expected(day: date, at: datetime) -> Expected | None:
    """What the tower expects of a day at an instant; None where it predicts nothing yet."""
    outlook = runtime.tower().outlook
    return outlook.of(day, at) if outlook is not None else None


def stops(desk: Desk) -> pd.DataFrame:
    """One row per delivery of the desk's day, as of queries.stops, with predicted arrivals."""
    return desk.ask(stops_expected, desk.at, desk.day, desk.view.scope, desk.view.as_of, number=number(desk))


def vehicles(desk: Desk) -> pd.DataFrame:
    """One row per vehicle of the desk's day, as of queries.vehicles, standing by its stops' predictions."""
    return share(desk, _vehicles)


def number(desk: Desk) -> int:
    """The number of the predictions that hold at the desk's instant: part of the key of whatever rests on them."""
    found = expected(desk.day, desk.at)
    return found.number if found else 0


def share(desk: Desk, make: Callable[[Desk], Any]) -> Any:
    """What `make(desk)` makes of what is predicted: as of `Desk.share`, and made anew when the predictions are."""
    return desk.keep((f"{make.__module__}.{make.__qualname__}", number(desk)), lambda: make(desk))


def _vehicles(desk: Desk) -> pd.DataFrame:
    """By all services of the scope's depots and carriers, as a van's standing does not change with those looked at."""
    scope, as_of = desk.view.scope, desk.view.as_of
    every_service = Scope(scope.depots, scope.carriers, (), scope.day_from, scope.day_to)
    of_stops = desk.ask(stops_expected, desk.at, desk.day, every_service, as_of, number=number(desk))
    return vehicles_by_prediction(desk.ask(queries.vehicles, desk.at, desk.day, scope, as_of), of_stops)


def stops_expected(
    store: Store,
    at: datetime,
    day: date,
    scope: Scope,
    as_of: datetime | None = None,
    *,
    number: int = 0,  # noqa: ARG001 (the key)
) -> pd.DataFrame:
    """queries.stops with the tower's predictions; `number` names those that a kept answer rests on."""
    found = expected(day, at)
    at_risk = settings.load(store)["at_risk_chance"]
    return stops_by_prediction(queries.stops(store, at, day, scope, as_of), found.stops if found else None, at_risk)
