"""Travel times learned from legs that were driven, and how far off they are on days that they were not learned from.

Legs are a frame, one row per leg: day, hour (local, of leaving), lon, lat, next_lon, next_lat, straight_km, minutes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from lastmile.routing.travel.great_circle import CIRCUITY, NEAR_KM, PLAIN, GreatCircleTravel, Rings

LEAST_LEGS = 200
"""Fewer legs than this say too little: the plain default stays."""

PRIOR_LEGS = 50
"""A zone or an hour is drawn to the overall pace as if so many more legs had been driven at it; from 10 to 200 the error on
held-out days of the demo is the same within 1 %."""

ZONES = 3
"""Rings around the middle of the legs with as many legs each. On held-out days of the demo they missed less than a grid of
9 to 36 cells or none, and a pace of its own for each zone and hour missed no less than zone times hour."""

HELD_OUT_SHARE = 0.25
MOST_HELD_OUT_DAYS = 3

NO_DRIVE = 2.0
"""A leg that took more than this many times what others like it take holds a break or a search, not driving alone."""

LEAST_ABSOLUTE_ROUNDS = 25
LEAST_DEVIATION_SECONDS = 10.0


@dataclass(frozen=True)
class Misses:
    """How far off a model is, in minutes a leg, over `legs` legs; a positive bias means that it says too long."""

    legs: int
    mean_absolute_minutes: float
    median_bias_minutes: float

    @property
    def words(self) -> str:
        """Both figures for people, as in `1.6 min a leg (in the median 0.1 min too long)`."""
        bias = round(self.median_bias_minutes, 1)
        side = " too long" if bias > 0 else " too short" if bias < 0 else ""
        return f"{self.mean_absolute_minutes:.1f} min a leg (in the median {abs(bias):.1f} min{side})"


@dataclass(frozen=True)
class Learned:
    """The travel model to use, what it was learned from, and its misses beside those of the plain default.

    `misses` and `default_misses` are None where there are too few days or legs to hold any out. `legs` is 0 where the
    plain default is used; `why_default` says why.
    """

    travel: GreatCircleTravel
    legs: int = 0
    days: int = 0
    held_out_days: int = 0
    misses: Misses | None = None
    default_misses: Misses | None = None
    why_default: str | None = None

    @property
    def words(self) -> str:
        """What is used and how good it is, as a sentence for people."""
        if self.why_default is not None:
            return f"Travel times are the plain default: {self.why_default}."
        from_legs = f"Travel times are learned from {self.legs:,} legs on {self.days} days"
        if self.misses is None or self.default_misses is None:
            return f"{from_legs}; too few days are on record to say how far off they are."
        held_out = "day that was" if self.held_out_days == 1 else f"{self.held_out_days} days that were"
        return (
            f"{from_legs}. On the last {held_out} held out ({self.misses.legs:,} legs) they are off by {self.misses.words}; "
            f"the plain default by {self.default_misses.words}."
        )


def learned(legs: pd.DataFrame, circuity: float = CIRCUITY) -> Learned:
    """The model of all legs, judged by learning it anew on the older days only; the default where that is no better."""
    days, told = sorted(legs.day.unique()), f"{len(legs):,} legs"
    if len(legs) < LEAST_LEGS:
        return Learned(PLAIN, why_default=f"{told} on record, fewer than {LEAST_LEGS}")
    held_out = min(MOST_HELD_OUT_DAYS, int(len(days) * HELD_OUT_SHARE) or len(days) // 2)
    judged = legs[legs.day.isin(days[len(days) - held_out :])]
    older = legs[~legs.day.isin(judged.day.unique())]
    source = f"great circle, learned from {told}"
    if judged.empty or len(older) < LEAST_LEGS:
        return Learned(replace(fitted(legs, circuity), source=source), len(legs), len(days))
    misses, default = misses_of(fitted(older, circuity), judged), misses_of(PLAIN, judged)
    found = Learned(PLAIN, len(legs), len(days), held_out, misses, default)
    if misses.mean_absolute_minutes >= default.mean_absolute_minutes:
        return replace(found, legs=0, why_default=f"what {told} teach is no better on held-out days")
    return replace(found, travel=replace(fitted(legs, circuity), source=source))


def fitted(legs: pd.DataFrame, circuity: float = CIRCUITY) -> GreatCircleTravel:
    """Setting-off time and pace, near and far, that miss the legs least; then their factors by hour and by zone.

    A factor is Σ seconds ÷ Σ seconds expected, over the legs of the hour or zone and `PRIOR_LEGS` average ones.
    """
    setting_off, near_pace, far_pace = _overall(legs)
    expected = near_pace * np.minimum(legs.straight_km, NEAR_KM) + far_pace * np.maximum(legs.straight_km - NEAR_KM, 0)
    spent = legs.minutes * 60 - setting_off
    driven = (spent < NO_DRIVE * expected).to_numpy()
    legs, expected, spent = legs[driven], expected[driven].to_numpy(), spent[driven].to_numpy()
    level = spent.sum() / expected.sum()
    by_hour = _factors(spent, expected * level, legs.hour.to_numpy(), 24)
    rings = _rings(legs)
    zones = rings.of(*_middles(legs))
    by_zone = _factors(spent, expected * level * by_hour[legs.hour.to_numpy()], zones, ZONES)
    pace = near_pace * level * by_hour / circuity
    return GreatCircleTravel(
        circuity=circuity,
        speed_kmh_by_hour=tuple(float(speed) for speed in 3600 / pace),
        setting_off_seconds=float(setting_off),
        far_speed_gain=float(near_pace / far_pace),
        rings=replace(rings, slowness=tuple(float(one) for one in by_zone)),
    )


def misses_of(travel: GreatCircleTravel, legs: pd.DataFrame) -> Misses:
    """Minutes that the model says a leg takes beyond what it took, as mean absolute value and as median."""
    beyond = travel.leg_seconds(columns(legs)) / 60 - legs.minutes.to_numpy()
    return Misses(len(legs), float(np.abs(beyond).mean()), float(np.median(beyond)))


def by_hour_and_zone(learned: Learned, legs: pd.DataFrame) -> pd.DataFrame:
    """One row per local hour and zone with a leg: n, speeds that were driven and that model and default say, its misses.

    Speeds are driven kilometres an hour over the whole leg, parking included, in km/h; misses in minutes a leg.
    """
    travel = learned.travel
    rings = travel.rings or _rings(legs)
    rows = legs.assign(
        zone=rings.of(*_middles(legs)),
        km=legs.straight_km * travel.circuity,
        said=travel.leg_seconds(columns(legs)) / 60,
        plain=PLAIN.leg_seconds(columns(legs)) / 60,
    )
    rows["off"], rows["plain_off"] = (rows.said - rows.minutes).abs(), (rows.plain - rows.minutes).abs()
    sums = rows.groupby(["hour", "zone"]).agg(
        legs=("km", "size"), km=("km", "sum"), minutes=("minutes", "sum"), said=("said", "sum"),
        plain=("plain", "sum"), off_minutes=("off", "mean"), default_off_minutes=("plain_off", "mean"),
    ).reset_index()  # fmt: skip
    for name, minutes in (("speed_kmh", "minutes"), ("model_kmh", "said"), ("default_kmh", "plain")):
        sums[name] = sums.km / sums[minutes] * 60
    words = zone_words(rings)
    sums["zone"] = [words[number] for number in sums.zone]
    return sums[["hour", "zone", "legs", "speed_kmh", "model_kmh", "default_kmh", "off_minutes", "default_off_minutes"]]


def zone_words(rings: Rings) -> list[str]:
    """Each ring in words, from the middle outwards."""
    inner, *further = [f"{radius:.1f}" for radius in rings.radii_km]
    between = [f"{a} to {b} km" for a, b in zip([inner, *further], further, strict=False)]
    return [f"within {inner} km of the middle", *between, f"beyond {rings.radii_km[-1]:.1f} km"]


def columns(legs: pd.DataFrame) -> dict[str, np.ndarray]:
    """What `GreatCircleTravel.leg_seconds` needs of the legs."""
    return {name: legs[name].to_numpy() for name in ("lon", "lat", "next_lon", "next_lat", "straight_km", "hour")}


def _overall(legs: pd.DataFrame) -> tuple[float, float, float]:
    """Setting-off seconds and seconds a great-circle kilometre near and far, with the least absolute deviation.

    By least squares, each leg weighed down by how far off it was in the round before, so that breaks and missing scans
    among the legs pull little.
    """
    km, seconds = legs.straight_km.to_numpy(), legs.minutes.to_numpy() * 60
    parts = np.column_stack([np.ones(len(km)), np.minimum(km, NEAR_KM), np.maximum(km - NEAR_KM, 0)])
    weights = np.ones(len(km))
    for _ in range(LEAST_ABSOLUTE_ROUNDS):
        found = np.linalg.lstsq(parts * weights[:, None], seconds * weights, rcond=None)[0]
        weights = 1 / np.sqrt(np.maximum(np.abs(seconds - parts @ found), LEAST_DEVIATION_SECONDS))
    setting_off, near, far = found
    near = max(near, 1.0)
    return max(setting_off, 0.0), near, far if 0 < far <= near else near


def _factors(spent: np.ndarray, expected: np.ndarray, groups: np.ndarray, count: int) -> np.ndarray:
    prior = PRIOR_LEGS * expected.mean()
    spent_in = np.bincount(groups, weights=spent, minlength=count)
    expected_in = np.bincount(groups, weights=expected, minlength=count)
    return (spent_in + prior) / (expected_in + prior)


def _rings(legs: pd.DataFrame) -> Rings:
    """Rings around the median midpoint, with as many legs in each; all as slow as each other yet."""
    lon, lat = _middles(legs)
    middle = Rings(float(np.median(lon)), float(np.median(lat)), (), (1.0,))
    away = np.hypot(*middle.plane_km(lon, lat))
    radii = np.quantile(away, np.arange(1, ZONES) / ZONES)
    return replace(middle, radii_km=tuple(float(one) for one in radii), slowness=(1.0,) * ZONES)


def _middles(legs: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    return ((legs.lon + legs.next_lon) / 2).to_numpy(), ((legs.lat + legs.next_lat) / 2).to_numpy()
