"""What was put into the twin on purpose shows where it must, and only there."""

from datetime import date, timedelta

import pandas as pd
import pytest

from lastmile.model import REASONS
from lastmile.twin import Operation, causes
from lastmile.twin.city import AREA_NAMES
from lastmile.twin.scans import visits_of

MONDAY = date(2026, 11, 2)
DAYS = 10


@pytest.fixture(scope="module")
def operation():
    return Operation(7)


@pytest.fixture(scope="module")
def events(operation):
    days = [operation.whole(MONDAY + timedelta(days=number), 30)["event"] for number in range(DAYS)]
    return pd.concat(days, ignore_index=True)


@pytest.fixture(scope="module")
def first_tries(operation):
    parts = []
    for number in range(DAYS):
        opened = operation.opened(MONDAY + timedelta(days=number))
        tries = visits_of(opened).join(opened.deliveries.drop(columns=["x", "y"]), on="row")
        parts.append(tries[tries["attempt"] == 0].assign(day=opened.day))
    frame = pd.concat(parts, ignore_index=True)
    late = frame["starts"] > frame["window_due"] + frame["late_minutes"]
    return frame.assign(late=late, area=[AREA_NAMES[area] for area in frame["area_number"]])


def test_every_cause_is_written_down_with_a_strength_and_where_it_shows():
    written = causes.causes()
    assert len({cause.key for cause in written}) == len(written) == 7
    assert all(cause.strength > 0 and cause.meaning and cause.where for cause in written)
    shown = {reason for cause in written for reason in cause.shows_in.split(", ")} & set(REASONS)
    assert {"late_release", "recipient_unavailable", "vehicle_breakdown", "cannot_locate"} <= shown


def test_on_its_late_days_the_depot_is_clearly_later(first_tries):
    mine = first_tries[first_tries["depot_id"] == causes.LATE_RELEASE_DEPOT]
    late_day = mine["day"].map(lambda day: causes.releases_late(7, causes.LATE_RELEASE_DEPOT, day))
    assert 2 <= mine.loc[late_day, "day"].nunique() <= 8
    assert mine.loc[late_day, "late"].mean() > mine.loc[~late_day, "late"].mean() + 0.06


def test_in_the_zone_of_bad_addresses_first_tries_fail_for_the_address(first_tries):
    wrong = first_tries["reason"].isin(("address_wrong_or_incomplete", "cannot_locate"))
    there = first_tries["area"] == causes.BAD_ADDRESS_AREA
    assert wrong[there].mean() > 0.06
    assert wrong[~there].mean() < 0.01


def test_recipients_of_parcels_are_out_in_the_afternoon_in_some_areas(first_tries):
    parcels = first_tries[first_tries["service"] == "parcels"]
    absent = (parcels["reason"] == "recipient_unavailable") & parcels["genuine"]
    there, afternoon = parcels["area"].isin(causes.AFTERNOON_AREAS), parcels["starts"] >= causes.AFTERNOON_FROM_MINUTE
    assert absent[there & afternoon].mean() > 0.12
    assert absent[there & ~afternoon].mean() < 0.05
    assert absent[~there & afternoon].mean() < 0.05


def test_one_carrier_scans_late_and_loses_scans(events):
    arrived = events[events["type"] == "arrived"]
    minutes = (arrived["recorded_at"] - arrived["occurred_at"]).dt.total_seconds() / 60
    median = minutes.groupby(arrived["source"]).median()
    assert median.idxmax() == causes.LATE_SCANS_SOURCE
    assert median["barnim"] > 25
    assert median["telematics"] < 1
    left = events[events["type"] == "departed_stop"]
    both = left["delivery_id"].isin(arrived["delivery_id"])
    gaps = (~both).groupby(left["source"]).mean()
    assert gaps["barnim"] > 0.04 > 0.02 > gaps["telematics"]


def test_one_driver_brings_broken_proofs(events):
    handed = events[(events["type"] == "delivered") & events["route_id"].str.startswith("WHF-0")]
    empty = handed["payload"].str.contains('"proof": []', regex=False)
    share = empty.groupby(handed["actor"]).agg(["mean", "size"]).query("size > 80")["mean"]
    assert share.idxmax() == causes.BROKEN_PROOF_DRIVER
    assert share.max() > 0.4 > 0.05 > share.drop(share.idxmax()).max()


def test_one_carrier_reports_tries_that_it_did_not_make(first_tries):
    sham = ~first_tries["genuine"]
    assert set(first_tries.loc[sham, "carrier_id"]) == {causes.SHAM_TRIES_CARRIER}
    assert 5 < sham.sum() < 100


def test_a_vehicle_or_two_break_down_in_a_week(events):
    broken = events[events["type"] == "vehicle_broke_down"]
    assert 1 <= len(broken) <= 8
    assert set(broken["reason"]) == {"vehicle_breakdown"}


def test_cooled_vans_warm_up_now_and_then(events):
    celsius = events.loc[events["type"] == "condition_reading", "payload"].str.extract(r"([\d.]+)")[0].astype(float)
    assert celsius.min() >= 2.0
    assert celsius.median() < 6.0
    assert 0 < (celsius > 8.0).mean() < 0.02
