"""Many Live pages open at once: what a tick of one costs the tower in processor time, and in bytes on the wire.

`python -m bench.pages_bench [pages] [seconds]` speaks the protocol of Streamlit's own client over the loopback: each page
opens, keeps what the server lets it keep, and asks for its ticking parts again as often as the server told it to. What the
tower does without any page (feed, predictions, exceptions) is measured first, and taken off.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from bench.serving import processor_seconds, served
from lastmile import demo
from lastmile.store import Store

PAGES = 50
SECONDS = 60
SETTLING_SECONDS = 20


@dataclass
class Counted:
    """Ticks that were answered, their bytes, and their seconds from asking to the end of the answer."""

    ticks: int = 0
    size: int = 0
    seconds: list[float] = field(default_factory=list)


@dataclass
class Page:
    """One open page: what it has been told to ask for again, and what it keeps."""

    port: int
    counted: Counted
    script_hash: str = ""
    ticking: dict[str, float] = field(default_factory=dict)
    kept: set[str] = field(default_factory=set)

    async def open(self, stopped: asyncio.Event) -> None:
        """Load the page, then tick until it is stopped."""
        async with websockets.connect(
            f"ws://127.0.0.1:{self.port}/_stcore/stream", subprotocols=["streamlit"], max_size=None, compression=None
        ) as line:
            await line.send(self._asking())
            await self._answer(line)
            while not stopped.is_set():
                due = time.monotonic() + min(self.ticking.values(), default=5.0)
                for part in list(self.ticking):
                    asked = time.monotonic()
                    await line.send(self._asking(part))
                    size = await self._answer(line)  # first, since others count while this one waits
                    self.counted.size += size
                    self.counted.ticks += 1
                    self.counted.seconds.append(time.monotonic() - asked)
                await asyncio.sleep(max(0.0, due - time.monotonic()))

    def _asking(self, part: str = "") -> bytes:
        message = BackMsg()
        message.rerun_script.query_string = ""
        message.rerun_script.page_script_hash = self.script_hash
        message.rerun_script.fragment_id = part
        message.rerun_script.is_auto_rerun = bool(part)
        message.rerun_script.cached_message_hashes.extend(self.kept)
        return message.SerializeToString()

    async def _answer(self, line: websockets.ClientConnection) -> int:
        """All messages up to the end of the run; their bytes."""
        size = 0
        while True:
            data = await asyncio.wait_for(line.recv(), 120)
            size += len(data)
            message = ForwardMsg.FromString(data)
            kind = message.WhichOneof("type")
            if message.metadata.cacheable and message.hash:
                self.kept.add(message.hash)
            if kind == "new_session":
                self.script_hash = message.new_session.page_script_hash
            elif kind == "auto_rerun":
                self.ticking[message.auto_rerun.fragment_id] = message.auto_rerun.interval
            elif kind == "script_finished":
                return size


def run(folder: Path, pages: int = PAGES, seconds: int = SECONDS, days: int = 14) -> list[tuple[str, str]]:
    """What the tower uses with no page, then with many; the difference by tick."""
    path = folder / "pages.duckdb"
    store = Store.open(path)
    demo.build(store, days=days)
    store.close()
    with served(path) as (port, process):
        return asyncio.run(_measured(port, process.pid, pages, seconds))


async def _measured(port: int, pid: int, pages: int, seconds: int) -> list[tuple[str, str]]:
    opened, stopped = Counted(), asyncio.Event()
    first = asyncio.create_task(Page(port, opened).open(stopped))  # the first page lets the tower begin its work
    await asyncio.sleep(SETTLING_SECONDS * 2)
    stopped.set()
    await first
    alone = await _used(pid, seconds / 2)
    counted, stopped = Counted(), asyncio.Event()
    tasks = []
    for _ in range(pages):
        tasks.append(asyncio.create_task(Page(port, counted).open(stopped)))
        await asyncio.sleep(5.0 / pages)  # people do not come all at the same moment
    await asyncio.sleep(SETTLING_SECONDS)
    counted.ticks, counted.size = 0, 0
    counted.seconds.clear()
    watched = await _used(pid, seconds)
    ticks, size, answered = counted.ticks, counted.size, sorted(counted.seconds)
    stopped.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    rounds = watched.rate * watched.seconds - alone.rate * watched.seconds
    what = f"Live, {pages} pages open for {seconds} s, {ticks / pages / watched.seconds * 5:.1f} parts each every 5 s"
    return [
        (
            what,
            f"{rounds / ticks * 1000:.1f} ms of processor time and {size / ticks / 1024:.1f} KiB a tick of a part; answered in "
            f"{answered[len(answered) // 2] * 1000:.0f} ms (P95 {answered[int(len(answered) * 0.95)] * 1000:.0f} ms); "
            f"the tower used {watched.rate:.2f} cores, without a page {alone.rate:.2f}",
        )
    ]


@dataclass(frozen=True)
class _Used:
    rate: float
    seconds: float


async def _used(pid: int, seconds: float) -> _Used:
    """Cores that a process uses, over some seconds."""
    before, started = processor_seconds(pid), time.monotonic()
    await asyncio.sleep(seconds)
    taken = time.monotonic() - started
    return _Used((processor_seconds(pid) - before) / taken, taken)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        for told, figure in run(Path(place), *[int(word) for word in sys.argv[1:]]):
            print(f"{told}: {figure}")
