"""From measured KPIs to tiles: the figure of a day or period, its change against a base, its line over the days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

import pandas as pd

from lastmile import kpis
from lastmile.kpis import Direction, Kpi, Unit
from lastmile.ui import format, shell
from lastmile.ui.desk import Desk
from lastmile.ui.tiles import Tile

BASE_DAYS = 28
LINE_DAYS = 14
COUNTED_WHEN_BACK = ("drop", "route")
"""Facts that are whole only once the vans are back: on the running day the last whole day is shown."""


def period(desk: Desk) -> dict[str, Any]:
    """What a page of figures asks about: its days, its scope, and as known when."""
    scope = desk.view.scope
    return {"day_from": scope.day_from, "day_to": scope.day_to, "as_of": desk.view.as_of, "scope": scope}


def measured(desk: Desk, keys: Sequence[str], **more: Any) -> pd.DataFrame:
    """KPIs of the page's period and scope, as of `kpis.measure`; `more` may ask for groups or for other days."""
    return desk.ask(kpis.measure, tuple(keys), **(period(desk) | more))


def day_tiles(desk: Desk, keys: Sequence[str]) -> list[Tile]:
    """One tile a KPI (a ratio) for the desk's day, against the four weeks before, with a line over two weeks."""
    return desk.share(_day_tiles, tuple(keys))


def _day_tiles(desk: Desk, keys: tuple[str, ...]) -> list[Tile]:
    day = desk.day
    common = {"as_of": desk.view.as_of, "scope": desk.view.scope}
    before = {"day_from": day - timedelta(days=BASE_DAYS), "day_to": day - timedelta(days=1)}
    running = tuple(key for key in keys if not (desk.is_today and kpis.find(key).fact in COUNTED_WHEN_BACK))
    past = desk.ask(kpis.measure, keys, by=("day",), **before, **common)
    now = desk.ask(kpis.measure, running, by=("day",), day_from=day, day_to=day, **common)
    return [_tile(desk, kpis.find(key), past[past.key == key], now[now.key == key]) for key in keys]


def _tile(desk: Desk, kpi: Kpi, past: pd.DataFrame, now: pd.DataFrame) -> Tile:
    line = pd.concat([past, now], ignore_index=True).sort_values("day").tail(LINE_DAYS)
    known = line[line.value.notna()]
    figure = known.iloc[-1] if len(known) else line.iloc[-1] if len(line) else None
    average = past.numerator.sum() / past.denominator.sum() if past.denominator.sum() else None
    value = None if figure is None else figure.value
    unit = _unit(figure)
    return Tile(
        label=kpi.label,
        value=shown(kpi, value, unit),
        help=definition(kpi),
        n=None if figure is None else int(figure.n),
        n_of=_when(figure, desk.day, desk.is_today),
        change=change(kpi, value, average, unit),
        base=f"vs. {_span(past)}" if format.known(average) else None,
        direction=verdict(kpi, value, average),
        target=shown(kpi, figure.target, unit) if figure is not None and format.known(figure.target) else None,
        line=line.value.tolist(),
        trusted=figure is None or not format.known(figure.trust) or figure.trust >= kpis.TRUST_THRESHOLD,
        why=_why(figure),
        link=shell.address(f"kpis?{urlencode({'kpi': kpi.key})}"),
    )


def _span(past: pd.DataFrame) -> str:
    """What the base is the average of: four weeks, or the fewer days that are on record."""
    days = past.day.nunique()
    return "4-week average" if days > BASE_DAYS - 4 else f"average of {days} days"


def _when(figure: Any, day: date, today: bool) -> str:
    """Of which day a figure is, where that is not the day asked: some costs are known only once a route is back."""
    if figure is None or not format.known(figure.value):
        return ""
    known_for = pd.Timestamp(figure.day).date()
    if known_for != day:
        return f"on {format.day(known_for, day)}"
    return "so far" if today else ""


def shown(kpi: Kpi, value: Any, unit: str | None = None) -> str:
    """A KPI's value with its unit; "unknown" where there is none."""
    if not format.known(value):
        return format.UNKNOWN
    match kpi.unit:
        case Unit.SHARE:
            return format.percent(value)
        case Unit.MINUTES:
            return format.minutes(value)
        case Unit.MONEY:
            return format.money(value, unit or "EUR")
        case Unit.PER_HOUR:
            return f"{format.number(value, 1)} / h"
        case _:
            return format.number(value, 2)


def change(kpi: Kpi, value: Any, base: Any, unit: str | None = None) -> str | None:
    """The difference to a base: in points between shares, else in the KPI's unit."""
    if not (format.known(value) and format.known(base)):
        return None
    difference = value - base
    match kpi.unit:
        case Unit.SHARE:
            return format.points(difference)
        case Unit.MINUTES:
            return f"{'+' if difference > 0 else ''}{format.minutes(difference)}"
        case Unit.MONEY:
            return f"{format.signed(difference, 2)} {format.CURRENCY_SIGNS.get(unit or 'EUR', unit)}"
        case _:
            return format.signed(difference, 2)


def verdict(kpi: Kpi, value: Any, base: Any) -> str:
    """Whether the change is good or bad for this KPI."""
    if not (format.known(value) and format.known(base)) or value == base:
        return "neutral"
    better = value > base if kpi.direction is Direction.HIGHER else value < base
    return "good" if better else "bad"


def definition(kpi: Kpi) -> str:
    """What stands behind a figure's help mark."""
    waiting = f" Of them, {kpi.still_waiting}." if kpi.still_waiting else ""
    return (
        f"**{kpi.question}**\n\n{kpi.formula}\n\nCounted: {kpi.numerator}, out of {kpi.denominator}.{waiting} "
        f"Left out: {kpi.exclusions}. Unknown: {kpi.unknowns}."
    )


def _unit(figure: Any) -> str | None:
    currency = None if figure is None else figure.get("currency")
    return currency if format.known(currency) else None


def _why(figure: Any) -> str | None:
    if figure is None:
        return "nothing is counted yet for this day"
    if not format.known(figure.value) and isinstance(figure.trust_why, str) and figure.trust < kpis.TRUST_THRESHOLD:
        return figure.trust_why
    if not format.known(figure.value):
        return (
            f"{int(figure.unknown)} unknown, {int(figure.excluded)} excluded"
            if figure.unknown + figure.excluded
            else None
        )
    if format.known(figure.trust) and figure.trust < kpis.TRUST_THRESHOLD:
        return str(figure.trust_why)
    return None
