"""How often pages that watch look again: soon where few do and a look is quick, seldom where the machine has enough to do."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from streamlit.runtime.scriptrunner import get_script_run_ctx

SOONEST_SECONDS, LATEST_SECONDS = 1.0, 5.0
"""From an event to the screen it takes one look at most, and the look itself."""

TIMES_ITS_OWN = 4.0
"""A page rests so many times as long as its looks take by the clock: on a busy machine they take longer, so it rests longer."""

SECONDS_A_PAGE = 0.1
"""Each open page adds so much to the time between looks: fifty look every five seconds."""

FRESH_SECONDS = 0.5
GONE_AFTER_SECONDS = 15.0
SLOWER, SOONER = 0.5, 0.25
"""How much the last look counts, where it took longer than those before and where it did not: a page that has become slow lets
go at once, and looks sooner only after a few quick looks. The first pages of a tower open at the slowest pace."""

OFF_BY = 1.5
"""A page changes its pace only where it should be so many times as fast or as slow: that draws the whole page anew."""


class Pace:
    """The pace of all pages of the process: who is looking, and how long a look takes."""

    def __init__(self) -> None:
        self._seen: dict[str, float] = {}
        self._took = LATEST_SECONDS / TIMES_ITS_OWN
        self._lock = threading.Lock()

    def note(self, page: str, took: float, now: float) -> None:
        """A page has looked for so many seconds."""
        with self._lock:
            self._seen = {one: at for one, at in self._seen.items() if now - at < GONE_AFTER_SECONDS} | {page: now}
            self._took += (SLOWER if took > self._took else SOONER) * (took - self._took)

    @property
    def seconds(self) -> float:
        """Seconds from one look to the next."""
        wanted = max(TIMES_ITS_OWN * self._took, SECONDS_A_PAGE * len(self._seen))
        return round(min(LATEST_SECONDS, max(SOONEST_SECONDS, wanted)), 1)

    def is_off(self, seconds: float) -> bool:
        """Whether a page that looks every so many seconds should change that."""
        return not seconds / OFF_BY <= self.seconds <= seconds * OFF_BY


_PACE = Pace()


def seconds() -> float:
    """Seconds from one look of a page to its next, as things are now."""
    return _PACE.seconds


def shared_seconds() -> float:
    """For so long pages may share what they see: a little less than from one look to the next, so that each look brings news."""
    return _PACE.seconds - FRESH_SECONDS


def is_off(every: float) -> bool:
    """Whether a page that looks every so many seconds, and is looking again now, should change that."""
    return _is_again() and _PACE.is_off(every)


@contextmanager
def looking() -> Iterator[None]:
    """A page looks again, while the block runs. Its first look, with all that opens beside it, says nothing of later ones."""
    started = time.monotonic()
    yield
    if _is_again():
        _PACE.note(get_script_run_ctx().session_id, time.monotonic() - started, time.monotonic())


def _is_again() -> bool:
    context = get_script_run_ctx()
    return context is not None and bool(context.fragment_ids_this_run)
