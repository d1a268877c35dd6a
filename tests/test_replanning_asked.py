"""What is asked of a re-optimization, and how it shapes the problem of the demo's Friday morning."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd
import pytest

from lastmile import queries
from lastmile.errors import NotPossible
from lastmile.model import Criticality, Scope
from lastmile.replanning import Act, Asked, ByHand, asked_of, open_day
from lastmile.replanning.experience import Experience, driver_pace
from lastmile.replanning.stops import by_stop, late_price, price_of_failing
from lastmile.routing import ChangeBudget, Freedom, Pin, Policy
from lastmile.store import Store
from tests.conftest import FRIDAY

DAY, DEPOT = FRIDAY.date(), "WHF"
FREELY = ChangeBudget()


@pytest.fixture(scope="module")
def store(demo_to_read):
    store = Store.open(demo_to_read)
    yield store
    store.close()


@pytest.fixture(scope="module")
def plain(store):
    return open_day(store, DEPOT, DAY, FRIDAY)


def opened(store: Store, plain, *by_hand: ByHand, **asked: object):
    return open_day(store, DEPOT, DAY, FRIDAY, Asked(by_hand=by_hand, **asked), plain.experience)


def later_stop(start, vehicle_id: str | None = None) -> pd.Series:
    """A delivery on a van on the road that it is not driving to."""
    rows = start.stops[start.stops.stop.notna() & start.stops.departed_at.notna()].sort_values(["vehicle_id", "stop"])
    mine = rows[rows.vehicle_id == (vehicle_id or rows.vehicle_id.iloc[0])]
    return mine.iloc[-1]


def shift(start, vehicle_id: str):
    return start.problem.vehicles[start.problem.vehicle_index[vehicle_id]]


def stop_with(start, delivery_id: str):
    return start.problem.stops[start.problem.stop_index[start.stop_of_delivery[delivery_id]]]


def test_what_was_asked_is_kept_whole_and_told_in_words():
    asked = Asked(
        freedom=Freedom.SEQUENCE,
        freeze_minutes=30,
        budget=ChangeBudget(moved=5, promises_broken=1, goods_moved=0),
        policy=Policy.SERVE_ALL,
        even_hours=True,
        by_hand=(
            ByHand(Act.VEHICLE_OUT, "WHF-12", by="operator", why="flat tyre"),
            ByHand(Act.NOT_TODAY, None, "d1", "Clinic"),
        ),
        seconds=3,
    )
    assert asked_of(asked.record()) == asked
    assert asked.words == (
        "Free: times and order",
        "Next 30 min stay",
        "At most 5 stops change vehicle",
        "At most 1 kept promise is broken",
        "Serve all, show what it breaks",
        "Hours spread evenly",
        "WHF-12 drives no more (flat tyre)",
        "Clinic is not served today",
    )
    assert Asked().words == ("Free: everything",)


def test_freedom_policy_and_budget_go_into_the_problem_as_they_were_asked(store, plain):
    start = opened(store, plain, freedom=Freedom.TIMES, policy=Policy.SERVE_ALL, budget=ChangeBudget(3, 2, 1))
    assert (start.problem.freedom, start.problem.policy) == (Freedom.TIMES, Policy.SERVE_ALL)
    assert start.problem.budget == ChangeBudget(3, 2, 1)
    assert start.problem.fair_share is None
    assert opened(store, plain, even_hours=True).problem.fair_share.hours > 3


def test_what_is_reached_within_the_freeze_time_stays_first_in_its_order(store, plain):
    start = opened(store, plain, freeze_minutes=30)
    until = pd.Timestamp(FRIDAY) + timedelta(minutes=30)
    for van in start.problem.vehicles:
        mine = start.stops[start.stops.vehicle_id == van.vehicle_id].sort_values("stop").drop_duplicates("stop_id")
        soon = mine[(mine.eta_at <= until).cummin()].stop_id.tolist()
        first = mine.stop_id.tolist()[:1] if van.in_use else []
        assert list(van.committed_stop_ids) == (soon if soon[:1] == first or not first else first + soon)
    assert sum(len(v.committed_stop_ids) for v in start.problem.vehicles) > len(plain.problem.committed_to)


def test_a_stop_that_goes_first_comes_right_after_the_one_being_driven_to(store, plain):
    row = later_stop(plain)
    start = opened(store, plain, ByHand(Act.GOES_FIRST, None, row.delivery_id), freeze_minutes=30)
    assert shift(start, row.vehicle_id).committed_stop_ids[1] == row.stop_id
    assert shift(plain, row.vehicle_id).committed_stop_ids[:1] == shift(start, row.vehicle_id).committed_stop_ids[:1]


def test_a_stop_can_go_first_on_another_van_only_where_its_goods_can(store, plain):
    row = later_stop(plain)
    other = next(v.vehicle_id for v in plain.problem.vehicles if v.in_use and v.vehicle_id != row.vehicle_id)
    wish = ByHand(Act.GOES_FIRST, other, row.delivery_id, "Clinic")
    with pytest.raises(NotPossible, match=f"Clinic can't go on {other}: its goods are on {row.vehicle_id}"):
        opened(store, plain, wish)
    start = opened(store, plain, wish, budget=FREELY)
    assert start.problem.committed_to[row.stop_id] == other


def test_a_stop_put_on_another_van_may_be_served_by_that_one_alone(store, plain):
    row = later_stop(plain)
    other = next(v.vehicle_id for v in plain.problem.vehicles if v.in_use and v.vehicle_id != row.vehicle_id)
    wish = ByHand(Act.ON_VEHICLE, other, row.delivery_id, "Clinic")
    assert stop_with(opened(store, plain, wish, budget=FREELY), row.delivery_id).allowed_vehicles == {other}
    with pytest.raises(NotPossible, match="while stops must keep their vehicles"):
        opened(store, plain, wish, budget=FREELY, freedom=Freedom.SEQUENCE)
    with pytest.raises(NotPossible, match="it does not drive for this depot now"):
        opened(store, plain, ByHand(Act.ON_VEHICLE, "GRB-01", row.delivery_id, "Clinic"), budget=FREELY)


@pytest.mark.parametrize(
    ("act", "pin"), [(Act.KEEP_VEHICLE, Pin.VEHICLE), (Act.KEEP_ORDER, Pin.ORDER), (Act.KEEP_BOTH, Pin.BOTH)]
)
def test_a_stop_is_pinned_as_somebody_wants_it(store, plain, act, pin):
    row = later_stop(plain)
    start = opened(store, plain, ByHand(act, None, row.delivery_id))
    assert stop_with(start, row.delivery_id).pin == pin
    assert {stop.pin for stop in plain.problem.stops} == {Pin.NONE}


def test_a_stop_taken_out_of_today_is_in_no_problem_and_told(store, plain):
    row = later_stop(plain)
    start = opened(store, plain, ByHand(Act.NOT_TODAY, None, row.delivery_id, "Clinic", why="closed"))
    assert row.delivery_id not in start.stop_of_delivery
    assert start.left_out.delivery_id.tolist() == [row.delivery_id]
    assert len(start.stops) == len(plain.stops) - 1


def test_a_vehicle_without_a_shift_is_put_in_half_an_hour_from_now(store, plain):
    known = queries.depot_vehicles(store, DEPOT, DAY)
    idle = known.vehicle_id[~known.on_shift]
    assert len(idle)
    start = opened(store, plain, ByHand(Act.VEHICLE_IN, idle.iloc[0]))
    van = shift(start, idle.iloc[0])
    assert van.ready_at == FRIDAY.timestamp() + 1800
    assert van.shift_end >= max(row.returns_at for row in start.fleet.itertuples()).timestamp() - 1
    assert idle.iloc[0] not in plain.problem.vehicle_index


def test_a_vehicle_of_another_depot_is_refused_in_words(store, plain):
    with pytest.raises(NotPossible, match="This depot has no vehicle GRB-01 today"):
        opened(store, plain, ByHand(Act.VEHICLE_OUT, "GRB-01"))


def test_vans_may_come_back_for_goods_only_where_that_was_asked(store, plain):
    assert {van.max_reloads for van in plain.problem.vehicles} == {0}
    start = opened(store, plain, reloads=True)
    assert all(van.max_reloads == van.in_use for van in start.problem.vehicles)


def test_crews_wait_only_for_what_was_promised_before_their_need_by(store, plain):
    waiting = plain.stops.dropna(subset=["need_by"])
    assert len(waiting)
    assert (waiting.window_due <= waiting.need_by).all()
    for row in waiting.itertuples():
        milestone = store.ask(
            "select need_by, crew_size * crew_rate / 60 as price from milestone join milestone_delivery using (milestone_id) "
            "where delivery_id = $id",
            id=row.delivery_id,
        ).iloc[0]
        stop = stop_with(plain, row.delivery_id)
        assert stop.need_by <= milestone.need_by.timestamp()
        assert stop.crew_price_per_minute >= milestone.price - 1e-9


def test_a_route_on_the_road_has_filled_up_its_minimum_by_what_it_cost(plain):
    for row in plain.fleet[plain.fleet.departed_at.notna() & (plain.fleet.minimum_per_route > 0)].itertuples():
        if row.vehicle_id in plain.problem.vehicle_index:
            van = shift(plain, row.vehicle_id)
            hours = (FRIDAY - row.departed_at).total_seconds() / 3600
            assert van.worked_seconds == pytest.approx(hours * 3600)
            assert 0 <= van.rates.minimum < row.minimum_per_route
    standby = next(van for van in plain.problem.vehicles if not van.in_use)
    assert (standby.worked_seconds, standby.driven_km) == (0, 0)


def member(**more: object):
    row = {
        "delivery_id": "d", "service": "parcels", "criticality": "routine", "penalty": 6.0, "crew_per_minute": None,
        "need_by": pd.NaT, "promised_until": pd.Timestamp("2026-03-02 10:00", tz="UTC"), "stop_id": "s",
    } | more  # fmt: skip
    return by_stop(pd.DataFrame([row]))["s"]


def test_what_failing_a_stop_costs_by_hand():
    learned = Experience(another_try={"parcels": 8.0})
    ends = pd.Timestamp("2026-03-02 12:00", tz="UTC").timestamp()
    # a minute late: 0.50 and 6 ÷ 30; two hours at 0.50, another try, the penalty once
    assert late_price(member()) == pytest.approx(0.7)
    assert price_of_failing(member(), learned, ends) == pytest.approx(8 + 6 + 120 * 0.5)
    # a crew of 3 a minute: its minutes beyond the promise count as routine, and half a day of it is lost
    crew = member(criticality=str(Criticality.MILESTONE), crew_per_minute=3.0)
    assert late_price(crew) == pytest.approx(0.7)
    assert price_of_failing(crew, learned, ends) == pytest.approx(8 + 6 + 3 * 240 + 120 * 0.5)
    assert late_price(member(criticality=str(Criticality.MILESTONE))) == pytest.approx(4.2)


def test_every_stop_is_worth_a_whole_day_of_a_vehicle_and_what_failing_it_costs(plain):
    for stop in plain.problem.stops:
        assert stop.price_of_not_serving == pytest.approx(
            plain.problem.dearest_day + plain.price_of_failing[stop.stop_id]
        )


def test_goods_on_their_way_through_the_warehouse_hold_their_van_back(store, plain):
    row = later_stop(plain)
    assert stop_with(plain, row.delivery_id).released_at is None


def test_the_pace_of_a_driver_is_drawn_to_that_of_all_where_little_is_known(empty_database):
    store = Store.open(empty_database)
    rows, events = [], []
    for number in range(30):
        name = f"d{number}"
        start = pd.Timestamp("2026-03-02 08:00", tz="UTC") + timedelta(minutes=10 * number)
        rows.append(
            {"booking_id": pd.util.hash_pandas_object(pd.Series([name])).map(lambda h: f"{int(h):032x}").iloc[0],
             "recorded_at": start, "delivery_id": name, "kind": "delivery", "source": "test", "criticality": "routine",
             "service": "parcels", "day": start.date(), "zone": "UTC", "early_minutes": 0.0, "late_minutes": 0.0,
             "service_minutes": 4.0}
        )  # fmt: skip
        for type, minutes in (("arrived", 0), ("delivered", 6), ("departed_stop", 6)):
            events.append(
                {"event_id": f"{number:030x}{minutes:01x}{len(type) % 16:01x}", "type": type, "classifier": "ACT",
                 "occurred_at": start + timedelta(minutes=minutes), "recorded_at": start, "delivery_id": name,
                 "source": "test", "status_source": "driver", "actor": "slow" if number else "once"}
            )  # fmt: skip
    store.append({"booking": pd.DataFrame(rows), "event": pd.DataFrame(events)})
    pace = driver_pace(store, (start + timedelta(days=1)).date(), {"parcels": 1.0})
    # 6 minutes instead of 4, 29 and 1 times, drawn to the usual by 30 stops of 4 minutes
    assert pace == pytest.approx({"slow": (29 * 6 + 30 * 4) / (29 * 4 + 30 * 4), "once": (6 + 30 * 4) / (4 + 30 * 4)})
    store.close()


def test_what_is_open_in_the_problem_is_what_is_open_on_the_page(store, plain):
    stops = queries.stops(store, FRIDAY, DAY, Scope(depots=(DEPOT,)))
    assert set(plain.stops.delivery_id) == set(stops.delivery_id[~stops.done & ~stops.passed])
