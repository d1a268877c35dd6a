"""Telling people, on the tiny day: asked once, sent by a real mail server and a real web server, kept with receipts."""

from __future__ import annotations

import json
import shutil
import socket
import time
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time

import pandas as pd
import pytest

from lastmile import clock, notifications
from lastmile.connections import is_signed
from lastmile.errors import NotPossible
from lastmile.model import stable_id
from lastmile.notifications import Contact, Sender, Settings, bounces, outbox, receipts, settings
from lastmile.notifications.addresses import is_email, is_webhook
from lastmile.notifications.asking import EMAIL, WEBHOOK, told_window
from lastmile.notifications.channel import on_this_machine
from lastmile.notifications.mail import Mail, Server, message_id, server_of
from lastmile.notifications.timing import (
    LONGEST_WAIT,
    MOST_TRIES,
    Drop,
    Wait,
    may_go,
    next_try,
    quiet_until,
)
from lastmile.notifications.webhook import Webhooks, secret_of
from lastmile.store import DERIVED, Store
from lastmile.store.ledger import SQL
from tests.receiving import Inbox, mail_server, web_server
from tests.tiny_day import NOW, local, store_with_tiny_day

FROM = "Dispatch Süd <dispatch@example.com>"
TO = "open@example.org"
DELAY = {"expected": local("19:47"), "because": "traffic"}
MINUTE = timedelta(minutes=1)


class Hand:
    """A clock that a test moves by hand."""

    def __init__(self, at: datetime = NOW) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture(scope="module")
def addressed_file(tiny_file, tmp_path_factory):
    """The tiny day with three addresses; copied for each test."""
    store = Store.open(shutil.copy(tiny_file, tmp_path_factory.mktemp("notices")))
    for name, email in (("open", TO), ("silent", "silent@example.org"), ("early", "early@example.org")):
        book(store, name, email)
    path = store.path
    store.close()
    return path


@pytest.fixture
def store(addressed_file, tmp_path):
    store = Store.open(shutil.copy(addressed_file, tmp_path))
    yield store
    store.close()


def book(store: Store, name: str, email: str | None, **more: object) -> None:
    """The next version of a booking, a minute after the last: with an address, and what else it says."""
    row = store.ask("from booking where delivery_id = $name order by recorded_at desc limit 1", name=name)
    said = {"email": email, "language": "en"} | more | {"recorded_at": row.recorded_at[0] + MINUTE}
    said["booking_id"] = str(stable_id("tiny", name, str(said)))
    store.append({"booking": row.assign(**said)})


@pytest.fixture
def inbox():
    with mail_server() as inbox:
        yield inbox


@pytest.fixture
def hooked():
    with web_server() as hooked:
        yield hooked


def sender(store: Store, clock: Hand, port: int | None = None, **more: object) -> Sender:
    mail = Mail(Server("127.0.0.1", port), FROM) if port else Mail(None, None)
    hooks = Webhooks(lambda: settings.signing_secret(store), timeout_seconds=5)
    return Sender(store, clock, channels={EMAIL: mail, WEBHOOK: hooks}, **more)


def ask_delay(store: Store, *names: str, change: str = "late by 25", **facts: object) -> dict[str, str]:
    asked = notifications.tell_customer(store, names, "delay_expected", change, "ann", NOW, **DELAY | facts)
    return dict(zip(asked.delivery_id, asked.outcome, strict=True))


def one(store: Store, at: datetime = NOW + timedelta(days=2)):
    [row] = outbox.notices(store, at).itertuples(index=False)
    return row


# Asking


def test_a_recipient_is_told_once_of_the_same_change_however_often_it_is_asked(store, inbox):
    assert ask_delay(store, "open") == {"open": "requested"}
    assert ask_delay(store, "open", expected=local("19:50")) == {"open": "told already"}

    clock = Hand()
    assert [sender(store, clock, inbox.port).step() for _ in range(3)] == [1, 0, 0]
    assert ask_delay(store, "open") == {"open": "told already"}
    assert sender(store, clock, inbox.port).step() == 0
    assert len(inbox.messages) == 1


def test_another_change_of_the_same_delivery_is_another_notice(store):
    assert ask_delay(store, "open") == ask_delay(store, "open", change="late by 50") == {"open": "requested"}
    assert len(outbox.notices(store, NOW)) == 2


