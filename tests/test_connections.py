"""Who may knock: connections, tokens kept as hashes, signatures, and how often."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from lastmile import connections
from lastmile.connections import Buckets, Connection, Register, TokenScope, TooMany, is_signed, sign
from lastmile.errors import NotPossible
from lastmile.store import Store

NOW = 1_772_439_480


@pytest.fixture
def store(empty_database):
    store = Store.open(empty_database)
    yield store
    store.close()


@pytest.fixture
def register(store) -> Register:
    register = Register(store)
    register.connect(Connection("erp", "The ERP", "Europe/Berlin"), "somebody")
    return register


# Connections


@pytest.mark.parametrize("source", ["", "ERP", "a b", "tower", "lastmile", "ä", "-a", "a" * 64])
def test_a_source_is_a_plain_word_and_none_of_the_towers_own(source):
    with pytest.raises(NotPossible):
        Connection(source, "x")


def test_a_connection_says_what_its_times_and_windows_mean():
    with pytest.raises(NotPossible, match="IANA"):
        Connection("erp", "x", zone="Berlin")
    with pytest.raises(NotPossible, match="service_start"):
        Connection("erp", "x", window_semantics="whenever")


def test_it_uses_its_own_delivery_numbers_unless_it_names_another_system():
    assert Connection("erp", "x").numbers == "erp"
    assert Connection("carrier", "x", delivery_source="erp").numbers == "erp"


def test_a_change_of_a_connection_is_a_new_row_and_the_same_once_more_is_none(register, store):
    register.connect(Connection("erp", "The ERP", "Europe/Berlin"), "somebody")
    register.connect(Connection("erp", "The ERP", "Europe/Paris"), "somebody else")

    assert store.value("select count(*) from connection") == 2
    assert connections.connections(store)[["source", "zone", "actor"]].values.tolist() == [
        ["erp", "Europe/Paris", "somebody else"]
    ]
    assert store.value("select kind from source where source = 'erp' limit 1") == "http"


# Tokens


def test_a_token_is_known_until_it_is_taken_back(register):
    made = register.make_token("erp", [TokenScope.READ], "reports", "somebody")

    assert register.token(made.secret) == made.credential
    register.revoke(made.credential.credential_id, "somebody")
    assert register.token(made.secret) is None


@pytest.mark.parametrize(
    "change", [lambda t: t[:-1], lambda t: t + "x", lambda t: "xx" + t[2:], lambda _: "", lambda _: "lm__"]
)
def test_a_token_that_was_changed_is_not_known(register, change):
    made = register.make_token("erp", [TokenScope.READ], "reports", "somebody")

    assert register.token(change(made.secret)) is None


def test_another_tower_on_the_same_database_knows_the_token_and_its_scopes(register, store):
    made = register.make_token("erp", [TokenScope.EVENTS, TokenScope.ORDERS], "orders", "somebody")

    assert Register(store).token(made.secret).scopes == {TokenScope.EVENTS, TokenScope.ORDERS}


def test_the_database_holds_no_token_only_its_hash(register, store, tmp_path):
    made = register.make_token("erp", [TokenScope.READ], "reports", "somebody")

    secret = made.secret.rpartition("_")[2]
    kept = store.ask("from credential").to_csv()
    assert secret not in kept and made.secret not in kept
    assert hashlib.sha256(made.secret.encode()).hexdigest() in kept
    store.cursor().execute("checkpoint")
    assert secret.encode() not in (tmp_path / "tower.duckdb").read_bytes()


def test_a_token_carries_256_random_bits_and_no_two_are_the_same(register):
    secrets = [register.make_token("erp", [TokenScope.READ], "x", "y").secret for _ in range(20)]

    assert len(set(secrets)) == 20
    assert all(len(secret.split("_", 2)[2]) == 43 for secret in secrets)  # 32 bytes in base 64


def test_a_token_needs_a_scope_and_a_connection(register):
    with pytest.raises(NotPossible, match="events:write"):
        register.make_token("erp", [], "x", "y")
    with pytest.raises(NotPossible, match="erp"):
        register.make_token("wms", [TokenScope.READ], "x", "y")


def test_no_list_of_credentials_tells_a_secret(register, store):
    register.make_webhook("erp", "onfleet", [TokenScope.EVENTS], "x", "y", secret="c0ffee")
    register.make_token("erp", [TokenScope.READ], "x", "y")

    listed = connections.credentials(store, "erp")
    assert len(listed) == 2
    assert not {"sha256", "signing_secret"} & set(listed.columns)


def test_a_webhook_is_no_token_and_a_token_no_webhook(register):
    webhook = register.make_webhook("erp", "onfleet", [TokenScope.EVENTS], "x", "y")
    token = register.make_token("erp", [TokenScope.READ], "x", "y")

    assert register.token(webhook.secret) is None
    assert register.webhook(token.credential.credential_id) is None
    assert register.webhook(webhook.credential.credential_id) == webhook.credential


# Signatures


def test_the_own_signature_is_an_hmac_of_time_and_body():
    expected = hmac.new(b"secret", b"1772439480.{}", hashlib.sha256).hexdigest()

    assert sign("secret", b"{}", NOW) == f"t=1772439480,v1={expected}"


@pytest.mark.parametrize(
    ("header", "body", "at", "right"),
    [
        (sign("secret", b"{}", NOW), b"{}", NOW, True),
        (sign("secret", b"{}", NOW), b"{}", NOW + 300, True),
        (sign("secret", b"{}", NOW), b"{}", NOW + 301, False),
        (sign("secret", b"{}", NOW), b"{}", NOW - 301, False),
        (sign("secret", b"{}", NOW), b"{ }", NOW, False),
        (sign("other", b"{}", NOW), b"{}", NOW, False),
        (f"{sign('other', b'{}', NOW)},{sign('secret', b'{}', NOW).partition(',')[2]}", b"{}", NOW, True),
        ("", b"{}", NOW, False),
        ("t=x,v1=", b"{}", NOW, False),
        ("t=1772439480", b"{}", NOW, False),
    ],
)
def test_a_signature_holds_for_its_body_its_secret_and_five_minutes(header, body, at, right):
    assert is_signed("own", "secret", {"lastmile-signature": header}, body, at) is right


def test_easyposts_and_onfleets_signatures_are_checked_as_they_make_them():
    body = b'{"a": 1}'
    easypost = "hmac-sha256-hex=" + hmac.new("sécret".encode(), body, hashlib.sha256).hexdigest()
    onfleet = hmac.new(bytes.fromhex("c0ffee"), body, hashlib.sha512).hexdigest()

    # the same word written with a combining accent: EasyPost signs with the decomposed form
    decomposed = "hmac-sha256-hex=" + hmac.new("se\u0301cret".encode(), body, hashlib.sha256).hexdigest()
    assert is_signed("easypost", "sécret", {"x-hmac-signature": decomposed}, body, NOW)
    assert not is_signed("easypost", "sécret", {"x-hmac-signature": easypost}, body, NOW)
    assert is_signed("onfleet", "c0ffee", {"x-onfleet-signature": onfleet}, body, NOW)
    assert not is_signed("onfleet", "not hexadecimal", {"x-onfleet-signature": onfleet}, body, NOW)


# Rates


def test_a_bucket_gives_its_burst_and_then_what_flows_in():
    clock = [0.0]
    buckets = Buckets(per_second=10, burst=20, seconds=lambda: clock[0])

    buckets.spend("a", 20)
    with pytest.raises(TooMany) as refused:
        buckets.spend("a", 15)
    assert refused.value.retry_after == 2  # 15 rows at 10 a second
    buckets.spend("b", 20)
    clock[0] = 1.5
    buckets.spend("a", 15)


def test_more_than_a_whole_bucket_waits_for_a_full_one():
    clock = [0.0]
    buckets = Buckets(per_second=10, burst=20, seconds=lambda: clock[0])

    buckets.spend("a", 1_000)
    clock[0] = 1.9
    with pytest.raises(TooMany):
        buckets.spend("a", 1_000)
    clock[0] = 2.0
    buckets.spend("a", 1_000)


# The command line


def test_tokens_are_made_listed_and_taken_back_on_the_command_line(tmp_path, monkeypatch, capsys):
    from lastmile.__main__ import main

    monkeypatch.setenv("LASTMILE_DATABASE", str(tmp_path / "tower.duckdb"))

    assert main(["token", "make", "erp", "--scope", "events:write", "--zone", "Europe/Berlin"]) == 0
    made = capsys.readouterr().out
    token = made.split()[1]
    assert main(["token", "make", "carrier", "--webhook", "easypost", "--numbers", "erp"]) == 0
    assert "/api/v1/webhooks/" in capsys.readouterr().out
    store = Store.open(tmp_path / "tower.duckdb")
    register = Register(store)
    assert register.token(token).scopes == {TokenScope.EVENTS}
    assert register.connection("erp").zone == "Europe/Berlin"
    assert register.connection("carrier").numbers == "erp"
    store.close()
    assert main(["token", "revoke", token.split("_")[1]]) == 0
    assert main(["token", "list", "erp"]) == 0
    assert "taken back" in capsys.readouterr().out
    assert main(["token", "revoke", "nobody"]) == 1
    assert main(["token", "make", "erp"]) == 1


def test_a_second_token_leaves_the_connection_as_it_was(tmp_path, monkeypatch, capsys):
    from lastmile.__main__ import main

    monkeypatch.setenv("LASTMILE_DATABASE", str(tmp_path / "tower.duckdb"))
    main(["token", "make", "erp", "--scope", "read", "--zone", "Europe/Berlin", "--window", "arrival"])
    main(["token", "make", "erp", "--scope", "metrics"])

    store = Store.open(tmp_path / "tower.duckdb")
    assert store.value("select count(*) from connection") == 1
    assert Register(store).connection("erp").window_semantics == "arrival"
    store.close()
