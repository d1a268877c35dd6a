"""Communication, the notices: do they arrive, and do recipients answer them?"""

from __future__ import annotations

from lastmile.kpis.arrivals import FAMILY
from lastmile.kpis.definition import Direction, Kpi, Owner, Rule, Unit

NOT_SENT: tuple[Rule, ...] = (
    ("not sent yet", "state = 'waiting'"),
    ("failed before it was sent", "state = 'failed' and sent_at is null"),
    ("not sent: it would have come too late", "state = 'dropped'"),
)
_SENT = {
    "family": FAMILY,
    "unit": Unit.SHARE,
    "anchor": "service day of the delivery; for staff the day on which the notice was asked for",
    "denominator": "notices sent",
    "fact": "notice",
    "excluded": NOT_SENT,
    "owner": Owner.OPERATIONS,
}

NOTICES = (
    Kpi(
        key="notification_success",
        label="Notices received",
        question="How many of the notices that we sent have arrived?",
        formula="notices with a receipt of delivery ÷ notices sent; no receipt is no success",
        direction=Direction.HIGHER,
        numerator="notices with a receipt of delivery",
        counts="(delivered_at is not null)::int",
        target=0.95,
        **_SENT,
    ),
    Kpi(
        key="notification_no_receipt",
        label="Notices without receipt",
        question="Of how many notices do we not know whether they arrived?",
        formula="notices sent of which no receipt tells whether they arrived or came back ÷ notices sent",
        direction=Direction.LOWER,
        numerator="notices without a receipt",
        counts="(state = 'sent')::int",
        target=0.05,
        **_SENT,
    ),
    Kpi(
        key="confirmation_rate",
        label="Recipients confirming",
        question="How many of the recipients that we told have confirmed?",
        formula="deliveries whose recipient confirmed last, after the first notice ÷ deliveries told of; no answer is no confirmation",
        unit=Unit.SHARE,
        direction=Direction.HIGHER,
        anchor="answers of the recipient",
        numerator="deliveries whose recipient's last answer is a confirmation",
        denominator="deliveries whose recipient was sent a notice, and answered or can answer no more",
        fact="recipient",
        counts="(coalesce(answer, '') = 'recipient_confirmed')::int",
        excluded=(("no answer yet, and the delivery is still open", "answer is null and not resolved"),),
        family=FAMILY,
        owner=Owner.OPERATIONS,
        target=0.5,
    ),
)