def test_it_is_asked_once_across_a_restart(store):
    ask_delay(store, "open")
    path = store.path
    store.close()

    again = Store.open(path)
    assert ask_delay(again, "open") == {"open": "told already"}
    assert one(again).state == "waiting"
    again.close()


def test_who_can_not_be_told_is_said_with_the_reason(store):
    book(store, "revised", None)
    book(store, "no_promise", "two@example.org,three@example.org")
    asked = notifications.tell_customer(
        store,
        ["revised", "no_promise", "nobody", "early"],
        "failed_attempt",
        "first try",
        "ann",
        NOW,
        reason="site closed",
    )
    assert asked.outcome.tolist() == ["no address", "no address", "unknown delivery", "requested"]
    assert ask_delay(store, "early") == {"early": "over"}  # it was handed over at 08:50
    assert asked.words[2] == "There is no delivery of this id"


def test_the_address_booked_last_counts(store):
    book(store, "silent", "new@example.org")
    asked = notifications.tell_customer(store, ["silent"], "delay_expected", "x", "ann", NOW, **DELAY)
    assert asked.words.tolist() == ["By e-mail to new@example.org"]
    book(store, "silent", None)
    assert ask_delay(store, "silent") == {"silent": "no address"}


def test_a_missing_fact_and_an_unknown_template_are_refused_and_nothing_is_asked_for(store):
    with pytest.raises(NotPossible, match="delay_expected needs expected"):
        notifications.tell_customer(store, ["open"], "delay_expected", "x", "ann", NOW)
    with pytest.raises(NotPossible, match="There is no notice 'hurry'"):
        notifications.tell_customer(store, ["open"], "hurry", "x", "ann", NOW)
    with pytest.raises(NotPossible, match="to staff, not to customer"):
        notifications.tell_customer(store, ["open"], "staff_exception", "x", "ann", NOW, what="x", due=NOW)
    assert outbox.notices(store, NOW).empty


def test_each_delivery_has_its_own_facts_and_none_of_another(store):
    when = {"open": local("19:47"), "silent": local("18:32")}
    notifications.tell_customer(store, ["open", "silent"], "delay_expected", "x", "ann", NOW, expected=when)
    said = outbox.notices(store, NOW).set_index("delivery_id")

    # 19:47 is told as the hour around 19:45, 18:32 as that around 18:30
    assert "between 19:15 and 20:15" in said.body["open"]
    assert "between 18:00 and 19:00" in said.body["silent"]
    for name, other in (("open", "silent"), ("silent", "open")):
        row = store.ask("from booking where delivery_id = $other", other=other).iloc[0]
        text = said.subject[name] + said.body[name]
        assert not any(str(part) in text for part in (other, row.recipient, row.email, row.address))
        assert not any(word in text for word in ("EUR", "€", "penalty", "Meridian"))


def test_an_instant_is_told_as_the_hour_around_it_on_round_five_minutes():
    assert told_window(local("19:47")) == (local("19:15"), local("20:15"))
    assert told_window(local("19:48")) == (local("19:20"), local("20:20"))
    assert told_window(local("19:47") + timedelta(seconds=30)) == (local("19:20"), local("20:20"))
    assert told_window(local("19:47"), now=local("19:31")) == (
        local("19:30"),
        local("20:15"),
    )  # nobody waits for the past


def test_an_older_database_gets_the_columns_and_the_register_at_its_next_start(tmp_path, monkeypatch):
    older = tmp_path / "sql"
    shutil.copytree(SQL, older)
    (older / "migrations" / "0004_notifications.sql").unlink()
    (older / "state" / "80_notices.sql").unlink()
    path = tmp_path / "older.duckdb"
    with monkeypatch.context() as patch:
        patch.setattr("lastmile.store.ledger.SQL", older)
        patch.setattr("lastmile.store.ledger.DERIVED", [one for one in DERIVED if one.table != "notice_event"])
        patch.setattr("lastmile.store.derived.DERIVED", [one for one in DERIVED if one.table != "notice_event"])
        before = store_with_tiny_day(path)
        assert "email" not in before.ask("from booking limit 0")
        before.close()

    now = Store.open(path)
    book(now, "open", TO)
    assert ask_delay(now, "open") == {"open": "requested"}
    assert notifications.staff(now).empty
    now.close()


