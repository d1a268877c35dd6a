"""What each status looks like, everywhere: a colour safe for colour-blind eyes (Okabe–Ito), a shape and its word."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

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

    def pill(self, dark: bool) -> str:
        """The colour behind its words in a table, which a browser writes in black or white."""
        return readable(self.hex(dark))

    @property
    def label(self) -> str:
        return f"{self.glyph} {self.word}"


CONTRAST = 4.5
"""Of words to what is behind them, at least (WCAG 2.2, 1.4.3)."""
BLACK_ABOVE = 0.5
"""Streamlit's tables write a pill's words in black on a colour of more luminance than this, else in white."""


def luminance(colour: str) -> float:
    """The relative luminance of a colour in hex, 0 to 1 (WCAG 2.2)."""
    parts = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def pill_contrast(colour: str) -> float:
    """The contrast of the words of a table's pill to its colour."""
    bright = luminance(colour)
    return (bright + 0.05) / 0.05 if bright > BLACK_ABOVE else 1.05 / (bright + 0.05)


@cache
def readable(colour: str) -> str:
    """The colour, or the nearest tint or shade of it on which a pill's words can be read."""
    mixed = (_mixed(colour, other, percent / 100) for percent in range(100) for other in ("#000000", "#ffffff"))
    return next(one for one in mixed if pill_contrast(one) >= CONTRAST)


def _mixed(colour: str, other: str, share: float) -> str:
    pairs = [(int(colour[place : place + 2], 16), int(other[place : place + 2], 16)) for place in (1, 3, 5)]
    return "#" + "".join(f"{round(own + share * (more - own)):02x}" for own, more in pairs)


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
    "not booked yet": Look("not booked yet", "–", "ring", "#8A94A0", "#A9B4C0", "gray"),
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
