"""A real server and a real browser: `tower` serves the program on a free port, `screen` collects a page's errors."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Response, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
]
SECONDS_TO_START = 90
# Streamlit first asks below the path of a deep link for its own endpoints, and then at the root.
EXPECTED_404 = ("_stcore/health", "_stcore/host-config")


@dataclass
class Screen:
    """A page of the tower and what went wrong on it."""

    page: Page
    url: str
    errors: list[str] = field(default_factory=list)

    def open(self, path: str = "/") -> Page:
        """Go to a path and wait until the page has run to its end."""
        self.page.goto(self.url + path)
        self.page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for(timeout=60_000)
        return self.page

    def shoot(self, name: str) -> Path:
        """Save a screenshot under .pytest_cache/screens, to be looked at."""
        file = ROOT / ".pytest_cache" / "screens" / f"{name}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=file)
        return file

    def heard(self, message: ConsoleMessage) -> None:
        expected = "status of 404" in message.text and any(
            path in message.location.get("url", "") for path in EXPECTED_404
        )
        if message.type == "error" and not expected:
            self.errors.append(message.text)

    def answered(self, response: Response) -> None:
        if response.status >= 400 and not any(path in response.url for path in EXPECTED_404):
            self.errors.append(f"{response.status} {response.url}")


def serve(script: Path, settings: dict[str, str], log: Path) -> tuple[subprocess.Popen, str]:
    """Start `streamlit run` for a script as a process of its own; its address once it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        str(script),
        "--server.port",
        str(port),
        "--server.address",
        "127.0.0.1",
    ]
    with log.open("w") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=os.environ | settings, stdout=out, stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{port}"
    for _ in range(SECONDS_TO_START * 5):
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2):  # noqa: S310  our own server
                return process, url
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    process.kill()
    raise RuntimeError(f"the server did not start; its last words:\n{log.read_text()[-2000:]}")


@pytest.fixture(scope="module")
def tower_settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Environment of the served tower; a test module overrides this to give it a database."""
    return {}


@pytest.fixture(scope="module")
def tower_script() -> Path:
    """What is served: the program itself."""
    return ROOT / "app.py"


@pytest.fixture(scope="module")
def tower(
    tower_script: Path, tower_settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of a tower that runs for one test module."""
    process, url = serve(tower_script, tower_settings, tmp_path_factory.mktemp("tower") / "server.log")
    yield url
    process.terminate()
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The system's Chromium where there is one, else the one Playwright brought."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def theme() -> str:
    """Light or dark; parametrize it to see both."""
    return "light"


@pytest.fixture
def width() -> int:
    """The width of the screen in pixels; 390 is a phone."""
    return 1600


@pytest.fixture
def screen(chromium: Browser, tower: str, theme: str, width: int) -> Iterator[Screen]:
    """A fresh browser window on the tower; fails the test where the browser reported an error."""
    context = chromium.new_context(viewport={"width": width, "height": 1000}, color_scheme=theme, locale="en-GB")
    screen = Screen(context.new_page(), tower)
    screen.page.on("console", screen.heard)
    screen.page.on("response", screen.answered)
    yield screen
    context.close()
    assert screen.errors == []
