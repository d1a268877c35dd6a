"""The Live page at a million deliveries: each of its questions, and in a browser its first figure against an empty page's.

`python -m bench.live_bench [database]` makes the database where there is none (minutes).
"""

from __future__ import annotations

import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from bench import million
from bench.timing import median_ms
from lastmile import kpis, queries
from lastmile.model import Scope
from lastmile.store import Store

ROOT = Path(__file__).parents[1]
DAY = million.LAST_DAY.date()
EMPTY_PAGE = 'import streamlit as st\nst.set_page_config(layout="wide")\nst.metric("Empty", "1")\n'
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
]  # fmt: skip
TURNS = 5


def questions(store: Store) -> dict[str, Callable[[], object]]:
    """What the Live page asks, by name."""
    at, everything = million.NOON, Scope()
    before = {"day_from": DAY - timedelta(days=28), "day_to": DAY - timedelta(days=1)}
    today = {"day_from": DAY, "day_to": DAY}
    rates = ["on_time_rate", "first_attempt_success"]
    return {
        "stops of the day": lambda: queries.stops(store, at, DAY, everything),
        "vehicles of the day": lambda: queries.vehicles(store, at, DAY, everything),
        "filters: depots, carriers, services, days": lambda: (
            queries.depots(store), queries.carriers(store), queries.services(store), queries.days(store),
        ),
        "last recorded event": lambda: queries.last_recorded_at(store, at),
        "rates of today": lambda: kpis.measure(store, rates, by=("day",), **today),
        "rates of four weeks (asked anew only when a past day changes)": lambda: kpis.measure(store, rates, by=("day",), **before),
        "cost of four weeks (asked anew only when a past day changes)": lambda: kpis.measure(
            store, ["cost_per_drop"], by=("day",), **before
        ),
        "stops as known two hours ago": lambda: queries.stops(
            store, at - timedelta(hours=2), DAY, everything, at - timedelta(hours=2)
        ),
    }  # fmt: skip


def run(path: Path) -> list[tuple[str, str]]:
    """Medians of the questions, then first figures in a browser by turns on both servers."""
    store = Store.open(path) if path.exists() else million.make(path)
    found = [(f"Live, {name}", f"{median_ms(question):.0f} ms") for name, question in questions(store).items()]
    store.close()
    return found + first_figures(path)


def first_figures(path: Path) -> list[tuple[str, str]]:
    """Seconds from asking for the page to its first figure, in a new browser context each time; medians of TURNS."""
    empty = path.parent / "empty_page.py"
    empty.write_text(EMPTY_PAGE)
    servers = {"empty": _serve(empty, path), "tower": _serve(ROOT / "app.py", path)}
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
            taken: dict[str, list[float]] = {name: [] for name in servers}
            for _ in range(TURNS + 1):
                for name, (_, port) in servers.items():
                    taken[name].append(_first_figure(browser, port))
            browser.close()
    finally:
        for process, _ in servers.values():
            process.terminate()
            process.wait()
    empty_s, tower_s = (statistics.median(taken[name][1:]) for name in ("empty", "tower"))
    return [
        ("First figure of an empty Streamlit page", f"{empty_s:.2f} s"),
        ("First figure of Live at a million deliveries", f"{tower_s:.2f} s, {tower_s / empty_s:.2f} × the empty page"),
    ]


def _serve(script: Path, database: Path) -> tuple[subprocess.Popen, int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "streamlit",
            "run",
            str(script),
            "--server.port",
            str(port),
            "--server.headless",
            "true",
        ],
        cwd=ROOT,
        env={**os.environ, "LASTMILE_DATABASE": str(database)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    for _ in range(120):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1)
            return process, port
        except OSError:
            time.sleep(0.5)
    raise SystemExit(f"{script} did not start")


def _first_figure(browser: Browser, port: int) -> float:
    context = browser.new_context(viewport={"width": 1600, "height": 1000})
    page = context.new_page()
    start = time.perf_counter()
    page.goto(f"http://127.0.0.1:{port}/", wait_until="commit")
    page.get_by_test_id("stMetricValue").first.wait_for(timeout=60_000)
    seconds = time.perf_counter() - start
    context.close()
    return seconds


if __name__ == "__main__":
    for what, figure in run(Path(sys.argv[1])):
        print(f"{figure:>40}  {what}")