# Staff


def test_what_is_told_to_a_role_reaches_all_who_have_it_by_each_way_they_have(store):
    notifications.keep_contact(store, Contact("Ann", ("operations manager",), "ann@example.com"), "ann")
    notifications.keep_contact(
        store, Contact("Pager", ("operations manager",), None, "https://pager.example.com/x"), "ann"
    )
    notifications.keep_contact(store, Contact("Bo", ("executive",), "bo@example.com"), "ann")
    facts = {"what": "Van 7 broke down", "age": "12 minutes", "why": "Nobody has taken it on"}

    asked = notifications.tell_staff(
        store, "operations manager", "staff_escalation", "exception 1", "system", NOW, **facts
    )
    again = notifications.tell_staff(store, "Ann", "staff_escalation", "exception 1", "system", NOW, **facts)

    assert list(zip(asked.contact, asked.outcome, strict=True)) == [("Ann", "requested"), ("Pager", "requested")]
    assert again.outcome.tolist() == ["told already"]
    nobody = notifications.tell_staff(store, "project lead", "staff_escalation", "exception 1", "system", NOW, **facts)
    assert nobody.outcome.tolist() == ["no address"]


def test_who_is_not_told_any_more_is_out_of_the_register(store):
    ann = Contact("Ann", ("executive",), "ann@example.com")
    notifications.keep_contact(store, ann, "ann")
    assert notifications.staff(store).name.tolist() == ["Ann"]
    notifications.keep_contact(store, ann, "ann", told=False)
    assert notifications.staff(store).empty


@pytest.mark.parametrize("address", ["", "a", "a@b@c", "a@b.c\nBcc: d@e.f", "a b@c.d", "a@b.c,d@e.f", "<a@b.c>"])
def test_what_is_no_one_address_is_refused(address):
    assert not is_email(address)
    with pytest.raises(NotPossible):
        Contact("Ann", (), address or None)


@pytest.mark.parametrize(
    "address", ["ftp://a.b", "https://", "https://u:p@a.b/", "https://a.b/\nx", "javascript:1", "http://a.b:0"]
)
def test_what_is_no_web_address_is_refused(address):
    assert not is_webhook(address)


# E-mail


def test_a_mail_that_the_server_took_on_is_sent_and_not_delivered(store, inbox):
    ask_delay(store, "open")
    sender(store, Hand(), inbox.port).step()

    told, [mail] = one(store), inbox.messages
    assert (told.state, told.tries) == ("sent", 1)
    assert pd.isna(told.delivered_at)
    assert told.words == f"127.0.0.1:{inbox.port} took it on, a receipt was asked for"
    assert (mail["to"].addresses[0].addr_spec, inbox.recipients) == (TO, [[TO]])
    assert mail["from"].addresses[0].display_name == "Dispatch Süd"
    assert mail["subject"] == "Your delivery open will be later than planned"
    assert mail["message-id"] == message_id(told.notice_id, "dispatch@example.com")
    assert mail["auto-submitted"] == "auto-generated"
    assert mail.get_content().splitlines()[0] == "Hello recipient of open,"
    assert inbox.asked == ["RET=HDRS", f"ENVID={told.notice_id}".upper(), "NOTIFY=SUCCESS,FAILURE"]


def test_a_recipient_that_the_server_refuses_is_failed_at_once_with_its_words(store, inbox):
    inbox.refuses[TO] = "550 5.1.1 No such user"
    ask_delay(store, "open", "silent")
    sender(store, Hand(), inbox.port).step()

    told = outbox.notices(store, NOW).set_index("delivery_id")
    assert told.state.to_dict() == {"open": "failed", "silent": "sent"}
    assert told.words["open"] == f"127.0.0.1:{inbox.port} answered 550: 5.1.1 No such user"
    assert [mail["to"].addresses[0].addr_spec for mail in inbox.messages] == ["silent@example.org"]


