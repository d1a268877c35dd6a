"""Rules about what is wrong with many stops of one van: one thing to decide, not one for each stop."""

from __future__ import annotations

import pandas as pd

from lastmile.exceptions.rule import Due, Role, Rule, Severity, Subject
from lastmile.exceptions.rules.finding import found as finding
from lastmile.exceptions.rules.finding import minutes, news, spelled, together
from lastmile.exceptions.rules.promises import chances
from lastmile.exceptions.situation import Situation

KEYS = ["instant", "route_id"]


def _endangered(situation: Situation) -> pd.DataFrame:
    """Open deliveries on a van whose promise is past, or in danger; with `behind`, the minutes they are moved from the plan."""
    rows = situation.deliveries
    rows = rows[~rows["done"].astype(bool) & rows["route_id"].notna() & ~rows["passed"].astype(bool)]
    rows = rows[rows["promise_until"].notna()]
    past = rows["promise_until"] < rows["instant"]
    rows = rows[past | (chances(situation, rows) >= situation.settings["at_risk_chance"])]
    return rows.assign(behind=minutes(rows["shifted_at"], rows["arrive_at"]))


def _behind(situation: Situation) -> pd.DataFrame:
    rows = situation.vehicles
    rows = rows[rows["broke_at"].isna() & rows["back_at"].isna() & (rows["open_deliveries"] > 0)]
    endangered = _endangered(situation)
    joined = together(rows, KEYS, endangered, situation)
    moved = endangered.groupby(KEYS, sort=False)["behind"].median().rename("behind").reset_index()
    joined = joined.merge(moved, on=KEYS, how="left")
    joined = joined[joined["members"] >= situation.settings["behind_deliveries"] - 1]
    words = [
        f"Runs {spelled(late, 'minute')} behind, {spelled(n, 'promise')} in danger" if late >= 5
        else f"{spelled(n, 'promise')} in danger: its plan leaves too little room"
        for late, n in zip(joined["behind"].fillna(0.0), joined["members"], strict=True)
    ]  # fmt: skip
    return finding(
        joined, "vehicle_id", fires=joined["members"] >= situation.settings["behind_deliveries"],
        breach_at=joined["first_breach_at"], currency=joined["currency"], since=news(situation, joined), words=words,
    )  # fmt: skip


def _proofs(situation: Situation) -> pd.DataFrame:
    rows = situation.vehicles
    done = situation.deliveries
    without = done[
        done["handed_over_at"].notna() & done["proof_missing"].fillna(False).astype(bool) & done["route_id"].notna()
    ]
    least = situation.settings["proofs_missing"]
    joined = together(rows, KEYS, without, situation)
    known = without.groupby(KEYS, sort=False)["handed_over_known_at"]
    told = known.apply(lambda times: times.sort_values().iloc[int(least) - 1] if len(times) >= least else pd.NaT)
    joined = joined.merge(told.rename("told_at").reset_index(), on=KEYS, how="left")
    joined = joined[joined["members"] >= least]
    since = pd.to_datetime(joined["told_at"], utc=True)
    return finding(
        joined, "vehicle_id", probability=0.1, currency=joined["currency"], occurred_at=since, since=since,
        words=[f"{spelled(n, 'handover')} without the whole proof today: a device, or a habit" for n in joined["members"]],
    )  # fmt: skip


VANS = (
    Rule(
        key="vehicle_behind",
        label="Van in trouble",
        meaning="Several promises of one van are in danger or past: it runs behind, or its plan was too tight.",
        subject=Subject.VEHICLE,
        severity=Severity.HIGH,
        owner=Role.DISPATCHER,
        due=Due(20),
        playbook=("reoptimize_depot", "call_driver", "change_promise", "call_list", "hand_to_carrier", "escalate"),
        why="What is wrong with a van is wrong with all its stops: one decision helps them all.",
        find=_behind,
        by_fact=False,
        covered_by=("vehicle_broke_down", "vehicle_silent", "late_departure"),
        roots=("release_behind",),
    ),
    Rule(
        key="proofs_failing",
        label="Proofs fail on one van",
        meaning="Several handovers of one van lack a part of their proof: its device fails, or its driver leaves it out.",
        subject=Subject.VEHICLE,
        severity=Severity.MEDIUM,
        owner=Role.CARE,
        due=Due(120),
        playbook=("call_driver", "comment", "escalate"),
        why="One call now saves the proofs of all that the van still has to hand over.",
        find=_proofs,
    ),
)
