"""Databases that several rooms' tests share, and the tower that stands on one of them for a test."""

from __future__ import annotations

import fcntl
import shutil
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lastmile import clock, demo, runtime
from lastmile.routing import compiled
from lastmile.routing.workers import Workers, use
from lastmile.runtime import Tower
from lastmile.store import Store
from tests.tiny_day import store_with_tiny_day

FRIDAY = datetime(2026, 11, 20, 10, 15, tzinfo=UTC)
"""11:15 in Berlin: most vans are out, and some of them late."""


def pytest_configure(config: pytest.Config) -> None:
    """Compile the search engine once, before tests and their time limits begin."""
    if not hasattr(config, "workerinput") and not compiled.is_ready():
        sys.stderr.write("Compiling the engine for re-optimization (once after each change of it) …\n")
        compiled.begin_compiling().wait()


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
    """The demo operation of three days and a Friday morning; built once, however many processes test. Copy it, don't open it."""
    shared = tmp_path_factory.getbasetemp() if worker_id == "master" else tmp_path_factory.getbasetemp().parent
    built = shared / "demo.duckdb"
    with (shared / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not built.exists():
            building = built.with_suffix(".building")
            store = Store.open(building)
            demo.build(store, seed=7, days=3, until=FRIDAY)
            store.close()
            building.replace(built)
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


@pytest.fixture
def demo_tower(stand_on: Callable[..., Tower], demo_to_read: Path) -> Tower:
    """The tower on the demo, at Friday 11:15 in Berlin. For reading; a test that writes stands on `demo_database`."""
    return stand_on(demo_to_read)


@pytest.fixture
def empty_tower(stand_on: Callable[..., Tower], empty_database: Path) -> Tower:
    """The tower on an empty database."""
    return stand_on(empty_database)
