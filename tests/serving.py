"""The tower in a process of its own, as people start it: for tests that need a real server, and one that can be killed."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


class Served:
    """A tower on a database, listening on a port of its own."""

    def __init__(self, database: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(self.port), "--server.address", "127.0.0.1"],
            cwd=ROOT,
            env={**os.environ, "LASTMILE_DATABASE": str(database)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        for _ in range(480):
            if self.asked("/readyz")[0] == 200:
                return
            assert self._process.poll() is None, "the tower ended instead of starting"
            time.sleep(0.25)
        raise AssertionError("the tower did not start within two minutes")

    def asked(self, path: str, token: str | None = None, sent: Any = None) -> tuple[int, Any]:
        """Status and JSON of an answer to a question, or to something sent; 0 where nobody answers."""
        headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
        body = None if sent is None else json.dumps(sent).encode()
        request = urllib.request.Request(self.url + path, body, headers)  # noqa: S310 (our own server)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            return refused.code, json.load(refused)
        except (OSError, ValueError):
            return 0, None

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        self._process.kill()
        self._process.wait(30)

    def stop(self) -> None:
        """Ask it to end, and wait."""
        self._process.terminate()
        self._process.wait(60)
