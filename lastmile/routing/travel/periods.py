"""The hours of a plan's span, those of near-equal pace as one period."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

MOST_PERIODS = 5
EQUAL_PACE = 0.03
"""Neighbouring periods whose paces differ by less than this share are one."""

LONGEST_SPAN = 2 * 86_400
"""A span is cut here: who plans further ahead plans by days."""


class Period(NamedTuple):
    """A part of the span with one pace: when it begins (epoch seconds), how long it is, seconds a kilometre."""

    begins: float
    seconds: float
    pace: float


def periods_of(
    speed_kmh_by_hour: Sequence[float], start: float, end: float, zone: str, most: int = MOST_PERIODS
) -> list[Period]:
    """The local hours from `start` to `end`, merged until at most `most` are left that differ in pace.

    Each time the two neighbours nearest in pace become one, with the mean pace of their time.
    """
    found = [
        Period(begins, seconds, 3600 / speed_kmh_by_hour[hour])
        for begins, seconds, hour in _hours(start, max(end, start + 1), zone)
    ]
    while len(found) > 1:
        gaps = [abs(b.pace - a.pace) / min(a.pace, b.pace) for a, b in pairwise(found)]
        nearest = gaps.index(min(gaps))
        if len(found) <= most and gaps[nearest] >= EQUAL_PACE:
            break
        found[nearest : nearest + 2] = [_merged(*found[nearest : nearest + 2])]
    return found


def _merged(first: Period, second: Period) -> Period:
    seconds = first.seconds + second.seconds
    return Period(first.begins, seconds, (first.seconds * first.pace + second.seconds * second.pace) / seconds)


def _hours(start: float, end: float, zone: str) -> list[tuple[float, float, int]]:
    """(begins, seconds, local hour) of each local hour between two instants."""
    clock, end = ZoneInfo(zone), min(end, start + LONGEST_SPAN)
    spans, now = [], start
    while now < end:
        local = datetime.fromtimestamp(now, clock)
        into_hour = local.minute * 60 + local.second + local.microsecond / 1e6
        step = min(max(3600 - into_hour, 1e-3), end - now)
        spans.append((now, step, local.hour))
        now += step
    return spans
