"""The Live page at a million deliveries: each of its questions, and in a browser its first figure against an empty page's.

`python -m bench.live_bench [database]` makes the database where there is none (minutes).
"""

from __future__ import annotations

import re
import shutil
import statistics
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from bench import million
from bench.serving import served
from bench.timing import median_ms
from lastmile import kpis, queries
from lastmile.model import Scope
from lastmile.store import Store

DAY = million.LAST_DAY.date()
EMPTY_PAGE = 'import streamlit as st\nst.set_page_config(layout="wide")\nst.metric("Empty", "1")\n'
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
]  # fmt: skip
TURNS = 9
NUMBER = re.compile(r"\d")
NOTE_PARTS = """
window.parts = {};
const looked = {stDeckGlJsonChart: ' canvas', stDataFrame: ' canvas', stMultiSelect: ''};
setInterval(() => { for (const [part, drawn] of Object.entries(looked))
    if (!(part in parts) && document.querySelector(`[data-testid=${part}]${drawn}`)) parts[part] = performance.now(); }, 10);
"""


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
    """Seconds from asking for the page to its first figure, and to Live as a whole, in a new browser context each time.

    Medians of TURNS; a ratio is the median of the ratios of each turn, in which one page comes right after the other.
    """
    empty = path.parent / "empty_page.py"
    empty.write_text(EMPTY_PAGE)
    taken: dict[str, list[tuple[float, float]]] = {"empty": [], "tower": []}
    with served(path, empty) as (empty_port, _), served(path) as (tower_port, _), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for _ in range(TURNS + 1):
            for name, port in (("empty", empty_port), ("tower", tower_port)):
                taken[name].append(_first_and_whole(browser, port, name == "tower"))
        browser.close()
    turns = [(empty[0], *tower) for empty, tower in zip(taken["empty"][1:], taken["tower"][1:], strict=True)]
    empty_s, first_s, whole_s = (statistics.median(column) for column in zip(*turns, strict=True))
    first, whole = (statistics.median(turn[place] / turn[0] for turn in turns) for place in (1, 2))
    return [
        ("First figure of an empty Streamlit page", f"{empty_s:.2f} s"),
        ("First figure of Live at a million deliveries", f"{first_s:.2f} s, {first:.2f} × the empty page"),
        ("Live as a whole: map, queue and filters", f"{whole_s:.2f} s, {whole:.2f} × the empty page"),
    ]


def _first_and_whole(browser: Browser, port: int, tower: bool) -> tuple[float, float]:
    """Seconds to the first tile with a number in it, and to the last of map, queue and filters where it is the tower."""
    context = browser.new_context(viewport={"width": 1600, "height": 1000})
    page = context.new_page()
    page.add_init_script(NOTE_PARTS)
    start = time.perf_counter()
    page.goto(f"http://127.0.0.1:{port}/", wait_until="commit")
    page.get_by_test_id("stMetricValue").filter(has_text=NUMBER).first.wait_for(timeout=60_000)
    first = whole = time.perf_counter() - start
    if tower:
        page.wait_for_function("Object.keys(window.parts).length === 3", timeout=60_000)
        whole = max(page.evaluate("Object.values(window.parts)")) / 1000
    context.close()
    return first, whole


if __name__ == "__main__":
    for what, figure in run(Path(sys.argv[1])):
        print(f"{figure:>40}  {what}")
