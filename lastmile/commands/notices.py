"""The command about telling people: notices."""

from __future__ import annotations

import argparse
import getpass

from lastmile import clock, notifications
from lastmile.commands.command import Command, opened_store, records, say, say_json
from lastmile.notifications import Sender, outbox


def _notices(given: argparse.Namespace) -> int:
    with opened_store() as store:
        now = clock.resume(store).now
        if given.test:
            words = notifications.send_test(store, Sender(store, now), given.test, getpass.getuser(), now())
            say_json({"to": given.test, "words": words}) if given.json else say(words)
            return 0
        found = outbox.notices(store, now(), given.state, given.most)
    if given.json:
        say_json(records(found))
    elif found.empty:
        say("No notice was asked for in the last 30 days." if given.state is None else f"No notice is {given.state}.")
    else:
        for row in found.itertuples():
            said = f"  {row.words}" if isinstance(row.words, str) else ""
            say(
                f"{row.asked_at:%Y-%m-%d %H:%M} UTC  {row.state:<9} {row.template:<18} {row.address:<36} {row.subject}{said}"
            )
    return 0


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--state", choices=list(outbox.STATES), help="only those in this state")
    parser.add_argument(
        "--most", type=int, default=100, metavar="N", help="at most so many, the latest first (default 100)"
    )
    parser.add_argument(
        "--test", metavar="ADDRESS", help="send a test to an e-mail address or a webhook, and say what came of it"
    )


COMMANDS = (
    Command(
        "notices",
        "what customers and staff were told, and a test of the way to somebody",
        "The notices of the last 30 days with their state: waiting, sent (no receipt yet), delivered (a receipt says so), failed,\n"
        "dropped (it would have come too late). How mail and webhooks are set up: docs/notices.md.",
        _arguments,
        _notices,
        json=True,
    ),
)
