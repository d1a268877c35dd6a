"""Telling people: notices to recipients and staff, asked for once for each change, sent by real channels, kept with receipts.

Other rooms ask by `tell_customer` and `tell_staff`; the rest is how notices are written, sent and followed.
"""

from lastmile.notifications.addresses import ROLES, Contact, keep_contact, staff
from lastmile.notifications.asking import tell_customer, tell_staff
from lastmile.notifications.settings import LANGUAGES, Settings
from lastmile.notifications.templates import KINDS, Template

__all__ = [
    "KINDS",
    "LANGUAGES",
    "ROLES",
    "Contact",
    "Settings",
    "Template",
    "keep_contact",
    "staff",
    "tell_customer",
    "tell_staff",
]
