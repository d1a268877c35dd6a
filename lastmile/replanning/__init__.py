"""Re-optimization of a depot's running day: the problem from the ledger, the solve beside the page, the proposal."""

from lastmile.replanning.problem import OpenDay, open_day
from lastmile.replanning.proposal import Proposal, proposal_of
from lastmile.replanning.solve import Replanning, replanning

__all__ = ["OpenDay", "Proposal", "Replanning", "open_day", "proposal_of", "replanning"]
