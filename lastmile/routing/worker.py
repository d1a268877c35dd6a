"""What the processes that run rounds begin with: the compiled search, and nothing of the program that started them.

A new process would run the main script of its parent once more, for what might have been defined there: here that is a
page, and rounds need nothing of it.
"""

from __future__ import annotations

import multiprocessing.spawn

import lastmile.routing.kernel.loaded  # noqa: F401


def _nothing(_: str) -> None:
    """The parent's main module stays where it is."""


multiprocessing.spawn._fixup_main_from_name = _nothing
multiprocessing.spawn._fixup_main_from_path = _nothing
