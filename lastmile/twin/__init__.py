"""The twin: a simulated last-mile operation in Berlin, for the demo, for what-if questions and for tests."""

from lastmile.twin.live import LiveOperation
from lastmile.twin.occasions import Occasion
from lastmile.twin.operation import Operation, history

__all__ = ["LiveOperation", "Occasion", "Operation", "history"]
