"""A solve that runs beside the page: its progress, its cancel, its proposal."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from lastmile import decisions, routing
from lastmile.errors import LastmileError
from lastmile.replanning.problem import OpenDay
from lastmile.replanning.proposal import Proposal, proposal_of
from lastmile.routing import Progress
from lastmile.store import Store

log = logging.getLogger(__name__)


class Replanning:
    """One re-optimization of one depot on its way; read it from any thread.

    `proposal` is there once it is done, and on record as proposed; `error` says in words what went wrong.
    """

    def __init__(self, store: Store, make: Callable[[], OpenDay], *, seconds: float, seed: int, actor: str) -> None:
        self.seconds = seconds
        self.progress: Progress | None = None
        self.proposal: Proposal | None = None
        self.error: str | None = None
        self._store, self._make, self._seed, self._actor = store, make, seed, actor
        self._cancelled = threading.Event()
        self._thread = threading.Thread(target=self._run, name="replanning", daemon=True)

    def start(self) -> Replanning:
        self._thread.start()
        return self

    def cancel(self) -> None:
        """End the search within half a second; a cancelled search proposes nothing."""
        self._cancelled.set()

    def wait(self, timeout: float | None = None) -> None:
        self._thread.join(timeout)

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    @property
    def cancelled(self) -> bool:
        return self._cancelled.is_set()

    @property
    def share(self) -> float:
        """How much of the time given is used up, 0 to 1."""
        if self.progress is None:
            return 0.0
        return min(1.0, self.progress.elapsed_seconds / self.seconds) if self.seconds else 1.0

    def _run(self) -> None:
        try:
            open_day = self._make()
            solution = routing.solve(
                open_day.problem, self.seconds, self._seed, progress=self._told, cancelled=self._cancelled.is_set
            )
            if not self._cancelled.is_set():
                proposal = proposal_of(self._store, open_day, solution, self._actor)
                decisions.propose_plan(self._store, proposal.tables, self._actor, open_day.at)
                self.proposal = proposal
        except LastmileError as error:
            self.error = str(error)
        except Exception:
            log.exception("A re-optimization failed")
            self.error = "The re-optimization failed; the plan in force is unchanged. The log holds what went wrong."

    def _told(self, progress: Progress) -> None:
        self.progress = progress
