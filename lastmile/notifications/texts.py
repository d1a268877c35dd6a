"""The texts that are built in, in English and German; an operator's own take their place (docs/notices.md)."""

from __future__ import annotations

from lastmile.notifications.templates import Template

BUILT_IN = (
    Template(
        "delay_expected", "", "en", "Your delivery {number} will be later than planned",
        "Hello {recipient},\n\n"
        "your delivery {number} of {day} was promised {window}. It will be later: we now expect it {expected}.\n\n"
        "We are sorry for the wait.",
    ),
    Template(
        "delay_expected", "", "de", "Ihre Lieferung {number} kommt später als geplant",
        "Guten Tag {recipient},\n\n"
        "Ihre Lieferung {number} vom {day} war {window} zugesagt. Sie kommt später: voraussichtlich {expected}.\n\n"
        "Wir bitten um Entschuldigung.",
    ),
    Template(
        "delay_expected", "construction", "en", "Delay on site: delivery {number} now expected {expected}",
        "To the site management of {recipient},\n\n"
        "delivery {number} of {day}, promised {window}, will be late: we now expect it {expected}.\n"
        "Please plan crew and unloading equipment accordingly.",
    ),
    Template(
        "delay_expected", "construction", "de", "Verzögerung: Lieferung {number} voraussichtlich {expected}",
        "An die Bauleitung {recipient},\n\n"
        "die {window} zugesagte Lieferung {number} vom {day} verspätet sich: voraussichtlich {expected}.\n"
        "Bitte planen Sie Personal und Entladegerät entsprechend.",
    ),
    Template(
        "promise_changed", "", "en", "New time for your delivery {number}: {expected}",
        "Hello {recipient},\n\n"
        "we have planned the day anew. Your delivery {number} of {day} is now expected {expected}.",
    ),
    Template(
        "promise_changed", "", "de", "Neue Zeit für Ihre Lieferung {number}: {expected}",
        "Guten Tag {recipient},\n\n"
        "wir haben den Tag neu geplant. Ihre Lieferung {number} vom {day} kommt nun voraussichtlich {expected}.",
    ),
    Template(
        "failed_attempt", "", "en", "We could not deliver {number}",
        "Hello {recipient},\n\n"
        "we tried to deliver {number} on {day} and could not hand it over. Reason: {reason}.\n\n"
        "We will tell you when we come again.",
    ),
    Template(
        "failed_attempt", "", "de", "Wir konnten {number} nicht zustellen",
        "Guten Tag {recipient},\n\n"
        "wir haben am {day} versucht, {number} zuzustellen, und konnten es nicht. Grund: {reason}.\n\n"
        "Wir melden uns, sobald wir wiederkommen.",
    ),
    Template(
        "reattempt_tomorrow", "", "en", "We bring your delivery {number} on {new_day}",
        "Hello {recipient},\n\nwe could not deliver {number} on {day}. We come again on {new_day}.",
    ),
    Template(
        "reattempt_tomorrow", "", "de", "Wir bringen Ihre Lieferung {number} am {new_day}",
        "Guten Tag {recipient},\n\nwir konnten {number} am {day} nicht zustellen. Wir kommen am {new_day} wieder.",
    ),
    Template(
        "staff_exception", "", "en", "Needs you by {due}: {what}",
        "{name},\n\n{what}.\n\nDue {due}. It stands in the queue of the tower.",
    ),
    Template(
        "staff_exception", "", "de", "Braucht Sie bis {due}: {what}",
        "{name},\n\n{what}.\n\nFällig {due}. Es steht in der Liste des Towers.",
    ),
    Template(
        "staff_escalation", "", "en", "Escalated: {what}",
        "{name},\n\n{what}.\n\nIt is open for {age}. {why}.",
    ),
    Template(
        "staff_escalation", "", "de", "Eskaliert: {what}",
        "{name},\n\n{what}.\n\nOffen seit {age}. {why}.",
    ),
    Template(
        "test", "", "en", "A test notice of Lastmile",
        "{name},\n\nthis is a test. If you can read it, notices of the tower reach you here.",
    ),
    Template(
        "test", "", "de", "Eine Testnachricht von Lastmile",
        "{name},\n\ndies ist ein Test. Wenn Sie ihn lesen können, erreichen Sie Nachrichten des Towers.",
    ),
)  # fmt: skip
