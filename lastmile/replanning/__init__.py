"""Re-optimization of a depot's running day: the problem from the ledger, the solve beside the page, the proposal."""

from lastmile.replanning.asked import ACTS, FREEDOMS, POLICIES, Act, Asked, ByHand, asked_of
from lastmile.replanning.deciding import Drift, Outdated, approve, drift_of, refreshed, telling_of
from lastmile.replanning.experience import experience_before
from lastmile.replanning.problem import OpenDay, open_day
from lastmile.replanning.proposal import Point, Proposal, choose, proposal_of
from lastmile.replanning.solve import Replanning, replanning

__all__ = [
    "ACTS", "FREEDOMS", "POLICIES", "Act", "Asked", "ByHand", "Drift", "OpenDay", "Outdated", "Point", "Proposal",
    "Replanning", "approve", "asked_of", "choose", "drift_of", "experience_before", "open_day", "proposal_of", "refreshed",
    "replanning", "telling_of",
]  # fmt: skip
