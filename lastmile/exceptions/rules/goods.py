"""Rules about goods and their papers: not released, short, too warm, without a holder, without proof, tries that were none."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lastmile.exceptions.rule import Due, Role, Rule, Severity, Subject
from lastmile.exceptions.rules.finding import after, found, minutes, promise_stake, spelled, together
from lastmile.exceptions.situation import Situation
from lastmile.model import Criticality


def _unreleased(situation: Situation) -> pd.DataFrame:
    """Deliveries past their cut-off of which no release, and no later stage either, is on record."""
    rows = situation.deliveries
    seen = rows[["released_at", "staged_at", "loaded_at", "arrived_at"]].notna().any(axis=1)
    late = minutes(rows["instant"], rows["release_due"]) > situation.settings["release_minutes"]
    return rows[late & ~seen & ~rows["done"].astype(bool) & rows["departed_at"].isna()]


def _not_released(situation: Situation) -> pd.DataFrame:
    rows = _unreleased(situation)
    late = minutes(rows["instant"], rows["release_due"])
    return found(
        rows, "delivery_id", **promise_stake(situation, rows), probability=0.3, breach_at=rows["promise_until"],
        occurred_at=rows["release_due"], since=after(rows["release_due"], situation.settings["release_minutes"]),
        words=[f"Not released {spelled(over, 'minute')} after the cut-off" for over in late],
    )  # fmt: skip


def _release_behind(situation: Situation) -> pd.DataFrame:
    members, keys = _unreleased(situation), ["instant", "depot_id"]
    first = members.groupby(keys, sort=False).agg(release_due=("release_due", "min"), day=("day", "max")).reset_index()
    rows = together(first, keys, members, situation)
    rows = rows[rows["members"] >= situation.settings["release_deliveries"]]
    return found(
        rows, "depot_id", breach_at=rows["first_breach_at"], currency=rows["currency"], occurred_at=rows["release_due"],
        since=after(rows["release_due"], situation.settings["release_minutes"]),
        words=[f"{spelled(n, 'delivery', 'deliveries')} not released after the cut-off" for n in rows["members"]],
    )  # fmt: skip


def _short(situation: Situation) -> pd.DataFrame:
    rows = situation.deliveries
    gone = minutes(rows["instant"], rows["departed_known_at"]) >= 5.0
    nowhere = rows["staged_at"].isna() & rows["loaded_at"].isna() & rows["arrived_at"].isna()
    others = rows["depot_id"].map(_stages(rows))
    rows = rows[gone & nowhere & ~rows["done"].astype(bool) & others.fillna(False).astype(bool)]
    return found(
        rows, "delivery_id", **promise_stake(situation, rows, redelivery=True), probability=0.5, breach_at=rows["promise_until"],
        occurred_at=rows["departed_at"], since=after(rows["departed_known_at"], 5.0),
        words=["Its van has left, and neither staging nor loading of it is on record"] * len(rows),
    )  # fmt: skip


def _stages(rows: pd.DataFrame) -> pd.Series:
    """Depot → whether most of its deliveries on vans that left have stages on record: else their lack says nothing."""
    gone = rows[rows["departed_at"].notna()]
    return gone[["staged_at", "loaded_at"]].notna().any(axis=1).groupby(gone["depot_id"]).mean() > 0.5


def _temperature(situation: Situation) -> pd.DataFrame:
    rows, settings = situation.vehicles, situation.settings
    celsius = pd.to_numeric(rows["celsius"], errors="coerce")
    out = (celsius < settings["least_celsius"]) | (celsius > settings["most_celsius"])
    rows = rows[out & rows["back_at"].isna()]
    goods = situation.deliveries
    goods = goods[
        (goods["criticality"] == Criticality.REGULATED) & ~goods["done"].astype(bool) & goods["departed_at"].notna()
    ]
    spoiled = goods.assign(
        penalty=pd.to_numeric(goods["penalty"], errors="coerce")
        + pd.to_numeric(goods["value"], errors="coerce").fillna(0.0)
    )
    rows = together(rows, ["instant", "route_id"], spoiled, situation).set_axis(rows.index)
    rows = rows[rows["members"] > 0]
    return found(
        rows, "vehicle_id", stake=rows["stake"], currency=rows["currency"], stake_assumed=rows["stake_assumed"], probability=0.5,
        occurred_at=rows["celsius_at"], since=rows["celsius_known_at"],
        words=[f"{degrees:.1f} °C with {spelled(n, 'regulated delivery', 'regulated deliveries')} on board" for degrees, n in zip(rows["celsius"], rows["members"], strict=True)],
    )  # fmt: skip


def _custody(situation: Situation) -> pd.DataFrame:
    """Regulated goods on a van that left, loaded on another one or, long after, on none."""
    rows = situation.deliveries
    rows = rows[
        (rows["criticality"] == Criticality.REGULATED) & ~rows["done"].astype(bool) & rows["departed_known_at"].notna()
    ]
    elsewhere = (
        rows["loaded_route_id"].notna()
        & (rows["loaded_route_id"] != rows["route_id"])
        & (rows["loaded_at"] > after(rows["departs_at"], -720.0))
    )
    slow = after(rows["departed_known_at"], situation.settings["scan_minutes"])
    nobody = rows["loaded_at"].isna() & (slow <= rows["instant"])
    since = rows["departed_known_at"].where(elsewhere, slow)
    told = np.where(
        elsewhere,
        "Loaded on another van than the one that is to bring it",
        "On a van without a loading scan: nobody has signed for it",
    )
    rows, since, told = rows[elsewhere | nobody], since[elsewhere | nobody], told[elsewhere | nobody]
    return found(
        rows, "delivery_id", **promise_stake(situation, rows), probability=0.2, breach_at=rows["promise_until"],
        occurred_at=rows["departed_at"], since=since, words=list(told),
    )  # fmt: skip


def _proof(situation: Situation) -> pd.DataFrame:
    rows = situation.deliveries
    rows = rows[rows["handed_over_at"].notna() & rows["proof_missing"].fillna(False).astype(bool)]
    return found(
        rows, "delivery_id", **promise_stake(situation, rows), probability=0.1, occurred_at=rows["handed_over_at"],
        since=rows["handed_over_known_at"], words=["Handed over without the whole proof that was asked for"] * len(rows),
    )  # fmt: skip


def _false_try(situation: Situation) -> pd.DataFrame:
    rows = situation.deliveries
    rows = rows[rows["unproven_at"].notna() & rows["handed_over_at"].isna() & (rows["unproven_at"] > rows["booked_at"])]
    return found(
        rows, "delivery_id", **promise_stake(situation, rows, redelivery=True), probability=0.9, breach_at=rows["promise_until"],
        occurred_at=rows["unproven_at"], since=rows["unproven_known_at"],
        words=["A failed try was reported from elsewhere, and nobody was met"] * len(rows),
    )  # fmt: skip


GOODS = (
    Rule(
        key="not_released",
        label="Not released",
        meaning="The cut-off has passed and the warehouse has not released the goods.",
        subject=Subject.DELIVERY,
        severity=Severity.MEDIUM,
        owner=Role.WAREHOUSE,
        due=Due(30),
        playbook=("call_depot", "move_to_vehicle", "change_promise", "reattempt", "escalate"),
        why="What is not released can't be on the van that leaves.",
        find=_not_released,
        covered_by=("failed_attempt",),
        roots=("release_behind",),
    ),
    Rule(
        key="release_behind",
        label="Depot releases late",
        meaning="Many deliveries of a depot are past their cut-off and not released: it is the depot's day that is late.",
        subject=Subject.DEPOT,
        severity=Severity.HIGH,
        owner=Role.WAREHOUSE,
        due=Due(15),
        playbook=("call_depot", "reoptimize_depot", "change_promise", "call_list", "escalate"),
        why="Fifty late deliveries with one reason are one problem, and it is solved at the depot.",
        find=_release_behind,
    ),
    Rule(
        key="short",
        label="Short at departure",
        meaning="A van has left, and a delivery planned on it was neither staged nor loaded.",
        subject=Subject.DELIVERY,
        severity=Severity.HIGH,
        owner=Role.WAREHOUSE,
        due=Due(20),
        playbook=("call_depot", "move_to_vehicle", "change_promise", "reattempt", "escalate"),
        why="The van drives to a stop with nothing to hand over; another one can still bring it.",
        find=_short,
        covered_by=("failed_attempt",),
    ),
    Rule(
        key="temperature",
        label="Temperature out of range",
        meaning="The last reading of a van with regulated goods lies outside their range.",
        subject=Subject.VEHICLE,
        severity=Severity.CRITICAL,
        owner=Role.QUALITY,
        due=Due(10),
        playbook=("call_driver", "quarantine", "reoptimize_without", "escalate"),
        why="What has been too warm for too long must not reach a patient; a quality decision is needed.",
        find=_temperature,
    ),
    Rule(
        key="custody_gap",
        label="Custody gap",
        meaning="Regulated goods are on the way and nobody's scan says who holds them.",
        subject=Subject.DELIVERY,
        severity=Severity.MEDIUM,
        owner=Role.QUALITY,
        due=Due(60),
        playbook=("call_driver", "call_depot", "comment", "escalate"),
        why="A chain with a missing link is no chain for an inspector.",
        find=_custody,
        covered_by=("short",),
    ),
    Rule(
        key="proof_incomplete",
        label="Proof incomplete",
        meaning="A delivery was handed over without a part of the proof that its booking asks for.",
        subject=Subject.DELIVERY,
        severity=Severity.LOW,
        owner=Role.CARE,
        due=Due(24 * 60),
        playbook=("call_driver", "comment", "escalate"),
        why="While the driver remembers, a missing photo can be had; in a dispute it can't.",
        find=_proof,
        roots=("proofs_failing",),
    ),
    Rule(
        key="false_attempt",
        label="Try may be none",
        meaning="A failed try was reported from far away from the site, without any contact.",
        subject=Subject.DELIVERY,
        severity=Severity.MEDIUM,
        owner=Role.CARRIERS,
        due=Due(60),
        playbook=("call_driver", "call_list", "reattempt", "escalate"),
        why="The customer was at home; and who gets away with it once does it again.",
        find=_false_try,
        roots=("failed_attempt",),
    ),
)  # fmt: skip
