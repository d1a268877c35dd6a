"""The simulated dispatchers take up most of what is severe, soon, and nothing after it is over; the same seed does the same."""

import pandas as pd
import pytest

from lastmile.model import stable_id
from lastmile.twin import dispatchers

NOON = pd.Timestamp("2026-03-02 12:00", tz="UTC")
WAITS = {"critical": 5.0, "high": 15.0, "medium": 15.0}


def detected(number: int, severity: str = "high", **more) -> dict:
    row = {"exception_id": str(stable_id("test", number)), "key": "is_late", "type": "exception_detected", "at": NOON, "severity": severity,
           "root_id": None, "owner_role": "dispatcher", "due_at": (NOON + pd.Timedelta(minutes=15)).isoformat()}  # fmt: skip
    return row | more


def answers(*rows: dict, seed: int = 7) -> pd.DataFrame:
    return dispatchers.answers(seed, pd.DataFrame(rows, columns=dispatchers.STEPS), WAITS)


def test_the_more_severe_the_more_and_the_sooner_it_is_taken_up():
    found = {
        severity: answers(*[detected(number, severity) for number in range(400)]).query("type == 'exception_acknowledged' and actor != 'operations-manager'")
        for severity in ("critical", "high", "low")
    }  # fmt: skip

    shares = [len(found[severity]) / 400 for severity in ("critical", "high", "low")]
    waits = [(found[severity]["at"] - NOON).median() for severity in ("critical", "high", "low")]
    assert shares == sorted(shares, reverse=True)
    assert waits == sorted(waits)
    assert shares[2] == pytest.approx(dispatchers.TAKEN_UP["low"], abs=0.08)


def test_what_waits_too_long_goes_to_the_operations_manager():
    found = answers(*[detected(number) for number in range(200)])
    escalated = found[found["type"] == "exception_escalated"]

    assert len(escalated) > 5
    assert set(escalated["at"]) == {NOON + pd.Timedelta(minutes=30)}
    later = found[found.exception_id.isin(escalated.exception_id) & (found["type"] == "exception_acknowledged")]
    assert set(later.actor) == {"operations-manager"}


def test_nothing_is_done_about_what_is_over_or_belongs_to_a_root():
    over = {"type": "exception_cleared", "at": NOON + pd.Timedelta(seconds=1)}
    rows = [row for number in range(50) for row in (detected(number), detected(number) | over)]

    assert answers(*rows).empty
    assert answers(*[detected(number, root_id="x") for number in range(50)]).empty


def test_the_same_seed_does_the_same_and_another_something_else():
    rows = [detected(number) for number in range(50)]

    assert answers(*rows).equals(answers(*rows))
    assert not answers(*rows).equals(answers(*rows, seed=8))
