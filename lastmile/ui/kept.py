"""What has been worked out once, for every session of the process: one works it out, the others wait for it and share it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any

import pandas as pd

MOST = 600
"""How many answers are kept; the one that was asked for longest ago goes first. A frame of a day takes about 1 MB."""


class Kept:
    """Answers by key, none worked out twice at once. What failed is told to all who waited, and tried again by the next.

    Frames are handed out as copies that cost nothing until somebody writes into one (pandas copies on write), so what one
    session does to its own is not seen by another.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._answers: OrderedDict[Hashable, Future] = OrderedDict()
        self._lock = threading.Lock()

    def __contains__(self, key: Hashable) -> bool:
        with self._lock:
            return key in self._answers and self._answers[key].done()

    def get(self, key: Hashable, work_out: Callable[[], Any]) -> Any:
        """The answer of a key, worked out by the first who asks."""
        answer, is_first = self._place(key)
        if is_first:
            try:
                answer.set_result(_shareable(work_out()))
            except BaseException as error:  # also when a session ends in the middle: who waits must not wait for ever
                self._forget(key, answer)
                answer.set_exception(error if isinstance(error, Exception) else InterruptedError(str(key)))
                raise
        try:
            return _own(answer.result())
        except InterruptedError:
            return self.get(key, work_out)

    def _place(self, key: Hashable) -> tuple[Future, bool]:
        with self._lock:
            found = self._answers.get(key)
            if found is not None:
                self._answers.move_to_end(key)
                return found, False
            self._answers[key] = found = Future()
            while len(self._answers) > self._most:
                self._answers.popitem(last=False)
            return found, True

    def _forget(self, key: Hashable, answer: Future) -> None:
        with self._lock:
            if self._answers.get(key) is answer:
                del self._answers[key]


def _shareable(answer: Any) -> Any:
    """The answer, its frames' look-up tables made: pandas makes them at first use, and two threads at once may disturb each other."""
    if isinstance(answer, pd.DataFrame):
        _ = answer.columns.is_unique, answer.index.is_unique
    elif isinstance(answer, tuple):
        for part in answer:
            _shareable(part)
    return answer


def _own(answer: Any) -> Any:
    """The answer for one session to do with as it likes."""
    if isinstance(answer, pd.DataFrame | pd.Series):
        return answer.copy(deep=False)
    if isinstance(answer, list | dict):
        return answer.copy()
    if type(answer) is tuple:
        return tuple(_own(part) for part in answer)
    return answer
