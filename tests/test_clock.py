"""The tower always stands at an instant: real, simulated, or held at the end of a file."""

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from lastmile import clock
from lastmile.clock import Clock, Mode
from lastmile.model import stable_id
from lastmile.store import Store
from tests import tiny_day

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def store(empty_database):
    store = Store.open(empty_database)
    yield store
    store.close()


def add_event(store: Store, at: datetime) -> None:
    row = {
        "event_id": stable_id(at),
        "type": "arrived",
        "classifier": "ACT",
        "occurred_at": at,
        "recorded_at": at,
        "source": "test",
        "status_source": "import",
    }
    store.append({"event": pd.DataFrame([row])})


def test_a_simulated_clock_runs_at_its_speed():
    simulated = Clock(Mode.SIMULATED, NOON, since=NOON + timedelta(days=1), speed=10)
    assert simulated.now(NOON + timedelta(days=1, minutes=3)) == NOON + timedelta(minutes=30)


def test_a_change_of_speed_does_not_jump():
    simulated = Clock(Mode.SIMULATED, NOON, since=NOON, speed=10)
    later = NOON + timedelta(minutes=1)
    faster = simulated.at_speed(60, later)
    assert faster.now(later) == simulated.now(later) == NOON + timedelta(minutes=10)
    assert faster.now(later + timedelta(minutes=1)) == NOON + timedelta(minutes=70)


def test_a_clock_does_not_run_backwards():
    with pytest.raises(ValueError, match="backwards"):
        Clock(Mode.SIMULATED, NOON, NOON, -1)


def test_a_file_of_last_year_sets_the_clock_to_its_end(store):
    add_event(store, NOON - timedelta(days=365))
    add_event(store, NOON - timedelta(days=300))
    assert clock.hold_at_end_of_data(store, "test").mode is Mode.HELD
    assert clock.load(store).now() == NOON - timedelta(days=300)


def test_a_feed_of_this_hour_keeps_the_clock_on_the_wall(store):
    add_event(store, datetime.now(UTC) - timedelta(minutes=10))
    assert clock.hold_at_end_of_data(store, "test").mode is Mode.REAL


def test_a_running_simulation_keeps_its_clock_when_a_file_comes_in(store):
    clock.save(store, clock.simulated(NOON, 4), "test")
    add_event(store, NOON - timedelta(days=300))
    assert clock.hold_at_end_of_data(store, "test").mode is Mode.SIMULATED


def test_a_simulation_goes_on_after_a_stop_from_the_last_thing_it_recorded(store):
    begun = datetime.now(UTC) - timedelta(hours=5)
    clock.save(store, Clock(Mode.SIMULATED, NOON, begun, 1.0), "test")
    add_event(store, NOON + timedelta(minutes=40))
    resumed = clock.resume(store).now()
    assert NOON + timedelta(minutes=40) <= resumed < NOON + timedelta(minutes=41)


def test_depots_of_another_place_do_not_turn_the_clocks_of_the_running_operation(tmp_path):
    store = tiny_day.store_with_tiny_day(tmp_path / "day.duckdb")
    elsewhere = [
        {"depot_id": name, "name": name, "zone": "Asia/Shanghai", "currency": "CNY", "recorded_at": NOON}
        for name in ("Jilin", "Yantai")
    ]
    store.append({"depot": pd.DataFrame(elsewhere)})

    clock.save(store, clock.held(tiny_day.local("18:00")), "test")
    assert clock.zone_of_most(store) == "Europe/Berlin"

    clock.save(store, clock.held(tiny_day.local("18:00") + timedelta(days=60)), "test")
    assert clock.zone_of_most(store) == "Asia/Shanghai"  # nothing was delivered lately: the zone of most depots
    store.close()
