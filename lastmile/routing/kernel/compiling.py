"""How the functions of the kernel are compiled: once for this machine and these sources, kept beside them."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from numba import config, njit

HERE = Path(__file__).parent


def entry(function: Callable[..., Any]) -> Any:
    """A function that Python calls."""
    return _compiled(function)


def compiled(function: Callable[..., Any]) -> Any:
    """A function that only compiled code calls: without a door to Python it is compiled sooner.

    It is compiled anew for each combination of the types of its arguments, and a bare number is a type of its own:
    numbers are handed over as `np.int64`, vehicles and positions too.
    """
    return _compiled(function, no_cpython_wrapper=True, no_cfunc_wrapper=True)


def inlined(function: Callable[..., Any]) -> Any:
    """A few words that many functions say: written out in each of them before it is compiled."""
    return _compiled(function, inline="always", no_cpython_wrapper=True, no_cfunc_wrapper=True)


def _compiled(function: Callable[..., Any], **options: object) -> Any:
    before = config.CACHE_DIR
    config.CACHE_DIR = str(kept_in())
    try:
        return njit(cache=True, error_model="numpy", **options)(function)
    finally:
        config.CACHE_DIR = before


@lru_cache(maxsize=1)
def kept_in() -> Path:
    """The folder that keeps what these very sources were compiled to.

    Numba itself looks only at the file of each function, and would go on using what was compiled from the former text of
    another file that it calls. What former sources left is thrown away.
    """
    text = b"".join(path.read_bytes() for path in [*sorted(HERE.glob("*.py")), HERE.parent / "loads.py"])
    kept = _home() / hashlib.sha256(text).hexdigest()[:16]
    kept.mkdir(parents=True, exist_ok=True)
    for other in kept.parent.iterdir():
        if other != kept and other.is_dir():
            shutil.rmtree(other, ignore_errors=True)
    return kept


def _home() -> Path:
    """Beside the sources, or where those can't be written among the user's own files."""
    beside = HERE / "__pycache__" / "compiled"
    with contextlib.suppress(OSError):
        beside.mkdir(parents=True, exist_ok=True)
    if os.access(beside, os.W_OK):
        return beside
    return Path.home() / ".cache" / "lastmile" / "compiled"
