"""Commands about other systems: token."""

from __future__ import annotations

import argparse
import getpass

from lastmile import connections
from lastmile.adapters import FORMATS
from lastmile.commands.command import Command, opened_store, records, say, say_json
from lastmile.connections import SCHEMES, Connection, Made, Register, TokenScope
from lastmile.errors import NotPossible
from lastmile.intake import KINDS, scopes_of
from lastmile.model import WindowSemantics
from lastmile.store import Store


def _token(given: argparse.Namespace) -> int:
    with opened_store() as store:
        return {"make": _make, "list": _list, "revoke": _revoke}[given.action](store, given)


def _make(store: Store, given: argparse.Namespace) -> int:
    if given.name is None:
        raise NotPossible("Name the source: python -m lastmile token make erp --scope events:write")
    register = Register(store)
    connect(register, given)
    if given.webhook:
        made = register.make_webhook(
            given.name, given.webhook, scopes_of(given.webhook), given.label, getpass.getuser(), given.secret
        )
    else:
        scopes = [TokenScope(scope) for scope in given.scope or ()]
        made = register.make_token(given.name, scopes, given.label, getpass.getuser())
    if given.json:
        say_json({"id": made.credential.credential_id, "source": given.name, "secret": made.secret})
    else:
        _say_made(made)
    return 0


def connect(register: Register, given: argparse.Namespace) -> None:
    """Make the connection of a source where there is none; what is said anew of one that there is changes it."""
    known = {one.source: one for one in register.all()}
    before = known.get(given.name)
    said = {"zone": given.zone, "window_semantics": given.window, "delivery_source": given.numbers, "name": given.title}
    kept = vars(before) if before else {"source": given.name, "name": given.name}
    wanted = Connection(**(kept | {name: value for name, value in said.items() if value is not None}))
    register.connect(wanted, getpass.getuser())


def _say_made(made: Made) -> None:
    credential = made.credential
    if credential.format:
        scheme = SCHEMES.get(credential.format, SCHEMES["own"])
        say(f"Address: /api/v1/webhooks/{credential.credential_id}")
        say(f"Secret:  {made.secret}   (sign each message: {scheme.told})")
    else:
        say(f"Token:   {made.secret}")
    say(f"This is shown once. To take it back: python -m lastmile token revoke {credential.credential_id}")


def _list(store: Store, given: argparse.Namespace) -> int:
    found = connections.credentials(store, given.name)
    if given.json:
        say_json(records(found.assign(scopes=[list(scopes) for scopes in found.scopes])))
        return 0
    for row in found.itertuples():
        held = (
            "taken back" if row.revoked_at is not None and row.revoked_at == row.revoked_at else ", ".join(row.scopes)
        )
        say(f"{row.credential_id:<26} {row.source:<20} {row.kind:<8} {row.label:<20} {row.made_at:%Y-%m-%d}  {held}")
    if found.empty:
        say("There is no token yet. Make one: python -m lastmile token make erp --scope events:write")
    return 0


def _revoke(store: Store, given: argparse.Namespace) -> int:
    if given.name is None:
        raise NotPossible("Name the token by its id; python -m lastmile token list shows them.")
    Register(store).revoke(given.name, getpass.getuser())
    say(f"{given.name} was taken back.")
    return 0


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("make", "list", "revoke"))
    parser.add_argument("name", nargs="?", help="make, list: the source, such as erp; revoke: the id of the token")
    parser.add_argument(
        "--scope",
        action="append",
        choices=[scope.value for scope in TokenScope],
        help="what it may do (again for more)",
    )
    parser.add_argument("--label", default="", help="a word to tell it from others")
    parser.add_argument("--webhook", choices=[*FORMATS, *KINDS], help="make a signed webhook of this format instead")
    parser.add_argument("--secret", help="the webhook's secret, where the other system gives it (default: a new one)")
    parser.add_argument("--title", help="what people call the source")
    parser.add_argument("--zone", help="IANA zone of its service days (default UTC)")
    parser.add_argument(
        "--window",
        choices=[one.value for one in WindowSemantics],
        help="what must fall inside the windows that it sends",
    )
    parser.add_argument("--numbers", metavar="SOURCE", help="whose delivery numbers it uses (default: its own)")


COMMANDS = (
    Command(
        "token",
        "let other systems in, and take it back",
        "Makes, lists and takes back the tokens and webhooks with which other systems send and ask over HTTP. A token is\n"
        "shown once, and kept as its hash. While the tower runs, use its page Connections. Examples:\n"
        "  python -m lastmile token make erp --scope orders:write --scope events:write --zone Europe/Berlin\n"
        "  python -m lastmile token make carrier --webhook easypost --numbers erp\n"
        "  python -m lastmile token list",
        _arguments,
        _token,
        json=True,
    ),
)
