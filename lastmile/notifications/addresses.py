"""Where people are told: the recipients of deliveries, as booked, and the staff's own register."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pandas as pd

from lastmile.errors import NotPossible
from lastmile.notifications.settings import LANGUAGES
from lastmile.store import Store

_EMAIL = re.compile(r"[^\s@,;<>()\[\]\\\"\x00-\x1f\x7f]{1,64}@[^\s@,;<>()\[\]\\\"\x00-\x1f\x7f]{1,255}")
ROLES = ("operations manager", "project lead", "executive")
"""Owner roles of the catalogues; a register may hold any others."""


def is_email(text: str | None) -> bool:
    """Whether it can be the one address of a message: one @, nothing that ends a header or begins a second address."""
    return bool(text) and _EMAIL.fullmatch(text) is not None and text.isprintable()


def is_webhook(text: str | None) -> bool:
    """Whether it is an http(s) address with a host, and no user or password in it."""
    if not text or not text.isprintable() or " " in text:
        return False
    try:
        parts = urlsplit(text)
        return (
            parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
        )
    except ValueError:
        return False


@dataclass(frozen=True)
class Contact:
    """Somebody of the staff, or a role's common address: what is told to a role reaches all who have it.

    Raises NotPossible where there is no name, no way to tell, or one that can't be right.
    """

    name: str
    roles: tuple[str, ...] = ()
    email: str | None = None
    webhook: str | None = None
    language: str = "en"

    def __post_init__(self) -> None:
        if not self.name.strip() or not self.name.isprintable():
            raise NotPossible("Say who it is.")
        if not self.email and not self.webhook:
            raise NotPossible(f"{self.name} needs an e-mail address or a webhook.")
        if self.email and not is_email(self.email):
            raise NotPossible(f"{self.email!r} is no e-mail address.")
        if self.webhook and not is_webhook(self.webhook):
            raise NotPossible(f"{self.webhook!r} is no web address; it begins with https:// and holds no password.")
        if self.language not in LANGUAGES:
            raise NotPossible(f"Notices are written in {', '.join(LANGUAGES)}; not in {self.language!r}.")


def keep_contact(store: Store, contact: Contact, actor: str, *, told: bool = True) -> None:
    """Put somebody in the register, change what stands there, or (`told` false) tell them no more."""
    with store.write(about_days=False) as database:
        database.execute(
            "insert into staff_contact by name select $name as name, $now::timestamptz as recorded_at, $actor as actor, "
            "$roles::varchar[] as roles, $email as email, $webhook as webhook, $language as language, $told as told",
            {
                "name": contact.name,
                "now": datetime.now(UTC),
                "actor": actor,
                "roles": list(contact.roles),
                "email": contact.email or None,
                "webhook": contact.webhook or None,
                "language": contact.language,
                "told": told,
            },
        )


def staff(store: Store) -> pd.DataFrame:
    """One row per person or role that is told: name, roles, email, webhook, language, since when and by whom."""
    return store.ask(
        "select * exclude (told) from (from staff_contact "
        "qualify row_number() over (partition by name order by recorded_at desc) = 1) where told order by name"
    )


def contacts_of(store: Store, role_or_person: str) -> list[Contact]:
    """Those who have a name or a role."""
    return [
        contact
        for row in staff(store).itertuples(index=False)
        if role_or_person in ((contact := contact_of(row)).name, *contact.roles)
    ]


def contact_of(row: object) -> Contact:
    """A row of the register as a value."""
    return Contact(
        row.name, tuple(row.roles), _known(row.email), _known(row.webhook), row.language  # type: ignore[attr-defined]
    )  # fmt: skip


def recipients(store: Store, delivery_ids: Sequence[str]) -> pd.DataFrame:
    """One row per delivery that is known: what a notice may say of it, and email and language of its recipient as booked last."""
    return store.ask(
        """
        select delivery_id, depot_id, service, recipient, day, zone, resolved, state,
            coalesce(revised_from, window_from) as window_from, coalesce(revised_due, window_due) as window_due,
            email, language
        from delivery
        left join (
            select * from recipient_address('infinity'::timestamptz) where delivery_id in (select unnest($ids))
        ) as address using (delivery_id)
        where delivery_id in (select unnest($ids))
        """,
        ids=list(delivery_ids),
    )


def _known(value: object) -> str | None:
    return value if isinstance(value, str) else None
