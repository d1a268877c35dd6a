"""A manager's own alternative to a plan: one stop on a chosen vehicle, judged by the evaluator before anybody drives it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lastmile.replanning.proposal import Proposal, choose
from lastmile.routing import RELOAD, Change, Comparison, compare
from lastmile.routing.timing import RELOADS, RouteTimer
from lastmile.store import Store


@dataclass(frozen=True)
class Tried:
    """What putting one stop elsewhere would come to, against the plan it was tried on."""

    stop_id: str
    vehicle_id: str | None
    routes: Mapping[str, tuple[str, ...]]
    comparison: Comparison
    money: Change

    @property
    def newly_broken_limits(self) -> tuple[str, ...]:
        """Hard limits that the plan keeps and this would break, in words."""
        known = {violation.words for violation in self.comparison.before.violations}
        return tuple(one.words for one in self.comparison.after.violations if one.words not in known)


def tried(proposal: Proposal, stop_id: str, vehicle_id: str | None, place: int | None = None) -> Tried:
    """The proposal with one stop on a vehicle: at a place (1: its first stop that is not fixed), or where it costs least.

    `vehicle_id` None leaves it unserved.
    """
    problem = proposal.open_day.problem
    rest = {one: tuple(stop for stop in row if stop != stop_id) for one, row in proposal.routes.items()}
    if vehicle_id is not None:
        row = rest.get(vehicle_id, ())
        at = (
            _cheapest(proposal, row, stop_id, vehicle_id) if place is None else _fixed(proposal, vehicle_id) + place - 1
        )
        rest[vehicle_id] = (*row[:at], stop_id, *row[at:])
    comparison = compare(problem, proposal.routes, rest)
    money = Change(proposal.open_day.money(comparison.before), proposal.open_day.money(comparison.after))
    return Tried(stop_id, vehicle_id, rest, comparison, money)


def free_places(proposal: Proposal, stop_id: str, vehicle_id: str) -> int:
    """How many places the stop could take on a vehicle, after what is fixed there."""
    row = [stop for stop in proposal.routes.get(vehicle_id, ()) if stop != stop_id]
    return max(0, len(row) - _fixed(proposal, vehicle_id)) + 1


def adopted(store: Store, proposal: Proposal, one: Tried, by: str) -> Proposal:
    """The alternative as the proposal."""
    label = proposal.open_day.labels.get(one.stop_id, one.stop_id)
    where = "not served" if one.vehicle_id is None else f"on {one.vehicle_id}"
    return choose(store, proposal, one.routes, f"{proposal.chosen}; by hand {label} {where}", by)


def _fixed(proposal: Proposal, vehicle_id: str) -> int:
    problem = proposal.open_day.problem
    return len(problem.vehicles[problem.vehicle_index[vehicle_id]].committed_stop_ids)


def _cheapest(proposal: Proposal, row: Sequence[str], stop_id: str, vehicle_id: str) -> int:
    problem = proposal.open_day.problem
    timer, vehicle, index = RouteTimer(problem), problem.vehicle_index[vehicle_id], problem.stop_index
    stops = [RELOADS if one == RELOAD else index[one] for one in row]
    places = range(_fixed(proposal, vehicle_id), len(row) + 1)
    return min(places, key=lambda at: timer.time(vehicle, [*stops[:at], index[stop_id], *stops[at:]]).rank)
