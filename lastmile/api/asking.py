"""What other systems ask: one delivery, KPIs, and what needs somebody now. Plain functions, run in threads."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lastmile import kpis, queries, runtime
from lastmile.adapters import epcis_document
from lastmile.api import paths  # noqa: F401 (registers what `any` means in a path)
from lastmile.api.access import admitted
from lastmile.api.answers import Declined, answer, plain, told_in_thread
from lastmile.clock import day_at
from lastmile.connections import TokenScope
from lastmile.exceptions import queue
from lastmile.model import Scope
from lastmile.runtime import Tower
from lastmile.store import Store

DAYS = timedelta(days=28)
SETTLING_SECONDS = 2.0
"""Who asks after sending is answered from a ledger that holds what was sent; a tower under load is not waited for longer."""

EPCIS_TYPE = "application/ld+json"
SCOPE = {"depot", "carrier", "service"}


def delivery(request: Request) -> Response:
    """One delivery as it stands, or as it was known at `as_of`, with its events."""
    tower = _admitted(request, {"as_of"})
    as_of = _instant(request, "as_of")
    found = _delivery(tower.store, request.path_params["delivery_id"], as_of)
    events = plain(queries.delivery_events(tower.store, found["delivery_id"], as_of))
    return answer(found | {"history": events})


def delivery_epcis(request: Request) -> Response:
    """The events of one delivery as a GS1 EPCIS 2.0 document."""
    tower = _admitted(request, set())
    found = _delivery(tower.store, request.path_params["delivery_id"], None)
    events = plain(queries.delivery_events(tower.store, found["delivery_id"]))
    return answer(epcis_document(found["delivery_id"], events, datetime.now(UTC)), media_type=EPCIS_TYPE)


def kpi(request: Request) -> Response:
    """Some KPIs over a period, by any of their groups."""
    tower = _admitted(request, SCOPE | {"kpi", "from", "to", "by", "as_of"})
    keys = request.query_params.getlist("kpi")
    unknown = [key for key in keys if key not in kpis.CATALOGUE]
    if not keys or unknown:
        told = f"There is no KPI {unknown[0]!r}." if unknown else "Name one or more with ?kpi=…"
        raise Declined(400, f"{told} There are {', '.join(kpis.CATALOGUE)}.")
    last = _day(request, "to") or _today(tower)
    first = _day(request, "from") or last - DAYS + timedelta(days=1)
    if last < first:
        raise Declined(400, f"from: {first} lies after to: {last}.")
    found = kpis.measure(
        tower.store,
        keys,
        day_from=first,
        day_to=last,
        by=tuple(dict.fromkeys(request.query_params.getlist("by"))),
        as_of=_instant(request, "as_of"),
        scope=_scope(request),
    )
    return answer({"from": first, "to": last, "figures": kpis.to_records(found)})


def exceptions(request: Request) -> Response:
    """What needs somebody: one row for each root, the dearest and most urgent first; as of lastmile.exceptions.queue."""
    tower = _admitted(request, SCOPE)
    at = tower.now()
    found = queue(tower.store, at, _scope(request))
    return answer({"at": at, "day": _today(tower), "exceptions": plain(found)})


def _admitted(request: Request, parameters: set[str]) -> Tower:
    tower = runtime.tower()
    admitted(request, tower.door, TokenScope.READ, limit=tower.door.questions)
    unknown = set(request.query_params) - parameters
    if unknown:
        known = ", ".join(sorted(parameters)) or "none"
        raise Declined(400, f"{sorted(unknown)[0][:100]!r} is no parameter here; there are: {known}.")
    tower.door.intake.settle(SETTLING_SECONDS)
    return tower


def _delivery(store: Store, delivery_id: str, as_of: datetime | None) -> dict[str, Any]:
    found = queries.delivery(store, delivery_id, as_of) if delivery_id.isprintable() else None
    if found is None:
        raise Declined(
            404, "There is no delivery of this id; ids begin with the source of the number, as in erp:D-1001."
        )
    return plain(found.to_frame().T)[0]


def _scope(request: Request) -> Scope:
    depots, carriers, services = (tuple(request.query_params.getlist(name)) for name in ("depot", "carrier", "service"))
    return Scope(depots, carriers, services)


def _today(tower: Tower) -> date:
    """The day on the clocks that the pages go by."""
    return day_at(tower.store, tower.now())


def _day(request: Request, name: str) -> date | None:
    said = request.query_params.get(name)
    if said is None:
        return None
    try:
        day = date.fromisoformat(said) if len(said) == 10 else None
    except ValueError:
        day = None
    if day is None or not 2000 <= day.year < 2100:
        raise Declined(400, f"{name}: {said[:40]!r} is not a day of the years 2000 to 2099; write it as 2026-03-02.")
    return day


def _instant(request: Request, name: str) -> datetime | None:
    said = request.query_params.get(name)
    if said is None:
        return None
    try:
        instant = datetime.fromisoformat(said).astimezone(UTC) if len(said) <= 40 else None
        has_zone = datetime.fromisoformat(said).tzinfo is not None
    except (ValueError, OverflowError):
        instant, has_zone = None, False
    if instant is None or not has_zone or not 2000 <= instant.year < 2100:
        hint = "write it as 2026-03-02T08:18:00Z; a + must be sent as %2B"
        raise Declined(400, f"{name}: {said[:40]!r} is not an instant of the years 2000 to 2099; {hint}.")
    return instant


ROUTES = [
    Route("/api/v1/deliveries/{delivery_id:any}", told_in_thread("deliveries", delivery)),
    Route("/api/v1/epcis/{delivery_id:any}", told_in_thread("epcis", delivery_epcis)),
    Route("/api/v1/kpis", told_in_thread("kpis", kpi)),
    Route("/api/v1/exceptions", told_in_thread("exceptions", exceptions)),
]
