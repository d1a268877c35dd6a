"""Each rule of the exception catalogue on a state worked by hand: what makes it fire, and what is nearly it and does not."""

from __future__ import annotations

import pandas as pd
import pytest

from lastmile.exceptions import CATALOGUE, SETTINGS, Settings, Situation
from lastmile.exceptions.actions import ACTIONS
from lastmile.exceptions.following import find_all
from lastmile.exceptions.rule import FOUND, Severity
from lastmile.exceptions.rules.road import km_off
from lastmile.exceptions.situation import empty
from tests.exception_states import NOON, a_delivery, a_situation, a_van, clock

FIVE = [a_delivery(delivery_id=f"d{number}", released_at=None, staged_at=None, loaded_at=None, departed_at=None, departed_known_at=None,
                   instant="07:20") for number in range(5)]  # fmt: skip
MILESTONE = {"milestone_id": "m1", "name": "Crew", "project": "Site", "need_by": "13:15", "crew_size": 4.0, "crew_rate": 50.0,
             "currency": "EUR", "delivery_id": "d1"}  # fmt: skip
SOURCE = {"instant": NOON, "source": "telematics", "heard_at": "11:20", "usual_minutes": 5.0, "vehicles_out": 3}
SITE = {"site_id": "s1", "handovers": 2, "off_m": 900.0, "address_failures": 0}
THREE = [a_delivery(delivery_id=f"d{number}", chance_late=0.3, shifted_at="12:50") for number in range(3)]
UNPROVEN = [a_delivery(delivery_id=f"d{number}", done=True, handed_over_at="11:40", handed_over_known_at=f"11:4{number}",
                       proof_missing=True) for number in range(3)]  # fmt: skip
NOTICE = {"delivery_id": "d1", "failed_at": "11:40", "told": "delay_expected"}
GONE = {"released_at": None, "staged_at": None, "loaded_at": None}
REGULATED = {"criticality": "regulated"}

# rule → a state in which it holds, and states beside it in which it does not
FIRES = {
    "is_late": a_situation(a_delivery(promise_until="11:50")),
    "will_be_late": a_situation(a_delivery(chance_late=0.5)),
    "in_jeopardy": a_situation(a_delivery(chance_late=0.15)),
    "unplanned": a_situation(a_delivery(unplanned=True, route_id=None, vehicle_id=None, chance_late=None)),
    "early": a_situation(a_delivery(window_from="13:00", promise_until="15:00", eta_at="12:30")),
    "failed_attempt": a_situation(a_delivery(done=True, failed_at="11:30", failed_known_at="11:31", failed_reason="site_closed")),
    "vehicle_broke_down": a_situation(vans=(a_van(broke_at="11:40", broke_known_at="11:42"),)),
    "vehicle_silent": a_situation(vans=(a_van(signal_at="11:39"),)),
    "late_departure": a_situation(vans=(a_van(departed_at=None, departed_known_at=None, worked_at=None, departs_at="11:44"),)),
    "off_route": a_situation(vans=(a_van(lon=13.50),)),
    "idle": a_situation(vans=(a_van(lat=52.51, still_since="11:28", break_from="15:00"),)),
    "out_of_hours": a_situation(vans=(a_van(last_eta_at="16:31"),)),
    "vehicle_behind": a_situation(*THREE),
    "proofs_failing": a_situation(*UNPROVEN),
    "not_released": a_situation(FIVE[0]),
    "release_behind": a_situation(*FIVE),
    "short": a_situation(a_delivery(**GONE), a_delivery(delivery_id="d2"), a_delivery(delivery_id="d3")),
    "temperature": a_situation(a_delivery(**REGULATED), vans=(a_van(celsius=8.1, celsius_at="11:45", celsius_known_at="11:46"),)),
    "custody_gap": a_situation(a_delivery(**REGULATED, loaded_route_id="r2")),
    "proof_incomplete": a_situation(a_delivery(done=True, handed_over_at="11:45", handed_over_known_at="11:46", proof_missing=True)),
    "false_attempt": a_situation(a_delivery(done=True, failed_at="11:30", failed_known_at="11:31", unproven_at="11:30", unproven_known_at="11:31")),
    "address_unresolvable": a_situation(sites=(SITE,)),
    "milestone_at_risk": a_situation(a_delivery(eta_from="12:50", eta_at="13:10", eta_until="13:30"), milestones=(MILESTONE,)),
    "notification_failed": a_situation(notices=(NOTICE,)),
    "source_silent": a_situation(sources=(SOURCE,)),
}  # fmt: skip

