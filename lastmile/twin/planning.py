"""The morning plan: who serves what in which order, by insertion on believed travel times. Decent, and beatable."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd

from lastmile.twin import chance, city, fleet
from lastmile.twin.demand import SERVICES

BUFFER_MINUTES = 9.0  # the planner aims at this long before a window's end
LATE_WEIGHT = 12.0  # minutes of detour that a minute of lateness is worth to the planner
WAIT_WEIGHT = 0.25
OTHER_VEHICLE = 5.0
OTHER_CARRIER = 14.0
LOADING_MINUTES = 30.0
OVERTIME_MINUTES = 60.0
BREAK_MINUTES = 30.0
IMPROVED_SHARE = 0.5
CROWDED_WEIGHT = 1.2  # minutes charged for each stop beyond a fair share


@dataclass
class Task:
    """What the planner knows of a group of deliveries: place 0 is the depot; times are minutes of the day."""

    minutes: np.ndarray
    minutes_rows: list[list[float]]  # the same as lists: reading single values is faster
    km: np.ndarray
    opens: np.ndarray
    due: np.ndarray
    work: np.ndarray
    load: np.ndarray
    penalties: np.ndarray  # vehicle by place: minutes charged for leaving the usual round
    fair_stops: float

    def __post_init__(self) -> None:
        self.opens_list, self.due_list, self.work_list = self.opens.tolist(), self.due.tolist(), self.work.tolist()


@dataclass
class Draft:
    """One vehicle's route while it is being made; `order` starts and ends at the depot (0)."""

    vehicle: fleet.Vehicle
    place: int
    departs: float
    ends: float
    break_from: float
    order: list[int] = field(default_factory=lambda: [0, 0])
    arrives: list[float] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    leaves: list[float] = field(default_factory=list)
    load: np.ndarray = field(default_factory=lambda: np.zeros(3))
    order_now: np.ndarray = field(default_factory=lambda: np.zeros(2, dtype=np.int64))
    leaves_now: np.ndarray = field(default_factory=lambda: np.zeros(1))
    gaps_now: np.ndarray = field(default_factory=lambda: np.zeros(1))
    latest_now: np.ndarray = field(default_factory=lambda: np.zeros(1))
    rows: tuple[int, ...] = ()
    leg_km: np.ndarray = field(default_factory=lambda: np.zeros(0))
    leg_minutes: np.ndarray = field(default_factory=lambda: np.zeros(0))

    def capacity(self) -> np.ndarray:
        kind = self.vehicle.kind
        return np.array([kind.kg, kind.m3, kind.pieces])


def shift_of(seed: int, vehicle: fleet.Vehicle, day: date) -> dict[str, float]:
    """A vehicle's working time of a day in minutes: start, end, and when its break must be taken."""
    departs = vehicle.departs + 10.0 * np.floor(3 * chance.uniform(seed, "wave", vehicle.number, day.toordinal()) - 1)
    starts = float(departs) - LOADING_MINUTES
    return {
        "starts": starts,
        "ends": starts + vehicle.kind.shift_minutes,
        "departs": float(departs),
        "break_minutes": BREAK_MINUTES,
        "break_from": starts + 210.0,
        "break_due": starts + 330.0,
    }


def plan_group(seed: int, day: date, deliveries: pd.DataFrame, vehicles: list[fleet.Vehicle]) -> list[Draft]:
    """Routes for the deliveries of one depot and service; places in `order` are rows of `deliveries` plus one."""
    drafts = [_draft(seed, day, vehicle, place) for place, vehicle in enumerate(_used(deliveries, vehicles))]
    task = _task(deliveries, drafts)
    for draft in drafts:
        _schedule(draft, task)
    for place in np.lexsort((task.opens[1:], task.due[1:])) + 1:
        _insert(int(place), drafts, task)
    _improve(drafts, task)
    for draft in drafts:
        _leave_later(draft, task)
        before, after = draft.order[:-1], draft.order[1:]
        draft.leg_km, draft.leg_minutes = task.km[before, after], task.minutes[before, after]
    return drafts


def _used(deliveries: pd.DataFrame, vehicles: list[fleet.Vehicle]) -> list[fleet.Vehicle]:
    """As many vehicles of each carrier as its deliveries of the day need."""
    per_route = SERVICES[deliveries["service"].iloc[0]].per_route
    needed = np.ceil(deliveries["carrier_id"].value_counts() / (per_route * 1.12)).astype(int).to_dict()
    chosen: list[fleet.Vehicle] = []
    for vehicle in vehicles:
        if sum(v.carrier_id == vehicle.carrier_id for v in chosen) < needed.get(vehicle.carrier_id, 0):
            chosen.append(vehicle)
    return chosen or vehicles[:1]


def _draft(seed: int, day: date, vehicle: fleet.Vehicle, place: int) -> Draft:
    shift = shift_of(seed, vehicle, day)
    return Draft(vehicle, place, shift["departs"], shift["ends"], shift["break_from"])


def _task(deliveries: pd.DataFrame, drafts: list[Draft]) -> Task:
    depot = next(depot for depot in city.DEPOTS if depot.depot_id == drafts[0].vehicle.depot_id)
    x = np.append(city.x_km(depot.lon), deliveries["x"].to_numpy())
    y = np.append(city.y_km(depot.lat), deliveries["y"].to_numpy())
    opens = np.append(0.0, deliveries["window_from"].to_numpy())
    due = np.append(np.inf, np.maximum(deliveries["window_due"].to_numpy() - BUFFER_MINUTES, opens[1:] + 10.0))
    minutes = city.planned_minutes(x, y)
    return Task(
        minutes,
        minutes.tolist(),
        city.distance_matrix_km(x, y),
        opens,
        due,
        np.append(0.0, deliveries["service_minutes"].to_numpy()),
        np.vstack([np.zeros(3), deliveries[["weight_kg", "volume_m3", "pieces"]].to_numpy()]),
        _penalties(deliveries, drafts),
        1.05 * len(deliveries) / len(drafts),
    )


