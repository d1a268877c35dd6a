"""How often open pages look again."""

from __future__ import annotations

import pytest

from lastmile.ui.pace import Pace


def _after(looks: int, took: float, pages: int = 1) -> Pace:
    pace = Pace()
    for look in range(looks):
        pace.note(f"page {look % pages}", took, now=float(look) / pages)
    return pace


def test_a_tower_opens_at_the_slowest_pace_and_looks_sooner_after_a_while_of_quick_looks():
    assert Pace().seconds == 5.0
    assert _after(2, took=0.1).seconds > 2.5
    assert _after(100, took=0.1).seconds == 1.0


def test_a_page_rests_four_times_as_long_as_its_looks_take_and_five_seconds_at_most():
    assert _after(100, took=0.5).seconds == pytest.approx(2.0, abs=0.1)
    assert _after(100, took=2.0).seconds == 5.0


def test_a_slow_look_counts_as_much_as_all_before_and_a_quick_one_a_quarter():
    slow, quick = _after(100, took=0.3), _after(100, took=0.5)

    slow.note("page 0", 1.0, now=110.0)
    quick.note("page 0", 0.3, now=110.0)

    assert slow.seconds == pytest.approx(4 * (0.3 + 1.0) / 2, abs=0.1)
    assert quick.seconds == pytest.approx(4 * (0.75 * 0.5 + 0.25 * 0.3), abs=0.1)


def test_the_more_pages_look_the_longer_each_of_them_waits():
    assert _after(900, took=0.1, pages=30).seconds == 3.0
    assert _after(1_500, took=0.1, pages=50).seconds == 5.0


def test_who_has_not_looked_for_a_while_counts_no_more():
    pace = _after(500, took=0.1, pages=50)

    pace.note("page 0", 0.1, now=100.0)

    assert pace.seconds == 1.0


def test_a_page_changes_its_pace_only_when_it_is_off_by_more_than_half():
    at_two_seconds = _after(100, took=0.5)

    assert not at_two_seconds.is_off(1.4)
    assert not at_two_seconds.is_off(2.9)
    assert at_two_seconds.is_off(1.3)
    assert at_two_seconds.is_off(3.1)
