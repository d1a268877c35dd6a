"""Rules about vans: broken down, silent, not gone, off the way, standing still, out of hours."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lastmile.exceptions.rule import Due, Role, Rule, Severity, Subject
from lastmile.exceptions.rules.finding import after, found, minutes, news, spelled, together
from lastmile.exceptions.situation import Situation

EARTH_KM = 6371.0088
KEYS = ["instant", "route_id"]
LONGEST_SIGHT = 180.0
"""Positions are looked back at for three hours; a van that was last heard of before has been silent at least so long."""


def _waiting(situation: Situation, chance: float, threshold: float | None = None) -> pd.DataFrame:
    """Open deliveries on a van whose promise is open: all, or those whose chance of being broken is at least a threshold."""
    rows = situation.deliveries
    rows = rows[~rows["done"].astype(bool) & rows["route_id"].notna() & ~rows["passed"].astype(bool)]
    if threshold is not None:
        rows = rows[pd.to_numeric(rows["chance_late"], errors="coerce").fillna(chance) >= threshold]
    return rows


def _stops(situation: Situation, rows: pd.DataFrame) -> pd.DataFrame:
    """Vans with how many open stops they have; their money is that of the stops, which stand below them."""
    joined = together(rows, KEYS, _waiting(situation, 1.0), situation)
    return joined.set_axis(rows.index)


def _out(situation: Situation) -> pd.DataFrame:
    rows = situation.vehicles
    return rows[rows["departed_at"].notna() & rows["back_at"].isna() & (rows["open_deliveries"] > 0)]


def _broke_down(situation: Situation) -> pd.DataFrame:
    rows = situation.vehicles
    rows = _stops(situation, rows[rows["broke_at"].notna() & (rows["open_deliveries"] > 0)])
    return found(
        rows, "vehicle_id", breach_at=rows["first_breach_at"], currency=rows["currency"], occurred_at=rows["broke_at"],
        since=rows["broke_known_at"], words=[f"Broke down with {spelled(n, 'delivery', 'deliveries')} on it" for n in rows["members"]],
    )  # fmt: skip


def _silent(situation: Situation) -> pd.DataFrame:
    rows = _out(situation)
    rows = rows[
        rows["broke_at"].isna() & (rows["departed_at"] <= after(rows["instant"], -situation.settings["silent_minutes"]))
    ]
    heard = pd.to_datetime(rows["signal_at"], utc=True).fillna(pd.to_datetime(rows["departed_at"], utc=True))
    age = minutes(rows["instant"], heard)
    rows, heard, age = (
        rows[age > situation.settings["silent_minutes"]],
        heard,
        age[age > situation.settings["silent_minutes"]],
    )
    rows = _stops(situation, rows)
    heard = heard.loc[rows.index]
    return found(
        rows, "vehicle_id", probability=np.where(age > 60, 0.5, 0.3), breach_at=rows["first_breach_at"], currency=rows["currency"],
        occurred_at=heard, since=after(heard, situation.settings["silent_minutes"]),
        words=[f"No sign for {spelled(min(old, LONGEST_SIGHT), 'minute')}, {spelled(n, 'stop')} open" for old, n in zip(age, rows["members"], strict=True)],
    )  # fmt: skip


def _late_departure(situation: Situation) -> pd.DataFrame:
    """Not gone yet, or gone too late: it explains the lateness of its stops for as long as any are open."""
    rows = situation.vehicles
    gone = rows["departed_at"].notna()
    rows = rows[
        rows["broke_at"].isna()
        & (rows["open_deliveries"] > 0)
        & (gone | rows["worked_at"].isna())
        & rows["back_at"].isna()
    ]
    left = pd.to_datetime(rows["departed_at"], utc=True)
    behind = minutes(left.fillna(rows["instant"]), rows["departs_at"])
    late = (behind > situation.settings["departure_minutes"]) & (behind < 720)
    rows = _stops(situation, rows[late])
    told = [
        f"Should have left {spelled(over, 'minute')} ago, with {spelled(n, 'stop')}" if waits
        else f"Left {spelled(over, 'minute')} late, {spelled(n, 'stop')} open"
        for over, n, waits in zip(behind[late], rows["members"], left[late].isna(), strict=True)
    ]  # fmt: skip
    return found(
        rows, "vehicle_id", breach_at=rows["first_breach_at"], currency=rows["currency"], occurred_at=rows["departs_at"],
        since=after(rows["departs_at"], situation.settings["departure_minutes"]), words=told,
    )  # fmt: skip


def km_off(lon: pd.Series, lat: pd.Series, from_: tuple, to: tuple) -> np.ndarray:
    """Kilometres from places to the straight ways between two others, on a plane that is true near them."""
    lat_0 = np.radians(pd.to_numeric(lat).to_numpy(float))

    def plane(x: pd.Series, y: pd.Series) -> np.ndarray:
        east = np.radians(pd.to_numeric(x).to_numpy(float)) * np.cos(lat_0)
        return np.vstack([east, np.radians(pd.to_numeric(y).to_numpy(float))]) * EARTH_KM

    here, start, end = plane(lon, lat), plane(*from_), plane(*to)
    way = end - start
    length = (way**2).sum(axis=0)
    along = np.divide(((here - start) * way).sum(axis=0), length, out=np.zeros_like(length), where=length > 0)
    return np.sqrt(((here - start - np.clip(along, 0.0, 1.0) * way) ** 2).sum(axis=0))


def _off_route(situation: Situation) -> pd.DataFrame:
    rows = _out(situation)
    known = rows[["lon", "lat", "last_lon", "last_lat", "next_lon", "next_lat"]].notna().all(axis=1)
    rows = rows[
        known
        & rows["broke_at"].isna()
        & (minutes(rows["instant"], rows["signal_at"]) <= situation.settings["silent_minutes"])
    ]
    off = _km_from_ways(situation, rows)
    home = km_off(
        rows["lon"], rows["lat"], (rows["depot_lon"], rows["depot_lat"]), (rows["depot_lon"], rows["depot_lat"])
    )
    far = (off > situation.settings["off_route_km"]) & ~(home <= 1.0)
    rows, off = rows[far], off[far]
    rows = _stops(situation, rows)
    return found(
        rows, "vehicle_id", probability=0.3, breach_at=rows["first_breach_at"], currency=rows["currency"],
        since=rows["newest_at"], words=[f"{km:.1f} km off the way to its next stop" for km in off],
    )  # fmt: skip


def _km_from_ways(situation: Situation, vans: pd.DataFrame) -> np.ndarray:
    """Km from each van to the nearest straight way of what is left of its route: from where it was last, over its open
    stops, to its depot. Drivers change the order, and scans come late: only what is far from all of it is off."""
    stops = situation.deliveries
    stops = stops[~stops["done"].astype(bool) & stops["route_id"].isin(vans["route_id"]) & stops["lat"].notna()]
    columns = [*KEYS, "stop", "lon", "lat"]
    ends = [
        vans[KEYS].assign(stop=place, lon=vans[f"{name}_lon"], lat=vans[f"{name}_lat"])
        for name, place in (("last", -1), ("depot", 1e9))
    ]
    ways = pd.concat([stops[columns], *ends], ignore_index=True).dropna(subset=["lon", "lat"])
    ways = ways.sort_values([*KEYS, "stop"], kind="stable")
    after_it = ways.groupby(KEYS, sort=False)[["lon", "lat"]].shift(-1)
    ways = ways.assign(to_lon=after_it["lon"], to_lat=after_it["lat"]).dropna(subset=["to_lon"])
    joined = vans[[*KEYS, "lon", "lat"]].merge(ways.rename(columns={"lon": "from_lon", "lat": "from_lat"}), on=KEYS)
    km = km_off(
        joined["lon"], joined["lat"], (joined["from_lon"], joined["from_lat"]), (joined["to_lon"], joined["to_lat"])
    )
    nearest = joined.assign(km=km).groupby(KEYS, sort=False)["km"].min()
    return nearest.reindex(pd.MultiIndex.from_frame(vans[KEYS])).fillna(0.0).to_numpy()


def _idle(situation: Situation) -> pd.DataFrame:
    rows = _out(situation)
    rows = rows[rows["broke_at"].isna() & rows["still_since"].notna()]
    still = minutes(rows["signal_at"], rows["still_since"])
    pause = np.where(_in_break(rows), pd.to_numeric(rows["break_minutes"]).fillna(0.0), 0.0)
    near = _near(rows, "next") | _near(rows, "last") | _near(rows, "depot", 1.0)
    rows = rows[(still >= situation.settings["idle_minutes"] + pause) & ~near]
    rows = _stops(situation, rows)
    return found(
        rows, "vehicle_id", probability=0.3, breach_at=rows["first_breach_at"], currency=rows["currency"],
        occurred_at=rows["still_since"], since=after(rows["still_since"], situation.settings["idle_minutes"]),
        words=[f"Has stood for {spelled(still.loc[row], 'minute')}, at none of its stops" for row in rows.index],
    )  # fmt: skip


def _in_break(rows: pd.DataFrame) -> pd.Series:
    """Whether a break may be taken now: from its time on until three hours later."""
    since = minutes(rows["instant"], rows["break_from"])
    return (since >= 0) & (since <= 180)


def _near(rows: pd.DataFrame, place: str, km: float = 0.3) -> np.ndarray:
    lon, lat = rows[f"{place}_lon"], rows[f"{place}_lat"]
    return km_off(rows["lon"], rows["lat"], (lon, lat), (lon, lat)) <= km


def _out_of_hours(situation: Situation) -> pd.DataFrame:
    rows = situation.vehicles
    rows = rows[
        rows["shift_ends_at"].notna() & rows["last_eta_at"].notna() & rows["broke_at"].isna() & rows["back_at"].isna()
    ]
    ends = rows["shift_ends_at"] + pd.to_timedelta(pd.to_numeric(rows["overtime_minutes"]).fillna(0.0), unit="m")
    over = minutes(rows["last_eta_at"], ends)
    rows, over, ends = rows[over > 0], over[over > 0], ends[over > 0]
    rows = _stops(situation, rows)
    return found(
        rows, "vehicle_id", probability=0.6, breach_at=ends, currency=rows["currency"], since=news(situation, rows),
        words=[f"Its last stop is expected {spelled(late, 'minute')} after the shift and its overtime end" for late in over],
    )  # fmt: skip


ROAD = (
    Rule(
        key="vehicle_broke_down",
        label="Vehicle broke down",
        meaning="A van has broken down and has deliveries left that no plan has taken over.",
        subject=Subject.VEHICLE,
        severity=Severity.CRITICAL,
        owner=Role.DISPATCHER,
        due=Due(10),
        playbook=("reoptimize_without", "change_promise", "call_list", "hand_to_carrier", "escalate"),
        why="Every minute before its stops are on other vans breaks another promise.",
        find=_broke_down,
    ),
    Rule(
        key="vehicle_silent",
        label="Vehicle silent",
        meaning="A van on the road has told nothing, no position and no scan, for longer than it may.",
        subject=Subject.VEHICLE,
        severity=Severity.MEDIUM,
        owner=Role.DISPATCHER,
        due=Due(15),
        playbook=("call_driver", "reoptimize_without", "escalate"),
        why="A van that is not heard of is unknown, not on time; a call settles it.",
        find=_silent,
        covered_by=("vehicle_broke_down",),
        roots=("source_silent",),
    ),
    Rule(
        key="late_departure",
        label="Late departure",
        meaning="A van should have left its depot and has not, or left so late that its stops are behind.",
        subject=Subject.VEHICLE,
        severity=Severity.HIGH,
        owner=Role.WAREHOUSE,
        due=Due(10),
        playbook=("reoptimize_depot", "change_promise", "call_list", "escalate"),
        why="Minutes lost at the dock are lost at every stop of the route.",
        find=_late_departure,
        covered_by=("vehicle_broke_down",),
        roots=("release_behind",),
    ),
    Rule(
        key="off_route",
        label="Off route",
        meaning="A van is far from the way between its last and its next stop.",
        subject=Subject.VEHICLE,
        severity=Severity.LOW,
        owner=Role.DISPATCHER,
        due=Due(20),
        playbook=("call_driver", "reoptimize_depot", "escalate"),
        why="A wrong turn, another order of stops or a private errand: the plan no longer says what will happen.",
        find=_off_route,
        by_fact=False,
        covered_by=("vehicle_broke_down", "vehicle_silent"),
    ),
    Rule(
        key="idle",
        label="Idle",
        meaning="A van stands where it has nothing to do, longer than its break.",
        subject=Subject.VEHICLE,
        severity=Severity.LOW,
        owner=Role.DISPATCHER,
        due=Due(20),
        playbook=("call_driver", "reoptimize_depot", "escalate"),
        why="It is often the first sign of a breakdown that nobody has reported.",
        find=_idle,
        covered_by=("vehicle_broke_down", "vehicle_silent"),
    ),
    Rule(
        key="out_of_hours",
        label="Shift ends before the last stop",
        meaning="The last stop is expected after the shift and its overtime.",
        subject=Subject.VEHICLE,
        severity=Severity.MEDIUM,
        owner=Role.DISPATCHER,
        due=Due(60, 60),
        playbook=("reoptimize_depot", "change_promise", "escalate"),
        why="What is still on board when the shift ends goes back to the depot, and its promise with it.",
        find=_out_of_hours,
        by_fact=False,
        covered_by=("vehicle_broke_down",),
        roots=("late_departure",),
    ),
)  # fmt: skip