def test_a_temporary_failure_is_tried_again_after_a_wait_and_then_sent(store, inbox):
    inbox.answers = ["451 4.3.0 Try later", "452 4.2.2 Full"]
    ask_delay(store, "open")
    clock = Hand()
    its = sender(store, clock, inbox.port)

    its.step()
    first = one(store)
    assert first.state == "waiting"
    assert timedelta(seconds=30) <= first.next_try_at - NOW <= MINUTE
    clock.at = first.next_try_at.to_pydatetime() - timedelta(seconds=1)
    assert its.step() == 0
    clock.at += timedelta(seconds=1)
    its.step()
    second = one(store)
    assert MINUTE <= second.next_try_at - clock.at <= 2 * MINUTE
    clock.at = second.next_try_at.to_pydatetime()
    its.step()

    assert (one(store).state, one(store).tries, len(inbox.messages)) == ("sent", 3, 1)


def test_the_wait_survives_a_restart(store, inbox):
    inbox.answers = ["451 Try later"]
    ask_delay(store, "open")
    sender(store, Hand(), inbox.port).step()
    due, path = one(store).next_try_at.to_pydatetime(), store.path
    store.close()

    again = Store.open(path)
    assert sender(again, Hand(due - timedelta(seconds=1)), inbox.port).step() == 0
    assert sender(again, Hand(due), inbox.port).step() == 1
    assert one(again).state == "sent"
    again.close()


def test_after_the_last_try_it_is_failed_and_a_person_can_have_it_tried_again(store, inbox):
    inbox.answers = ["451 Not now"] * MOST_TRIES
    ask_delay(store, "open", expected=NOW + timedelta(hours=30))
    clock = Hand()
    settings.save(store, Settings(quiet_from=clock_time(0), quiet_until=clock_time(0)), "ann")
    its = sender(store, clock, inbox.port)
    for _ in range(MOST_TRIES):
        its.step()
        clock.at += LONGEST_WAIT

    failed = one(store)
    assert (failed.state, failed.tries) == ("failed", MOST_TRIES)
    assert failed.words.endswith(f"answered 451: Not now (after {MOST_TRIES} tries)")
    outbox.retry(store, failed.notice_id, "ann", clock.at)
    assert one(store).state == "waiting"
    its.step()
    assert (one(store).state, len(inbox.messages)) == ("sent", 1)
    with pytest.raises(NotPossible, match="it is sent"):
        outbox.retry(store, failed.notice_id, "ann", clock.at)


def test_while_the_server_is_down_notices_wait_and_one_try_is_enough_to_know_it(store):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    ask_delay(store, "open", "silent")
    its = sender(store, Hand(), port)

    assert its.step() == 1
    told = outbox.notices(store, NOW)
    assert told.state.tolist() == ["waiting", "waiting"]
    assert sorted(told.tries) == [0, 1]
    assert told.words.dropna().iloc[0].startswith(f"127.0.0.1:{port} could not be used:")

    with mail_server(port) as inbox:
        sender(store, Hand(NOW + 2 * MINUTE), port).step()
        assert len(inbox.messages) == 2


def test_killed_between_sending_and_recording_it_goes_out_again_with_the_same_message_id(store, inbox):
    """At least once: nobody can know whether a server that took a mail on was heard. The id lets mail programs drop the double."""
    ask_delay(store, "open")
    killed = sender(store, Hand(), inbox.port)
    killed._record = lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt)  # what is handed over is never written
    with pytest.raises(KeyboardInterrupt):
        killed.step()
    assert one(store).state == "waiting"

    sender(store, Hand(), inbox.port).step()
    assert one(store).state == "sent"
    assert len({mail["message-id"] for mail in inbox.messages}) == 1
    assert len(inbox.messages) == 2


def test_a_line_break_in_a_name_becomes_no_header(store, inbox):
    book(store, "open", TO, recipient="Mallory\r\nBcc: all@example.org\r\n\r\nBuy now")
    ask_delay(store, "open")
    sender(store, Hand(), inbox.port).step()

    [mail] = inbox.messages
    assert mail["bcc"] is None
    assert inbox.recipients == [[TO]]
    assert mail["to"].addresses[0].display_name == "Mallory Bcc: all@example.org Buy now"
    assert mail.get_content().splitlines()[0] == "Hello Mallory Bcc: all@example.org Buy now,"


