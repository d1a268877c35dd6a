"""What is left of a depot's day at an instant, as a routing problem."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from lastmile import queries
from lastmile.errors import NotPossible
from lastmile.model import Scope
from lastmile.replanning.asked import Act, Asked
from lastmile.replanning.by_hand import first_on_vehicles, out_of_service, refuse_taking_out
from lastmile.replanning.experience import Experience, experience_before
from lastmile.replanning.fleet import fleet_of, progress_of, vehicle_shift
from lastmile.replanning.stops import by_stop, committed_stops, open_rows, price_of_failing, stop_of
from lastmile.routing import Evaluation, FairShare, Problem, Stop
from lastmile.store import Store

NOBODY_ASKED = Asked()


@dataclass(frozen=True)
class OpenDay:
    """A depot's day at an instant: the problem, what was asked, the plan it starts from, and what each stop stands for.

    `stops` has one row per open delivery, `done` one per delivery that stays as it was planned, `left_out` one per
    delivery that a person took out of today. `price_of_failing` is what not serving a stop today costs, by stop_id; the
    problem's own price is higher by a vehicle's whole day, so that no stop is left out to save a detour.
    """

    problem: Problem
    asked: Asked
    depot_id: str
    day: date
    at: datetime
    parent_plan_id: str
    version: int
    stops: pd.DataFrame
    done: pd.DataFrame
    left_out: pd.DataFrame
    fleet: pd.DataFrame
    price_of_failing: Mapping[str, float]
    experience: Experience

    @cached_property
    def labels(self) -> dict[str, str]:
        """What people call each stop: its recipient, else its delivery."""
        rows = self.stops.drop_duplicates("stop_id")
        return dict(zip(rows.stop_id, rows.recipient.fillna(rows.delivery_id), strict=True))

    @cached_property
    def stop_of_delivery(self) -> dict[str, str]:
        return dict(zip(self.stops.delivery_id, self.stops.stop_id, strict=True))

    @cached_property
    def not_planned(self) -> tuple[str, ...]:
        """What the operation says and the plan can't, in sentences: shifts of a vehicle after the one that it works."""
        several = self.fleet[self.fleet.shifts_to_work > 1]
        return tuple(
            f"{row.vehicle_id} has {row.shifts_to_work:.0f} shifts still to work today; only the one that ends at "
            f"{row.ends_at.astimezone(ZoneInfo(row.zone or 'UTC')):%H:%M} is planned."
            for row in several.itertuples()
        )

    def money(self, plan: Evaluation) -> float:
        """What a plan of this day comes to, in the depot's currency: rate cards, lateness, idle crews, stops not served.

        What only steers the search is no money: the price of changes, of uneven hours, and of a whole vehicle's day.
        """
        steering = plan.cost.not_served + plan.cost.changes + plan.cost.uneven
        return plan.cost.total - steering + sum(self.price_of_failing[stop_id] for stop_id in plan.unserved)


def open_day(
    store: Store,
    depot_id: str,
    day: date,
    at: datetime,
    asked: Asked = NOBODY_ASKED,
    experience: Experience | None = None,
) -> OpenDay:
    """What remains to be driven for a depot at an instant: executed stops and those being driven to stay as they are.

    So does a stop that its van has passed without a scan: it is done and its scan is missing, or the driver knows why not.
    Vehicles that broke down drive no more, unless they are put in again. Raises NotPossible where no plan is in force, or
    where what was decided by hand can't be.
    """
    plan = _plan_in_force(store, depot_id, day)
    stops = queries.stops(store, at, day, Scope(depots=(depot_id,)))
    experience = experience or experience_before(store, depot_id, day)
    fleet = fleet_of(store, plan.plan_id, depot_id, day, at, asked.vehicles(Act.VEHICLE_IN))
    broken = out_of_service(fleet, asked)
    rows = open_rows(store, depot_id, day, stops, experience, at)
    taken_out = rows.delivery_id.isin(list(asked.of_deliveries(Act.NOT_TODAY)))
    refuse_taking_out(rows[taken_out])
    left_out, rows = rows[taken_out], rows[~taken_out].reset_index(drop=True)
    usable = fleet[~fleet.vehicle_id.isin(list(broken))]
    first_on = first_on_vehicles(rows, asked, usable, broken)
    mine = stops[stops.plan_id.notna()]
    done = mine[mine.done | mine.passed]
    problem = _problem(store, plan.plan_id, rows, usable, done, asked, experience, at, broken, first_on)
    day_ends = max([problem.instant, *(vehicle.must_end_by for vehicle in problem.vehicles)])
    prices = {stop_id: price_of_failing(members, experience, day_ends) for stop_id, members in by_stop(rows).items()}
    return OpenDay(
        problem=_priced(problem, prices),
        asked=asked,
        depot_id=depot_id,
        day=day,
        at=at,
        parent_plan_id=plan.plan_id,
        version=next_version(store, depot_id, day),
        stops=rows,
        done=done,
        left_out=left_out,
        fleet=fleet,
        price_of_failing=prices,
        experience=experience,
    )


