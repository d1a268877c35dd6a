"""What a proposal brings, as tiles against the plan in force; and the hard limits that either plan breaks."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from lastmile.replanning import Proposal
from lastmile.replanning.plan_rows import cost_parts
from lastmile.routing import Change, Violation
from lastmile.ui import format
from lastmile.ui.replan.wording import named
from lastmile.ui.tiles import Tile

COST_HELP = (
    "What remains to be paid by the rate cards (hours, overtime, kilometres, stops), a price for lateness, for crews that wait, "
    "and for stops that are not served today (another try, the penalty, half a day of a crew). Both plans are judged from the "
    "same instant on the same travel times."
)
TOLD_AT_MOST = 3


def tiles(proposal: Proposal) -> list[Tile]:
    """Six figures, each against the plan in force."""
    change, currency = proposal.comparison, proposal.comparison.currency
    n = len(proposal.open_day.problem.stops)
    newly = len(change.newly_served)
    return [
        _figure("Cost of the rest of the day", proposal.money, lambda v: format.money(v, currency, 0), n, COST_HELP),
        _figure("Distance", change.distance_km, format.km, n, "Kilometres still to drive, by all vehicles."),
        _figure(
            "Late minutes", change.late_minutes, format.minutes, n, "Minutes past the promises, over all open stops."
        ),
        _figure(
            "Promises broken", change.promises_broken, format.number, n, "Open stops past their promise or not served."
        ),
        Tile(
            "Stops that change vehicle",
            format.number(len(change.moved)),
            "Stops that another vehicle serves than in the plan in force.",
            n=n,
            n_of="open stops",
            change=f"{len(change.reordered)} reordered",
            base="on own vehicle",
        ),
        Tile(
            "Not served",
            format.number(len(change.unserved)),
            "Stops that no vehicle can or should serve; each with its reason below.",
            n=n,
            n_of="open stops",
            change=f"{newly} newly served" if newly else None,
            direction="good" if newly else "neutral",
        ),
    ]


def _figure(label: str, change: Change, shown: Callable[[float], str], n: int, told: str) -> Tile:
    difference = change.difference
    sign = "+" if difference > 0 else format.MINUS if difference < 0 else ""
    return Tile(
        label,
        shown(change.after),
        f"{told} Compared with the plan in force, re-timed from the same instant.",
        n=n,
        n_of="open stops",
        change=f"{sign}{shown(abs(difference))}",
        base=f"vs. {shown(change.before)}",
        direction="neutral" if abs(difference) < 1e-6 else "good" if difference < 0 else "bad",
    )


PARTS = {
    "day": "vehicles",
    "hours": "hours",
    "overtime": "overtime",
    "distance": "distance",
    "stops": "stops",
    "minimum_top_up": "minimums",
    "lateness": "lateness",
    "crew_idle": "waiting crews",
    "early": "early goods",
    "not_served": "not served",
}


def difference_by_part(proposal: Proposal) -> None:
    """Where the money comes from and goes to, against the plan in force; what changes by less than one is left out."""
    before, after = (
        cost_parts(proposal.open_day, plan) for plan in (proposal.comparison.before, proposal.comparison.after)
    )
    currency = proposal.comparison.currency
    told = [
        f"{name} {'+' if after[part] > before[part] else format.MINUS}{format.money(abs(after[part] - before[part]), currency, 0)}"
        for part, name in PARTS.items()
        if abs(after[part] - before[part]) >= 1
    ]
    if told:
        st.caption(f"What makes the difference: {' · '.join(told)}.")


def broken_limits(proposal: Proposal) -> None:
    """Hard limits that a plan breaks: by the plan in force, which may look cheaper for it, or by serving all."""
    before, after = proposal.comparison.before.violations, proposal.comparison.after.violations
    if after:
        st.warning(f"**What the proposal breaks**: {_listed(proposal, after)}.", icon=":material/rule:")
    if before:
        kept = "" if after else " The proposal keeps all limits."
        st.caption(f":material/rule: The plan in force can't be driven as it is: {_listed(proposal, before)}.{kept}")


def _listed(proposal: Proposal, violations: tuple[Violation, ...]) -> str:
    told = "; ".join(named(proposal.open_day, one.words) for one in violations[:TOLD_AT_MOST])
    return f"{told} and {len(violations) - TOLD_AT_MOST} more" if len(violations) > TOLD_AT_MOST else told
