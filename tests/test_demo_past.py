"""The demo's past: somebody re-optimized now and then, the vans followed, and what came of it is on record.

Two days of history, the Wednesday with a van that breaks down at 12:22; on Thursday at ten the demo begins.
"""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from lastmile import decisions, demo, kpis, queries
from lastmile.demo.deciding import OperationsManager
from lastmile.model import Scope
from lastmile.store import Store
from lastmile.store.tables import IDENTITIES
from lastmile.twin import Operation, history, occasions
from lastmile.twin.scans import visits_of
from lastmile.ui import format
from tests.test_pages import frame, metrics, shows_no_error, visit, words

pytestmark = pytest.mark.xdist_group("demo past")

WEDNESDAY, UNTIL = date(2026, 11, 4), datetime(2026, 11, 5, 9, 0, tzinfo=UTC)
LATER = UNTIL + timedelta(hours=3)
BROKEN = "WHF-07"


def build(path: Path) -> Path:
    store = Store.open(path)
    demo.build(store, seed=7, days=2, until=UNTIL, learned_days=1)
    store.close()
    return path


@pytest.fixture(scope="module")
def past_file(tmp_path_factory):
    return build(tmp_path_factory.mktemp("past") / "past.duckdb")


@pytest.fixture(scope="module")
def store(past_file, tmp_path_factory):
    store = Store.open(shutil.copy(past_file, tmp_path_factory.mktemp("past") / "copy.duckdb"))
    yield store
    store.close()


@pytest.fixture
def tower(stand_on, past_file, tmp_path):
    return stand_on(Path(shutil.copy(past_file, tmp_path / "tower.duckdb")), UNTIL)


@pytest.fixture(scope="module")
def approved(store):
    found = queries.replannings(store, Scope(), UNTIL.date(), day_from=WEDNESDAY, day_to=WEDNESDAY)
    assert len(found) == 1
    return found.iloc[0]


def manager(store: Store) -> OperationsManager:
    return OperationsManager(store, 7, WEDNESDAY)


def test_it_is_decided_in_the_open_by_a_role_with_a_word_of_why(store, approved):
    events = store.ask(
        "select type, actor, source, occurred_at, payload ->> 'why' as why from event "
        "where payload ->> 'plan_id' = $plan_id order by type",
        plan_id=approved.plan_id,
    )
    assert events["type"].tolist() == ["plan_approved", "plan_proposed"]
    assert set(events.actor) == {"operations-manager"}
    assert set(events.source) == {decisions.SOURCE}
    assert events.why[0].startswith(f"{BROKEN} is down: ")
    assert approved.depot_id == "WHF"
    assert approved.plan_gain > 0


def test_stops_of_the_broken_van_are_delivered_by_the_vans_that_got_them(store, approved):
    moved = store.ask(
        """
        select planned_stop.delivery_id, new.vehicle_id as given_to, visit.vehicle_id as brought_by, handed_over
        from planned_stop join route as new using (plan_id, route_id)
        join (select delivery_id, old.vehicle_id as had from planned_stop join route as old using (plan_id, route_id)
              where plan_id = (select parent_plan_id from plan where plan_id = $plan_id)) using (delivery_id)
        left join route_visit as visit on visit.delivery_id = planned_stop.delivery_id and outcome_at > $at
        where plan_id = $plan_id and had = $broken and new.vehicle_id <> had
        """,
        plan_id=approved.plan_id,
        broken=BROKEN,
        at=approved.from_at,
    )
    assert len(moved) >= 5
    assert moved.brought_by.tolist() == moved.given_to.tolist()
    assert moved.handed_over.mean() > 0.8


def test_all_vans_of_the_depot_drive_in_the_order_of_the_approved_plan(store, approved):
    driven = store.ask(
        "select route_id, stop, outcome_at from route_visit join planned_stop using (route_id, delivery_id) "
        "where plan_id = $plan_id and outcome_at > $at",
        plan_id=approved.plan_id,
        at=approved.from_at + timedelta(minutes=15),
    )
    assert len(driven) > 100
    swapped = driven.sort_values("outcome_at").groupby("route_id").stop.apply(lambda stops: (stops.diff() < 0).sum())
    assert swapped.sum() <= len(swapped)  # who is not met is tried again at the end of a route


def test_the_day_is_still_measured_against_the_whole_way_that_was_planned(store):
    asked = {"day_from": WEDNESDAY, "day_to": WEDNESDAY, "by": ("depot",)}
    deviation = kpis.measure(store, ("plan_distance_deviation",), **asked).set_index("depot").value
    assert abs(deviation["WHF"]) < 0.15


