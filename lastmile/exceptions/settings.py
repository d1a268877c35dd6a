"""The settings of exception rules: one catalogue with defaults; a change is kept in the ledger and holds from then on."""

from __future__ import annotations

import json
from dataclasses import dataclass

from lastmile.errors import NotPossible
from lastmile.predictions import AT_RISK_CHANCE
from lastmile.store import Store

PREFIX = "exceptions."


@dataclass(frozen=True)
class Setting:
    """One threshold: key, what it is, its unit, the default, and the least and most that it may be."""

    key: str
    meaning: str
    unit: str
    default: float
    least: float = 0.0
    most: float = 1e6


SETTINGS = {
    one.key: one
    for one in (
        Setting("at_risk_chance", "From this chance of a broken promise on, its window is in jeopardy", "share", AT_RISK_CHANCE, 0.01, 1),
        Setting("will_be_late_chance", "From this chance on, a delivery is said to be late before it is", "share", 0.5, 0.01, 1),
        Setting("calm_share", "A warning goes when its chance falls below this share of what raised it", "share", 0.6, 0, 1),
        Setting("assumed_chance", "Taken for the chance of a broken promise where none can be predicted", "share", 0.5, 0, 1),
        Setting("unplanned_chance", "Taken for the chance of a broken promise of what is on no plan", "share", 0.9, 0, 1),
        Setting("late_minutes", "A promise that passed so many minutes ago is broken: scans take a little", "min", 5),
        Setting("departure_minutes", "A van is late to leave after so many minutes", "min", 15),
        Setting("behind_deliveries", "So many promises of a van in danger make it one thing of the van", "deliveries", 3, 2),
        Setting("proofs_missing", "So many handovers of a van without whole proof make it one thing of the van", "handovers", 3, 2),
        Setting("silent_minutes", "A van on the road is silent after so many minutes without a sign", "min", 20, 1),
        Setting("idle_minutes", "A van that stands elsewhere than at a stop or its depot so long is idle", "min", 30, 5),
        Setting("off_route_km", "A van is off its route beyond so many km from the way to its next stop", "km", 3, 0.2),
        Setting("release_minutes", "Goods are not released after so many minutes past their cut-off", "min", 10),
        Setting("release_deliveries", "So many deliveries not released make it one thing of the depot", "deliveries", 5, 2),
        Setting("scan_minutes", "A scan that is still missing after so many minutes is not merely slow", "min", 60),
        Setting("early_minutes", "A van is early where it would wait so many minutes for its window", "min", 30),
        Setting("early_ahead_minutes", "Being early is told so many minutes before arriving", "min", 90),
        Setting("passed_minutes", "A stop that its van has been at or passed, without a scan, is late so many minutes after its promise", "min", 90),
        Setting("attempt_chance", "Chance that a promise is broken once a try has failed", "share", 0.9, 0, 1),
        Setting("least_celsius", "Regulated goods must not be colder", "°C", 2, -100, 100),
        Setting("most_celsius", "Regulated goods must not be warmer", "°C", 8, -100, 100),
        Setting("misplaced_m", "A site whose handovers lie so far from its place is misplaced", "m", 400, 50),
        Setting("misplaced_chance", "Chance that a try at a misplaced site fails", "share", 0.5, 0, 1),
        Setting("source_silent_minutes", "A source is silent after so many minutes, if it is not usual then", "min", 30, 1),
        Setting("milestone_chance", "From this chance of missing its need-by on, a milestone is at risk", "share", 0.25, 0.01, 1),
        Setting("idle_crew_hours", "A crew is taken to wait at most so long", "h", 4),
        Setting("redelivery_cost", "Assumed for one more try where the operation's own cost is not known", "money", 12),
        Setting("assumed_penalty", "Assumed for a broken promise whose penalty nobody gave", "money", 10),
        Setting("material_stake_share", "A change of money at stake by this share is told", "share", 0.25, 0, 10),
        Setting("material_chance", "A change of the chance by this much is told", "share", 0.2, 0, 1),
        Setting("escalate_open_minutes", "So long past its due time without anybody, an exception goes one role up", "min", 15),
        Setting("escalate_critical_minutes", "The same for what is critical", "min", 5),
    )
}  # fmt: skip


@dataclass(frozen=True)
class Settings:
    """The values that hold, by key: `settings["silent_minutes"]`."""

    changed: dict[str, float]

    def __getitem__(self, key: str) -> float:
        return self.changed.get(key, SETTINGS[key].default)


DEFAULTS = Settings({})


def load(store: Store) -> Settings:
    """The settings in force; the defaults where nobody has changed any."""
    rows = store.ask(
        "select key, arg_max(value, recorded_at)::varchar as value from setting where starts_with(key, $prefix) group by key",
        prefix=PREFIX,
    )
    said = {row.key.removeprefix(PREFIX): json.loads(row.value) for row in rows.itertuples()}
    return Settings({key: float(value) for key, value in said.items() if key in SETTINGS})


def change(store: Store, key: str, value: float, actor: str) -> None:
    """Set one; the earlier values stay on record. NotPossible for an unknown one, or a value that can't be."""
    if key not in SETTINGS:
        raise NotPossible(f"There is no setting {key!r} of exceptions. There are: {', '.join(SETTINGS)}.")
    one = SETTINGS[key]
    if not one.least <= value <= one.most:
        raise NotPossible(f"{one.meaning}: from {one.least:g} to {one.most:g} {one.unit}, not {value:g}.")
    store.set_setting(PREFIX + key, value, actor)
