"""Telling people: notices to recipients and staff, asked for once for each change, sent by real channels, kept with receipts.

Other rooms ask by `tell_customer` and `tell_staff`; the rest is how notices are written, sent and followed.
"""

from lastmile.notifications.addresses import ROLES, Contact, keep_contact, staff
from lastmile.notifications.asking import tell_customer, tell_staff
from lastmile.notifications.replanned import Move, Telling, moves, notices_of, who_is_told
from lastmile.notifications.sending import Sender
from lastmile.notifications.settings import LANGUAGES, Settings
from lastmile.notifications.templates import KINDS, Template
from lastmile.notifications.trial import send_test

__all__ = [
    "KINDS",
    "LANGUAGES",
    "ROLES",
    "Contact",
    "Move",
    "Sender",
    "Settings",
    "Telling",
    "Template",
    "keep_contact",
    "moves",
    "notices_of",
    "send_test",
    "staff",
    "tell_customer",
    "tell_staff",
    "who_is_told",
]
