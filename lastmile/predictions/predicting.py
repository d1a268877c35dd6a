"""From a state to predictions: the course of each route, corrected and widened by how far such predictions have missed."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lastmile.predictions.chances import chance_beyond
from lastmile.predictions.driving import KEY, after, course
from lastmile.predictions.misses import ANY, kind_of, spread
from lastmile.predictions.model import HIGH, LEVELS, LOW, MIDDLE, Model, Paces

COLUMNS = [
    "instant", "day", "depot_id", "plan_id", "route_id", "vehicle_id", "stop", "delivery_id", "eta_at", "eta_from", "eta_until",
    "chance_late", "kind", "signal_minutes", "visited_at", "visit_inferred", "beyond_shift", "plan_at", "shifted_at",
]  # fmt: skip
"""eta_at is the middle; eta_from and eta_until hold 80 %; all null where the van has come already, or the data are thin.
chance_late is that the promise is broken; plan_at and shifted_at are the plan, and the plan moved by the present delay."""


def drafted(stops: pd.DataFrame, paces: Paces) -> pd.DataFrame:
    """A state in driving order with its course, in minutes after the instant: draft, plan, shifted plan, and what came."""
    driven = course(stops, paces)
    rows = driven.stops
    return rows.assign(
        draft_minutes=driven.arrives,
        extra_minutes=_extra(rows, driven.starts - driven.arrives, driven.leaves - driven.arrives),
        plan_minutes=after(rows, "arrive_at"),
        shifted_minutes=_shifted(rows),
        came_minutes=after(rows, "came_at"),
        signal_minutes=_signal_age(rows),
    )


def predict(model: Model, state: pd.DataFrame) -> pd.DataFrame:
    """One row per open stop of a state: COLUMNS. Along a route no arrival, nor either end of its interval, goes back."""
    rows = drafted(state, model.paces)
    rows["kind"] = kind_of(rows)
    rows["plan_at"] = rows.arrive_at
    rows["shifted_at"] = _instants(rows, np.maximum(rows.shifted_minutes, 0.0))
    reached = rows.visited_at.notna().to_numpy()
    if model.is_thin or rows.empty:
        nothing = pd.Series(pd.NaT, index=rows.index, dtype="datetime64[us, UTC]")
        thin = rows.assign(eta_at=nothing, eta_from=nothing, eta_until=nothing, chance_late=np.nan, beyond_shift=False)
        return thin[COLUMNS]
    minutes = _in_order(rows, np.maximum(_spread(model, rows), 0.0))
    beyond = minutes[:, _level(MIDDLE)] > after(rows, "shift_ends_at") + model.paces.over_shift
    chance = np.maximum(chance_beyond(minutes, _limit(rows, model.paces)), beyond)
    chance = np.where(after(rows, "promise_until") < 0, 1.0, np.where(rows.promise_until.isna(), np.nan, chance))
    for name, level in (("eta_at", MIDDLE), ("eta_from", LOW), ("eta_until", HIGH)):
        rows[name] = _instants(rows, minutes[:, _level(level)]).where(~reached)
    return rows.assign(chance_late=np.where(reached, np.nan, chance), beyond_shift=beyond & ~reached)[COLUMNS]


def _spread(model: Model, rows: pd.DataFrame) -> np.ndarray:
    """Minutes of arrival at LEVELS: the plan, the part of the drafted delay that lasts, and the misses of its kind."""
    draft, plan = rows.draft_minutes.to_numpy(), rows.plan_minutes.to_numpy()
    found = np.empty((len(rows), len(LEVELS)))
    for kind in rows.kind.unique():
        mine = (rows.kind == kind).to_numpy()
        carried, quantiles = spread(model.misses.get(kind, model.misses[ANY]), draft[mine])
        middle = plan[mine] + carried * (draft - plan)[mine]
        found[mine] = middle[:, None] + quantiles
    return found


def _in_order(rows: pd.DataFrame, minutes: np.ndarray) -> np.ndarray:
    """The same with no step back along a route: a later stop is never reached before an earlier one."""
    route = rows.groupby(KEY, sort=False).ngroup()
    return pd.DataFrame(minutes).groupby(route.to_numpy()).cummax().to_numpy()


def _limit(rows: pd.DataFrame, paces: Paces) -> np.ndarray:
    """Up to when the van must arrive to keep the promise: before its end less what lies between, and before the shift's."""
    promised = after(rows, "promise_until") - rows.extra_minutes.to_numpy()
    shift = after(rows, "shift_ends_at") + paces.over_shift
    return np.fmin(promised, np.where(np.isnan(promised), np.nan, shift))


def _extra(rows: pd.DataFrame, to_start: np.ndarray, to_leave: np.ndarray) -> np.ndarray:
    """Minutes from arriving to what must fall inside the window; waiting for the window never breaks it."""
    ends = rows.window_semantics.to_numpy() == "service_end"
    return np.where(ends, to_leave - to_start, 0.0)


def _shifted(rows: pd.DataFrame) -> np.ndarray:
    """The plan moved by the present delay of its route, less the waits that take it up on the way (as macro stop_state)."""
    waits = ((rows.service_at - rows.arrive_at) / pd.Timedelta(minutes=1)).clip(lower=0)
    before = waits.groupby([rows[name] for name in KEY], sort=False).cumsum() - waits
    delay = rows.delay_minutes.fillna(0.0)
    moved = np.where(delay > 0, np.maximum(0.0, delay - before), delay)
    return after(rows, "arrive_at") + moved


def _signal_age(rows: pd.DataFrame) -> np.ndarray:
    """Minutes since anything was known of the van: a fix, a stop left or reached, its departure."""
    ages = np.vstack([-after(rows, name) for name in ("fix_at", "last_free_at", "visited_at", "left_depot_at")])
    return np.fmin.reduce(ages, axis=0)


def _level(share: float) -> int:
    return int(np.abs(LEVELS - share).argmin())


def _instants(rows: pd.DataFrame, minutes: np.ndarray) -> pd.Series:
    return (
        (rows.instant + pd.to_timedelta(pd.Series(minutes, index=rows.index), unit="m"))
        .dt.round("s")
        .astype("datetime64[us, UTC]")
    )
