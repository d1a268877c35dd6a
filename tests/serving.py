"""The tower in a process of its own, as people start it: for tests that need a real server, and one that can be killed."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from tests.browser.conftest import ROOT, serve


class Served:
    """A tower on a database, listening on a port of its own."""

    def __init__(self, database: Path) -> None:
        self._process, self.url = serve(
            ROOT / "app.py", {"LASTMILE_DATABASE": str(database)}, database.with_suffix(".log")
        )

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
        except (OSError, ValueError, http.client.HTTPException):
            return 0, None

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        self._process.kill()
        self._process.wait(30)

    def stop(self) -> None:
        """Ask it to end, and wait."""
        self._process.terminate()
        self._process.wait(60)
