"""What broke a promise, or will: rules over the state, the queue of what they find, and what people decide about it.

`CATALOGUE` holds the rules, `queue` what needs somebody, `children` what a root explains; `acknowledge`, `assign`, `snooze`,
`comment`, `record_action`, `resolve` and `reopen` are the decisions.
"""

from lastmile.exceptions.catalogue import CATALOGUE, find
from lastmile.exceptions.deciding import acknowledge, assign, comment, record_action, reopen, resolve, snooze
from lastmile.exceptions.queue import QUEUE, beside, children, exceptions, queue
from lastmile.exceptions.rule import Due, Outcome, Role, Rule, Severity, Subject
from lastmile.exceptions.settings import SETTINGS, Settings
from lastmile.exceptions.situation import Situation
from lastmile.exceptions.telling import definitions

__all__ = [
    "CATALOGUE",
    "QUEUE",
    "SETTINGS",
    "Due",
    "Outcome",
    "Role",
    "Rule",
    "Settings",
    "Severity",
    "Situation",
    "Subject",
    "acknowledge",
    "assign",
    "beside",
    "children",
    "comment",
    "definitions",
    "exceptions",
    "find",
    "queue",
    "record_action",
    "reopen",
    "resolve",
    "snooze",
]  # fmt: skip
