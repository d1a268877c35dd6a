"""Rules about promises: broken, about to be broken, in jeopardy; and a van that comes before anybody is ready."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lastmile.exceptions.rule import Due, Role, Rule, Severity, Subject
from lastmile.exceptions.rules.finding import after, found, minutes, news, promise_stake, spelled
from lastmile.exceptions.situation import Situation

LATE_ROOTS = ("vehicle_broke_down", "vehicle_silent", "late_departure", "not_released", "vehicle_behind")
REPAIRS = ("reoptimize_first", "move_to_vehicle", "change_promise", "call_list", "escalate")


def chances(situation: Situation, rows: pd.DataFrame) -> np.ndarray:
    """The chance that each promise is broken: as predicted; 0.95 on a van that has broken down; where nothing can be
    predicted the settings' assumption if the plan moved by the present delay breaks it, else unknown."""
    shifted = minutes(rows["shifted_at"], rows["promise_until"])
    guess = np.where(shifted > 0, situation.settings["assumed_chance"], np.nan)
    told = pd.to_numeric(rows["chance_late"], errors="coerce").to_numpy(dtype=float)
    return np.where(rows["broke_at"].notna(), 0.95, np.where(np.isnan(told), guess, told))


def _open(situation: Situation) -> pd.DataFrame:
    rows = situation.deliveries
    return rows[~rows["done"].astype(bool) & rows["promise_until"].notna()]


def _is_late(situation: Situation) -> pd.DataFrame:
    rows = _open(situation)
    came = rows[["seen_at", "arrived_at"]].max(axis=1)
    there = (came <= rows["promise_until"]) & (came >= after(rows["departs_at"], -60.0))
    unscanned = rows["passed"].astype(bool) | there
    grace = np.where(unscanned, situation.settings["passed_minutes"], situation.settings["late_minutes"])
    over = minutes(rows["instant"], rows["promise_until"])
    rows, over, grace = rows[over > grace], over[over > grace], grace[over > grace]
    since = rows["promise_until"] + pd.to_timedelta(grace, unit="m")
    words = [f"{spelled(late, 'minute')} past its promise, not handed over" for late in over]
    return found(
        rows, "delivery_id", **promise_stake(situation, rows), breach_at=rows["promise_until"],
        occurred_at=rows["promise_until"], since=since, words=words,
    )  # fmt: skip


def _warned(situation: Situation, threshold: str) -> pd.DataFrame:
    """Open deliveries whose promise is broken with a chance from a threshold on, or a little less."""
    rows = _open(situation)
    rows = rows[
        ~rows["passed"].astype(bool) & ~rows["unplanned"].astype(bool) & (rows["promise_until"] >= rows["instant"])
    ]
    chance = chances(situation, rows)
    least = situation.settings[threshold]
    near = chance >= least * situation.settings["calm_share"]
    rows, chance = rows[near], chance[near]
    return found(
        rows, "delivery_id", **promise_stake(situation, rows), fires=chance >= least, probability=chance,
        breach_at=rows["promise_until"], since=news(situation, rows), words=_warning(rows, chance),
    )  # fmt: skip


def _warning(rows: pd.DataFrame, chance: np.ndarray) -> list[str]:
    expected = pd.to_datetime(rows["eta_at"], utc=True).fillna(pd.to_datetime(rows["shifted_at"], utc=True))
    over = minutes(expected, rows["promise_until"])
    said = []
    for share, late in zip(chance, over, strict=True):
        when = (
            ""
            if np.isnan(late)
            else f", expected {spelled(abs(late), 'minute')} {'after' if late > 0 else 'before'} its end"
        )
        said.append(f"{share:.0%} chance that the promise is broken{when}")
    return said


def _will_be_late(situation: Situation) -> pd.DataFrame:
    return _warned(situation, "will_be_late_chance")


def _in_jeopardy(situation: Situation) -> pd.DataFrame:
    return _warned(situation, "at_risk_chance")


def _unplanned(situation: Situation) -> pd.DataFrame:
    rows = _open(situation)
    rows = rows[rows["unplanned"].astype(bool) & (rows["promise_until"] >= rows["instant"])]
    return found(
        rows, "delivery_id", **promise_stake(situation, rows, redelivery=True), probability=situation.settings["unplanned_chance"],
        breach_at=rows["promise_until"], words=["Its depot has a plan for the day, and it is on no van"] * len(rows),
    )  # fmt: skip


def _early(situation: Situation) -> pd.DataFrame:
    rows, settings = situation.deliveries, situation.settings
    rows = rows[~rows["done"].astype(bool) & rows["departed_at"].notna() & rows["arrived_at"].isna()]
    opens = rows["window_from"] - pd.to_timedelta(rows["early_minutes"].astype(float).fillna(0.0), unit="m")
    waits, ahead = minutes(opens, rows["eta_at"]), minutes(rows["eta_at"], rows["instant"])
    near = (
        (waits >= settings["early_minutes"] * settings["calm_share"])
        & (ahead <= settings["early_ahead_minutes"])
        & (ahead >= 0)
    )
    rows, waits = rows[near], waits[near]
    return found(
        rows, "delivery_id", fires=waits >= settings["early_minutes"], since=news(situation, rows),
        words=[f"Its van is expected {spelled(wait, 'minute')} before the site is ready" for wait in waits],
    )  # fmt: skip


