"""The texts of notices: each can be filled in each language, an operator's own take their place, wrong ones are told."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from lastmile.errors import NotPossible
from lastmile.notifications import KINDS, LANGUAGES, Template
from lastmile.notifications.filling import filled, in_words, one_line
from lastmile.notifications.templates import in_use, read, text_for
from lastmile.notifications.texts import BUILT_IN

NINE, ELEVEN = datetime(2026, 3, 2, 8, tzinfo=UTC), datetime(2026, 3, 2, 10, tzinfo=UTC)
FACTS = {
    "recipient": "Workshop Lindner", "number": "D-1001", "day": date(2026, 3, 2), "window": (NINE, ELEVEN),
    "expected": (NINE, ELEVEN), "reason": "site closed", "new_day": date(2026, 3, 3), "name": "Ann",
    "what": "Van 7 broke down", "due": ELEVEN, "age": "12 minutes", "why": "Nobody has taken it on",
}  # fmt: skip
OWN = """
[[notice]]
kind = "delay_expected"
service = "medical"
language = "en"
subject = "{number}: new time"
text = "Dear {recipient}, {expected}."
"""


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.key)
@pytest.mark.parametrize("language", LANGUAGES)
def test_each_kind_has_a_text_in_each_language_that_can_be_filled(kind, language):
    texts, problems = in_use()
    template = text_for(texts, kind.key, None, language)
    subject, body = filled(template, {name: FACTS[name] for name in kind.placeholders}, "Europe/Berlin")

    assert (template.language, problems) == (language, [])
    assert "{" not in subject + body and "\n" not in subject
    assert set(kind.facts) <= template.named  # what must be given is also told


def test_no_text_is_there_twice():
    keys = [(one.kind, one.service, one.language) for one in BUILT_IN]
    assert len(keys) == len(set(keys))


def test_what_a_text_is_filled_with_is_on_the_clocks_of_the_place():
    assert in_words((NINE, ELEVEN), "en", "Europe/Berlin") == "between 09:00 and 11:00"
    assert in_words((NINE, ELEVEN), "de", "America/New_York") == "zwischen 03:00 und 05:00 Uhr"
    assert in_words(ELEVEN, "en", "Europe/Berlin") == "02 Mar 11:00 CET"
    assert in_words(date(2026, 3, 2), "de", "UTC") == "02.03.2026"
    assert in_words((None, None), "en", "UTC") == "without a fixed time"


def test_a_value_is_one_plain_line_of_two_hundred_letters():
    assert one_line("a\r\nBcc: b\x00\u202ec\u2028d") == "a Bcc: b c d"
    assert one_line("x" * 300) == "x" * 199 + "…"
    # what looks like a placeholder in a name stays what it is
    template = Template("test", "", "en", "{name}", "{name}")
    assert filled(template, {"name": "{what} {0.__class__}"}, "UTC") == ("{what} {0.__class__}",) * 2


def test_the_text_of_a_service_comes_before_that_of_any(tmp_path):
    texts, _ = in_use()
    assert text_for(texts, "delay_expected", "construction", "de").text.startswith("An die Bauleitung")
    assert text_for(texts, "delay_expected", "parcels", "de").service == ""
    (tmp_path / "ours.toml").write_text(OWN)
    texts, problems = in_use(tmp_path)
    own = text_for(texts, "delay_expected", "medical", "en")
    assert (own.subject, own.origin, problems) == ("{number}: new time", "ours.toml", [])
    assert text_for(texts, "delay_expected", "medical", "de").origin == "built in"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (OWN.replace("{expected}", "{penalty}"), "{penalty} can't be filled"),
        (OWN.replace("{expected}", "{expected"), "notice 1: delay_expected"),
        (OWN.replace("{expected}", "{number.__class__}"), "can't be filled"),
        (OWN.replace('"en"', '"fr"'), "not in 'fr'"),
        (OWN.replace("delay_expected", "hurry"), "There is no notice 'hurry'"),
        (OWN.replace("subject", "title"), "'title' is missing or not known"),
        (OWN.replace('text = "Dear {recipient}, {expected}."', 'text = " "'), "has a subject and a text"),
        ("notice = 1", "no [[notice]]"),
        ("[[notice", "bad.toml"),
    ],
)
def test_a_file_with_a_mistake_is_not_used_and_says_what_is_wrong(tmp_path, text, told):
    (tmp_path / "bad.toml").write_text(text)
    with pytest.raises(NotPossible) as error:
        read(tmp_path / "bad.toml")

    assert told in str(error.value) and "bad.toml" in str(error.value)
    texts, problems = in_use(tmp_path)
    assert problems == [str(error.value)]
    assert all(one.origin == "built in" for one in texts.values())
