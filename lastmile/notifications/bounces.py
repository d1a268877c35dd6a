"""Delivery status notifications (RFC 3464): the mails by which mail servers say what became of a message."""

from __future__ import annotations

import re
from email import message_from_bytes
from email.message import Message
from email.policy import default

from lastmile.errors import NotPossible
from lastmile.notifications.filling import one_line

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
ACTIONS = {"delivered": "delivered", "failed": "failed"}
"""What is a receipt. Relayed, expanded and delayed are none: nobody says yet that it arrived."""


def read_report(mail: bytes) -> tuple[list[dict[str, str]], int]:
    """The receipts in a report, one per recipient, as the rows of JSON receipts; and how many of its parts are none.

    Raises NotPossible where it is no such report, or names no notice.
    """
    message = message_from_bytes(mail, policy=default)
    parts = list(message.walk())
    status = next((part for part in parts if part.get_content_type() == "message/delivery-status"), None)
    if status is None:
        raise NotPossible(
            "This mail is no delivery status notification (RFC 3464): it has no part message/delivery-status."
        )
    blocks = [block for block in status.get_payload() if isinstance(block, Message) and block.keys()]
    notice_id = _notice_id(blocks, parts)
    if notice_id is None:
        raise NotPossible(
            "This report names no notice: neither Original-Envelope-Id nor Message-ID is one of the tower's."
        )
    told = [block for block in blocks if block.get("Action")]
    rows = [
        {"notice_id": notice_id, "outcome": ACTIONS[action], "words": _words(block)}
        for block in told
        if (action := str(block["Action"]).strip().lower()) in ACTIONS
    ]
    return rows, len(told) - len(rows)


def _notice_id(blocks: list[Message], parts: list[Message]) -> str | None:
    """From the envelope id that the tower gave, else from the Message-ID in the headers that came back."""
    said = [str(block["Original-Envelope-Id"]) for block in blocks if block.get("Original-Envelope-Id")]
    for part in parts:
        if part.get_content_type() == "message/rfc822":
            said += [str(inner["Message-ID"]) for inner in part.get_payload() if inner.get("Message-ID")]
        elif part.get_content_type() == "text/rfc822-headers":
            said += re.findall(r"(?im)^message-id:\s*(<[^>]*>)", str(part.get_payload(decode=True), "utf-8", "replace"))
    found = [match.group() for text in said if (match := _ID.search(text.lower()))]
    return found[0] if found else None


def _words(block: Message) -> str:
    parts = (block.get(name) for name in ("Action", "Status", "Diagnostic-Code"))
    return one_line(" ".join(str(part) for part in parts if part))
