"""Pages of figures while events arrive: the last figures at once, all of one instant, and never from before what one did."""

from __future__ import annotations

from datetime import datetime, timedelta

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from lastmile import clock, exceptions, queries
from lastmile.model import Scope, stable_id
from lastmile.runtime import Tower
from lastmile.ui import readings
from lastmile.ui.readings import READINGS
from tests.conftest import FRIDAY
from tests.raising import raised
from tests.test_pages import frame, metrics, shows_no_error, visit, words
from tests.waiting import until

pytestmark = pytest.mark.xdist_group("pages")

ON_TIME, FIRST_ATTEMPT = "On time", "First attempt"


@pytest.fixture
def tower(stand_on, demo_database) -> Tower:
    """The demo at Friday 11:15; may be written to."""
    return stand_on(demo_database)


def hand_over(tower: Tower, how_many: int = 1, recorded_at: datetime = FRIDAY - timedelta(minutes=1)) -> None:
    """A driver's scans tell that stops on the road were served just now."""
    stops = queries.stops(tower.store, FRIDAY, FRIDAY.date(), Scope())
    moving = stops[~stops.done & stops.route_id.notna() & stops.window_due.notna()].head(how_many)
    told = moving[["delivery_id", "route_id", "vehicle_id", "depot_id"]].assign(
        event_id=[stable_id("scanned", one) for one in moving.delivery_id], type="delivered", classifier="ACT",
        occurred_at=FRIDAY - timedelta(minutes=2), recorded_at=recorded_at, source="test",
        status_source="driver", payload='{"service_started_at": "2026-11-20T10:10:00Z"}',
    )  # fmt: skip
    tower.store.append({"event": told}, streamed=True)


def counted(app: AppTest, label: str = ON_TIME) -> pd.Series:
    return frame(app, "All KPIs").set_index("label").loc[label]


def taken_up_after(app: AppTest) -> float:
    """Minutes after which somebody took up that a source is silent."""
    rows = frame(app, "Exceptions behind").set_index("label")
    return rows.acknowledge_minutes[exceptions.find("source_silent").label]


def test_whoever_comes_later_sees_the_last_figures_at_once_and_then_the_newer_ones(tower, monkeypatch):
    before = counted(visit("kpis", period="Today"))
    hand_over(tower, 3, FRIDAY + timedelta(minutes=5))
    tower.clock = clock.simulated(FRIDAY + timedelta(minutes=6), speed=0)
    monkeypatch.setattr(readings, "GOOD_FOR_SECONDS", 0.0)

    visitor = visit("kpis", period="Today")
    assert counted(visitor).n == before.n
    assert "as of **11:20:00 CET**" not in words(visitor)
    view = next(view for view in READINGS._last if view[0] == str(tower.store.path))
    until(lambda: not READINGS.is_renewing(view))

    monkeypatch.undo()
    assert counted(visitor.run()).n == before.n + 3
    assert "as of **11:20:00 CET**" in words(visitor)
    assert shows_no_error(visitor)


def test_what_is_opened_later_is_of_the_same_instant_as_the_table(tower):
    app = visit("kpis", period="Today")
    table = counted(app, FIRST_ATTEMPT)
    hand_over(tower, 2)

    app.query_params["kpi"] = "first_attempt_success"
    app.run()

    rows = frame(app, f"Rows behind {FIRST_ATTEMPT}")
    assert rows.part.isin(["numerator", "denominator"]).sum() == counted(app, FIRST_ATTEMPT).n == table.n


def test_who_takes_an_exception_on_finds_that_on_the_response_page(tower):
    exception_id = raised(tower.store, "source_silent", "telematics", FRIDAY - timedelta(minutes=10))
    app = visit("response", period="Today")
    assert pd.isna(taken_up_after(app))

    app._page_hash = calc_hash("exceptions")
    app.query_params["exception"] = exception_id
    app.run()
    next(button for button in app.button if button.label == "Take it").click().run()
    app._page_hash = calc_hash("response")
    app.run()

    assert taken_up_after(app) == pytest.approx(10)


def test_a_past_instant_is_answered_once_whatever_arrives_since(tower, monkeypatch):
    address = {"period": "Today", "as_of": "2026-11-20T10:45"}
    before = frame(visit("kpis", **address), "All KPIs")
    hand_over(tower, 2)
    asked = []
    monkeypatch.setattr(type(tower.store), "ask", lambda *_, **__: asked.append(1))

    app = visit("kpis", **address)

    pd.testing.assert_frame_equal(frame(app, "All KPIs"), before)
    assert not asked


def test_figures_that_could_not_be_renewed_say_so_and_of_when_they_are(tower, monkeypatch):
    app = visit("data_quality", period="Today")
    shown = metrics(app)
    monkeypatch.setattr(readings, "GOOD_FOR_SECONDS", 0.0)
    reading = next(one for view, one in READINGS._last.items() if view[0] == str(tower.store.path))
    reading.note_failure("Amounts in EUR and USD can't be added.")
    monkeypatch.undo()

    app.run()

    assert "could not be worked out: Amounts in EUR and USD can't be added. Shown are those as of 11:15 CET" in words(
        app
    )
    assert "Not renewed" in words(app)
    assert metrics(app) == shown
