"""A server of our own for a benchmark: started on a free port, waited for, measured and ended."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
MOST_SECONDS = 120


@contextmanager
def served(database: Path, script: Path = ROOT / "app.py") -> Iterator[tuple[int, subprocess.Popen]]:
    """A script on a database, in a process of its own: (port, process). SystemExit where it does not start."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [
            *[sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port)],
            *["--server.address", "127.0.0.1", "--server.headless", "true"],
        ],
        cwd=ROOT,
        env={**os.environ, "LASTMILE_DATABASE": str(database)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_until_ready(port, process, script)
        yield port, process
    finally:
        process.terminate()
        process.wait(timeout=60)


def processor_seconds(pid: int) -> float:
    """What a process has used of all cores so far (Linux)."""
    parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


def _wait_until_ready(port: int, process: subprocess.Popen, script: Path) -> None:
    until = time.monotonic() + MOST_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1)
            return
        except OSError:
            time.sleep(0.5)
    raise SystemExit(f"{script} did not start")
