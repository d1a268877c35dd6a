"""A test of the way to somebody: sent at once, kept on record, and counted nowhere."""

from __future__ import annotations

from datetime import datetime

from lastmile.errors import NotPossible
from lastmile.notifications.addresses import Contact, is_email
from lastmile.notifications.asking import EMAIL, WEBHOOK, ask_for_test
from lastmile.notifications.sending import Sender
from lastmile.store import Store


def send_test(store: Store, sender: Sender, address: str, actor: str, at: datetime) -> str:
    """Send a test notice to an e-mail address or a webhook, in simulated time too, and tell what came of it.

    Raises NotPossible where the channel is not set up, or the address can't be one.
    """
    channel = EMAIL if is_email(address) else WEBHOOK
    contact = Contact(address, **{"email" if channel == EMAIL else "webhook": address})
    missing = sender.channels[channel].missing
    if missing:
        raise NotPossible(f"Not sent: {missing}.")
    return sender.send_now(ask_for_test(store, contact, channel, actor, at))
