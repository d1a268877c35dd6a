"""The page Connections through the tower's own script: the first system, tokens shown once, what was not taken."""

from __future__ import annotations

import json

import pytest

from lastmile.connections import Connection, TokenScope
from lastmile.intake import KINDS, waiting
from lastmile.intake.receiving import judged_rows
from tests.conftest import FRIDAY
from tests.test_pages import frame, metrics, shows_no_error, visit, words

pytestmark = pytest.mark.xdist_group("pages")

ERP = Connection("erp", "The ERP", "Europe/Berlin")
GOOD = {"event": "loaded", "delivery_id": "D-1", "occurred_at": FRIDAY.isoformat()}
BAD = GOOD | {"occurred_at": "soon"}


@pytest.fixture
def tower(empty_tower):
    empty_tower.door.register.connect(ERP, "somebody")
    return empty_tower


def send(tower, *rows: dict) -> None:
    judged = judged_rows(KINDS["events"], list(rows), ERP, tower.now())
    tower.door.send(None, ERP, judged, 0, tower.now()).result(30)
    assert tower.door.intake.settle(30)


def fill(app, label: str, value: str) -> None:
    next(one for one in app.text_input if one.label == label).set_value(value)


def press(app, label: str):
    next(button for button in app.button if button.label == label).click()
    return app.run()


def test_without_any_system_the_page_says_what_one_may_do_and_connects_it(empty_tower):
    app = visit("connections")
    assert "No other system is connected yet" in words(app)

    fill(app, "Source", "erp")
    fill(app, "What people call it", "The ERP")
    app = press(app, "Connect")

    assert shows_no_error(app)
    assert frame(app, "Connected systems").source.tolist() == ["erp"]
    assert empty_tower.door.register.connection("erp").name == "The ERP"


def test_a_source_that_can_not_be_named_so_is_told_why(empty_tower):
    app = visit("connections")
    fill(app, "Source", "The ERP")

    app = press(app, "Connect")

    assert "small letters" in app.error[0].value


def test_a_token_is_shown_until_it_is_copied_and_then_nowhere(tower):
    app = visit("connections", source="erp")
    fill(app, "What is it for?", "Handhelds")
    app.multiselect[0].set_value([TokenScope.EVENTS])
    app = press(app, "Make")

    token = app.code[0].value
    assert tower.door.register.token(token).label == "Handhelds"
    app = press(app, "I have copied it")
    assert shows_no_error(app)
    assert token not in words(app) + "".join(code.value for code in app.code)
    assert frame(app, "Tokens and webhooks").label.tolist() == ["Handhelds"]


def test_a_token_without_a_scope_is_not_made(tower):
    app = press(visit("connections", source="erp"), "Make")

    assert "events:write" in app.error[0].value


def test_a_token_is_taken_back(tower):
    made = tower.door.register.make_token("erp", [TokenScope.READ], "reports", "somebody")

    app = press(visit("connections", source="erp"), "Take it back")

    assert shows_no_error(app)
    assert tower.door.register.token(made.secret) is None
    assert frame(app, "Tokens and webhooks").revoked_at.notna().all()


def test_a_system_shows_its_last_event_latency_and_what_waits(tower):
    earlier = GOOD | {"occurred_at": "2026-11-20T10:03:00Z"}  # twelve minutes before the tower learns of it
    send(tower, earlier, BAD)

    app = visit("connections", source="erp")

    shown = metrics(app)
    assert shown["Last event"].replace("\u202f", " ") == "0 min ago"
    assert shown["Latency P50"].replace("\u202f", " ") == "12 min"
    assert (shown["Taken since the start"], shown["In quarantine"]) == ("1", "1")
    assert frame(app, "Rows in quarantine").problem.str.startswith("occurred_at: this is not an instant").all()


def test_a_row_in_quarantine_is_mended_and_sent_again(tower):
    send(tower, BAD)
    app = visit("connections", source="erp")
    app.session_state["quarantined row"] = _waiting_id(tower)
    app = app.run()

    app = press(app, "Send again")
    assert "refused once more" in app.error[0].value
    app.text_area[0].set_value(json.dumps(GOOD))
    app = press(app, "Send again")

    assert shows_no_error(app)
    assert waiting(tower.store) == 0
    assert tower.store.value("select count(*) from event where delivery_id = 'erp:D-1'") == 1


def test_what_is_no_json_is_told_where(tower):
    send(tower, BAD)
    app = visit("connections", source="erp")
    app.session_state["quarantined row"] = _waiting_id(tower)
    app = app.run()
    app.text_area[0].set_value('{"event": ')

    app = press(app, "Send again")

    assert "line 1" in app.error[0].value
    assert waiting(tower.store) == 1


def test_a_row_is_discarded_and_stays_on_record(tower):
    send(tower, BAD)
    app = visit("connections", source="erp")
    app.session_state["quarantined row"] = _waiting_id(tower)

    app = press(app.run(), "Discard")

    assert shows_no_error(app)
    assert waiting(tower.store) == 0
    assert tower.store.value("select count(*) from quarantined_row") == 1


def test_all_rows_are_sent_again_at_once(tower):
    send(tower, BAD, BAD | {"delivery_id": "D-2"})

    app = press(visit("connections", source="erp"), "Send all 2 again")

    assert shows_no_error(app)
    assert waiting(tower.store) == 2  # they are as wrong as before


def test_requests_of_nobody_who_is_known_are_shown(tower):
    tower.door.metrics.answered("events", 401, 0.01, told="This token is not known here, or was taken back.")

    app = visit("connections")

    assert frame(app, "Requests that were declined").told.tolist() == [
        "This token is not known here, or was taken back."
    ]


def _waiting_id(tower) -> str:
    return tower.store.value("select row_id::varchar from quarantined_row")
