"""A proposal against the day as it has gone on since: what has happened, the same plan from now, and the decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import pandas as pd

from lastmile import decisions, queries
from lastmile.errors import NotPossible
from lastmile.model import Scope
from lastmile.notifications import Telling, notices_of, who_is_told
from lastmile.replanning.asked import Act
from lastmile.replanning.problem import OpenDay, open_day
from lastmile.replanning.proposal import Proposal, points_of, proposal_of
from lastmile.store import Store

WORTH_LESS = 0.2
LITTLE_MONEY = 5.0
"""A plan that saves a fifth less than was shown, and more than so much money, is shown again before it is approved."""


@dataclass(frozen=True)
class Drift:
    """What has happened since a proposal was made, by stop_id.

    `done` were executed since; of these, or of those that a van now drives to, `otherwise` went otherwise than the
    proposal says. `gone` are no longer to be served, `new` deliveries came in and are in no stop of the proposal.
    """

    done: tuple[str, ...] = ()
    otherwise: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    other_plan: bool = False

    @property
    def any(self) -> bool:
        return bool(self.done or self.otherwise or self.gone or self.new or self.other_plan)

    @property
    def matters(self) -> bool:
        """True where the proposal can't be driven as it is shown."""
        return bool(self.otherwise or self.gone or self.new or self.other_plan)


def drift_of(proposal: Proposal, stops: pd.DataFrame) -> Drift:
    """What has happened since, from the day's stop_state rows as they stand now."""
    start = proposal.open_day
    now = stops.set_index("delivery_id")
    known = [one for one in start.stops.delivery_id if one in now.index]
    rows = now.loc[known]
    finished = rows[(rows.done | rows.passed) & (rows.state != "cancelled")]
    cancelled = rows[rows.state == "cancelled"]
    reached = pd.concat([finished, _driven_to(now[~now.done & ~now.passed], start)])
    said = {stop.stop_id: stop for route in proposal.comparison.after.routes for stop in route.stops}
    otherwise = {
        start.stop_of_delivery[id]
        for id, vehicle_id in reached.vehicle_id.items()
        if id in start.stop_of_delivery and _otherwise(said.get(start.stop_of_delivery[id]), vehicle_id)
    }
    in_force = set(now.plan_id.dropna())
    unplanned = now[now.plan_id.isna() & ~now.done & (now.depot_id == start.depot_id)]
    new = unplanned.index.difference(start.stops.delivery_id).difference(start.left_out.delivery_id)
    return Drift(
        done=_stops_of(start, finished.index),
        otherwise=tuple(sorted(otherwise)),
        gone=_stops_of(start, cancelled.index),
        new=tuple(new),
        other_plan=bool(in_force) and start.parent_plan_id not in in_force,
    )


def _driven_to(open_rows: pd.DataFrame, start: OpenDay) -> pd.DataFrame:
    """The next stop of each van on the road that the proposal counts on, by the plan in force."""
    counted_on = open_rows.vehicle_id.isin(list(start.problem.vehicle_index))
    driving = open_rows[
        counted_on & open_rows.departed_at.notna() & open_rows.stop.notna() & open_rows.broke_down_at.isna()
    ]
    return driving.sort_values("stop").drop_duplicates("vehicle_id")


def _otherwise(said: object, vehicle_id: str) -> bool:
    return said is None or said.vehicle_id != vehicle_id


def _stops_of(start: OpenDay, delivery_ids: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(start.stop_of_delivery[one] for one in delivery_ids))


def refreshed(store: Store, proposal: Proposal, at: datetime, by: str) -> Proposal:
    """The same plan from a later instant: what was executed since stays as it was, the rest keeps vehicle and order.

    So do the plans that could be chosen instead. Deliveries that came in since are in them only where the plan in force has
    them. Raises NotPossible where another plan
    has come into force.
    """
    before = proposal.open_day
    kept = (Act.VEHICLE_OUT, Act.VEHICLE_IN, Act.NOT_TODAY)  # the rest has shaped the routes, and can't be asked twice
    by_hand = tuple(one for one in before.asked.by_hand if one.act in kept)
    asked = replace(before.asked, by_hand=by_hand, freeze_minutes=0)
    start = open_day(store, before.depot_id, before.day, at, asked, before.experience)
    if start.parent_plan_id != before.parent_plan_id:
        raise NotPossible(
            "Another plan has come into force since this one was made. Re-optimize again from the plan in force."
        )
    start = replace(start, asked=before.asked)
    routes = carried_over(proposal, proposal.routes, start)
    others = [carried_over(proposal, point.routes, start) for point in proposal.points]
    return proposal_of(
        store, start, proposal.solution, by, routes, proposal.chosen, points_of(start, [*others, routes])
    )


