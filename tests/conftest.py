"""Databases that several rooms' tests share, and the tower that stands on one of them for a test."""

from __future__ import annotations

import fcntl
import gc
import shutil
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lastmile import clock, runtime
from lastmile.__main__ import main
from lastmile.routing import compiled
from lastmile.routing.workers import Workers, use
from lastmile.runtime import Tower
from lastmile.store import Store
from tests.tiny_day import store_with_tiny_day

FRIDAY = datetime(2026, 11, 20, 10, 15, tzinfo=UTC)
"""11:15 in Berlin: most vans are out, and some of them late."""


def pytest_configure(config: pytest.Config) -> None:
    """Compile the search engine once, before tests and their time limits begin; groups are taken up in our order."""
    config.option.loadscopereorder = False
    if not hasattr(config, "workerinput") and not compiled.is_ready():
        sys.stderr.write("Compiling the engine for re-optimization (once after each change of it) …\n")
        compiled.begin_compiling().wait()


LONGEST_FIRST = ("browser", "pages", "engine", "kills", "served")
"""Groups of tests that one process has to go through alone: begun first, they don't leave it alone at the end."""
DEAR = {"chromium": "browser", "engine": "engine"}
"""Session fixtures that every process would have to start for itself, and the group of the tests that use them."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that share something dear, or what is made once for their module, go to one process: else each would make its own."""
    for item in items:
        group = next((group for name, group in DEAR.items() if name in item.fixturenames), None)
        if group is None and any(found[-1].scope == "module" for found in item._fixtureinfo.name2fixturedefs.values()):
            group = item.module.__name__
        if group is not None and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    """When a test is taken up: the long groups, the other groups, and at the end the tests that any process may run."""
    marker = item.get_closest_marker("xdist_group")
    if marker is None:
        return len(LONGEST_FIRST) + 1
    group = marker.args[0]
    return LONGEST_FIRST.index(group) if group in LONGEST_FIRST else len(LONGEST_FIRST)


def pytest_collection_finish() -> None:
    """What stands after collection stays to the end: Streamlit collects after each run of a page, and took 0.3 s to look through it."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def engine() -> Iterator[Workers]:
    """The processes that search for plans, ready: two for each process that tests."""
    workers = Workers(2)
    use(workers)
    workers.warm().result()
    yield workers
    workers.close()
    use(None)


@pytest.fixture(scope="session")
def demo_file(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The demo operation of three days and a Friday morning, as the command builds it: once, however many processes test.

    Copy it, don't open it.
    """
    shared = tmp_path_factory.getbasetemp() if worker_id == "master" else tmp_path_factory.getbasetemp().parent
    built = shared / "demo.duckdb"
    with (shared / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not built.exists():
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv(runtime.DATABASE, str(built))
                assert main(["demo", "--days", "3", "--until", FRIDAY.isoformat(), "--json"]) == 0
    return built


@pytest.fixture
def demo_database(demo_file: Path, tmp_path: Path) -> Path:
    """A copy of the demo for one test."""
    return Path(shutil.copy(demo_file, tmp_path / "demo.duckdb"))


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the schema and nothing on record, made once: to copy is quicker than all migrations. Copy it, don't open it."""
    path = tmp_path_factory.mktemp("empty") / "empty.duckdb"
    Store.open(path).close()
    return path


@pytest.fixture
def empty_database(empty_file: Path, tmp_path: Path) -> Path:
    """A database with the schema and nothing on record, for one test."""
    return Path(shutil.copy(empty_file, tmp_path / "tower.duckdb"))


@pytest.fixture(scope="session")
def tiny_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny day (tests/tiny_day.py), made once. Copy it, don't open it."""
    path = tmp_path_factory.mktemp("tiny") / "tiny.duckdb"
    store_with_tiny_day(path).close()
    return path


@pytest.fixture
def tiny_database(tiny_file: Path, tmp_path: Path) -> Path:
    """A copy of the tiny day for one test."""
    return Path(shutil.copy(tiny_file, tmp_path / "tiny.duckdb"))


@pytest.fixture
def stand_on(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Tower]]:
    """Start the tower on a database, its clock standing still at an instant, so that what is asked twice is answered the same."""

    def start(database: Path, at: datetime = FRIDAY) -> Tower:
        monkeypatch.setenv(runtime.DATABASE, str(database))
        tower = runtime.start()
        if tower.feed is not None:
            tower.feed.stop()
        tower.set_clock(clock.simulated(at, speed=0), "test")
        return tower

    runtime.stop()
    yield start
    runtime.stop()


@pytest.fixture(scope="session")
def demo_to_read(demo_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the demo for all tests that only read: answers that pages keep by path and version serve them all."""
    return Path(shutil.copy(demo_file, tmp_path_factory.mktemp("read") / "demo.duckdb"))


def opened(database: Path) -> Iterator[Tower]:
    """A tower on a database for all tests that only read it, at Friday 11:15 in Berlin: to open one takes longer than to read."""
    runtime.stop()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(runtime.DATABASE, str(database))
        tower = runtime.start()
        if tower.feed is not None:
            tower.feed.stop()
        tower.set_clock(clock.simulated(FRIDAY, speed=0), "test")
        patch.setattr(runtime, "_tower", None)
        yield tower
        runtime.stop()
        patch.setattr(runtime, "_tower", tower)
        runtime.stop()


def lent(tower: Tower, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tower]:
    """The open tower for one test, which may begin searches but must leave all that is on record as it was."""
    runtime.stop()
    monkeypatch.setenv(runtime.DATABASE, str(tower.store.path))
    monkeypatch.setattr(runtime, "_tower", tower)
    before = tower.store.version
    yield tower
    for job in tower.replannings.values():
        job.cancel()
    tower.replannings.clear()
    assert tower.store.version == before, "a test that writes needs a database of its own"


@pytest.fixture(scope="session")
def opened_demo(demo_to_read: Path) -> Iterator[Tower]:
    yield from opened(demo_to_read)


@pytest.fixture(scope="session")
def opened_empty(empty_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tower]:
    yield from opened(Path(shutil.copy(empty_file, tmp_path_factory.mktemp("read") / "empty.duckdb")))


@pytest.fixture
def demo_tower(opened_demo: Tower, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tower]:
    """The tower on the demo, at Friday 11:15 in Berlin. For reading; a test that writes stands on `demo_database`."""
    yield from lent(opened_demo, monkeypatch)


@pytest.fixture
def bare_tower(opened_empty: Tower, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tower]:
    """The tower on an empty database. For reading; a test that writes takes `empty_tower`."""
    yield from lent(opened_empty, monkeypatch)


@pytest.fixture
def empty_tower(stand_on: Callable[..., Tower], empty_database: Path) -> Tower:
    """The tower on an empty database."""
    return stand_on(empty_database)