def test_letters_beyond_ascii_arrive_as_they_are(store, inbox):
    book(store, "open", TO, recipient="Bäckerei Çelik & Søn", language="de")
    ask_delay(store, "open")
    sender(store, Hand(), inbox.port).step()

    [mail] = inbox.messages
    assert mail["to"].addresses[0].display_name == "Bäckerei Çelik & Søn"
    assert mail["subject"] == "Ihre Lieferung open kommt später als geplant"
    assert "voraussichtlich zwischen 19:15 und 20:15 Uhr" in mail.get_content()
    assert mail["content-language"] == "de"


def test_without_a_channel_nothing_is_sent_and_that_is_said(store):
    ask_delay(store, "open")
    clock = Hand()
    its = sender(store, clock)

    assert its.step() == 0
    assert one(store).state == "waiting"
    assert its.why_not(EMAIL, TO) == "Not sent: no mail server is set up (LASTMILE_SMTP)"
    clock.at = local("20:30")  # its expected hour is over
    its.step()
    assert one(store).state == "dropped"
    assert one(store).words == (
        "It would have come too late to be of use. Not sent: no mail server is set up (LASTMILE_SMTP)"
    )


def test_what_may_not_leave_the_machine_waits(store, inbox):
    ask_delay(store, "open")
    its = sender(store, Hand(), inbox.port, held_up=lambda host: f"{host} is outside")

    assert its.step() == 0
    assert its.why_not(EMAIL, TO) == f"Not sent: 127.0.0.1:{inbox.port} is outside"
    assert inbox.messages == []


def test_a_mail_server_is_named_by_an_address():
    assert server_of("smtp://u:p%40ss@mail.example.com:2525?tls=starttls") == Server(
        "mail.example.com", 2525, "u", "p@ss", "starttls"
    )
    assert server_of("smtps://mail.example.com") == Server("mail.example.com", 465, tls="implicit")
    assert server_of("smtp://mail.example.com").port == 587
    assert "p@ss" not in repr(server_of("smtp://u:p%40ss@mail.example.com"))
    for wrong in ("mail.example.com", "http://mail.example.com", "smtp://a?tls=maybe", "smtp://a:port"):
        with pytest.raises(NotPossible, match="LASTMILE_SMTP"):
            server_of(wrong)


def test_where_encryption_is_asked_for_a_server_without_it_gets_nothing(store, inbox):
    ask_delay(store, "open")
    mail = Mail(Server("127.0.0.1", inbox.port, tls="starttls"), FROM)
    Sender(store, Hand(), channels={EMAIL: mail}).step()

    assert inbox.messages == []
    assert "STARTTLS" in one(store).words


# Webhooks


def told_by_hook(store: Store, url: str, change: str = "exception 1") -> None:
    notifications.keep_contact(store, Contact("Pager", ("operations manager",), None, url), "ann")
    facts = {"what": "Van 7 broke down", "age": "12 minutes", "why": "Nobody has taken it on"}
    notifications.tell_staff(store, "Pager", "staff_escalation", change, "system", NOW, **facts)


def test_a_webhook_is_signed_for_its_receiver_and_its_answer_is_the_receipt(store, hooked):
    url = f"{hooked.url}/notices"
    told_by_hook(store, url)
    sender(store, Hand()).step()

    [(path, headers, body)] = hooked.posts
    said, told = json.loads(body), one(store)
    assert (path, told.state, told.words) == ("/notices", "delivered", f"{hooked.url[7:]} answered 204")
    assert (said["notice_id"], said["subject"]) == (told.notice_id, "Escalated: Van 7 broke down")
    assert headers["idempotency-key"] == told.notice_id
    secret = secret_of(settings.signing_secret(store), url)
    assert is_signed("own", secret, headers, body, time.time())
    assert not is_signed("own", secret, headers, body + b" ", time.time())
    other = secret_of(settings.signing_secret(store), f"{hooked.url}/others")
    assert not is_signed("own", other, headers, body, time.time())


def test_a_webhook_that_asks_to_come_again_is_asked_again_when_it_says(store, hooked):
    hooked.answers = [(503, {"Retry-After": "600"}), (429, {})]
    told_by_hook(store, hooked.url)
    clock = Hand()
    its = sender(store, clock)
    its.step()
    assert one(store).next_try_at - NOW == timedelta(minutes=10)
    clock.at += timedelta(minutes=10)
    its.step()
    clock.at += 2 * MINUTE
    its.step()

    assert (one(store).state, one(store).tries) == ("delivered", 3)
    assert len({headers["idempotency-key"] for _, headers, _ in hooked.posts}) == 1