def carried_over(
    proposal: Proposal, planned: Mapping[str, tuple[str, ...]], start: OpenDay
) -> dict[str, tuple[str, ...]]:
    """Routes of the proposal's day for a later instant: commitments first, then what is still open in the planned order."""
    members = {stop.stop_id: stop.delivery_ids for stop in proposal.open_day.problem.stops}
    committed = start.problem.committed_to
    taken, routes = set(committed), {}
    for vehicle in start.problem.vehicles:
        row = list(vehicle.committed_stop_ids)
        for old in planned.get(vehicle.vehicle_id, ()):
            for delivery_id in members.get(old, ()):
                stop_id = start.stop_of_delivery.get(delivery_id)
                if stop_id is not None and stop_id not in taken:
                    taken.add(stop_id)
                    row.append(stop_id)
        routes[vehicle.vehicle_id] = tuple(row)
    return _with_later_ones(routes, taken, proposal, start)


def _with_later_ones(
    routes: Mapping[str, tuple[str, ...]], taken: set[str], proposal: Proposal, start: OpenDay
) -> dict[str, tuple[str, ...]]:
    """Stops that the proposal did not know stay where the plan in force has them."""
    known = set(proposal.open_day.stops.delivery_id)
    more = {
        vehicle_id: tuple(
            stop_id
            for stop_id in row
            if stop_id not in taken
            and not known & set(start.problem.stops[start.problem.stop_index[stop_id]].delivery_ids)
        )
        for vehicle_id, row in start.problem.plan_in_force().items()
    }
    return {vehicle_id: (*row, *more.get(vehicle_id, ())) for vehicle_id, row in routes.items()}


def approve(
    store: Store,
    proposal: Proposal,
    recorded: Proposal,
    actor: str,
    why: str,
    at: datetime,
    *,
    tell_customers: bool = False,
) -> Proposal:
    """Put a proposal in force, from now: what was executed since it was made stays as it was. Returns what came into force.

    With `tell_customers`, notices to those whose expected time moves by enough are asked for in the same step.

    `recorded` is the proposal that the search put on record; where another plan is approved instead, it is rejected in
    its favour. Raises NotPossible where it was decided before, or where the plan is from now worth less than was shown.
    """
    decisions.refuse_silence(why)
    decisions.refuse_decided(store, recorded.plan_id)
    stops = queries.stops(store, at, proposal.open_day.day, Scope(depots=(proposal.open_day.depot_id,)))
    final = refreshed(store, proposal, at, actor) if drift_of(proposal, stops).any else proposal
    if final is not proposal and _worth_less(final, proposal):
        raise Outdated(final)
    notices = notices_of(store, final.plan_id, telling_of(store, final, at), actor, at) if tell_customers else ()
    if final.plan_id == recorded.plan_id:
        decisions.approve_plan(store, final.plan_id, actor, why, at, notices)
        return final
    told = "the same plan, brought up to date, was approved" if final.chosen == recorded.chosen else "approved instead"
    decisions.approve_instead(store, final.tables, recorded.plan_id, actor, why, at, told, notices)
    return final


def telling_of(store: Store, proposal: Proposal, at: datetime) -> Telling:
    """Whom a proposal would be told to where it came into force at an instant."""
    start = proposal.open_day
    return who_is_told(
        store, start.parent_plan_id, proposal.tables["planned_stop"], start.stops.delivery_id.tolist(), at
    )


class Outdated(NotPossible):
    """The day has moved on so far that a proposal is worth less than was shown; `refreshed` is the same plan from now."""

    def __init__(self, refreshed: Proposal) -> None:
        super().__init__(
            "The day has moved on, and the plan is worth less than was shown. These are its figures from now."
        )
        self.refreshed = refreshed


def _worth_less(now: Proposal, shown: Proposal) -> bool:
    saving, promised = -now.money.difference, -shown.money.difference
    less = promised - saving > max(LITTLE_MONEY, WORTH_LESS * abs(promised))
    worse = len(now.reasons) > len(shown.reasons) or len(now.comparison.after.violations) > len(
        shown.comparison.after.violations
    )
    return less or worse
