"""The catalogue of notices: for each kind of news its text by service and language, and what a text may name."""

from __future__ import annotations

import logging
import string
import tomllib
from dataclasses import dataclass
from pathlib import Path

from lastmile.errors import NotPossible
from lastmile.notifications.settings import LANGUAGES

OVERRIDES = Path(__file__).parents[2] / "data" / "notices"
"""Files of an operator's own texts; see docs/notices.md."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Kind:
    """One kind of news: what it is, whom it is for, and the facts that must be given for it.

    `while_open`: of no use any more once its delivery is over. `urgent`: quiet hours don't hold it up.
    """

    key: str
    told: str
    audience: str  # customer | staff
    facts: tuple[str, ...] = ()
    while_open: bool = False
    urgent: bool = False

    @property
    def placeholders(self) -> frozenset[str]:
        """What its texts may name: its own facts, and what the ledger knows of the delivery or the contact."""
        return frozenset(self.facts) | (OF_A_DELIVERY if self.audience == "customer" else OF_A_CONTACT)


OF_A_DELIVERY = frozenset({"recipient", "number", "day", "window"})
OF_A_CONTACT = frozenset({"name"})

KINDS = {
    kind.key: kind
    for kind in (
        Kind("delay_expected", "A delivery will come later than promised.", "customer", ("expected",), while_open=True),
        Kind("promise_changed", "A delivery is expected at another time.", "customer", ("expected",), while_open=True),
        Kind("failed_attempt", "Nobody could take the delivery.", "customer", ("reason",)),
        Kind("reattempt_tomorrow", "A delivery that failed comes again.", "customer", ("new_day",)),
        Kind("staff_exception", "Something needs somebody.", "staff", ("what", "due")),
        Kind("staff_escalation", "Something has waited too long.", "staff", ("what", "age", "why"), urgent=True),
        Kind("test", "A test of the way to a person.", "staff", urgent=True),
    )
}


@dataclass(frozen=True)
class Template:
    """One text: `kind`, `service` (empty: any), `language`, subject and text, with {placeholders}."""

    kind: str
    service: str
    language: str
    subject: str
    text: str
    origin: str = "built in"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise NotPossible(f"There is no notice {self.kind!r}; there are {', '.join(KINDS)}.")
        if self.language not in LANGUAGES:
            raise NotPossible(f"{self.kind}: notices are written in {', '.join(LANGUAGES)}; not in {self.language!r}.")
        unknown = self.named - KINDS[self.kind].placeholders
        if unknown:
            known = ", ".join(f"{{{name}}}" for name in sorted(KINDS[self.kind].placeholders))
            raise NotPossible(f"{self.kind}: {{{min(unknown)}}} can't be filled; a text may name {known}.")
        if not self.subject.strip() or not self.text.strip():
            raise NotPossible(f"{self.kind}: a notice has a subject and a text.")

    @property
    def named(self) -> frozenset[str]:
        """The placeholders that stand in it."""
        try:
            parts = [*string.Formatter().parse(self.subject), *string.Formatter().parse(self.text)]
        except ValueError as error:
            raise NotPossible(f"{self.kind}: {error}. A brace of its own is written twice.") from error
        return frozenset(name for _, name, _, _ in parts if name is not None)


def kind_of(key: str) -> Kind:
    """The kind of news of a key; raises NotPossible with those there are."""
    if key not in KINDS:
        raise NotPossible(f"There is no notice {key!r}; there are {', '.join(KINDS)}.")
    return KINDS[key]


def text_for(
    templates: dict[tuple[str, str, str], Template], kind: str, service: str | None, language: str
) -> Template:
    """The text that fits best: of the service in the language, of any service in it, else the same in English."""
    for key in ((kind, service or "", language), (kind, "", language), (kind, service or "", "en"), (kind, "", "en")):
        if key in templates:
            return templates[key]
    raise NotPossible(f"There is no text for {kind}.")


def in_use(folder: Path | None = None) -> tuple[dict[tuple[str, str, str], Template], list[str]]:
    """All texts by kind, service and language, an operator's own in place of those built in; and what is wrong in files.

    A file that is wrong is not used: what is built in stands, and the problem is told on the page and in the log.
    """
    from lastmile.notifications.texts import BUILT_IN

    found = {(one.kind, one.service, one.language): one for one in BUILT_IN}
    problems: list[str] = []
    for path in sorted((folder or OVERRIDES).glob("*.toml")):
        try:
            found |= {(one.kind, one.service, one.language): one for one in read(path)}
        except NotPossible as error:
            problems.append(str(error))
            log.warning("%s", error)
    return found, problems


def read(path: Path) -> list[Template]:
    """The texts of one file of an operator's own; raises NotPossible with file and entry where one can't be used."""
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise NotPossible(f"{path.name}: {error}") from error
    entries = said.get("notice")
    if not isinstance(entries, list) or not entries:
        raise NotPossible(f"{path.name}: no [[notice]] stands in it.")
    return [_entry(path, number, entry) for number, entry in enumerate(entries, 1)]


def _entry(path: Path, number: int, entry: object) -> Template:
    allowed = {"kind", "service", "language", "subject", "text"}
    if not isinstance(entry, dict) or not all(isinstance(value, str) for value in entry.values()):
        raise NotPossible(f"{path.name}, notice {number}: all its values are text.")
    wrong = sorted(set(entry) - allowed) or sorted(allowed - {"service"} - set(entry))
    if wrong:
        raise NotPossible(
            f"{path.name}, notice {number}: {wrong[0]!r} is missing or not known; it has {', '.join(sorted(allowed))}."
        )
    try:
        return Template(**({"service": ""} | entry), origin=path.name)
    except NotPossible as error:
        raise NotPossible(f"{path.name}, notice {number}: {error}") from error
