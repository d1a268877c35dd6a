"""Learning from days that are over: paces from driven legs and services, misses from predictions made as known then."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lastmile.predictions.driving import after
from lastmile.predictions.misses import misses_of
from lastmile.predictions.model import Model, Paces
from lastmile.predictions.predicting import drafted

LEAST_DAYS = 3
LEAST_ARRIVALS = 500
"""Fewer days, or predictions of arrivals that came, than this say too little: an interval from them would pretend."""

PRIOR = 50
PRIOR_AT_SITE = 8
"""A factor is drawn to the overall pace as if so many more average legs or stops had gone at it."""

LONGEST_MINUTES = 120.0
NO_DRIVE = 2.5
"""A leg or service this many times as long as planned holds something else: a break, a search, a missing scan."""


def learn(stops: pd.DataFrame, history: pd.DataFrame) -> Model:
    """The model that past days teach.

    `stops`: one row per visit, of macro learned_stop. `history`: a state at many past instants, of macro open_stops_at,
    with `came_at`. Misses are measured crosswise: those of each half of the days with paces that the other half taught.
    """
    days = np.sort(history.day.unique()) if len(history) else np.array([])
    arrivals = int(history.came_at.notna().sum()) if len(history) else 0
    why = _why_thin(len(days), arrivals)
    if why is not None:
        return Model(Paces(), {}, arrivals, len(days), why)
    halves = [days[::2], days[1::2]]
    parts = [
        drafted(history[history.day.isin(judged)], paces_of(*_only(stops, history, taught)))
        for judged, taught in (halves, halves[::-1])
    ]
    return Model(paces_of(stops, history), misses_of(pd.concat(parts, ignore_index=True)), arrivals, len(days))


def _only(stops: pd.DataFrame, history: pd.DataFrame, days: np.ndarray) -> tuple[pd.DataFrame, pd.DataFrame]:
    return stops[stops.day.isin(days)], history[history.day.isin(days)]


def _why_thin(days: int, arrivals: int) -> str | None:
    if days < LEAST_DAYS:
        return f"{days} past days with a plan and arrivals are on record, fewer than {LEAST_DAYS}"
    if arrivals < LEAST_ARRIVALS:
        return f"{arrivals} past arrivals can be compared with what was known before, fewer than {LEAST_ARRIVALS}"
    return None


def paces_of(stops: pd.DataFrame, history: pd.DataFrame) -> Paces:
    """Σ minutes taken ÷ Σ minutes planned, overall and by group, each group drawn to the one above it."""
    legs = _sound(stops, "leg_minutes", "planned_leg_minutes")
    served = _sound(stops, "service_minutes", "planned_service_minutes")
    leg = legs.leg_minutes.sum() / legs.planned_leg_minutes.sum() if len(legs) else 1.0
    legs = legs.assign(expected=legs.planned_leg_minutes * leg)
    by_hour = factors(legs.leg_minutes, legs.expected, legs.leave_hour)
    legs["expected"] *= legs.leave_hour.map(by_hour).fillna(1.0)
    by_area = factors(legs.leg_minutes, legs.expected, legs.area)
    by_service = factors(served.service_minutes, served.planned_service_minutes, served.service)
    served = served.assign(expected=served.planned_service_minutes * served.service.map(by_service).fillna(1.0))
    by_driver = factors(served.service_minutes, served.expected, served.driver_id)
    served["expected"] *= served.driver_id.map(by_driver).fillna(1.0)
    by_site = factors(served.service_minutes, served.expected, served.site_id, PRIOR_AT_SITE)
    measured = legs[legs.straight_km > 0.2]
    return Paces(
        leg=float(leg), leg_by_hour=by_hour, leg_by_area=by_area,
        service=by_service, service_by_driver=by_driver, service_by_site=by_site,
        opening=stops.groupby("service").early_start_minutes.median().dropna().to_dict(),
        minutes_per_km=float(measured.planned_leg_minutes.sum() / measured.straight_km.sum()) if len(measured) else 3.0,
        **_departures(history),
        over_shift=_over_shift(history),
        day_so_far=_day_so_far(history),
    )  # fmt: skip


def factors(taken: pd.Series, expected: pd.Series, group: pd.Series, prior: float = PRIOR) -> dict:
    """Group → (Σ taken + prior) ÷ (Σ expected + prior), the prior being so many average ones that go as expected."""
    if not len(taken):
        return {}
    weight = prior * float(expected.mean())
    sums = pd.DataFrame({"taken": taken, "expected": expected}).groupby(group).sum()
    return ((sums.taken + weight) / (sums.expected + weight)).to_dict()


def _sound(stops: pd.DataFrame, taken: str, planned: str) -> pd.DataFrame:
    found = stops[(stops[taken] > 0) & (stops[taken] < LONGEST_MINUTES) & (stops[planned] > 0)]
    return found[found[taken] < NO_DRIVE * found[planned] + 5.0].copy()


def _departures(history: pd.DataFrame) -> dict[str, float]:
    """Median minutes that vans leave after plan, and, once overdue, still stay."""
    waiting = history[history.left_depot_at.isna() & history.last_free_at.isna() & history.went_out_at.notna()]
    waiting = waiting.drop_duplicates(["instant", "route_id"])
    if waiting.empty:
        return {}
    goes, planned = after(waiting, "went_out_at"), after(waiting, "departs_at")
    early, overdue = planned > 0, (planned <= 0) & (goes > 0)
    late_start = float(np.median((goes - planned)[early])) if early.any() else 0.0
    rest = float(np.median(goes[overdue])) if overdue.any() else 10.0
    return {"late_start": max(late_start, 0.0), "overdue_rest": rest}


def _day_so_far(history: pd.DataFrame) -> dict[int, float]:
    """Hour (UTC) → median over the days of what the legs so far have taken ÷ what was planned."""
    known = history[history.day_legs >= 20].drop_duplicates(["instant", "day"])
    ratio = known.day_leg_minutes / known.day_leg_planned
    return ratio.groupby(known.instant.dt.hour).median().to_dict()


def _over_shift(history: pd.DataFrame) -> float:
    """How many minutes beyond the end of the shift the last arrivals lie (99 of 100 are before it)."""
    over = ((history.came_at - history.shift_ends_at) / pd.Timedelta(minutes=1)).dropna()
    over = over[over > 0]
    return float(over.quantile(0.99)) if len(over) >= 20 else 60.0