def _failed(situation: Situation) -> pd.DataFrame:
    rows = situation.deliveries
    waiting = (
        rows["failed_at"].notna()
        & rows["handed_over_at"].isna()
        & rows["cancelled_at"].isna()
        & rows["returned_at"].isna()
    )
    rows = rows[waiting & (rows["failed_at"] > rows["booked_at"])]
    rows = rows[(rows["stop"].isna()) | (rows["failed_at"] >= after(rows["departs_at"], -360.0))]
    broken = rows["promise_until"] < rows["instant"]
    chance = np.where(broken, 1.0, situation.settings["attempt_chance"])
    reasons = rows["failed_reason"].fillna("no reason given").astype(str).str.replace("_", " ")
    return found(
        rows, "delivery_id", **promise_stake(situation, rows, redelivery=True), probability=chance,
        breach_at=rows["promise_until"], occurred_at=rows["failed_at"], since=rows["failed_known_at"],
        words=[f"A try has failed: {reason}" for reason in reasons],
    )  # fmt: skip


PROMISES = (
    Rule(
        key="is_late",
        label="Late",
        meaning="The promise has passed, and the delivery is neither handed over nor tried.",
        subject=Subject.DELIVERY,
        severity=Severity.HIGH,
        owner=Role.DISPATCHER,
        due=Due(15),
        playbook=("change_promise", "reoptimize_first", "call_list", "reattempt", "escalate"),
        why="A customer who waits is told by us, or tells others about us.",
        find=_is_late,
        covered_by=("failed_attempt",),
        roots=LATE_ROOTS,
    ),
    Rule(
        key="will_be_late",
        label="Will be late",
        meaning="The promise will more likely be broken than kept, as predicted.",
        subject=Subject.DELIVERY,
        severity=Severity.HIGH,
        owner=Role.DISPATCHER,
        due=Due(20),
        playbook=REPAIRS,
        why="While the window is open there is still something to save, and the customer can still plan.",
        find=_will_be_late,
        by_fact=False,
        covered_by=("is_late", "failed_attempt"),
        roots=LATE_ROOTS,
        predicts=True,
    ),
    Rule(
        key="in_jeopardy",
        label="Window in jeopardy",
        meaning="The promise may well be broken: the chance is above the limit, yet it is more likely kept.",
        subject=Subject.DELIVERY,
        severity=Severity.MEDIUM,
        owner=Role.DISPATCHER,
        due=Due(45),
        playbook=REPAIRS,
        why="A stop moved in time costs a few minutes; moved too late it costs the promise.",
        find=_in_jeopardy,
        by_fact=False,
        covered_by=("will_be_late", "is_late", "failed_attempt"),
        roots=LATE_ROOTS,
        predicts=True,
    ),
    Rule(
        key="unplanned",
        label="On no plan",
        meaning="The depot's plan for the day is made, and the delivery is on none of its vans.",
        subject=Subject.DELIVERY,
        severity=Severity.HIGH,
        owner=Role.DISPATCHER,
        due=Due(60, 120),
        playbook=("reoptimize_depot", "reattempt", "hand_to_carrier", "change_promise", "call_list", "escalate"),
        why="Nobody will bring it unless somebody decides to; each hour leaves fewer vans that could.",
        find=_unplanned,
        covered_by=("is_late", "failed_attempt"),
        predicts=True,
    ),
    Rule(
        key="early",
        label="Early at a site that is not ready",
        meaning="The van is expected well before the window opens, and would stand there.",
        subject=Subject.DELIVERY,
        severity=Severity.LOW,
        owner=Role.DISPATCHER,
        due=Due(30),
        playbook=("reoptimize_depot", "call_list", "comment"),
        why="A van that waits is paid, and late for whom it could have served meanwhile.",
        find=_early,
        by_fact=False,
        covered_by=("failed_attempt",),
        roots=("vehicle_broke_down",),
    ),
    Rule(
        key="failed_attempt",
        label="Failed try awaits a decision",
        meaning="A try has failed and nobody has said what becomes of the delivery: no new promise, no return.",
        subject=Subject.DELIVERY,
        severity=Severity.MEDIUM,
        owner=Role.CARE,
        due=Due(60),
        playbook=("reattempt", "call_list", "move_to_vehicle", "hand_to_carrier", "escalate"),
        why="The goods ride along undelivered, and whoever waits for them hears nothing.",
        find=_failed,
        predicts=True,
    ),
)  # fmt: skip
