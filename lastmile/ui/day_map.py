"""The map of a running day: vehicles by status, and the routes and stops under them, which the browser fetches by link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pandas as pd
import streamlit as st

from lastmile import layers, queries, runtime
from lastmile.model import Scope
from lastmile.ui import expected, format, symbols
from lastmile.ui.desk import Desk
from lastmile.ui.maps import Chosen, legend, operation_map

LAYER_SECONDS = 20
"""How old the routes and stops under the vehicles may be, in seconds of the reader's time."""


@dataclass(frozen=True)
class Concern:
    """What a chosen exception is about, on the map: its deliveries, its van and its route."""

    exception_id: str
    delivery_ids: tuple[str, ...] = ()
    vehicle_id: str | None = None
    route_id: str | None = None


def show(
    desk: Desk,
    vehicles: pd.DataFrame,
    stops: pd.DataFrame,
    chosen: Chosen | None,
    choose: Any,
    height: int,
    concern: Concern | None = None,
    key: str = "day map",
) -> None:
    """Draw the day, and the legend under it. The map moves to a concern when it is chosen, and stays there afterwards."""
    rests_on = (key, concern, expected.number(desk))
    drawn = desk.keep(("labelled", rests_on), lambda: _labelled(desk, vehicles))
    focus = (desk.view.scope.depots, str(desk.day))
    if concern is not None:
        st.session_state[f"{key} looked at"] = (focus, concern.exception_id)
    looked_at = st.session_state.get(f"{key} looked at", (None, None))
    operation_map(
        drawn,
        key=key,
        dark=desk.view.dark,
        choose=choose,
        chosen=chosen,
        chosen_path=_path_of(desk, stops, chosen, concern),
        covered=_covered(desk, stops, concern),
        chosen_vehicle=concern.vehicle_id if concern else None,
        depots=_depots(desk),
        reach=stops,
        routes_link=layers.link("routes", **_parameters(desk)),
        stops_link=layers.link("stops", **_parameters(desk)),
        focus=looked_at if looked_at[0] == focus else focus,
        height=height,
        alt=f"Map of {format.count(len(vehicles), 'vehicle')} and {format.count(len(stops), 'delivery', 'deliveries')}",
        keep=lambda looks, draw: desk.keep((looks, rests_on), draw),
    )
    if len(drawn):
        st.caption(desk.keep(("legend", rests_on), lambda: legend(drawn)))
    else:
        st.caption(
            f"No routes are on record for this day; {format.count(len(stops), 'delivery', 'deliveries')} shown as stops."
        )


def vehicle_detail(row: Any, zone: str) -> str:
    """How a vehicle stands, in a line: "31 of 72 done · 12 min behind · next 12:40"."""
    parts = [f"{row.deliveries_done} of {row.deliveries} done"]
    if format.known(row.delay_minutes) and abs(row.delay_minutes) >= 1 and format.known(row.departed_at):
        behind = "behind" if row.delay_minutes > 0 else "ahead"
        parts.append(f"{format.minutes(abs(row.delay_minutes))} {behind}")
    if format.known(row.next_eta_at):
        parts.append(f"next {format.clock(row.next_eta_at, zone)}")
    if row.status == "unknown":
        parts.append(f"silent for {format.minutes(row.signal_age_minutes)}")
    return " · ".join(parts)


def _labelled(desk: Desk, vehicles: pd.DataFrame) -> pd.DataFrame:
    shown = vehicles.copy()
    shown["label"] = shown.vehicle_id
    shown["detail"] = [vehicle_detail(row, desk.zone) for row in shown.itertuples()]
    return shown


def _depots(desk: Desk) -> pd.DataFrame:
    depots = desk.depots().dropna(subset=["lon", "lat"])
    chosen = desk.view.scope.depots
    return (depots[depots.depot_id.isin(chosen)] if chosen else depots).rename(columns={"name": "label"})


def _covered(desk: Desk, stops: pd.DataFrame, concern: Concern | None) -> pd.DataFrame | None:
    if concern is None or stops.empty:
        return None
    mine = stops[stops.delivery_id.isin(concern.delivery_ids)]
    rows = [_stop(row, desk.zone)["properties"] for row in mine.dropna(subset=["lon", "lat"]).itertuples()]
    told = pd.DataFrame(rows, columns=["id", "label", "detail"]).set_index("id")
    return mine.assign(label=mine.delivery_id.map(told.label), detail=mine.delivery_id.map(told.detail))


