"""Live's queue, the Exceptions page and the Response page: what they show of exceptions, and what a press does to them."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from lastmile import exceptions, queries
from lastmile.errors import NotPossible
from lastmile.exceptions.curves import still_open
from lastmile.model import Scope
from lastmile.runtime import Tower
from lastmile.ui import palette
from lastmile.ui.exceptions import acting, playbook
from tests.conftest import FRIDAY
from tests.raising import raised
from tests.test_pages import LONG, frame, metrics, shows_no_error, visit, words

DAY = date(2026, 11, 20)

pytestmark = pytest.mark.xdist_group("pages")


@pytest.fixture(scope="session")
def unwatched(demo_file, tmp_path_factory) -> Path:
    """The demo as if nobody had noticed anything: a test raises what it needs."""
    file = Path(shutil.copy(demo_file, tmp_path_factory.mktemp("unwatched") / "demo.duckdb"))
    with duckdb.connect(file) as connection:
        for table in ("event", "exception_event"):
            connection.execute(
                f"delete from {table} where type between 'exception_acknowledged' and 'exception_snoozed'"
            )
    return file


@pytest.fixture
def tower(stand_on, unwatched, tmp_path) -> Tower:
    """The demo at Friday 11:15, nothing noticed yet; may be written to."""
    return stand_on(Path(shutil.copy(unwatched, tmp_path / "demo.duckdb")))


def an_open_stop(tower: Tower, place: int = 0):
    """A stop that is still to come, with its van."""
    stops = queries.stops(tower.store, FRIDAY, DAY, Scope())
    return stops[~stops.done & stops.vehicle_id.notna()].sort_values("delivery_id").iloc[place]


def late(tower: Tower, place: int = 0, at: datetime = FRIDAY - timedelta(minutes=10), **more: object) -> str:
    """An exception of a stop that is still to come."""
    stop = an_open_stop(tower, place)
    of_stop = {name: stop[name] for name in ("route_id", "vehicle_id", "depot_id", "recipient", "service")}
    return raised(tower.store, "will_be_late", stop.delivery_id, at, **(of_stop | more))


def row(tower: Tower, exception_id: str, at: datetime = FRIDAY + timedelta(minutes=1)):
    """The exception as the ledger knows it."""
    found = exceptions.exceptions(tower.store, at)
    return found[found.exception_id == exception_id].iloc[0]


def buttons(app: AppTest) -> dict[str, bool]:
    """Label of each button → whether it can be pressed."""
    return {button.label: not button.disabled for button in app.button}


def press(app: AppTest, label: str) -> AppTest:
    return next(button for button in app.button if button.label == label).click().run()


# Live


def test_live_ranks_what_needs_somebody_by_money_chance_and_time(tower):
    dear = late(tower, 0, stake=900.0)
    soon = late(tower, 1, stake=400.0, breach_at=FRIDAY)
    cheap = late(tower, 2, stake=10.0)

    queue = frame(visit(), "Exceptions that need somebody")

    expected = exceptions.queue(tower.store, FRIDAY)
    assert expected.exception_id.tolist() == [dear, soon, cheap]
    assert queue.stake.tolist() == [900.0, 400.0, 10.0]
    assert [severity[0] for severity in queue.severity] == [palette.look("high").label] * 3


def test_one_breakdown_is_one_row_with_its_stops(tower):
    stop = an_open_stop(tower)
    root = late(tower, 0, stake=50.0)
    for place in (1, 2, 3):
        late(tower, place, stake=100.0, root_id=root)

    app = visit()

    queue = frame(app, "Exceptions that need somebody")
    assert len(queue) == 1
    assert queue.told.iloc[0].startswith(f"Will be late · {stop.recipient}, 3 stops: ")
    assert queue.stake.tolist() == [350.0]


def test_live_says_so_where_nothing_needs_anybody(tower):
    app = visit()

    assert "No exception is open" in words(app)  # though some stops are late: nobody has noticed them yet


def test_what_is_overdue_is_told_over_the_queue_and_in_its_row(tower):
    late(tower, 0, FRIDAY - timedelta(minutes=40))  # due 20 minutes ago

    app = visit()

    assert "1 overdue" in words(app)
    assert frame(app, "Exceptions that need somebody").due.tolist() == ["20\u202fmin overdue"]


def test_an_exception_is_taken_in_two_clicks(tower):
    exception_id = late(tower)
    app = visit(chosen=f"exception~{exception_id}")  # the first click, on its row

    press(app, "Take it")

    assert shows_no_error(app)
    taken = row(tower, exception_id)
    assert (taken.state, taken.owner, taken.acknowledged_by) == ("acknowledged", "operator", "operator")
    assert "Take it" not in buttons(app)


def test_it_is_taken_under_the_name_that_the_person_has_given(tower):
    exception_id = late(tower)
    app = visit(chosen=f"exception~{exception_id}")

    app.text_input(key="your name").set_value("Mira Adler").run()
    press(app, "Take it")

    assert row(tower, exception_id).owner == "Mira Adler"
    assert frame(app, "Exceptions that need somebody").whose.tolist() == ["Mira Adler"]


def test_the_chosen_exception_is_told_in_a_sentence_with_money_arrival_and_owner(tower):
    exception_id = late(tower, words="71 % chance that the promise is broken", stake=120.0)

    told = words(visit(chosen=f"exception~{exception_id}"))

    assert "71 % chance that the promise is broken" in told
    assert "**€\u202f120** at stake" in told
    assert "ETA " in told
    assert "owner dispatcher" in told


def test_from_a_stop_on_the_map_a_press_leads_to_the_exception_that_it_is_part_of(tower):
    root = late(tower, 0)
    late(tower, 1, root_id=root)
    app = visit(chosen=f"delivery~{an_open_stop(tower, 1).delivery_id}")

    app.button(key="to exception").click().run()

    assert app.query_params["chosen"] == f"exception~{root}"
    assert "Take it" in buttons(app)


# The Exceptions page


def test_the_second_of_two_people_is_told_who_was_first(tower):
    exception_id = late(tower)
    first, second = visit("exceptions", exception=exception_id), visit("exceptions", exception=exception_id)

    first.text_input(key="your name").set_value("Mira").run()
    press(first, "Take it")
    press(second, "Take it")

    assert "Mira has assigned it" in words(second)
    assert row(tower, exception_id).owner == "Mira"
    assert shows_no_error(second)


def test_several_are_decided_at_once_with_an_outcome_for_each(tower):
    ids = [late(tower, place) for place in range(3)]
    app = visit("exceptions")
    app.session_state["exceptions ticked"] = tuple(ids)
    app.run()
    assert "3 ticked" in words(app)
    exceptions.acknowledge(tower.store, {ids[1]: 1}, "Jo", FRIDAY)

    press(app, "Take it")

    told = words(app)
    assert told.count("Assigned to operator") == 2
    assert "Jo has acknowledged it" in told
    assert [row(tower, id).owner if row(tower, id).owner else None for id in ids].count("operator") == 2


def test_bulk_resolve_asks_for_a_word_of_why_and_an_outcome(tower):
    ids = [late(tower, place) for place in range(2)]
    app = visit("exceptions")
    app.session_state["exceptions ticked"] = tuple(ids)
    press(app.run(), "Resolve")

    press_in_form(app, "Resolve")
    assert "Say in a word why" in words(app)
    assert row(tower, ids[0]).state == "open"

    app.text_input(key="bulk resolve why").set_value("both customers called")
    app.selectbox(key="bulk resolve outcome").set_value(exceptions.Outcome.PREVENTED)
    press_in_form(app, "Resolve")

    assert [row(tower, id).state for id in ids] == ["resolved", "resolved"]
    assert [row(tower, id).outcome for id in ids] == ["prevented", "prevented"]
    assert words(app).count("Resolved: prevented") == 2


def press_in_form(app: AppTest, label: str) -> AppTest:
    """The button of an open form, which has the same label as the one that opened it."""
    return [button for button in app.button if button.label == label][-1].click().run()


def test_snoozed_and_closed_ones_are_found_by_state_and_can_be_reopened(tower):
    put_off, closed = late(tower, 0), late(tower, 1)
    exceptions.snooze(tower.store, {put_off: 1}, FRIDAY + timedelta(hours=1), "Mira", FRIDAY, "customer calls back")
    exceptions.resolve(tower.store, {closed: 1}, exceptions.Outcome.ACCEPTED, "small", "Mira", FRIDAY)

    assert frame(visit("exceptions", state="Put off"), "Exceptions").stands.tolist() == ["put off until 12:15"]
    assert frame(visit("exceptions", state="Closed"), "Exceptions").stands.tolist() == ["resolved: accepted"]
    app = visit("exceptions", exception=closed)
    press(app, "Reopen")
    app.text_input(key="exception reopen why").set_value("it went wrong again")
    press_in_form(app, "Reopen")
    assert row(tower, closed).state == "open"


def test_the_playbook_stands_as_buttons_and_a_press_does_it_and_keeps_it(tower):
    stop = an_open_stop(tower)
    exception_id = raised(
        tower.store, "failed_attempt", stop.delivery_id, FRIDAY - timedelta(minutes=5), depot_id=stop.depot_id
    )
    app = visit("exceptions", exception=exception_id)

    press(app, "Try again on the next working day")

    assert shows_no_error(app)
    acted = row(tower, exception_id)
    assert (acted.state, acted.actions, acted.last_actor) == ("acknowledged", 1, "operator")
    assert frame(app, "History").step.iloc[0] == "acted on"


def test_what_an_action_asks_is_asked_first_and_nonsense_is_refused_in_words(tower):
    exception_id = late(tower)
    app = visit("exceptions", exception=exception_id)
    chosen = playbook.DEEDS["change_promise"]
    app.session_state["exceptions doing"] = (chosen.key, (exception_id,))
    app.run()

    app.text_input(key="exception change_promise window").set_value("some time after lunch")
    press_in_form(app, chosen.label)

    assert "Say the new window as two times, such as 13:00–15:00" in words(app)
    assert row(tower, exception_id).state == "open"


@pytest.mark.parametrize("said", ["13:00-15:00", "13:00–15:00", " 13:00 – 15:00 "])
def test_a_new_window_is_read_on_the_clocks_of_the_place(tower, said):
    desk = SimpleNamespace(zone="Europe/Berlin", day=DAY, tower=tower)

    start, end = playbook.window(said, desk)

    assert (start.astimezone(UTC).hour, end.astimezone(UTC).hour) == (12, 14)
    assert playbook.window("", desk) is None


@pytest.mark.parametrize("said", ["15:00–13:00", "08:00–09:00", "25:00–26:00", "lunch"])
def test_a_window_that_can_not_be_is_refused(tower, said):
    with pytest.raises(NotPossible):
        playbook.window(said, SimpleNamespace(zone="Europe/Berlin", day=DAY, tower=tower))


def test_the_call_list_is_shown_once_it_is_asked_for(tower):
    exception_id = late(tower)
    app = visit("exceptions", exception=exception_id)
    app.session_state["exceptions told"] = None
    told = playbook.DEEDS["call_list"].do(
        SimpleNamespace(store=tower.store, tower=tower, view=SimpleNamespace(actor="Mira")), {exception_id: 1}, {}
    )
    app.session_state["exceptions told"] = acting.Told("call_list", told, {exception_id: "it"})

    shown = frame(app.run(), "Call list")

    assert shown.recipient.tolist() == [an_open_stop(tower).recipient]


def test_the_history_tells_every_step_with_who_and_why(tower):
    exception_id = late(tower)
    exceptions.assign(tower.store, {exception_id: 1}, "Mira", "Jo", FRIDAY - timedelta(minutes=5), "she knows the site")
    exceptions.comment(tower.store, [exception_id], "gate 3 is closed", "Mira", FRIDAY - timedelta(minutes=4))
    until, at = FRIDAY + timedelta(hours=1), FRIDAY - timedelta(minutes=3)
    exceptions.snooze(tower.store, {exception_id: 3}, until, "Mira", at, "the site calls back")

    steps = frame(visit("exceptions", exception=exception_id), "History")

    assert steps.step.tolist() == ["snoozed", "commented on", "assigned", "detected"]
    assert steps.actor.tolist() == ["Mira", "Mira", "Jo", "tower"]
    assert steps.words.tolist()[:3] == [
        "until 20 Nov 12:15: the site calls back",
        "gate 3 is closed",
        "to Mira: she knows the site",
    ]


def test_filters_are_kept_in_the_address_and_leave_what_they_name(tower):
    late(tower, 0)
    other = raised(tower.store, "failed_attempt", an_open_stop(tower, 1).delivery_id, FRIDAY - timedelta(minutes=5))

    assert len(frame(visit("exceptions"), "Exceptions")) == 2
    assert frame(visit("exceptions", severities="medium"), "Exceptions").severity.str[0].tolist() == ["■ medium"]
    assert frame(visit("exceptions", owners="customer care"), "Exceptions").whose.tolist() == ["customer care"]
    label = exceptions.find("failed_attempt").label
    assert len(frame(visit("exceptions", rules=label), "Exceptions")) == 1
    assert "No exception is left by these filters" in words(visit("exceptions", severities="critical"))
    assert row(tower, other).severity == "medium"


def test_the_board_gives_each_owner_a_card_with_what_is_open_overdue_and_at_stake(tower):
    mine = late(tower, 0, FRIDAY - timedelta(minutes=40), stake=70.0)
    late(tower, 1, stake=30.0)
    exceptions.assign(tower.store, {mine: 1}, "Mira", "Jo", FRIDAY - timedelta(minutes=30))

    app = visit("exceptions", view="By owner")

    told = words(app)
    assert "**Mira** :gray[by name]" in told
    assert "**dispatcher** :gray[a role: nobody owns these by name]" in told
    assert told.count("1 exception ·") == 2
    assert told.count("1 overdue") == 1
    assert "**€\u202f70** at stake" in told and "**€\u202f30** at stake" in told


def test_at_a_past_instant_it_is_shown_as_known_then_and_nothing_can_be_pressed(tower):
    exception_id = late(tower, 0, FRIDAY - timedelta(minutes=40))
    exceptions.assign(tower.store, {exception_id: 1}, "Mira", "Mira", FRIDAY - timedelta(minutes=5))

    app = visit("exceptions", exception=exception_id, as_of="2026-11-20T11:00")

    assert "owner dispatcher" in words(app)
    assert "What is past can be looked at, not changed" in words(app)
    assert "Take it" not in buttons(app)
    assert "Nothing needs anybody now" in words(visit("exceptions", as_of="2026-11-20T10:00"))


def test_an_exception_of_weeks_ago_is_out_of_the_queue_and_still_found_by_its_link(tower):
    long_ago = FRIDAY - timedelta(days=20)
    root = raised(tower.store, "vehicle_broke_down", "van-9", long_ago, vehicle_id="van-9")
    raised(tower.store, "will_be_late", "D-old", long_ago, root_id=root, recipient="Ada", vehicle_id="van-9")

    assert exceptions.queue(tower.store, FRIDAY).empty
    app = visit("exceptions", exception=root)

    assert "Vehicle broke down · van-9" in words(app)
    assert "is not on record here" not in words(app)
    assert "Ada" in frame(app, "What this exception covers").recipient.tolist()


def test_an_exception_of_elsewhere_is_no_error(tower):
    assert "is not on record here" in words(visit("exceptions", exception="nobody"))
    assert "is not on record in this scope" in words(visit(chosen="exception~nobody"))


@pytest.mark.parametrize("page", ["live", "exceptions"])
def test_very_long_names_and_an_unknown_stake_are_shown(tower, page):
    exception_id = late(tower, recipient=LONG, words=LONG, stake=None)

    app = visit(page, exception=exception_id, chosen=f"exception~{exception_id}")

    assert shows_no_error(app)
    assert LONG.strip() in words(app)
    assert "**unknown** at stake" in words(app)


# Response


def test_response_shows_the_measured_times_with_those_that_still_wait(tower):
    at = FRIDAY - timedelta(minutes=60)
    ids = [late(tower, place, at) for place in range(3)]
    exceptions.assign(tower.store, {ids[0]: 1}, "Mira", "Mira", at + timedelta(minutes=6))
    exceptions.assign(tower.store, {ids[1]: 1}, "Jo", "Jo", at + timedelta(minutes=10))
    exceptions.resolve(
        tower.store, {ids[0]: 2}, exceptions.Outcome.PREVENTED, "moved", "Mira", at + timedelta(minutes=30)
    )

    app = visit("response", period="Today")

    assert shows_no_error(app)
    shown = metrics(app)
    assert shown["Time to detect"] == "30\u202fs"
    assert shown["Time to acknowledge"] == "10\u202fmin"  # 6, 10 and one that waits
    assert shown["Time to resolve"] == "not reached"  # one of three is closed
    assert shown["Time to first action"] == "not reached"
    assert shown["Prevented"] == "100.0\u202f%"
    assert "n 3 · 1 waiting" in words(app)
    assert "n 3 · 2 open for 1\u202fh" in words(app)
    assert "fewer than half have got there" in words(app)


def test_response_is_split_by_rule_and_owner_and_goes_down_to_its_rows(tower):
    at = FRIDAY - timedelta(minutes=60)
    ids = [late(tower, place, at) for place in range(2)]
    exceptions.assign(tower.store, {ids[0]: 1}, "Mira", "Jo", at + timedelta(minutes=6))

    by_rule = frame(visit("response", period="Today"), "Response by group")
    by_owner = frame(visit("response", period="Today", by="Owner"), "Response by group")

    assert by_rule.name.tolist() == [exceptions.find("will_be_late").label]
    assert by_rule.n.tolist() == [2]
    assert sorted(by_owner.name) == ["Mira", "nobody yet"]
    assert frame(visit("response", period="Today", by="Severity"), "Response by group").n.sum() == 2
    rows = frame(visit("response", period="Today"), "Exceptions behind")
    assert len(rows) == 2
    assert rows.acknowledge_minutes.notna().sum() == 1


def test_response_says_so_where_nothing_was_noticed(tower):
    assert "No exception was noticed in this period and scope" in words(visit("response", period="Yesterday"))


def test_the_curve_of_what_is_still_open_is_the_product_limit_estimate():
    # ends after 10, 20 and 40 minutes; two more watched for 20 and 30 and still open
    rows = pd.DataFrame(
        {"resolve_minutes": [10.0, 20.0, 20.0, 30.0, 40.0], "resolved": [True, True, False, False, True]}
    )

    curve = still_open(rows)

    assert curve.minutes.tolist() == [0, 10, 20, 40, 40]
    assert curve.share_open.tolist() == pytest.approx([1, 4 / 5, 4 / 5 * 3 / 4, 0, 0])
    assert curve.at_risk.tolist() == [5, 5, 4, 1, 1]


def test_the_curve_of_nothing_closed_stays_at_all_as_long_as_it_was_watched():
    curve = still_open(pd.DataFrame({"resolve_minutes": [5.0, 12.0], "resolved": [False, False]}))

    assert curve.share_open.tolist() == [1, 1]
    assert curve.minutes.tolist() == [0, 12]
