"""Where travel times come from and how far off they are, with the hours and zones behind them."""

from __future__ import annotations

import streamlit as st

from lastmile.errors import NotPossible
from lastmile.replanning.travel import fortnight_before, learned_by_hour, learned_travel, travel_for
from lastmile.routing.travel.learning import Learned
from lastmile.routing.travel.service import ServiceTravel
from lastmile.ui.desk import Desk
from lastmile.ui.tables import Column

_WHOLE_LEG = "Driven kilometres an hour over the whole leg, setting off and parking included"
_OFF = "What a leg is missed by on average, too long or too short; over all days, those that were learned from included"

HOURS = {
    "hour": Column("Leaving at", help="The local hour"),
    "zone": Column("Zone of its middle", width="medium"),
    "legs": Column("n legs", "count"),
    "speed_kmh": Column("Driven, km/h", "number", _WHOLE_LEG),
    "model_kmh": Column("Learned, km/h", "number", "The same legs as the learned model says"),
    "default_kmh": Column("Default, km/h", "number", "The same legs as the plain default says"),
    "off_minutes": Column("Learned off by, min", "number", _OFF),
    "default_off_minutes": Column("Default off by, min", "number", _OFF),
}


def show(desk: Desk, depot_id: str, name: str) -> None:
    """One line for a depot: what is used, learned from how many legs, how far off; and a way to the rows behind it."""
    learned = desk.ask(learned_travel, depot_id, **fortnight_before(desk.day))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f":material/speed: {_network(learned)}{learned.words}", width="content")
        if learned.legs and st.button(
            "Hours and zones", key="travel rows", type="tertiary", icon=":material/table_rows:"
        ):
            _rows(desk, depot_id, name)


def _network(learned: Learned) -> str:
    try:
        travel = travel_for(learned)
    except NotPossible as error:
        return f"{error} "
    return f"Ways are asked of {travel.name}, scaled by the hour. " if isinstance(travel, ServiceTravel) else ""


@st.dialog("Travel times by hour and zone", width="large")
def _rows(desk: Desk, depot_id: str, name: str) -> None:
    dates = fortnight_before(desk.day)
    rows = desk.ask(learned_by_hour, depot_id, **dates)
    st.caption(
        f"Legs around {name}, {dates['day_from']:%d %b} to {dates['day_to']:%d %b %Y}: from leaving a place to arriving at the "
        "next. Zones are rings around the middle of all legs. Parking under 200 m and legs that hold a break are left out."
    )
    desk.table(
        rows.assign(hour=[f"{hour:02d}:00" for hour in rows.hour]),
        key="travel by hour and zone",
        alt="Travel times by hour and zone",
        columns=HOURS,
        download=f"travel-times-{depot_id}.csv",
    )
