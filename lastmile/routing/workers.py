"""Where rounds are run: processes of this machine, or a dask cluster, both as a `concurrent.futures` executor."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import secrets
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace

from lastmile.errors import NotPossible
from lastmile.routing import compiled
from lastmile.routing.rounds import Outcome, Round, hear, run_round

ADDRESS = "LASTMILE_SOLVERS"
"""The setting that names the scheduler of a dask cluster; without it, rounds are run by processes of this machine."""

TRIES = 4
"""How often a round is begun whose process died: a round is a pure function, so nothing is lost."""

TOLD_AT_ONCE = 64
"""So many rounds that nobody waits for any more are remembered; a process looks at them many times a second."""

JOINING_SECONDS = 10.0
"""How long the scheduler of a cluster is waited for."""

COMPILING, STARTING = "preparing the engine (once, about a minute)", "starting the engine"


class Workers:
    """Processes that run rounds; safe to share between threads.

    They are started when they are first needed, or by `warm`. A process that dies is replaced, and its round begun again.
    """

    def __init__(self, count: int | None = None, address: str | None = None) -> None:
        """`count` processes of this machine (None: one a core), or the workers of the dask scheduler at `address`."""
        self._given, self._address = count, address
        self._lock = threading.Lock()
        self._team: Team | None = None

    @property
    def count(self) -> int:
        """How many rounds run at once; on a cluster as many as it has workers now."""
        if self._address is None:
            return self._given or cores()
        return self._ready().count()

    def warm(self) -> Future[None]:
        """Start the processes, and compile what they need where that was never done; done once rounds begin at once.

        Its error is NotPossible where a cluster can't be joined.
        """
        return self._begun().ready

    @property
    def stage(self) -> str:
        """What a search is waiting for while the workers are not ready, in words."""
        return self._begun().stage

    def submit(self, task: Round) -> Pending:
        """Begin a round as soon as a process is free."""
        return Pending(self._ready, self._forget, task)

    def dismiss(self) -> None:
        """End the processes, or leave the cluster, once the rounds under way are done; the next round starts new ones."""
        with self._lock:
            team, self._team = self._team, None
        if team is not None:
            team.dismiss()

    def close(self) -> None:
        """End the processes, or leave the cluster; rounds under way are lost."""
        with self._lock:
            team, self._team = self._team, None
        if team is not None:
            team.close()

    def _begun(self) -> Team:
        with self._lock:
            if self._team is None or self._team.failed:
                self._team = Local(self._given or cores()) if self._address is None else Cluster(self._address)
            return self._team

    def _ready(self) -> Team:
        team = self._begun()
        team.ready.result()
        return team

    def _forget(self, team: Team) -> None:
        """A team one of whose processes died takes no more work: the next round gets a new one."""
        with self._lock:
            if self._team is team:
                self._team = None
        team.leave()


class Team:
    """Processes that were started together; `ready` is done when they take rounds, or has the error why they can't."""

    def __init__(self) -> None:
        self.ready: Future[None] = Future()
        self.stage, self.closed = STARTING, False
        self.known: set[str] = set()
        self._executor: Executor | None = None
        threading.Thread(target=self._begin, name="starting the engine", daemon=True).start()

    def submit(self, task: Round) -> Future[Outcome | None]:
        if self._executor is None or self.closed:
            raise BrokenProcessPool("the engine was stopped")
        return self._executor.submit(run_round, task)

    @property
    def failed(self) -> bool:
        return self.ready.done() and self.ready.exception() is not None

    def count(self) -> int:
        """How many rounds run at once."""
        raise NotImplementedError

    def start(self) -> None:
        """Make the executor and wait until it works."""
        raise NotImplementedError

    def leave(self) -> None:
        """Take no more rounds."""
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)

    def leave_off(self, ticket: int) -> None:
        """Tell the process that runs a round that nobody waits for it; it may go on where it can't be told."""

    def dismiss(self) -> None:
        """End once what was begun is done; at once where nothing could be begun yet."""
        if self.ready.done() and self._executor is not None:
            self._executor.shutdown(wait=True)
        self.close()

    def close(self) -> None:
        """End at once."""
        self.closed = True
        self.leave()

    def _begin(self) -> None:
        try:
            self.start()
        except BaseException as error:
            self.ready.set_exception(error)
        else:
            self.ready.set_result(None)


class Local(Team):
    """Processes of this machine, copies of one that has loaded the compiled search."""

    def __init__(self, count: int) -> None:
        self._count, self._compiling = count, None
        self._context, self._told = _context(), 0
        self._left_off = self._context.RawArray("q", TOLD_AT_ONCE)
        super().__init__()

    def count(self) -> int:
        return self._count

    def start(self) -> None:
        if not compiled.is_ready():
            self.stage = COMPILING
            self._compiling = compiled.begin_compiling()
            self._compiling.wait()
            self.stage = STARTING
        if self.closed:
            raise BrokenProcessPool("the engine was stopped while it was started")
        self._executor = ProcessPoolExecutor(
            self._count, mp_context=self._context, initializer=_serve, initargs=(self._left_off,)
        )
        wait([self._executor.submit(_load) for _ in range(self._count)])

    def leave_off(self, ticket: int) -> None:
        self._left_off[self._told % TOLD_AT_ONCE] = ticket
        self._told += 1

    def close(self) -> None:
        if self._compiling is not None:
            self._compiling.terminate()
        processes = list((getattr(self._executor, "_processes", None) or {}).values())
        super().close()
        for process in processes:
            process.kill()


