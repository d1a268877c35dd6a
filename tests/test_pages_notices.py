"""The page Notices through the tower's own script: the outbox with reasons, the register, the rules, a test, a retry."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lastmile import notifications
from lastmile.notifications import Contact, Sender, outbox, settings
from lastmile.notifications.asking import EMAIL
from lastmile.notifications.mail import Mail, Server
from tests.receiving import mail_server
from tests.test_pages import frame, metrics, shows_no_error, visit, words
from tests.test_pages_connections import fill, press

pytestmark = pytest.mark.xdist_group("pages")

FACTS = {"what": "Van 7 broke down", "age": "12 minutes", "why": "Nobody has taken it on"}
ANN = Contact("Ann", ("operations manager",), "ann@example.com")


def tell(tower, change: str = "exception 1") -> str:
    notifications.keep_contact(tower.store, ANN, "ann")
    notifications.tell_staff(tower.store, "Ann", "staff_escalation", change, "system", tower.now(), **FACTS)
    return outbox.notices(tower.store, tower.now()).notice_id[0]


def open_tab(name: str):
    app = visit("notices")
    app.session_state["notice tabs"] = name
    return app.run()


def test_without_a_mail_server_the_page_says_so_and_shows_nothing_as_sent(empty_tower):
    tell(empty_tower)
    app = visit("notices")

    assert shows_no_error(app)
    assert "No e-mail goes out: no mail server is set up (LASTMILE_SMTP)" in words(app)
    shown = frame(app, "Notices that were asked for").iloc[0]
    assert (shown.shown, shown.why) == ("○ waiting", "Not sent: no mail server is set up (LASTMILE_SMTP)")
    assert (metrics(app)["Waiting"], metrics(app)["Sent, no receipt"], metrics(app)["Delivered"]) == ("1", "0", "0")


def test_one_notice_shows_its_text_and_a_failed_one_can_be_tried_again(empty_tower):
    with mail_server() as inbox:
        inbox.refuses["ann@example.com"] = "550 No such user"
        notice_id = tell(empty_tower)
        channels = {EMAIL: Mail(Server("127.0.0.1", inbox.port), "tower@example.com")}
        Sender(empty_tower.store, empty_tower.now, channels=channels).step()
    app = visit("notices")
    app.session_state["chosen notice"] = notice_id
    app.run()

    assert "Van 7 broke down" in app.text[0].value
    assert "550" in frame(app, "Notices that were asked for").why[0]
    app = press(app, "Try again")
    assert shows_no_error(app)
    assert outbox.notices(empty_tower.store, empty_tower.now()).state[0] == "waiting"


def test_somebody_is_put_into_the_register_and_told_no_more(empty_tower):
    app = open_tab("Staff")
    fill(app, "Who", "Night desk")
    fill(app, "E-mail", "desk@example.com")
    app = press(app, "Keep")
    assert notifications.staff(empty_tower.store).name.tolist() == ["Night desk"]

    app = press(app, "Tell no more")
    assert shows_no_error(app)
    assert notifications.staff(empty_tower.store).empty


def test_an_address_that_is_none_is_told_so(empty_tower):
    app = open_tab("Staff")
    fill(app, "Who", "Ann")
    fill(app, "E-mail", "ann at example")
    app = press(app, "Keep")

    assert "no e-mail address" in app.error[0].value
    assert notifications.staff(empty_tower.store).empty


def test_the_rules_are_kept(empty_tower):
    app = open_tab("Ways and rules")
    next(one for one in app.number_input if one.label.startswith("Tell of changes")).set_value(25)
    app = press(app, "Save")

    assert shows_no_error(app)
    assert settings.load(empty_tower.store).threshold_minutes == 25


def test_a_test_without_a_mail_server_says_what_is_missing(empty_tower):
    app = open_tab("Ways and rules")
    fill(app, "To (e-mail address or webhook)", "ann@example.com")
    app = press(app, "Send")

    assert "no mail server is set up" in app.error[0].value
    assert outbox.notices(empty_tower.store, empty_tower.now()).empty


def test_a_test_goes_out_even_while_the_operation_is_simulated(empty_tower):
    with mail_server() as inbox:
        empty_tower.notices.channels[EMAIL] = Mail(Server("127.0.0.1", inbox.port), "tower@example.com")
        app = open_tab("Ways and rules")
        assert "simulated, and nothing of it leaves this machine" in words(app)
        fill(app, "To (e-mail address or webhook)", "ann@example.com")
        app = press(app, "Send")

    assert "took it on" in app.info[0].value
    assert inbox.recipients == [["ann@example.com"]]


def test_all_texts_stand_there(empty_tower):
    app = open_tab("Texts")
    shown = frame(app, "Texts of notices")

    assert shows_no_error(app)
    assert {"delay_expected", "staff_escalation"} <= set(shown.kind.str.replace(" ", "_"))


def test_the_story_of_a_delivery_tells_of_its_notices(stand_on, demo_database):
    tower = stand_on(demo_database)
    address = "delivery_id in (select delivery_id from booking where email is not null)"
    delivery_id = tower.store.value(f"select delivery_id from delivery where not resolved and {address} order by 1")
    facts = {"expected": tower.now() + timedelta(hours=2)}
    asked = notifications.tell_customer(
        tower.store, [delivery_id], "delay_expected", "late", "ann", tower.now(), **facts
    )
    assert asked.outcome.tolist() == ["requested"]

    app = visit("deliveries", delivery=delivery_id)
    told = frame(app, f"Events of {delivery_id}").set_index("what").detail["notification requested"]
    assert told.startswith("delay expected by e-mail: ")