def _problem(
    store: Store,
    plan_id: str,
    rows: pd.DataFrame,
    fleet: pd.DataFrame,
    done: pd.DataFrame,
    asked: Asked,
    experience: Experience,
    at: datetime,
    broken: set[str],
    first_on: dict[str, list[str]],
) -> Problem:
    decided = asked.of_deliveries(Act.ON_VEHICLE, Act.KEEP_VEHICLE, Act.KEEP_ORDER, Act.KEEP_BOTH)
    committed = committed_stops(rows, asked, broken, first_on, at)
    progress = progress_of(queries.planned_stop_rows(store, plan_id), set(done.delivery_id))
    return Problem(
        stops=tuple(
            stop_of(members, asked, members[0].vehicle_id in broken, decided) for members in by_stop(rows).values()
        ),
        vehicles=tuple(
            vehicle_shift(row, rows, committed, progress, experience.pace.get(row.driver_id, 1.0), asked, at)
            for row in fleet.itertuples()
        ),
        instant=at.timestamp(),
        travel=experience.travel,
        currency=fleet.currency.dropna().iloc[0] if fleet.currency.notna().any() else "EUR",
        zone=fleet.zone.dropna().iloc[0] if fleet.zone.notna().any() else "UTC",
        policy=asked.policy,
        freedom=asked.freedom,
        budget=asked.budget,
        fair_share=_fair_share(fleet) if asked.even_hours else None,
    )


def _priced(problem: Problem, prices: Mapping[str, float]) -> Problem:
    """Each stop is worth a vehicle's whole day and what failing it costs: served first, the least valuable left out."""

    def priced(stop: Stop) -> Stop:
        return replace(stop, price_of_not_serving=problem.dearest_day + prices[stop.stop_id])

    return replace(problem, stops=tuple(priced(stop) for stop in problem.stops))


def _fair_share(fleet: pd.DataFrame) -> FairShare | None:
    """The mean hours of the vehicles with a route in the plan in force; an hour beyond costs the mean hour once more."""
    driving = fleet[~fleet.stands_by]
    if driving.empty:
        return None
    hours = (driving.returns_at - driving.departs_at).dt.total_seconds().mean() / 3600
    return FairShare(max(0.0, hours), float(driving.per_hour.fillna(0).mean()))


def _plan_in_force(store: Store, depot_id: str, day: date) -> Any:
    found = queries.plans(store, day, Scope(depots=(depot_id,)))
    found = found[found.in_force.fillna(False)] if len(found) else found
    if found.empty:
        raise NotPossible(f"No plan is in force for {depot_id} on {day:%d %b %Y}; there is nothing to re-optimize.")
    return next(found.itertuples())


def next_version(store: Store, depot_id: str, day: date) -> int:
    """The number of the next plan version of a depot and day."""
    return 1 + int(
        store.value("select max(version) from plan where depot_id = $depot and day = $day", depot=depot_id, day=day)
    )
