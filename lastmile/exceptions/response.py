"""How fast exceptions are seen, taken up, acted on and over, and what came of them; open ones are censored, never left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import pandas as pd

from lastmile.errors import NotPossible
from lastmile.exceptions.catalogue import CATALOGUE
from lastmile.exceptions.rule import Outcome
from lastmile.model import Scope
from lastmile.store import Store

PREDICTING = [key for key, rule in CATALOGUE.items() if rule.predicts]
BY = ("key", "owner", "owner_role", "severity", "depot_id", "carrier_id", "service", "day")


@dataclass(frozen=True)
class Measure:
    """One figure of the response: what it is, of what, and its unit."""

    key: str
    label: str
    meaning: str
    unit: str


MEASURES = {
    one.key: one
    for one in (
        Measure("detect", "Time to detect", "From the instant at which the facts on record could first tell, to its detection.", "min"),
        Measure("acknowledge", "Time to acknowledge", "From detection to the first step of a person. Waiting ones count as long as they wait.", "min"),
        Measure("act", "Time to first action", "From detection to the first action that was done. Waiting ones count as long as they wait.", "min"),
        Measure("resolve", "Time to resolve", "From detection to its end, by a person or because its condition was gone. Open ones count as long as they last.", "min"),
        Measure("prevented", "Prevented", "Warnings that were over before the breach, of those that were over before or by it.", "share"),
        Measure("precision", "Alert precision", "Warnings whose promise was then broken, of those in which nobody intervened and whose promise has ended.", "share"),
    )
}  # fmt: skip
TIMES = {"detect": None, "acknowledge": "acknowledged", "act": "acted", "resolve": "resolved"}
"""Measure of a time → the column that says whether its step was taken; None: it always was."""


def response(
    store: Store, day_from: date, day_to: date, at: datetime, *, scope: Scope | None = None, by: Sequence[str] = ()
) -> pd.DataFrame:
    """One row per group of `by` (of BY; none: one row): `n` exceptions, `open` of them; for each time `…_p50` and `…_p90` in
    minutes (Kaplan–Meier; NaN where so many have not taken the step yet) and `…_n` steps taken; prevented, prevented_n,
    precision, precision_n. Days are service days, as known at `at`.
    """
    wrong = [name for name in by if name not in BY]
    if wrong:
        raise NotPossible(f"Response can't be split by {wrong[0]}; it can by {', '.join(BY)}.")
    rows, warned = rows_of(store, day_from, day_to, at, scope), warnings_of(store, day_from, day_to, at, scope)
    if not by:
        return pd.DataFrame([_figures(rows, warned)])
    keys = list(by)
    texts = [name for name in keys if name != "day"]
    rows, warned = (part.assign(**{name: part[name].fillna("") for name in texts}) for part in (rows, warned))
    of_group, none = dict(list(warned.groupby(keys))), warned.iloc[:0]
    found = pd.DataFrame(
        [
            dict(zip(keys, name, strict=True)) | _figures(part, of_group.get(name, none))
            for name, part in rows.groupby(keys)
        ]
    )
    return found.assign(**{name: found[name].replace("", None) for name in texts}) if len(found) else found


def rows_of(store: Store, day_from: date, day_to: date, at: datetime, scope: Scope | None = None) -> pd.DataFrame:
    """The rows behind the times: one per exception that stands for itself; see the macro exception_response."""
    return _scoped(
        store,
        "from exception_response($at, $day_from::date, $day_to::date)",
        scope,
        at=at,
        day_from=day_from,
        day_to=day_to,
    )


def warnings_of(store: Store, day_from: date, day_to: date, at: datetime, scope: Scope | None = None) -> pd.DataFrame:
    """The rows behind alert precision: one per warning of a promise that has ended; see the macro warning_result."""
    return _scoped(
        store, "from warning_result($at, $day_from::date, $day_to::date, $predicting::varchar[])", scope,
        at=at, day_from=day_from, day_to=day_to, predicting=PREDICTING,
    )  # fmt: skip


def _scoped(store: Store, sql: str, scope: Scope | None, **given: object) -> pd.DataFrame:
    found, scope = store.ask(sql, **given), scope or Scope()
    for column, wanted in (("depot_id", scope.depots), ("carrier_id", scope.carriers), ("service", scope.services)):
        if wanted:
            found = found[found[column].isna() | found[column].isin(wanted)]
    return found


def _figures(rows: pd.DataFrame, warned: pd.DataFrame) -> dict[str, object]:
    told: dict[str, object] = {"n": len(rows), "open": int((~rows.resolved).sum())}
    for key, taken in TIMES.items():
        minutes = rows[f"{key}_minutes"].to_numpy(dtype=float)
        happened = np.ones(len(rows), dtype=bool) if taken is None else rows[taken].to_numpy(dtype=bool)
        told |= {
            f"{key}_p50": waited(minutes, happened, 0.5),
            f"{key}_p90": waited(minutes, happened, 0.9),
            f"{key}_n": int(happened.sum()),
        }
    over = rows[rows.key.isin(PREDICTING) & rows.outcome.isin([Outcome.PREVENTED, Outcome.BREACHED])]
    alone = warned[~warned.intervened]
    return told | {
        "prevented": _share(over.outcome == Outcome.PREVENTED),
        "prevented_n": len(over),
        "precision": _share(alone.broken),
        "precision_n": len(alone),
    }


def _share(true: pd.Series) -> float:
    return float(true.mean()) if len(true) else float("nan")


def waited(minutes: np.ndarray, happened: np.ndarray, share: float) -> float:
    """The minutes within which a share has happened, where some still wait; NaN where that is not known yet.

    The product-limit estimate: the first time at which 1 − Π (1 − events ÷ at risk) reaches the share (E. L. Kaplan and
    P. Meier, Nonparametric estimation from incomplete observations, JASA 53, 1958). Those that stopped waiting at a time
    were still at risk at it.
    """
    times, place = np.unique(minutes[happened], return_inverse=True)
    if not len(times):
        return float("nan")
    events = np.bincount(place)
    at_risk = len(minutes) - np.searchsorted(np.sort(minutes), times, side="left")
    reached = 1.0 - np.cumprod(1.0 - events / at_risk) >= share - 1e-12
    return float(times[reached.argmax()]) if reached.any() else float("nan")
