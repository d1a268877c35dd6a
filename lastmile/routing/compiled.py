"""Where the compiled search is kept, and whether it is there: told without loading any of it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

try:
    import fcntl
except ImportError:  # not a Unix system: two processes may compile at the same time, and both are right
    fcntl = None

SOURCES = Path(__file__).parent / "kernel"
READY = "ready"

NICENESS = 10
"""Compiling takes a minute of one core, and gives way to the pages."""

_COMPILE = f"""
import os, sys
sys.path[:0] = [{str(SOURCES.parents[2])!r}]
hasattr(os, "nice") and os.nice({NICENESS})
from lastmile.routing import compiled
with compiled.alone():
    import lastmile.routing.kernel.loaded
"""


@lru_cache(maxsize=1)
def folder() -> Path:
    """The folder that keeps what these very sources were compiled to on this machine.

    Numba itself looks only at the file of each function, and would go on using what was compiled from the former text of
    another file that it calls. What former sources left is thrown away.
    """
    parts = [path.read_bytes() for path in [*sorted(SOURCES.glob("*.py")), SOURCES.parent / "loads.py"]]
    told = f"{sys.implementation.cache_tag} {platform.machine()} numba {version('numba')}".encode()
    kept = _home() / hashlib.sha256(b"\0".join([told, *parts])).hexdigest()[:16]
    kept.mkdir(parents=True, exist_ok=True)
    for other in kept.parent.iterdir():
        if other != kept and other.is_dir():
            shutil.rmtree(other, ignore_errors=True)
    return kept


def _home() -> Path:
    """Beside the sources, or where those can't be written among the user's own files."""
    beside = SOURCES / "__pycache__" / "compiled"
    with contextlib.suppress(OSError):
        beside.mkdir(parents=True, exist_ok=True)
    if os.access(beside, os.W_OK):
        return beside
    return Path.home() / ".cache" / "lastmile" / "compiled"


def is_ready() -> bool:
    """True where nothing need be compiled any more."""
    return (folder() / READY).exists()


def mark_ready() -> None:
    """Say that all is compiled."""
    (folder() / READY).touch()


def begin_compiling() -> subprocess.Popen[bytes]:
    """Compile in a process of its own, which ends when it is done."""
    return subprocess.Popen([sys.executable, "-c", _COMPILE], stdin=subprocess.DEVNULL)  # noqa: S603  our own words


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Only one process compiles at a time: the next finds it done."""
    if fcntl is None:
        yield
        return
    with (folder() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
