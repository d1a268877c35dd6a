"""The engine in a process of its own: what is said to it and by it, starting, hearing and ending it."""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

from lastmile.routing.problem import Problem

PACKAGE_HOME = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Search:
    """What to search: from which plan, until when (epoch seconds), for how many iterations (None: until then)."""

    problem: Problem
    start: dict[str, tuple[str, ...]]
    until: float
    seed: int
    iterations: int | None


@dataclass(frozen=True)
class Found:
    """A plan better than all before it, by the engine's own cost, after so many iterations; and which engine."""

    routes: dict[str, tuple[str, ...]]
    engine_cost: float
    iteration: int
    engine: str


@dataclass(frozen=True)
class Finished:
    """The end of a search: how many iterations it took, and what to know about it."""

    iterations: int
    note: str = ""


@dataclass(frozen=True)
class Failed:
    """The engine ended without finishing; the last line that it wrote about why."""

    why: str


Message = Found | Finished | Failed


class EngineProcess:
    """A context in which the engine runs; it is started on entry, so that it loads while the first plan is made."""

    def __enter__(self) -> EngineProcess:
        self._errors = tempfile.TemporaryFile()
        self._messages: queue.SimpleQueue[Message] = queue.SimpleQueue()
        path = [str(PACKAGE_HOME), *filter(None, [os.environ.get("PYTHONPATH")])]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "lastmile.routing.engine"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path)},
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            with contextlib.suppress(BrokenPipeError):
                stream.close()

    def begin(self, task: Search) -> None:
        """Hand the search over, without waiting for the engine to have loaded, and start to listen."""
        threading.Thread(target=self._converse, args=(task,), daemon=True).start()

    def heard(self, wait_seconds: float) -> list[Message]:
        """All that was said since the last call; an empty list where nothing was within the wait."""
        try:
            messages = [self._messages.get(timeout=wait_seconds)]
        except queue.Empty:
            return []
        with contextlib.suppress(queue.Empty):
            while True:
                messages.append(self._messages.get_nowait())
        return messages

    def _converse(self, task: Search) -> None:
        try:
            pickle.dump(task, self._process.stdin)
            self._process.stdin.flush()
            while True:
                self._messages.put(pickle.load(self._process.stdout))  # noqa: S301 - written by our own process
        except (OSError, EOFError, ValueError, pickle.UnpicklingError):
            self._messages.put(Failed(self._last_words()))

    def _last_words(self) -> str:
        with contextlib.suppress(OSError, ValueError):
            self._errors.seek(0)
            lines = self._errors.read().decode(errors="replace").strip().splitlines()
            return lines[-1] if lines else "it ended without a word"
        return "it was ended"
