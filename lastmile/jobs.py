"""Long work beside a page: its progress, its cancel, its result. One thread a job; read it from any."""

from __future__ import annotations

import logging
import os
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Generic, TypeVar

from lastmile.errors import LastmileError

log = logging.getLogger(__name__)

GIVING_WAY = 10
"""The niceness of a thread that nobody waits for: the kernel gives it a tenth of the share of another where both want a core."""

LAST_STEP_SECONDS = 30.0
"""So long a step that is under way may still take when its work is stopped."""

Result = TypeVar("Result")


class Job(Generic[Result]):
    """Work that reports `share` (0 to 1) and `told` (a sentence), stops when asked, and ends with `result` or `error`.

    `work` is called with a function to report by and one that tells whether to stop. An error is kept as its sentence.
    """

    def __init__(self, name: str, work: Callable[[Callable[[float, str], None], Callable[[], bool]], Result]) -> None:
        self.name = name
        self.share = 0.0
        self.told = "Starting …"
        self.result: Result | None = None
        self.error: str | None = None
        self._work = work
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> Job[Result]:
        self._thread.start()
        return self

    def cancel(self) -> None:
        self._stop.set()

    def wait(self, timeout: float | None = None) -> None:
        self._thread.join(timeout)

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    @property
    def cancelled(self) -> bool:
        return self._stop.is_set()

    def _report(self, share: float, told: str) -> None:
        self.share, self.told = min(1.0, max(0.0, share)), told

    def _run(self) -> None:
        try:
            self.result = self._work(self._report, self._stop.is_set)
        except LastmileError as error:
            self.error = str(error)
        except Exception:
            log.exception("%s failed", self.name)
            self.error = f"{self.name} failed; nothing of it was kept. The log holds what went wrong."


class Background(ABC):
    """Work in a thread of its own from `start` to `stop`: `_run` goes on until `_stopped` is set, and then soon returns."""

    def __init__(self, name: str) -> None:
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ask the work to stop, and wait for the step under way."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(timeout=LAST_STEP_SECONDS)

    @abstractmethod
    def _run(self) -> None: ...


def give_way() -> None:
    """Let this thread's work wait for that of others: on Linux, where each thread has a niceness; elsewhere nothing."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), GIVING_WAY)
