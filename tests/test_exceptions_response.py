"""Times of response with those that still wait, prevented share and precision: by hand, and against plain SQL on the ledger."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from lastmile.decisions import events_frame
from lastmile.exceptions import CATALOGUE
from lastmile.kpis import find, measure, rows_behind
from lastmile.kpis.intervals import percentile_interval
from lastmile.kpis.waiting import waiting
from lastmile.model import Scope
from lastmile.store import Store
from tests.tiny_day import DAY, local
from tests.tiny_exceptions import raise_exceptions, warned

KEYS = ("time_to_detect_p50", "time_to_acknowledge_p50", "time_to_resolve_p50", "prevented_share", "alert_precision")


# The estimate


def curve(times: list[float], got_there: list[bool]):
    taken = [time for time, done in zip(times, got_there, strict=True) if done]
    return waiting(sorted(taken), sorted(times))


def test_those_that_still_wait_are_neither_forgotten_nor_counted_as_done():
    """Five: steps after 2, 4 and 9 minutes, two still waiting since 5 and 12. 1 − 4/5 = 0.2 at 2; 1 − 4/5 × 3/4 = 0.4 at 4;
    the one that waits since 5 is no longer at risk at 9: 1 − 0.6 × 1/2 = 0.7."""
    found = curve([2, 4, 9, 5, 12], [True, True, True, False, False])

    assert [found.percentile(share) for share in (0.2, 0.4, 0.5, 0.7)] == [2, 4, 9, 9]
    assert found.percentile(0.9) is None
    assert curve([2, 4, 9, 5, 12], [True] * 5).percentile(0.5) == 5
    assert waiting([], []).percentile(0.5) is None
    assert waiting([], [3, 8]).interval(0.5) is None


def test_the_one_that_stopped_waiting_at_a_time_was_still_at_risk_at_it():
    """Steps at 3 and 3, one given up at 3, one waits on: 1 − 2/4 at 3, not 1 − 2/3."""
    assert curve([3, 3, 3, 7], [True, True, False, False]).share.tolist() == [0.5]


def test_its_error_is_greenwoods():
    """S = 4/5 and 3/5 of five: 4/5 × √(1/20) and 3/5 × √(1/20 + 1/12)."""
    found = curve([2, 4, 9, 9, 9], [True, True, False, False, False])

    assert found.error == pytest.approx([0.8 * np.sqrt(1 / 20), 0.6 * np.sqrt(1 / 20 + 1 / 12)])


def test_where_none_waits_its_interval_is_that_of_the_ordered_values():
    values = [float(value) for value in range(1, 101)]

    assert waiting(values, values).interval(0.5) == percentile_interval(values, 0.5) == (41, 60)


def test_its_interval_holds_the_median_about_95_times_in_100_though_a_third_still_wait():
    draw, held = np.random.default_rng(7), 0
    for _ in range(400):
        takes, watched = draw.exponential(size=200), draw.exponential(2, size=200)
        low, high = waiting(np.sort(takes[takes <= watched]), np.sort(np.minimum(takes, watched))).interval(0.5)
        held += low <= np.log(2) <= high

    assert 0.92 <= held / 400 <= 0.98


def test_what_waits_for_a_step_is_no_mean():
    kpi = find("time_to_resolve_p50")

    with pytest.raises(ValueError, match="has a percentile"):
        type(kpi)(**(vars(kpi) | {"percentile": None}))


# The tiny day; tests/test_kpis.py has each figure by hand


@pytest.fixture(scope="module")
def store(tiny_file, tmp_path_factory):
    store = Store.open(shutil.copy(tiny_file, tmp_path_factory.mktemp("response")))
    raise_exceptions(store)
    yield store
    store.close()


def figures(store: Store, keys=KEYS, **asked) -> pd.DataFrame:
    given = {"day_from": DAY, "day_to": DAY, "as_of": local("20:30")} | asked
    return measure(store, list(keys), **given).set_index("key")


def test_as_known_earlier_less_has_happened(store):
    """At 09:30 late, on_time and early are on record, and late's root holds retried; late is open since ten minutes."""
    found = figures(store, (*KEYS, "open_age_p50"), as_of=local("09:30"))

    assert found.total[:3].tolist() == [3, 3, 3]
    assert found.numerator["time_to_acknowledge_p50"] == 2
    assert found.numerator["time_to_resolve_p50"] == 2
    assert (found.value["open_age_p50"], found.n["open_age_p50"]) == (10, 1)
    assert (found.n["prevented_share"], found.excluded["prevented_share"]) == (2, 1)
    assert found.total["alert_precision"] == 0


def test_who_waits_has_waited_longer_an_hour_later(store):
    ages = [figures(store, ["open_age_p50"], as_of=local(at)).value.iloc[0] for at in ("17:00", "18:00")]

    assert ages == [90, 150]


def test_by_owner_each_has_its_own_and_together_they_are_all(store):
    found = figures(store, ["time_to_resolve_p50"], by=["owner"])

    assert dict(zip(found.owner.fillna("nobody"), found.n, strict=True)) == {"ann": 1, "ben": 2, "nobody": 2}


@pytest.mark.parametrize("by", ["rule", "severity", "owner_role", "depot", "carrier", "service", "week"])
def test_both_kinds_of_rows_are_split_alike(store, by):
    found = figures(store, by=[by])

    assert found.n.groupby("key").sum()[list(KEYS)].tolist() == figures(store).n[list(KEYS)].tolist()


def test_what_belongs_to_no_carrier_concerns_each(store):
    """van-2's breakdown names none; of own are late, on_time and early, of partner silent."""
    found = [
        figures(store, ["time_to_resolve_p50"], scope=Scope(carriers=(name,))).n.iloc[0] for name in ("own", "partner")
    ]

    assert found == [4, 2]


