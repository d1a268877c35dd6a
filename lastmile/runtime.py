"""Placeholder until the composition of the tower stands here: `start()`, `stop()`, `store()`."""

from __future__ import annotations


def start() -> None: ...


def stop() -> None: ...


def store() -> None: ...
