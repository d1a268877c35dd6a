"""How often somebody may knock: token buckets, refilled by the second."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

MOST_REMEMBERED = 10_000


class TooMany(Exception):
    """More than was allowed; `retry_after` is in whole seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"too many; try again in {retry_after} s")
        self.retry_after = retry_after


class Buckets:
    """One bucket a key: `per_second` flow in, `burst` fit. Those unused longest are forgotten beyond ten thousand."""

    def __init__(self, per_second: float, burst: float, seconds: Callable[[], float] = time.monotonic) -> None:
        self.per_second = per_second
        self.burst = burst
        self._seconds = seconds
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def spend(self, key: str, amount: float = 1.0) -> None:
        """Take an amount out of a key's bucket; more than a whole bucket waits for a full one. Raises TooMany."""
        amount = min(amount, self.burst)
        with self._lock:
            left, now = self._now(key)
            if left < amount:
                raise TooMany(max(1, math.ceil((amount - left) / self.per_second)))
            self._keep(key, left - amount, now)

    def refuse_where_empty(self, key: str) -> None:
        """Raises TooMany where a key has used up what it had; takes nothing."""
        with self._lock:
            left, _ = self._now(key)
            if left < 1.0:
                raise TooMany(max(1, math.ceil((1.0 - left) / self.per_second)))

    def _now(self, key: str) -> tuple[float, float]:
        now = self._seconds()
        left, since = self._left.get(key, (self.burst, now))
        return min(self.burst, left + (now - since) * self.per_second), now

    def _keep(self, key: str, left: float, now: float) -> None:
        self._left[key] = (left, now)
        self._left.move_to_end(key)
        if len(self._left) > MOST_REMEMBERED:
            self._left.popitem(last=False)
