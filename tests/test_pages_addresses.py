"""Addresses that people type or were sent: what can't be understood is said in a sentence, with what is shown instead."""

from __future__ import annotations

import pytest

from tests.test_pages import frame, shows_no_error, visit

pytestmark = pytest.mark.xdist_group("pages")


def told(page: str, **address: str | list[str]) -> str:
    app = visit(page, **address)
    assert shows_no_error(app)
    return " ".join(warning.value for warning in app.warning)


@pytest.mark.parametrize(
    ("page", "address", "says"),
    [
        ("routes", {"day": "2026-13-45"}, "“2026-13-45” in the address is not a day: shown is Fri 20 Nov 2026."),
        ("routes", {"day": "2019-01-01"}, "“2019-01-01” in the address is not a day that can be shown"),
        ("kpis", {"period": "Last year"}, "“Last year” in the address is not a period: shown is Sat 24 Oct 2026 to Fri 20 Nov 2026."),
        ("kpis", {"depots": "Nowhere"}, "No depot on record is called “Nowhere”: shown is all depots."),
        ("kpis", {"depots": ["Nowhere", "Westhafen"]}, "No depot on record is called “Nowhere”: shown is Westhafen."),
        ("kpis", {"kpi": "happiness"}, "No KPI is called “happiness”: shown is On time."),
        ("deliveries", {"as_of": "lunch"}, "“lunch” in the address is not an instant: shown is the present."),
        ("kpis", {"depots": "\u202eMarzahn🚐"}, "No depot on record is called “Marzahn🚐”: shown is all depots."),
        ("response", {"colour": "red"}, "The address asks for “colour”, which no page knows; the page is shown without it."),
    ],
)  # fmt: skip
def test_what_an_address_says_wrongly_is_told_with_what_is_shown_instead(demo_tower, page, address, says):
    assert says in told(page, **address)


@pytest.mark.parametrize(
    ("page", "address"),
    [
        ("routes", {"day": "2026-11-19", "depots": "Westhafen"}),
        ("kpis", {"period": "Yesterday", "kpi": "late_rate", "day": "2026-11-19"}),  # a day that came from another page
        ("deliveries", {"q": "late", "as_of": "2026-11-20T10:45"}),
        ("kpis", {"period": "Other days", "days": ["2026-11-19", "2026-11-12"]}),  # the last day first
        ("live", {}),
    ],
)
def test_nothing_is_said_of_an_address_that_is_understood(demo_tower, page, address):
    assert told(page, **address) == ""


def test_days_that_are_named_the_last_one_first_are_the_same_period(demo_tower):
    one, other = (
        frame(visit("kpis", period="Other days", days=days), "All KPIs of the period")
        for days in (["2026-11-12", "2026-11-19"], ["2026-11-19", "2026-11-12"])
    )
    assert one.n.iloc[0] > 0
    assert one.n.tolist() == other.n.tolist()


def test_it_stays_until_something_else_is_chosen(demo_tower):
    app = visit("kpis", colour="red")
    assert "no page knows" in app.run().warning[0].value

    app.selectbox(key="period").set_value("Yesterday").run()
    assert not app.warning


def test_what_is_late_or_at_risk_comes_first_and_what_is_not_booked_yet_last(demo_tower):
    shown = frame(visit("deliveries", period="Today"), "Deliveries found")
    outcomes = [words[0].split(" ", 1)[1] for words in shown.outcome]

    assert outcomes[0] in ("late", "at risk")
    first = outcomes.index(next(one for one in outcomes if one not in ("late", "at risk")))
    assert outcomes[:first] == sorted(outcomes[:first], key=["late", "at risk"].index)
    booked = [one != "not booked yet" for one in outcomes]
    assert booked == sorted(booked, reverse=True)
