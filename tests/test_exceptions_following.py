"""What becomes of an exception from look to look: raised, changed where it matters, covered, explained, cleared, opened again."""

from __future__ import annotations

from typing import Any

import pandas as pd

from lastmile.exceptions import Settings, Situation
from lastmile.exceptions.following import Book, Step, ends_by_delivery, exception_id, find_all
from lastmile.exceptions.rule import Outcome
from tests.exception_states import DAY, a_delivery, a_situation, a_van, clock


def look(book: Book, situation: Situation, at: str) -> list[tuple[str, str, Any]]:
    """The steps of one look: what, of which rule, and the outcome where it is cleared."""
    found = find_all(situation)
    if len(found):
        found = found.assign(instant=clock(at))
    return [told(step) for step in book.look(found, [clock(at)], ends_by_delivery(situation.ends))]


def told(step: Step) -> tuple[str, str, Any]:
    return str(step.type).removeprefix("exception_"), step.exception.key, step.said.get("outcome")


def warned(chance: float, **more: Any) -> Situation:
    return a_situation(a_delivery(chance_late=chance, **more))


def test_the_same_condition_has_the_same_id_and_is_raised_once():
    book = Book(Settings({}))

    assert look(book, warned(0.3), "12:00") == [("detected", "in_jeopardy", None)]
    assert look(book, warned(0.3), "12:05") == []
    assert list(book.kept) == [exception_id("in_jeopardy", "d1", DAY)]


def test_a_change_is_told_where_it_matters():
    """The chance must move by 0.2, the money by a quarter, the breach by five minutes."""
    book = Book(Settings({}))
    look(book, warned(0.2), "12:00")

    assert look(book, warned(0.39), "12:01") == []
    assert look(book, warned(0.42), "12:02") == [("changed", "in_jeopardy", None)]
    assert look(book, warned(0.42, penalty=24.0), "12:03") == []
    assert look(book, warned(0.42, penalty=26.0), "12:04") == [("changed", "in_jeopardy", None)]
    assert look(book, warned(0.42, penalty=26.0, promise_until="13:04"), "12:05") == []
    assert look(book, warned(0.42, penalty=26.0, promise_until="13:05"), "12:06") == [("changed", "in_jeopardy", None)]


def test_a_warning_that_stays_just_below_its_threshold_stays_and_then_goes():
    """Raised from 15 % on, kept up down to six tenths of that."""
    book = Book(Settings({}))
    look(book, warned(0.2), "12:00")

    assert look(book, warned(0.1), "12:05") == []
    assert look(book, warned(0.08), "12:10") == [("cleared", "in_jeopardy", Outcome.PREVENTED)]
    assert look(book, warned(0.1), "12:15") == []
    assert look(book, warned(0.2), "12:20") == [("reopened", "in_jeopardy", None)]


def test_what_is_worse_takes_the_place_of_what_is_less():
    book = Book(Settings({}))
    look(book, warned(0.3), "12:00")

    assert look(book, warned(0.7), "12:10") == [
        ("detected", "will_be_late", None),
        ("cleared", "in_jeopardy", Outcome.REPLACED),
    ]
    late = a_situation(a_delivery(promise_until="11:50"))
    assert look(book, late, "13:10") == [("detected", "is_late", None), ("cleared", "will_be_late", Outcome.BREACHED)]


def test_whose_it_was_the_one_that_takes_its_place_is_too():
    book = Book(Settings({}))
    look(book, warned(0.3), "12:00")
    book.kept[exception_id("in_jeopardy", "d1", DAY)].owner = "ann"
    steps = book.look(find_all(warned(0.7)).assign(instant=clock("12:10")), [clock("12:10")], {})

    assert [told(step)[:2] for step in steps] == [
        ("detected", "will_be_late"),
        ("cleared", "in_jeopardy"),
        ("assigned", "will_be_late"),
    ]
    assert steps[-1].said["owner"] == book.kept[exception_id("will_be_late", "d1", DAY)].owner == "ann"


