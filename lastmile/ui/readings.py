"""What pages of figures have read of the ledger: shown at once as it stood, and read anew beside the page when it is old."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from typing import Any

from lastmile.errors import LastmileError, SnapshotClosed
from lastmile.jobs import give_way
from lastmile.runtime import Tower
from lastmile.store import Answering
from lastmile.ui.kept import Kept

GOOD_FOR_SECONDS = 60.0
"""A reading is read anew once it is so old and somebody looks at it: figures over weeks change little in a minute."""
HELD_SECONDS = 120.0
"""So long after the last look the ledger is held as it stood, to answer what else a page asks. Answers given stay."""
MOST_READINGS, MOST_ANSWERS = 12, 40
"""How many views are kept, and answers of each (30,000 rows behind a figure take about 10 MB); the oldest go first."""
SWEEP_SECONDS = 15.0

Question = Callable[[Answering], Any]

log = logging.getLogger(__name__)


class Reading:
    """Answers about the ledger as it stood at one instant, `at`; `failed` says why no newer one could be read.

    What a page asked of it (`asked`), or of the one before (`carried`), is what the next one answers beforehand.
    """

    def __init__(self, view: Hashable, tower: Tower, carried: dict[Hashable, Question] | None = None) -> None:
        self.view = view
        self.tower, self.at = tower, tower.now()
        self.snapshot = tower.store.snapshot(self.at)
        self.begun = self.looked_at = time.monotonic()
        self.asked: dict[Hashable, Question] = {}
        self.carried = carried or {}
        self.failed: str | None = None
        self._failed_at = 0.0
        self._answers = Kept(MOST_ANSWERS)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._answers

    def ask(self, key: Hashable, question: Question) -> Any:
        """The answer to a question, which `key` tells from all others. Raises SnapshotClosed where it can't be told any more."""
        self.asked[key] = question
        return self.answer(key, question)

    def answer(self, key: Hashable, question: Question) -> Any:
        """The same, not counted as something that a page asks for."""
        return self._answers.get(key, lambda: question(self.snapshot))

    @property
    def wanted(self) -> dict[Hashable, Question]:
        """What the next reading should know: what was asked last comes last, and stays where there is too much."""
        asked = self.asked.copy()  # pages may be asking
        both = {key: one for key, one in self.carried.items() if key not in asked} | asked
        return dict(list(both.items())[-MOST_ANSWERS:])

    def is_old(self) -> bool:
        """Whether it is worth reading anew: time has gone on, on the tower's clock too, or something was written."""
        tried = max(self.begun, self._failed_at)
        has_changed = self.tower.store.version != self.snapshot.version or self.tower.now() != self.at
        return time.monotonic() - tried > GOOD_FOR_SECONDS and has_changed

    def note_failure(self, words: str) -> None:
        self.failed, self._failed_at = words, time.monotonic()


class Readings:
    """The last reading of each view, shared by all who look at it. One thread reads anew, while somebody looks."""

    def __init__(self, most: int = MOST_READINGS) -> None:
        self._most = most
        self._last: OrderedDict[Hashable, Reading] = OrderedDict()
        self._replaced: list[Reading] = []
        self._due: deque[Hashable] = deque()
        self._renewing: set[Hashable] = set()
        self._worker: threading.Thread | None = None
        self._change = threading.Condition()

    def of(self, view: Hashable, tower: Tower, deeds: int = 0) -> Reading:
        """The reading to show: the last one, and if that is old a newer one begins. An empty new one where there is none,
        where it does not know of the first `deeds`, or where the clock was set back.
        """
        with self._change:
            found = self._last.get(view)
            if found is None or found.tower is not tower or found.snapshot.deeds < deeds or found.at > tower.now():
                found = self._put(view, Reading(view, tower, found and found.wanted))
            return self._looked(view, found)

    def watch(self, shown: Reading, deeds: int = 0) -> Reading:
        """The last reading of its view for who shows one already: a newer one only when it is ready."""
        with self._change:
            found = self._last.get(shown.view) or self._put(shown.view, shown)
            shown.looked_at = time.monotonic()
            if found.snapshot.deeds < deeds:
                self._begin(shown.view)
            return self._looked(shown.view, found)

    def is_renewing(self, view: Hashable) -> bool:
        with self._change:
            return view in self._renewing

    def await_newer(self, than: Reading) -> None:
        """Wait until another reading can be shown than this one, which can't tell any more what is asked of it."""
        with self._change:
            self._change.wait_for(lambda: than.view not in self._renewing)
            if self._last.get(than.view) is than:
                del self._last[than.view]

    def _looked(self, view: Hashable, reading: Reading) -> Reading:
        reading.looked_at = time.monotonic()
        self._last.move_to_end(view)
        if reading.is_old():
            self._begin(view)
        self._see_to_worker()
        return reading

    def _put(self, view: Hashable, reading: Reading) -> Reading:
        if view in self._last:
            self._replaced.append(self._last.pop(view))
        self._last[view] = reading
        while len(self._last) > self._most:
            self._replaced.append(self._last.popitem(last=False)[1])
        return reading

    def _begin(self, view: Hashable) -> None:
        if view not in self._renewing:
            self._renewing.add(view)
            self._due.append(view)
            self._change.notify_all()

    def _see_to_worker(self) -> None:
        if self._worker is None or not self._worker.is_alive():
            self._worker = threading.Thread(target=self._work, name="figures", daemon=True)
            self._worker.start()

    # In the thread of its own

    def _work(self) -> None:
        give_way()
        while True:
            with self._change:
                self._change.wait_for(lambda: bool(self._due), timeout=SWEEP_SECONDS)
                due = self._due.popleft() if self._due else None
                is_over = due is None and not self._sweep()
                if is_over:
                    self._worker = None
            if is_over:
                return
            if due is not None:
                self._renew(due)

    def _renew(self, view: Hashable) -> None:
        with self._change:
            old = self._last.get(view)
        newer = _read_anew(old) if old is not None else None
        with self._change:
            self._renewing.discard(view)
            if newer is not None and self._last.get(view) is old:
                self._put(view, newer)
            self._change.notify_all()

    def _sweep(self) -> bool:
        """Let go of what nobody has looked at for a while; whether the ledger is held for anybody still."""
        for reading in (*self._last.values(), *self._replaced):
            if time.monotonic() - reading.looked_at > HELD_SECONDS:
                reading.snapshot.close()
        self._replaced = [reading for reading in self._replaced if reading.snapshot.is_open]
        return bool(self._replaced) or any(reading.snapshot.is_open for reading in self._last.values())


def _read_anew(old: Reading) -> Reading | None:
    """A reading that answers what was asked of the old one, which is told where that fails."""
    newer = None
    try:
        newer = Reading(old.view, old.tower)
        while missing := [one for one in old.wanted.items() if one[0] not in newer]:  # a page may still be asking
            newer.answer(*missing[0])
        newer.carried = old.asked.copy()
        return newer
    except SnapshotClosed:
        return None  # the store was closed
    except LastmileError as error:
        words = str(error)
    except Exception:
        log.exception("figures could not be read anew")
        words = "Something went wrong, which the log holds."
    if newer is not None:
        newer.snapshot.close()
    old.note_failure(words)
    return None


READINGS = Readings()