def _penalties(deliveries: pd.DataFrame, drafts: list[Draft]) -> np.ndarray:
    """What leaving the usual round costs: each carrier's vehicles share its deliveries by bearing."""
    carriers, share = deliveries["carrier_id"].to_numpy(), deliveries["round_at"].to_numpy()
    penalties = np.full((len(drafts), len(deliveries) + 1), OTHER_CARRIER)
    for carrier in {draft.vehicle.carrier_id for draft in drafts}:
        mine, theirs = np.flatnonzero(carriers == carrier), [d.place for d in drafts if d.vehicle.carrier_id == carrier]
        for number, part in enumerate(np.array_split(mine[np.argsort(share[mine], kind="stable")], len(theirs))):
            for place in theirs:
                penalties[place, part + 1] = 0.0 if place == theirs[number] else OTHER_VEHICLE
    return penalties


def _schedule(draft: Draft, task: Task) -> None:
    """Times of a route as believed: waits for windows to open, and one break, towards which waiting counts."""
    now, rested, here = draft.departs, False, draft.order[0]
    arrives, starts, leaves = [now], [now], [now]
    minutes, opens, work, break_from = task.minutes_rows, task.opens_list, task.work_list, draft.break_from
    for place in draft.order[1:]:
        arrive, opening = now + minutes[here][place], opens[place]
        if not rested and now >= break_from:
            rested = True
            arrive += max(0.0, BREAK_MINUTES - max(0.0, opening - arrive))
        start = arrive if arrive > opening else opening
        now, here = start + work[place], place
        arrives.append(arrive)
        starts.append(start)
        leaves.append(now)
    draft.arrives, draft.starts, draft.leaves = arrives, starts, leaves
    draft.order_now = np.array(draft.order)
    draft.leaves_now = np.array(leaves[:-1])
    draft.gaps_now = np.array(arrives[1:]) - draft.leaves_now
    draft.latest_now = _latest(draft, task)


def _latest(draft: Draft, task: Task) -> np.ndarray:
    """The latest arrival at each place (after the first) that makes nothing later than it must be."""
    later = max(draft.ends, draft.arrives[-1])
    latest, due, work = [later], task.due_list, task.work_list
    for at in range(len(draft.order) - 2, 0, -1):
        place, arrive, start = draft.order[at], draft.arrives[at], draft.starts[at]
        bound = later - (draft.arrives[at + 1] - draft.leaves[at]) - work[place]
        later = max(bound, arrive)
        own = due[place] if due[place] > start else start
        later = own if own < later else later
        latest.append(later)
    return np.array(latest[::-1])


def _best_place(place: int, draft: Draft, task: Task) -> tuple[float, int]:
    """The cheapest position of a place in a route: its price in minutes, and after which position it goes."""
    before, after = draft.order_now[:-1], draft.order_now[1:]
    there, onward, direct = task.minutes[before, place], task.minutes[place, after], task.minutes[before, after]
    arrive = draft.leaves_now + there
    start = np.maximum(arrive, task.opens[place])
    next_arrive = start + task.work[place] + onward + np.maximum(draft.gaps_now - direct, 0.0)
    late = np.maximum(start - task.due[place], 0.0) + np.maximum(next_arrive - draft.latest_now, 0.0)
    price = there + onward - direct + WAIT_WEIGHT * (start - arrive) + LATE_WEIGHT * late
    best = int(price.argmin())
    crowded = CROWDED_WEIGHT * max(0.0, len(before) - task.fair_stops)
    full = np.any(draft.load + task.load[place] > draft.capacity())
    return float(price[best]) + crowded + task.penalties[draft.place, place] + (1e6 if full else 0.0), best


def _insert(place: int, drafts: list[Draft], task: Task) -> None:
    offers = [(*_best_place(place, draft, task), draft) for draft in drafts]
    price, at, draft = min(offers, key=lambda offer: offer[0])
    if price >= 1e6:
        return  # no vehicle has room; it waits for the next day
    draft.order.insert(at + 1, place)
    draft.load = draft.load + task.load[place]
    _schedule(draft, task)


def _improve(drafts: list[Draft], task: Task) -> None:
    """Take out the stops that cost most where they stand, once, and put each in its best place."""
    costs = {}
    for draft in drafts:
        for at in range(1, len(draft.order) - 1):
            before, place, after = draft.order[at - 1 : at + 2]
            detour = task.minutes[before, place] + task.minutes[place, after] - task.minutes[before, after]
            late = max(0.0, draft.starts[at] - task.due[place])
            costs[place] = detour + LATE_WEIGHT * late + task.penalties[draft.place, place]
    worst = sorted(costs, key=lambda place: (-costs[place], place))[: int(len(costs) * IMPROVED_SHARE)]
    for place in worst:
        draft = next(draft for draft in drafts if place in draft.order)
        draft.order.remove(place)
        draft.load = draft.load - task.load[place]
        _schedule(draft, task)
        _insert(place, drafts, task)


def _leave_later(draft: Draft, task: Task) -> None:
    """A van whose first window opens late leaves up to an hour later, but by half past nine."""
    if len(draft.order) > 2:
        slack = draft.starts[1] - draft.arrives[1] - 5.0
        draft.departs = max(draft.departs, min(draft.departs + min(slack, 60.0), 570.0))
        _schedule(draft, task)
