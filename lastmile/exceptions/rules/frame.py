"""Rules about places, people and systems: addresses, milestones, notices, sources."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lastmile.exceptions.rule import Due, Role, Rule, Severity, Subject
from lastmile.exceptions.rules.finding import MINUTE, chance_after, found, minutes, news, promise_stake, spelled
from lastmile.exceptions.situation import Situation


def _unresolvable(situation: Situation) -> pd.DataFrame:
    """No place at all, or a site at which earlier days were handed over elsewhere, or failed for its address."""
    settings, sites = situation.settings, situation.sites.set_index("site_id")
    rows = situation.deliveries
    rows = rows[~rows["done"].astype(bool) & rows["arrived_at"].isna()]
    nowhere = rows["lat"].isna() | rows["lon"].isna()
    off = pd.to_numeric(rows["site_id"].map(sites["off_m"]), errors="coerce")
    failures = pd.to_numeric(rows["site_id"].map(sites["address_failures"]), errors="coerce").fillna(0)
    doubtful = nowhere | (off > settings["misplaced_m"]) | (failures > 0)
    rows, off, failures, nowhere = (part[doubtful] for part in (rows, off, failures, nowhere))
    told = [
        "Its booking has no place that can be found" if lost
        else f"Earlier deliveries there were handed over {metres:,.0f} m away" if metres > settings["misplaced_m"]
        else f"{spelled(times, 'earlier try', 'earlier tries')} failed for the address"
        for lost, metres, times in zip(nowhere, off.fillna(0), failures, strict=True)
    ]  # fmt: skip
    return found(
        rows, "delivery_id", **promise_stake(situation, rows, redelivery=True), breach_at=rows["promise_until"],
        probability=np.where(nowhere, 0.9, settings["misplaced_chance"]), occurred_at=rows["booked_at"],
        since=_from_its_day_on(rows),
        words=told,
    )  # fmt: skip


def _from_its_day_on(rows: pd.DataFrame) -> pd.Series:
    """Since it was booked, or since its service day began (at midnight, UTC): a day is watched from then on."""
    begins = pd.to_datetime(rows["day"], utc=True)
    return pd.to_datetime(rows["booked_at"], utc=True).where(rows["booked_at"] > begins, begins)


def _milestone(situation: Situation) -> pd.DataFrame:
    """The binding delivery of each milestone: the one of what it needs that most likely comes after its need-by."""
    settings = situation.settings
    needed = situation.milestones.rename(columns={"currency": "crew_currency"})
    rows = situation.deliveries.merge(needed, on="delivery_id", how="inner")
    need_by = pd.to_datetime(rows["need_by"], utc=True)
    came = rows[["seen_at", "arrived_at"]].max(axis=1)
    there = (
        (came <= need_by) & (came > rows["booked_at"]) & rows["failed_at"].isna()
    )  # it is being unloaded, or not scanned yet
    rows = rows[rows["handed_over_at"].isna() & rows["cancelled_at"].isna() & ~there]
    need_by = need_by[rows.index]
    expected = pd.to_datetime(rows["eta_at"], utc=True).fillna(pd.to_datetime(rows["shifted_at"], utc=True))
    chance = pd.Series(chance_after(need_by, rows["eta_from"], rows["eta_at"], rows["eta_until"]), index=rows.index)
    chance = chance.fillna(pd.Series(np.where(expected > need_by, settings["assumed_chance"], 0.0), index=rows.index))
    chance = chance.where(
        rows["failed_at"].isna() | (rows["failed_at"] <= rows["booked_at"]), settings["attempt_chance"]
    )
    chance = chance.where(rows["broke_at"].isna(), 0.95).where(need_by >= rows["instant"], 1.0)
    waits = (minutes(expected, need_by) / 60).clip(lower=0).fillna(settings["idle_crew_hours"])
    waits = waits.where(rows["failed_at"].isna() & rows["broke_at"].isna(), settings["idle_crew_hours"])
    waits = waits.clip(lower=1.0, upper=settings["idle_crew_hours"])
    stake = pd.to_numeric(rows["crew_size"]) * pd.to_numeric(rows["crew_rate"]) * waits
    rows = rows.assign(chance=chance, stake=stake.fillna(0.0), need_by=need_by, crewless=stake.isna())
    rows = rows[
        (rows["chance"] >= settings["milestone_chance"] * settings["calm_share"])
        & (rows["instant"] < need_by + 60 * settings["idle_crew_hours"] * MINUTE)
    ]
    rows = rows.sort_values(["chance", "delivery_id"], ascending=[False, True]).drop_duplicates(
        ["instant", "milestone_id"]
    )
    return found(
        rows, "milestone_id", stake=rows["stake"], currency=rows["crew_currency"], stake_assumed=True,
        probability=rows["chance"], fires=rows["chance"] >= settings["milestone_chance"], breach_at=rows["need_by"],
        since=news(situation, rows), words=_milestone_words(rows),
    )  # fmt: skip


def _milestone_words(rows: pd.DataFrame) -> list[str]:
    past = rows["need_by"] < rows["instant"]
    told = zip(rows["name"], rows["chance"], past, strict=True)
    return [
        f"{name}: missed" if over else f"{name}: {share:.0%} chance that it is missed" for name, share, over in told
    ]


def _notice_failed(situation: Situation) -> pd.DataFrame:
    failed = situation.notices.rename(columns={"failed_at": "failed_notice_at"})
    rows = situation.deliveries.merge(failed, on="delivery_id", how="inner")
    rows = rows[~rows["done"].astype(bool)]
    rows = rows.assign(failed_notice_at=pd.to_datetime(rows["failed_notice_at"], utc=True))
    rows = rows[rows["failed_notice_at"] <= rows["instant"]]
    return found(
        rows, "delivery_id", **promise_stake(situation, rows), probability=0.1, occurred_at=rows["failed_notice_at"],
        since=rows["failed_notice_at"], words=[f"A notice ({str(told).replace('_', ' ')}) did not reach the customer" for told in rows["told"]],
    )  # fmt: skip


def _source_silent(situation: Situation) -> pd.DataFrame:
    rows = situation.sources
    rows = rows[(rows["vehicles_out"].fillna(0) > 0) & rows["usual_minutes"].notna()]
    quiet = minutes(rows["instant"], rows["heard_at"])
    limit = np.maximum(situation.settings["source_silent_minutes"], 1.5 * pd.to_numeric(rows["usual_minutes"]))
    rows, quiet, limit = rows[quiet > limit], quiet[quiet > limit], limit[quiet > limit]
    return found(
        rows.assign(day=pd.to_datetime(rows["instant"]).dt.normalize().dt.tz_localize(None) if len(rows) else None), "source",
        probability=1.0, occurred_at=rows["heard_at"], since=rows["heard_at"] + pd.to_timedelta(limit, unit="m"),
        words=[f"Nothing heard for {spelled(age, 'minute')}, with {spelled(n, 'van')} out" for age, n in zip(quiet, rows["vehicles_out"], strict=True)],
    )  # fmt: skip


FRAME = (
    Rule(
        key="address_unresolvable",
        label="Address unresolvable",
        meaning="A delivery has no place, or its site's place has been wrong before.",
        subject=Subject.DELIVERY,
        severity=Severity.MEDIUM,
        owner=Role.DATA,
        due=Due(120, 60),
        playbook=("call_list", "comment", "change_promise", "escalate"),
        why="A call in the morning finds the gate; a driver in the afternoon does not.",
        find=_unresolvable,
        covered_by=("failed_attempt",),
        predicts=True,
    ),
    Rule(
        key="milestone_at_risk",
        label="Milestone at risk",
        meaning="A delivery that a milestone needs may come after its need-by, and a crew would wait.",
        subject=Subject.MILESTONE,
        severity=Severity.HIGH,
        owner=Role.PROJECT,
        due=Due(30, 45),
        playbook=("reoptimize_first", "move_to_vehicle", "call_list", "escalate"),
        why="A crew that waits costs more than the delivery; told in time, it does something else.",
        find=_milestone,
        by_fact=False,
        roots=("vehicle_broke_down", "failed_attempt", "is_late", "will_be_late", "in_jeopardy", "late_departure"),
    ),
    Rule(
        key="notification_failed",
        label="Notice failed",
        meaning="A notice to a customer about an open delivery did not reach them.",
        subject=Subject.DELIVERY,
        severity=Severity.LOW,
        owner=Role.CARE,
        due=Due(60),
        playbook=("call_list", "comment", "escalate"),
        why="A customer who was not told is not there.",
        find=_notice_failed,
    ),
    Rule(
        key="source_silent",
        label="Source silent",
        meaning="A system has told nothing for longer than is usual at this hour, while its vans are out.",
        subject=Subject.SOURCE,
        severity=Severity.HIGH,
        owner=Role.OPERATIONS,
        due=Due(15),
        playbook=("call_carrier", "comment", "escalate"),
        why="Without it the tower is blind: no news is not good news.",
        find=_source_silent,
    ),
)  # fmt: skip
