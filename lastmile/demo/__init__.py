"""The simulated operation as a source like any other: its history, and its live feed while the tower runs."""

from lastmile.demo.answering import answer_past
from lastmile.demo.building import build, start_instant
from lastmile.demo.feeding import LiveFeed
from lastmile.demo.keys import DAYS, SEED, SPEED

__all__ = ["DAYS", "SEED", "SPEED", "LiveFeed", "answer_past", "build", "start_instant"]