SPARES = {
    "is_late": [
        a_situation(a_delivery(promise_until="11:56")),  # scans take a little
        a_situation(a_delivery(promise_until="11:50", seen_at="11:45")),  # its van came in time; only the scan is missing
        a_situation(a_delivery(promise_until="11:50", done=True, handed_over_at="11:45")),
        a_situation(a_delivery(promise_until="11:50", done=True, cancelled_at="10:00")),
    ],
    "will_be_late": [
        a_situation(a_delivery(chance_late=0.49)),
        a_situation(a_delivery(chance_late=0.9, done=True, cancelled_at="10:00")),
        a_situation(a_delivery(chance_late=0.9, passed=True)),  # the van has been there: a scan is missing, no arrival
    ],
    "in_jeopardy": [a_situation(a_delivery(chance_late=0.14)), a_situation(a_delivery(chance_late=None))],
    "unplanned": [a_situation(a_delivery(route_id=None, vehicle_id=None, chance_late=None))],  # no plan is made yet
    "early": [
        a_situation(a_delivery(window_from="12:59", eta_at="12:30")),
        a_situation(a_delivery(window_from="13:30", eta_at="12:30", departed_at=None)),
        a_situation(a_delivery(window_from="16:00", promise_until="17:00", eta_at="13:31")),  # told 90 minutes ahead, no more
    ],
    "failed_attempt": [
        a_situation(a_delivery(done=True, failed_at="11:30", failed_known_at="11:31", returned_at="11:50")),
        a_situation(a_delivery(failed_at="11:30", failed_known_at="11:31", booked_at="11:40")),  # promised anew since
        a_situation(a_delivery(done=True, failed_at="10:30", failed_known_at="10:31", handed_over_at="11:30")),
    ],
    "vehicle_broke_down": [a_situation(vans=(a_van(broke_at="11:40", broke_known_at="11:42", open_deliveries=0),))],
    "vehicle_silent": [
        a_situation(vans=(a_van(signal_at="11:40"),)),
        a_situation(vans=(a_van(signal_at="11:00", back_at="11:01"),)),
        a_situation(vans=(a_van(signal_at="11:00", open_deliveries=0),)),
    ],
    "late_departure": [
        a_situation(vans=(a_van(departed_at=None, departed_known_at=None, worked_at=None, departs_at="11:45"),)),
        a_situation(vans=(a_van(departed_at=None, departed_known_at=None, departs_at="11:30"),)),  # it works: a scan is missing
        a_situation(vans=(a_van(departed_at="08:15"),)),
    ],
    "off_route": [
        a_situation(vans=(a_van(lon=13.44),)),  # 2.7 km
        a_situation(vans=(a_van(lon=13.50, signal_at="11:30"),)),  # where it is now, nobody knows
        a_situation(a_delivery(lon=13.50, lat=52.51), vans=(a_van(lon=13.50),)),  # on the way to another of its stops
    ],
    "idle": [
        a_situation(vans=(a_van(still_since="11:30", break_from="15:00"),)),
        a_situation(vans=(a_van(still_since="11:20"),)),  # its break of 30 minutes may be taken now
        a_situation(vans=(a_van(lat=52.52, still_since="11:00", break_from="15:00"),)),  # at its next stop
    ],
    "out_of_hours": [a_situation(vans=(a_van(last_eta_at="16:30"),)), a_situation(vans=(a_van(last_eta_at=None),))],
    "proofs_failing": [
        a_situation(*UNPROVEN[:2]),
        a_situation(*UNPROVEN[:2], UNPROVEN[2] | {"proof_missing": False}),
    ],
    "vehicle_behind": [
        a_situation(*THREE[:2]),
        a_situation(*THREE, vans=(a_van(back_at="11:50"),)),
        a_situation(*THREE, vans=(a_van(broke_at="11:40", broke_known_at="11:42"),)),  # that says more
        a_situation(*THREE[:2], THREE[2] | {"done": True, "handed_over_at": clock("11:50")}),
    ],
    "not_released": [
        a_situation(FIVE[0] | {"instant": clock("07:10")}),
        a_situation(FIVE[0] | {"staged_at": clock("07:05")}),  # its release was never scanned, but it is at the dock
        a_situation(FIVE[0] | {"done": True, "cancelled_at": clock("06:50")}),
    ],
    "release_behind": [a_situation(*FIVE[:4])],
    "short": [
        a_situation(a_delivery(**GONE)),  # nothing of this depot has stages: their lack says nothing
        a_situation(a_delivery(**GONE | {"staged_at": "07:10"}), a_delivery(delivery_id="d2"), a_delivery(delivery_id="d3")),
        a_situation(a_delivery(**GONE, arrived_at="11:55"), a_delivery(delivery_id="d2"), a_delivery(delivery_id="d3")),
    ],
    "temperature": [
        a_situation(a_delivery(**REGULATED), vans=(a_van(celsius=8.0, celsius_at="11:45", celsius_known_at="11:46"),)),
        a_situation(vans=(a_van(celsius=9.0, celsius_at="11:45", celsius_known_at="11:46"),)),  # nothing regulated on board
    ],
    "custody_gap": [
        a_situation(a_delivery(**REGULATED)),
        a_situation(a_delivery(loaded_route_id="r2")),
        a_situation(a_delivery(**REGULATED, loaded_at=None, loaded_route_id=None, departed_known_at="11:01")),  # the scan may be slow
    ],
    "proof_incomplete": [a_situation(a_delivery(done=True, handed_over_at="11:45", handed_over_known_at="11:46"))],
    "false_attempt": [a_situation(a_delivery(done=True, failed_at="11:30", failed_known_at="11:31"))],
    "address_unresolvable": [
        a_situation(sites=(SITE | {"off_m": 400.0},)),
        a_situation(a_delivery(arrived_at="11:55"), sites=(SITE,)),
    ],
    "milestone_at_risk": [
        a_situation(milestones=(MILESTONE,)),
        a_situation(a_delivery(eta_from="12:50", eta_at="13:10", eta_until="13:30")),
        a_situation(a_delivery(done=True, handed_over_at="11:00"), milestones=(MILESTONE,)),
        a_situation(a_delivery(arrived_at="13:10", instant="13:20", eta_at=None), milestones=(MILESTONE,)),  # it is there
    ],
    "notification_failed": [a_situation(), a_situation(a_delivery(done=True, handed_over_at="11:50"), notices=(NOTICE,))],
    "source_silent": [
        a_situation(sources=(SOURCE | {"heard_at": "11:30"},)),
        a_situation(sources=(SOURCE | {"usual_minutes": 30.0},)),  # 40 minutes are less than half as long again
        a_situation(sources=(SOURCE | {"vehicles_out": 0},)),
        a_situation(sources=(SOURCE | {"usual_minutes": None},)),
    ],
}  # fmt: skip