def _path_of(
    desk: Desk, stops: pd.DataFrame, chosen: Chosen | None, concern: Concern | None
) -> list[list[float]] | None:
    if concern is not None and concern.route_id is not None and len(stops):
        return _path(stops[stops.route_id == concern.route_id], _depot_places(desk.store))
    if chosen is None or stops.empty or chosen.kind in ("depot", "exception"):
        return None
    column = "vehicle_id" if chosen.kind == "vehicle" else "delivery_id"
    routes = stops.route_id[(stops[column] == chosen.id) & stops.route_id.notna()]
    return None if routes.empty else _path(stops[stops.route_id == routes.iloc[0]], _depot_places(desk.store))


def _path(stops: pd.DataFrame, depots: Mapping[str, list[float]]) -> list[list[float]]:
    ordered = stops.sort_values("stop").dropna(subset=["lon", "lat"])
    at_depot = [depots[ordered.depot_id.iloc[0]]] if len(ordered) and ordered.depot_id.iloc[0] in depots else []
    return [*at_depot, *ordered[["lon", "lat"]].round(5).values.tolist(), *at_depot]


def _depot_places(store: Any) -> dict[str, list[float]]:
    depots = queries.depots(store).dropna(subset=["lon", "lat"])
    return {row.depot_id: [row.lon, row.lat] for row in depots.itertuples()}


def _parameters(desk: Desk) -> dict[str, object]:
    """What the layers depend on; `moment` changes every so often, so that sessions share what the browser fetches."""
    pace = max(1.0, desk.tower.clock.speed) * LAYER_SECONDS
    scope = desk.view.scope
    return {
        "day": desk.day.isoformat(),
        "moment": int(desk.at.timestamp() // pace * pace),
        "as_of": desk.view.as_of.isoformat() if desk.view.as_of else None,
        "depots": ",".join(scope.depots),
        "carriers": ",".join(scope.carriers),
        "services": ",".join(scope.services),
        "zone": desk.zone,
    }


def _stops_of(parameters: Mapping[str, str]) -> pd.DataFrame:
    def several(name: str) -> tuple[str, ...]:
        return tuple(part for part in parameters.get(name, "").split(",") if part)

    as_of = parameters.get("as_of")
    return expected.stops_expected(
        runtime.store(),
        datetime.fromtimestamp(int(parameters["moment"]), tz=runtime.tower().now().tzinfo),
        date.fromisoformat(parameters["day"]),
        Scope(several("depots"), several("carriers"), several("services")),
        datetime.fromisoformat(as_of) if as_of else None,
    )


def _stops_layer(parameters: Mapping[str, str]) -> dict[str, Any]:
    stops = _stops_of(parameters).dropna(subset=["lon", "lat"])
    return _collection([_stop(row, parameters["zone"]) for row in stops.itertuples()])


def _stop(row: Any, zone: str) -> dict[str, Any]:
    window = (
        f"promised {format.span(row.window_from, row.window_due, zone)}"
        if format.known(row.window_due)
        else "no promise"
    )
    when = f"done {format.clock(row.outcome_at, zone)}" if row.done else f"expected {format.clock(row.eta_at, zone)}"
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [round(row.lon, 5), round(row.lat, 5)]},
        "properties": {
            "id": row.delivery_id,
            "label": row.recipient if format.known(row.recipient) else row.delivery_id,
            "status": row.status,
            "detail": f"{window} · {when}",
            "symbol": symbols.stop(row.status, bool(row.done)),
        },
    }


def _routes_layer(parameters: Mapping[str, str]) -> dict[str, Any]:
    stops = _stops_of(parameters)
    depots = _depot_places(runtime.store())
    lines = [
        {
            "type": "Feature",
            "geometry": {"type": "LineString", "coordinates": _path(route, depots)},
            "properties": {"id": route_id},
        }
        for route_id, route in stops[stops.route_id.notna()].groupby("route_id")
    ]
    return _collection([line for line in lines if len(line["geometry"]["coordinates"]) > 1])


def _collection(features: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": features}


layers.provide("stops", _stops_layer)
layers.provide("routes", _routes_layer)