@pytest.mark.parametrize(("status", "words"), [(404, "answered 404"), (302, "A redirect is not followed")])
def test_a_webhook_that_is_not_there_has_failed(store, hooked, status, words):
    hooked.answers = [(status, {"Location": f"{hooked.url}/elsewhere"})]
    told_by_hook(store, hooked.url)
    sender(store, Hand()).step()

    assert one(store).state == "failed"
    assert words in one(store).words
    assert len(hooked.posts) == 1


# Quiet hours and what is too late


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "zone", "until"),
    [
        ("2026-03-02T19:59", "Europe/Berlin", None),  # 20:59 there
        ("2026-03-02T20:00", "Europe/Berlin", "2026-03-03T06:00"),  # 21:00
        ("2026-03-03T05:59", "Europe/Berlin", "2026-03-03T06:00"),  # 06:59
        ("2026-03-03T06:00", "Europe/Berlin", None),  # 07:00
        ("2026-03-28T22:00", "Europe/Berlin", "2026-03-29T05:00"),  # the clocks go forward that night: 07:00 is UTC+2
        ("2026-10-24T22:00", "Europe/Berlin", "2026-10-25T06:00"),  # and back: 07:00 is UTC+1
        ("2026-03-02T20:00", "America/New_York", None),  # 15:00 there
        ("2026-03-03T02:00", "America/New_York", "2026-03-03T12:00"),  # 21:00 there
    ],
)
def test_quiet_hours_are_those_of_the_place(at, zone, until):
    assert quiet_until(utc(at), zone, Settings()) == (utc(until) if until else None)


def test_quiet_hours_that_do_not_cross_midnight_and_none_at_all():
    noon = Settings(quiet_from=clock_time(12), quiet_until=clock_time(13))
    assert quiet_until(utc("2026-03-02T11:30"), "Europe/Berlin", noon) == utc("2026-03-02T12:00")
    assert quiet_until(utc("2026-03-02T12:00"), "Europe/Berlin", noon) is None
    none = Settings(quiet_from=clock_time(7), quiet_until=clock_time(7))
    assert all(quiet_until(utc(f"2026-03-02T{hour:02d}:00"), "UTC", none) is None for hour in range(24))


def test_an_end_of_quiet_hours_that_the_clocks_skip_comes_an_hour_later():
    early = Settings(quiet_from=clock_time(22), quiet_until=clock_time(2, 30))
    assert quiet_until(utc("2026-03-29T00:30"), "Europe/Berlin", early) == utc("2026-03-29T01:30")  # 03:30 there


def test_a_notice_waits_for_the_end_of_quiet_hours_or_is_dropped_where_that_is_too_late():
    night, morning = utc("2026-03-02T21:00"), utc("2026-03-03T06:00")
    asked = {"zone": "Europe/Berlin", "settings": Settings(), "urgent": False, "over": None}
    assert may_go(night, useful_until=morning + MINUTE, **asked) == Wait(morning, "quiet hours")
    assert may_go(night, useful_until=morning, **asked) == Drop("Quiet hours end too late for it to be of use")
    assert may_go(night, useful_until=night, **asked | {"urgent": True}) == Drop(
        "It would have come too late to be of use"
    )
    assert may_go(night, useful_until=morning, **asked | {"urgent": True}) is None
    assert may_go(night, useful_until=None, **asked | {"over": "handed over"}) == Drop("handed over")


def test_in_the_evening_customers_are_told_in_the_morning_and_urgent_staff_at_once(store, inbox, hooked):
    asked = notifications.tell_customer(
        store, ["early"], "failed_attempt", "try", "ann", local("20:50"), reason="closed"
    )
    assert asked.outcome.tolist() == ["requested"]
    told_by_hook(store, hooked.url)
    clock = Hand(local("21:30"))
    its = sender(store, clock, inbox.port)

    assert its.step() == 1
    assert (len(hooked.posts), inbox.messages) == (1, [])
    clock.at = local("07:00") + timedelta(days=1)
    assert its.step() == 1
    assert inbox.messages[0]["subject"] == "We could not deliver early"


