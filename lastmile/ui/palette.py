"""What each status looks like, everywhere: a colour safe for colour-blind eyes (Okabe–Ito), a shape and its word."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lastmile.model import Status


@dataclass(frozen=True)
class Look:
    """One status as shown: `word` beside `glyph`, `light` and `dark` hex colours, the theme's name for the colour."""

    word: str
    glyph: str
    shape: str
    light: str
    dark: str
    theme_colour: str

    def hex(self, dark: bool) -> str:
        return self.dark if dark else self.light

    def rgb(self, dark: bool, alpha: int = 255) -> list[int]:
        colour = self.hex(dark).lstrip("#")
        return [*bytes.fromhex(colour), alpha]

    @property
    def label(self) -> str:
        return f"{self.glyph} {self.word}"


def _like(other: Look, word: str) -> Look:
    return replace(other, word=word)


STATUS = {
    Status.ON_TIME: Look("on time", "●", "circle", "#0072B2", "#4BA7E0", "blue"),
    Status.AT_RISK: Look("at risk", "▲", "triangle", "#E69F00", "#F0B429", "yellow"),
    Status.LATE: Look("late", "◆", "diamond", "#D55E00", "#F27C3A", "orange"),
    Status.IDLE: Look("idle", "■", "square", "#6B7683", "#93A0AE", "gray"),
    Status.UNKNOWN: Look("unknown", "○", "ring", "#8A94A0", "#A9B4C0", "gray"),
}

# How a delivery ended; early and failed stand beside the statuses.
OUTCOME = {
    "early": Look("early", "◐", "half", "#56B4E9", "#9AD4F5", "blue"),
    "on time": STATUS[Status.ON_TIME],
    "late": STATUS[Status.LATE],
    "failed": Look("failed", "✕", "cross", "#B5588F", "#DE8DBD", "violet"),
    "unknown": Look("unknown", "○", "ring", "#BFC6CE", "#4A5563", "gray"),
    "open": Look("open", "◌", "ring", "#8A94A0", "#A9B4C0", "gray"),
    "cancelled": Look("cancelled", "–", "ring", "#8A94A0", "#A9B4C0", "gray"),
    "no promise": Look("no promise", "○", "ring", "#8A94A0", "#A9B4C0", "gray"),
}

# How bad an exception is, in the colours of what it means for the promise: broken or sure to be, at risk, none.
SEVERITY = {
    "critical": _like(STATUS[Status.LATE], "critical"),
    "high": _like(STATUS[Status.AT_RISK], "high"),
    "medium": _like(STATUS[Status.IDLE], "medium"),
    "low": _like(STATUS[Status.UNKNOWN], "low"),
}

INK = {False: "#1B2733", True: "#E6EBF1"}
FAINT_INK = {False: "#5B6875", True: "#9AA7B4"}
RULE = {False: "#D9DFE5", True: "#2B3643"}
SURFACE = {False: "#FFFFFF", True: "#10161D"}
SERIES = {False: "#33475B", True: "#B7C4D1"}  # a figure over time that is no status


def look(status: str) -> Look:
    """The look of a status, outcome or severity by its word; a word nobody knows looks unknown."""
    try:
        return STATUS[Status(status)]
    except ValueError:
        return OUTCOME.get(status) or SEVERITY.get(status, STATUS[Status.UNKNOWN])


def badge(status: str, text: str | None = None) -> str:
    """Markdown for a coloured label with shape and word, as `:orange-badge[◆ late]`."""
    shown = look(status)
    return f":{shown.theme_colour}-badge[{shown.glyph} {text or shown.word}]"
