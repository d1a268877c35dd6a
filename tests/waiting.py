"""Waiting for what goes on beside a test: until it is so, and no longer than it may take on a slow machine."""

from __future__ import annotations

import time
from collections.abc import Callable

MOST_SECONDS = 40


def until(is_so: Callable[[], bool]) -> None:
    """Return as soon as it is so; AssertionError where it does not come to that."""
    ends = time.monotonic() + MOST_SECONDS
    while not is_so():
        assert time.monotonic() < ends, "waited in vain"
        time.sleep(0.02)
