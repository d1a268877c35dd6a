"""Re-optimization on the Routes page: each state that it can be in, and what a person can do in it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from lastmile import clock, decisions, demo, queries, routing
from lastmile.errors import NotPossible
from lastmile.model import Scope
from lastmile.replanning import Act, Asked, ByHand, Proposal, Replanning, open_day, proposal_of, refreshed
from lastmile.runtime import Tower
from lastmile.store import Store
from lastmile.ui import format
from tests.conftest import FRIDAY
from tests.test_pages import frame, metrics, shows_no_error, visit, words

DAY, DEPOT = FRIDAY.date(), "WHF"
VAN_OUT = Asked(
    budget=routing.ChangeBudget(goods_moved=8),
    by_hand=(ByHand(Act.VEHICLE_OUT, "WHF-11", by="operator", why="flat tyre"),),
)

pytestmark = pytest.mark.xdist_group("pages")


def routes(**address: str) -> AppTest:
    return visit("routes", depots="Westhafen", **address)


def buttons(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def ended(result: Proposal | None = None, actor: str = "operator") -> Replanning:
    """A search that has ended with this result."""
    job = Replanning(DEPOT, actor, lambda *_: result)
    job.start()
    job.wait()
    return job


@pytest.fixture
def writing(stand_on, demo_database) -> Tower:
    return stand_on(demo_database)


@pytest.fixture(scope="module")
def found(demo_to_read: Path) -> Proposal:
    """A proposal with a frontier for the demo's Friday: searched for once, as the same day asks the same of each test."""
    store = Store.open(demo_to_read)
    start = open_day(store, DEPOT, DAY, FRIDAY, VAN_OUT)
    made = proposal_of(store, start, routing.solve(start.problem, 3, seed=1, frontier=True), "operator")
    store.close()
    return made


def propose(tower: Tower, found: Proposal) -> Proposal:
    """Put the proposal on record, where it waits for a decision."""
    decisions.propose_plan(tower.store, found.tables, "operator", FRIDAY)
    tower.replannings[DEPOT] = ended(found)
    return found


@pytest.fixture
def made(writing: Tower, found: Proposal) -> Proposal:
    """The proposal that waits for a decision."""
    return propose(writing, found)


# Nothing asked yet


def test_one_press_is_enough_and_what_is_open_is_told(demo_tower):
    app = routes()

    still = queries.stops(demo_tower.store, FRIDAY, DAY, Scope(depots=(DEPOT,)))
    still = still[~still.done & ~still.passed & (still.state != "cancelled")]
    assert shows_no_error(app)
    assert "Re-optimize Westhafen" in buttons(app)
    assert format.count(len(still), "open delivery", "open deliveries") in words(app)


def test_a_depot_without_a_plan_today_says_what_to_do(stand_on, demo_database):
    stand_on(demo_database, datetime(2026, 11, 22, 2, tzinfo=UTC))

    app = routes()

    assert shows_no_error(app)
    assert "No plan is in force for this depot today" in words(app)
    assert not [label for label in buttons(app) if label.startswith("Re-optimize")]


def test_a_day_that_is_done_has_nothing_left_to_re_optimize(writing):
    store = writing.store
    still = queries.stops(store, FRIDAY, DAY, Scope(depots=(DEPOT,)))
    still = still[~still.done]
    told = {"type": "delivered", "classifier": "ACT", "occurred_at": FRIDAY, "recorded_at": FRIDAY, "source": "test",
            "status_source": "driver"}  # fmt: skip
    store.append(
        {
            "event": pd.DataFrame(
                [
                    told | {"event_id": f"{place:032x}", "delivery_id": row.delivery_id, "route_id": row.route_id}
                    for place, row in enumerate(still.itertuples())
                ]
            )
        }
    )

    app = routes()

    assert shows_no_error(app)
    assert "All of today's stops are done" in words(app)


def test_what_is_decided_by_hand_is_added_told_and_taken_back(demo_tower):
    app = routes()
    app.selectbox(key=f"by hand {DEPOT} {Act.VEHICLE_OUT}").select("WHF-11").run()
    app.text_input(key=f"by hand {DEPOT} why").input("flat tyre").run()
    next(button for button in app.button if button.label == "Add").click().run()

    assert shows_no_error(app)
    assert "WHF-11 drives no more (flat tyre)" in buttons(app)

    app.button(key=f"take back {DEPOT} 0").click().run()

    assert "WHF-11 drives no more (flat tyre)" not in buttons(app)


def test_limits_that_were_set_are_told_beside_the_button(demo_tower):
    app = routes()
    app.number_input(key=f"replan {DEPOT} moved").set_value(5).run()
    app.select_slider(key=f"replan {DEPOT} freeze").set_value(30).run()
    app.radio(key=f"replan {DEPOT} policy").set_value(routing.Policy.SERVE_ALL).run()

    told = words(app)

    assert shows_no_error(app)
    for phrase in ("Next 30 min stay", "At most 5 stops change vehicle", "Serve all, show what it breaks"):
        assert phrase in told


# Searching


def test_a_search_under_way_is_seen_by_everyone_and_can_be_cancelled(demo_tower):
    let_go = threading.Event()

    def work(report, cancelled):
        report(0.4, "Improving: 7 rounds of search")
        let_go.wait(30)

    job = Replanning(DEPOT, "the dispatcher", work)
    assert demo_tower.begin(job) is job

    app = AppTest.from_function(_running).run()

    assert "asked by the dispatcher" in app.caption[0].value
    assert "Cancel" in buttons(app)
    next(button for button in app.button if button.label == "Cancel").click().run()
    assert job.cancelled
    let_go.set()
    job.wait()
    assert "was cancelled; nothing was changed" in words(routes())


