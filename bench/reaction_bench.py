"""How soon the tower reacts: from an event over HTTP to a Live page that is open, and from a breakdown to its exception.

`python -m bench.reaction_bench [turns]` starts a real server on a demo of its own, which stands at a late morning, opens Live in
a browser, and sends. Times count from just before a request is sent, by the clock of this process.
"""

from __future__ import annotations

import json
import re
import statistics
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from datetime import time as time_of_day
from pathlib import Path

from playwright.sync_api import Page

from bench.door_bench import operation, watched
from bench.serving import served
from lastmile import clock, demo
from lastmile.connections import Connection, TokenScope
from lastmile.door import Door

TURNS = 10
SETTLING_SECONDS = 60
"""A page looks sooner after a while of quick looks."""

AT_ONCE = 50
"""Deliveries handed over at once: more than the simulated operation hands over between two looks at the page."""
MOST_SECONDS = 60
LOOKED_AT_SECONDS = 8
ASKED_EVERY_SECONDS = 0.5
"""Each question for the exceptions costs the tower what a look of a page does."""
BROKE_DOWN = re.compile("Its exception: .*roke down")


@dataclass(frozen=True)
class Sender:
    """Who sends to a tower, and asks it."""

    port: int
    token: str

    def send(self, *events: dict) -> float:
        """Send events that happen now, by the tower's clock; returns the instant before, of the monotonic clock."""
        told = [event | {"occurred_at": self.now} for event in events]
        started = time.monotonic()
        self._asked("/api/v1/events", told)
        return started

    @property
    def now(self) -> str:
        """The instant that the tower stands at: a simulated operation goes on where it stopped."""
        return self._asked("/api/v1/exceptions")["at"]

    def broken_down(self) -> set[str]:
        """The vehicles of the open exceptions about breakdowns."""
        found = self._asked("/api/v1/exceptions")["exceptions"]
        return {row["vehicle_id"] for row in found if row["key"] == "vehicle_broke_down"}

    def _asked(self, path: str, sent: list | None = None) -> dict:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            None if sent is None else json.dumps(sent).encode(),
            {"authorization": f"Bearer {self.token}", "content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=MOST_SECONDS) as answer:  # noqa: S310
            return json.load(answer)


def run(folder: Path, turns: int = TURNS) -> list[tuple[str, str]]:
    """Send by turns; the median and the longest of each time."""
    path = folder / "reaction.duckdb"
    token, vans, deliveries = _readied(path, turns)
    with served(path) as (port, _), watched(port, SETTLING_SECONDS) as page:
        sender = Sender(port, token)
        screen = [_to_screen(sender, page, deliveries[n * AT_ONCE : (n + 1) * AT_ONCE]) for n in range(turns)]
        broken = [_to_exception(sender, page, *van) for van in vans]
    return [
        (f"From an event over HTTP to an open Live page, {turns} turns", _told(screen)),
        (f"From a breakdown over HTTP to its exception, {len(broken)} turns", _told([one for one, _ in broken])),
        ("the same, to an open Live page", _told([two for _, two in broken])),
    ]


def _told(seconds: list[float]) -> str:
    return f"median {statistics.median(seconds):.1f} s, longest {max(seconds):.1f} s"


def _readied(path: Path, turns: int) -> tuple[str, list[tuple[str, str]], list[str]]:
    """A token that may send of the demo's own deliveries and read; the vans with most stops ahead, with their routes, to break
    down; and the numbers of the open deliveries of all others, those that come last first."""
    store = operation(path, demo.start_instant(datetime.combine(datetime.now(UTC), time_of_day(0), UTC)))
    door = Door(store, lambda: datetime.now(UTC))
    door.register.connect(Connection("scanners", "Reaction test", delivery_source="wms"), "bench")
    token = door.register.make_token("scanners", [TokenScope.EVENTS, TokenScope.READ], "reaction", "bench").secret
    door.stop()
    now = clock.resume(store).now()
    found = store.ask(
        "select route.vehicle_id, route.route_id, delivery_id.replace('wms:', '') as number "
        "from planned_stop join route using (plan_id, route_id) join delivery using (delivery_id) "
        "where route.day = $day and delivery.handed_over_at is null and delivery.source = 'wms' "
        "order by arrive_at desc, delivery_id",
        day=now.date(),
    )
    store.close()
    vans = found.groupby(["vehicle_id", "route_id"]).size().sort_values(ascending=False, kind="stable").index[:turns]
    others = found[~found.vehicle_id.isin(vans.get_level_values("vehicle_id"))]
    return token, vans.tolist(), others.number.tolist()


def _to_screen(sender: Sender, page: Page, deliveries: list[str]) -> float:
    """Seconds until the tile of what was handed over has gone up by as much as was sent."""
    before = _handed_over(page)
    events = [{"event": "delivered", "delivery_id": number, "event_key": f"d{number}"} for number in deliveries]
    started = sender.send(*events)
    return _until(lambda: _handed_over(page) >= before + len(deliveries), started)


def _handed_over(page: Page) -> int:
    tile = page.get_by_test_id("stMetric").filter(has_text="Handed over").get_by_test_id("stMetricValue")
    return int(re.sub(r"\D", "", tile.inner_text()))


def _to_exception(sender: Sender, page: Page, vehicle_id: str, route_id: str) -> tuple[float, float]:
    """Seconds until a van that breaks down is an exception, and until a page on which it is chosen leads to it."""
    page.goto(f"http://127.0.0.1:{sender.port}/?chosen=vehicle~{vehicle_id}", wait_until="commit")
    page.get_by_role("link", name="Open its route").wait_for(timeout=MOST_SECONDS * 1000)
    time.sleep(LOOKED_AT_SECONDS)
    started = sender.send(
        {"event": "vehicle_broke_down", "vehicle_id": vehicle_id, "route_id": route_id, "event_key": f"b{vehicle_id}"}
    )
    known = _until(lambda: vehicle_id in sender.broken_down(), started, every=ASKED_EVERY_SECONDS)
    return known, _until(lambda: page.get_by_text(BROKE_DOWN).count() > 0, started)


def _until(holds: Callable[[], bool], started: float, every: float = 0.05) -> float:
    """Seconds from an instant of the monotonic clock until something holds; SystemExit where it never does."""
    while not holds():
        if time.monotonic() - started > MOST_SECONDS:
            raise SystemExit("The tower did not react within a minute")
        time.sleep(every)
    return time.monotonic() - started


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        for what, figure in run(Path(name), *map(int, sys.argv[1:])):
            print(f"{what}: {figure}")
