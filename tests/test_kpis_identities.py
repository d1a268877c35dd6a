"""What holds for any ledger: parts add to the whole, rows are the figure, intervals hold what they should."""

from __future__ import annotations

import random
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from lastmile.kpis import CATALOGUE, measure, rows_behind, timeliness_split
from lastmile.kpis.facts import FACTS
from lastmile.kpis.intervals import percentile, percentile_interval, wilson
from lastmile.store import Store
from tests.ledgers import START, random_batches

SEEDS = range(3)
ADDITIVE = ["included", "excluded", "unknown", "total", "numerator", "denominator"]
FIRST_DAY = START.date()


def random_store(path, seed: int) -> Store:
    store = Store.open(path / f"{seed}.duckdb")
    for batch in random_batches(seed):
        store.append(batch)
    return store


@pytest.fixture(scope="module", params=SEEDS)
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = random_store(tmp_path_factory.mktemp("identities"), request.param)
    yield store
    store.close()


def _keys_by_fact() -> dict[str, list[str]]:
    return {fact: [kpi.key for kpi in CATALOGUE.values() if kpi.fact == fact] for fact in FACTS}


@pytest.mark.parametrize("fact", FACTS)
def test_the_parts_add_to_the_whole_at_any_grain(store: Store, fact: str):
    keys = _keys_by_fact()[fact]
    draw = random.Random(fact)
    grains = [draw.sample(FACTS[fact].dimensions, k=min(k, len(FACTS[fact].dimensions))) for k in (1, 2, 3)]
    whole = measure(store, keys).set_index("key")[ADDITIVE]
    for by in grains:
        parts = measure(store, keys, by=by).groupby("key")[ADDITIVE].sum().reindex(whole.index).fillna(0)
        pd.testing.assert_frame_equal(parts, whole.fillna(0), check_dtype=False, obj=f"{fact} by {by}")


@pytest.mark.parametrize("fact", FACTS)
def test_the_rows_behind_a_figure_have_its_counts(store: Store, fact: str):
    for key, figure in measure(store, _keys_by_fact()[fact]).set_index("key").iterrows():
        rows = rows_behind(store, key)
        counted = rows.part.isin(["numerator", "denominator"])
        assert (counted.sum(), len(rows)) == (figure.included, figure.total), key
        assert ((rows.part == "excluded").sum(), (rows.part == "unknown").sum()) == (figure.excluded, figure.unknown), (
            key
        )
        assert figure.included + figure.excluded + figure.unknown == figure.total, key
        if CATALOGUE[key].percentile is None:
            assert rows.counts.sum() == pytest.approx(figure.numerator, abs=1e-9), key
        assert not rows.duplicated(list(FACTS[fact].identity)).any(), key


def test_days_asked_one_by_one_add_to_the_days_asked_together(store: Store):
    keys = ["on_time_rate", "otif", "attempts_per_delivery", "missing_scan_rate", "unmapped_status_rate"]
    days = [FIRST_DAY + timedelta(days=n) for n in range(-2, 6)]
    together = measure(store, keys, day_from=days[0], day_to=days[-1]).set_index("key")
    one_by_one = (
        pd.concat([measure(store, keys, day_from=day, day_to=day) for day in days]).groupby("key")[ADDITIVE].sum()
    )
    # which stages a depot scans at all is judged by the days asked, so only their total stays
    columns = {key: ["total"] if key == "missing_scan_rate" else ADDITIVE for key in keys}
    for key in keys:
        assert one_by_one.loc[key, columns[key]].tolist() == together.loc[key, columns[key]].tolist(), key


def test_the_present_is_what_is_known_at_the_end_of_time(store: Store):
    keys = [key for key in CATALOGUE if CATALOGUE[key].fact in ("delivery", "order", "drop", "route", "scan")]
    last = store.value("select max(recorded_at) from event") + timedelta(days=30)
    now, then = measure(store, keys), measure(store, keys, as_of=last)
    columns = ["key", "value", *ADDITIVE]
    pd.testing.assert_frame_equal(now[columns], then[columns])


def test_early_on_time_late_and_failed_add_to_what_was_due(store: Store):
    split = timeliness_split(store, by=("day", "depot"))
    assert (split.early + split.on_time + split.late + split.failed == split.due).all()
    assert (split.due + split.unknown + split.excluded == split.total).all()


def test_unknown_is_never_counted_as_success(store: Store):
    rows = rows_behind(store, "on_time_rate")
    assert set(rows.timeliness[rows.part == "numerator"]) <= {"on_time"}
    assert rows.counts[rows.part.isin(["unknown", "excluded"])].isna().all()


# Intervals


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    # R. G. Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_wilson_interval_is_the_published_one(successes: int, n: int, low: float, high: float):
    found = wilson(successes, n)
    assert found[0] == pytest.approx(low, abs=5e-5)
    assert found[1] == pytest.approx(high, abs=5e-5)


def test_nothing_counted_has_no_interval():
    assert np.isnan(wilson(0, 0)).all()
    assert percentile([], 0.5) is None
    assert percentile_interval([1.0], 0.5) is None


def test_the_interval_of_a_median_of_a_hundred_is_its_41st_to_60th_value():
    # 50 ± 1.96 × 5 = 40.2 and 59.8, both rounded up
    assert percentile_interval(list(range(1, 101)), 0.5) == (41, 60)
    assert percentile(list(range(1, 101)), 0.5) == 50.5


def test_the_interval_of_a_percentile_holds_it_about_95_times_in_100():
    draw = np.random.default_rng(7)
    true_p90 = -np.log(0.1)
    held = 0
    for _ in range(400):
        low, high = percentile_interval(np.sort(draw.exponential(size=200)), 0.9)
        held += low <= true_p90 <= high
    assert 0.92 <= held / 400 <= 0.98


def test_a_wider_sample_makes_a_narrower_interval():
    widths = [np.diff(wilson(n * 0.9, n))[0] for n in (10, 100, 1000)]
    assert widths == sorted(widths, reverse=True)
