"""Predictions of arrivals: worked by hand, in order along a route, and calibrated on days that were not learned from."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from lastmile.model import stable_id
from lastmile.predictions import (
    by_horizon,
    judged,
    learn,
    predict,
    state,
    stops_by_prediction,
    vehicles_by_prediction,
)
from lastmile.predictions.chances import chance_beyond
from lastmile.predictions.driving import course
from lastmile.predictions.learning import factors
from lastmile.predictions.model import LEVELS, Misses, Model, Paces
from lastmile.predictions.telling import events_of, news
from lastmile.store import Store
from lastmile.twin import Operation, history
from tests import tiny_day

DAY = date(2026, 3, 2)
TEN = datetime(2026, 3, 2, 10, tzinfo=UTC)
NAT = pd.Series([pd.NaT], dtype="datetime64[us, UTC]")[0]


def clock(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(f"2026-03-02T{text}:00+00:00")


def stop(number: int, arrive: str, service: str, depart: str, drive: float, **said: object) -> dict:
    """One open stop of the state at 10:00 of a van that left its last stop at 9:50, 10 minutes behind its plan."""
    row = {
        "instant": TEN, "plan_id": "plan", "day": pd.Timestamp(DAY), "depot_id": "north", "version": 1, "route_id": "route",
        "vehicle_id": "van", "driver_id": "driver", "departs_at": clock("08:00"), "returns_at": clock("14:00"), "stop": number,
        "delivery_id": f"d{number}", "arrive_at": clock(arrive), "service_at": clock(service), "depart_at": clock(depart),
        "gap_minutes": drive, "drive_minutes": drive, "service": "parcels", "area": "centre", "site_id": None,
        "lon": np.nan, "lat": np.nan, "window_semantics": "arrival", "late_minutes": 0.0, "window_from": NAT,
        "promise_until": NAT, "shift_ends_at": clock("18:00"), "break_from": NAT, "break_minutes": np.nan, "visited_at": NAT,
        "visit_inferred": False, "left_depot_at": clock("08:00"), "last_stop": 1, "last_free_at": clock("09:50"),
        "delay_minutes": 10.0, "prior_free_at": clock("09:20"), "serving": False, "utc_offset_minutes": 60, "fix_at": NAT,
        "fix_lon": np.nan, "fix_lat": np.nan, "came_at": NAT, "went_out_at": clock("08:00"), "day_leg_minutes": 0.0,
        "day_leg_planned": 0.0, "day_legs": 0,
    }  # fmt: skip
    return row | said


def frame(*rows: dict) -> pd.DataFrame:
    found = pd.DataFrame(rows)
    times = [
        name
        for name in found
        if name.endswith("_at") or name in ("instant", "promise_until", "window_from", "break_from")
    ]
    return found.assign(**{name: pd.to_datetime(found[name], utc=True).astype("datetime64[us, UTC]") for name in times})


ROUTE = (
    stop(2, "10:00", "10:00", "10:10", 20.0),
    stop(3, "10:30", "10:50", "11:00", 20.0),
    stop(4, "11:30", "11:30", "11:40", 30.0),
)
"""As planned: 20 min drive, 10 min service; 20 min drive, wait 20 min until 10:50, 10 min service; 30 min drive."""


def certain(**paces: object) -> Model:
    """A model that misses by −5 to +5 minutes at every horizon, evenly, and carries every delay on."""
    quantiles = np.interp(LEVELS, [0.01, 0.99], [-4.9, 4.9])
    misses = Misses(np.array([10.0]), np.array([1.0]), quantiles[None, :], np.array([100]))
    return Model(Paces(**paces), {"any": misses}, 1000, 10)


def test_a_delay_is_driven_on_and_taken_up_by_a_wait():
    driven = course(frame(*ROUTE), Paces())

    assert driven.arrives.tolist() == [
        10,
        40,
        90,
    ]  # 10 behind, 10 behind, on time: the wait until 10:50 has taken it up
    assert driven.leaves.tolist() == [20, 60, 100]


def test_learned_paces_lengthen_legs_and_services():
    driven = course(frame(*ROUTE), Paces(leg=1.1, service={"parcels": 1.5}))

    # 9:50 + 22 = 10:12, + 15 = 10:27, + 22 = 10:49, waits to 10:50, + 15 = 11:05, + 33 = 11:38
    assert driven.arrives.tolist() == pytest.approx([12, 49, 98])


def test_a_break_that_is_due_is_taken_once_and_within_a_wait():
    due = [row | {"break_from": clock("10:15"), "break_minutes": 30.0} for row in ROUTE]

    # leaving at 10:20 after 10:15: 30 min break, of which the wait of 10 min from 10:40 to 10:50 is a part
    assert course(frame(*due), Paces()).arrives.tolist() == [10, 60, 100]


def test_a_break_that_was_taken_on_an_earlier_leg_is_not_taken_again():
    taken = [row | {"break_from": clock("09:00"), "break_minutes": 30.0} for row in ROUTE]

    assert course(frame(*taken), Paces()).arrives.tolist() == [10, 40, 90]


def test_a_van_that_was_seen_since_is_expected_from_where_it_was():
    # 0.01 degrees of latitude are 1.112 km; at 3 minutes a km 3.3 minutes from the fix at 9:58
    seen = ROUTE[0] | {"fix_at": clock("09:58"), "fix_lon": 13.4, "fix_lat": 52.51, "lon": 13.4, "lat": 52.52}

    assert course(frame(seen), Paces(minutes_per_km=3.0)).arrives[0] == pytest.approx(-2 + 3 * 1.112, abs=0.01)


def test_a_van_at_a_stop_leaves_it_when_the_service_is_over_and_not_before_now():
    serving = ROUTE[0] | {"serving": True, "visited_at": clock("09:40"), "last_free_at": clock("09:20")}

    # done by 9:50 by the plan; still there at 10:00, and 20 min from the next
    assert course(frame(serving, ROUTE[1]), Paces()).arrives.tolist() == [-20, 20]


def test_the_interval_holds_what_lies_between_the_tenth_and_the_ninetieth_of_past_misses():
    found = predict(certain(), frame(*ROUTE)).iloc[1]

    assert found.eta_at == clock("10:40")
    assert (found.eta_from, found.eta_until) == (clock("10:36"), clock("10:44"))
    assert found.plan_at == clock("10:30")
    assert found.shifted_at == clock("10:40")


@pytest.mark.parametrize(
    ("until", "chance"), [("10:40", 0.5), ("10:44", 0.1), ("10:30", 1.0), ("11:30", 0.0), (None, None)]
)
def test_the_chance_of_a_broken_promise_is_the_share_of_arrivals_beyond_it(until, chance):
    row = ROUTE[1] | {"promise_until": NAT if until is None else clock(until)}
    found = predict(certain(), frame(ROUTE[0], row)).chance_late.iloc[1]

    assert found == pytest.approx(chance) if chance is not None else np.isnan(found)


def test_what_would_be_reached_after_the_shift_is_not_served_and_its_promise_broken():
    row = [one | {"shift_ends_at": clock("10:20"), "promise_until": clock("13:00")} for one in ROUTE]
    found = predict(certain(over_shift=15.0), frame(*row))

    assert found.beyond_shift.tolist() == [False, True, True]
    assert found.chance_late.tolist() == [0.0, 1.0, 1.0]


def test_with_too_little_on_record_nothing_is_predicted_and_the_model_says_so():
    model = learn(pd.DataFrame(), pd.DataFrame())
    found = predict(model, frame(*ROUTE))

    assert model.words == (
        "No arrivals are predicted: 0 past days with a plan and arrivals are on record, fewer than 3. "
        "The plan is shown, moved by the present delay."
    )
    assert found.eta_at.isna().all() and found.chance_late.isna().all()
    assert found.plan_at.tolist() == [clock("10:00"), clock("10:30"), clock("11:30")]


def test_a_factor_is_drawn_to_one_by_so_many_average_ones():
    # 50 that took 15 min instead of 10, and 50 average ones of the prior: 1.25
    found = factors(pd.Series([15.0] * 50), pd.Series([10.0] * 50), pd.Series(["a"] * 50))

    assert found == {"a": pytest.approx(1.25)}


def test_a_chance_is_read_between_the_levels():
    quantiles = np.interp(LEVELS, [0.01, 0.99], [0.0, 98.0])[None, :].repeat(3, axis=0)

    assert chance_beyond(quantiles, np.array([49.0, -1.0, np.nan])) == pytest.approx([0.5, 1.0, np.nan], nan_ok=True)


# Positions


@pytest.fixture
def tiny(tiny_database):
    store = Store.open(tiny_database)
    yield store
    store.close()


def fixes(*told: tuple) -> pd.DataFrame:
    """Positions of van-2 on the tiny day: time, steps north of the depot, and what is special."""
    rows = []
    for nth, (text, step, *special) in enumerate(told):
        said = special[0] if special else {}
        at = tiny_day.local(text)
        rows.append(
            {
                "event_id": stable_id("fix", nth), "type": "position", "classifier": "ACT", "occurred_at": at,
                "recorded_at": said.get("recorded_at", at + timedelta(seconds=20)), "vehicle_id": "van-2", "source": "box",
                "status_source": "api", "lon": tiny_day.LON, "lat": tiny_day.DEPOT_LAT + step * tiny_day.STEP,
                "accuracy_m": said.get("accuracy_m", 8.0), "payload": {"speed_kmh": said.get("speed_kmh", 30.0)},
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def verdicts(store: Store) -> list[str]:
    return store.ask(
        "select verdict from position_state('infinity'::timestamptz, $day::date, $day::date) where vehicle_id = 'van-2' order by recorded_at, verdict",
        day=tiny_day.DAY,
    ).verdict.tolist()


def test_late_and_out_of_order_positions_are_kept_by_the_time_of_the_fix(tiny):
    tiny.append(
        {"event": fixes(("13:20", 4.2), ("13:30", 4.6), ("13:25", 4.4, {"recorded_at": tiny_day.local("14:10")}))}
    )
    found = tiny.ask(
        "select lat, out_of_order, verdict from position_state('infinity'::timestamptz, $day::date, $day::date) where vehicle_id = 'van-2' order by occurred_at",
        day=tiny_day.DAY,
    )

    assert found.verdict.tolist() == ["kept"] * 3
    assert found.out_of_order.fillna(False).tolist() == [False, True, False]
    assert found.lat.is_monotonic_increasing


def test_positions_of_the_future_twice_told_vague_and_jumping_are_on_record_and_not_used(tiny):
    tiny.append(
        {
            "event": fixes(
                ("13:20", 4.2),
                ("13:21", 4.3),
                ("13:21", 4.3, {"recorded_at": tiny_day.local("13:23")}),
                ("13:24", 4.4, {"accuracy_m": 900.0}),
                ("13:25", 34.0),
                ("13:26", 4.5),
                ("13:27", 4.52),
                ("13:40", 4.6, {"recorded_at": tiny_day.local("13:29")}),
            )
        }
    )

    assert verdicts(tiny) == ["kept", "kept", "duplicate", "inaccurate", "jump", "kept", "kept", "future"]


def visits(store: Store) -> pd.DataFrame:
    return store.ask(
        "from inferred_visit_state('infinity'::timestamptz, $day::date, $day::date) where vehicle_id = 'van-2' order by entered_at",
        day=tiny_day.DAY,
    )


def test_a_stop_is_entered_within_120_m_and_left_beyond_200_m(tiny):
    # `retried` lies at step 5; a step is 1,112 m: 4.95 is 56 m away, 5.15 is 167 m, 5.2 is 222 m
    tiny.append(
        {
            "event": fixes(
                ("13:30", 4.5), ("13:35", 4.95, {"speed_kmh": 0.0}), ("13:38", 5.15), ("13:41", 5.05), ("13:44", 5.2)
            )
        }
    )
    found = visits(tiny)

    assert found.delivery_id.tolist() == ["retried"]
    assert found.entered_at.tolist() == [tiny_day.local("13:35")]
    assert found.left_at.tolist() == [
        tiny_day.local("13:44")
    ]  # 167 m away did not end it, and coming back is no second visit
    assert found.status_source.tolist() == ["inferred"]


def test_driving_by_a_stop_is_no_visit(tiny):
    tiny.append({"event": fixes(("13:30", 4.5), ("13:31", 4.95), ("13:32", 5.6))})

    assert visits(tiny).empty


# What is shown


def shown(**said: object) -> pd.DataFrame:
    row = {
        "delivery_id": "d3", "done": False, "passed": False, "plan_id": "plan", "route_id": "route", "stop": 3, "status": "on time", "broke_down_at": NAT,
        "eta_at": clock("10:30"), "window_from": clock("10:00"), "minutes_over": -15.0,
    }  # fmt: skip
    return frame(row | said)


@pytest.mark.parametrize(
    ("chance", "kind", "age", "status"),
    [
        (0.1, "out", 1.0, "on time"),
        (0.4, "out", 1.0, "at risk"),
        (0.99, "out", 1.0, "late"),
        (0.1, "silent", 45.0, "unknown"),
        (0.99, "silent", 45.0, "late"),
        (np.nan, "out", 1.0, "unknown"),
    ],
)
def test_a_stop_stands_by_its_chance_and_a_silent_van_is_unknown_not_on_time(chance, kind, age, status):
    predicted = predict(certain(), frame(*ROUTE)).assign(chance_late=chance, kind=kind, signal_minutes=age)
    found = stops_by_prediction(shown(), predicted).iloc[0]

    assert found.status == status
    assert found.eta_at == clock("10:40")
    assert found.minutes_over == -5.0  # ten minutes later than by the plan


def test_what_is_done_or_has_no_prediction_stays_as_it_is():
    predicted = predict(certain(), frame(*ROUTE))

    assert stops_by_prediction(shown(done=True, status="late"), predicted).status.tolist() == ["late"]
    assert stops_by_prediction(shown(delivery_id="other"), predicted).eta_at.tolist() == [clock("10:30")]
    assert stops_by_prediction(shown(), None).status.tolist() == ["on time"]


def test_a_vehicle_is_at_risk_where_one_of_its_open_stops_is():
    stops = stops_by_prediction(shown(), predict(certain(), frame(*ROUTE)).assign(chance_late=0.5))
    van = pd.DataFrame(
        {
            "route_id": ["route"],
            "status": ["on time"],
            "broke_down_at": [NAT],
            "open_late": [0],
            "open_at_risk": [0],
            "next_eta_at": [NAT],
        }
    )
    found = vehicles_by_prediction(van, stops).iloc[0]

    assert (found.status, found.open_at_risk, found.next_eta_at) == ("at risk", 1, clock("10:40"))


# What is told


def test_only_what_moved_by_five_minutes_or_turned_in_risk_is_put_on_record():
    predicted = predict(certain(), frame(*ROUTE))
    last = predicted[["delivery_id", "eta_at", "chance_late"]].assign(chance_late=0.1)
    again = predicted.assign(chance_late=[0.1, 0.3, 0.1])  # d3 has come to be at risk
    again["eta_at"] += pd.to_timedelta([4, 0, 5], unit="min")  # d2 moved too little to tell

    assert news(again, last).delivery_id.tolist() == ["d3", "d4"]
    assert news(again, last.head(0)).delivery_id.tolist() == ["d2", "d3", "d4"]


def test_a_prediction_on_record_is_an_estimate_with_its_interval_and_chance(tiny):
    events = events_of(predict(certain(), frame(*ROUTE)).head(1))

    assert tiny.append({"event": events}) == {"event": 1}
    assert tiny.append({"event": events}) == {"event": 0}
    found = tiny.ask("select * from event where type = 'eta_updated' and delivery_id = 'd2'").iloc[0]
    assert (found.classifier, found.delivery_id, found.recorded_at) == ("EST", "d2", TEN)
    assert json.loads(found.payload) == {
        "eta_at": "2026-03-02T10:10:00+00:00",
        "eta_from": "2026-03-02T10:06:00+00:00",
        "eta_until": "2026-03-02T10:14:00+00:00",
        "chance_late": None,
    }


# On simulated days


@pytest.fixture(scope="module")
def operation(tmp_path_factory):
    """Six simulated days of a seed, on record."""
    store = Store.open(tmp_path_factory.mktemp("eta") / "operation.duckdb")
    store.append(Operation(7).master())
    for batch in history(7, days=5, until=datetime(2026, 11, 19, 22, tzinfo=UTC)):
        store.append(batch)
    yield store
    store.close()


@pytest.fixture(scope="module")
def held_out(operation):
    return judged(operation, date(2026, 11, 18), date(2026, 11, 19))


def test_predictions_beat_the_plan_and_the_moved_plan_at_every_horizon_on_days_not_learned_from(held_out):
    model, rows = held_out
    mae = by_horizon(rows).pivot(index="horizon", columns="method", values="mae")

    assert not model.is_thin
    assert len(mae) == 6
    assert (mae.eta < mae.shifted).all(), mae
    assert (mae.eta < mae.plan).all(), mae


def test_the_intervals_hold_about_80_percent(held_out):
    _, rows = held_out

    assert 0.72 < rows.covered.mean() < 0.88  # two days hold a day's luck, and four teach little


def test_along_every_route_no_arrival_nor_its_interval_goes_back(operation, held_out):
    at = datetime(2026, 11, 19, 10, tzinfo=UTC)
    model, _ = held_out
    found = predict(model, state(operation, at, date(2026, 11, 19)))
    told = found[found.eta_at.notna()]

    assert len(told) > 300
    for column in ("eta_at", "eta_from", "eta_until"):
        assert told.groupby("route_id")[column].is_monotonic_increasing.all()
    assert (told.eta_from <= told.eta_at).all() and (told.eta_at <= told.eta_until).all()
    assert (told.eta_from >= at).all()
    assert told.chance_late.dropna().between(0, 1).all()


def test_a_state_holds_nothing_that_was_recorded_after_its_instant(operation):
    at, day = datetime(2026, 11, 18, 10, tzinfo=UTC), date(2026, 11, 18)
    alone = state(operation, at, day)
    columns = ["delivery_id", "last_free_at", "visited_at", "fix_at", "delay_minutes", "promise_until"]

    for column in ("last_free_at", "visited_at", "fix_at", "left_depot_at"):
        assert (alone[column].dropna() <= at).all()
    among = operation.ask(
        "from open_stops_at([$at, $later]::timestamptz[], $day::date, $day::date) where instant = $at",
        at=at,
        later=at + timedelta(hours=6),
        day=day,
    )
    same = alone[columns].sort_values("delivery_id").reset_index(drop=True)
    pd.testing.assert_frame_equal(same, among[columns].sort_values("delivery_id").reset_index(drop=True))