def test_news_of_a_delivery_that_is_over_by_then_is_dropped_with_that_reason(store, inbox):
    ask_delay(store, "open")
    store.append({"event": handed_over("open", local("18:20"))})
    sender(store, Hand(local("18:25")), inbox.port).step()

    assert (one(store).state, one(store).words) == ("dropped", "The delivery is over: it is delivered")
    assert inbox.messages == []


def handed_over(name: str, at: datetime) -> pd.DataFrame:
    row = {"event_id": "00000000-0000-0000-0000-0000000000aa", "type": "delivered", "classifier": "ACT", "occurred_at": at,
           "recorded_at": at, "delivery_id": name, "source": "app", "status_source": "driver"}  # fmt: skip
    return pd.DataFrame([row])


def test_waits_double_up_to_an_hour_with_jitter_and_end():
    waits = [next_try("n", tries, NOW) - NOW for tries in range(1, MOST_TRIES)]
    for tries, wait in enumerate(waits, 1):
        whole = min(LONGEST_WAIT, MINUTE * 2 ** (tries - 1))
        assert whole / 2 <= wait <= whole
    assert next_try("n", MOST_TRIES, NOW) is None
    assert next_try("n", 1, NOW) == next_try("n", 1, NOW) != next_try("m", 1, NOW)
    assert next_try("n", 1, NOW, timedelta(days=3)) - NOW == LONGEST_WAIT


# Receipts


def sent(store: Store, inbox: Inbox) -> str:
    ask_delay(store, "open")
    sender(store, Hand(), inbox.port).step()
    return one(store).notice_id


def test_only_a_receipt_makes_it_delivered_and_twice_is_once(store, inbox):
    notice_id = sent(store, inbox)
    at = local("18:05")
    row = {"message_id": inbox.messages[0]["message-id"], "outcome": "delivered", "occurred_at": at.isoformat()}

    assert [one.outcome for one in receipts.take(store, [row, row], "gateway", at)] == ["taken", "repeated"]
    assert [
        one.outcome for one in receipts.take(store, [{"notice_id": notice_id, "outcome": "delivered"}], "gateway", at)
    ] == ["repeated"]
    told = one(store)
    assert (told.state, told.delivered_at.to_pydatetime()) == ("delivered", at)
    assert outbox.counts(store, at) == {"waiting": 0, "sent": 0, "delivered": 1, "failed": 0, "dropped": 0}


@pytest.mark.parametrize(
    ("row", "field", "problem"),
    [
        ({"notice_id": "1b4e28ba-2fa1-11d2-883f-0016d3cca427", "outcome": "delivered"}, "notice_id", "of no notice"),
        ({"notice_id": "x", "outcome": "delivered"}, "notice_id", "no notice's id"),
        ({"outcome": "delivered"}, "notice_id", "no notice's id"),
        ({"notice_id": "…", "outcome": "read"}, "outcome", "is not known"),
        ({"notice_id": "…", "outcome": "delivered", "occurred_at": "soon"}, "occurred_at", "no instant"),
        ({"notice_id": "…", "outcome": "delivered", "occurred_at": "2031-01-01T00:00Z"}, "occurred_at", "future"),
        ({"notice_id": "…", "outcome": "delivered", "to": "x"}, "to", "no field"),
        ("delivered", None, "no object"),
    ],
)
def test_a_receipt_that_fits_nothing_is_refused_with_field_and_remedy(store, inbox, row, field, problem):
    notice_id = sent(store, inbox)
    row = row | {"notice_id": notice_id} if isinstance(row, dict) and row.get("notice_id") == "…" else row
    [judged] = receipts.take(store, [row], "gateway", NOW)

    assert (judged.outcome, judged.field) == ("refused", field)
    assert problem in judged.problem and judged.remedy
    assert one(store).state == "sent"


def test_a_receipt_of_a_notice_that_was_never_sent_is_refused(store):
    ask_delay(store, "open")
    [judged] = receipts.take(store, [{"notice_id": one(store).notice_id, "outcome": "delivered"}], "gateway", NOW)
    assert "was not sent" in judged.problem
    assert one(store).state == "waiting"


