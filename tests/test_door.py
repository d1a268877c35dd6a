"""The routes for other systems on a bare Starlette: who is let in, what is answered, and that nothing bad is a 500."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from lastmile import api, exceptions, kpis, notifications
from lastmile.adapters import FORMATS
from lastmile.api import bodies, document, sending
from lastmile.connections import Buckets, Connection, TokenScope, sign
from lastmile.errors import DiskFull
from lastmile.intake import KINDS, Busy, waiting
from lastmile.notifications import Contact, Sender
from lastmile.notifications.asking import WEBHOOK
from lastmile.notifications.webhook import Webhooks
from tests.conftest import FRIDAY
from tests.receiving import web_server

WRITES = [scope for scope in TokenScope if scope.value.endswith(":write")]
SCAN = {"event": "delivered", "delivery_id": "D-1", "occurred_at": FRIDAY.isoformat()}
BODIES = {
    "events": SCAN,
    "orders": {"delivery_id": "D-1", "day": "2026-11-20"},
    "positions": {"vehicle_id": "V", "occurred_at": FRIDAY.isoformat(), "lon": 13.4, "lat": 52.5},
    "condition-readings": {"vehicle_id": "V", "occurred_at": FRIDAY.isoformat(), "celsius": 4.5},
}


@pytest.fixture
def client() -> TestClient:
    return TestClient(Starlette(routes=api.routes()), raise_server_exceptions=True)


@pytest.fixture
def tower(empty_tower):
    empty_tower.door.register.connect(Connection("erp", "The ERP", "Europe/Berlin"), "somebody")
    return empty_tower


def token(tower, *scopes: TokenScope) -> dict[str, str]:
    made = tower.door.register.make_token("erp", scopes or list(TokenScope), "test", "somebody")
    return {"authorization": f"Bearer {made.secret}"}


def ledger(tower):
    """The store, once all that was accepted is in the ledger."""
    assert tower.door.intake.settle(30)
    return tower.store


# Receipts of notices


def sent_notice(tower) -> str:
    """A notice to a webhook that has answered: the id that comes back in a receipt."""
    with web_server() as hooked:
        notifications.keep_contact(tower.store, Contact("Pager", (), None, hooked.url), "ann")
        facts = {"what": "Van 7 broke down", "age": "12 minutes", "why": "Nobody has taken it on"}
        notifications.tell_staff(tower.store, "Pager", "staff_escalation", "exception 1", "ann", tower.now(), **facts)
        channels = {WEBHOOK: Webhooks(lambda: "secret")}
        assert Sender(tower.store, tower.now, channels=channels).step() == 1
        return json.loads(hooked.posts[0][2])["notice_id"]


def test_a_receipt_is_on_record_when_it_is_answered(client, tower):
    row = {"notice_id": sent_notice(tower), "outcome": "failed", "words": "nobody reads it"}
    sent = [row, row, row | {"notice_id": "1b4e28ba-2fa1-11d2-883f-0016d3cca427"}]
    answer = client.post("/api/v1/notification-receipts", json=sent, headers=token(tower, TokenScope.RECEIPTS))

    assert answer.status_code == 202
    assert [one["outcome"] for one in answer.json()["rows"]] == ["taken", "repeated", "refused"]
    assert tower.store.value("select words from notice_event where type = 'notification_failed'") == ("nobody reads it")


@pytest.mark.parametrize(
    ("sent", "status", "told"),
    [
        (
            {"notice_id": "1b4e28ba-2fa1-11d2-883f-0016d3cca427", "outcome": "delivered"},
            422,
            "of no notice of this tower",
        ),
        ({"outcome": "delivered"}, 422, "send back the notice_id"),
        ([], 400, "no row"),
        ("delivered", 400, "An object, or a list of objects"),
    ],
)
def test_a_receipt_that_fits_no_notice_is_told_so(client, tower, sent, status, told):
    answer = client.post("/api/v1/notification-receipts", json=sent, headers=token(tower, TokenScope.RECEIPTS))

    assert answer.status_code == status
    assert told in answer.json()["detail"]


def test_a_mail_that_is_no_report_is_told_so_and_a_token_for_events_may_send_none(client, tower):
    mail = {"content-type": "message/rfc822"}
    answer = client.post("/api/v1/notification-receipts", content="Hello", headers=token(tower) | mail)
    assert (answer.status_code, "no delivery status notification" in answer.json()["detail"]) == (400, True)
    other = client.post("/api/v1/notification-receipts", json={}, headers=token(tower, TokenScope.EVENTS))
    assert (other.status_code, "receipts:write" in other.json()["detail"]) == (403, True)


# Rows


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_of_each_kind_that_is_answered_is_on_record(client, tower, kind):
    answer = client.post(f"/api/v1/{kind}", json=BODIES[kind], headers=token(tower))

    assert (answer.status_code, answer.json()["taken"]) == (202, 1)
    table = "booking" if kind == "orders" else "event"
    assert ledger(tower).value(f"select count(*) from {table}") == 1


def test_a_batch_is_answered_row_by_row(client, tower):
    sent = [SCAN, SCAN, SCAN | {"event": "wobbled"}, {"event": "loaded"}, 7]

    answer = client.post("/api/v1/events", json=sent, headers=token(tower))

    said = answer.json()
    assert answer.status_code == 202
    assert (said["received"], said["taken"], said["repeated"], said["refused"]) == (5, 2, 1, 2)
    assert [row["outcome"] for row in said["rows"]] == ["taken", "repeated", "taken", "refused", "refused"]
    assert said["rows"][2]["notes"] == ["unmapped"]
    assert [problem["field"] for problem in said["rows"][3]["problems"]] == ["occurred_at"]
    assert waiting(ledger(tower), "erp") == 2


def test_where_no_row_is_taken_the_answer_names_field_and_row_and_says_what_to_do(client, tower):
    answer = client.post("/api/v1/events", json=[SCAN | {"occurred_at": "soon"}], headers=token(tower))

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"] == (
        "No row was taken. row 0, occurred_at: this is not an instant of the years 2000 to 2099; "
        "write it in quotes as 2026-03-02T09:18:00+01:00 or 2026-03-02T08:18:00Z."
    )
    assert answer.json()["rows"][0]["problems"][0]["value"] == "soon"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"event": NaN}', "NaN is not JSON"),
        (b"9" * 5_000, "not JSON"),
        (b"[]", "no row"),
        (b"null", "an object, or a list"),
        (b'"delivered"', "an object, or a list"),
    ],
)
def test_a_body_that_can_not_be_read_is_a_400_in_words(client, tower, body, told):
    headers = token(tower) | {"content-type": "application/json"}
    answer = client.post("/api/v1/events", content=body, headers=headers)

    assert answer.status_code == 400
    assert told.lower() in answer.json()["detail"].lower()


@pytest.mark.parametrize(
    "value", [None, True, -1, 1e308, "", "\u0000", "x" * 3_000, [], {}, [[[]]], "\ud800", {"a": {"b": [1]}}], ids=repr
)
def test_no_value_in_any_field_of_any_kind_is_answered_with_a_500(client, tower, value):
    headers = token(tower) | {"content-type": "application/json"}
    for kind, row in BODIES.items():
        rows = [row | {name: value} for name in KINDS[kind].fields] + [{"a\ud800": value}]
        answer = client.post(f"/api/v1/{kind}", content=json.dumps(rows), headers=headers)
        assert answer.status_code in (202, 422), answer.text
        assert len(answer.json()["rows"]) == len(rows)


def test_a_body_of_another_kind_or_packed_is_a_415(client, tower):
    headers = token(tower)

    form = client.post("/api/v1/events", data={"event": "x"}, headers=headers)
    packed = client.post("/api/v1/events", json=SCAN, headers=headers | {"content-encoding": "gzip"})

    assert (form.status_code, packed.status_code) == (415, 415)
    assert "application/json" in form.json()["detail"]


def test_too_much_at_once_is_a_413_and_nothing_of_it_is_taken(client, tower, monkeypatch):
    monkeypatch.setattr(sending, "MOST_ROWS", 3)
    monkeypatch.setattr(bodies, "MOST_BYTES", 1_000)
    headers = token(tower)

    rows = client.post("/api/v1/events", json=[{}] * 4, headers=headers)
    announced = client.post("/api/v1/events", content=b"x" * 1_001, headers=headers)
    streamed = client.post("/api/v1/events", content=iter([b"x" * 600, b"x" * 600]), headers=headers)

    assert [answer.status_code for answer in (rows, announced, streamed)] == [413, 413, 413]
    assert waiting(tower.store) == 0


def test_what_all_bodies_together_may_hold_in_memory_is_bounded(client, tower, monkeypatch):
    monkeypatch.setattr(bodies, "MOST_BYTES_AT_ONCE", 10)

    answer = client.post("/api/v1/events", json=SCAN, headers=token(tower))

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    monkeypatch.undo()
    assert bodies._reserved == 0


def test_a_body_that_does_not_come_is_a_408(tower, monkeypatch):
    monkeypatch.setattr(bodies, "MOST_SECONDS", 0.05)
    made = tower.door.register.make_token("erp", [TokenScope.EVENTS], "test", "somebody")
    headers = [(b"authorization", f"Bearer {made.secret}".encode()), (b"content-length", b"5")]
    scope = {
        "type": "http", "method": "POST", "path": "/api/v1/events", "raw_path": b"/api/v1/events", "query_string": b"",
        "headers": headers, "client": ("127.0.0.1", 1), "server": ("x", 80), "scheme": "http", "http_version": "1.1",
    }  # fmt: skip
    answers = []

    async def receive():
        await asyncio.sleep(10)

    async def send(message):
        answers.append(message)

    # in a thread of its own: the one of the tests may hold the browser's event loop
    ThreadPoolExecutor(1).submit(asyncio.run, Starlette(routes=api.routes())(scope, receive, send)).result()

    assert answers[0]["status"] == 408


# Who may


@pytest.mark.parametrize(
    "route",
    [*(f"POST /api/v1/{name}" for name in [*KINDS, *FORMATS]), "GET /api/v1/deliveries/erp:D-1", "GET /api/v1/epcis/erp:D-1",
     "GET /api/v1/kpis?kpi=on_time_rate", "GET /api/v1/exceptions", "GET /metrics"],
)  # fmt: skip
def test_nothing_is_taken_and_nothing_told_without_a_token_that_allows_it(client, tower, route):
    method, path = route.split()
    needs = {"GET": {TokenScope.READ}, "POST": set(WRITES)}[method] if path != "/metrics" else {TokenScope.METRICS}
    others = [scope for scope in TokenScope if scope not in needs]

    bare = client.request(method, path)
    unknown = client.request(method, path, headers={"authorization": "Bearer lm_0123456789ab_x"})
    basic = client.request(method, path, headers={"authorization": "Basic bG06bG0="})
    wrong = client.request(method, path, headers=token(tower, *others))

    assert [answer.status_code for answer in (bare, unknown, basic, wrong)] == [401, 401, 401, 403]
    assert bare.headers["www-authenticate"].startswith("Bearer")
    assert "scope" in wrong.json()["detail"]
    assert tower.store.value("select count(*) from event") + waiting(tower.store) == 0


def test_a_token_that_was_taken_back_opens_nothing_at_once(client, tower):
    made = tower.door.register.make_token("erp", [TokenScope.EVENTS], "test", "somebody")
    headers = {"authorization": f"Bearer {made.secret}"}
    assert client.post("/api/v1/events", json=SCAN, headers=headers).status_code == 202

    tower.door.register.revoke(made.credential.credential_id, "somebody")

    assert client.post("/api/v1/events", json=SCAN, headers=headers).status_code == 401


def test_only_health_and_documentation_are_open_to_all(client, tower):
    for path in ("/healthz", "/readyz", "/api", "/api/v1/openapi.json"):
        assert client.get(path).status_code == 200


def test_who_sends_too_much_is_told_when_to_come_again(client, tower):
    headers = token(tower)
    tower.door.rows = Buckets(per_second=1, burst=5)

    assert client.post("/api/v1/events", json=[SCAN] * 5, headers=headers).status_code == 202
    answer = client.post("/api/v1/events", json=[SCAN] * 3, headers=headers)

    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "3"
    assert (
        client.post("/api/v1/events", json=SCAN, headers=token(tower)).status_code == 202
    )  # another token's own bucket


def test_an_address_that_shows_many_wrong_tokens_is_slowed_and_right_ones_are_not(client, tower):
    tower.door.strangers = Buckets(per_second=0.001, burst=3)
    wrong = {"authorization": "Bearer lm_0123456789ab_x"}

    assert [client.get("/api/v1/exceptions", headers=wrong).status_code for _ in range(4)] == [401, 401, 401, 429]
    assert client.get("/api/v1/exceptions", headers=token(tower)).status_code == 200


@pytest.mark.parametrize(
    ("error", "after"),
    [(Busy("More is coming in than can be written.", 7), "7"), (DiskFull("The disk is full."), "60")],
)
def test_what_can_not_be_written_now_is_a_503_with_when_to_come_again(client, tower, monkeypatch, error, after):
    def refuse(*_):
        raise error

    monkeypatch.setattr(tower.door, "send", refuse)
    answer = client.post("/api/v1/events", json=SCAN, headers=token(tower))

    assert (answer.status_code, answer.headers["retry-after"]) == (503, after)


def test_readyz_says_no_once_the_tower_stops_taking(client, tower):
    tower.door.stop()

    assert client.get("/readyz").status_code == 503
    assert client.post("/api/v1/events", json=SCAN, headers=token(tower)).status_code == 503


# Formats, webhooks, phones


@pytest.mark.parametrize("format", FORMATS)
def test_the_example_of_each_format_is_taken_and_once_only(client, tower, format):
    example, media_type = FORMATS[format].example, FORMATS[format].media_types[0]
    headers = token(tower) | {"content-type": media_type}

    first = client.post(f"/api/v1/{format}", content=example, headers=headers)
    again = client.post(f"/api/v1/{format}", content=example, headers=headers)

    assert (first.status_code, first.json()["refused"]) == (202, 0)
    assert first.json()["taken"] >= 1
    assert (again.json()["taken"], again.json()["repeated"]) == (0, first.json()["received"])


@pytest.mark.parametrize("format", FORMATS)
def test_a_body_that_is_not_of_the_format_is_a_400(client, tower, format):
    answer = client.post(f"/api/v1/{format}", content=b"\x00 nothing", headers=token(tower))

    assert answer.status_code == 400
    assert FORMATS[format].title.split()[-1] in answer.json()["detail"] or "not JSON" in answer.json()["detail"]


def webhook(tower, format: str, secret: str | None = None):
    return tower.door.register.make_webhook("erp", format, WRITES, "test", "somebody", secret)


def test_a_signed_message_needs_no_token_and_what_is_refused_of_it_is_no_failure_of_the_sender(client, tower):
    made = webhook(tower, "events")
    body = json.dumps([SCAN, {"event": "x"}]).encode()
    signed = {"lastmile-signature": sign(made.secret, body, int(time.time()))}

    answer = client.post(f"/api/v1/webhooks/{made.credential.credential_id}", content=body, headers=signed)
    all_bad = client.post(
        f"/api/v1/webhooks/{made.credential.credential_id}",
        content=b"[1]",
        headers={"lastmile-signature": sign(made.secret, b"[1]", int(time.time()))},
    )

    assert (answer.status_code, answer.json()["taken"], answer.json()["refused"]) == (202, 1, 1)
    assert (all_bad.status_code, all_bad.json()["refused"]) == (202, 1)
    assert waiting(ledger(tower), "erp") == 2


def test_a_message_that_is_not_signed_so_is_not_taken(client, tower):
    made, body = webhook(tower, "events"), json.dumps(SCAN).encode()
    path = f"/api/v1/webhooks/{made.credential.credential_id}"
    old = sign(made.secret, body, int(time.time()) - 301)

    answers = [
        client.post(path, content=body),
        client.post(path, content=body, headers={"lastmile-signature": old}),
        client.post(
            path, content=body + b" ", headers={"lastmile-signature": sign(made.secret, body, int(time.time()))}
        ),
        client.post("/api/v1/webhooks/nobody", content=body),
    ]

    assert [answer.status_code for answer in answers] == [401, 401, 401, 404]
    assert tower.store.value("select count(*) from event") == 0


@pytest.mark.parametrize(
    ("format", "header", "digest", "prefix"),
    [
        ("easypost", "x-hmac-signature", hashlib.sha256, "hmac-sha256-hex="),
        ("onfleet", "x-onfleet-signature", hashlib.sha512, ""),
    ],
)
def test_easypost_and_onfleet_sign_in_their_own_way(client, tower, format, header, digest, prefix):
    made = webhook(tower, format, "c0ffee")
    key = bytes.fromhex("c0ffee") if format == "onfleet" else b"c0ffee"
    body = FORMATS[format].example.encode()
    signed = {header: prefix + hmac.new(key, body, digest).hexdigest()}

    answer = client.post(f"/api/v1/webhooks/{made.credential.credential_id}", content=body, headers=signed)

    assert (answer.status_code, answer.json()["refused"]) == (202, 0)


def test_onfleet_gets_its_word_back_before_it_sends(client, tower):
    path = f"/api/v1/webhooks/{webhook(tower, 'onfleet').credential.credential_id}"

    answer = client.get(f"{path}?check=abc123")

    assert (answer.status_code, answer.text) == (200, "abc123")
    assert answer.headers["content-type"].startswith("text/plain")
    assert client.get(f"{path}?check=<script>").status_code == 400
    assert client.get("/api/v1/webhooks/nobody?check=abc").status_code == 404


def test_a_phone_sends_its_position_by_a_link(client, tower):
    made = tower.door.register.make_token("erp", [TokenScope.POSITIONS], "phones", "somebody")
    query = f"id=V-3&lat=52.5&lon=13.4&timestamp={int(FRIDAY.timestamp())}&speed=10"

    answers = [
        client.get(f"/api/v1/osmand/{made.secret}?{query}"),
        client.post(f"/api/v1/osmand/{made.secret}?{query}"),
        client.get(f"/api/v1/osmand/{made.secret}?id=V-3"),
        client.get(f"/api/v1/osmand/lm_x_y?{query}"),
    ]

    assert [answer.status_code for answer in answers] == [202, 202, 422, 401]
    event = ledger(tower).ask("from event").iloc[0]
    assert (event.type, event.vehicle_id, json.loads(event.payload)) == ("position", "V-3", {"speed_kmh": 18.52})
    assert tower.store.value("select count(*) from event") == 1


# Questions


def test_a_delivery_is_told_with_its_history_and_as_it_was_known(client, tower):
    headers = token(tower)
    client.post("/api/v1/orders", json=BODIES["orders"] | {"recorded_at": "2026-11-19T08:00:00Z"}, headers=headers)
    client.post("/api/v1/events", json=SCAN, headers=headers)

    now = client.get("/api/v1/deliveries/erp:D-1", headers=headers).json()
    before = client.get("/api/v1/deliveries/erp:D-1?as_of=2026-11-19T09:00:00Z", headers=headers).json()

    assert (now["state"], now["day"], [event["type"] for event in now["history"]]) == (
        "delivered",
        "2026-11-20",
        ["delivered"],
    )
    assert (before["state"], before["history"]) == ("received", [])


def test_a_deliverys_events_are_told_as_epcis(client, tower):
    headers = token(tower)
    client.post("/api/v1/events", json=SCAN, headers=headers)

    answer = client.get("/api/v1/epcis/erp:D-1", headers=headers)

    assert answer.headers["content-type"] == "application/ld+json"
    assert [event["bizStep"] for event in answer.json()["epcisBody"]["eventList"]] == ["accepting"]


@pytest.fixture
def demo(stand_on, demo_database):
    tower = stand_on(demo_database)
    tower.door.register.connect(Connection("erp", "The ERP", "Europe/Berlin"), "somebody")
    return tower


def test_figures_are_those_that_measure_gives(client, demo):
    days = {"day_from": date(2026, 11, 18), "day_to": date(2026, 11, 19)}
    question = "/api/v1/kpis?kpi=on_time_rate&kpi=late_rate&from=2026-11-18&to=2026-11-19&by=depot"

    answer = client.get(question, headers=token(demo)).json()

    measured = kpis.measure(demo.store, ["on_time_rate", "late_rate"], by=("depot",), **days)
    assert len(answer["figures"]) == len(measured) > 0
    assert [figure["value"] for figure in answer["figures"]] == measured.value.tolist()


def test_exceptions_are_the_queue_the_dearest_and_most_urgent_first(client, demo):
    answer = client.get("/api/v1/exceptions", headers=token(demo)).json()
    queued = exceptions.queue(demo.store, demo.now())

    assert answer["day"] == "2026-11-20"
    assert [one["exception_id"] for one in answer["exceptions"]] == queued.exception_id.tolist() != []
    ranks = [one["rank"] for one in answer["exceptions"]]
    assert ranks == sorted(ranks, reverse=True)


@pytest.mark.parametrize(
    ("path", "status", "told"),
    [
        ("deliveries/erp:nobody", 404, "no delivery"),
        ("deliveries/erp%3AD%00", 404, "no delivery"),
        ("deliveries/erp:D-1?as_of=yesterday", 400, "as_of"),
        ("deliveries/erp:D-1?as_of=2026-11-19T09:00:00", 400, "as_of"),
        ("deliveries/erp:D-1?until=x", 400, "until"),
        ("kpis", 400, "kpi="),
        ("kpis?kpi=luck", 400, "luck"),
        ("kpis?kpi=on_time_rate&by=colour", 400, "colour"),
        ("kpis?kpi=on_time_rate&from=2026-02-30", 400, "from"),
        ("kpis?kpi=on_time_rate&from=2026-03-02&to=2026-03-01", 400, "from"),
        ("exceptions?depot=nowhere&colour=red", 400, "colour"),
    ],
)
def test_a_question_that_makes_no_sense_is_told_why(client, tower, path, status, told):
    answer = client.get(f"/api/v1/{path}", headers=token(tower))

    assert answer.status_code == status
    assert told in answer.json()["detail"]


# Around


def test_counters_tell_rows_by_source_and_outcome(client, tower):
    headers = token(tower)
    client.post("/api/v1/events", json=[SCAN, SCAN, {"event": "x"}], headers=headers)
    ledger(tower)

    text = client.get("/metrics", headers=headers).text

    for outcome in ("taken", "repeated", "refused"):
        assert f'lastmile_rows_total{{outcome="{outcome}",source="erp"}} 1.0' in text
    assert 'lastmile_requests_total{route="events",status="202"} 1.0' in text
    assert "lastmile_rows_waiting 0.0" in text


def test_the_memory_of_a_source_holds_its_last_errors(client, tower):
    client.post("/api/v1/events", json={"event": "x"}, headers=token(tower))

    heard = tower.door.metrics.heard("erp")

    assert (heard.requests, heard.rows) == (1, {"refused": 1})
    assert [(trouble.status, trouble.route) for trouble in heard.troubles] == [(422, "events")]
    assert "occurred_at" in heard.troubles[0].told


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/events", 405),
        ("DELETE", "/api/v1/deliveries/x", 405),
        ("GET", "/api/v1/nothing", 404),
        ("PUT", "/api/x", 404),
    ],
)
def test_what_there_is_not_is_told_in_words_and_not_with_the_towers_page(client, tower, method, path, status):
    answer = client.request(method, path)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert ("allow" in answer.headers) == (status == 405)


def test_the_document_names_each_route_that_there_is():
    served = {
        (route.path.replace(":any", ""), method)
        for route in api.routes()
        for method in getattr(route, "methods", ()) or ()
        if method != "HEAD" and (route.path.startswith("/api/v1/") or route.path in ("/healthz", "/readyz", "/metrics"))
        and route.path != "/api/v1/openapi.json"
    }  # fmt: skip
    said = {(path, method.upper()) for path, routes in document.document()["paths"].items() for method in routes}

    assert served - said == {("/api/v1/osmand/{token}", "POST")}  # the same as GET, for apps that can't
    assert said <= served


def test_the_page_for_people_names_each_field_and_route(client):
    page = client.get("/api").text

    assert all(f"<code>{name}</code>" in page for kind in KINDS.values() for name in kind.fields)
    assert all(path in page for path in document.document()["paths"])
    assert "<script" not in page
