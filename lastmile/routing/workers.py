"""Where rounds are run: processes of this machine, or a dask cluster, both as a `concurrent.futures` executor."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import threading
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from lastmile.routing.rounds import Outcome, Round, run_round

TRIES = 3
"""How often a round is begun again whose process died: a round is a pure function, so nothing is lost."""


class Workers:
    """Processes that run rounds; safe to share between threads. `count` is how many rounds run at once."""

    def __init__(self, count: int | None = None, address: str | None = None) -> None:
        """`count` processes of this machine (None: one a core), or the workers of the dask scheduler at `address`."""
        self._given, self._address = count, address
        self._lock = threading.Lock()
        self._executor: Executor | None = None
        self._client = None

    @property
    def count(self) -> int:
        if self._address is not None:
            self._started()
            return max(1, sum(self._client.ncores().values()))
        return self._given or cores()

    def submit(self, task: Round) -> Pending:
        """Begin a round as soon as a process is free."""
        return Pending(self, task)

    def warm(self) -> None:
        """Start the processes and load what they need, without waiting for it."""
        if self._address is None:
            executor = self._started()
            for _ in range(self.count):
                executor.submit(_load)

    def close(self) -> None:
        """End the processes, or leave the cluster; rounds under way are lost."""
        with self._lock:
            executor, self._executor = self._executor, None
            if executor is not None:
                executor.shutdown(wait=False, cancel_futures=True)
                for process in list((getattr(executor, "_processes", None) or {}).values()):
                    process.kill()
            if self._client is not None:
                self._client.close()
                self._client = None

    def _begin(self, task: Round) -> tuple[Executor, Future[Outcome]]:
        for _ in range(TRIES):
            executor = self._started()
            with contextlib.suppress(BrokenProcessPool, RuntimeError):
                return executor, executor.submit(run_round, task)
            self._forget(executor)
        raise BrokenProcessPool("the processes that search for plans end as soon as they are started")

    def _started(self) -> Executor:
        with self._lock:
            if self._executor is None:
                self._executor = self._local() if self._address is None else self._cluster()
            return self._executor

    def _local(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(self._given or cores(), mp_context=_context())

    def _cluster(self) -> Executor:
        from distributed import Client  # a library of its own, for those who have a cluster

        self._client = Client(self._address, set_as_default=False)
        return self._client.get_executor(pure=False, retries=TRIES)

    def _forget(self, executor: Executor) -> None:
        """A pool whose process died takes no more work: the next round gets a new one."""
        with self._lock:
            if self._executor is executor:
                self._executor = None
        executor.shutdown(wait=False, cancel_futures=True)


class Pending:
    """A round under way, begun again where its process dies."""

    def __init__(self, workers: Workers, task: Round) -> None:
        self._workers, self._task, self._tries = workers, task, 1
        self._executor, self._future = workers._begin(task)

    def done(self) -> bool:
        return self._future.done()

    def outcome(self, timeout: float | None = None) -> Outcome | None:
        """What it came to; None where it is not done within the time."""
        try:
            return self._future.result(timeout)
        except TimeoutError:
            return None
        except BrokenProcessPool:
            if self._tries >= TRIES:
                raise
            self._tries += 1
            self._workers._forget(self._executor)
            self._executor, self._future = self._workers._begin(self._task)
            return None

    def give_up(self) -> None:
        """Nobody waits for it any more; if it has not begun, it never will."""
        self._future.cancel()


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _context() -> multiprocessing.context.BaseContext:
    """A server that has loaded the compiled code once, of which each worker is a copy; where there is none, fresh ones."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["lastmile.routing.kernel.loaded"])
    return context


def _load() -> None:
    """Load, and where it was never done compile, all that a round needs."""
    import lastmile.routing.kernel.loaded  # noqa: F401


_shared = Workers()
_shared_lock = threading.Lock()


def shared() -> Workers:
    """The workers of this process, for all who do not bring their own."""
    return _shared


def use(workers: Workers) -> None:
    """Make these the workers of this process."""
    global _shared
    with _shared_lock:
        _shared = workers
