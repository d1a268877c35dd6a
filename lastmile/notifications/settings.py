"""What an operator may set about notices: quiet hours, how much a change must be worth, the language of those who say none."""

from __future__ import annotations

import secrets
import threading
from dataclasses import asdict, dataclass
from datetime import time

from lastmile.errors import NotPossible
from lastmile.store import Store

KEY = "notices"
SIGNING_KEY = "notices signing secret"
LANGUAGES = {"en": "English", "de": "German"}
MOST_MINUTES = 24 * 60

_making = threading.Lock()


@dataclass(frozen=True)
class Settings:
    """Times are on the clocks of the place that a notice is about; the same time twice means no quiet hours."""

    quiet_from: time = time(21)
    quiet_until: time = time(7)
    threshold_minutes: float = 15
    language: str = "en"

    def __post_init__(self) -> None:
        if self.language not in LANGUAGES:
            raise NotPossible(f"Notices are written in {', '.join(LANGUAGES)}; not in {self.language!r}.")
        if not 0 <= self.threshold_minutes <= MOST_MINUTES:
            raise NotPossible(f"A change is worth a notice from 0 to {MOST_MINUTES} minutes on.")


def load(store: Store) -> Settings:
    """The settings in force; the defaults where nobody has set any."""
    said = store.setting(KEY) or {}
    times = {name: time.fromisoformat(said[name]) for name in ("quiet_from", "quiet_until") if name in said}
    return Settings(**(said | times))


def save(store: Store, settings: Settings, actor: str) -> None:
    """Set them; the earlier ones stay on record."""
    times = {name: getattr(settings, name).isoformat("minutes") for name in ("quiet_from", "quiet_until")}
    store.set_setting(KEY, asdict(settings) | times, actor)


def signing_secret(store: Store) -> str:
    """The secret from which each webhook's own is made; made at first use, and kept."""
    with _making:
        known = store.setting(SIGNING_KEY)
        if known is None:
            known = secrets.token_urlsafe(32)
            store.set_setting(SIGNING_KEY, known, "system")
        return known