def test_a_delivery_handed_over_in_time_was_prevented_one_too_late_was_breached():
    in_time = {"delivery_id": "d1", "how": "handed_over", "anchor_at": "12:50", "known_at": "13:05"}
    outcomes = []
    for end in (in_time, in_time | {"anchor_at": "13:02"}, in_time | {"how": "cancelled"}):
        book = Book(Settings({}))
        look(book, warned(0.7), "12:00")
        over = a_situation(a_delivery(delivery_id="other"), ends=(end,))
        outcomes += [outcome for _, _, outcome in look(book, over, "13:06")]

    assert outcomes == [Outcome.PREVENTED, Outcome.BREACHED, Outcome.ENDED]


def test_a_breakdown_explains_its_stops_and_its_milestone():
    rows = [a_delivery(delivery_id=f"d{number}", stop=number) for number in (1, 2, 3)]
    milestone = {"milestone_id": "m1", "name": "Crew", "need_by": "13:15", "crew_size": 4.0, "crew_rate": 50.0,
                 "currency": "EUR", "delivery_id": "d2"}  # fmt: skip
    broken = {"broke_at": clock("11:40"), "broke_known_at": clock("11:41")}
    situation = a_situation(
        *[row | broken for row in rows], vans=(a_van(**broken, open_deliveries=3),), milestones=(milestone,)
    )
    book = Book(Settings({}))
    steps = book.look(find_all(situation), [clock("12:00")], {})
    root = exception_id("vehicle_broke_down", "van-1", DAY)

    assert {step.exception.key: step.said["root_id"] for step in steps} == {
        "vehicle_broke_down": None, "will_be_late": root, "milestone_at_risk": root,
    }  # fmt: skip
    assert len(steps) == 5


def test_goods_that_were_not_released_explain_the_jeopardy_and_the_depot_explains_the_goods():
    held = {"released_at": None, "staged_at": None, "loaded_at": None, "departed_at": None, "departed_known_at": None,
            "departs_at": "13:00"}  # fmt: skip
    rows = [
        a_delivery(delivery_id=f"d{number}", chance_late=0.4 if number == 0 else 0.0, **held) for number in range(5)
    ]
    steps = Book(Settings({})).look(find_all(a_situation(*rows, vans=())), [clock("12:00")], {})
    root = exception_id("release_behind", "north", DAY)

    assert {(step.exception.key, step.said["root_id"]) for step in steps} == {
        ("release_behind", None), ("not_released", root), ("in_jeopardy", root),
    }  # fmt: skip


def test_what_a_person_has_closed_stays_closed_until_it_went_and_came_back():
    book = Book(Settings({}))
    look(book, warned(0.7), "12:00")
    kept = book.kept[exception_id("will_be_late", "d1", DAY)]
    kept.open = False

    assert look(book, warned(0.9), "12:05") == []
    assert look(book, warned(0.05), "12:10") == [("cleared", "will_be_late", Outcome.ENDED)]
    assert look(book, warned(0.7), "12:15") == [("reopened", "will_be_late", None)]


def test_what_was_put_off_comes_back_when_it_gets_worse():
    book = Book(Settings({}))
    look(book, warned(0.6), "12:00")
    book.kept[exception_id("will_be_late", "d1", DAY)].snoozed_until = clock("13:00")

    assert look(book, warned(0.7), "12:05") == []
    assert look(book, warned(0.85), "12:10") == [("reopened", "will_be_late", None)]


def test_a_fact_is_dated_a_moment_after_it_between_two_looks_and_a_prediction_at_the_look():
    failed = a_delivery(done=True, failed_at="12:06", failed_known_at="12:08", instant="12:15")
    warning = a_delivery(delivery_id="d2", chance_late=0.7, instant="12:15", newest_at="12:09")
    book = Book(Settings({}))
    book.look(find_all(a_situation()), [clock("12:00")], {})
    steps = book.look(
        find_all(a_situation(failed, warning, vans=(), step=pd.Timedelta(minutes=15))), [clock("12:15")], {}
    )

    assert {step.exception.key: (step.at, pd.Timestamp(step.said["detectable_at"])) for step in steps} == {
        "failed_attempt": (clock("12:08") + pd.Timedelta(seconds=5), clock("12:08")),
        "will_be_late": (clock("12:15"), clock("12:09")),
    }  # fmt: skip