def test_without_days_all_are_counted(store):
    assert figures(store, day_from=None, day_to=None).n.tolist() == figures(store).n.tolist()


def test_the_rows_name_the_exception_and_say_who_still_waits(store):
    rows = rows_behind(store, "time_to_acknowledge_p50", day_from=DAY, day_to=DAY, as_of=local("18:00"))
    rows = rows.set_index("exception_id")

    assert rows.part.to_dict() == {
        "x-late": "numerator", "x-on_time": "numerator", "x-van-2": "numerator", "x-early": "denominator", "x-silent": "denominator",
    }  # fmt: skip
    assert rows.loc["x-silent", ["rule", "subject_kind", "subject_id", "words", "counts"]].tolist() == [
        "will_be_late", "delivery", "silent", "late", 150,
    ]  # fmt: skip


def test_a_handover_that_the_ledger_heard_of_late_changes_nothing_known_before(tiny_database):
    """late was handed over at 10:20, which was recorded at 10:50: a promise until 10:25 looked broken till then."""
    store = Store.open(tiny_database)
    store.append({"event": events_frame([warned("late", "09:18", "09:20", "10:25")])})

    known = [figures(store, ["alert_precision"], as_of=local(at)).value.iloc[0] for at in ("10:49", "10:50")]

    assert known == [1, 0]
    store.close()


def test_the_ledger_and_the_catalogue_call_the_same_rules_warnings(store):
    told = {key: store.value("select is_warning($key)", key=key) for key in CATALOGUE}

    assert told == {key: rule.predicts for key, rule in CATALOGUE.items()}


# Written without the state macros


def by_plain_sql(store: Store, at: datetime, day_from: date, day_to: date) -> pd.Series:
    """First events by exception, and Kaplan–Meier as a running product over the minutes."""
    return store.ask(
        """
        with steps as (
            select payload ->> 'exception_id' as id, type, occurred_at, status_source, payload,
                row_number() over (partition by id order by recorded_at, coalesce((payload ->> 'step')::int, 0), event_id) as nth
            from event
            where type like 'exception_%' and recorded_at <= $at and (payload ->> 'day')::date between $day_from and $day_to
        ),
        began as (
            select id, max(nth) as since from steps where type in ('exception_detected', 'exception_reopened') group by id
        ),
        told as (
            select id, min(occurred_at) filter (type = 'exception_detected') as detected,
                any_value((payload ->> 'detectable_at')::timestamptz) filter (type = 'exception_detected') as detectable,
                min(occurred_at) filter (status_source = 'user' and type in ('exception_acknowledged', 'exception_assigned',
                    'exception_snoozed', 'exception_acted', 'exception_resolved')) as taken_up,
                coalesce(max(occurred_at) filter (type = 'exception_resolved' and nth > since),
                    min(occurred_at) filter (type = 'exception_cleared' and nth > since)) as over,
                last(payload ->> 'root_id' order by nth) filter (payload ->> 'key' is not null) as root
            from steps join began using (id) group by id
        ),
        own as (select * from told where root is null or root not in (select id from told)),
        wait as (
            select 'acknowledge' as step, epoch(coalesce(taken_up, over, $at) - detected) / 60 as minutes,
                taken_up is not null as happened
            from own
            union all
            select 'resolve', epoch(coalesce(over, $at) - detected) / 60, over is not null from own
        ),
        product as (
            select step, minutes, count(*) filter (happened) as events,
                sum(count(*)) over (partition by step order by minutes desc) as at_risk
            from wait group by step, minutes
        ),
        survival as (
            select step, minutes, events,
                exp(sum(ln(1 - events / at_risk + 1e-300)) over (partition by step order by minutes)) as left_over
            from product
        ),
        half as (select step, min(minutes) as p50 from survival where events > 0 and 1 - left_over >= 0.5 - 1e-9 group by step)
        select count(*) as n, count(*) filter (over is null) as open, count(taken_up) as taken_up,
            quantile_disc(greatest(0, epoch(detected - detectable) / 60), 0.5) as detect_p50,
            (select p50 from half where step = 'acknowledge') as acknowledge_p50,
            (select p50 from half where step = 'resolve') as resolve_p50
        from own
        """,
        at=at,
        day_from=day_from,
        day_to=day_to,
    ).iloc[0]


def as_measured(store: Store, at: datetime, day_from: date, day_to: date) -> pd.Series:
    found = measure(store, list(KEYS), day_from=day_from, day_to=day_to, as_of=at).set_index("key")
    resolve, acknowledge = found.loc["time_to_resolve_p50"], found.loc["time_to_acknowledge_p50"]
    return pd.Series(
        {
            "n": resolve.n, "open": resolve.n - resolve.numerator, "taken_up": acknowledge.numerator,
            "detect_p50": found.value["time_to_detect_p50"], "acknowledge_p50": acknowledge.value, "resolve_p50": resolve.value,
        }
    )  # fmt: skip


def test_the_figures_equal_those_of_plain_sql_on_the_tiny_day(store):
    at = local("18:00")

    assert as_measured(store, at, DAY, DAY).to_dict() == pytest.approx(by_plain_sql(store, at, DAY, DAY).to_dict())


@pytest.mark.parametrize("hour", [7, 9, 10])
def test_the_figures_equal_those_of_plain_sql_on_the_simulated_operation(demo_to_read, hour):
    store = Store.open(demo_to_read)
    at = datetime(2026, 11, 20, hour, 15, tzinfo=UTC)
    days = at.date() - timedelta(days=1), at.date()
    plain, found = by_plain_sql(store, at, *days), as_measured(store, at, *days)
    store.close()

    assert plain.n > 100
    assert found.to_dict() == pytest.approx(plain.to_dict(), nan_ok=True)
