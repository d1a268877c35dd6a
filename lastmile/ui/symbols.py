"""Map symbols: one shape per status, drawn as vectors on one sheet per theme, so that colour never stands alone."""

from __future__ import annotations

from functools import cache

from lastmile.ui import palette

CELL = 96  # px on the sheet; drawn at about a third of that
MIDDLE = CELL / 2
ANCHORED = {"width": CELL, "height": CELL, "anchorX": CELL / 2, "anchorY": CELL / 2, "mask": False}
DEPOT = "depot"
CHOSEN = "chosen"

# Each shape within a circle of radius 30 around (0, 0).
_SHAPES = {
    "circle": '<circle r="26"/>',
    "triangle": '<path d="M0-31 29 22H-29Z"/>',
    "diamond": '<path d="M0-32 32 0 0 32-32 0Z"/>',
    "square": '<rect x="-23" y="-23" width="46" height="46" rx="3"/>',
    "ring": '<circle r="24"/>',
    "half": '<circle r="26"/>',
    "cross": '<path d="M-26-14-14-26 0-12 14-26 26-14 12 0 26 14 14 26 0 12-14 26-26 14-12 0Z"/>',
}
_TRUCK = (
    '<path d="M-13-7H3V8H-13ZM3-2H9L13 3V8H3Z" fill="none" stroke="{ink}" stroke-width="3.4" stroke-linejoin="round"/>'
    '<circle cx="-7" cy="9" r="3.6" fill="{ink}"/><circle cx="7" cy="9" r="3.6" fill="{ink}"/>'
)


@cache
def places() -> dict[str, dict]:
    """Name of a symbol → its place on the sheet, as an icon mapping of deck.gl."""
    return {name: {"x": (n % 8) * CELL, "y": (n // 8) * CELL, **ANCHORED} for n, name in enumerate(_names())}


@cache
def sheet(dark: bool) -> str:
    """The sheet of one theme, as SVG."""
    drawn = "".join(
        f'<g transform="translate({place["x"] + MIDDLE} {place["y"] + MIDDLE})">{_drawn(name, dark)}</g>'
        for name, place in places().items()
    )
    width, height = 8 * CELL, (len(places()) + 7) // 8 * CELL
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{drawn}</svg>'


def vehicle(status: str) -> str:
    """The symbol's name for a vehicle of that status."""
    return f"vehicle {palette.look(status).word}"


def stop(status: str, done: bool) -> str:
    """The symbol's name for a stop: a small dot where it is done, its shape where it is still to come."""
    return f"{'done' if done else 'open'} {palette.look(status).word}"


def _names() -> list[str]:
    words = [*dict.fromkeys([*(look.word for look in palette.STATUS.values()), *palette.OUTCOME])]
    return [*(f"{kind} {word}" for kind in ("vehicle", "open", "done") for word in words), DEPOT, CHOSEN]


def _drawn(name: str, dark: bool) -> str:
    if name == DEPOT:
        return _depot(dark)
    if name == CHOSEN:
        return f'<circle r="43" fill="none" stroke="{palette.INK[dark]}" stroke-width="5"/>'
    kind, word = name.split(" ", 1)
    return {"vehicle": _vehicle, "open": _open_stop, "done": _done_stop}[kind](palette.look(word), dark)


def _vehicle(look: palette.Look, dark: bool) -> str:
    rim, fill, truck = "#FFFFFF", look.hex(dark), _TRUCK.format(ink="#10161D" if dark else "#FFFFFF")
    shape = _SHAPES[look.shape]
    if look.shape == "ring":
        return f'<g fill="{rim}" stroke="{fill}" stroke-width="7">{shape}</g>'
    shadow = f'<g fill="#000" fill-opacity=".22" transform="translate(0 3) scale(1.32)">{shape}</g>'
    edge = f'<g fill="{rim}" transform="scale(1.27)">{shape}</g>'
    return (
        f'{shadow}{edge}<g fill="{fill}" transform="scale(1.06)">{shape}</g><g transform="translate(0 1)">{truck}</g>'
    )


def _open_stop(look: palette.Look, dark: bool) -> str:
    paper = palette.SURFACE[dark]
    if look.shape == "ring":
        return f'<g fill="{paper}" stroke="{look.hex(dark)}" stroke-width="9">{_SHAPES["ring"]}</g>'
    shape = _SHAPES[look.shape]
    return f'<g fill="{paper}" transform="scale(1.42)">{shape}</g><g fill="{look.hex(dark)}">{shape}</g>'


def _done_stop(look: palette.Look, dark: bool) -> str:
    return f'<g fill="{look.hex(dark)}" fill-opacity=".62" transform="scale(.62)">{_SHAPES[look.shape]}</g>'


def _depot(dark: bool) -> str:
    ink, paper = palette.INK[dark], palette.SURFACE[dark]
    return (
        f'<rect x="-34" y="-34" width="68" height="68" rx="12" fill="{ink}" stroke="{paper}" stroke-width="6"/>'
        f'<path d="M-20 20V-5L0-18 20-5V20ZM-9 20V4H9V20" fill="none" stroke="{paper}" stroke-width="6"/>'
    )