def of(key: str, situation: Situation) -> pd.DataFrame:
    found = CATALOGUE[key].find(situation)
    return found[found.fires.astype(bool)]


@pytest.mark.parametrize("key", CATALOGUE)
def test_a_rule_fires_where_its_condition_holds(key):
    found = of(key, FIRES[key])

    assert len(found) == 1
    row = found.iloc[0]
    assert list(found.columns) == FOUND
    assert row.since <= row.instant
    assert 0 < row.probability <= 1
    assert row.stake >= 0
    assert len(row.words) > 10


@pytest.mark.parametrize("key", CATALOGUE)
def test_a_rule_spares_what_is_nearly_it(key):
    assert SPARES[key]
    assert [len(of(key, situation)) for situation in SPARES[key]] == [0] * len(SPARES[key])


@pytest.mark.parametrize("key", CATALOGUE)
def test_a_rule_finds_nothing_where_there_is_nothing(key):
    nothing = Situation(empty(list(a_situation().deliveries)), empty(list(a_situation().vehicles)))

    assert len(CATALOGUE[key].find(nothing)) == 0


def test_a_day_on_which_nothing_is_wrong_has_no_exception():
    assert find_all(a_situation()).empty


def test_every_entry_says_all_that_its_readers_need():
    for key, rule in CATALOGUE.items():
        assert rule.key == key
        assert rule.label and rule.meaning.endswith(".") and rule.why.endswith(".")
        assert isinstance(rule.severity, Severity)
        assert rule.due.minutes > 0
        assert rule.playbook and set(rule.playbook) <= ACTIONS.keys()
        assert {*rule.covered_by, *rule.roots} <= CATALOGUE.keys() - {key}


def test_the_promise_that_is_broken_costs_its_penalty_and_a_failed_try_one_more_try():
    known = of(
        "failed_attempt",
        a_situation(*[FIRES["failed_attempt"].deliveries.iloc[0].to_dict()], redelivery={"parcels": 7.5}),
    )
    assumed = of("failed_attempt", FIRES["failed_attempt"])

    assert of("will_be_late", FIRES["will_be_late"]).stake.tolist() == [20.0]
    assert (known.stake.tolist(), known.stake_assumed.tolist()) == ([27.5], [False])
    assert (assumed.stake.tolist(), assumed.stake_assumed.tolist()) == ([32.0], [True])


def test_a_penalty_that_nobody_gave_is_assumed_and_told_as_such():
    found = of("will_be_late", a_situation(a_delivery(chance_late=0.7, penalty=None)))

    assert found.stake.tolist() == [SETTINGS["assumed_penalty"].default]
    assert found.stake_assumed.tolist() == [True]


