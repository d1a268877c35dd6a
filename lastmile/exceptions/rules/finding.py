"""What rules share: from rows that a condition holds for to the frame FOUND, and the money at stake."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from lastmile.exceptions.rule import FOUND
from lastmile.exceptions.situation import Situation

MINUTE = pd.Timedelta(minutes=1)
OF_SUBJECT = (
    "delivery_id",
    "route_id",
    "vehicle_id",
    "depot_id",
    "carrier_id",
    "service",
    "recipient",
    "source",
    "day",
)


def found(rows: pd.DataFrame, subject: str, **said: Any) -> pd.DataFrame:
    """FOUND from the rows of a situation: `subject` names the column of the subject's id, `said` are columns or values.

    What is not said: it fires, is certain, has nothing at stake, and no breach.
    """
    if rows.empty:
        return pd.DataFrame(columns=FOUND)
    usual = {
        "fires": True,
        "probability": 1.0,
        "stake": 0.0,
        "currency": None,
        "stake_assumed": False,
        "breach_at": pd.NaT,
        "occurred_at": rows["instant"],
        "since": rows["instant"],
        "words": "",
    }
    of_subject = {name: rows.get(name, None) for name in OF_SUBJECT}
    own = {"instant": rows["instant"], "subject_id": rows[subject].astype(object)}
    return pd.DataFrame(own | of_subject | usual | said, index=rows.index).reindex(columns=FOUND)


def minutes(later: pd.Series, earlier: pd.Series) -> pd.Series:
    """Minutes from one column of instants to another."""
    return (pd.to_datetime(later, utc=True) - pd.to_datetime(earlier, utc=True)) / MINUTE


def after(at: pd.Series, minutes_later: float) -> pd.Series:
    """Instants so many minutes later."""
    return pd.to_datetime(at, utc=True) + pd.Timedelta(minutes=minutes_later)


def news(situation: Situation, rows: pd.DataFrame) -> pd.Series:
    """Since when a prediction could be known: from the newest fact, if it came since the last look; else time alone made
    it so, at this look."""
    newest = pd.to_datetime(rows["newest_at"], utc=True)
    return newest.where(newest > rows["instant"] - situation.step, rows["instant"])


def promise_stake(situation: Situation, rows: pd.DataFrame, *, redelivery: bool = False) -> dict[str, pd.Series]:
    """stake, currency and stake_assumed of a broken promise: its penalty, and where asked for, one more try.

    A penalty that nobody gave, and a try whose cost the operation does not know, are assumed by the settings, and told as such.
    """
    settings = situation.settings
    given = pd.to_numeric(rows["penalty"], errors="coerce")
    stake, assumed = given.fillna(settings["assumed_penalty"]), given.isna()
    if redelivery:
        known = rows["service"].map(situation.redelivery).astype(float)
        stake, assumed = stake + known.fillna(settings["redelivery_cost"]), assumed | known.isna()
    return {"stake": stake, "currency": rows["currency"], "stake_assumed": assumed}


def members_together(keys: list[str], members: pd.DataFrame, situation: Situation) -> pd.DataFrame:
    """One row per key: Σ penalties of the members, how many there are, and the first breach among them."""
    mine = members[[*keys, "delivery_id", "promise_until"]].assign(**promise_stake(situation, members))
    grouped = mine.groupby(keys, sort=False)
    return pd.DataFrame(
        {
            "stake": grouped["stake"].sum(),
            "members": grouped.size(),
            "first_breach_at": grouped["promise_until"].min(),
            "currency": grouped["currency"].first(),
            "stake_assumed": grouped["stake_assumed"].any(),
        }
    )


def together(rows: pd.DataFrame, keys: list[str], members: pd.DataFrame, situation: Situation) -> pd.DataFrame:
    """Rows with the money at stake of their members: Σ penalties, how many there are, and the first breach among them."""
    sums = members_together(keys, members, situation)
    rest = rows.drop(columns=[name for name in sums if name in rows])
    joined = rest.merge(sums.reset_index(), on=keys, how="left")
    return joined.assign(
        stake=joined.stake.fillna(0.0),
        members=joined.members.fillna(0).astype(int),
        stake_assumed=joined.stake_assumed.astype("boolean").fillna(False).astype(bool),
    )


def spelled(count: float, one: str, many: str | None = None) -> str:
    """ "1 stop", "14 stops"."""
    return f"{count:,.0f} {one if round(count) == 1 else many or one + 's'}"


def chance_after(limit: pd.Series, low: pd.Series, middle: pd.Series, high: pd.Series) -> np.ndarray:
    """The chance that something comes after a limit, from its 10 %, 50 % and 90 % points; NaN where they are not known.

    Straight lines between the points and as far again beyond them: 0 and 1 at the ends.
    """
    at = [minutes(point, limit) for point in (low, middle, high)]
    below, above = at[1] - at[0], at[2] - at[1]
    points = np.vstack([at[0] - below.clip(lower=1) * 0.25, at[0], at[1], at[2], at[2] + above.clip(lower=1) * 0.25])
    shares = np.array([0.0, 0.1, 0.5, 0.9, 1.0])
    return np.array([np.nan if np.isnan(column).any() else 1.0 - np.interp(0.0, column, shares) for column in points.T])
