"""How the benchmarks take time."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable


def median_ms(question: Callable[[], object], times: int = 5) -> float:
    """The median of so many runs after a first one that is not counted, in milliseconds."""
    question()
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        question()
        taken.append((time.perf_counter() - start) * 1000)
    return statistics.median(taken)
