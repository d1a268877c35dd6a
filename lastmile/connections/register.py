"""Connections and credentials on record: made, taken back, and looked up without asking the database for each request."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterable
from datetime import UTC, datetime

import pandas as pd

from lastmile.connections.connection import Connection
from lastmile.connections.credentials import (
    SECRET_BYTES,
    Credential,
    Kind,
    Made,
    TokenScope,
    id_in,
    is_token_of,
    new_token,
    token_hash,
)
from lastmile.errors import NotPossible
from lastmile.store import Store


def connections(store: Store) -> pd.DataFrame:
    """One row per connection: source, name, zone, window_semantics, delivery_source, since when and by whom."""
    return store.ask(
        "select source, name, zone, window_semantics, delivery_source, recorded_at, actor from connection "
        "qualify row_number() over (partition by source order by recorded_at desc) = 1 order by source"
    )


def credentials(store: Store, source: str | None = None) -> pd.DataFrame:
    """One row per token or webhook, the latest first, those taken back with when and by whom; no secret is among them."""
    return store.ask(
        "select credential_id, source, kind, label, scopes, format, made_at, credential.actor as made_by, revoked_at, "
        "revoked_credential.actor as revoked_by from credential left join revoked_credential using (credential_id) "
        "where $source is null or source = $source order by made_at desc, credential_id",
        source=source,
    )


class Register:
    """Who may knock: kept in memory, and read anew after each change made through it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._changing = threading.Lock()
        self._connections: dict[str, Connection] = {}
        self._credentials: dict[str, Credential] = {}
        self._read()

    # Looking up

    def connection(self, source: str) -> Connection:
        """The connection of a source; raises NotPossible where there is none."""
        if source not in self._connections:
            raise NotPossible(f"There is no connection {source!r}; there are {', '.join(self._connections) or 'none'}.")
        return self._connections[source]

    def all(self) -> list[Connection]:
        """All connections, by source."""
        return list(self._connections.values())

    def token(self, token: str) -> Credential | None:
        """The credential of a token that was made and not taken back; None for any other."""
        found = self._credentials.get(id_in(token) or "")
        return found if found and found.kind is Kind.TOKEN and is_token_of(token, found) else None

    def webhook(self, credential_id: str) -> Credential | None:
        """The webhook of an id; None where it was taken back or never was."""
        found = self._credentials.get(credential_id)
        return found if found and found.kind is Kind.WEBHOOK else None

    # Changing

    def connect(self, connection: Connection, actor: str) -> None:
        """Record a connection, or a change of one; the same once more changes nothing."""
        with self._changing:
            if self._connections.get(connection.source) == connection:
                return
            now = datetime.now(UTC)
            with self._store.write(about_days=False) as database:
                database.execute(
                    "insert into connection by name select $source as source, $now::timestamptz as recorded_at, "
                    "$actor as actor, $name as name, $zone as zone, $semantics as window_semantics, "
                    "$delivery_source as delivery_source",
                    _said(connection) | {"now": now, "actor": actor, "delivery_source": connection.delivery_source},
                )
                database.execute(
                    "insert into source by name select $source as source, $now::timestamptz as recorded_at, $name as name, "
                    "'http' as kind, $semantics as window_semantics, $zone as zone, true as recorded_at_given",
                    _said(connection) | {"now": now},
                )
            self._read()

    def make_token(self, source: str, scopes: Iterable[TokenScope], label: str, actor: str) -> Made:
        """A new token of a connection; it is shown this once. Raises NotPossible for no scope or no such connection."""
        credential_id, token = new_token()
        return Made(
            self._make(credential_id, source, Kind.TOKEN, scopes, label, actor, sha256=token_hash(token)), token
        )

    def make_webhook(
        self, source: str, format: str, scopes: Iterable[TokenScope], label: str, actor: str, secret: str | None = None
    ) -> Made:
        """A new webhook of a connection, read as a format; `secret` where the other system gives one."""
        secret = secret or secrets.token_urlsafe(SECRET_BYTES)
        made = self._make(
            secrets.token_urlsafe(18), source, Kind.WEBHOOK, scopes, label, actor, format=format, signing_secret=secret
        )
        return Made(made, secret)

    def revoke(self, credential_id: str, actor: str) -> None:
        """Take a token or webhook back, from now on; raises NotPossible where there is none that still holds."""
        with self._changing:
            if credential_id not in self._credentials:
                raise NotPossible(f"There is no token or webhook {credential_id!r} that still holds.")
            with self._store.write(about_days=False) as database:
                database.execute(
                    "insert into revoked_credential values ($id, $now, $actor)",
                    {"id": credential_id, "now": datetime.now(UTC), "actor": actor},
                )
            self._read()

    def _make(
        self,
        credential_id: str,
        source: str,
        kind: Kind,
        scopes: Iterable[TokenScope],
        label: str,
        actor: str,
        format: str | None = None,
        sha256: str | None = None,
        signing_secret: str | None = None,
    ) -> Credential:
        allowed = sorted(TokenScope(scope) for scope in scopes)
        if not allowed:
            raise NotPossible(f"Say what it may do: {', '.join(TokenScope)}.")
        self.connection(source)
        with self._changing:
            with self._store.write(about_days=False) as database:
                database.execute(
                    "insert into credential by name select $id as credential_id, $source as source, $kind as kind, "
                    "$label as label, $scopes::varchar[] as scopes, $format as format, $sha256 as sha256, "
                    "$secret as signing_secret, $now::timestamptz as made_at, $actor as actor",
                    {
                        "id": credential_id,
                        "source": source,
                        "kind": kind.value,
                        "label": label.strip() or kind.value,
                        "scopes": [scope.value for scope in allowed],
                        "format": format,
                        "sha256": sha256,
                        "secret": signing_secret,
                        "now": datetime.now(UTC),
                        "actor": actor,
                    },
                )
            self._read()
        return self._credentials[credential_id]

    def _read(self) -> None:
        """Both tables anew, each put in place at once, so that readers need no lock."""
        found = connections(self._store)
        self._connections = {
            row.source: Connection(row.source, row.name, row.zone, row.window_semantics, row.delivery_source)
            for row in found.itertuples(index=False)
        }
        held = self._store.ask("from credential anti join revoked_credential using (credential_id)")
        self._credentials = {
            row["credential_id"]: _credential(row)
            for row in held.astype(object).where(held.notna(), None).to_dict("records")
        }


def _said(connection: Connection) -> dict[str, str]:
    return {
        "source": connection.source,
        "name": connection.name,
        "zone": connection.zone,
        "semantics": connection.window_semantics,
    }


def _credential(row: dict) -> Credential:
    return Credential(
        row["credential_id"],
        row["source"],
        Kind(row["kind"]),
        row["label"],
        frozenset(TokenScope(scope) for scope in row["scopes"]),
        row["made_at"].to_pydatetime(),
        row["format"],
        row["sha256"],
        row["signing_secret"],
    )
