"""A manager's own alternative to a plan: one stop on a chosen vehicle, judged by the evaluator before anybody drives it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lastmile.replanning.proposal import Proposal, choose
from lastmile.routing import Change, Comparison, MoveStop, compare, try_alternative
from lastmile.store import Store


@dataclass(frozen=True)
class Tried:
    """What putting one stop elsewhere would come to, against the plan it was tried on; `vehicle_id` None: not served."""

    stop_id: str
    vehicle_id: str | None
    comparison: Comparison
    money: Change

    @property
    def routes(self) -> Mapping[str, tuple[str, ...]]:
        return {route.vehicle_id: route.order for route in self.comparison.after.routes}


def tried(proposal: Proposal, stop_id: str, vehicle_id: str | None, place: int | None = None) -> Tried:
    """The proposal with one stop on a vehicle: at a place (1: its first stop that is not fixed), or where it costs least.

    `vehicle_id` None leaves it unserved.
    """
    problem, routes = proposal.open_day.problem, proposal.routes
    if vehicle_id is None:
        rest = {one: tuple(stop for stop in row if stop != stop_id) for one, row in routes.items()}
        comparison = compare(problem, routes, rest)
    else:
        position = None if place is None else _fixed(proposal, vehicle_id) + place - 1
        comparison = try_alternative(problem, routes, MoveStop(stop_id, vehicle_id, position))
    money = Change(proposal.open_day.money(comparison.before), proposal.open_day.money(comparison.after))
    return Tried(stop_id, vehicle_id, comparison, money)


def free_places(proposal: Proposal, stop_id: str, vehicle_id: str) -> int:
    """How many places the stop could take on a vehicle, after what is fixed there."""
    served = {route.vehicle_id: route.stop_ids for route in proposal.comparison.after.routes}
    others = [stop for stop in served.get(vehicle_id, ()) if stop != stop_id]
    return max(0, len(others) - _fixed(proposal, vehicle_id)) + 1


def adopted(store: Store, proposal: Proposal, one: Tried, by: str) -> Proposal:
    """The alternative as the proposal."""
    label = proposal.open_day.labels.get(one.stop_id, one.stop_id)
    where = "not served" if one.vehicle_id is None else f"on {one.vehicle_id}"
    return choose(store, proposal, one.routes, f"{proposal.chosen}; by hand {label} {where}", by)


def _fixed(proposal: Proposal, vehicle_id: str) -> int:
    problem = proposal.open_day.problem
    return len(problem.vehicles[problem.vehicle_index[vehicle_id]].committed_stop_ids)
