"""One peer in a process of its own: `python -m lastmile.routing.peers.worker ENGINE`.

It loads its library, says that it is ready, reads one task, starts the clock, and writes its answer: nobody's loading
time is part of a comparison.
"""

from __future__ import annotations

import importlib
import os
import pickle
import sys
from typing import BinaryIO

from lastmile.routing.peers.task import Watch


def main(engine: str, source: BinaryIO, sink: BinaryIO) -> None:
    """Serve one task over two binary streams."""
    peer = importlib.import_module(f"lastmile.routing.peers.{engine}_peer")
    _send(sink, "ready")
    task = pickle.load(source)  # noqa: S301 - the parent process is the only writer
    watch = Watch(task.seconds)
    peer.search(task, watch)
    _send(sink, watch.answer())


def _send(sink: BinaryIO, message: object) -> None:
    pickle.dump(message, sink)
    sink.flush()


if __name__ == "__main__":
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints must not fall among the answers
    main(sys.argv[1], sys.stdin.buffer, answers)
