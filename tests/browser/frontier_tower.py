"""The program as it is served, but that a search without a frontier is given one: what people do with it can then be tried."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import streamlit as st

from app import lifespan
from lastmile import api, routing
from lastmile.ui import errors
from tests.frontiers import with_frontier

search = routing.solve


def solve(problem: routing.Problem, *given: object, **named: object) -> routing.Solution:
    """The search, and a frontier where it found one plan only."""
    return with_frontier(problem, search(problem, *given, **named))


routing.solve = solve

app = st.App(
    str(ROOT / "lastmile" / "ui" / "tower.py"), routes=api.routes(), lifespan=lifespan, on_script_error=errors.tell
)
