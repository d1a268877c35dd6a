"""Charts: a frame of one stated grain in, a picture out, in the colours of status and readable in both themes."""

from lastmile.ui.charts.days import OUTCOMES, stacked_outcome, trend
from lastmile.ui.charts.groups import breakdown, by_horizon
from lastmile.ui.charts.plans import frontier, search_trace
from lastmile.ui.charts.timeline import timeline
from lastmile.ui.charts.waiting import still_open

__all__ = [
    "OUTCOMES", "breakdown", "by_horizon", "frontier", "search_trace", "stacked_outcome", "still_open", "timeline", "trend",
]  # fmt: skip
