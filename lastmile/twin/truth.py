"""What nobody knows beforehand, by delivery: how each try would go, how long it takes, when goods are released."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from lastmile.twin import causes, chance, city
from lastmile.twin.demand import SERVICE_KEYS, SERVICES

TRIES = 4  # tries of one delivery that the truth is known for; nobody tries more often
SHAM = "sham"
# Share of tries that find nobody, by service: at any time of the day.
ABSENT = {"parcels": 0.026, "field_spares": 0.016, "medical": 0.007, "construction": 0.010}
# Shares of tries that fail, or fall short, for a reason that the hour does not change.
STANDING = {
    "parcels": (("refused", 0.003), ("damaged", 0.0018), ("payment", 0.001), ("customer_requested_change", 0.003)),
    "field_spares": (
        ("goods_missing_or_short", 0.009),
        ("appointment_missing_or_moved", 0.009),
        ("no_access_or_equipment", 0.007),
        ("damaged", 0.002),
    ),
    "medical": (
        ("documents_missing", 0.007),
        ("goods_missing_or_short", 0.006),
        ("refused", 0.004),
        ("appointment_missing_or_moved", 0.004),
    ),
    "construction": (
        ("no_access_or_equipment", 0.022),
        ("goods_missing_or_short", 0.016),
        ("appointment_missing_or_moved", 0.010),
        ("damaged", 0.004),
        ("weather", 0.003),
    ),
}


@dataclass(frozen=True)
class Truth:
    """The latent truths of the deliveries of a day, as lists by row; two-dimensional ones by row and try.

    Places are km from the centre; times are minutes of the day; `standing` is a reason or None.
    """

    x: list[float]
    y: list[float]
    booked_x: list[float]
    booked_y: list[float]
    area: list[int]
    may_start: list[float]
    closes: list[float]
    cancelled: list[float]
    misplaced: list[bool]
    leg_factor: list[list[float]]
    work: list[list[float]]
    linger: list[list[float]]
    standing: list[list[str | None]]
    absent_before: list[list[bool]]
    absent_after: list[list[bool]]
    tries_again: list[list[bool]]
    pace: list[list[float]]


def truth_of(seed: int, day: date, deliveries: pd.DataFrame) -> Truth:
    """The truths of a day's deliveries, whatever the order in which they will be visited."""
    keys = deliveries["key"].to_numpy()[:, None]
    tries = np.arange(TRIES)[None, :]

    def draw(purpose: str) -> np.ndarray:
        return chance.uniform(seed, purpose, keys, tries)

    service = deliveries["service"].to_numpy()
    long_stop = np.where(draw("long stop") < 0.02, 2.2, 1.0)
    work = np.exp(0.24 * chance.normal(seed, "work", keys, tries)) * long_stop
    before, after = _absent(deliveries, draw("absent"))
    can_wait = np.isin(service, ("parcels", "field_spares"))[:, None]
    cancelled = np.where(np.isnan(deliveries["cancelled"]), np.inf, deliveries["cancelled"])
    return Truth(
        x=deliveries["true_x"].tolist(),
        y=deliveries["true_y"].tolist(),
        booked_x=deliveries["x"].tolist(),
        booked_y=deliveries["y"].tolist(),
        area=deliveries["area_number"].tolist(),
        may_start=_may_start(deliveries, draw("patience")[:, 0]).tolist(),
        closes=deliveries["site_closes"].tolist(),
        cancelled=cancelled.tolist(),
        misplaced=deliveries["bad_address"].tolist(),
        leg_factor=np.exp(0.16 * chance.normal(seed, "leg", keys, tries)).tolist(),
        work=(work * deliveries["service_minutes"].to_numpy()[:, None]).tolist(),
        linger=(0.3 + 0.9 * draw("linger")).tolist(),
        standing=_standing(deliveries, draw("standing"), draw("sham"), draw("address")),
        absent_before=before.tolist(),
        absent_after=after.tolist(),
        tries_again=((draw("again") < 0.25) & can_wait).tolist(),
        pace=city.true_pace(seed, day),
    )


def _may_start(deliveries: pd.DataFrame, patience: np.ndarray) -> np.ndarray:
    """When a driver who came early starts: a little before the window, the 3PL's now and then long before."""
    early = deliveries["early_minutes"].to_numpy() * 0.7 * patience
    hasty = (deliveries["carrier_id"] == "panke").to_numpy() & (patience > 0.93)
    return deliveries["window_from"].to_numpy() - np.where(hasty, 45.0, early)


def _absent(deliveries: pd.DataFrame, draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whether nobody would be there before and from the afternoon on, by row and try."""
    usual = np.array([ABSENT[key] for key in SERVICE_KEYS])[deliveries["service_number"]][:, None]
    names = np.array(city.AREA_NAMES)[deliveries["area_number"]]
    touched = (deliveries["service"].to_numpy() == "parcels") & np.isin(names, causes.AFTERNOON_AREAS)
    afternoon = np.where(touched[:, None], causes.AFTERNOON_OUT, usual)
    return draws < usual, draws < afternoon


def _standing(
    deliveries: pd.DataFrame, draws: np.ndarray, sham: np.ndarray, address: np.ndarray
) -> list[list[str | None]]:
    """The reason, if any, for which a try would fail at any hour."""
    found = np.full(draws.shape, None, dtype=object)
    service = deliveries["service"].to_numpy()
    for key in SERVICES:
        at = 0.0
        for reason, share in STANDING[key]:
            found[(service == key)[:, None] & (draws >= at) & (draws < at + share)] = reason
            at += share
    bad = deliveries["bad_address"].to_numpy()[:, None] & (address < causes.BAD_ADDRESS_FAILS)
    found[bad & (draws < 0.55)] = "address_wrong_or_incomplete"
    found[bad & (draws >= 0.55)] = "cannot_locate"
    shams = (deliveries["carrier_id"] == causes.SHAM_TRIES_CARRIER).to_numpy() & (service == "parcels")
    found[shams[:, None] & (sham < causes.SHAM_TRIES)] = SHAM
    return found.tolist()


def released(seed: int, day: date, deliveries: pd.DataFrame) -> pd.DataFrame:
    """One row per delivery: minutes of the day at which it was released, picked, packed and staged.

    A delivery that was carried over lies at the depot: it is staged again, and NaN stands for what is not done twice.
    """
    keys = deliveries["key"].to_numpy()
    due = deliveries["release_due"].to_numpy()
    slack = -55.0 + 38.0 * chance.normal(seed, "release", keys)
    depots = deliveries["depot_id"].to_numpy()
    late_days = np.array([causes.releases_late(seed, depot, day) for depot in depots])
    held = late_days & (chance.uniform(seed, "held", keys) < 0.7)
    lateness = causes.LATE_RELEASE_MINUTES * (0.75 + 0.3 * chance.uniform(seed, "held for", keys))
    at = np.where(held, due + lateness, due + np.minimum(slack, 20.0))
    picked = at + 18.0 + 14.0 * chance.uniform(seed, "pick", keys)
    packed = picked + 6.0 + 9.0 * chance.uniform(seed, "pack", keys)
    staged = packed + 5.0 + 10.0 * chance.uniform(seed, "stage", keys)
    carried = deliveries["carried"].to_numpy()
    again = 200.0 + 60.0 * chance.uniform(seed, "stage again", keys)
    known = np.where(carried, np.nan, 1.0)
    return pd.DataFrame(
        {
            "released": at * known,
            "picked": picked * known,
            "packed": packed * known,
            "staged": np.where(carried, again, staged),
        },
        index=deliveries.index,
    )