class Cluster(Team):
    """The workers of a dask scheduler, one round at a time each, however many threads they have."""

    def __init__(self, address: str) -> None:
        self._address, self._client = address, None
        super().__init__()

    def count(self) -> int:
        return max(1, len(self._client.nthreads()))

    def start(self) -> None:
        self.stage = f"joining the solvers at {self._address}"
        try:
            from distributed import Client, WorkerPlugin
        except ImportError:
            words = "the library to reach it is not installed: pip install distributed"
            raise NotPossible(f"The setting {ADDRESS} names a cluster, and {words}.") from None
        try:
            self._client = Client(self._address, timeout=JOINING_SECONDS, set_as_default=False)
        except (OSError, ValueError) as error:
            raise NotPossible(f"The solvers at {self._address} ({ADDRESS}) can't be reached: {error}") from None
        self._executor = self._client.get_executor(pure=False, retries=TRIES)
        ready = WorkerPlugin()
        ready.name, ready.setup = "lastmile", _load  # by those who join later, too
        self._client.register_plugin(ready)

    def leave(self) -> None:
        if self._executor is not None:
            self._executor.shutdown(wait=False)
        if self._client is not None:
            self._client.close(timeout=1)


class Pending:
    """A round under way, begun again where its process dies; the problem goes along only where it is not known yet."""

    def __init__(self, team: Callable[[], Team], forget: Callable[[Team], None], task: Round) -> None:
        self._find, self._forget, self._tries = team, forget, 0
        self._task = replace(task, ticket=secrets.randbits(62) + 1)
        self._begin(known=True)

    def done(self) -> bool:
        return self._future.done()

    def wait(self, seconds: float) -> None:
        """Until it is done, but no longer than that."""
        wait([self._future], seconds)

    def outcome(self) -> Outcome | None:
        """What it came to; None where it had to be begun again. Waits for it."""
        try:
            outcome = self._future.result()
        except (BrokenProcessPool, CancelledError) as error:
            self._begin_again(error)
            return None
        except Exception as error:
            if type(error).__name__ not in LOST:
                raise
            self._begin_again(error)
            return None
        if outcome is None:
            self._begin(known=False)
        else:
            self._team.known.add(self._task.key)
        return outcome

    def give_up(self) -> None:
        """Nobody waits for it any more; if it has not begun, it never will, and its process is soon free for others."""
        if not self._future.cancel() and not self._future.done():
            self._team.leave_off(self._task.ticket)

    def _begin_again(self, error: Exception) -> None:
        self._count_try(error)
        self._forget(self._team)
        self._begin(known=True)

    def _count_try(self, error: Exception) -> None:
        self._tries += 1
        if self._team.closed or self._tries >= TRIES:
            raise BrokenProcessPool(f"the engine ended: {error}") from None

    def _begin(self, known: bool) -> None:
        """Hand the round out; a process that does not know its problem says so, and gets it."""
        while True:
            self._team = self._find()
            light = known and self._task.key in self._team.known
            try:
                self._future = self._team.submit(replace(self._task, problem=None) if light else self._task)
                return
            except (BrokenProcessPool, RuntimeError) as error:
                self._count_try(error)
                self._forget(self._team)


LOST = frozenset({"KilledWorker", "FutureCancelledError", "CommClosedError", "CancelledError"})
"""What dask calls a task whose worker, or whose scheduler, is gone."""


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _context() -> multiprocessing.context.BaseContext:
    """A server that has loaded the compiled code once, of which each worker is a copy; where there is none, fresh ones."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["lastmile.routing.worker"])
    return context


def _serve(left_off: Sequence[int]) -> None:
    """What a process does first: it heeds who is left off, and ends with the process that it works for."""
    hear(left_off)
    threading.Thread(target=_end_with_parent, name="end with the tower", daemon=True).start()


def _end_with_parent() -> None:
    """A tower that is killed can't end its processes; they would wait for its next round for ever."""
    multiprocessing.connection.wait([multiprocessing.parent_process().sentinel])
    os._exit(0)


def _load(**_: object) -> None:
    """Load, and where it was never done compile, all that a round needs."""
    import lastmile.routing.kernel.loaded  # noqa: F401


_shared: Workers | None = None
_shared_lock = threading.Lock()


def shared() -> Workers:
    """The workers of this process, for all who do not bring their own: this machine's, or those that the setting names."""
    global _shared
    with _shared_lock:
        if _shared is None:
            _shared = Workers(address=os.environ.get(ADDRESS, "").strip() or None)
        return _shared


def use(workers: Workers | None) -> None:
    """Make these the workers of this process; None: as the setting says."""
    global _shared
    with _shared_lock:
        _shared = workers