def test_the_sums_equal_what_the_ledger_says_by_hand(store, approved):
    """Lateness, and stops not served, straight from the plan's own rows and the drivers' scans; gain from the summary."""
    said = store.ask(
        """
        with plan_said as (from plan where plan_id = $plan_id),
        gain as (select sum((summary ->> 'cost_before')::double - cost) as predicted from plan_said),
        covered as (
            select unnest(from_json(summary -> 'covered', '["JSON"]')) as stop from plan_said
        ),
        brought as (
            select stop, unnest(from_json(stop -> 'deliveries', '["VARCHAR"]')) as delivery_id from covered
        ),
        told as (
            select delivery_id,
                arg_max(coalesce((payload ->> 'service_started_at')::timestamptz, occurred_at), occurred_at) as starts
            from event where occurred_at::date = $day and (is_handover(type) or is_failed_try(type)) group by delivery_id
        ),
        late as (
            select (stop ->> 'late_price')::double as price, max(epoch(starts) - (stop ->> 'until')::double) / 60 as minutes
            from brought left join told using (delivery_id) group by stop having bool_and(starts is not null)
        )
        select (select predicted from gain) as predicted, sum(greatest(0, minutes) * price) as lateness from late
        """,
        plan_id=approved.plan_id,
        day=WEDNESDAY,
    ).iloc[0]
    asked = {"day_from": WEDNESDAY, "day_to": WEDNESDAY}
    found = kpis.measure(store, ("replanning_predicted", "replanning_saving"), **asked).set_index("key").numerator
    driving = store.value(
        "select sum(cost) from replan_route(null, $day::date, $day::date) where plan_id = $plan_id",
        day=WEDNESDAY,
        plan_id=approved.plan_id,
    )
    assert said.predicted == pytest.approx(approved.plan_gain) == pytest.approx(found["replanning_predicted"])
    assert approved.lateness_came_to == pytest.approx(said.lateness, abs=0.01)
    came_to = driving + said.lateness + approved.crew_came_to + approved.not_served_came_to
    assert approved.cost_before - came_to == pytest.approx(found["replanning_saving"], abs=0.01)


def test_two_builds_are_equal_row_for_row(store, tmp_path):
    other = Store.open(build(tmp_path / "other.duckdb"))
    for table in [*IDENTITIES, "route", "planned_stop"]:
        question = f"from {table} order by all"
        pd.testing.assert_frame_equal(store.ask(question), other.ask(question), obj=table)
    other.close()


def test_a_second_build_asks_nobody_again(store):
    before = store.value("select count(*) from plan")
    demo.build(store, seed=7, days=2, until=UNTIL, learned_days=1)
    assert store.value("select count(*) from plan") == before


def test_today_goes_on_from_the_past_as_it_was_driven(store):
    """What the feed tells after the start is what history would have told, the plan of Wednesday followed in both."""
    told = pd.concat(
        [batch["event"] for batch in history(7, days=2, until=LATER, decider=manager(store)) if "event" in batch]
    )
    expected = told[(told.recorded_at > pd.Timestamp(UNTIL)) & (told.type != "position")]
    demo.LiveFeed.of(store, lambda: LATER).step()
    found = store.ask(
        "select event_id::varchar as event_id from event "
        "where recorded_at > $until and recorded_at <= $later and source <> 'tower' and type <> 'position'",
        until=UNTIL,
        later=LATER,
    )
    assert len(expected) > 500
    assert set(found.event_id) == set(expected.event_id)


def test_the_routes_page_shows_what_was_predicted_what_came_true_and_why_it_differs(tower, approved):
    app = visit("routes", replanned=approved.plan_id)
    assert shows_no_error(app)
    shown = metrics(app)
    assert shown["Predicted saving"] == format.money(approved.plan_gain, "EUR", 0)
    assert shown["Came true"] == format.money(approved.saving, "EUR", 0)
    loss = format.money(abs(approved.execution_loss), "EUR", 0)
    assert f"The days cost {loss} {'less' if approved.execution_loss < 0 else 'more'} than predicted" in words(app)
    assert len(frame(app, "Approved re-optimizations")) == 1
    stops = frame(app, "Stops that the re-optimization covered")
    assert len(stops) == approved.stops_covered


@pytest.mark.parametrize("page", ["kpis", "response"])
def test_an_executive_reads_the_sum_in_a_sentence(tower, approved, page):
    told = words(visit(page))
    assert "1 approved re-optimization" in told
    assert format.money(approved.plan_gain, "EUR", 0) in told
    assert (
        f"{format.money(approved.saving, 'EUR', 0)}** ({format.percent(approved.saving / approved.plan_gain, 0)}"
        in told
    )


def test_without_a_decider_nothing_is_re_optimized_and_days_come_whole():
    plain = [batch for batch in history(7, days=2, until=UNTIL) if "event" in batch]
    assert len(plain) == 4  # two days, today and tomorrow
    assert all(set(batch["plan"].made_by) <= {"planner"} for batch in plain)


@pytest.mark.parametrize("seed", [3, 7])
def test_an_occasion_knows_nothing_of_what_comes_after_it(seed):
    operation, found = Operation(seed), 0
    for number in range(8):
        opened = operation.opened(WEDNESDAY + timedelta(days=number))
        occasion = occasions.occasion(opened)
        if occasion is None:
            continue
        found += 1
        at = (occasion.at.timestamp() - opened_at(opened)) / 60
        for run in opened.runs.values():
            run.visits[:] = [visit for visit in run.visits if visit.arrives <= at]
        assert occasions.occasion(opened) == occasion
    assert found


def opened_at(opened) -> float:
    """Epoch seconds of a day's minute 0."""
    return datetime.combine(opened.day, datetime.min.time(), tzinfo=UTC).timestamp() - 3600  # Berlin in winter


def test_a_depot_is_as_far_behind_as_its_vans_are_by_then():
    opened = Operation(7).opened(WEDNESDAY)
    tried_by_noon = visits_of(opened).query("starts <= 720")
    due = opened.deliveries.window_due + opened.deliveries.late_minutes
    late = 0
    for draft in opened.drafts:
        if draft.vehicle.depot_id == "GRB":
            planned = dict(zip(draft.rows, draft.starts[1:-1], strict=True))
            mine = tried_by_noon[tried_by_noon.vehicle == draft.vehicle.number]
            delay = max(0.0, mine.starts.iloc[-1] - planned[mine.row.iloc[-1]]) if len(mine) else 0.0
            late += sum(planned[row] + delay > due[row] for row in planned if row not in set(mine.row))
    assert occasions.expected_late(opened, "GRB", 720.0) == late
