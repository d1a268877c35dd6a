"""Times as files write them: which of the known forms a column has, and how the clock of a zone turns into UTC."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import product
from zoneinfo import ZoneInfo

DATES = {
    "day_first": ("%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%d/%m/%y", "%d.%m.%y"),
    "month_first": ("%m/%d/%Y", "%m-%d-%Y", "%m.%d.%Y", "%m/%d/%y"),
    "year_first": ("%Y/%m/%d", "%Y.%m.%d", "%Y%m%d"),
    None: ("%d %b %Y", "%d-%b-%Y", "%d-%b-%y", "%b %d, %Y", "%b %d %Y"),
}
WITHOUT_YEAR = {"day_first": ("%d/%m", "%d.%m.", "%d.%m", "%d-%m"), "month_first": ("%m-%d", "%m/%d", "%m.%d")}
LONG_AGO = datetime(1, 1, 1, tzinfo=UTC).replace(tzinfo=None)  # local times carry no zone
CLOCKS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p")
EPOCH_FROM = 100_000_000  # 1973 in seconds; smaller numbers are Excel's days, larger ones seconds, ms or µs by size
_ISO = re.compile(r"\d{4}-\d{1,2}-\d{1,2}([T ]\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?)?\s*(Z|[+-]\d{2}:?(\d{2})?)?$")
_NUMBER = re.compile(r"\d+(\.\d+)?$")
_SHORT = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{2}|\d{4})(\D|$)")


@dataclass(frozen=True)
class TimeForm:
    """How a column writes times: `iso`, `number` (epoch or Excel serial) or `written` with its patterns, the usual first."""

    kind: str
    patterns: tuple[str, ...] = ()
    prefix: str = ""  # what a year-less time lacks


def date_order_of(samples: Iterable[str]) -> str | None:
    """day_first or month_first where some day above 12 tells; None where all dates could be either."""
    firsts, seconds = [0], [0]
    for text in samples:
        if match := _SHORT.match(text.strip()):
            firsts.append(int(match[1]))
            seconds.append(int(match[2]))
    if max(firsts) > 12 >= max(seconds):
        return "day_first"
    if max(seconds) > 12 >= max(firsts):
        return "month_first"
    return None


def is_ambiguous(samples: Iterable[str]) -> bool:
    """Whether the samples hold dates such as 03/04/2026, whose order nothing in them tells."""
    samples = list(samples)
    return any(_SHORT.match(text.strip()) for text in samples) and date_order_of(samples) is None


def form_of(samples: list[str], date_order: str | None, year: int | None, least: float = 0.0) -> TimeForm | None:
    """The form that most of the samples have; None where none is known to more than a share `least` of them."""
    samples = [text.strip() for text in samples]
    if not samples:
        return TimeForm("iso")
    iso = _share(_ISO, samples)
    if iso == 1.0:
        return TimeForm("iso")
    prefix = f"{year or 2000}-"
    written = {pattern: _fitting(pattern, samples, "") for pattern in _patterns(date_order)}
    short = {pattern: _fitting(pattern, samples, prefix) for pattern in _short_patterns(date_order)}
    counted = {
        TimeForm("iso"): iso,
        TimeForm("written", _usual_first(written)): max(written.values()),
        TimeForm("number"): _share(_NUMBER, samples),
        TimeForm("written", _usual_first(short), prefix if year else "?"): max(short.values()),
    }
    form, share = max(counted.items(), key=lambda item: item[1])  # of equals the first, so 20260115 is a date
    return form if share > least else None


def _share(pattern: re.Pattern[str], samples: list[str]) -> float:
    return sum(bool(pattern.match(text)) for text in samples) / len(samples)


def _patterns(date_order: str | None) -> list[str]:
    orders = {None, "year_first", date_order} if date_order else set(DATES)
    return [date + clock for order in orders for date, clock in product(DATES[order], CLOCKS)]


def _short_patterns(date_order: str | None) -> list[str]:
    orders = [date_order] if date_order in WITHOUT_YEAR else ["month_first", "day_first"]
    return [f"%Y-{date}{clock}" for order in orders for date, clock in product(WITHOUT_YEAR[order], CLOCKS)]


def _fitting(pattern: str, samples: list[str], prefix: str) -> float:
    tried = samples[:: max(1, len(samples) // 200)]
    return sum(_fits(prefix + text, pattern) for text in tried) / len(tried)


def _fits(text: str, pattern: str) -> bool:
    # the signs between the figures tell most misfits forty times quicker; a month's name may hold signs of its own
    if "%b" not in pattern and _signs(text) != _signs(pattern.replace("%", "")):
        return False
    try:
        datetime.strptime(text, pattern)  # noqa: DTZ007 - only the form is tested
    except ValueError:
        return False
    return True


@lru_cache(maxsize=8192)
def _signs(text: str) -> str:
    """What stands in a text beside letters, figures and spaces."""
    return re.sub(r"[\w\s]+", "", text)


def _usual_first(counted: dict[str, float]) -> tuple[str, ...]:
    return tuple(sorted(counted, key=lambda pattern: -counted[pattern]))


@dataclass(frozen=True)
class Shift:
    """From local time `local_from` (naive) on, the zone's clock is `offset` ahead of UTC; `change` is how it jumped there."""

    local_from: datetime
    offset: timedelta
    change: timedelta


@lru_cache(maxsize=64)
def shifts(zone: str, first_year: int, last_year: int) -> tuple[Shift, ...]:
    """The offsets of a zone over some years, the first from the very beginning. A repeated hour counts as its first pass."""
    clock = ZoneInfo(zone)
    instant = datetime(first_year, 1, 1, tzinfo=UTC)
    end = datetime(last_year + 1, 1, 1, tzinfo=UTC)
    offset = clock.utcoffset(instant.astimezone(clock))
    found = [Shift(LONG_AGO, offset, timedelta(0))]
    while instant < end:
        later = instant + timedelta(days=1)
        after = later.astimezone(clock).utcoffset()
        if after != offset:
            changed = _moment(clock, instant, later, offset)
            local = (changed + max(offset, after)).replace(tzinfo=None)
            found.append(Shift(local, after, after - offset))
            offset = after
        instant = later
    return tuple(found)


def _moment(clock: ZoneInfo, before: datetime, after: datetime, offset: timedelta) -> datetime:
    """The second at which the offset changes, by halving."""
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        if middle.astimezone(clock).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)