def _running() -> None:
    """The panel of a search alone, drawn once: on the page it would draw itself again and again."""
    import streamlit as st

    from lastmile import runtime
    from lastmile.ui.desk import Desk
    from lastmile.ui.replan import running
    from lastmile.ui.shell import View

    tower = runtime.tower()
    view = View(scope=None, as_of=None, zone="UTC", dark=False, actor="operator")
    job = tower.replannings["WHF"]
    if job.running:
        running.show(Desk(tower, view, tower.now()), job, "Westhafen")
    st.caption("drawn")


def test_the_second_of_two_people_who_press_is_told_and_sees_the_first_ones_search(writing, found):
    first, second = routes(), routes()
    made = propose(writing, found)

    next(button for button in second.button if button.label == "Re-optimize Westhafen").click().run()

    assert shows_no_error(second)
    assert "operator has begun a re-optimization of this depot already" in words(second)
    assert writing.replannings[DEPOT].result is made
    assert "Approve" in buttons(second)
    assert first is not second


def test_a_search_that_failed_says_so_in_words(demo_tower):
    def work(*_):
        raise NotPossible("WHF-99 is no vehicle of this depot.")

    job = Replanning(DEPOT, "operator", work)
    demo_tower.begin(job)
    job.wait()

    app = routes()

    assert shows_no_error(app)
    assert "WHF-99 is no vehicle of this depot." in words(app)
    assert "Re-optimize Westhafen" in buttons(app)


# A proposal


def test_a_proposal_shows_what_was_asked_what_it_brings_and_how_it_was_made(writing, made):
    app = routes()

    shown = metrics(app)
    assert shows_no_error(app)
    assert "WHF-11 drives no more (flat tyre)" in words(app)
    assert shown["Cost of the rest of the day"] == format.money(made.money.after, "EUR", 0)
    assert shown["Stops that change vehicle"] == format.number(made.moved)
    assert shown["Not served"] == format.number(len(made.comparison.unserved))
    assert "What makes the difference" in words(app)


def test_choosing_a_point_of_the_frontier_makes_it_the_proposal_and_back(writing, made):
    fewest = made.points[0]
    app = routes()

    app.select_slider(key=f"point of {made.plan_id}").set_value(fewest.moved).run()

    assert shows_no_error(app)
    assert metrics(app)["Stops that change vehicle"] == format.number(fewest.moved)
    assert metrics(app)["Cost of the rest of the day"] == format.money(fewest.money, "EUR", 0)

    next(button for button in app.button if button.label == "Back to the best").click().run()

    assert metrics(app)["Cost of the rest of the day"] == format.money(made.money.after, "EUR", 0)


def test_the_chosen_point_comes_into_force_with_the_reason(writing, made):
    app = routes()
    app.select_slider(key=f"point of {made.plan_id}").set_value(made.points[0].moved).run()

    app.text_input(key="decision why").input("calmer")
    next(button for button in app.button if button.label == "Approve").click().run()

    plans = queries.plans(writing.store, DAY, Scope(depots=(DEPOT,)))
    force = plans[plans.in_force].iloc[0]
    assert force.why == "calmer"
    assert force.cost == pytest.approx(made.points[0].money, abs=0.02)
    assert DEPOT not in writing.replannings


def test_an_own_alternative_is_answered_and_adopted(writing, made):
    committed = made.open_day.problem.committed_to
    stop_id = next(id for id in made.comparison.after.stops if id not in committed)
    app = routes()
    app.session_state["proposal details"] = "Your own alternative"
    app.run()

    app.selectbox(key="own stop").select(stop_id).run()
    app.selectbox(key="own vehicle").select("(not served today)").run()

    assert shows_no_error(app)
    assert "**not served today**" in words(app)
    app.button(key="adopt own").click().run()
    assert metrics(app)["Not served"] == format.number(len(made.comparison.unserved) + 1)


def test_a_proposal_that_the_day_has_overtaken_says_so_and_can_be_refreshed(writing, made):
    later = FRIDAY + timedelta(minutes=40)
    demo.LiveFeed.of(writing.store, lambda: later).step()
    writing.set_clock(clock.simulated(later, speed=0), "test")

    app = routes()

    assert shows_no_error(app)
    assert "The day has moved on since" in words(app)

    next(button for button in app.button if button.label == "Refresh").click().run()

    again = refreshed(writing.store, made, later, "operator")
    assert shows_no_error(app)
    assert metrics(app)["Cost of the rest of the day"] == format.money(again.money.after, "EUR", 0)
    assert "The day has" not in words(app)


def test_the_second_of_two_people_who_decide_is_told_by_whom_it_was(writing, made):
    app = routes()
    decisions.approve_plan(writing.store, made.plan_id, "the dispatcher", "first", FRIDAY)

    app.text_input(key="decision why").input("second")
    next(button for button in app.button if button.label == "Reject").click().run()

    assert [error.value for error in app.error] == ["This plan was approved by the dispatcher already: first."]


# After the fact


def test_nothing_approved_yet_says_what_will_stand_here(demo_tower):
    app = routes()

    assert "What re-optimizations brought" in words(app)
    assert "None has been approved yet" in words(app)


def test_what_was_approved_stands_with_its_prediction_and_opens_its_stops(writing, made):
    decisions.approve_plan(writing.store, made.plan_id, "operator", "flat tyre", FRIDAY)
    writing.replannings.clear()

    app = routes(replanned=made.plan_id)

    table = frame(app, "Approved re-optimizations")
    assert shows_no_error(app)
    assert table.plan_gain.tolist() == [pytest.approx(made.money.before - made.money.after, abs=0.05)]
    assert table.state.tolist() == ["running"]
    assert table.saving.isna().all()
    assert len(frame(app, "Stops that the re-optimization covered")) == len(made.open_day.problem.stops)