REPORT = """From: <>
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

What became of your mail.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example.org
{envelope}

Final-Recipient: rfc822; open@example.org
Action: {action}
Status: 5.1.1
Diagnostic-Code: smtp; 550 No such user

--b
Content-Type: text/rfc822-headers

Message-ID: <{notice_id}@example.com>

--b--
"""


@pytest.mark.parametrize(
    ("action", "state", "passed_over"), [("delivered", "delivered", 0), ("failed", "failed", 0), ("relayed", "sent", 1)]
)
@pytest.mark.parametrize("envelope", ["Original-Envelope-Id: {notice_id}", "X-Nothing: 1"])
def test_a_report_of_a_mail_server_is_a_receipt(store, inbox, action, state, passed_over, envelope):
    notice_id = sent(store, inbox)
    mail = REPORT.format(action=action, notice_id=notice_id, envelope=envelope.format(notice_id=notice_id))
    rows, passed = bounces.read_report(mail.encode())
    receipts.take(store, rows, "mail server", NOW)

    assert (one(store).state, passed) == (state, passed_over)
    if state == "failed":
        assert one(store).words == "failed 5.1.1 smtp; 550 No such user"


def test_what_is_no_report_is_refused():
    with pytest.raises(NotPossible, match="no delivery status notification"):
        bounces.read_report(b"Subject: Out of office\n\nBack on Monday.")
    with pytest.raises(NotPossible, match="names no notice"):
        bounces.read_report(REPORT.format(action="failed", notice_id="x", envelope="X: 1").encode())


# In the background


def test_the_sender_sends_by_itself_and_stops_when_it_is_asked_to(store, inbox, monkeypatch):
    monkeypatch.setattr("lastmile.notifications.sending.EVERY_SECONDS", 0.05)
    its = sender(store, Hand(), inbox.port)
    its.start()
    ask_delay(store, "open")
    assert inbox.taken.wait(10)
    its.stop()
    ask_delay(store, "silent")
    assert [mail["to"].addresses[0].addr_spec for mail in inbox.messages] == [TO]


def test_a_test_goes_out_at_once_and_counts_nowhere(store, inbox):
    notifications.keep_contact(store, Contact("Ann", (), "ann@example.com"), "ann")
    words = notifications.send_test(store, sender(store, Hand(), inbox.port), "ann@example.com", "ann", NOW)

    assert words == f"127.0.0.1:{inbox.port} took it on, a receipt was asked for"
    assert inbox.messages[0]["subject"] == "A test notice of Lastmile"
    assert outbox.counts(store, NOW)["sent"] == 0
    with pytest.raises(NotPossible, match="no mail server is set up"):
        notifications.send_test(store, sender(store, Hand()), "ann@example.com", "ann", NOW + MINUTE)


def test_a_simulated_operation_and_the_end_of_a_file_tell_nobody(empty_tower, monkeypatch):
    near, far = "127.0.0.1:2525", "mail.example.com:587"
    whys = {"simulated": [empty_tower._holds_up(near), empty_tower._holds_up(far)]}
    monkeypatch.setenv("LASTMILE_NOTICES_FROM_DEMO", "1")
    whys["let near"] = [empty_tower._holds_up(near), empty_tower._holds_up(far)]
    empty_tower.set_clock(clock.held(NOW), "test")
    whys["held"] = [empty_tower._holds_up(near), empty_tower._holds_up(far)]
    empty_tower.set_clock(clock.real(), "test")
    whys["real"] = [empty_tower._holds_up(near), empty_tower._holds_up(far)]

    simulated = "the operation is simulated, and nothing of it leaves this machine"
    held = "the tower's clock stands at the end of a file"
    assert whys == {"simulated": [simulated] * 2, "let near": [None, simulated], "held": [held] * 2, "real": [None] * 2}


@pytest.mark.parametrize(
    ("host", "near"),
    [("localhost:25", True), ("127.0.0.1:25", True), ("127.9.9.9", True), ("[::1]", True), ("::1", True),
     ("localhost.example.com:25", False), ("10.0.0.1:25", False), ("mail.example.com", False)],
)  # fmt: skip
def test_what_is_this_machine(host, near):
    assert on_this_machine(host) is near