def test_goods_that_are_too_warm_are_worth_what_they_cost_and_the_promise():
    found = of("temperature", FIRES["temperature"])

    assert found.stake.tolist() == [120.0]


def test_a_crew_that_waits_costs_its_rate_for_as_long_as_it_waits():
    """Need-by 13:15; P10 12:50, P50 13:10, P90 13:30: a quarter of the way from 50 to 90 % is 60 %, so 40 % come after.
    Expected before it, so at least an hour is counted: 4 × 50 €."""
    found = of("milestone_at_risk", FIRES["milestone_at_risk"])

    assert found.probability.tolist() == pytest.approx([0.4])
    assert found.stake.tolist() == [200.0]
    late = a_situation(a_delivery(eta_from="14:45", eta_at="15:15", eta_until="15:45"), milestones=(MILESTONE,))
    assert of("milestone_at_risk", late).stake.tolist() == [400.0]
    failed = a_situation(a_delivery(done=True, failed_at="11:30", failed_known_at="11:31"), milestones=(MILESTONE,))
    assert of("milestone_at_risk", failed).stake.tolist() == [800.0]


def test_of_what_a_milestone_needs_the_binding_delivery_is_named():
    rows = [a_delivery(eta_from="12:50", eta_at="13:10", eta_until="13:30"),
            a_delivery(delivery_id="d2", eta_from="13:20", eta_at="13:40", eta_until="14:00")]  # fmt: skip
    found = of("milestone_at_risk", a_situation(*rows, milestones=(MILESTONE, MILESTONE | {"delivery_id": "d2"})))

    assert found.delivery_id.tolist() == ["d2"]


def test_a_warning_is_kept_up_a_little_below_what_raised_it():
    found = CATALOGUE["in_jeopardy"].find(
        a_situation(a_delivery(chance_late=0.1), a_delivery(delivery_id="d2", chance_late=0.08))
    )

    assert (found.delivery_id.tolist(), found.fires.tolist()) == (["d1"], [False])


def test_thresholds_are_settings():
    strict = a_situation(a_delivery(chance_late=0.12), settings=Settings({"at_risk_chance": 0.1}))

    assert len(of("in_jeopardy", strict)) == 1


def test_without_a_prediction_the_plan_moved_by_the_present_delay_is_asked():
    late = a_situation(a_delivery(chance_late=None, eta_at=None, eta_from=None, eta_until=None, shifted_at="13:20"))

    assert of("will_be_late", late).probability.tolist() == [SETTINGS["assumed_chance"].default]
    assert of("will_be_late", late).words.tolist() == [
        "50% chance that the promise is broken, expected 20 minutes after its end"
    ]


def test_what_was_told_since_the_last_look_is_when_it_could_be_known():
    news = of("will_be_late", a_situation(a_delivery(chance_late=0.7, newest_at="11:59"), step=pd.Timedelta(minutes=5)))
    old = of("will_be_late", a_situation(a_delivery(chance_late=0.7, newest_at="11:50"), step=pd.Timedelta(minutes=5)))

    assert news.since.tolist() == [clock("11:59")]
    assert old.since.tolist() == [NOON]


def test_km_off_a_way_are_those_to_its_nearest_point():
    """One degree of latitude is 111.195 km on a sphere of 6371.0088 km."""
    lon, lat = pd.Series([13.4, 13.4, 13.4]), pd.Series([52.55, 52.70, 52.40])
    start, end = (pd.Series([13.4] * 3), pd.Series([52.5] * 3)), (pd.Series([13.4] * 3), pd.Series([52.6] * 3))

    assert km_off(lon, lat, start, end).tolist() == pytest.approx([0.0, 11.1195, 11.1195], abs=0.001)


def test_a_van_in_trouble_says_how_far_it_is_behind_and_stands_for_its_stops():
    found = of("vehicle_behind", a_situation(*THREE))
    all_found = find_all(a_situation(*THREE))
    all_found = all_found[all_found.fires.astype(bool)]

    assert found.words.tolist() == ["Runs 20 minutes behind, 3 promises in danger"]  # 12:50 for 12:30
    assert sorted(all_found["key"]) == ["in_jeopardy"] * 3 + ["vehicle_behind"]
    tight = of("vehicle_behind", a_situation(*[row | {"shifted_at": clock("12:31")} for row in THREE]))
    assert tight.words.tolist() == ["3 promises in danger: its plan leaves too little room"]


def test_proofs_that_fail_on_one_van_are_known_with_the_third():
    row = of("proofs_failing", a_situation(*UNPROVEN)).iloc[0]

    assert row.since == clock("11:42")
    assert row.words.startswith("3 handovers without the whole proof")
