"""What the door did since the start: counters for a monitoring system, and a short memory for the Connections page."""

from __future__ import annotations

import statistics
import threading
from collections import Counter as Counts
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
REMEMBERED_ERRORS = 20
REMEMBERED_REQUESTS = 1_000
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
NOBODY = ""
"""The source of requests whose sender is not known."""

disable_created_metrics()


@dataclass(frozen=True)
class Trouble:
    """A request that was not taken: when, the HTTP status, where, and what was told."""

    at: datetime
    status: int
    route: str
    told: str


@dataclass
class _Memory:
    last_at: datetime | None = None
    rows: Counts = field(default_factory=Counts)
    seconds: deque[float] = field(default_factory=lambda: deque(maxlen=REMEMBERED_REQUESTS))
    troubles: deque[Trouble] = field(default_factory=lambda: deque(maxlen=REMEMBERED_ERRORS))


@dataclass(frozen=True)
class Heard:
    """What was heard of a source since the start: rows by outcome, times in seconds of its last thousand requests."""

    last_at: datetime | None
    rows: dict[str, int]
    requests: int
    p50_seconds: float | None
    p95_seconds: float | None
    troubles: tuple[Trouble, ...]


class Metrics:
    """Counts requests, rows and batches; `rows_waiting` tells the length of the queue when asked."""

    def __init__(self, rows_waiting: Callable[[], int]) -> None:
        self._registry = CollectorRegistry()
        make = {"registry": self._registry}
        self._requests = Counter("lastmile_requests", "Requests answered.", ["route", "status"], **make)
        self._request_seconds = Histogram(
            "lastmile_request_seconds", "From a request to its answer.", ["route"], buckets=SECONDS, **make
        )
        self._rows = Counter("lastmile_rows", "Rows sent, by what became of them.", ["source", "outcome"], **make)
        self._batch_seconds = Histogram("lastmile_batch_seconds", "Time to write a batch.", buckets=SECONDS, **make)
        self._batch_rows = Counter("lastmile_batch_rows", "Rows written in batches.", **make)
        self._last = Gauge(
            "lastmile_source_last_seconds", "When a source last sent rows, Unix time.", ["source"], **make
        )
        Gauge("lastmile_rows_waiting", "Rows in the queue.", **make).set_function(rows_waiting)
        self._memory: dict[str, _Memory] = defaultdict(_Memory)
        self._lock = threading.Lock()

    def answered(self, route: str, status: int, seconds: float, source: str = NOBODY, told: str | None = None) -> None:
        """Note an answer: its route's name, what was told where it was no success, and whose request it was."""
        self._requests.labels(route, str(status)).inc()
        self._request_seconds.labels(route).observe(seconds)
        with self._lock:
            memory = self._memory[source]
            memory.seconds.append(seconds)
            if told is not None:
                memory.troubles.append(Trouble(datetime.now(UTC), status, route, told))

    def received(self, source: str, outcomes: dict[str, int], at: datetime) -> None:
        """Note the rows of a request by what became of them."""
        for outcome, count in outcomes.items():
            self._rows.labels(source, outcome).inc(count)
        self._last.labels(source).set(at.timestamp())
        with self._lock:
            self._memory[source].last_at = at
            self._memory[source].rows.update(outcomes)

    def wrote(self, rows: int, seconds: float) -> None:
        """Note a batch."""
        self._batch_seconds.observe(seconds)
        self._batch_rows.inc(rows)

    def heard(self, source: str) -> Heard:
        """What was heard of a source since the start."""
        with self._lock:
            memory = self._memory.get(source) or _Memory()
            seconds = sorted(memory.seconds)
            return Heard(
                memory.last_at,
                dict(memory.rows),
                len(seconds),
                statistics.median(seconds) if seconds else None,
                seconds[min(len(seconds) - 1, int(0.95 * len(seconds)))] if seconds else None,
                tuple(reversed(memory.troubles)),
            )

    def text(self) -> bytes:
        """All counters in the text format of Prometheus."""
        return generate_latest(self._registry)
