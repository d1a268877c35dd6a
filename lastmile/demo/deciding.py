"""What the operations manager of the simulated operation did on past days: re-optimized, and approved or rejected it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pandas as pd

from lastmile import decisions, routing
from lastmile.demo.following import plan_tables
from lastmile.replanning import Asked, OpenDay, Proposal, experience_before, open_day, proposal_of
from lastmile.routing import workers
from lastmile.store import Store
from lastmile.twin import Occasion, dispatchers, occasions
from lastmile.twin.day import Day

LEARNED_DAYS = 7
"""So many days are on record before anybody re-optimizes: travel and service times are learned from them."""

SEARCH_SECONDS = 0.5
ROUNDS = 300
"""The work limit of a search: so many rounds by one lane, whatever the machine, so that the same seed gives the same plan."""

WORTH = 30.0
"""A plan that saves less than so much money is not worth the calls to the drivers."""

WHO = dispatchers.CHIEF.replace(" ", "-")


class OperationsManager:
    """Re-optimizes past days as a person does by the button, from what the ledger holds at that instant."""

    def __init__(self, store: Store, seed: int, begins: date, say: Callable[[str], None] = lambda _: None) -> None:
        """Nothing is re-optimized before the day on which it `begins`. `say` is told what is waited for.

        The search is made ready beside the days before: on the first start of all it is compiled, a minute of one core.
        """
        self._store, self._seed, self._begins, self._say = store, seed, begins, say
        self._ready = workers.shared().warm()

    def occasion(self, opened: Day) -> Occasion | None:
        """When a day is looked at, if at all."""
        return occasions.occasion(opened) if opened.day >= self._begins else None

    def plan(self, occasion: Occasion) -> Mapping[str, pd.DataFrame] | None:
        """The rows of the plan that was approved; None where it was rejected. Both are put on record, once."""
        before = self._decided(occasion)
        if before is not None:
            return plan_tables(self._store, before.plan_id) if before.decision == "approved" else None
        start = self._open_day(occasion)
        if not self._ready.done():
            self._say(workers.shared().stage)
            self._ready.result()
        solution = routing.solve(start.problem, SEARCH_SECONDS, self._seed, iterations=ROUNDS, lanes=1)
        proposal = proposal_of(self._store, start, solution, WHO)
        decisions.propose_plan(self._store, proposal.tables, WHO, occasion.at)
        if -proposal.money.difference < WORTH:
            decisions.reject_plan(self._store, proposal.plan_id, WHO, why_not(proposal), occasion.at)
            return None
        decisions.approve_plan(self._store, proposal.plan_id, WHO, why(occasion, proposal), occasion.at)
        return proposal.tables

    def _decided(self, occasion: Occasion) -> Any:
        """What a build before this one has put on record of the same occasion."""
        found = self._store.ask(
            "select plan_id, decision from plan_state('infinity'::timestamptz) "
            "where depot_id = $depot and day = $day and made_by = $who and recorded_at = $at",
            depot=occasion.depot_id,
            day=occasion.day,
            who=WHO,
            at=occasion.at,
        )
        return next(found.itertuples(), None)

    def _open_day(self, occasion: Occasion) -> OpenDay:
        """On learned travel times, whatever road network the settings name: the demo is the same everywhere."""
        experience = experience_before(self._store, occasion.depot_id, occasion.day)
        experience = replace(experience, travel=experience.learned.travel)
        asked = Asked(seconds=SEARCH_SECONDS)
        return open_day(self._store, occasion.depot_id, occasion.day, occasion.at, asked, experience)


def why(occasion: Occasion, proposal: Proposal) -> str:
    """The word of an approval: what was seen, and what the plan promises."""
    kept = -proposal.comparison.promises_broken.difference
    gain = (
        f"{kept:.0f} more promises kept" if kept > 1 else f"{-proposal.money.difference:,.0f} {currency(proposal)} less"
    )
    return f"{occasion.seen}: {gain}"


def why_not(proposal: Proposal) -> str:
    """The word of a rejection: too little for calling the drivers."""
    saved = -proposal.money.difference
    return f"Saves only {saved:,.0f} {currency(proposal)}: not worth the calls" if saved > 0 else "Saves nothing"


def currency(proposal: Proposal) -> str:
    """The currency of a proposal's money, as its code."""
    return proposal.comparison.currency
