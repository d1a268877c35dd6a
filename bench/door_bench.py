"""The door under load: 1,000 events a second over HTTP for a minute, while a Live page is open and ticking.

`python -m bench.door_bench [rows a request] [seconds]` starts a real server on a demo database of its own and sends to it over
the loopback at a fixed pace, whatever the answers take; times count from when a request was due, so that a server that
stands still is seen. Afterwards the ledger must hold each event that was answered with 202, and no other.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import sync_playwright

from bench.live_bench import FLAGS
from bench.serving import processor_seconds, served
from lastmile import clock, demo
from lastmile.connections import Connection, TokenScope
from lastmile.door import Door
from lastmile.exceptions.watch import Watch
from lastmile.intake import KINDS, Outcome
from lastmile.intake.receiving import judged_rows
from lastmile.store import Store

EVENTS_PER_SECOND = 1_000
SECONDS = 60
CONNECTIONS = 64
SETTLING_SECONDS = 10
SOURCE = "bench"


@dataclass
class Sending:
    """What came of a load: statuses, seconds from when each request was due to its answer, rows answered with 202."""

    statuses: dict[int, int] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    taken: int = 0

    def percentile(self, share: float) -> float:
        """The time within which a share of the requests was answered, in milliseconds."""
        return sorted(self.seconds)[min(len(self.seconds) - 1, int(share * len(self.seconds)))] * 1000


def run(folder: Path, rows: int = 10, seconds: int = SECONDS) -> list[tuple[str, str]]:
    """Send, look, count; what was found, with the load of the machine beside it."""
    path = folder / "door.duckdb"
    token, deliveries = prepare(path)
    with served(path) as (port, process), watched(port):
        before = processor_seconds(process.pid)
        # in a thread of its own: the browser's has an event loop already
        sending = ThreadPoolExecutor(1).submit(asyncio.run, send(port, token, deliveries, rows, seconds)).result()
        used = (processor_seconds(process.pid) - before) / seconds
        load = os.getloadavg()[0]
    store = Store.open(path)
    held = store.value("select count(*) from event where source = $source", source=SOURCE)
    repeated = store.value(
        "select count(*) - count(distinct event_id) from event where source = $source", source=SOURCE
    )
    store.close()
    what = f"Door, {EVENTS_PER_SECOND:,} events a second for {seconds} s, {rows} a request, a Live page open"
    times = ", ".join(f"p{round(share * 100)} {sending.percentile(share):.0f} ms" for share in (0.5, 0.95, 0.99))
    lost = f"{sending.taken:,} answered with 202, {held:,} in the ledger, {repeated} twice"
    return [
        (
            what,
            f"{times}; {lost}; answers {sending.statuses}; the tower used {used:.2f} cores; load of the machine {load:.1f}",
        )
    ]


def prepare(path: Path) -> tuple[str, list[str]]:
    """A demo database with a source of 2,000 deliveries beside it: its token, and the deliveries' numbers.

    They are booked for tomorrow: of today, each would be an exception, for no plan has it.
    """
    store = operation(path)
    door = Door(store, lambda: datetime.now(UTC))
    connection = Connection(SOURCE, "Load test")
    door.register.connect(connection, "bench")
    token = door.register.make_token(SOURCE, [TokenScope.EVENTS], "load", "bench").secret
    numbers = [f"D-{number}" for number in range(2_000)]
    day = datetime.now(UTC) + timedelta(days=1)
    orders = [{"delivery_id": number, "day": f"{day:%Y-%m-%d}"} for number in numbers]
    rows = judged_rows(KINDS["orders"], orders, connection, door.now())
    assert door.send(None, connection, rows, 0, door.now()).result().count(Outcome.TAKEN) == len(numbers)
    door.stop()
    store.close()
    return token, numbers


def operation(path: Path, until: datetime | None = None) -> Store:
    """The demo's database, made where there is none, with its past gone through.

    That is what a tower does in its first minutes, beside all else, and not what is measured.
    """
    is_new = not path.exists()
    store = Store.open(path)
    if is_new:
        demo.build(store, until=until)
        now = clock.resume(store).now()
        for _ in Watch(store, lambda replayed: demo.answer_past(store, replayed)).past_days(now.date(), now):
            pass
    return store


@contextmanager
def watched(port: int, settling_seconds: float = SETTLING_SECONDS):
    """A Live page open in a browser, which has settled; its ticks go on while the block runs."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(viewport={"width": 1600, "height": 1000})
        page.goto(f"http://127.0.0.1:{port}/", wait_until="commit")
        page.get_by_test_id("stMetricValue").first.wait_for(timeout=90_000)
        time.sleep(settling_seconds)  # what is measured is a page that ticks, not one that opens
        yield page
        browser.close()


async def send(port: int, token: str, deliveries: list[str], rows: int, seconds: int) -> Sending:
    """Requests at a fixed pace over some connections, each answered before the connection's next."""
    sending = Sending()
    due: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
    workers = [asyncio.create_task(_worker(port, due, sending)) for _ in range(CONNECTIONS)]
    started = time.monotonic()
    for number in range(EVENTS_PER_SECOND * seconds // rows):
        at = started + number * rows / EVENTS_PER_SECOND
        await asyncio.sleep(max(0.0, at - time.monotonic()))
        due.put_nowait((at, _request(port, token, deliveries, number * rows, rows)))
    await asyncio.wait_for(due.join(), 120)
    for worker in workers:
        worker.cancel()
    return sending


def _request(port: int, token: str, deliveries: list[str], first: int, rows: int) -> bytes:
    """Half of the events are positions, half are scans of deliveries."""
    now = datetime.now(UTC).isoformat()
    said = [_event(number, deliveries, now) for number in range(first, first + rows)]
    body = json.dumps(said if rows > 1 else said[0]).encode()
    head = (
        f"POST /api/v1/events HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nauthorization: Bearer {token}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _event(number: int, deliveries: list[str], now: str) -> dict:
    told = {"event_key": f"e{number}", "occurred_at": now, "vehicle_id": f"B-{number % 50}", "lon": 13.4, "lat": 52.5}
    if number % 2:
        return told | {"event": "position", "speed_kmh": 30}
    return told | {"event": "en_route_to_stop", "delivery_id": deliveries[number % len(deliveries)]}


async def _worker(port: int, due: asyncio.Queue[tuple[float, bytes]], sending: Sending) -> None:
    streams = await asyncio.open_connection("127.0.0.1", port)
    while True:
        at, request = await due.get()
        try:
            status, body = await _answered(*streams, request)
        except (asyncio.IncompleteReadError, ConnectionError):  # the server hangs up on who is silent for five seconds
            streams = await asyncio.open_connection("127.0.0.1", port)
            status, body = await _answered(*streams, request)
        sending.seconds.append(time.monotonic() - at)
        sending.statuses[status] = sending.statuses.get(status, 0) + 1
        if status == 202:
            sending.taken += json.loads(body)["taken"]
        due.task_done()


async def _answered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> tuple[int, bytes]:
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
    return int(head.split()[1]), await reader.readexactly(length)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        given = [int(word) for word in sys.argv[1:]]
        for told, figure in run(Path(place), *given):
            print(f"{told}: {figure}")
