"""Two plans of one problem side by side: what the change saves, keeps, breaks and moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lastmile.routing.cost import Cost
from lastmile.routing.evaluating import Evaluation, PlannedRoute, Violation, evaluate
from lastmile.routing.obstacles import Cause
from lastmile.routing.problem import Problem
from lastmile.routing.timing import RouteTimer
from lastmile.routing.wording import minutes, money, more_or_less

SAME = 1e-6
"""Up to this, in seconds, km or a dimension's unit, a limit is broken by as much as before."""


@dataclass(frozen=True)
class Change:
    """One figure before and after."""

    before: float
    after: float

    @property
    def difference(self) -> float:
        return self.after - self.before


@dataclass(frozen=True)
class MovedStop:
    """A stop that changes vehicle; None where it was, or is now, not served."""

    stop_id: str
    before_vehicle_id: str | None
    after_vehicle_id: str | None


@dataclass(frozen=True)
class VehicleComparison:
    """One vehicle's route before and after; minutes and km beside money."""

    vehicle_id: str
    stops: Change
    cost: Change
    distance_km: Change
    late_minutes: Change
    overtime_minutes: Change
    returns_at: Change
    gained: tuple[str, ...]
    lost: tuple[str, ...]

    @property
    def changed(self) -> bool:
        return bool(self.gained or self.lost or self.cost.difference)


@dataclass(frozen=True)
class Comparison:
    """The whole of a change of plan; stop_ids in the problem's order.

    `moved` are stops served in both plans by different vehicles; who is served newly or no longer is told apart.
    `reordered` stay on their vehicle with another stop before them. A promise is kept where the stop has a window's end
    and is served by it.
    """

    before: Evaluation
    after: Evaluation
    currency: str
    cost: Change
    distance_km: Change
    late_minutes: Change
    overtime_minutes: Change
    promises_kept: Change
    promises_broken: Change
    newly_kept: tuple[str, ...]
    newly_broken: tuple[str, ...]
    moved: tuple[MovedStop, ...]
    reordered: tuple[str, ...]
    newly_served: tuple[str, ...]
    no_longer_served: tuple[str, ...]
    unserved: tuple[str, ...]
    vehicles: tuple[VehicleComparison, ...]

    @property
    def cost_parts(self) -> dict[str, Change]:
        """The cost before and after by part: day, hours, overtime, distance, …"""
        return {name: Change(getattr(self.before.cost, name), getattr(self.after.cost, name)) for name in vars(Cost())}

    @property
    def newly_violated(self) -> tuple[Violation, ...]:
        """The hard limits that only the new plan breaks, or breaks by more."""
        known = {one.limit: one.excess for one in self.before.violations}
        return tuple(one for one in self.after.violations if one.excess > known.get(one.limit, 0) + SAME)

    @property
    def breaks(self) -> tuple[str, ...]:
        """What the new plan breaks that the old one does not, in sentences without a full stop."""
        missed = {one.stop_id for one in self.newly_violated if one.cause == Cause.WINDOW}
        late = [one for one in self.newly_broken if one not in missed and one in self.after.stops]
        crews = self.after.cost.crew_idle - self.before.cost.crew_idle
        return (
            *(one.words for one in self.newly_violated),
            *(f"{one} is {minutes(self.after.stops[one].late_minutes * 60)} late for its promise" for one in late),
            *(f"{one} is no longer served" for one in self.no_longer_served),
            *((f"crews wait for {money(crews, self.currency)} more",) if crews >= 0.005 else ()),
        )

    @property
    def words(self) -> str:
        """What the change costs and breaks, in one sentence: `€ 12.00 more; breaks: S1 is 5 min late for its promise`."""
        price = more_or_less(self.cost.difference, self.currency)
        return f"{price}; breaks: {'; '.join(self.breaks)}" if self.breaks else f"{price}; breaks nothing"


def compare(
    problem: Problem,
    before_routes: Mapping[str, Sequence[str]],
    after_routes: Mapping[str, Sequence[str]],
    timer: RouteTimer | None = None,
) -> Comparison:
    """What changes from one plan (stop_ids by vehicle_id) to another, both evaluated on the same problem."""
    timer = timer or RouteTimer(problem)
    before, after = evaluate(problem, before_routes, timer), evaluate(problem, after_routes, timer)
    order = [stop.stop_id for stop in problem.stops]
    promised = [stop.stop_id for stop in problem.stops if stop.last_closes is not None]
    was, now = set(before.broken_promises), set(after.broken_promises)
    return Comparison(
        before=before,
        after=after,
        currency=problem.currency,
        cost=Change(before.cost.total, after.cost.total),
        distance_km=Change(before.distance_km, after.distance_km),
        late_minutes=Change(before.late_minutes, after.late_minutes),
        overtime_minutes=Change(before.overtime_seconds / 60, after.overtime_seconds / 60),
        promises_kept=Change(len(promised) - len(was), len(promised) - len(now)),
        promises_broken=Change(len(was), len(now)),
        newly_kept=tuple(one for one in promised if one in was - now),
        newly_broken=tuple(one for one in promised if one in now - was),
        moved=tuple(_moved(order, before, after)),
        reordered=tuple(_reordered(order, before, after)),
        newly_served=tuple(one for one in order if one in before.unserved and one not in after.unserved),
        no_longer_served=tuple(one for one in order if one in after.unserved and one not in before.unserved),
        unserved=after.unserved,
        vehicles=tuple(_vehicle(*pair) for pair in zip(before.routes, after.routes, strict=True)),
    )


def _moved(order: Sequence[str], before: Evaluation, after: Evaluation) -> list[MovedStop]:
    pairs = [(one, before.stops[one].vehicle_id, after.stops[one].vehicle_id) for one in _in_both(order, before, after)]
    return [MovedStop(one, was, now) for one, was, now in pairs if was != now]


def _reordered(order: Sequence[str], before: Evaluation, after: Evaluation) -> list[str]:
    was, now = _predecessors(before), _predecessors(after)
    stays = [o for o in _in_both(order, before, after) if before.stops[o].vehicle_id == after.stops[o].vehicle_id]
    return [one for one in stays if was[one] != now[one]]


def _in_both(order: Sequence[str], before: Evaluation, after: Evaluation) -> list[str]:
    return [one for one in order if one in before.stops and one in after.stops]


def _predecessors(plan: Evaluation) -> dict[str, str | None]:
    return {
        one: previous
        for route in plan.routes
        for previous, one in zip((None, *route.stop_ids), route.stop_ids, strict=False)
    }


def _vehicle(before: PlannedRoute, after: PlannedRoute) -> VehicleComparison:
    was, now = set(before.stop_ids), set(after.stop_ids)
    return VehicleComparison(
        vehicle_id=before.vehicle_id,
        stops=Change(len(before.stops), len(after.stops)),
        cost=Change(before.cost.total, after.cost.total),
        distance_km=Change(before.distance_km, after.distance_km),
        late_minutes=Change(before.late_minutes, after.late_minutes),
        overtime_minutes=Change(before.overtime_seconds / 60, after.overtime_seconds / 60),
        returns_at=Change(before.returns_at, after.returns_at),
        gained=tuple(one for one in after.stop_ids if one not in was),
        lost=tuple(one for one in before.stop_ids if one not in now),
    )
