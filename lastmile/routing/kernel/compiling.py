"""How the functions of the kernel are compiled: once for this machine and these sources, and kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import config, njit

from lastmile.routing.compiled import folder


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
    config.CACHE_DIR = str(folder())
    try:
        return njit(cache=True, error_model="numpy", **options)(function)
    finally:
        config.CACHE_DIR = before
