"""The outlook of the running day: made every few seconds, and at once where a van has broken down."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from lastmile import outlook as outlooks
from lastmile.model import Classifier, EventType, stable_id
from lastmile.outlook import Expected, Outlook
from lastmile.store import Store
from tests import tiny_day
from tests.waiting import until


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    found = tiny_day.store_with_tiny_day(tmp_path / "tower.duckdb")
    yield found
    found.close()


@pytest.fixture
def looks(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Expected]]:
    """What an outlook of the tiny day has told so far; by itself it would look again after a minute."""
    monkeypatch.setattr(outlooks, "EVERY_SECONDS", 60.0)
    monkeypatch.setattr(outlooks, "LEAST_REST_SECONDS", 0.1)
    told: list[Expected] = []
    outlook = Outlook(store, lambda: tiny_day.NOW, lambda _: tiny_day.DAY, told.append)
    outlook.start()
    until(lambda: len(told) == 1)
    yield told
    outlook.stop()


def event(type: EventType, key: str) -> dict[str, pd.DataFrame]:
    row = {
        "event_id": stable_id("outlook", key), "type": type, "classifier": Classifier.ACTUAL, "occurred_at": tiny_day.NOW,
        "recorded_at": tiny_day.NOW, "vehicle_id": "van-2", "source": "phone", "actor": "driver",
        "status_source": "app",
    }  # fmt: skip
    return {"event": pd.DataFrame([row])}


def test_a_breakdown_ends_the_rest_between_two_looks(store, looks):
    store.append(event(EventType.VEHICLE_BROKE_DOWN, "broke"), streamed=True)
    until(lambda: len(looks) == 2)


def test_other_news_wait_for_the_next_look(store, looks):
    store.append(event(EventType.POSITION, "moved"), streamed=True)
    time.sleep(1.5)
    assert len(looks) == 1


def test_one_breakdown_ends_one_rest(store, looks):
    store.append(event(EventType.VEHICLE_BROKE_DOWN, "broke"), streamed=True)
    until(lambda: len(looks) == 2)
    store.append(event(EventType.POSITION, "moved"), streamed=True)
    time.sleep(1.5)
    assert len(looks) == 2
