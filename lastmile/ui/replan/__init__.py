"""Re-optimization on a page: ask for it, watch it, compare, try an own alternative, approve or reject."""

from lastmile.ui.replan.panel import show

__all__ = ["show"]
